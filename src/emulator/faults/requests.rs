//! What the routes are asked in place of what was asked, and what is done besides.

use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use serde_json::json;

use super::{Effect, Fault, version};
use crate::{
    emulator::{Mailroom, routes::Reply},
    protocol::{
        ChunkRange, InboxQuery, MailboxId, MessageId, Operation, Sent, WorkflowId,
        headers::{
            MEX_CHUNK_RANGE, MEX_CLIENT_VERSION, MEX_CONTENT_CHECKSUM, MEX_FILE_NAME, MEX_FROM, MEX_LOCAL_ID,
            MEX_MESSAGE_TYPE, MEX_OS_NAME, MEX_OS_VERSION, MEX_SUBJECT, MEX_TO, MEX_VERSION, MEX_WORKFLOW_ID,
        },
    },
};

type Change = fn(&mut Operation, &mut Parts, &Mailroom);

const fn asks(
    name: &'static str,
    what: &'static str,
    operations: &'static [&'static str],
    change: Change,
) -> Fault {
    Fault { name, what, effect: Effect::Request(operations, change) }
}

const fn after(
    name: &'static str,
    what: &'static str,
    operation: &'static str,
    act: fn(&Operation, &Reply, &Mailroom),
) -> Fault {
    Fault { name, what, effect: Effect::After(operation, act) }
}

const fn instead(
    name: &'static str,
    what: &'static str,
    operation: &'static str,
    answer: fn(&Operation, &Parts, &Mailroom, chrono::DateTime<chrono::Utc>) -> Option<Reply>,
) -> Fault {
    Fault { name, what, effect: Effect::Instead(operation, answer) }
}

/// Puts a header where there is none, as if it made no difference that it is missing.
fn supply(parts: &mut Parts, name: HeaderName, value: &'static str) {
    if parts.headers.get(&name).is_none_or(HeaderValue::is_empty) {
        parts.headers.insert(name, HeaderValue::from_static(value));
    }
}

fn is_send(operation: &Operation) -> bool {
    matches!(operation, Operation::SendMessage(_))
}

/// Takes a header out of a send.
macro_rules! loses {
    ($header:expr) => {
        |operation, parts, _| {
            if is_send(operation) {
                parts.headers.remove($header);
            }
        }
    };
}

/// Cuts a header of a send to its limit.
macro_rules! cuts {
    ($header:expr, $limit:literal) => {
        |operation, parts, _| {
            if is_send(operation) {
                cut(parts, $header, $limit);
            }
        }
    };
}

fn cut(parts: &mut Parts, name: HeaderName, limit: usize) {
    let cut = parts.headers.get(&name).map(|value| value.as_bytes().iter().copied().take(limit).collect());
    if let Some(Ok(value)) = cut.map(|bytes: Vec<u8>| HeaderValue::from_bytes(&bytes)) {
        parts.headers.insert(name, value);
    }
}

/// The query without one parameter.
fn without(parts: &mut Parts, parameter: &str) {
    change_query(parts, |name, value| (name != parameter).then(|| value.to_owned()));
}

fn change_query(parts: &mut Parts, change: impl Fn(&str, &str) -> Option<String>) {
    let query = parts.uri.query().unwrap_or_default();
    let mut changed = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Some(value) = change(&name, &value) {
            changed.append_pair(&name, &value);
        }
    }
    if let Ok(uri) = format!("{}?{}", parts.uri.path(), changed.finish()).parse() {
        parts.uri = uri;
    }
}

/// Whose inbox the message lies in.
fn recipient(mailroom: &Mailroom, id: &MessageId) -> Option<MailboxId> {
    mailroom.inspect(id).and_then(|tracked| MailboxId::parse(&tracked.recipient.mailbox).ok())
}

/// Who sent the message.
fn sender(mailroom: &Mailroom, id: &MessageId) -> Option<MailboxId> {
    mailroom.inspect(id).and_then(|tracked| MailboxId::parse(&tracked.sender.mailbox).ok())
}

fn accepted(parts: &Parts, now: chrono::DateTime<chrono::Utc>) -> Option<Reply> {
    let id = format!("{}_FFFFFF", now.format("%Y%m%d%H%M%S%6f"));
    let message_id = MessageId::parse(&id).ok()?;
    let version = version(parts);
    Some(Reply::json(StatusCode::ACCEPTED, version, &Sent { message_id }.body(version)))
}

fn length(parts: &Parts) -> Option<u64> {
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

// After the macros, which are seen only below their definition.
pub(super) mod effects;
pub(super) mod receiving;
pub(super) mod sending;
