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

pub(super) const FAULTS: &[Fault] = &[
    asks(
        "client-version-not-needed",
        "a handshake needs no Mex-ClientVersion",
        &["handshake"],
        |operation, parts, _| {
            if matches!(operation, Operation::Handshake(_)) {
                supply(parts, MEX_CLIENT_VERSION, "unknown");
            }
        },
    ),
    asks("os-name-not-needed", "a handshake needs no Mex-OSName", &["handshake"], |operation, parts, _| {
        if matches!(operation, Operation::Handshake(_)) {
            supply(parts, MEX_OS_NAME, "unknown");
        }
    }),
    asks(
        "os-version-not-needed",
        "a handshake needs no Mex-OSVersion",
        &["handshake"],
        |operation, parts, _| {
            if matches!(operation, Operation::Handshake(_)) {
                supply(parts, MEX_OS_VERSION, "unknown");
            }
        },
    ),
    asks(
        "recipient-not-needed",
        "a send without Mex-To is sent to its sender",
        &["send message"],
        |operation, parts, _| {
            if let Operation::SendMessage(mailbox) = operation
                && parts.headers.get(MEX_TO).is_none_or(HeaderValue::is_empty)
                && let Ok(to) = HeaderValue::from_str(mailbox.as_str())
            {
                parts.headers.insert(MEX_TO, to);
            }
        },
    ),
    asks(
        "workflow-not-needed",
        "a send needs no Mex-WorkflowID",
        &["send message"],
        |operation, parts, _| {
            if is_send(operation) {
                supply(parts, MEX_WORKFLOW_ID, "UNKNOWN");
            }
        },
    ),
    asks(
        "recipient-cut",
        "a Mex-To that is too long is cut, and goes back",
        &["send message"],
        |operation, parts, _| {
            if let Operation::SendMessage(mailbox) = operation
                && parts.headers.get(MEX_TO).is_some_and(|to| to.len() > 100)
                && let Ok(to) = HeaderValue::from_str(mailbox.as_str())
            {
                parts.headers.insert(MEX_TO, to);
            }
        },
    ),
    asks(
        "workflow-cut",
        "a workflow ID that is too long is cut",
        &["send message"],
        cuts!(MEX_WORKFLOW_ID, 300),
    ),
    asks("subject-cut", "a subject that is too long is cut", &["send message"], cuts!(MEX_SUBJECT, 500)),
    asks("local-id-cut", "a local ID that is too long is cut", &["send message"], cuts!(MEX_LOCAL_ID, 300)),
    asks(
        "file-name-cut",
        "a file name that is too long is cut",
        &["send message"],
        cuts!(MEX_FILE_NAME, 300),
    ),
    asks(
        "checksum-cut",
        "a checksum that is too long is cut",
        &["send message"],
        cuts!(MEX_CONTENT_CHECKSUM, 100),
    ),
    asks(
        "chunk-range-cut",
        "a chunk range that is too long is left out",
        &["send message"],
        |operation, parts, _| {
            if is_send(operation) && parts.headers.get(MEX_CHUNK_RANGE).is_some_and(|range| range.len() > 20)
            {
                parts.headers.remove(MEX_CHUNK_RANGE);
            }
        },
    ),
    asks("from-unchecked", "Mex-From may be anybody", &["send message"], loses!(MEX_FROM)),
    asks(
        "message-type-unchecked",
        "Mex-MessageType may be anything",
        &["send message"],
        loses!(MEX_MESSAGE_TYPE),
    ),
    asks("version-unchecked", "Mex-Version may be anything", &["send message"], loses!(MEX_VERSION)),
    asks(
        "control-characters-taken",
        "a header may have a tab or an accent",
        &["send message"],
        |operation, parts, _| {
            if is_send(operation) {
                let odd =
                    |value: &HeaderValue| value.as_bytes().iter().any(|byte| *byte == b'\t' || *byte > 126);
                let names: Vec<HeaderName> = parts
                    .headers
                    .iter()
                    .filter(|(_, value)| odd(value))
                    .map(|(name, _)| name.clone())
                    .collect();
                for name in names {
                    parts.headers.insert(name, HeaderValue::from_static("x"));
                }
            }
        },
    ),
    asks("subject-lost", "the subject is not handed on", &["send message"], loses!(MEX_SUBJECT)),
    asks("local-id-lost", "the local ID is not handed on", &["send message"], loses!(MEX_LOCAL_ID)),
    asks("file-name-lost", "the file name is not handed on", &["send message"], loses!(MEX_FILE_NAME)),
    asks("checksum-lost", "the checksum is not handed on", &["send message"], loses!(MEX_CONTENT_CHECKSUM)),
    asks("content-type-lost", "the content type is not handed on", &["send message"], loses!(CONTENT_TYPE)),
    asks(
        "other-encoding-taken",
        "any content encoding is taken as none",
        &["send message"],
        |operation, parts, _| {
            let known = parts.headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding == "gzip");
            if is_send(operation) && !known {
                parts.headers.remove(CONTENT_ENCODING);
            }
        },
    ),
    asks("encoding-lost", "a compressed body is taken as it is", &["send message"], loses!(CONTENT_ENCODING)),
    asks(
        "range-unchecked",
        "a chunk range that is none is passed over",
        &["send message"],
        |operation, parts, _| {
            let range = parts.headers.get(MEX_CHUNK_RANGE).and_then(|range| range.to_str().ok());
            if is_send(operation) && range.is_some_and(|range| range.parse::<ChunkRange>().is_err()) {
                parts.headers.remove(MEX_CHUNK_RANGE);
            }
        },
    ),
    asks(
        "first-chunk-is-whole",
        "the first chunk is delivered as the whole message",
        &["send message"],
        loses!(MEX_CHUNK_RANGE),
    ),
    asks(
        "chunk-range-ignored",
        "the range of a later chunk makes no difference",
        &["send chunk"],
        |operation, parts, _| {
            if matches!(operation, Operation::SendChunk(..)) {
                parts.headers.remove(MEX_CHUNK_RANGE);
            }
        },
    ),
    asks(
        "chunk-encoding-ignored",
        "the encoding of a later chunk makes no difference",
        &["send chunk"],
        |operation, parts, _| {
            if matches!(operation, Operation::SendChunk(..)) {
                parts.headers.remove(CONTENT_ENCODING);
            }
        },
    ),
    asks(
        "chunk-of-anybody",
        "anybody may send a chunk of a message",
        &["send chunk"],
        |operation, _, mailroom| {
            if let Operation::SendChunk(mailbox, id, _) = operation
                && let Some(sender) = sender(mailroom, id)
            {
                *mailbox = sender;
            }
        },
    ),
    asks(
        "download-of-anybody",
        "anybody may download a message",
        &["download message"],
        |operation, _, mailroom| {
            if let Operation::GetMessage(mailbox, id) = operation
                && let Some(recipient) = recipient(mailroom, id)
            {
                *mailbox = recipient;
            }
        },
    ),
    asks(
        "head-of-anybody",
        "anybody may look at the head of a message",
        &["head message"],
        |operation, _, mailroom| {
            if let Operation::HeadMessage(mailbox, id) = operation
                && let Some(recipient) = recipient(mailroom, id)
            {
                *mailbox = recipient;
            }
        },
    ),
    asks(
        "chunk-download-of-anybody",
        "anybody may download a chunk",
        &["download chunk"],
        |operation, _, mailroom| {
            if let Operation::GetChunk(mailbox, id, _) = operation
                && let Some(recipient) = recipient(mailroom, id)
            {
                *mailbox = recipient;
            }
        },
    ),
    asks(
        "acknowledge-by-anybody",
        "anybody may acknowledge a message",
        &["acknowledge message"],
        |operation, _, mailroom| {
            if let Operation::Acknowledge(mailbox, id) = operation
                && let Some(recipient) = recipient(mailroom, id)
            {
                *mailbox = recipient;
            }
        },
    ),
    asks(
        "chunks-beyond-served",
        "a chunk beyond the last is the first",
        &["download chunk"],
        |operation, _, _| {
            if let Operation::GetChunk(_, _, number) = operation
                && number.get() > 3
            {
                *number = std::num::NonZeroU32::MIN;
            }
        },
    ),
    asks("chunks-swapped", "the second chunk is the first", &["download chunk"], |operation, _, _| {
        if let Operation::GetChunk(_, _, number) = operation
            && number.get() == 2
        {
            *number = std::num::NonZeroU32::MIN;
        }
    }),
    asks(
        "gzip-unasked",
        "a compressed message is handed out compressed, asked or not",
        &["download message", "download chunk"],
        |_, parts, _| {
            parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        },
    ),
    asks(
        "gzip-never",
        "no message is handed out compressed",
        &["download message", "download chunk"],
        |_, parts, _| {
            parts.headers.remove(ACCEPT_ENCODING);
        },
    ),
    asks(
        "page-length-ignored",
        "max_results makes no difference",
        &["check inbox"],
        |operation, parts, _| {
            if matches!(operation, Operation::CheckInbox(_)) {
                without(parts, "max_results");
            }
        },
    ),
    asks(
        "page-length-unchecked",
        "max_results may be any number",
        &["check inbox"],
        |operation, parts, _| {
            if matches!(operation, Operation::CheckInbox(_)) {
                change_query(parts, |name, value| {
                    let number = value.parse::<i64>().ok().filter(|number| (10..=5000).contains(number));
                    Some(if name == "max_results" && number.is_none() { "500" } else { value }.to_owned())
                });
            }
        },
    ),
    asks("place-unchecked", "continue_from may be anything", &["check inbox"], |operation, parts, _| {
        let query = parts.uri.query().unwrap_or_default();
        if let Operation::CheckInbox(_) = operation
            && (query.contains("continue_from=short") || query.contains("continue_from=nobody"))
        {
            without(parts, "continue_from");
        }
    }),
    asks("place-ignored", "every page begins at the beginning", &["check inbox"], |operation, parts, _| {
        if matches!(operation, Operation::CheckInbox(_))
            && InboxQuery::parse(parts.uri.query().unwrap_or_default()).is_ok()
            && !parts.uri.query().unwrap_or_default().contains("continue_from=nobody")
        {
            without(parts, "continue_from");
        }
    }),
    asks("filter-ignored", "workflow_filter makes no difference", &["check inbox"], |operation, parts, _| {
        let query = parts.uri.query().unwrap_or_default();
        if matches!(operation, Operation::CheckInbox(_)) && InboxQuery::parse(query).is_ok() {
            without(parts, "workflow_filter");
        }
    }),
    asks(
        "filter-unchecked",
        "a workflow_filter that is none is passed over",
        &["check inbox"],
        |operation, parts, _| {
            let query = parts.uri.query().unwrap_or_default();
            if matches!(operation, Operation::CheckInbox(_))
                && query.contains("workflow_filter")
                && InboxQuery::parse(query).is_err()
            {
                without(parts, "workflow_filter");
            }
        },
    ),
    asks("filter-without-not", "workflow_filter knows no !", &["check inbox"], |operation, parts, _| {
        if matches!(operation, Operation::CheckInbox(_)) {
            change_query(parts, |name, value| {
                let bare = if name == "workflow_filter" { value.trim_start_matches('!') } else { value };
                Some(bare.to_owned())
            });
        }
    }),
    asks(
        "filter-without-beginning",
        "a filter with one star is taken without it",
        &["check inbox"],
        |operation, parts, _| {
            if matches!(operation, Operation::CheckInbox(_)) {
                change_query(parts, |name, value| {
                    let one_star = name == "workflow_filter" && value.matches('*').count() == 1;
                    Some(if one_star { value.trim_end_matches('*') } else { value }.to_owned())
                });
            }
        },
    ),
    asks(
        "filter-without-containing",
        "a filter with two stars is taken as with one",
        &["check inbox"],
        |operation, parts, _| {
            if matches!(operation, Operation::CheckInbox(_)) {
                change_query(parts, |name, value| {
                    let two_stars = name == "workflow_filter" && value.matches('*').count() == 2;
                    Some(if two_stars { value.replacen('*', "", 1) } else { value.to_owned() })
                });
            }
        },
    ),
    asks(
        "lookup-of-any-organisation",
        "the ODS code of a lookup makes no difference",
        &["look up endpoint"],
        |operation, _, _| {
            if let Operation::LookUpEndpoint(ods_code, _) = operation
                && let Ok(usual) = crate::protocol::OdsCode::parse("X26")
            {
                *ods_code = usual;
            }
        },
    ),
    asks(
        "lookup-case-ignored",
        "the case of a workflow ID makes no difference",
        &["look up endpoint", "search workflow"],
        |operation, _, _| {
            if let Operation::LookUpEndpoint(_, workflow) | Operation::SearchWorkflow(workflow) = operation
                && let Ok(upper) = WorkflowId::parse(&workflow.as_str().to_ascii_uppercase())
            {
                *workflow = upper;
            }
        },
    ),
    asks("version-two-only", "every answer is of v2", &[], |_, parts, _| {
        parts.headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/vnd.mesh.v2+json"));
    }),
    asks("version-one-only", "every answer is of v1", &[], |_, parts, _| {
        parts.headers.remove(http::header::ACCEPT);
    }),
    after(
        "message-lost",
        "a send is accepted and goes nowhere",
        "send message",
        |operation, reply, mailroom| {
            if let (true, StatusCode::ACCEPTED, Some(id)) = (is_send(operation), reply.status, &reply.message)
            {
                mailroom.mark_acknowledged(id);
            }
        },
    ),
    instead(
        "nothing-taken",
        "a send without a body is accepted",
        "send message",
        |operation, parts, _, now| {
            let empty = is_send(operation) && length(parts) == Some(0);
            empty.then(|| accepted(parts, now)).flatten()
        },
    ),
    instead(
        "too-much-taken",
        "a send of more than 100 MB is accepted",
        "send message",
        |operation, parts, _, now| {
            let large = is_send(operation) && length(parts).is_some_and(|length| length > 100_000_000);
            large.then(|| accepted(parts, now)).flatten()
        },
    ),
    instead(
        "anybody-registered",
        "a send to nobody is accepted",
        "send message",
        |operation, parts, _, now| {
            let nobody = parts.headers.get(MEX_TO).is_some_and(|to| to == "NOBODY0001");
            (nobody && is_send(operation)).then(|| accepted(parts, now)).flatten()
        },
    ),
    instead(
        "restricted-to-nobody",
        "a restricted workflow may be sent by and to anybody",
        "send message",
        |operation, parts, _, now| {
            let restricted = parts.headers.get(MEX_WORKFLOW_ID).and_then(|id| id.to_str().ok());
            let restricted = restricted.is_some_and(|id| id.starts_with("ENDPOINT_TEST_"));
            (restricted && is_send(operation)).then(|| accepted(parts, now)).flatten()
        },
    ),
    instead(
        "chunk-of-nothing",
        "a chunk of a message that nobody sent is accepted",
        "send chunk",
        |operation, parts, mailroom, now| match operation {
            Operation::SendChunk(_, id, _) if mailroom.inspect(id).is_none() => accepted(parts, now),
            _ => None,
        },
    ),
    instead(
        "chunk-after-the-last",
        "a chunk of a complete message is accepted",
        "send chunk",
        |operation, parts, mailroom, now| {
            let complete = |id| {
                let status = mailroom.inspect(id).map(|tracked| tracked.status);
                status.is_some_and(|status| status != crate::protocol::TrackingStatus::Uploading)
            };
            match operation {
                Operation::SendChunk(_, id, _) if complete(id) => accepted(parts, now),
                _ => None,
            }
        },
    ),
    instead(
        "acknowledged-in-word-only",
        "an acknowledged message stays",
        "acknowledge message",
        |operation, parts, mailroom, _| match operation {
            Operation::Acknowledge(mailbox, id) if recipient(mailroom, id).as_ref() == Some(mailbox) => {
                let version = version(parts);
                let body = crate::protocol::Acknowledged { message_id: id.clone() }.body(version);
                Some(match body {
                    Some(body) => Reply::json(StatusCode::OK, version, &body),
                    None => Reply::empty(StatusCode::OK),
                })
            }
            _ => None,
        },
    ),
    instead("count-of-none", "the count is always 0", "count messages", |operation, parts, _, _| {
        match operation {
            Operation::CountMessages(_) => {
                let version = version(parts);
                let body = match version {
                    crate::protocol::ApiVersion::V1 => {
                        json!({ "count": 0, "internalID": "0", "allResultsIncluded": true })
                    }
                    crate::protocol::ApiVersion::V2 => json!({ "count": 0 }),
                };
                Some(Reply::json(StatusCode::OK, version, &body))
            }
            _ => None,
        }
    }),
    after(
        "download-acknowledges",
        "a message that was downloaded is gone",
        "download message",
        |operation, reply, mailroom| {
            if let Operation::GetMessage(_, id) = operation
                && reply.status == StatusCode::OK
            {
                mailroom.mark_acknowledged(id);
            }
        },
    ),
    after(
        "head-acknowledges",
        "a message whose head was looked at is gone",
        "head message",
        |operation, reply, mailroom| {
            if let Operation::HeadMessage(_, id) = operation
                && reply.status == StatusCode::OK
            {
                mailroom.mark_acknowledged(id);
            }
        },
    ),
    after(
        "listing-acknowledges",
        "a message that was listed is gone",
        "check inbox",
        |operation, reply, mailroom| {
            if let Operation::CheckInbox(mailbox) = operation
                && reply.status == StatusCode::OK
                && let Ok(query) = InboxQuery::parse("max_results=5000")
                && let Ok(page) = mailroom.inbox(mailbox, &query)
            {
                for id in &page.messages {
                    mailroom.mark_acknowledged(id);
                }
            }
        },
    ),
];
