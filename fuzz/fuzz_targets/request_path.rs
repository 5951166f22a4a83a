//! Paths: each operation has exactly one, so what is found by a path gives that path again.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use mesh_witness::protocol::Operation;

fuzz_target!(|input: (u8, &str)| {
    let (choice, rest) = input;
    let methods = [Method::GET, Method::POST, Method::PUT, Method::HEAD, Method::DELETE];
    let method = &methods[usize::from(choice & 0x7f) % methods.len()];
    let path = if choice & 0x80 == 0 { format!("/messageexchange/{rest}") } else { rest.to_owned() };
    let Some(operation) = Operation::of(method, &path) else { return };

    let (named, written) = operation.request();
    assert_eq!(written, path, "{operation:?}");
    // A handshake may be asked for in two ways.
    assert!(named == *method || (matches!(operation, Operation::Handshake(_)) && *method == Method::GET));
    assert_eq!(Operation::of(&named, &written).as_ref(), Some(&operation));
    assert_eq!(operation.mailbox().is_none(), operation == Operation::Ping, "all but a ping need a token");
});
