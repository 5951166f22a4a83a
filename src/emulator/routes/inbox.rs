//! "Check an inbox", its count, and "Acknowledge message".

use http::StatusCode;
use serde_json::json;

use super::{Ask, Reply, refusals::unavailable};
use crate::{
    emulator::{
        mailroom::Unavailable,
        switches::{AcknowledgeBody, Reading},
    },
    protocol::{Acknowledged, ApiVersion, InboxQuery, MailboxId, MessageId, ValidationError, sandbox},
};

pub fn list(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    let text = ask.parts.uri.query().unwrap_or_default();
    if ask.switches.reading == Reading::Sandbox {
        return list_leniently(ask, mailbox, text);
    }
    let query = match InboxQuery::parse(text) {
        Ok(query) => query,
        Err(error) => return Reply::invalid(&error),
    };
    // In v1 a message ID says where to go on (OpenAPI, example of continue_from); no place reads as one.
    let after = query.continue_from.as_deref().filter(|_| ask.version == ApiVersion::V1);
    let page = match after.map(MessageId::parse) {
        Some(Ok(message)) => ask.mailroom.inbox_after_any(mailbox, &query, &message),
        _ => ask.mailroom.inbox(mailbox, &query),
    };
    match page {
        Ok(page) => Reply::json(StatusCode::OK, ask.version, &page.body(ask.version, mailbox, &query)),
        Err(error) => Reply::invalid(&ValidationError::new("query", "continue_from", error)),
    }
}

/// v1 goes on after a message, by its ID.
fn list_leniently(ask: Ask<'_>, mailbox: &MailboxId, text: &str) -> Reply {
    let query = match sandbox::inbox_query(text) {
        Ok(query) => query,
        Err(refused) => return ask.tell(&refused),
    };
    let page = match (ask.version, &query.continue_from) {
        (ApiVersion::V1, Some(message)) => ask.mailroom.inbox_after(mailbox, &query, message),
        _ => match ask.mailroom.inbox(mailbox, &query) {
            Ok(page) => page,
            Err(error) => return Reply::invalid(&ValidationError::new("query", "continue_from", error)),
        },
    };
    let link = |place: Option<&str>| query.short_link(mailbox, place);
    Reply::json(StatusCode::OK, ask.version, &page.linked_body(ask.version, link))
}

/// Deprecated, and still asked (OpenAPI, schema InboxCount of each version).
pub fn count(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    let count = ask.mailroom.count(mailbox);
    let body = match ask.version {
        ApiVersion::V1 => json!({
            "count": count,
            "internalID": ask.internal_id(),
            "allResultsIncluded": true,
        }),
        ApiVersion::V2 => json!({ "count": count }),
    };
    Reply::json(StatusCode::OK, ask.label(), &body)
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
            ask.unlisted(unavailable(ask, Unavailable::Missing, id), "path", "message_id")
        }
        Err(other) => unavailable(ask, other, id),
    }
}
