//! What an endpoint tells whoever watches it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};

use crate::{
    emulator::{authentication::Refusal, timestamps::rfc_3339},
    protocol::{MailboxId, MessageId, Operation},
};

/// What was asked and answered. Holds no secret: tokens travel in headers.
#[derive(Debug, Clone)]
pub struct Call {
    /// When, by the endpoint's clock.
    pub at: DateTime<Utc>,
    /// Method and target as called; `(unreadable)` where they could not be read, `(no call)` where there was none.
    pub request: String,
    /// The mailbox of the path.
    pub mailbox: Option<MailboxId>,
    /// The operation, in MESH's words; `None` when it is none of the API's.
    pub operation: Option<&'static str>,
    /// The message that it was about, or that it made.
    pub message: Option<MessageId>,
    /// What was answered; `None` of a connection that came to no call.
    pub status: Option<StatusCode>,
    /// What became of the token.
    pub token: TokenOutcome,
    /// Why a call was refused: what a real endpoint keeps to itself.
    pub note: Option<String>,
}

/// What was read of a path, though not all of it may be what it must be.
#[derive(Default)]
pub(super) struct Meant {
    pub mailbox: Option<MailboxId>,
    pub operation: Option<&'static str>,
    pub message: Option<MessageId>,
}

impl Meant {
    pub fn of(operation: &Operation) -> Self {
        Self {
            mailbox: operation.mailbox().cloned(),
            operation: Some(operation.name()),
            message: operation.message().cloned(),
        }
    }

    /// By a path that is no operation: nothing, unless it would be one with other parts.
    pub fn by(method: &Method, path: &str) -> Self {
        let Some((operation, malformed)) = Operation::meant(method, path) else { return Self::default() };
        let read = |name| !malformed.contains(&name);
        let Self { mailbox, operation, message } = Self::of(&operation);
        Self {
            mailbox: mailbox.filter(|_| read("mailbox_id")),
            operation,
            message: message.filter(|_| read("message_id")),
        }
    }
}

/// In the place of method and target, where the library underneath could not read a request.
const UNREAD: &str = "(unreadable)";
/// In the place of method and target, where TLS failed before there could be any.
const NO_CALL: &str = "(no call)";

impl Call {
    /// A request that the library underneath could not read, and has answered by itself.
    pub(super) fn unread(error: &hyper::Error, at: DateTime<Utc>) -> Self {
        let why = error.to_string();
        let status = match error.is_parse_too_large() {
            // It tells these two apart by its words alone.
            true if why.contains("URI") => StatusCode::URI_TOO_LONG,
            true => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            false => StatusCode::BAD_REQUEST,
        };
        let unanswered = if error.is_parse_version_h2() { ", and not answered" } else { "" };
        Self {
            at,
            request: UNREAD.to_owned(),
            mailbox: None,
            operation: None,
            message: None,
            status: Some(status),
            token: TokenOutcome::NotAsked,
            note: Some(format!("not read as HTTP/1.1: {why}{unanswered}")),
        }
    }

    /// A connection that came to no call.
    pub(super) fn unopened(why: String, at: DateTime<Utc>) -> Self {
        Self {
            at,
            request: NO_CALL.to_owned(),
            mailbox: None,
            operation: None,
            message: None,
            status: None,
            token: TokenOutcome::NotAsked,
            note: Some(why),
        }
    }

    /// When, to the millisecond, as RFC 3339 has it.
    #[must_use]
    pub fn time(&self) -> String {
        rfc_3339(self.at)
    }
}

/// What became of a call's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenOutcome {
    /// None was needed.
    NotAsked,
    /// It was good.
    Accepted,
    /// It was not, and why.
    Refused(Refusal),
}

/// Told of every call.
pub type Watcher = Arc<dyn Fn(&Call) + Send + Sync>;
