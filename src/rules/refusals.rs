//! What a product does when MESH says no (pack cases 701, 702, 704, 705), and the reports that MESH
//! writes to a sender (pack cases 702, 703).

use std::sync::Arc;

use super::{Fault, FaultKind, acts::looked_at, diagnose, diagnosis::error_code};
use crate::{
    protocol::{MessageId, Operation},
    tape::{Actor, Exchange},
};

/// How often a call that was refused may be made again: a library may try once more.
const REPEATS: usize = 1;

/// MESH answered with this status, as the case provokes it.
///
/// # Errors
/// A fault of the endpoint when it answered well, and otherwise what is wrong with the call.
pub fn answered(exchange: &Exchange, status: u16, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    let source = case_of(status);
    if exchange.failure.is_none() && exchange.status() == Some(status) {
        return Ok(());
    }
    if exchange.status().is_some_and(|seen| seen < 400) && exchange.failure.is_none() {
        let operation = exchange.operation.as_ref().map_or("the call", Operation::name);
        let what = format!(
            "{operation} was answered {}, and this case is about {status}",
            exchange.status().unwrap_or_default()
        );
        let remedy =
            "See that what the case needs was brought about; if it was, tell whoever runs the endpoint.";
        let fault = Fault::new(FaultKind::Endpoint, what, remedy);
        let seen = exchange.response.as_ref().map(|response| response.head.line()).unwrap_or_default();
        return Err(fault.comparing(status.to_string(), seen).from_source(source));
    }
    Err(diagnose(exchange, &status.to_string(), source, tape))
}

/// The product makes nothing worse: it repeats the call that was refused once at most, and neither
/// downloads after an inbox check nor acknowledges after a download that was refused.
///
/// # Errors
/// A fault of the product.
pub fn copes(refusal: &Exchange, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    let source = case_of(refusal.status().unwrap_or_default());
    let after = || {
        let after = tape.iter().skip_while(|other| !std::ptr::eq(other.as_ref(), refusal)).skip(1);
        after.filter(|other| other.actor == refusal.actor)
    };
    let again = |operation: &Option<Operation>| {
        after().filter(|other| other.operation == *operation && other.status() == refusal.status()).count()
    };
    // To download once what was looked at in vain is no repeat yet.
    let downloads = match &refusal.operation {
        Some(Operation::HeadMessage(mailbox, id)) => {
            again(&Some(Operation::GetMessage(mailbox.clone(), id.clone()))).saturating_sub(1)
        }
        _ => 0,
    };
    let repeats = again(&refusal.operation).max(downloads).max(elsewhere(refusal, after()));
    if repeats > REPEATS {
        let what = "the product repeats a call that was refused for good";
        let remedy = "Take a refusal for an answer: show it to a person, and try again no sooner than with the next poll.";
        let seen = format!("{repeats} more times");
        return Err(Fault::new(FaultKind::Product, what, remedy)
            .comparing("once more at most", seen)
            .from_source(source));
    }
    // A send that was refused says nothing of messages that wait.
    let goes_on = |other: &Exchange| match (&refusal.operation, &other.operation) {
        (
            Some(Operation::CheckInbox(_) | Operation::Handshake(_)),
            Some(Operation::GetMessage(..) | Operation::Acknowledge(..)),
        ) => true,
        (_, Some(Operation::Acknowledge(_, id))) => looked_at(refusal) == Some(id),
        _ => false,
    };
    let acknowledged = after().any(|other| goes_on(other));
    if acknowledged {
        let what = "the product goes on after a refusal as if it had been given messages";
        let remedy = "Download only what an inbox check has listed, and acknowledge only what was downloaded with success.";
        return Err(Fault::new(FaultKind::Product, what, remedy).from_source(source));
    }
    Ok(())
}

/// How often another call was repeated that was refused like this one: who is not let in (403) is let in nowhere, whether it
/// is seen by a handshake or in the inbox.
fn elsewhere<'a>(refusal: &Exchange, after: impl Iterator<Item = &'a Arc<Exchange>>) -> usize {
    let is_same =
        |other: &&Arc<Exchange>| other.status() == Some(403) && other.operation != refusal.operation;
    let mut counts: Vec<(&Option<Operation>, usize)> = Vec::new();
    for other in after.filter(|other| refusal.status() == Some(403) && is_same(other)) {
        match counts.iter_mut().find(|(operation, _)| **operation == other.operation) {
            Some((_, count)) => *count += 1,
            None => counts.push((&other.operation, 1)),
        }
    }
    counts.into_iter().map(|(_, count)| count - 1).max().unwrap_or_default()
}

/// The send was refused since nobody has that mailbox: 417 with code 12, or one of the endpoint lookup.
/// The message ID, where the endpoint gave one.
///
/// # Errors
/// A fault of the endpoint that took the message, or what else is wrong with the send.
pub fn recipient_refused(send: &Exchange, tape: &[Arc<Exchange>]) -> Result<Option<MessageId>, Fault> {
    answered(send, 417, tape)?;
    let code = error_code(send).unwrap_or_default();
    if code != "12" && !code.starts_with("EPL") {
        let what = "the endpoint refused the message for another reason than its recipient";
        let remedy = "Look at the answer's error code: the message must be good but for its recipient.";
        let seen = if code.is_empty() { "no code".to_owned() } else { format!("code {code}") };
        let fault = Fault::new(FaultKind::Endpoint, what, remedy);
        return Err(fault.comparing("code 12, or one that begins with EPL", seen).from_source(case_of(417)));
    }
    Ok(send.given_id())
}

/// What was downloaded is a report on this message: REPORT, linked to it, and of an error.
///
/// # Errors
/// A fault of the endpoint.
pub fn reports_on(download: &Exchange, message: &MessageId) -> Result<(), Fault> {
    let header = |name: &str| {
        let response = download.response.as_ref();
        response.and_then(|response| response.head.header(name)).unwrap_or("nothing").trim().to_owned()
    };
    let (kind, linked) = (header("mex-messagetype"), header("mex-linkedmsgid"));
    let (success, code) = (header("mex-statussuccess"), header("mex-statuscode"));
    let is_report = kind.eq_ignore_ascii_case("REPORT") && linked == message.as_str();
    if is_report && success.eq_ignore_ascii_case("ERROR") && code != "00" {
        return Ok(());
    }
    let what = "what was downloaded is no report of an error with the message";
    let remedy = "Look at the headers of the download; tell whoever runs the endpoint.";
    let expected = format!("Mex-MessageType REPORT, Mex-LinkedMsgID {message}, Mex-StatusSuccess ERROR");
    let seen = format!(
        "Mex-MessageType {kind}, Mex-LinkedMsgID {linked}, Mex-StatusSuccess {success}, Mex-StatusCode {code}"
    );
    let fault = Fault::new(FaultKind::Endpoint, what, remedy).comparing(expected, seen);
    Err(fault.from_source("OpenAPI: Asynchronous error reporting"))
}

/// The report says that nobody collected the message in time: code 14.
///
/// # Errors
/// A warning's fault: that code stands in the table of the OpenAPI, and nowhere that it must be this.
pub fn says_undelivered(download: &Exchange) -> Result<(), Fault> {
    let code = download.response.as_ref().and_then(|response| response.head.header("mex-statuscode"));
    if code.map(str::trim) == Some("14") {
        return Ok(());
    }
    let what = "the report has another code than that of a message that was not collected";
    let remedy = "Compare Mex-StatusDescription with what is expected, and ask whoever runs the endpoint.";
    let fault = Fault::new(FaultKind::Endpoint, what, remedy);
    Err(fault.comparing("Mex-StatusCode: 14", code.unwrap_or("nothing")).from_source("OpenAPI: Error codes"))
}

/// Whether a look at a message's head says that it is a report on this message.
#[must_use]
pub fn is_report_on(head: &Exchange, message: &MessageId) -> bool {
    reports_on(head, message).is_ok()
}

/// In which case of the pack a status is provoked.
fn case_of(status: u16) -> &'static str {
    match status {
        403 => "Pack case 701: authentication failure",
        404 => "Pack case 704: download of a message that does not exist",
        410 => "Pack case 705: download of a message that was downloaded already",
        417 => "Pack case 702: invalid recipient",
        _ => "Pack, set 7",
    }
}

/// The calls of the product in a scenario.
#[must_use]
pub fn of_product(tape: &[Arc<Exchange>]) -> Vec<&Arc<Exchange>> {
    tape.iter().filter(|exchange| exchange.actor == Actor::Product).collect()
}
