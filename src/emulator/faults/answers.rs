//! What is answered in place of what should be.

use serde_json::{Value, json};

use super::{Effect, Fault};

const fn status(name: &'static str, operation: &'static str, from: u16, to: u16) -> Fault {
    Fault { name, what: "another status", effect: Effect::Status(operation, from, to) }
}

const fn lacks(name: &'static str, header: &'static str) -> Fault {
    let effect = Effect::Header("download message", header, None);
    Fault { name, what: "a download lacks a header", effect }
}

const fn says(name: &'static str, header: &'static str, value: &'static str) -> Fault {
    let effect = Effect::Header("download message", header, Some(value));
    Fault { name, what: "a download has a header with another value", effect }
}

const fn body(
    name: &'static str,
    what: &'static str,
    operation: &'static str,
    change: fn(&mut Value),
) -> Fault {
    Fault { name, what, effect: Effect::Json(operation, change) }
}

const fn bytes(
    name: &'static str,
    what: &'static str,
    operation: &'static str,
    status: u16,
    change: fn(Vec<u8>) -> Vec<u8>,
) -> Fault {
    Fault { name, what, effect: Effect::Body(operation, status, change) }
}

/// Takes a field out of an object.
fn remove(value: &mut Value, name: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove(name);
    }
}

/// Gives a field another name.
fn rename(value: &mut Value, from: &str, to: &str) {
    if let Some(fields) = value.as_object_mut()
        && let Some(field) = fields.remove(from)
    {
        fields.insert(to.to_owned(), field);
    }
}

/// Puts another value where there is one.
fn replace(value: &mut Value, pointer: &str, other: Value) {
    if let Some(field) = value.pointer_mut(pointer) {
        *field = other;
    }
}

/// Adds a field.
fn add(value: &mut Value, name: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), json!("surplus"));
    }
}

fn messages(value: &mut Value) -> Option<&mut Vec<Value>> {
    value.get_mut("messages").and_then(Value::as_array_mut)
}

fn is_v1_error(value: &Value) -> bool {
    value.get("errorCode").is_some()
}

pub(super) const FAULTS: &[Fault] = &[
    status("handshake-201", "handshake", 200, 201),
    status("list-201", "check inbox", 200, 201),
    status("count-202", "count messages", 200, 202),
    status("send-200", "send message", 202, 200),
    status("send-chunk-200", "send chunk", 202, 200),
    status("head-204", "head message", 200, 204),
    status("download-206", "download message", 200, 206),
    status("first-chunk-200", "download message", 206, 200),
    status("middle-chunk-200", "download chunk", 206, 200),
    status("last-chunk-206", "download chunk", 200, 206),
    status("acknowledge-204", "acknowledge message", 200, 204),
    status("track-202", "track message", 200, 202),
    status("track-local-id-202", "track local ID", 200, 202),
    status("lookup-203", "look up endpoint", 200, 203),
    status("search-203", "search workflow", 200, 203),
    status("403-is-401", "", 403, 401),
    status("403-is-404", "", 403, 404),
    status("400-is-422", "", 400, 422),
    status("417-is-400", "send message", 417, 400),
    status("chunk-417-is-400", "send chunk", 417, 400),
    status("chunk-404-is-410", "send chunk", 404, 410),
    status("chunk-423-is-409", "send chunk", 423, 409),
    status("download-404-is-410", "download message", 404, 410),
    status("download-410-is-404", "download message", 410, 404),
    status("head-404-is-400", "head message", 404, 400),
    status("head-410-is-404", "head message", 410, 404),
    status("download-chunk-404-is-400", "download chunk", 404, 400),
    status("download-chunk-410-is-404", "download chunk", 410, 404),
    status("acknowledge-404-is-200", "acknowledge message", 404, 200),
    status("track-404-is-200", "track message", 404, 200),
    status("track-local-id-300-is-200", "track local ID", 300, 200),
    status("track-local-id-404-is-200", "track local ID", 404, 200),
    Fault {
        name: "anything-is-an-operation",
        what: "a call of nothing in the API is answered with 200",
        effect: Effect::Elsewhere(200),
    },
    lacks("no-from", "mex-from"),
    lacks("no-to", "mex-to"),
    lacks("no-workflow", "mex-workflowid"),
    lacks("no-message-id", "mex-messageid"),
    lacks("no-message-type", "mex-messagetype"),
    lacks("no-file-name", "mex-filename"),
    lacks("no-local-id", "mex-localid"),
    lacks("no-subject", "mex-subject"),
    lacks("no-checksum", "mex-content-checksum"),
    lacks("no-status-timestamp", "mex-statustimestamp"),
    lacks("no-status-description", "mex-statusdescription"),
    lacks("no-linked-message", "mex-linkedmsgid"),
    lacks("no-content-encoding", "content-encoding"),
    says("other-message-type", "mex-messagetype", "DATA "),
    says("report-is-data", "mex-messagetype", "DATA"),
    says("data-is-report", "mex-messagetype", "REPORT"),
    says("other-from", "mex-from", "SOMEBODY"),
    says("other-to", "mex-to", "SOMEBODY"),
    says("other-workflow", "mex-workflowid", "OTHER"),
    says("other-message-id", "mex-messageid", "20200101000000000000_000000"),
    says("always-00", "mex-statuscode", "00"),
    says("never-00", "mex-statuscode", "99"),
    says("always-success", "mex-statussuccess", "SUCCESS"),
    says("always-error", "mex-statussuccess", "ERROR"),
    says("always-transfer", "mex-statusevent", "TRANSFER"),
    says("never-compressed", "mex-content-compressed", "N"),
    says("always-compressed", "mex-content-compressed", "Y"),
    says("other-content-type", "content-type", "text/html"),
    Fault {
        name: "head-without-headers",
        what: "the head of a message lacks its ID",
        effect: Effect::Header("head message", "mex-messageid", None),
    },
    Fault {
        name: "head-of-other-type",
        what: "the head of a message says nothing of its type",
        effect: Effect::Header("head message", "mex-messagetype", None),
    },
    Fault {
        name: "no-chunk-range",
        what: "no answer has a chunk range",
        effect: Effect::Altered("", "mex-chunk-range", |_| None),
    },
    Fault {
        name: "chunk-range-from-0",
        what: "chunks are counted from 0",
        effect: Effect::Altered("", "mex-chunk-range", |range| {
            let (index, total) = range.split_once(':')?;
            Some(format!("{}:{total}", index.parse::<u32>().ok()?.checked_sub(1)?))
        }),
    },
    Fault {
        name: "media-type-json",
        what: "every answer is application/json",
        effect: Effect::Altered("", "content-type", |media_type| {
            Some(if media_type.contains("json") { "application/json" } else { media_type }.to_owned())
        }),
    },
    Fault {
        name: "media-type-text",
        what: "every JSON is text/plain",
        effect: Effect::Altered("", "content-type", |media_type| {
            Some(if media_type.contains("json") { "text/plain" } else { media_type }.to_owned())
        }),
    },
    Fault {
        name: "no-media-type",
        what: "no answer says of which type it is",
        effect: Effect::Altered("", "content-type", |_| None),
    },
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
    body("acknowledge-spelt-as-send", "an acknowledgement has messageID", "acknowledge message", |value| {
        rename(value, "messageId", "messageID");
    }),
    body(
        "acknowledge-of-another",
        "an acknowledgement names another message",
        "acknowledge message",
        |value| {
            replace(value, "/messageId", json!("20200101000000000000_000000"));
        },
    ),
    body("list-without-messages", "an inbox has no messages", "check inbox", |value| {
        remove(value, "messages")
    }),
    body("list-of-numbers", "an inbox lists numbers", "check inbox", |value| {
        if let Some(messages) = messages(value) {
            messages.iter_mut().for_each(|message| *message = json!(1));
        }
    }),
    body("list-backwards", "an inbox lists the newest first", "check inbox", |value| {
        if let Some(messages) = messages(value) {
            messages.reverse();
        }
    }),
    body("list-twice", "an inbox lists each message twice", "check inbox", |value| {
        if let Some(messages) = messages(value) {
            messages.extend(messages.clone());
        }
    }),
    body("list-without-first", "an inbox leaves out its first message", "check inbox", |value| {
        if let Some(messages) = messages(value).filter(|messages| !messages.is_empty()) {
            messages.remove(0);
        }
    }),
    body("list-with-more", "an inbox says more", "check inbox", |value| {
        if value.get("messages").is_some() {
            add(value, "status");
        }
    }),
    body("no-links", "an inbox has no links", "check inbox", |value| remove(value, "links")),
    body("no-next", "a page does not say where the next one is", "check inbox", |value| {
        if let Some(links) = value.get_mut("links") {
            remove(links, "next");
        }
    }),
    body("always-next", "the last page says where the next one is", "check inbox", |value| {
        if let Some(links) = value.get_mut("links").and_then(Value::as_object_mut) {
            links.entry("next").or_insert_with(|| json!("/messageexchange/X/inbox?continue_from=x"));
        }
    }),
    body("next-elsewhere", "the next page is on another machine", "check inbox", |value| {
        if let Some(next) = value.pointer_mut("/links/next") {
            *next = json!(format!("https://example.org{}", next.as_str().unwrap_or_default()));
        }
    }),
    body("next-forgets-filter", "the next page is of all workflows", "check inbox", |value| {
        if let Some(next) = value.pointer_mut("/links/next") {
            *next = json!(next.as_str().unwrap_or_default().replace("workflow_filter", "forgotten"));
        }
    }),
    body("next-forgets-length", "the next page has another length", "check inbox", |value| {
        if let Some(next) = value.pointer_mut("/links/next") {
            *next = json!(next.as_str().unwrap_or_default().replace("max_results=10", "max_results=11"));
        }
    }),
    body("no-approximate-count", "an inbox does not say how many wait", "check inbox", |value| {
        remove(value, "approx_inbox_count");
    }),
    body("approximate-count-0", "an inbox says that none waits", "check inbox", |value| {
        replace(value, "/approx_inbox_count", json!(0));
    }),
    body("count-is-text", "the count is text", "count messages", |value| {
        let count = value["count"].to_string();
        replace(value, "/count", json!(count));
    }),
    body("count-without-internal-id", "the count has no internalID", "count messages", |value| {
        remove(value, "internalID");
    }),
    body("count-with-more", "the count says more", "count messages", |value| add(value, "approximate")),
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
    body("lookup-of-none", "a lookup finds nobody", "look up endpoint", |value| {
        replace(value, "/results", json!([]));
    }),
    body("lookup-without-results", "a lookup has no results", "look up endpoint", |value| {
        remove(value, "results");
    }),
    body("lookup-with-more", "a lookup says more", "look up endpoint", |value| add(value, "count")),
    body("lookup-other-type", "a lookup finds endpoints of another type", "look up endpoint", |value| {
        replace(value, "/results/0/endpoint_type", json!("SMTP"));
    }),
    body("lookup-without-query-id", "a lookup has no query ID", "look up endpoint", |value| {
        remove(value, "query_id");
    }),
    body("lookup-another", "a lookup finds somebody else", "look up endpoint", |value| {
        replace(value, "/results/0/mailbox_id", json!("SOMEBODY"));
        replace(value, "/results/0/address", json!("SOMEBODY"));
    }),
    body("search-of-none", "a search finds nobody", "search workflow", |value| {
        replace(value, "/results", json!([]));
    }),
    body("search-another", "a search finds somebody else", "search workflow", |value| {
        replace(value, "/results/0/mailbox_id", json!("SOMEBODY"));
    }),
    body("search-with-query-id", "a search has a query ID", "search workflow", |value| {
        add(value, "query_id")
    }),
];
