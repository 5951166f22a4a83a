//! How NHS mesh-sandbox 1.0.137 reads requests and tells what is wrong with them. Where it only
//! breaks down (500), it is not followed.

mod flaws;
mod inbox;
mod send;
mod tracking;

use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Value, json};

use super::{ApiVersion, ErrorCode, MessageId};

pub use flaws::Flaw;
pub use inbox::{RichQuery, inbox_query, tracking_query};
pub use send::{ChunkSaid, chunk_headers, send_headers};
pub use tracking::{message_details, precise, rich_inbox_entry, rich_outbox_entry, tracking_body};

/// A call that is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The status.
    pub status: StatusCode,
    /// What is said about it.
    pub told: Told,
    /// The message that it is about, where that is said.
    pub message_id: Option<MessageId>,
}

/// What is said about a refusal.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Nothing but that there was an error.
    Nothing,
    /// Words alone.
    Words(&'static str),
    /// A phase, a code and words.
    Code(&'static str, &'static str, &'static str),
    /// What is wrong with the parameters, in one shape for both versions.
    Flaws(Vec<Flaw>),
}

impl Refused {
    /// A refusal that is about no message.
    #[must_use]
    pub fn new(status: StatusCode, told: Told) -> Self {
        Self { status, told, message_id: None }
    }

    /// A refusal by words alone.
    #[must_use]
    pub fn words(status: StatusCode, words: &'static str) -> Self {
        Self::new(status, Told::Words(words))
    }

    /// 400, with everything that is wrong with the parameters.
    #[must_use]
    pub fn flaws(flaws: Vec<Flaw>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Told::Flaws(flaws))
    }

    /// A refusal with one of MESH's error codes, in mesh-sandbox's words.
    #[must_use]
    pub fn code(status: StatusCode, code: ErrorCode) -> Self {
        let words = match code {
            ErrorCode::MalformedHeaders => "MalformedControlFile",
            ErrorCode::MissingTo => "TO_DTS missing",
            ErrorCode::DataFileMissing => "Data file is missing or inaccessible.",
            ErrorCode::InvalidChunkRange => "Invalid chunk values sent in mex-Chunk-Range header",
            other => other.description(),
        };
        Self::new(status, Told::Code(code.event().as_str(), code.as_str(), words))
    }

    /// The same, about a message.
    #[must_use]
    pub fn about(self, id: &MessageId) -> Self {
        Self { message_id: Some(id.clone()), ..self }
    }

    /// The body and the version whose media type it has.
    #[must_use]
    pub fn body(&self, version: ApiVersion) -> (ApiVersion, Value) {
        let (event, code, words) = match &self.told {
            Told::Nothing => {
                let words = "An internal error occurred.\n\nPlease contact support.";
                return (ApiVersion::V1, json!({ "message": words }));
            }
            Told::Flaws(flaws) => return (ApiVersion::V1, json!({ "detail": flaws })),
            Told::Words(words) => ("", "", *words),
            Told::Code(event, code, words) => (*event, *code, *words),
        };
        let (name, mut body) = match version {
            ApiVersion::V1 => {
                ("messageID", json!({ "errorEvent": event, "errorCode": code, "errorDescription": words }))
            }
            ApiVersion::V2 => {
                ("message_id", json!({ "detail": [{ "event": event, "code": code, "msg": words }] }))
            }
        };
        if let Some(id) = &self.message_id {
            body[name] = json!(id.as_str());
        }
        (version, body)
    }
}

/// The version that an `Accept` header asks for: up to the first semicolon-separated part that names
/// a MESH type, and every version after the first is the second.
///
/// # Errors
/// 400 when that part is anything more than such a type.
pub fn version(accept: Option<&str>) -> Result<ApiVersion, Refused> {
    let accept = accept.unwrap_or_default();
    let Some(named) = accept.split(';').map(str::trim).find(|part| part.contains("vnd.mesh")) else {
        return Ok(ApiVersion::V1);
    };
    let number = named.strip_prefix("application/vnd.mesh.v").and_then(|rest| rest.strip_suffix("+json"));
    match number.filter(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())) {
        Some(number) if matches!(number.trim_start_matches('0'), "" | "1") => Ok(ApiVersion::V1),
        Some(_) => Ok(ApiVersion::V2),
        None => Err(Refused::words(StatusCode::BAD_REQUEST, "Accept header api format incorrect")),
    }
}

/// What a handshake lacks: all of it at once.
///
/// # Errors
/// 400 when it lacks anything.
pub fn handshake(headers: &HeaderMap, needed: &[HeaderName]) -> Result<(), Refused> {
    let missing = needed.iter().filter(|name| !headers.contains_key(*name));
    let flaws: Vec<Flaw> = missing.map(|name| Flaw::missing("header", name.as_str())).collect();
    if flaws.is_empty() { Ok(()) } else { Err(Refused::flaws(flaws)) }
}

/// A header's value, byte by byte.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| value.as_bytes().iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_first_mesh_type() {
        for (accept, expected) in [
            ("", Some(ApiVersion::V1)),
            ("*/*", Some(ApiVersion::V1)),
            ("application/vnd.mesh.v0+json", Some(ApiVersion::V1)),
            ("application/vnd.mesh.v1+json", Some(ApiVersion::V1)),
            ("application/vnd.mesh.v2+json", Some(ApiVersion::V2)),
            ("application/vnd.mesh.v3+json", Some(ApiVersion::V2)),
            ("application/vnd.mesh.v2+json;q=0.5", Some(ApiVersion::V2)),
            ("APPLICATION/VND.MESH.V2+JSON", Some(ApiVersion::V1)),
            ("application/vnd.mesh.v2+json, application/json", None),
            ("application/vnd.mesh.v+json", None),
        ] {
            assert_eq!(version(Some(accept)).ok(), expected, "{accept}");
        }
    }

    #[test]
    fn a_refusal_has_a_body_in_each_version() {
        let id = MessageId::parse("ABC").unwrap();
        let told = Refused::code(StatusCode::EXPECTATION_FAILED, ErrorCode::InvalidChunkRange).about(&id);
        let words = "Invalid chunk values sent in mex-Chunk-Range header";
        assert_eq!(
            told.body(ApiVersion::V2).1,
            json!({ "message_id": "ABC", "detail": [{ "event": "SEND", "code": "InvalidHeaderChunks", "msg": words }] })
        );
        let words = Refused::words(StatusCode::FORBIDDEN, "Forbidden");
        assert_eq!(
            words.body(ApiVersion::V1).1,
            json!({ "errorEvent": "", "errorCode": "", "errorDescription": "Forbidden" })
        );
        let nothing = Refused::new(StatusCode::LOCKED, Told::Nothing).body(ApiVersion::V2);
        assert_eq!(nothing.0, ApiVersion::V1);
    }
}
