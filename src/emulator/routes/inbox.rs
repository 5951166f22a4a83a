//! "Check an inbox", its count, and "Acknowledge message".

use http::StatusCode;
use serde_json::json;

use super::{Ask, Reply};
use crate::{
    emulator::{mailroom::Unavailable, switches::AcknowledgeBody},
    protocol::{
        Acknowledged, ApiVersion, ErrorCode, InboxQuery, MailboxId, MeshError, MessageId, ValidationError,
    },
};

pub fn list(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    let query = match InboxQuery::parse(ask.parts.uri.query().unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return Reply::invalid(&error),
    };
    match ask.mailroom.inbox(mailbox, &query) {
        Ok(page) => Reply::json(StatusCode::OK, ask.version, &page.body(ask.version, mailbox, &query)),
        Err(error) => Reply::invalid(&ValidationError::new("query", "continue_from", error)),
    }
}

/// Deprecated, and still asked (OpenAPI, schema InboxCount of each version).
pub fn count(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    let count = ask.mailroom.count(mailbox);
    let body = match ask.version {
        ApiVersion::V1 => json!({
            "count": count,
            "internalID": ask.now.format("%Y%m%d%H%M%S%6f").to_string(),
            "allResultsIncluded": true,
        }),
        ApiVersion::V2 => json!({ "count": count }),
    };
    Reply::json(StatusCode::OK, ask.version, &body)
}

/// An ID that is not there gives 404: the OpenAPI lists only 400 and 403, the sandbox answers 404.
pub fn acknowledge(ask: Ask<'_>, mailbox: &MailboxId, id: &MessageId) -> Reply {
    let message_id = id.clone();
    match ask.mailroom.acknowledge(mailbox, id) {
        Ok(()) => match (ask.version, ask.switches.acknowledge_body) {
            (ApiVersion::V2, AcknowledgeBody::MessageId) => {
                Reply::json(StatusCode::OK, ask.version, &json!({ "message_id": id.as_str() }))
            }
            _ => match (Acknowledged { message_id }).body(ask.version) {
                Some(body) => Reply::json(StatusCode::OK, ask.version, &body),
                None => Reply::empty(StatusCode::OK),
            },
        },
        Err(Unavailable::Missing) => {
            ask.unlisted(unavailable(Unavailable::Missing, id, ask.version), "path", "message_id")
        }
        Err(other) => unavailable(other, id, ask.version),
    }
}

pub fn unavailable(why: Unavailable, id: &MessageId, version: ApiVersion) -> Reply {
    let status = match why {
        Unavailable::Missing => StatusCode::NOT_FOUND,
        Unavailable::Gone => StatusCode::GONE,
        Unavailable::Foreign => {
            return Reply::empty(StatusCode::FORBIDDEN).noting("the message is another mailbox's");
        }
    };
    let error = MeshError { code: ErrorCode::MessageDoesNotExist, message_id: Some(id.clone()) };
    Reply::mesh_error(status, version, &error)
}
