//! What is said of an inbox, of how many messages wait, and of what is acknowledged.

use serde_json::{Value, json};

use super::{Fault, add, body, messages, remove, rename, replace};

pub(in crate::emulator::faults) const FAULTS: &[Fault] = &[
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
];
