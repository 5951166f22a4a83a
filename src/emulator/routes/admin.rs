//! Routes that only a test endpoint has, after those of mesh-sandbox 1.0.137, and the clock.

use chrono::TimeDelta;
use http::{Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Reply, receive::full, refusals::tell, reply::as_header, upload::Upload};
use crate::{
    emulator::{
        Clock,
        mailroom::{Mailroom, ReportRequest, Unmoved},
    },
    protocol::{
        ApiVersion, ErrorCode, Failure, MailboxId, MessageId, Tracked, WorkflowId,
        sandbox::{self, Refused},
    },
};

/// How far the clock may be moved, either way, in all: a century.
const MOST_SECONDS: i64 = 100 * 365 * 86_400;

/// Answers `path`, the part after `/messageexchange/admin/`; `None` when it is no admin route by this method.
pub async fn answer(
    mailroom: &Mailroom,
    clock: &Clock,
    method: &Method,
    path: &str,
    body: &mut Upload,
) -> Option<Reply> {
    let segments: Vec<&str> = path.split('/').collect();
    let body = match body.small().await {
        Ok(body) => body,
        Err(why) => return Some(wrong(why)),
    };
    let answered = mailroom.durably(|mailroom| {
        Some(match (method.as_str(), segments.as_slice()) {
            ("DELETE", ["reset"]) => {
                mailroom.reset();
                ok(&json!({ "message": "all mailboxes reset" }))
            }
            ("DELETE", ["reset", mailbox]) => reset_mailbox(mailroom, mailbox),
            ("POST", ["report"]) => with(&body, |request| create_report(mailroom, request)),
            ("POST", ["message", id, "event"]) => with(&body, |event| add_event(mailroom, id, event)),
            ("GET", ["message", id]) => message(mailroom, id),
            ("GET", ["mailbox", id]) => mailbox(mailroom, id),
            ("POST", ["mailbox", id]) => with(&body, |change| change_mailbox(mailroom, id, &change)),
            ("GET", ["clock"]) => time(clock),
            ("POST", ["clock"]) => with(&body, |change| move_clock(mailroom, clock, &change)),
            _ => return None,
        })
    });
    match answered.await {
        Ok(reply) => {
            if (method.as_str(), path) == ("DELETE", "reset") {
                mailroom.forget_moved_clock();
            }
            reply
        }
        Err(unstored) => Some(full(unstored)),
    }
}

/// The answer to a page in a browser: any that somebody has open could make such a call, since it needs no token.
/// Browsers say whose page it is in every call that changes something, and programs do not.
pub fn from_a_page() -> Reply {
    let why = "admin routes are not for web pages: the call has an Origin header";
    Reply::json(StatusCode::FORBIDDEN, ApiVersion::V1, &json!({ "detail": why })).noting(why)
}

/// A report as mesh-sandbox takes it.
#[derive(Deserialize)]
struct CreateReport {
    mailbox_id: String,
    code: String,
    description: String,
    workflow_id: String,
    subject: Option<String>,
    local_id: Option<String>,
    #[serde(default)]
    status: ReportStatus,
    file_name: Option<String>,
    linked_message_id: Option<String>,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum ReportStatus {
    #[default]
    Undeliverable,
    Error,
}

/// A status event as mesh-sandbox takes it.
#[derive(Deserialize)]
struct AddEvent {
    status: EventStatus,
    code: Option<String>,
    event: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum EventStatus {
    Acknowledged,
    Undeliverable,
    Error,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeMailbox {
    active: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveClock {
    /// From where the clock is; may be negative.
    move_seconds: i64,
}

fn with<T: DeserializeOwned>(body: &[u8], act: impl FnOnce(T) -> Reply) -> Reply {
    // A list would be read as well, field by field.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return wrong("the body must be a JSON object");
    }
    match serde_json::from_slice(body) {
        Ok(request) => act(request),
        Err(error) => wrong(&error.to_string()),
    }
}

fn reset_mailbox(mailroom: &Mailroom, text: &str) -> Reply {
    match MailboxId::parse(&text.to_ascii_uppercase()) {
        Ok(id) if mailroom.reset_mailbox(&id) => ok(&json!({ "message": format!("mailbox {id} reset") })),
        _ => missing("mailbox does not exist"),
    }
}

/// A text of a request that comes back in a header, where it can.
fn check_header(name: &str, text: Option<&str>) -> Result<(), Reply> {
    match text {
        Some(text) if as_header(text).is_none() => Err(wrong(&format!("{name}: cannot stand in a header"))),
        _ => Ok(()),
    }
}

impl CreateReport {
    /// Whether all that its headers would say can stand in them; what is undeliverable has another code and description.
    fn check(&self) -> Result<(), Reply> {
        if self.status == ReportStatus::Error {
            check_header("code", Some(&self.code))?;
            check_header("description", Some(&self.description))?;
            check_header("file_name", self.file_name.as_deref())?;
        }
        check_header("subject", self.subject.as_deref())?;
        check_header("local_id", self.local_id.as_deref())
    }
}

/// What is undeliverable has code 14 and its words, whatever the request says, as in mesh-sandbox.
fn create_report(mailroom: &Mailroom, request: CreateReport) -> Reply {
    if let Err(refused) = request.check() {
        return refused;
    }
    let Ok(mailbox) = MailboxId::parse(&request.mailbox_id.to_ascii_uppercase()) else {
        return missing("mailbox does not exist");
    };
    let workflow = match WorkflowId::parse(&request.workflow_id) {
        Ok(workflow) => workflow,
        Err(error) => return wrong(&format!("workflow_id {error}")),
    };
    let linked = request.linked_message_id.as_deref().filter(|linked| !linked.is_empty());
    let linked = match linked.map(MessageId::parse).transpose() {
        Ok(linked) => linked,
        Err(error) => return wrong(&format!("linked_message_id {error}")),
    };
    let (failure, subject, file_name) = match request.status {
        ReportStatus::Undeliverable => {
            let subject = request.subject.filter(|subject| !subject.is_empty());
            let subject = subject.map_or_else(|| "NDR".to_owned(), |subject| format!("NDR: {subject}"));
            (ErrorCode::Undelivered.into(), Some(subject), None)
        }
        ReportStatus::Error => {
            let event = "TRANSFER".to_owned();
            (
                Failure { event, code: request.code, description: request.description },
                request.subject,
                request.file_name,
            )
        }
    };
    let local_id = request.local_id;
    let report = ReportRequest { mailbox, workflow, failure, file_name, subject, local_id, linked };
    match mailroom.put_report(report) {
        Some(id) => ok(&json!({ "message_id": id.as_str() })),
        None => missing("mailbox does not exist"),
    }
}

fn add_event(mailroom: &Mailroom, id: &str, event: AddEvent) -> Reply {
    let Some((id, _)) = inspect(mailroom, id) else { return missing("message does not exist") };
    for (name, text) in [("code", &event.code), ("event", &event.event), ("description", &event.description)]
    {
        if let Err(refused) = check_header(name, text.as_deref()) {
            return refused;
        }
    }
    let failure = Failure {
        event: event.event.unwrap_or_default(),
        code: event.code.unwrap_or_default(),
        description: event.description.unwrap_or_default(),
    };
    let known = match event.status {
        EventStatus::Acknowledged => mailroom.mark_acknowledged(&id),
        EventStatus::Undeliverable => mailroom.mark_undeliverable(&id),
        EventStatus::Error => mailroom.mark_failed(&id, failure),
    };
    if known { Reply::empty(StatusCode::OK) } else { missing("message does not exist") }
}

/// A message, by its ID in either case.
fn inspect(mailroom: &Mailroom, id: &str) -> Option<(MessageId, Tracked)> {
    [id, &id.to_ascii_uppercase()].into_iter().find_map(|id| {
        let id = MessageId::parse(id).ok()?;
        let tracked = mailroom.inspect(&id)?;
        Some((id, tracked))
    })
}

/// The message, whoever asks.
fn message(mailroom: &Mailroom, id: &str) -> Reply {
    match inspect(mailroom, id) {
        Some((_, tracked)) => ok(&sandbox::message_details(&tracked)),
        None => missing("message does not exist"),
    }
}

fn mailbox(mailroom: &Mailroom, id: &str) -> Reply {
    let found = MailboxId::parse(&id.to_ascii_uppercase()).ok().and_then(|id| mailroom.mailbox(&id));
    match found {
        Some(mailbox) => {
            let mut details = json!({
                "mailbox_id": mailbox.id.as_str(),
                "mailbox_name": mailbox.name,
                "ods_code": mailbox.ods_code,
                "org_code": mailbox.org_code,
                "org_name": mailbox.org_name,
                "active": mailbox.active,
            });
            if let Some(payer) = mailbox.billing_entity {
                details["billing_entity"] = json!(payer);
            }
            ok(&details)
        }
        None => missing("mailbox does not exist"),
    }
}

fn change_mailbox(mailroom: &Mailroom, id: &str, change: &ChangeMailbox) -> Reply {
    match MailboxId::parse(&id.to_ascii_uppercase()) {
        Ok(known) if mailroom.set_active(&known, change.active) => mailbox(mailroom, id),
        _ => missing("mailbox does not exist"),
    }
}

fn move_clock(mailroom: &Mailroom, clock: &Clock, change: &MoveClock) -> Reply {
    let moved = clock.moved_by().num_seconds().checked_add(change.move_seconds);
    match (moved, TimeDelta::try_seconds(change.move_seconds)) {
        (Some(moved), Some(delta)) if moved.abs() <= MOST_SECONDS => match mailroom.move_clock(delta) {
            Ok(()) => time(clock),
            Err(Unmoved::NoSuchTime(error)) => wrong(&format!("move_seconds: {error}")),
            Err(unnoted) => full(unnoted),
        },
        _ => wrong("move_seconds: the clock can be moved by a century at most"),
    }
}

fn time(clock: &Clock) -> Reply {
    let now = clock.now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    ok(&json!({ "now": now, "moved_seconds": clock.moved_by().num_seconds() }))
}

/// The same answer with the body that mesh-sandbox gives what is not there.
pub fn as_sandbox(reply: Reply, path: &str, version: ApiVersion) -> Reply {
    if reply.status != StatusCode::NOT_FOUND {
        return reply;
    }
    let of_mailbox = path.starts_with("reset/") || path == "report";
    let words = if of_mailbox { "mailbox does not exist" } else { "Not Found" };
    tell(&Refused::words(StatusCode::NOT_FOUND, words), version)
}

fn ok(body: &Value) -> Reply {
    Reply::json(StatusCode::OK, ApiVersion::V1, body)
}

fn missing(what: &str) -> Reply {
    Reply::json(StatusCode::NOT_FOUND, ApiVersion::V1, &json!({ "detail": what })).noting(what)
}

fn wrong(why: &str) -> Reply {
    Reply::json(StatusCode::BAD_REQUEST, ApiVersion::V1, &json!({ "detail": why })).noting(why)
}
