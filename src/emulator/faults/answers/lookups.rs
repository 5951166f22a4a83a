//! What is said of endpoints and workflows that are looked up.

use serde_json::json;

use super::{Fault, add, body, remove, replace};

pub(in crate::emulator::faults) const FAULTS: &[Fault] = &[
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
