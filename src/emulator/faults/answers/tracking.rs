//! What is said of a message by those who track it.

use serde_json::{Value, json};

use super::{Fault, add, body, remove, replace};

pub(in crate::emulator::faults) const FAULTS: &[Fault] = &[
    body("track-without-id", "tracking does not say of which message", "track message", |value| {
        remove(value, "messageId");
        remove(value, "message_id");
    }),
    body("track-another", "tracking is of another message", "track message", |value| {
        replace(value, "/messageId", json!("20200101000000000000_FFFFFF"));
        replace(value, "/message_id", json!("20200101000000000000_FFFFFF"));
    }),
    body("track-stands-still", "a message is accepted for ever", "track message", |value| {
        let title = value.get("messageId").is_some();
        replace(value, "/status", json!(if title { "Accepted" } else { "accepted" }));
    }),
    body("track-in-other-case", "the status is in another case", "track message", |value| {
        let title = value.get("messageId").is_some();
        if let Some(status) = value.get("status").and_then(Value::as_str).map(str::to_owned) {
            let first = status.chars().take(1).collect::<String>();
            let rest: String = status.chars().skip(1).collect();
            let first = if title { first.to_lowercase() } else { first.to_uppercase() };
            replace(value, "/status", json!(first + &rest));
        }
    }),
    body("track-success-is-text", "success is text", "track message", |value| {
        let success = value.get("status_success").map(ToString::to_string);
        if let Some(success) = success {
            replace(value, "/status_success", json!(success));
        }
    }),
    body("track-size-is-text", "the size is text", "track message", |value| {
        let size = value.get("fileSize").map(ToString::to_string);
        if let Some(size) = size {
            replace(value, "/fileSize", json!(size));
        }
    }),
    body("track-other-recipient", "tracking names another recipient", "track message", |value| {
        replace(value, "/recipient", json!("SOMEBODY"));
    }),
    body("track-other-local-id", "tracking names another local ID", "track message", |value| {
        replace(value, "/localId", json!("other"));
        replace(value, "/local_id", json!("other"));
    }),
    body("track-other-workflow", "tracking names another workflow", "track message", |value| {
        replace(value, "/workflowId", json!("OTHER"));
        replace(value, "/workflow_id", json!("OTHER"));
    }),
    body("track-one-chunk", "every message is said to have one chunk", "track message", |value| {
        replace(value, "/chunkCount", json!(1));
    }),
    body("track-no-failure", "tracking does not say what went wrong", "track message", |value| {
        replace(value, "/statusCode", Value::Null);
        replace(value, "/status_code", json!("00"));
    }),
    body("track-with-more", "tracking says more", "track message", |value| add(value, "colour")),
    body("track-local-id-another", "tracking by local ID is of another message", "track local ID", |value| {
        replace(value, "/messageId", json!("20200101000000000000_FFFFFF"));
    }),
    body("track-local-id-with-more", "tracking by local ID says more", "track local ID", |value| {
        add(value, "colour");
    }),
];
