//! What the HAR says of connections to an endpoint that nobody should trust. HAR has no place for a connection
//! without a request, so they stand in `_attempts`, beside the entries.

use serde::Serialize;

use super::{
    har_own::{Certificate, Scenario, Tls, certificate, tls},
    text,
};
use crate::{
    runner::RunRecord,
    tape::{Attempt, AttemptEnd},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttemptOf<'a> {
    started_date_time: String,
    ended_date_time: String,
    scenario: Option<Scenario<'a>>,
    origin: &'a str,
    wrong: &'a str,
    server_name: Option<&'a str>,
    server_certificate: Option<Certificate<'a>>,
    /// `null` when the handshake was not completed.
    tls: Option<Tls<'a>>,
    /// Bytes of requests.
    received: u64,
    end: End<'a>,
}

#[derive(Serialize)]
struct End<'a> {
    kind: &'static str,
    detail: Option<&'a str>,
}

impl<'a> AttemptOf<'a> {
    pub(super) fn of(record: &'a RunRecord, attempt: &'a Attempt) -> Self {
        let (kind, detail) = match &attempt.end {
            AttemptEnd::Alert(name) => ("alert", Some(name.as_str())),
            AttemptEnd::Closed => ("closed", None),
            AttemptEnd::ByEndpoint => ("by_endpoint", None),
            AttemptEnd::Failed(why) => ("failed", Some(why.as_str())),
        };
        Self {
            started_date_time: text::millisecond(attempt.began),
            ended_date_time: text::millisecond(attempt.ended),
            scenario: record.scenarios.get(attempt.scenario.0).map(Scenario::of),
            origin: &attempt.origin,
            wrong: &attempt.wrong,
            server_name: attempt.server_name.as_deref(),
            server_certificate: attempt.certificate.as_ref().map(certificate),
            tls: attempt.tls.as_deref().map(tls),
            received: attempt.received,
            end: End { kind, detail },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{fixtures, har};

    #[test]
    fn connections_stand_beside_the_entries_and_readers_pass_over_them() {
        let record = fixtures::with_attempts();
        let written = har::render(&record).unwrap();
        let har: Value = serde_json::from_slice(&written).unwrap();
        let attempts = har["log"]["_attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 3);
        let refused = &attempts[0];
        assert_eq!(refused["wrong"], "a certificate of another authority");
        assert_eq!(refused["scenario"]["line"], record.scenarios[0].line);
        assert_eq!(refused["serverCertificate"]["issuer"], "CN=somebody else's CA");
        assert_eq!((&refused["tls"], &refused["received"]), (&Value::Null, &json!(0)));
        assert_eq!(refused["end"], json!({"kind": "alert", "detail": "unknown_ca"}));
        assert_eq!(attempts[1]["tls"]["version"], "TLSv1.3");
        assert_eq!(attempts[2]["serverCertificate"], Value::Null, "without TLS");
        let read = crate::tape::read_har_bytes(&written, &Default::default(), &Default::default()).unwrap();
        assert_eq!(read.entries.len(), record.exchanges.len());
    }

    #[test]
    fn where_there_are_none_nothing_is_said() {
        let written = har::render(&fixtures::passed()).unwrap();
        assert!(!String::from_utf8(written).unwrap().contains("_attempts"));
    }
}
