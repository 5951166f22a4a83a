//! Somebody else in MESH's place, and elsewhere.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::{
    rules::{
        met_impostor, no_storm_of_connections, sends_nothing_to_impostor, stays_with_mesh,
        took_impostor_for_mesh,
    },
    tape::{Attempt, AttemptEnd, CertificateFacts, ScenarioNumber, TlsFacts},
};

fn certificate(fingerprint: &str) -> CertificateFacts {
    CertificateFacts {
        subject: "CN=localhost".to_owned(),
        issuer: "CN=somebody".to_owned(),
        serial: "1".to_owned(),
        fingerprint: fingerprint.to_owned(),
        not_before: DateTime::UNIX_EPOCH,
        not_after: DateTime::UNIX_EPOCH,
    }
}

fn attempt(received: u64, end: AttemptEnd) -> Attempt {
    let now = Utc::now();
    Attempt {
        scenario: ScenarioNumber(0),
        origin: "https://a".to_owned(),
        began: now,
        ended: now,
        wrong: "a certificate for another host".to_owned(),
        certificate: Some(certificate("wrong")),
        server_name: None,
        tls: None,
        received,
        end,
    }
}

fn refused() -> Arc<Attempt> {
    Arc::new(attempt(0, AttemptEnd::Alert("bad_certificate".to_owned())))
}

/// A send over a connection on which this certificate was presented.
fn send_over(fingerprint: Option<&str>, origin: &str) -> Arc<Exchange> {
    let mut send = exchange("POST /messageexchange/A/outbox", 202, "{}");
    send.origin = origin.to_owned();
    send.tls = fingerprint.map(|fingerprint| {
        Arc::new(TlsFacts {
            version: "TLSv1.3".to_owned(),
            server_certificate: Some(certificate(fingerprint)),
            ..TlsFacts::default()
        })
    });
    send.request.body.size = 4096;
    send.token = None;
    Arc::new(send)
}

/// The same with a token.
fn with_token(act: Arc<Exchange>) -> Arc<Exchange> {
    let token = exchange("GET /messageexchange/A/inbox", 200, "{}").token;
    Arc::new(Exchange { token, ..Arc::unwrap_or_clone(act) })
}

#[test]
fn who_made_no_connection_has_refused_nothing() {
    assert!(met_impostor(&[refused()], &[], "send a message", "exit code 1").is_ok());
    let fault = met_impostor(&[], &[], "send a message", "exit code 1").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Product);
    assert!(fault.what.contains("made no connection"), "{fault}");
    // What was let through to MESH itself shows that we have presented nothing.
    let through = send_over(Some("right"), "https://a");
    let fault = met_impostor(&[], &[through], "send a message", "exit code 0").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Harness);
}

#[test]
fn refusing_in_the_handshake_and_directly_after_it_are_both_well() {
    let after = Arc::new(attempt(0, AttemptEnd::Closed));
    assert!(sends_nothing_to_impostor(&[refused(), after], &[send_over(Some("right"), "https://a")]).is_ok());
}

#[test]
fn what_was_given_away_is_said() {
    let came = Arc::new(attempt(5000, AttemptEnd::Closed));
    let attempts = [refused(), came];
    let acts = [send_over(Some("right"), "https://a"), send_over(Some("wrong"), "https://a")];
    let fault = sends_nothing_to_impostor(&attempts, &acts).unwrap_err();
    assert_eq!(
        fault.what,
        "the product trusted a certificate for another host, and sent 4096 bytes of content over it"
    );
    // Half a request makes no exchange.
    let fault = sends_nothing_to_impostor(&attempts, &acts[..1]).unwrap_err();
    assert!(fault.what.contains("sent 5000 bytes over it"), "{fault}");
    let acts = [with_token(send_over(Some("wrong"), "https://a"))];
    let fault = sends_nothing_to_impostor(&attempts, &acts).unwrap_err();
    assert!(fault.what.contains("its token and 4096 bytes of content"), "{fault}");
}

#[test]
fn plain_http_is_no_way_out() {
    let plain = Arc::new(Attempt { certificate: None, ..attempt(5000, AttemptEnd::Closed) });
    let acts = [send_over(None, "http://a")];
    let fault = sends_nothing_to_impostor(&[refused(), plain], &acts).unwrap_err();
    assert!(fault.what.starts_with("the product fell back to plain HTTP"), "{fault}");
    assert!(fault.what.contains("4096 bytes of content"), "{fault}");
}

#[test]
fn a_success_that_cannot_be_one_is_named() {
    let fault = took_impostor_for_mesh(&[refused()], "exit code 0");
    assert!(fault.what.ends_with("at MESH's address was a certificate for another host"), "{fault}");
    assert_eq!(fault.seen.as_deref(), Some("exit code 0"));
}

#[test]
fn a_librarys_repeats_are_no_storm() {
    let many = |count: i64, apart: i64| -> Vec<Arc<Attempt>> {
        let at = |place| refused().began + TimeDelta::milliseconds(apart * place);
        (0..count).map(|place| Arc::new(Attempt { began: at(place), ..(*refused()).clone() })).collect()
    };
    assert_eq!(no_storm_of_connections(&many(10, 100)), Ok(None));
    assert!(no_storm_of_connections(&many(11, 100)).unwrap().is_some());
    assert!(no_storm_of_connections(&many(31, 100)).is_err());
    assert_eq!(no_storm_of_connections(&many(100, 2000)), Ok(None), "so many over some minutes");
}

#[test]
fn a_token_elsewhere_fails_and_so_does_content_in_the_clear() {
    let elsewhere = |fingerprint, size| {
        let mut act = Arc::unwrap_or_clone(send_over(fingerprint, "https://localhost:1"));
        act.request.body.size = size;
        Arc::new(act)
    };
    assert_eq!(stays_with_mesh(&[]), Ok(None));
    let fault = stays_with_mesh(&[with_token(elsewhere(Some("x"), 0))]).unwrap_err();
    assert!(fault.what.ends_with("sent it its token"), "{fault}");
    let fault = stays_with_mesh(&[elsewhere(Some("x"), 0), elsewhere(None, 9)]).unwrap_err();
    assert!(fault.what.ends_with("sent it 9 bytes of content in the clear"), "{fault}");
    for (act, words) in [
        (elsewhere(Some("x"), 9), "sent it 9 bytes of content, without its token"),
        (elsewhere(Some("x"), 0), "to another host, without its token"),
        (elsewhere(None, 0), "in the clear, without its token and without content"),
    ] {
        let fault = stays_with_mesh(&[act]).unwrap().unwrap();
        assert!(fault.what.contains(words), "{fault}");
    }
}
