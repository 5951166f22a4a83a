//! Why an exchange did not end as it should have, and whose fault that is.

use std::sync::Arc;

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::Value;

use super::{Fault, FaultKind};
use crate::{
    protocol::{Operation, TokenTimestamp},
    tape::{Actor, Exchange, FailureKind, HashCheck, Party, TransportFailure},
};

/// Says why `exchange` did not end as `expected`. `tape` is all that was seen so far: whether other
/// mailboxes fared better tells a wrong password from a wrong shared key.
#[must_use]
pub fn diagnose(exchange: &Exchange, expected: &str, source: &str, tape: &[Arc<Exchange>]) -> Fault {
    let fault = match (&exchange.failure, exchange.status()) {
        (Some(failure), _) => transport(exchange, failure),
        (None, None) => Fault::new(
            FaultKind::Endpoint,
            "there is no answer",
            "Run again; if it stays so, ask whoever runs the endpoint.",
        ),
        (None, Some(_)) if is_markup(exchange) => not_mesh(exchange),
        (None, Some(403)) => refused(exchange, tape),
        (None, Some(status)) if status >= 500 || status == 0 => Fault::new(
            FaultKind::Endpoint,
            format!("the endpoint failed with {status}"),
            "The endpoint is at fault, not the product. Run again later; if it stays so, give the time and the request to whoever runs the endpoint.",
        ),
        (None, Some(417)) => unregistered(exchange),
        (None, Some(_)) => Fault::new(
            FaultKind::Product,
            format!("{} was not answered as it should be", operation(exchange)),
            "Compare the request below with the operation in the OpenAPI: the answer's body says which part was not taken.",
        ),
    };
    let fault = match (exchange.actor, fault.kind) {
        // What the counterpart does wrong is not the product's fault: it acts on the configuration.
        (Actor::Counterpart, FaultKind::Product) => Fault { kind: FaultKind::Configuration, ..fault },
        _ => fault,
    };
    let seen = exchange.failure.as_ref().map_or_else(|| answer(exchange), ToString::to_string);
    fault.comparing(expected, seen).from_source(source)
}

fn transport(exchange: &Exchange, failure: &TransportFailure) -> Fault {
    let origin = &exchange.origin;
    if exchange.relay.as_ref().is_some_and(|relay| relay.broken_off_by == Some(Party::Product)) {
        return Fault::new(
            FaultKind::Product,
            "the product ended the connection before it was answered",
            "Wait for the answer, for some minutes where a body is large: a call that is not waited for may have been taken all the same.",
        );
    }
    let (kind, what, remedy) = match failure.kind {
        FailureKind::NameNotFound => (
            FaultKind::Endpoint,
            format!("the name of {origin} was not found"),
            "Check endpoint.url in the configuration, and that this machine can look up the name.",
        ),
        FailureKind::ConnectionRefused => (
            FaultKind::Endpoint,
            format!("nobody answers at {origin}"),
            "Check that the endpoint is up, that endpoint.url names the right port, and that no firewall is in between.",
        ),
        FailureKind::UnknownIssuer => (
            FaultKind::Configuration,
            format!("the certificate of {origin} is not from the authority in endpoint.ca_file"),
            "Put the authority that issued the endpoint's certificate into endpoint.ca_file: for integration, NHS INT Authentication G2 with its root.",
        ),
        FailureKind::BadServerCertificate => (
            FaultKind::Endpoint,
            format!("the certificate of {origin} is not valid for it"),
            "Check that endpoint.url has the host name that the certificate is for, and the certificate's dates.",
        ),
        FailureKind::ClientCertificateRequired => (
            FaultKind::Configuration,
            format!("{origin} requires a client certificate and none was presented"),
            "Set endpoint.client_certificate_file and endpoint.client_key_file to the certificate that you were issued for this environment.",
        ),
        FailureKind::ClientCertificateRefused => (
            FaultKind::Configuration,
            format!("{origin} refuses the client certificate"),
            "Each environment has its own certificates: check that this one was issued for this environment and has not expired.",
        ),
        FailureKind::Tls => (
            FaultKind::Endpoint,
            format!("TLS with {origin} failed"),
            "Check that the endpoint speaks TLS 1.2 or 1.3 at that port.",
        ),
        FailureKind::TimedOut => (
            FaultKind::Endpoint,
            format!("{origin} did not answer in time"),
            "Check that the endpoint is well; timeouts in the configuration say how long to wait.",
        ),
        FailureKind::Closed => (
            FaultKind::Endpoint,
            format!("{origin} closed the connection before it had answered"),
            "Run again; if it stays so, ask whoever runs the endpoint what it logged at this time.",
        ),
        FailureKind::NotHttp => (
            FaultKind::Endpoint,
            format!("what answers at {origin} does not speak HTTP as it should"),
            "Check endpoint.url: it must name a MESH endpoint.",
        ),
    };
    Fault::new(kind, what, remedy)
}

/// A web page or a SOAP fault: a proxy in between, or not MESH at all. A payload may be markup too, so
/// what was downloaded is not looked at.
pub(super) fn is_markup(exchange: &Exchange) -> bool {
    let Some(response) = &exchange.response else { return false };
    let downloads = matches!(exchange.operation, Some(Operation::GetMessage(..) | Operation::GetChunk(..)));
    if downloads && matches!(response.head.status, 200 | 206) {
        return false;
    }
    let media_type = response.head.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let text = response.body.kept.as_deref().unwrap_or_default().trim_ascii_start();
    media_type.starts_with("text/html") || media_type.contains("xml") || text.starts_with(b"<")
}

fn not_mesh(exchange: &Exchange) -> Fault {
    Fault::new(
        FaultKind::Endpoint,
        format!("what answers at {} is not MESH: it sent a page of markup", exchange.origin),
        "Check endpoint.url, and whether a proxy or a gateway in between answers in MESH's place.",
    )
}

/// 403: which part of the token could be wrong, as far as the tape can tell.
fn refused(exchange: &Exchange, tape: &[Arc<Exchange>]) -> Fault {
    let kind = FaultKind::Product;
    let (Some(token), None) = (&exchange.token, exchange.token_fault) else { return not_a_token(exchange) };
    let mailbox = token.mailbox.as_str();
    // That is certain, whatever the clocks show.
    if was_used(exchange, tape) {
        return Fault::new(
            kind,
            format!("the endpoint refused a token of {mailbox} that was used before"),
            "Make a new token for every request: change the nonce, or raise its count.",
        );
    }
    if let Some(ahead) = clock_difference(exchange).filter(|ahead| ahead.abs() > TokenTimestamp::WINDOW) {
        let direction = if ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
        return Fault::new(
            kind,
            format!(
                "the clock of this machine is {} {direction} the endpoint's, so the token of {mailbox} was refused",
                duration(ahead.abs())
            ),
            "Set the clock of this machine. A token's timestamp is UTC and must be within two hours of the endpoint's time.",
        );
    }
    if token.hash == HashCheck::Differs {
        return Fault::new(
            kind,
            format!("the endpoint refused {mailbox}, whose token is not made as the specification says"),
            "The harness recomputed the token's hash and it differs: compare the code that makes the token with the OpenAPI's section on the authorization header. `mesh-witness token --explain` tells what a wrong hash was made of.",
        );
    }
    let others = |accepted: bool| {
        tape.iter().any(|other| {
            let someone_else = other.token.as_ref().is_some_and(|token| token.mailbox != mailbox);
            someone_else && other.status().is_some_and(|status| (status != 403) == accepted)
        })
    };
    match (others(true), others(false)) {
        (true, _) => Fault::new(
            kind,
            format!(
                "the endpoint refused the token of {mailbox}, while it accepts another mailbox with the same shared key"
            ),
            format!(
                "The password of {mailbox} is wrong, or the mailbox is disabled. Check the password in the configuration; have the mailbox checked by whoever runs the endpoint."
            ),
        ),
        (false, true) => Fault::new(
            kind,
            format!("the endpoint refused the tokens of {mailbox} and of the other mailbox alike"),
            "The shared key is wrong, most likely: it is what both tokens have in common. Check endpoint.shared_key, which differs from the mailbox password.",
        ),
        (false, false) => Fault::new(
            kind,
            format!("the endpoint refused the token of {mailbox}"),
            "The password or the shared key is wrong, or the mailbox is disabled or not registered: from outside these cannot be told apart.",
        ),
    }
}

/// 403 to a call without a token, or with one that is none.
fn not_a_token(exchange: &Exchange) -> Fault {
    let mailbox = exchange.operation.as_ref().and_then(Operation::mailbox);
    let call = mailbox.map_or_else(|| "a call".to_owned(), |mailbox| format!("a call of {mailbox}"));
    match exchange.token_fault {
        Some(fault) => Fault::new(
            FaultKind::Product,
            format!("the endpoint refused {call}, whose Authorization header is not a token"),
            format!("Make the header so that {}; it has {}.", fault.demand(), fault.seen()),
        ),
        None => Fault::new(
            FaultKind::Product,
            format!("the endpoint refused {call} that has no Authorization header"),
            "Send a token with each call on a mailbox: the OpenAPI's section on the authorization header says how it is made.",
        ),
    }
}

/// Whether an earlier call had the very same token.
fn was_used(exchange: &Exchange, tape: &[Arc<Exchange>]) -> bool {
    let fields = |of: &Exchange| {
        let token = of.token.as_ref()?;
        Some((token.mailbox.clone(), token.nonce.clone(), token.nonce_count.clone(), token.timestamp.clone()))
    };
    let own = fields(exchange);
    let earlier = tape.iter().filter(|other| other.started_at < exchange.started_at);
    own.is_some() && earlier.into_iter().any(|other| fields(other) == own)
}

/// How far the clock by which the token was made is ahead of the endpoint's, by the response's `Date`.
/// That clock is this machine's, unless a token tells of another: its own time has no seconds.
fn clock_difference(exchange: &Exchange) -> Option<TimeDelta> {
    let theirs = exchange.date()?;
    let told = exchange.token.as_ref().map(|token| token.timestamp.as_str()).unwrap_or_default();
    let told = NaiveDateTime::parse_from_str(told, "%Y%m%d%H%M").ok().map(|told| told.and_utc());
    let another = told.filter(|told| (exchange.started_at - told).abs() > TimeDelta::minutes(2));
    Some(another.unwrap_or_else(|| exchange.ended_at()) - theirs)
}

fn duration(delta: TimeDelta) -> String {
    format!("{} h {} min", delta.num_hours(), delta.num_minutes() % 60)
}

/// 417 (pack case 702): the recipient is not registered, or the data was not taken.
fn unregistered(exchange: &Exchange) -> Fault {
    let to = exchange.request.head.header("mex-to").unwrap_or("?");
    match error_code(exchange).as_deref() {
        Some("12") => Fault::new(
            FaultKind::Configuration,
            format!("the endpoint does not know the recipient {to}"),
            "Check the mailbox IDs in the configuration: they differ between environments.",
        ),
        code => Fault::new(
            FaultKind::Product,
            format!("the endpoint did not take the message (code {})", code.unwrap_or("none")),
            "The code says what was wrong with the message: see \"Error codes\" in the OpenAPI.",
        ),
    }
}

fn operation(exchange: &Exchange) -> &'static str {
    exchange.operation.as_ref().map_or("the call", |operation| operation.name())
}

/// The status line and what the error body says, in one line.
fn answer(exchange: &Exchange) -> String {
    let Some(response) = &exchange.response else { return "no answer".to_owned() };
    let status = format!("{} {}", response.head.status, response.head.reason);
    match error_text(exchange) {
        Some(text) => format!("{}: {text}", status.trim()),
        None => status.trim().to_owned(),
    }
}

fn reply(exchange: &Exchange) -> Option<Value> {
    serde_json::from_slice(exchange.response.as_ref()?.body.kept.as_ref()?).ok()
}

/// The error code in either shape of MESH's error body.
pub(super) fn error_code(exchange: &Exchange) -> Option<String> {
    let body = reply(exchange)?;
    let code = body.get("errorCode").or_else(|| body.pointer("/detail/0/code"))?;
    Some(crate::tape::printable(code.as_str()?.as_bytes()))
}

fn error_text(exchange: &Exchange) -> Option<String> {
    let body = reply(exchange)?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let message = text("/errorDescription").or_else(|| text("/detail/0/msg"))?;
    let place = body.pointer("/detail/0/loc").map(|loc| format!("{loc} ")).unwrap_or_default();
    let code = error_code(exchange)
        .filter(|code| !code.is_empty())
        .map(|code| format!("{code} "))
        .unwrap_or_default();
    let line = format!("{code}{place}{message}");
    Some(crate::tape::printable(line.chars().take(300).collect::<String>().as_bytes()))
}
