use crate::*;
#[test]
fn table() {
    panic!("later")
}
