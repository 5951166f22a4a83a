//! What is said of a message or a chunk that is accepted.

use serde_json::json;

use super::{Fault, add, body, is_v1_error, remove, replace};

pub(in crate::emulator::faults) const FAULTS: &[Fault] = &[
    body("send-without-id", "an accepted send has no message ID", "send message", |value| {
        remove(value, "messageID");
        remove(value, "message_id");
    }),
    body("send-with-more", "an accepted send says more", "send message", |value| {
        if !is_v1_error(value) && value.get("detail").is_none() {
            add(value, "status");
        }
    }),
    body("send-id-is-a-number", "the message ID of a send is a number", "send message", |value| {
        replace(value, "/messageID", json!(1));
        replace(value, "/message_id", json!(1));
    }),
    body("chunk-without-id", "an accepted chunk has no message ID", "send chunk", |value| {
        remove(value, "messageID");
        remove(value, "message_id");
    }),
    body("chunk-of-another-message", "an accepted chunk names another message", "send chunk", |value| {
        replace(value, "/messageID", json!("20200101000000000000_000000"));
        replace(value, "/message_id", json!("20200101000000000000_000000"));
    }),
];
