//! What the connection shows: the client certificate, and how many connections a mailbox has.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{Call, Examined, Finding, Grade, Traffic, shown};
use crate::{
    protocol::ClientName,
    tape::{CertificateFacts, Vantage},
};

/// The TLS facts, or why there are none.
fn unseen(call: &Call) -> &'static str {
    if call.exchange.vantage == Vantage::Foreign {
        "a HAR says nothing of TLS: record with mesh-witness record, or judge a bundle"
    } else if call.exchange.origin.starts_with("http://") {
        "the calls went over plain HTTP, where there are no certificates"
    } else {
        "there was no connection, or nothing was recorded of its TLS"
    }
}

/// A certificate of a mailbox, or that there was none, and the first call with it.
type Presented<'a> = (&'a Call, Option<&'a CertificateFacts>);

/// Connections are judged once for each mailbox and certificate.
fn by_certificate<'a>(traffic: &'a Traffic, examined: &mut Examined) -> Vec<Presented<'a>> {
    let mut seen: BTreeMap<_, Presented<'a>> = BTreeMap::new();
    for call in traffic.calls.iter().filter(|call| call.mailbox.is_some()) {
        let Some(tls) = &call.exchange.tls else {
            examined.pass_over(unseen(call));
            continue;
        };
        let certificate = tls.client_certificate.as_ref();
        let fingerprint = certificate.map(|certificate| certificate.fingerprint.as_str());
        seen.entry((call.mailbox.as_deref(), fingerprint)).or_insert((call, certificate));
    }
    seen.into_values().collect()
}

/// A client certificate is presented, and is valid at the time.
pub(super) fn certificate(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for (call, certificate) in by_certificate(traffic, &mut examined) {
        let is_valid =
            certificate.is_some_and(|of| (of.not_before..=of.not_after).contains(&call.started_at()));
        if traffic.is_stand_in && !is_valid {
            examined.pass_over("the reference client presents what the configuration gives it");
            continue;
        }
        examined.look();
        let Some(certificate) = certificate else {
            let what = "no client certificate was presented";
            examined.find(
                Finding::about(&[call], Grade::Broken, what)
                    .expected("mutual TLS")
                    .seen("no client certificate"),
            );
            continue;
        };
        if !is_valid {
            let (from, to) = (certificate.not_before, certificate.not_after);
            examined.find(
                Finding::about(
                    &[call],
                    Grade::Broken,
                    "the client certificate is not valid at the time of the call",
                )
                .expected(format!(
                    "a time from {} to {}",
                    from.format("%Y-%m-%dT%H:%M:%SZ"),
                    to.format("%Y-%m-%dT%H:%M:%SZ")
                ))
                .seen(call.started_at().format("%Y-%m-%dT%H:%M:%SZ").to_string()),
            );
        }
    }
    examined
}

/// The common name is `local_id.ods_code.api.mesh-client.nhs.uk`; the first label is free.
pub(super) fn certificate_name(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for (call, certificate) in by_certificate(traffic, &mut examined) {
        let Some(certificate) = certificate else {
            examined.pass_over("no client certificate was presented");
            continue;
        };
        let name = common_name(&certificate.subject);
        let is_right = name.is_some_and(ClientName::is_form_of);
        if traffic.is_stand_in && !is_right {
            examined.pass_over("the reference client presents what the configuration gives it");
            continue;
        }
        examined.look();
        if !is_right {
            examined.find(
                Finding::about(&[call], Grade::Warning, "the client certificate is not named as MESH's are")
                    .expected("CN=LOCAL_ID.ODS_CODE.api.mesh-client.nhs.uk")
                    .seen(name.map_or_else(|| "no common name".to_owned(), |name| format!("CN={name}"))),
            );
        }
    }
    examined
}

fn common_name(subject: &str) -> Option<&str> {
    subject.split([',', '+', '/']).find_map(|part| part.trim().strip_prefix("CN=")).map(str::trim)
}

/// Clocks and rounding of recorders: HARs have milliseconds.
const ROUNDING: TimeDelta = TimeDelta::milliseconds(2);
/// Some have no more than seconds: calls may then seem to overlap by as much.
const SECONDS: TimeDelta = TimeDelta::seconds(1);

/// By how much calls may seem to overlap that did not.
fn rounding(calls: &[&Call]) -> TimeDelta {
    let is_coarse = |call: &&Call| {
        call.exchange.vantage == Vantage::Foreign && call.started_at().timestamp_subsec_nanos() == 0
    };
    if calls.iter().all(is_coarse) { SECONDS } else { ROUNDING }
}

/// Whether an earlier call had ended, whatever its connection shows: of a program that was ended the endpoint
/// learns a little later, and so it does of a call that was given up.
fn was_over(traffic: &Traffic, earlier: &Call, call: &Call) -> bool {
    let from_afar = matches!(earlier.exchange.vantage, Vantage::Endpoint | Vantage::Proxy);
    let given_up = earlier.exchange.failure.is_some() && from_afar;
    let of_ended_ask = earlier.ask != call.ask
        && traffic.asked(earlier).is_some_and(|asked| asked.is_over || asked.succeeded == Some(false));
    given_up || of_ended_ask
}

/// Calls of one mailbox do not overlap.
pub(super) fn one_at_a_time(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for (mailbox, calls) in traffic.mailboxes() {
        let rounding = rounding(&calls);
        let mut busy: Option<&Call> = None;
        let mut overlapping: Vec<&Call> = Vec::new();
        let mut most = TimeDelta::zero();
        for call in calls {
            if let Some(other) = busy.filter(|other| !was_over(traffic, other, call)) {
                let overlap = other.ended_at.min(call.ended_at) - call.started_at();
                // A call that took less than the rounding is in the middle of a longer one all the same.
                let is_beyond = |rounding: TimeDelta| {
                    let within = call.started_at() - other.started_at() > rounding
                        && other.ended_at - call.ended_at > rounding;
                    overlap > rounding || within
                };
                if is_beyond(rounding) {
                    most = most.max(overlap);
                    overlapping.extend([other, call]);
                } else if is_beyond(ROUNDING) {
                    examined.pass_over("the recording has times in whole seconds only");
                } else {
                    examined.look();
                }
            } else {
                examined.look();
            }
            if busy.is_none_or(|other| call.ended_at > other.ended_at) {
                busy = Some(call);
            }
        }
        if !overlapping.is_empty() {
            let milliseconds = most.num_milliseconds();
            let longest = if milliseconds < 1000 { format!("{milliseconds} ms") } else { shown(most) };
            examined.find(
                Finding::about(
                    &overlapping,
                    Grade::Broken,
                    format!("calls of {mailbox} ran at the same time"),
                )
                .expected("one connection a mailbox at a time")
                .seen(format!("{} calls that overlap, by up to {longest}", overlapping.len() / 2)),
            );
        }
    }
    examined
}
