//! Another body, whatever is in it: payloads, and bodies that are there or not.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::{Fault, bytes};

fn zipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Memory takes whatever it is given.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

pub(in crate::emulator::faults) const FAULTS: &[Fault] = &[
    bytes("handshake-has-a-body", "a handshake has a body", "handshake", 200, |_| b"{}".to_vec()),
    bytes("403-has-a-page", "a refusal has a body", "", 403, |_| b"<html></html>".to_vec()),
    bytes("payload-altered", "a byte of a payload is another", "download message", 200, |mut body| {
        if let Some(byte) = body.last_mut() {
            *byte ^= 1;
        }
        body
    }),
    bytes("payload-cut", "a payload lacks its last byte", "download message", 200, |mut body| {
        body.pop();
        body
    }),
    bytes(
        "first-chunk-altered",
        "a byte of a first chunk is another",
        "download message",
        206,
        |mut body| {
            if let Some(byte) = body.first_mut() {
                *byte ^= 1;
            }
            body
        },
    ),
    bytes("chunk-altered", "a byte of a later chunk is another", "download chunk", 206, |mut body| {
        if let Some(byte) = body.first_mut() {
            *byte ^= 1;
        }
        body
    }),
    bytes("last-chunk-altered", "a byte of a last chunk is another", "download chunk", 200, |mut body| {
        if let Some(byte) = body.first_mut() {
            *byte ^= 1;
        }
        body
    }),
    bytes(
        "gzip-goes-on",
        "a later chunk goes on with the gzip of the first",
        "download chunk",
        206,
        |body| body.strip_prefix(b"\x1f\x8b").map(<[u8]>::to_vec).unwrap_or(body),
    ),
    bytes(
        "chunk-compressed-again",
        "a later chunk that is compressed is compressed once more",
        "download chunk",
        206,
        |body| if body.starts_with(b"\x1f\x8b") { zipped(&body) } else { body },
    ),
    bytes("report-has-a-body", "a message without a body has one", "download message", 200, |body| {
        if body.is_empty() { b"not delivered".to_vec() } else { body }
    }),
    bytes("acknowledge-says-nothing", "an acknowledgement has no body", "acknowledge message", 200, |_| {
        Vec::new()
    }),
    bytes(
        "acknowledge-says-much",
        "an acknowledgement always has a body",
        "acknowledge message",
        200,
        |body| {
            if body.is_empty() { b"{}".to_vec() } else { body }
        },
    ),
    bytes("errors-say-nothing", "a 417 has no body", "send message", 417, |_| Vec::new()),
    bytes("missing-says-nothing", "a 404 has no body", "download message", 404, |_| Vec::new()),
    bytes("gone-says-nothing", "a 410 has no body", "download message", 410, |_| Vec::new()),
    bytes("validation-says-nothing", "a 400 has no body", "", 400, |_| Vec::new()),
];
