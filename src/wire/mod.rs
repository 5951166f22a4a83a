//! HTTP/1.1 read passively, from the bytes that pass in both directions: the recording proxy and the
//! emulator see a product's traffic through this.

pub mod conversation;
pub mod http1;

use http::Method;

use crate::{
    protocol::{Operation, path_of},
    tape::RequestHead,
};

/// What of the API a request calls; `None` when it is none of its operations.
pub fn operation_of(head: &RequestHead) -> Option<Operation> {
    let method = Method::from_bytes(head.method.as_bytes()).ok()?;
    Operation::of(&method, path_of(&head.target))
}
