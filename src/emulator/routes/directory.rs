//! "Track outbox", "Look up MESH address" and "Lookup by workflow".

use http::StatusCode;
use percent_encoding::percent_decode_str;

use super::{Ask, Reply, sandbox_paths};
use crate::{
    emulator::switches::{Reading, TrackingBody, TrackingNulls},
    protocol::{
        ApiVersion, Found, LocalId, MailboxId, OdsCode, Tracked, WorkflowId,
        sandbox::{self, Refused},
        tracking_query,
    },
};

pub fn track(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    let query = ask.parts.uri.query().unwrap_or_default();
    let read = match ask.switches.reading {
        Reading::OpenApi => tracking_query(query).map_err(|error| Reply::invalid(&error)),
        Reading::Sandbox => sandbox::tracking_query(query).map_err(|refused| ask.tell(&refused)),
    };
    let id = match read {
        Ok(id) => id,
        Err(reply) => return reply,
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
        Err(_) => ask.bare(StatusCode::MULTIPLE_CHOICES, "Multiple Choices", "the local ID is not unique"),
    }
}

pub fn look_up(ask: Ask<'_>, ods_code: &OdsCode, workflow: &WorkflowId) -> Reply {
    if ask.switches.reading == Reading::Sandbox && ods_code.as_str().trim().is_empty() {
        return missing_text(ask, "ods code missing");
    }
    let found = Found(ask.mailroom.look_up(Some(ods_code), workflow));
    Reply::json(StatusCode::OK, ask.label(), &found.endpoints(ask.version, &ask.internal_id()))
}

pub fn search(ask: Ask<'_>, workflow: &WorkflowId) -> Reply {
    let found = Found(ask.mailroom.look_up(None, workflow));
    Reply::json(StatusCode::OK, ask.label(), &found.mailboxes())
}

/// The answer of mesh-sandbox to a lookup of what no code or workflow can be.
pub fn nothing_found(ask: Ask<'_>, path: &str, name: &str) -> Reply {
    let segments: Vec<&str> = path.trim_start_matches("/messageexchange/").split('/').collect();
    if segments.contains(&"") {
        return sandbox_paths::unknown(&ask.parts.method, path);
    }
    let blank = |text: &str| percent_decode_str(text).decode_utf8_lossy().trim().is_empty();
    if let Some(place) = segments.iter().skip(1).position(|text| blank(text)) {
        let of_code = place == 0 && segments.len() > 2;
        return missing_text(ask, if of_code { "ods code missing" } else { "workflow id missing" });
    }
    let nothing = Found(Vec::new());
    let body = match name {
        "workflow_id" if segments.len() < 3 => nothing.mailboxes(),
        _ => nothing.endpoints(ask.version, &ask.internal_id()),
    };
    Reply::json(StatusCode::OK, ask.label(), &body)
}

fn missing_text(ask: Ask<'_>, words: &'static str) -> Reply {
    ask.tell(&Refused::words(StatusCode::BAD_REQUEST, words))
}

fn described(ask: Ask<'_>, tracked: &Tracked, version: ApiVersion) -> Reply {
    if ask.switches.tracking_body == TrackingBody::Sandbox {
        return Reply::json(StatusCode::OK, version, &sandbox::tracking_body(tracked, version));
    }
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
    let reply = ask.bare(StatusCode::NOT_FOUND, "Not Found", "this mailbox has sent no such message");
    ask.unlisted(reply, place, name)
}
