//! Lookups and versions, calls that are answered and have no effect, or one that they must not have.

use super::*;
use crate::protocol::LARGEST_REQUEST;

pub(in super::super) const FAULTS: &[Fault] = &[
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
            let large = is_send(operation) && length(parts).is_some_and(|length| length > LARGEST_REQUEST);
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
