//! "Track outbox", "Look up MESH address" and "Lookup by workflow".

use http::StatusCode;

use super::{Ask, Reply};
use crate::{
    emulator::switches::TrackingNulls,
    protocol::{ApiVersion, Found, LocalId, MailboxId, OdsCode, Tracked, WorkflowId, tracking_query},
};

pub fn track(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    let id = match tracking_query(ask.parts.uri.query().unwrap_or_default()) {
        Ok(id) => id,
        Err(error) => return Reply::invalid(&error),
    };
    let reply = match ask.mailroom.track(mailbox, &id) {
        Some(tracked) => described(ask, &tracked, ask.version),
        None => unknown(ask, "query", "messageID"),
    };
    reply.about(id)
}

/// v1 in either version: the OpenAPI gives the deprecated call no other shape.
pub fn track_local_id(ask: Ask<'_>, mailbox: &MailboxId, local_id: &LocalId) -> Reply {
    match ask.mailroom.track_local_id(mailbox, local_id) {
        Ok(Some(tracked)) => {
            let id = tracked.message_id.clone();
            described(ask, &tracked, ApiVersion::V1).about(id)
        }
        Ok(None) => unknown(ask, "path", "local_id"),
        Err(_) => Reply::empty(StatusCode::MULTIPLE_CHOICES).noting("the local ID is not unique"),
    }
}

pub fn look_up(ask: Ask<'_>, ods_code: &OdsCode, workflow: &WorkflowId) -> Reply {
    let found = Found(ask.mailroom.look_up(Some(ods_code), workflow));
    let query_id = ask.now.format("%Y%m%d%H%M%S%6f").to_string();
    Reply::json(StatusCode::OK, ask.version, &found.endpoints(ask.version, &query_id))
}

pub fn search(ask: Ask<'_>, workflow: &WorkflowId) -> Reply {
    let found = Found(ask.mailroom.look_up(None, workflow));
    Reply::json(StatusCode::OK, ask.version, &found.mailboxes())
}

fn described(ask: Ask<'_>, tracked: &Tracked, version: ApiVersion) -> Reply {
    let mut body = tracked.body(version, ask.switches.tracking_times);
    if ask.switches.tracking_nulls == TrackingNulls::LeftOut
        && let Some(fields) = body.as_object_mut()
    {
        fields.retain(|_, value| !value.is_null());
    }
    Reply::json(StatusCode::OK, version, &body)
}

/// 404 for what is another's too, so that nothing is told of it. The OpenAPI lists only 400 and 403;
/// mesh-sandbox 1.0.137 answers 404 and says that Spine does.
fn unknown(ask: Ask<'_>, place: &str, name: &str) -> Reply {
    let reply = Reply::empty(StatusCode::NOT_FOUND).noting("this mailbox has sent no such message");
    ask.unlisted(reply, place, name)
}
