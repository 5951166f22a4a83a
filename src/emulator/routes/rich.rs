//! The lists that only mesh-sandbox has: everything that a mailbox has had, or has sent.

use chrono::TimeDelta;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Ask, Reply};
use crate::{
    emulator::mailroom::{RichPage, read_place, write_place},
    protocol::{
        ApiVersion, MailboxId, Tracked, ValidationError,
        sandbox::{RichQuery, precise, rich_inbox_entry, rich_outbox_entry},
    },
};

/// How far back a list goes when the caller does not say.
const SINCE: TimeDelta = TimeDelta::days(30);

pub fn inbox(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    let query = match RichQuery::read(ask.parts.uri.query().unwrap_or_default(), 1, 2000) {
        Ok(query) => query,
        Err(refused) => return ask.tell(&refused),
    };
    let list = |before| {
        let since = query.since.unwrap_or(ask.now - SINCE);
        ask.mailroom.received(mailbox, since, before, query.max_results)
    };
    answer(ask, &format!("{mailbox}/inbox/rich"), &query, list, rich_inbox_entry)
}

/// However many are asked for, a hundred at most.
pub fn outbox(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    let mut query = match RichQuery::read(ask.parts.uri.query().unwrap_or_default(), 10, 5000) {
        Ok(query) => query,
        Err(refused) => return ask.tell(&refused),
    };
    query.max_results = query.max_results.min(100);
    let list = |before| {
        let since = query.since.unwrap_or(ask.now - SINCE);
        ask.mailroom.sent_by(mailbox, since, before, query.max_results)
    };
    answer(ask, &format!("{mailbox}/outbox/rich"), &query, list, rich_outbox_entry)
}

fn answer(
    ask: Ask<'_>,
    path: &str,
    query: &RichQuery,
    list: impl Fn(u64) -> RichPage,
    entry: fn(&Tracked) -> Value,
) -> Reply {
    let before = match query.continue_from.as_deref().map(read_place).transpose() {
        Ok(before) => before.unwrap_or(u64::MAX),
        Err(error) => return Reply::invalid(&ValidationError::new("query", "continue_from", error)),
    };
    let page = list(before);
    let since = precise(query.since.unwrap_or(ask.now - SINCE));
    let link = |place: Option<String>| {
        let mut written = form_urlencoded::Serializer::new(String::new());
        written.append_pair("start_time", &since);
        written.append_pair("max_results", &query.max_results.to_string());
        if let Some(place) = place {
            written.append_pair("continue_from", &place);
        }
        format!("/messageexchange/{path}?{}", written.finish())
    };
    let mut links = json!({ "self": link(None) });
    if let Some(before) = page.before {
        links["next"] = json!(link(Some(write_place(before))));
    }
    let messages: Vec<Value> = page.messages.iter().map(entry).collect();
    let body = json!({ "valid_at": precise(ask.now), "messages": messages, "links": links });
    Reply::json(StatusCode::OK, ApiVersion::V2, &body)
}
