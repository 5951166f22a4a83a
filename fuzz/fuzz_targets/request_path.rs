//! Paths: what is found by a path is found again by its own; without free text, that is the same path.
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
    // Free text may be written in several ways: percent-encoded where it need not be, say.
    let open = matches!(operation, Operation::LookUpEndpoint(..) | Operation::SearchWorkflow(_));
    if !open && !matches!(operation, Operation::TrackLocalId(..)) {
        assert_eq!(written, path, "{operation:?}");
    }
    assert!(written.parse::<http::Uri>().is_ok_and(|uri| uri.path() == written), "{written}");
    // A handshake may be asked for in two ways.
    assert!(named == *method || (matches!(operation, Operation::Handshake(_)) && *method == Method::GET));
    assert_eq!(Operation::of(&named, &written).as_ref(), Some(&operation));
    let needs_no_token = open || operation == Operation::Ping;
    assert_eq!(operation.mailbox().is_none(), needs_no_token, "whoever has a mailbox needs a token");
});
