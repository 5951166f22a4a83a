//! What the connection shows: the client certificate, and how many connections a mailbox has.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Call, Examined, Finding, Grade, Traffic, shown};
use crate::{
    protocol::ClientName,
    tape::{CertificateFacts, RelayFacts, TlsFacts, Vantage},
};

/// What TLS agreed on with the product, or why nothing is known of it.
fn tls(call: &Call) -> Result<&TlsFacts, &'static str> {
    let exchange = &call.exchange;
    if exchange.vantage == Vantage::Proxy {
        return recorded(exchange.relay.as_deref());
    }
    exchange.tls.as_deref().ok_or(if exchange.vantage == Vantage::Foreign {
        "a HAR says nothing of TLS: record with mesh-witness record, or judge a bundle"
    } else if exchange.origin.starts_with("http://") {
        "the calls went over plain HTTP, where there are no certificates"
    } else {
        "there was no connection, or nothing was recorded of its TLS"
    })
}

/// The same where a recorder stood between: to the endpoint it presents a certificate of its own.
fn recorded(relay: Option<&RelayFacts>) -> Result<&TlsFacts, &'static str> {
    let relay = relay.ok_or("the recording does not say what the product presented to the recorder")?;
    let tls = relay.product_tls.as_deref();
    let tls =
        tls.ok_or("the product called the recorder over plain HTTP, where there are no certificates")?;
    if tls.client_certificate.is_none() {
        return Err("the product presented no certificate to the recorder, and need not");
    }
    Ok(tls)
}

/// A certificate of a mailbox, or that there was none, and the first call with it.
type Presented<'a> = (&'a Call, Option<&'a CertificateFacts>);

/// Connections are judged once for each mailbox and certificate.
fn by_certificate<'a>(traffic: &'a Traffic, examined: &mut Examined) -> Vec<Presented<'a>> {
    let mut seen: BTreeMap<_, Presented<'a>> = BTreeMap::new();
    for call in traffic.calls.iter().filter(|call| call.mailbox.is_some()) {
        let tls = match tls(call) {
            Ok(tls) => tls,
            Err(why) => {
                examined.pass_over(why);
                continue;
            }
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
        if certificate.is_of_recorder() {
            examined.pass_over("the product presented the certificate that the recorder made for it");
            continue;
        }
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
/// Our own endpoint writes down when a call had come and when the last of its answer was about to go, which lies within
/// what its client did. What is left is microseconds that files cut off, and a clock that is put right.
const EXACT: TimeDelta = TimeDelta::microseconds(100);

/// By how much calls may seem to overlap that did not.
fn rounding(calls: &[&Call]) -> TimeDelta {
    if calls.iter().all(|call| call.exchange.vantage == Vantage::Endpoint) {
        return EXACT;
    }
    let is_coarse = |call: &&Call| {
        call.exchange.vantage == Vantage::Foreign && call.started_at().timestamp_subsec_nanos() == 0
    };
    if calls.iter().all(is_coarse) { SECONDS } else { ROUNDING }
}

/// From when to when a call was under way.
#[derive(Clone, Copy)]
struct Span {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Span {
    /// The longest that it can have been.
    fn possible(call: &Call) -> Self {
        Self { from: call.started_at(), to: call.ended_at }
    }

    /// The shortest. By HAR 1.2 (timings) connecting comes after the time of an entry. mitmproxy writes down
    /// there what came before it.
    fn certain(call: &Call) -> Self {
        let setup = match call.exchange.vantage {
            Vantage::Foreign => TimeDelta::from_std(call.exchange.timings.setup()).unwrap_or_default(),
            _ => TimeDelta::zero(),
        };
        Self { from: call.started_at() + setup, to: call.ended_at - setup }
    }

    fn common(self, other: Self) -> TimeDelta {
        self.to.min(other.to) - self.from.max(other.from)
    }
}

/// Whether a call ran while another did, going by spans of one kind.
fn runs_into(call: &Call, other: &Call, span: fn(&Call) -> Span, rounding: TimeDelta) -> bool {
    let (whole, outer) = (Span::possible(call), span(other));
    // A call that took less than the rounding is in the middle of a longer one all the same.
    let is_within = whole.from - outer.from > rounding && outer.to - whole.to > rounding;
    outer.common(span(call)) > rounding || is_within
}

/// Whether a call was given up, of which the endpoint learns a little later.
fn was_given_up(call: &Call) -> bool {
    call.exchange.failure.is_some() && matches!(call.exchange.vantage, Vantage::Endpoint | Vantage::Proxy)
}

/// Whether an earlier call had ended, whatever its connection shows: of a program that was ended the endpoint
/// learns a little later, too.
fn was_over(traffic: &Traffic, earlier: &Call, call: &Call) -> bool {
    earlier.ask != call.ask
        && traffic.asked(earlier).is_some_and(|asked| asked.is_over || asked.succeeded == Some(false))
}

const CONNECTING: &str = "calls overlap only by the time it took to connect, and programs disagree on whether a HAR has that after the time of an entry or before it";

/// The call that goes on longest of those before, going by spans of one kind.
struct Busy<'a> {
    span: fn(&Call) -> Span,
    call: Option<&'a Call>,
}

impl<'a> Busy<'a> {
    fn by(span: fn(&Call) -> Span) -> Self {
        Self { span, call: None }
    }

    /// The call that this one runs into.
    fn hit_by(&self, call: &Call, rounding: TimeDelta) -> Option<&'a Call> {
        self.call.filter(|other| runs_into(call, other, self.span, rounding))
    }

    fn add(&mut self, call: &'a Call) {
        if self.call.is_none_or(|other| (self.span)(call).to > (self.span)(other).to) {
            self.call = Some(call);
        }
    }
}

/// How long calls overlapped, for people: at our own endpoint it may be less than a millisecond.
fn overlap(of: TimeDelta) -> String {
    match (of.num_milliseconds(), of.num_microseconds().unwrap_or_default()) {
        (0, microseconds) => format!("{:.1} ms", microseconds as f64 / 1000.0),
        (milliseconds @ ..1000, _) => format!("{milliseconds} ms"),
        _ => shown(of),
    }
}

/// Calls of one mailbox do not overlap.
pub(super) fn one_at_a_time(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for (mailbox, calls) in traffic.mailboxes() {
        let rounding = rounding(&calls);
        let (mut surely, mut perhaps) = (Busy::by(Span::certain), Busy::by(Span::possible));
        let mut overlapping: Vec<&Call> = Vec::new();
        let mut most = TimeDelta::zero();
        for call in calls {
            for busy in [&mut surely, &mut perhaps] {
                busy.call.take_if(|other| was_over(traffic, other, call));
            }
            if let Some(other) = surely.hit_by(call, rounding) {
                most = most.max(Span::certain(call).common(Span::certain(other)));
                overlapping.extend([other, call]);
            } else if perhaps.hit_by(call, rounding).is_some() {
                examined.pass_over(CONNECTING);
            } else if perhaps.hit_by(call, ROUNDING).is_some() {
                examined.pass_over("the recording has times in whole seconds only");
            } else {
                examined.look();
            }
            if !was_given_up(call) {
                surely.add(call);
                perhaps.add(call);
            }
        }
        if !overlapping.is_empty() {
            examined.find(
                Finding::about(
                    &overlapping,
                    Grade::Broken,
                    format!("calls of {mailbox} ran at the same time"),
                )
                .expected("one connection a mailbox at a time")
                .seen(format!(
                    "{} calls that overlap, by up to {}",
                    overlapping.len() / 2,
                    overlap(most)
                )),
            );
        }
    }
    examined
}
