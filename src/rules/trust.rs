//! What a product does when whoever answers at MESH's address cannot be trusted to be MESH, or when it is
//! told that MESH is elsewhere. Evident harm is a token, or a message, in the hands of somebody else.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{Fault, FaultKind, resilience::WITHIN};
use crate::tape::{Attempt, Exchange};

/// So many connections within ten seconds are more than the repeats of a library for the few calls of one
/// ask, and so many are a storm.
const MANY: usize = 10;
const STORM: usize = 30;

const VERIFICATION: &str = "RFC 9110, 4.3.4 https Certificate Verification; RFC 5280, 6 Certification Path Validation; RFC 9525, 6 Verifying Service Identity";

/// The product came to see the certificate that nobody should trust. `asked` is what it was asked to do, `how`
/// how its driver ended, `acts` the calls that it has made.
///
/// # Errors
/// A fault of the product that did not connect; of ours, when it was let through to MESH.
pub fn met_impostor(
    attempts: &[Arc<Attempt>],
    acts: &[Arc<Exchange>],
    asked: &str,
    how: &str,
) -> Result<(), Fault> {
    if !attempts.is_empty() {
        return Ok(());
    }
    if acts.iter().any(|act| act.response.is_some()) {
        let what = "the emulator was to present a certificate that nobody should trust, and did not";
        return Err(Fault::new(
            FaultKind::Harness,
            what,
            "This is a fault of mesh-witness: please report it.",
        ));
    }
    let what = format!("the product was asked to {asked}, and made no connection");
    let remedy = "Look at what its driver put out, in data/product: whether it calls MESH_URL. Only who connects can be seen to refuse a certificate.";
    Err(Fault::new(FaultKind::Product, what, remedy).comparing("a TLS handshake with MESH_URL", how))
}

/// The product sent nothing to whoever presented a certificate that nobody should trust. Refusing it while the
/// handshake goes on, or directly after it, are both well.
///
/// # Errors
/// A fault of the product.
pub fn sends_nothing_to_impostor(attempts: &[Arc<Attempt>], acts: &[Arc<Exchange>]) -> Result<(), Fault> {
    let Some(trusted) = attempts.iter().find(|attempt| attempt.received > 0) else { return Ok(()) };
    let over: Vec<&Arc<Exchange>> = acts.iter().filter(|act| is_over(act, trusted)).collect();
    let given = given(&over).unwrap_or_else(|| format!("{} bytes", trusted.received));
    let what = if trusted.is_plain() {
        format!("the product fell back to plain HTTP where {} was presented, and sent {given}", trusted.wrong)
    } else {
        format!("the product trusted {}, and sent {given} over it", trusted.wrong)
    };
    let remedy = "Have the HTTP library verify the server, as most do unless they are told otherwise: the authority, which is in MESH_CA_FILE, the host's name, and the time; and end the connection where that fails. Otherwise whoever sits in between reads and changes all that is sent and received.";
    let calls: Vec<String> = over.iter().map(|act| act.request.head.line()).collect();
    let seen = if calls.is_empty() { trusted.to_string() } else { calls.join("; ") };
    Err(Fault::new(FaultKind::Product, what, remedy).comparing("no request", seen).from_source(VERIFICATION))
}

/// Whether an exchange went over that connection, or one like it.
fn is_over(act: &Exchange, attempt: &Attempt) -> bool {
    let presented = act.tls.as_ref().and_then(|tls| tls.server_certificate.as_ref());
    match &attempt.certificate {
        Some(certificate) => presented.is_some_and(|other| other.fingerprint == certificate.fingerprint),
        None => act.tls.is_none() && act.origin.starts_with("http:"),
    }
}

/// What was given out of hand by these calls; `None` where there are none.
fn given(acts: &[&Arc<Exchange>]) -> Option<String> {
    let tokens = acts.iter().any(|act| has_token(act));
    let content: u64 = acts.iter().map(|act| act.request.body.size).sum();
    match (acts.is_empty(), tokens, content) {
        (true, ..) => None,
        (_, true, 0) => Some("its token".to_owned()),
        (_, true, bytes) => Some(format!("its token and {bytes} bytes of content")),
        (_, false, 0) => Some("a request".to_owned()),
        (_, false, bytes) => Some(format!("{bytes} bytes of content")),
    }
}

fn has_token(act: &Exchange) -> bool {
    act.token.is_some() || act.request.head.header("authorization").is_some()
}

/// The product says that it succeeded, and whoever answered could not be trusted. `how` is how its driver ended.
#[must_use]
pub fn took_impostor_for_mesh(attempts: &[Arc<Attempt>], how: &str) -> Fault {
    let wrong = attempts.last().map_or("a certificate that nobody should trust", |last| &last.wrong);
    let what = format!("the product believes that it succeeded, and at MESH's address was {wrong}");
    let remedy = "Take a connection that cannot be trusted for a failure, and tell of it: here with an exit code other than 0, in the field in a log and to a person.";
    let fault = Fault::new(FaultKind::Product, what, remedy).comparing("a failure that is told", how);
    fault.from_source("RFC 9110, 4.3.4 https Certificate Verification: automated clients log the error")
}

/// The product did not connect again and again to whoever it cannot trust. What this gives is for a warning.
///
/// # Errors
/// A fault of the product.
pub fn no_storm_of_connections(attempts: &[Arc<Attempt>]) -> Result<Option<Fault>, Fault> {
    let within = |first: &Arc<Attempt>| {
        let near =
            |other: &&Arc<Attempt>| (TimeDelta::zero()..=WITHIN).contains(&(other.began - first.began));
        attempts.iter().filter(near).count()
    };
    let count = attempts.iter().map(within).max().unwrap_or_default();
    if count <= MANY {
        return Ok(None);
    }
    let what = "the product connected again and again to an endpoint whose certificate it does not trust";
    let remedy = "Wait before another attempt, longer each time, and give up after a few: the certificate will be no other in a moment.";
    let expected = format!("no more than {MANY} connections within {} s", WITHIN.num_seconds());
    let fault = Fault::new(FaultKind::Product, what, remedy).comparing(expected, count.to_string());
    let fault = fault.from_source("No document gives a number");
    if count > STORM { Err(fault) } else { Ok(Some(fault)) }
}

/// The product sent its token to nobody but MESH, and what it has to say to nobody in the clear, whatever an
/// answer says of where MESH is. What this gives is for a warning: it went there without its token.
///
/// # Errors
/// A fault of the product.
pub fn stays_with_mesh(elsewhere: &[Arc<Exchange>]) -> Result<Option<Fault>, Fault> {
    const REMEDY: &str = "Have the HTTP library follow no redirects: no document of MESH's has any. Take an answer 3xx for a failure, and tell a person that MESH's address may have changed.";
    let fault = |what: String, act: &Exchange| {
        let seen = format!("{} to {}", act.request.head.line(), act.origin);
        let fault = Fault::new(FaultKind::Product, what, REMEDY).comparing("no call to another host", seen);
        fault.from_source("RFC 9110, 15.4 Redirection 3xx: consider removing Authorization; Fetch and curl take it off towards another host; OpenAPI: no operation has a redirect")
    };
    if let Some(act) = elsewhere.iter().find(|act| has_token(act)) {
        let given = given(&[act]).unwrap_or_default();
        return Err(fault(
            format!("the product followed a redirect to another host, and sent it {given}"),
            act,
        ));
    }
    let size = |act: &Exchange| act.request.body.size;
    let is_open = |act: &&Arc<Exchange>| act.tls.is_none() && size(act) > 0;
    if let Some(act) = elsewhere.iter().find(is_open) {
        let what = "the product followed a redirect to another host, and sent it";
        return Err(fault(format!("{what} {} bytes of content in the clear", size(act)), act));
    }
    let Some(act) = elsewhere.iter().max_by_key(|act| size(act)) else { return Ok(None) };
    let what = match size(act) {
        0 if act.tls.is_none() => "the product followed a redirect to another host in the clear, without its token and without content".to_owned(),
        0 => "the product followed a redirect to another host, without its token".to_owned(),
        bytes => format!("the product followed a redirect to another host, and sent it {bytes} bytes of content, without its token"),
    };
    Ok(Some(fault(what, act)))
}
