//! Errors that MESH answers, in both body shapes.

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
    /// 11
    InvalidMessageType,
    /// 12
    UnregisteredTo,
    /// 20
    MessageDoesNotExist,
    /// 19, as the specification of 2021 had it
    ChunkingNotSupported,
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
            Self::InvalidMessageType => {
                ("11", ErrorEvent::Send, "Invalid message type for the transfer, should be DATA")
            }
            Self::UnregisteredTo => ("12", ErrorEvent::Send, "Unregistered to address"),
            Self::MessageDoesNotExist => ("20", ErrorEvent::Receive, "Message does not exist"),
            Self::ChunkingNotSupported => {
                ("19", ErrorEvent::Send, "The workflow does not support chunked messages")
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
    /// The body, in the shape of a version (OpenAPI, schema MeshError of each version).
    #[must_use]
    pub fn body(&self, version: ApiVersion) -> Value {
        let id = self.message_id.as_ref().map(MessageId::as_str);
        let (code, event, description) = self.code.parts();
        match version {
            ApiVersion::V1 => json!({
                "messageID": id,
                "errorEvent": event,
                "errorCode": code,
                "errorDescription": description,
            }),
            ApiVersion::V2 => json!({
                "message_id": id,
                "internal_id": Value::Null,
                "detail": [{ "event": event, "code": code, "msg": description }],
            }),
        }
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
                "message_id": "20220228174323222_ABCDEF", "internal_id": null,
                "detail": [{ "event": "SEND", "code": "12", "msg": "Unregistered to address" }],
            })
        );
    }

    #[test]
    fn a_validation_error_names_the_place() {
        assert_eq!(
            ValidationError::missing("header", "mex-to").body(),
            json!({ "detail": [{ "loc": ["header", "mex-to"], "msg": "field required", "type": "value_error.missing" }] })
        );
    }
}
