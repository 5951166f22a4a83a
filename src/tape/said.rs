//! What an exchange says in its headers and bodies, read once for whoever judges it.

use chrono::{DateTime, TimeDelta, Utc};

use super::Exchange;
use crate::protocol::{ChunkRange, MessageId, Sent, headers::MEX_CHUNK_RANGE};

impl Exchange {
    /// Whether it was answered well, to the end.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failure.is_none() && self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// What time the endpoint says that it answered.
    #[must_use]
    pub fn date(&self) -> Option<DateTime<Utc>> {
        http_date(self.answered("date")?)
    }

    /// How long after the answer the endpoint asks to be left alone: a number of seconds, or a date by its own clock
    /// (RFC 9110, 10.2.3). Negative when that date was over.
    #[must_use]
    pub fn retry_after(&self) -> Option<TimeDelta> {
        let text = self.answered("retry-after")?.trim();
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return TimeDelta::try_seconds(text.parse().ok()?);
        }
        Some(http_date(text)? - self.date().unwrap_or_else(|| self.ended_at()))
    }

    /// The message ID that the answer to a send gives, accepted or refused, in either version.
    #[must_use]
    pub fn given_id(&self) -> Option<MessageId> {
        Sent::given_id(self.response.as_ref()?.body.kept.as_deref()?)
    }

    /// The chunk range of the request, when it can be read.
    #[must_use]
    pub fn sent_range(&self) -> Option<ChunkRange> {
        self.request.head.header(MEX_CHUNK_RANGE.as_str())?.trim().parse().ok()
    }

    /// The chunk range of the response, when it can be read.
    #[must_use]
    pub fn answered_range(&self) -> Option<ChunkRange> {
        self.answered(MEX_CHUNK_RANGE.as_str())?.trim().parse().ok()
    }

    fn answered(&self, name: &str) -> Option<&str> {
        self.response.as_ref()?.head.header(name)
    }
}

/// A date in any of the three forms that everybody has to read (RFC 9110, 5.6.7). The form of mail, which allows
/// other time zones, is read as well: some servers write it.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let read = httpdate::parse_http_date(text).ok().map(DateTime::from);
    read.or_else(|| Some(DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{
        Actor, BodyRecord, Redactor, RequestRecord, ResponseRecord, ScenarioNumber, TimingRecord, Vantage,
    };

    /// Answered with these headers, two seconds after noon.
    fn answered(headers: &str) -> Exchange {
        let redactor = Redactor::default();
        let head = format!("HTTP/1.1 503 Service Unavailable\r\n{headers}\r\n\r\n");
        Exchange {
            scenario: ScenarioNumber(0),
            actor: Actor::Product,
            vantage: Vantage::Client,
            origin: "https://localhost".to_owned(),
            peer: None,
            operation: None,
            request: RequestRecord {
                head: redactor.request_head(b"GET / HTTP/1.1\r\n\r\n").0,
                body: BodyRecord::empty(),
            },
            response: Some(ResponseRecord {
                head: redactor.response_head(head.as_bytes()),
                body: BodyRecord::empty(),
            }),
            failure: None,
            started_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            timings: TimingRecord { wait: std::time::Duration::from_secs(2), ..TimingRecord::default() },
            tls: None,
            token: None,
            token_fault: None,
            relay: None,
        }
    }

    #[test]
    fn a_date_is_read_in_every_form() {
        let noon: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        for form in [
            "Sat, 21 Nov 2026 12:00:00 GMT",
            "Saturday, 21-Nov-26 12:00:00 GMT",
            "Sat Nov 21 12:00:00 2026",
            "Sat, 21 Nov 2026 13:00:00 +0100",
        ] {
            assert_eq!(answered(&format!("date: {form}")).date(), Some(noon), "{form}");
        }
        assert_eq!(answered("date: noon").date(), None);
        assert_eq!(answered("x: y").date(), None);
    }

    #[test]
    fn what_is_to_be_waited_is_told_in_seconds_or_by_the_endpoints_clock() {
        let seconds = |headers: &str| Some(answered(headers).retry_after()?.num_seconds());
        assert_eq!(seconds("Retry-After: 7"), Some(7));
        assert_eq!(seconds("Retry-After: 0"), Some(0));
        let at = "Retry-After: Sat, 21 Nov 2026 12:01:00 GMT";
        assert_eq!(seconds(&format!("{at}\r\nDate: Sat, 21 Nov 2026 12:00:50 GMT")), Some(10));
        assert_eq!(seconds(at), Some(58), "no other clock is known than that of the recorder");
        assert_eq!(seconds("Retry-After: Sat, 21 Nov 2026 12:00:01 GMT"), Some(-1));
        for none in ["", "-1", "1.5", "soon", "99999999999999999999", "9223372036854775807"] {
            assert_eq!(seconds(&format!("Retry-After: {none}")), None, "{none}");
        }
        assert_eq!(seconds("x: y"), None);
    }
}
