use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::*;
use crate::tape::{FailureKind, TransportFailure, Vantage};

fn with_certificate(change: impl Fn(&mut crate::tape::TlsFacts)) -> Log {
    let mut log = Log::new();
    log.handshake();
    change(Arc::make_mut(log.last().tls.as_mut().unwrap()));
    log
}

#[test]
fn a_client_certificate_is_presented_and_valid() {
    held("client-certificate", &with_certificate(|_| {}));
    broken("client-certificate", &with_certificate(|tls| tls.client_certificate = None));
    let expired = with_certificate(|tls| {
        tls.client_certificate.as_mut().unwrap().not_after = "2026-11-21T11:59:59Z".parse().unwrap()
    });
    assert!(broken("client-certificate", &expired).what.contains("not valid"));
    let early = with_certificate(|tls| {
        tls.client_certificate.as_mut().unwrap().not_before = "2026-11-21T12:00:01Z".parse().unwrap()
    });
    broken("client-certificate", &early);
}

#[test]
fn its_name_follows_the_convention() {
    let named = |subject: &str| {
        with_certificate(|tls| tls.client_certificate.as_mut().unwrap().subject = subject.to_owned())
    };
    for right in ["CN=server001.x26.api.mesh-client.nhs.uk", "C=GB, CN=X26ABC1.X26.API.mesh-client.nhs.uk"] {
        held("certificate-name", &named(right));
    }
    for wrong in [
        "CN=localhost",
        "O=x",
        "CN=x26.api.mesh-client.nhs.uk",
        "CN=a.b.api.mesh-client.nhs.uk.evil",
        "CN=.x.api.mesh-client.nhs.uk",
    ] {
        warned("certificate-name", &named(wrong));
    }
}

#[test]
fn without_tls_facts_nothing_is_said_of_certificates() {
    let mut log = Log::new();
    log.handshake().foreign();
    not_applicable("client-certificate", &log);
    not_applicable("certificate-name", &log);
    let Verdict::NotApplicable { reason } = result("client-certificate", &log).verdict else { panic!() };
    assert!(reason.contains("HAR says nothing of TLS"));
    let mut log = Log::new();
    log.handshake().last().tls = None;
    log.last().origin = "http://localhost".to_owned();
    let Verdict::NotApplicable { reason } = result("client-certificate", &log).verdict else { panic!() };
    assert!(reason.contains("plain HTTP"));
    // Who presents none has no name to judge.
    not_applicable("certificate-name", &with_certificate(|tls| tls.client_certificate = None));
}

#[test]
fn calls_of_one_mailbox_do_not_overlap() {
    let with = |second_after: i64, length: u64| {
        let mut log = Log::new();
        log.list(&[]).list(&[]);
        log.exchanges[1].started_at = log.exchanges[0].started_at + TimeDelta::milliseconds(second_after);
        log.exchanges[1].timings.wait = Duration::from_millis(length);
        log
    };
    held("one-at-a-time", &with(100, 100));
    held("one-at-a-time", &with(98, 100));
    assert_eq!(broken("one-at-a-time", &with(97, 100)).exchanges, [1, 2]);
    broken("one-at-a-time", &with(50, 1));
    not_applicable("one-at-a-time", &Log::new());
    // Two mailboxes may speak at once.
    let mut both = with(50, 100);
    let mut other = Log::new();
    other.mailbox = "X26ABC2";
    other.list(&[]);
    both.exchanges[1] = other.exchanges.remove(0);
    held("one-at-a-time", &both);
}

/// What our own endpoint writes down lies within what the product did, so that nothing needs to be rounded: four threads
/// whose calls took less than a millisecond were not seen.
#[test]
fn at_the_own_endpoint_calls_overlap_by_less_than_a_millisecond() {
    let with = |vantage, second_after: i64| {
        let mut log = Log::new();
        log.list(&[]).list(&[]);
        log.exchanges[1].started_at = log.exchanges[0].started_at + TimeDelta::microseconds(second_after);
        for exchange in &mut log.exchanges {
            (exchange.vantage, exchange.timings.wait) = (vantage, Duration::from_micros(900));
        }
        log
    };
    let overlapping = with(Vantage::Endpoint, 300);
    assert_eq!(broken("one-at-a-time", &overlapping).seen, "1 calls that overlap, by up to 0.6 ms");
    held("one-at-a-time", &with(Vantage::Endpoint, 900));
    // By as much as files cut off.
    held("one-at-a-time", &with(Vantage::Endpoint, 895));
    for other in [Vantage::Foreign, Vantage::Proxy, Vantage::Client] {
        held("one-at-a-time", &with(other, 300));
    }
}

/// Who gives up a call has ended it before the endpoint learns of that, and may make another.
#[test]
fn a_call_that_was_given_up_does_not_run_at_the_same_time_as_the_next() {
    let given_up = |vantage| {
        let mut log = Log::new();
        log.list(&[]).unanswered().last().timings.wait = Duration::from_secs(30);
        log.last().failure = Some(TransportFailure {
            kind: FailureKind::Closed,
            detail: "the client's connection ended".to_owned(),
        });
        log.last().vantage = vantage;
        log.list(&[]);
        log
    };
    held("one-at-a-time", &given_up(Vantage::Endpoint));
    broken("one-at-a-time", &given_up(Vantage::Client));
}

/// Recorders that know no milliseconds.
#[test]
fn whole_seconds_do_not_show_whether_calls_overlap() {
    let rule = "one-at-a-time";
    let with = |begun: [i64; 2], lasts: u64| {
        let mut log = Log::new();
        log.list(&[]).list(&[]).foreign();
        let start = log.exchanges[0].started_at;
        for (exchange, begun) in log.exchanges.iter_mut().zip(begun) {
            exchange.started_at = start + TimeDelta::milliseconds(begun);
            exchange.timings.wait = Duration::from_millis(lasts);
        }
        log
    };
    let coarse = with([0, 0], 50);
    let RuleResult { verdict, unjudged, .. } = result(rule, &coarse);
    assert_eq!(verdict, Verdict::Held { looked_at: 1 });
    assert!(unjudged[0].0.contains("whole seconds"), "{unjudged:?}");
    broken(rule, &with([0, 0], 1500));
    broken(rule, &with([0, 3000], 5000));
    broken(rule, &with([0, 10], 50));
}

/// An excused call hides no others: `slow` was given up, and goes on longest.
#[test]
fn calls_beside_one_that_was_given_up_are_compared_with_each_other() {
    let mut log = Log::new();
    log.list(&[]).unanswered().last().timings.wait = Duration::from_secs(30);
    log.last().failure =
        Some(TransportFailure { kind: FailureKind::Closed, detail: "the product closed it".to_owned() });
    log.list(&[]).last().timings.wait = Duration::from_secs(5);
    log.list(&[]);
    log.exchanges.iter_mut().for_each(|exchange| exchange.vantage = Vantage::Proxy);
    assert_eq!(broken("one-at-a-time", &log).exchanges, [2, 3]);
}

/// mitmproxy writes down how long connecting took although that lies before the time of the entry.
#[test]
fn connecting_in_a_foreign_har_is_no_sure_part_of_a_call() {
    let rule = "one-at-a-time";
    let with = |connect: u64, wait: u64, next: i64| {
        let mut log = Log::new();
        log.list(&[]).list(&[]).foreign();
        let first = &mut log.exchanges[0];
        first.timings.connect = Some(Duration::from_millis(connect));
        first.timings.wait = Duration::from_millis(wait);
        let start = first.started_at + TimeDelta::milliseconds(1);
        log.exchanges[0].started_at = start;
        log.exchanges[1].started_at = start + TimeDelta::milliseconds(next);
        log
    };
    let mitm = with(59, 13, 20);
    let RuleResult { verdict, unjudged, .. } = result(rule, &mitm);
    assert_eq!(verdict, Verdict::Held { looked_at: 1 });
    assert!(unjudged[0].0.contains("connect"), "{unjudged:?}");
    broken(rule, &with(10, 100, 20));
    held(rule, &with(10, 10, 30));
    // Our own clients count from the beginning.
    let mut own = with(59, 13, 20);
    own.exchanges.iter_mut().for_each(|exchange| exchange.vantage = Vantage::Client);
    broken(rule, &own);
    // A short call in the middle of a long one, whenever it connected.
    let mut within = with(0, 5000, 20);
    within.exchanges[1].timings.connect = Some(Duration::from_millis(300));
    broken(rule, &within);
}

fn recorded(product: impl Fn(&mut crate::tape::TlsFacts) -> bool) -> Log {
    let mut log = Log::new();
    log.handshake().last().vantage = Vantage::Proxy;
    let mut tls = (**log.last().tls.as_ref().unwrap()).clone();
    let product_tls = product(&mut tls).then(|| Arc::new(tls));
    log.last().relay = Some(Arc::new(crate::tape::RelayFacts {
        connection: 1,
        position: 1,
        product: "127.0.0.1:1".parse().unwrap(),
        product_tls,
        host_replaced_by: None,
        interim: vec![],
        times: crate::tape::RelayTimes::default(),
        broken_off_by: None,
        notes: vec![],
    }));
    log
}

/// To the endpoint the recorder presents a certificate of its own, which says nothing of the product.
#[test]
fn of_a_recorded_product_its_own_certificate_is_judged() {
    let both = ["client-certificate", "certificate-name"];
    both.into_iter().for_each(|rule| held(rule, &recorded(|_| true)));
    let none = recorded(|tls| {
        tls.client_certificate = None;
        true
    });
    let mut untold = recorded(|_| true);
    untold.last().relay = None;
    for (log, why) in [(recorded(|_| false), "plain HTTP"), (none, "need not"), (untold, "does not say")] {
        for rule in both {
            let Verdict::NotApplicable { reason } = result(rule, &log).verdict else { panic!("{rule}") };
            assert!(reason.contains(why), "{reason}");
        }
    }
    let expired = recorded(|tls| {
        tls.client_certificate.as_mut().unwrap().not_after = "2026-11-21T11:59:59Z".parse().unwrap();
        true
    });
    broken("client-certificate", &expired);
    // The one that the recorder makes for a product is named by the recorder.
    let lent = recorded(|tls| {
        let certificate = tls.client_certificate.as_mut().unwrap();
        certificate.issuer = "CN=mesh-witness recording CA".to_owned();
        certificate.subject = "CN=product".to_owned();
        true
    });
    held("client-certificate", &lent);
    not_applicable("certificate-name", &lent);
}
