//! What is answered, before it becomes HTTP.

use std::io;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};

use crate::{
    emulator::timestamps::date,
    protocol::{ApiVersion, MeshError, MessageId, ValidationError},
    tape,
};

/// Says that the endpoint's clock was moved, and by how many seconds.
const CLOCK_MOVED: HeaderName = HeaderName::from_static(tape::CLOCK_MOVED);

/// How the emulator names itself in every reply but to what cannot be read as HTTP, so that no bundle can pass it off
/// as a real endpoint.
pub const SERVER: &str = concat!("mesh-witness-emulator/", env!("CARGO_PKG_VERSION"));

/// A body on its way out, in pieces.
pub type ReplyBody = UnsyncBoxBody<Bytes, io::Error>;

/// A reply. `note` says to the endpoint's log what the client is not told, `message` which message it is
/// about when the path does not say.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: ReplyBody,
    pub note: Option<String>,
    pub message: Option<MessageId>,
}

impl Reply {
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: whole(Bytes::new()), note: None, message: None }
    }

    pub fn json(status: StatusCode, version: ApiVersion, body: &impl ToString) -> Self {
        Self::text(status, version.media_type(), body)
    }

    pub fn mesh_error(status: StatusCode, version: ApiVersion, error: &MeshError) -> Self {
        let note = format!("{} {}", error.code.as_str(), error.code.description());
        Self::json(status, version, &error.body(version)).noting(note)
    }

    /// 400 in the one shape that it has in both versions (OpenAPI, schema HTTPValidationError).
    pub fn invalid(error: &ValidationError) -> Self {
        let note = format!("{}: {}", error.loc.join(" "), error.msg);
        Self::text(StatusCode::BAD_REQUEST, ApiVersion::V1.media_type(), &error.body()).noting(note)
    }

    pub fn noting(mut self, note: impl ToString) -> Self {
        self.note = Some(note.to_string());
        self
    }

    pub fn about(mut self, message: MessageId) -> Self {
        self.message = Some(message);
        self
    }

    /// Adds a header, unless the value cannot stand in one.
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Some(value) = as_header(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub fn without(mut self, name: &HeaderName) -> Self {
        self.headers.remove(name);
        self
    }

    /// Dated by the endpoint's clock. Evidence must never pass for real time when that was moved, and by so many seconds
    /// in all.
    pub fn into_response(self, now: DateTime<Utc>, moved_by: Option<i64>) -> Response<ReplyBody> {
        let mut headers = self.headers;
        headers.insert(header::DATE, date(now));
        headers.insert(header::SERVER, HeaderValue::from_static(SERVER));
        if let Some(moved) = moved_by {
            headers.insert(CLOCK_MOVED, moved.into());
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }

    fn text(status: StatusCode, media_type: &'static str, body: &impl ToString) -> Self {
        let mut reply = Self { body: whole(Bytes::from(body.to_string())), ..Self::empty(status) };
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        reply
    }
}

/// A text as a header's value; `None` when it cannot stand in one.
pub fn as_header(text: &str) -> Option<HeaderValue> {
    if text.is_ascii() { HeaderValue::from_str(text).ok() } else { in_latin_1(text) }
}

/// mesh-sandbox takes any byte in a label, and hands it on as it came.
fn in_latin_1(value: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

fn whole(bytes: Bytes) -> ReplyBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// Whoever reads a recording tells practice from evidence by these.
    #[test]
    fn a_reply_says_that_it_is_the_emulators_and_that_time_was_moved() {
        let response = Reply::empty(StatusCode::OK).into_response(Utc::now(), Some(3600));
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        assert!(header("server").is_some_and(|server| server.starts_with(tape::EMULATOR)));
        assert_eq!(tape::clock_moved(header), Some(TimeDelta::hours(1)));
    }
}
