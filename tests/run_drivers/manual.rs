//! A product that a person operates. With a terminal it is played in tests/peers/drivers.py.

use crate::Rig;

#[test]
fn a_person_is_asked_at_a_terminal_only() {
    let rig = Rig::empty();
    for driver in ["manual", "{manual: {timeout: 5m}}"] {
        let outcome = rig.play(driver, &["--tags", "@case-201"]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains("manual needs a terminal"), "{outcome:?}");
    }
}
