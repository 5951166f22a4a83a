//! What is cited of the OpenAPI is there: operations by their summaries, sections by their headings.

use std::{fs, path::Path};

use super::{BUILT_IN_CATALOGUE, Requirement};
use crate::rules::traffic::RULES;

/// The summaries of the OpenAPI's operations, 2.0.0.
const OPERATIONS: [&str; 13] = [
    "Validate a mailbox (Handshake)",
    "Check an inbox",
    "Get Message",
    "Head Message",
    "Acknowledge message",
    "Get Message chunk",
    "Check an inbox count (deprecated)",
    "Send message",
    "Send chunked message",
    "Track outbox",
    "Track outbox (deprecated)",
    "Look up MESH address",
    "Lookup by workflow",
];

/// Headings of its description, and what needs no heading.
const SECTIONS: [&str; 12] = [
    "API Versioning",
    "Asynchronous error reporting",
    "Error codes",
    "Errors",
    "Get a TLS certificate",
    "Inbox poll cycle",
    "MESH Authorization header",
    "Message expiration",
    "Outbox workflow",
    "paths",
    "no operation has a redirect",
    "403 of every operation",
];

/// What stands where an operation or a section does: up to the next comma, colon or semicolon, without a status in
/// front of it.
fn cited(text: &str) -> &str {
    let first = text.split([',', ':', ';']).next().unwrap_or_default().trim();
    match first.split_once(" of ") {
        Some((statuses, of)) if statuses.split(" and ").all(|status| status.parse::<u16>().is_ok()) => of,
        _ => first,
    }
}

fn is_there(name: &str) -> bool {
    OPERATIONS.contains(&name) || SECTIONS.contains(&name)
}

/// Citations in a text: where the OpenAPI is named, and a name follows.
fn citations<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(mark).skip(1)
}

#[test]
fn a_requirement_and_a_rule_cite_what_the_openapi_has() {
    let requirements = Requirement::read_all(BUILT_IN_CATALOGUE).unwrap();
    let requirements = requirements.iter().map(|one| (one.id.as_str(), one.source.as_str()));
    let all: Vec<(&str, &str)> =
        requirements.chain(RULES.iter().map(|rule| (rule.id, rule.source))).collect();
    let mut looked_at = 0;
    for (id, source) in all {
        for text in citations(&source.replace("OpenAPI 2.0.0, ", "OpenAPI, "), "OpenAPI, ") {
            looked_at += 1;
            let is_whole = text.starts_with("403 of every operation");
            assert!(is_whole || is_there(cited(text)), "{id}: the OpenAPI has no {:?}", cited(text));
        }
    }
    assert!(looked_at > 100);
}

/// Sources of failures: `OpenAPI: ` and a name, in the code.
#[test]
fn a_failure_cites_what_the_openapi_has() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_code = path.extension().is_some_and(|extension| extension == "rs");
            // The table of rules is looked at above, and has remedies that speak of the OpenAPI.
            if !is_code || path.ends_with("runner/citations.rs") || path.ends_with("traffic/table.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let marked = citations(&text, "OpenAPI: ").filter_map(|rest| rest.split('"').next());
            for source in marked.filter(|source| source.starts_with(char::is_uppercase)) {
                looked_at += 1;
                let name = cited(source);
                assert!(is_there(name), "{}: the OpenAPI has no {name:?}", path.display());
            }
        }
    }
    assert!(looked_at > 30);
}
