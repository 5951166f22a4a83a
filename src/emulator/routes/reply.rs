//! What is answered, before it becomes HTTP.

use std::{
    cell::RefCell,
    io,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use serde_json::Value;

use crate::{
    emulator::Clock,
    protocol::{ApiVersion, MeshError, MessageId, ValidationError},
};

/// Says that the endpoint's clock was moved, and by how many seconds.
const CLOCK_MOVED: HeaderName = HeaderName::from_static("x-mesh-witness-clock-moved");

/// How the emulator names itself in every reply, so that no bundle can pass it off as a real endpoint.
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

    pub fn json(status: StatusCode, version: ApiVersion, body: &Value) -> Self {
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
        let value = if value.is_ascii() { HeaderValue::from_str(value).ok() } else { in_latin_1(value) };
        if let Some(value) = value {
            self.headers.insert(name, value);
        }
        self
    }

    pub fn without(mut self, name: &HeaderName) -> Self {
        self.headers.remove(name);
        self
    }

    /// Dated by the endpoint's clock. Evidence must never pass for real time when that was moved.
    pub fn into_response(self, clock: &Clock) -> Response<ReplyBody> {
        let mut headers = self.headers;
        headers.insert(header::DATE, date(clock.now()));
        headers.insert(header::SERVER, HeaderValue::from_static(SERVER));
        let moved = clock.moved_by().num_seconds();
        if moved != 0 {
            headers.insert(CLOCK_MOVED, moved.into());
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }

    fn text(status: StatusCode, media_type: &'static str, body: &Value) -> Self {
        let mut reply = Self { body: whole(Bytes::from(body.to_string())), ..Self::empty(status) };
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        reply
    }
}

thread_local! {
    /// The second and its date that were last written.
    static DATE: RefCell<(i64, HeaderValue)> = const { RefCell::new((i64::MIN, HeaderValue::from_static(""))) };
}

/// Written once a second: every reply has one.
fn date(now: DateTime<Utc>) -> HeaderValue {
    DATE.with_borrow_mut(|(second, date)| {
        if *second != now.timestamp()
            && let Ok(written) = HeaderValue::try_from(http_date(now))
        {
            (*second, *date) = (now.timestamp(), written);
        }
        date.clone()
    })
}

/// As RFC 9110 has it, which writes no years before 1970 or beyond 9999. A clock that was moved out of them
/// stands at their edge in `Date`; how far it was moved is said beside it.
fn http_date(now: DateTime<Utc>) -> String {
    const LAST: u64 = 253_402_300_799;
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default().min(LAST);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
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
    use super::*;

    #[test]
    fn a_date_follows_the_clock_forwards_and_backwards() {
        for seconds in [784_111_777, 784_111_777, 784_111_778, 0] {
            let now = DateTime::from_timestamp(seconds, 999_999_999).unwrap();
            assert_eq!(date(now), http_date(now).as_str());
        }
    }

    #[test]
    fn a_date_is_written_whatever_the_clock_shows() {
        let written = |seconds| http_date(DateTime::from_timestamp(seconds, 0).unwrap());
        assert_eq!(written(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(written(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(written(DateTime::<Utc>::MAX_UTC.timestamp()), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
