//! "Check an inbox", its count, and "Acknowledge message".

use chrono::{DateTime, Utc};
use http::{StatusCode, request::Parts};
use serde_json::json;

use super::Reply;
use crate::{
    emulator::mailroom::{Mailroom, Unavailable},
    protocol::{
        Acknowledged, ApiVersion, ErrorCode, InboxQuery, MailboxId, MeshError, MessageId, ValidationError,
    },
};

pub fn list(mailroom: &Mailroom, mailbox: &MailboxId, parts: &Parts, version: ApiVersion) -> Reply {
    let query = match InboxQuery::parse(parts.uri.query().unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return Reply::invalid(&error),
    };
    match mailroom.inbox(mailbox, &query) {
        Ok(page) => Reply::json(StatusCode::OK, version, &page.body(version, mailbox, &query)),
        Err(error) => Reply::invalid(&ValidationError::new("query", "continue_from", error)),
    }
}

/// Deprecated, and still asked (OpenAPI, schema InboxCount of each version).
pub fn count(mailroom: &Mailroom, mailbox: &MailboxId, version: ApiVersion, now: DateTime<Utc>) -> Reply {
    let count = mailroom.count(mailbox);
    let body = match version {
        ApiVersion::V1 => json!({
            "count": count,
            "internalID": now.format("%Y%m%d%H%M%S%6f").to_string(),
            "allResultsIncluded": true,
        }),
        ApiVersion::V2 => json!({ "count": count }),
    };
    Reply::json(StatusCode::OK, version, &body)
}

/// An ID that is not there gives 404: the OpenAPI lists only 400 and 403, the sandbox answers 404.
pub fn acknowledge(
    mailroom: &Mailroom,
    mailbox: &MailboxId,
    message_id: MessageId,
    version: ApiVersion,
) -> Reply {
    match mailroom.acknowledge(mailbox, &message_id) {
        Ok(()) => match (Acknowledged { message_id }).body(version) {
            Some(body) => Reply::json(StatusCode::OK, version, &body),
            None => Reply::empty(StatusCode::OK),
        },
        Err(unavailable) => unavailable_reply(unavailable, message_id, version),
    }
}

pub fn unavailable_reply(unavailable: Unavailable, message_id: MessageId, version: ApiVersion) -> Reply {
    let status = match unavailable {
        Unavailable::Missing => StatusCode::NOT_FOUND,
        Unavailable::Gone => StatusCode::GONE,
    };
    let error = MeshError { code: ErrorCode::MessageDoesNotExist, message_id: Some(message_id) };
    Reply::mesh_error(status, version, &error)
}
