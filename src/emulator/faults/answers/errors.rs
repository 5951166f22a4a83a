//! What is said when a call is refused.

use serde_json::json;

use super::{Fault, body, is_v1_error, remove, replace};

pub(in crate::emulator::faults) const FAULTS: &[Fault] = &[
    body("error-without-code", "an error has no code", "", |value| {
        remove(value, "errorCode");
        if value.pointer("/detail/0/event").is_some()
            && let Some(detail) = value.pointer_mut("/detail/0")
        {
            remove(detail, "code");
        }
    }),
    body("error-without-words", "an error has no description", "", |value| {
        remove(value, "errorDescription");
        if value.pointer("/detail/0/event").is_some()
            && let Some(detail) = value.pointer_mut("/detail/0")
        {
            remove(detail, "msg");
        }
    }),
    body("error-code-is-a-number", "an error code is a number", "", |value| {
        replace(value, "/errorCode", json!(12));
        replace(value, "/detail/0/code", json!(12));
    }),
    body("other-error-code", "every error code is 99", "", |value| {
        replace(value, "/errorCode", json!("99"));
        replace(value, "/detail/0/code", json!("99"));
    }),
    body("error-without-message", "an error names no message", "", |value| {
        if is_v1_error(value) || value.pointer("/detail/0/code").is_some() {
            remove(value, "messageID");
            remove(value, "message_id");
        }
    }),
    body("error-of-another-message", "an error names another message", "download message", |value| {
        replace(value, "/messageID", json!("20200101000000000000_FFFFFF"));
        replace(value, "/message_id", json!("20200101000000000000_FFFFFF"));
    }),
    body("error-is-not-a-list", "the detail of an error is no list", "", |value| {
        if let Some(first) = value.pointer("/detail/0").cloned() {
            value["detail"] = first;
        }
    }),
    body("validation-without-place", "a validation error does not say where", "", |value| {
        if let Some(detail) = value.pointer_mut("/detail/0") {
            remove(detail, "loc");
        }
    }),
    body("validation-elsewhere", "a validation error names another part", "", |value| {
        replace(value, "/detail/0/loc", json!(["body", "payload"]));
    }),
];
