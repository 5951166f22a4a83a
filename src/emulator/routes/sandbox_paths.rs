//! Paths as mesh-sandbox 1.0.137 reads them, and what it answers to those that are no operation.

use std::borrow::Cow;

use http::{
    Method, StatusCode, Uri,
    header::{ALLOW, LOCATION},
};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::Reply;
use crate::protocol::{
    ApiVersion, ErrorCode, MessageId, Operation, PathError,
    sandbox::{Flaw, Refused, chunk_headers},
};

/// Where no mailbox is named.
const NO_MAILBOX: [&str; 6] = ["_ping", "deepping", "admin", "mailbox", "endpointlookup", "workflowsearch"];

/// The path with mailbox and message in upper case and a chunk's number as it is usually written, none of
/// them percent-encoded.
pub fn normalised(path: &str) -> String {
    let Some(rest) = path.strip_prefix("/messageexchange/") else { return path.to_owned() };
    let mut segments: Vec<String> = rest.split('/').map(str::to_owned).collect();
    if segments.first().is_none_or(|first| NO_MAILBOX.contains(&first.as_str())) {
        return path.to_owned();
    }
    // A local ID is left as it is written.
    let tracks = segments.get(2).is_some_and(|segment| segment == "tracking");
    for (place, segment) in segments.iter_mut().enumerate() {
        match place {
            0 => *segment = decoded(segment).to_uppercase(),
            2 if !matches!(segment.as_str(), "rich" | "tracking") => {
                *segment = decoded(segment).to_uppercase();
            }
            3 if !tracks => {
                if let Ok(number) = decoded(segment).parse::<i64>() {
                    *segment = number.to_string();
                }
            }
            _ => {}
        }
    }
    format!("/messageexchange/{}", segments.join("/"))
}

/// Without percent-encoding.
pub fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

/// The mailbox that a path names, whatever else it says.
pub fn mailbox(path: &str) -> Option<&str> {
    path.strip_prefix("/messageexchange/")?.split('/').next()
}

/// The answer to a part of a path that is not what it must be, once the caller is let in.
pub fn malformed(method: &Method, path: &str, headers: &http::HeaderMap, name: &str) -> Refused {
    let segments: Vec<&str> = path.split('/').collect();
    let part = |place: usize| segments.get(place).copied().unwrap_or_default();
    let no_message = || match (method, name) {
        (&Method::POST, _) | (_, "local_id") => Refused::words(StatusCode::NOT_FOUND, "Not Found"),
        _ => Refused::code(StatusCode::NOT_FOUND, ErrorCode::MessageDoesNotExist),
    };
    if name != "chunk_number" {
        return no_message();
    }
    let least = if *method == Method::GET { 1 } else { i64::MIN };
    match (Flaw::number("path", name, part(5), least, i64::MAX), MessageId::parse(part(4))) {
        (Err(flaw), _) => Refused::flaws(vec![flaw]),
        (Ok(number), Ok(id)) if *method == Method::POST => match chunk_headers(headers, &id, number) {
            Err(refused) => refused,
            Ok(_) => Refused::code(StatusCode::EXPECTATION_FAILED, ErrorCode::InvalidChunkRange).about(&id),
        },
        (Ok(_), _) => no_message(),
    }
}

/// Where a path with a slash too many leads, by whatever method: to the one without it, with its query.
/// `path` is that of `uri`, normalised.
pub fn without_slash(uri: &Uri, path: &str) -> Option<Reply> {
    method_of(path.strip_suffix('/')?)?;
    let shorter = uri.path().strip_suffix('/')?;
    let target = uri.query().map_or_else(|| shorter.to_owned(), |query| format!("{shorter}?{query}"));
    let reply = Reply::empty(StatusCode::TEMPORARY_REDIRECT).with(LOCATION, &target);
    Some(reply.noting("a slash too many"))
}

/// The answer to what is no path, or none by this method, or none for this caller.
pub fn unknown(method: &Method, path: &str) -> Reply {
    match method_of(path) {
        Some(known) if known != *method => {
            said(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed").with(ALLOW, known.as_str())
        }
        _ => said(StatusCode::NOT_FOUND, "Not Found"),
    }
}

/// The method that mesh-sandbox names for a path: that of the first operation that it has there.
fn method_of(path: &str) -> Option<Method> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    if segments.contains(&"") {
        return None;
    }
    let own = match segments.as_slice() {
        ["health" | "healthcheck" | "_status" | "_ping"] => Some(Method::GET),
        ["messageexchange", "_ping" | "deepping"] | ["messageexchange", "mailbox", _] => Some(Method::GET),
        ["messageexchange", "admin", "report"] | ["messageexchange", _, "update"] => Some(Method::POST),
        ["messageexchange", _, "outbox", "rich"] => Some(Method::GET),
        ["messageexchange", "admin", rest @ ..] | ["admin", rest @ ..] => match rest {
            ["reset"] | ["reset", _] => Some(Method::DELETE),
            ["message", _, "event"] => Some(Method::POST),
            ["message" | "mailbox", _] => Some(Method::GET),
            _ => None,
        },
        _ => None,
    };
    if own.is_some() {
        return own;
    }
    let known = |method: &Method| {
        !matches!(Operation::read(method, path), Err(PathError::NoOperation | PathError::Part("mailbox_id")))
    };
    [Method::POST, Method::HEAD, Method::GET, Method::PUT].into_iter().find(known)
}

fn said(status: StatusCode, words: &str) -> Reply {
    Reply::json(status, ApiVersion::V1, &json!({ "detail": words })).noting("no operation of the MESH API")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_in_upper_case_and_nothing_else() {
        for (path, expected) in [
            ("x26abc1/inbox/abc", "X26ABC1/inbox/ABC"),
            ("x26abc1/inbox/rich", "X26ABC1/inbox/rich"),
            ("x/outbox/tracking/my local", "X/outbox/tracking/my local"),
            ("x/outbox/tracking/007", "X/outbox/tracking/007"),
            ("x/outbox/a/+2", "X/outbox/A/2"),
            ("%78/outbox/%61/%32", "X/outbox/A/2"),
            ("x/outbox/tracking/%61", "X/outbox/tracking/%61"),
            ("x/inbox/a/status/acknowledged", "X/inbox/A/status/acknowledged"),
            ("endpointlookup/x26/w", "endpointlookup/x26/w"),
            ("admin/mailbox/x", "admin/mailbox/x"),
        ] {
            assert_eq!(
                normalised(&format!("/messageexchange/{path}")),
                format!("/messageexchange/{expected}")
            );
        }
        assert_eq!(normalised("/health"), "/health");
    }

    proptest! {
        #[test]
        fn no_path_stops_the_reader(path in "\\PC{0,100}") {
            let path = format!("/messageexchange/{path}");
            let _ = normalised(&path);
            let _ = malformed(&Method::POST, &path, &http::HeaderMap::new(), "chunk_number");
            let _ = mailbox(&path);
        }
    }
}
