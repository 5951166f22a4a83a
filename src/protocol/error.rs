//! Errors that MESH answers, in both body shapes.

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value, json};

use super::{ApiVersion, MessageId};

/// MESH's error codes (OpenAPI, "Error codes"; 20 from what integration answers to a download of
/// a message that does not exist).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 02
    DataFileMissing,
    /// 06
    MalformedHeaders,
    /// 07
    InvalidFrom,
    /// 08
    MissingTo,
    /// 09, as the specification of 2021 had it
    InvalidVersion,
    /// 11
    InvalidMessageType,
    /// 12
    UnregisteredTo,
    /// 14
    Undelivered,
    /// 16
    SenderNotAllowed,
    /// 17
    WorkflowNotRegistered,
    /// 19, as the specification of 2021 had it
    ChunkingNotSupported,
    /// 20
    MessageDoesNotExist,
    /// EPL-150 (this and the next four: NHS guide to the MESH endpoint lookup)
    SeveralMailboxes,
    /// EPL-151
    NoMailbox,
    /// EPL-152
    InvalidNhsNumber,
    /// EPL-153
    NhsNumberNotFound,
    /// EPL-154
    DemographicsMismatch,
    /// A chunk where no such chunk may come. No number is documented; the word is that of
    /// mesh-sandbox 1.0.137.
    InvalidChunkRange,
    /// A chunk in another encoding than the first. No number is documented.
    EncodingChanged,
}

/// What went wrong with a message, as reports and tracking tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In which phase, such as `SEND`.
    pub event: String,
    /// A code of the error table, or whatever a test put there.
    pub code: String,
    /// In words.
    pub description: String,
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self {
            event: code.event().as_str().to_owned(),
            code: code.as_str().to_owned(),
            description: code.description().to_owned(),
        }
    }
}

impl Failure {
    /// Not collected within this time: after five days in MESH's own words, after another number of days where an
    /// endpoint has messages wait for another.
    #[must_use]
    pub fn undelivered(after: TimeDelta) -> Self {
        let days = match after.num_days() {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        let description = format!("Message not collected by recipient after {days}");
        Self { description, ..ErrorCode::Undelivered.into() }
    }
}

/// In which phase an error happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ErrorEvent {
    /// Taking a message in.
    Send,
    /// Handing a message out.
    Receive,
    /// Reading a request at all.
    Transfer,
    /// Reading the data.
    Collect,
}

impl ErrorEvent {
    /// The phase as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "SEND",
            Self::Receive => "RECEIVE",
            Self::Transfer => "TRANSFER",
            Self::Collect => "COLLECT",
        }
    }
}

impl ErrorCode {
    /// The code as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.parts().0
    }

    /// The phase in which it happens.
    #[must_use]
    pub fn event(self) -> ErrorEvent {
        self.parts().1
    }

    /// What it means, in a few words.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.parts().2
    }

    fn parts(self) -> (&'static str, ErrorEvent, &'static str) {
        match self {
            Self::DataFileMissing => ("02", ErrorEvent::Collect, "Data file is missing or inaccessible"),
            Self::MalformedHeaders => ("06", ErrorEvent::Transfer, "Malformed headers"),
            Self::InvalidFrom => {
                ("07", ErrorEvent::Send, "Invalid From address: not the mailbox of the authorization header")
            }
            Self::MissingTo => ("08", ErrorEvent::Send, "Missing Mex-To header"),
            Self::InvalidVersion => ("09", ErrorEvent::Send, "Invalid version"),
            Self::InvalidMessageType => {
                ("11", ErrorEvent::Send, "Invalid message type for the transfer, should be DATA")
            }
            Self::UnregisteredTo => ("12", ErrorEvent::Send, "Unregistered to address"),
            Self::Undelivered => ("14", ErrorEvent::Send, "Message not collected by recipient after 5 days"),
            Self::SenderNotAllowed => {
                ("16", ErrorEvent::Send, "Sender is not allowed to send messages of this type")
            }
            Self::WorkflowNotRegistered => ("17", ErrorEvent::Send, "Workflow ID not registered for mailbox"),
            Self::ChunkingNotSupported => {
                ("19", ErrorEvent::Send, "The workflow does not support chunked messages")
            }
            Self::MessageDoesNotExist => ("20", ErrorEvent::Receive, "Message does not exist"),
            Self::SeveralMailboxes => ("EPL-150", ErrorEvent::Send, "Multiple mailboxes matches"),
            Self::NoMailbox => ("EPL-151", ErrorEvent::Send, "No mailbox matched"),
            Self::InvalidNhsNumber => ("EPL-152", ErrorEvent::Send, "Invalid NHS Number"),
            Self::NhsNumberNotFound => ("EPL-153", ErrorEvent::Send, "NHS Number not found"),
            Self::DemographicsMismatch => {
                ("EPL-154", ErrorEvent::Send, "NHS Number supplied does not match the demographics")
            }
            Self::InvalidChunkRange => (
                "InvalidHeaderChunks",
                ErrorEvent::Send,
                "Chunk number and Mex-Chunk-Range do not fit what was sent before",
            ),
            Self::EncodingChanged => {
                ("ContentEncodingChanged", ErrorEvent::Send, "Every chunk must be encoded like the first")
            }
        }
    }
}

/// An error of the kind that has an error code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshError {
    /// What went wrong.
    pub code: ErrorCode,
    /// The message that it is about, where there is one.
    pub message_id: Option<MessageId>,
}

impl MeshError {
    /// The body, in the shape of a version (OpenAPI, schema MeshError of each version). The schemas
    /// know no `null`, so what there is not is left out.
    #[must_use]
    pub fn body(&self, version: ApiVersion) -> Value {
        let (code, event, description) = self.code.parts();
        let (name, mut body) = match version {
            ApiVersion::V1 => (
                "messageID",
                json!({ "errorEvent": event, "errorCode": code, "errorDescription": description }),
            ),
            ApiVersion::V2 => {
                ("message_id", json!({ "detail": [{ "event": event, "code": code, "msg": description }] }))
            }
        };
        if let Some(id) = &self.message_id {
            body[name] = json!(id.as_str());
        }
        body
    }
}

/// A part of a request that is not as the OpenAPI has it: answered 400 in one shape for both
/// versions (schema HTTPValidationError).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidationError {
    /// Where: `["header", "mex-to"]`.
    pub loc: Vec<String>,
    /// What is wrong.
    pub msg: String,
    /// A word for the kind of error.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

impl ValidationError {
    /// Something in a place that is not as it must be.
    #[must_use]
    pub fn new(place: &str, name: &str, msg: impl ToString) -> Self {
        Self { loc: vec![place.to_owned(), name.to_owned()], msg: msg.to_string(), kind: "value_error" }
    }

    /// Something that must be there and is not.
    #[must_use]
    pub fn missing(place: &str, name: &str) -> Self {
        Self { kind: "value_error.missing", ..Self::new(place, name, "field required") }
    }

    /// The body of the 400.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({ "detail": [self] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_documented_shape_in_each_version() {
        let id = MessageId::parse("20220228174323222_ABCDEF").ok();
        let error = MeshError { code: ErrorCode::UnregisteredTo, message_id: id };
        assert_eq!(
            error.body(ApiVersion::V1),
            json!({
                "messageID": "20220228174323222_ABCDEF", "errorEvent": "SEND",
                "errorCode": "12", "errorDescription": "Unregistered to address",
            })
        );
        assert_eq!(
            error.body(ApiVersion::V2),
            json!({
                "message_id": "20220228174323222_ABCDEF",
                "detail": [{ "event": "SEND", "code": "12", "msg": "Unregistered to address" }],
            })
        );
    }

    #[test]
    fn what_was_not_collected_says_after_how_many_days() {
        assert_eq!(Failure::undelivered(TimeDelta::days(5)), ErrorCode::Undelivered.into());
        let after = |days| Failure::undelivered(TimeDelta::days(days)).description;
        assert!(after(1).ends_with(" after 1 day") && after(30).ends_with(" after 30 days"));
    }

    #[test]
    fn a_validation_error_names_the_place() {
        assert_eq!(
            ValidationError::missing("header", "mex-to").body(),
            json!({ "detail": [{ "loc": ["header", "mex-to"], "msg": "field required", "type": "value_error.missing" }] })
        );
    }
}
