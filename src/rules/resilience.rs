//! What a product does when things are hard: MESH is not available, breaks off, is slow, or refuses one
//! thing among others. Where no document says what is right, only evident harm is a fault: a message that is
//! lost, an acknowledgement of what was never had, a storm of calls. The rest is for a warning.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use serde_json::Value;

use super::{Fault, FaultKind, acts::inbox_checks, inbox_listed, refusals::of_product};
use crate::{
    protocol::{MessageId, Operation, path_of},
    tape::{Decoded, Exchange, Sha256},
};

/// Calls that begin within this are counted together.
pub(super) const WITHIN: TimeDelta = TimeDelta::seconds(10);
/// So many of them are more than a library's own three repeats, and so many are a storm.
pub(super) const MANY: usize = 5;
const STORM: usize = 10;
/// How much too early is not too early: clocks of two programs, and time on the way.
pub(super) const TOLERANCE: TimeDelta = TimeDelta::milliseconds(250);

const POLL_CYCLE: &str = "OpenAPI: Inbox poll cycle";

/// The product does not make the same call again and again while it is not answered well. What this gives is
/// for a warning: more calls than are good, and not yet a storm.
///
/// # Errors
/// A fault of the product.
pub fn no_storm(acts: &[Arc<Exchange>]) -> Result<Option<Fault>, Fault> {
    let mut same: BTreeMap<(&str, &str), Vec<&Exchange>> = BTreeMap::new();
    for act in acts.iter().filter(|act| !act.is_good()) {
        let head = &act.request.head;
        // What a query says more makes no other call of it.
        let name = act.operation.as_ref().map_or(head.method.as_str(), |operation| operation.name());
        same.entry((name, path_of(&head.target))).or_default().push(act);
    }
    let worst = same.into_values().map(|calls| (most_within(&calls), calls));
    let Some((count, calls)) = worst.max_by_key(|(count, _)| *count).filter(|(count, _)| *count > MANY)
    else {
        return Ok(None);
    };
    let name = calls.first().and_then(|call| call.operation.as_ref()).map_or("a call", Operation::name);
    let fault = Fault::new(
        FaultKind::Product,
        format!("the product made the same call again and again while it was not answered well: {name}"),
        "Wait before a call is made again, longer each time, and give up after a few: everybody does so at the same moment when MESH is in trouble.",
    );
    let expected = format!("no more than {MANY} of these calls within {} s", WITHIN.num_seconds());
    let fault = fault.comparing(expected, format!("{count}"));
    let fault = fault.from_source("No document gives a number; RFC 9110, 503 Service Unavailable");
    if count > STORM { Err(fault) } else { Ok(Some(fault)) }
}

/// The most of these calls that began within that time.
pub(super) fn most_within(calls: &[&Exchange]) -> usize {
    let mut began: Vec<_> = calls.iter().map(|call| call.started_at).collect();
    began.sort_unstable();
    let until = |first| began.partition_point(|time| *time - first <= WITHIN);
    let from = |(place, first)| until(first) - place;
    began.iter().copied().enumerate().map(from).max().unwrap_or_default()
}

/// The product makes no call before the time is over that it was told in `Retry-After`.
///
/// # Errors
/// What is for a warning.
pub fn waits_as_told(acts: &[Arc<Exchange>]) -> Result<(), Fault> {
    for (told, next) in acts.iter().zip(acts.iter().skip(1)) {
        let Some(wait) = told.retry_after() else { continue };
        let after = next.started_at - told.ended_at();
        if after + TOLERANCE < wait {
            let what = "the product called again sooner than it was asked to";
            let remedy =
                "Read Retry-After of an answer 429 or 503, and make no call before that time is over.";
            let fault = Fault::new(FaultKind::Product, what, remedy);
            let expected = format!("no call for {} s", wait.num_seconds());
            let seen = format!("a call after {:.1} s", after.as_seconds_f64());
            return Err(fault
                .comparing(expected, seen)
                .from_source("RFC 9110, Retry-After; RFC 6585, 429 Too Many Requests"));
        }
    }
    Ok(())
}

/// What the product has done about one message.
#[derive(Debug, Default)]
struct Trail {
    /// How many chunks there are.
    total: Option<u32>,
    /// The last good download of each chunk.
    chunks: BTreeMap<u32, Arc<Exchange>>,
    /// Whether it was whole at each acknowledgement.
    acknowledgements: Vec<bool>,
    /// Whether one was answered well.
    accepted: bool,
}

impl Trail {
    fn of(message: &str, calls: &[&Arc<Exchange>]) -> Self {
        let mut trail = Self::default();
        for call in calls {
            match &call.operation {
                Some(Operation::GetMessage(_, id)) if id.as_str() == message => trail.downloaded(1, call),
                Some(Operation::GetChunk(_, id, number)) if id.as_str() == message => {
                    trail.downloaded(number.get(), call);
                }
                Some(Operation::Acknowledge(_, id)) if id.as_str() == message => {
                    trail.acknowledgements.push(trail.is_whole());
                    trail.accepted |= call.is_good();
                }
                _ => {}
            }
        }
        trail
    }

    fn downloaded(&mut self, number: u32, call: &Arc<Exchange>) {
        let Some(response) = call.response.as_ref().filter(|_| call.is_good()) else { return };
        if response.body.decoded == Some(Decoded::Broken) {
            return;
        }
        let total = call.answered_range().map_or(1, |range| range.total().get());
        self.total = Some(self.total.unwrap_or(1).max(total));
        self.chunks.insert(number, Arc::clone(call));
    }

    fn is_whole(&self) -> bool {
        self.total.is_some_and(|total| (1..=total).all(|number| self.chunks.contains_key(&number)))
    }
}

/// Nothing is acknowledged that was not downloaded whole before.
///
/// # Errors
/// A fault of the product.
pub fn acknowledges_only_whole<'a>(
    messages: impl IntoIterator<Item = &'a str>,
    tape: &[Arc<Exchange>],
) -> Result<(), Fault> {
    let calls = of_product(tape);
    for message in messages {
        if Trail::of(message, &calls).acknowledgements.contains(&false) {
            let what =
                format!("the product acknowledged message {message}, which it had not downloaded whole");
            let remedy = "Compare the length of what came with Content-Length, fetch every chunk, keep it, and acknowledge then: what is acknowledged is gone from MESH.";
            let fault = Fault::new(FaultKind::Product, what, remedy);
            return Err(
                fault.from_source("OpenAPI: Inbox poll cycle; RFC 9112, Handling Incomplete Messages")
            );
        }
    }
    Ok(())
}

/// Each of the messages was downloaded whole in the end, and acknowledged after that.
///
/// # Errors
/// A fault of the product, which loses the message: it expires after five days, or is gone already.
pub fn taken_in_the_end<'a>(
    messages: impl IntoIterator<Item = &'a str>,
    tape: &[Arc<Exchange>],
) -> Result<(), Fault> {
    let calls = of_product(tape);
    let own: Vec<Arc<Exchange>> = calls.iter().map(|call| Arc::clone(call)).collect();
    let last_page = inbox_checks(&own).into_iter().rfind(|page| page.is_good());
    let listed = last_page.and_then(|page| inbox_listed(&page, tape).ok());
    for message in messages {
        let trail = Trail::of(message, &calls);
        let gone = listed.as_ref().is_some_and(|page| page.messages.iter().all(|id| id != message));
        let (what, remedy) = if !trail.is_whole() {
            let what = format!("the product never downloaded message {message} whole");
            (
                what,
                "Leave a message in the inbox that could not be had whole, and take it with the next poll cycle: the inbox lists it until it is acknowledged.",
            )
        } else if !(trail.accepted || gone && !trail.acknowledgements.is_empty()) {
            let what = format!("the product never acknowledged message {message} with success");
            (
                what,
                "Acknowledge again with the next poll cycle what is held and still listed: after five days MESH tells the sender that it was not collected.",
            )
        } else {
            continue;
        };
        return Err(Fault::new(FaultKind::Product, what, remedy).from_source(POLL_CYCLE));
    }
    Ok(())
}

/// The content of each of the messages, as it was downloaded in the end, is what was sent.
///
/// # Errors
/// A fault of the endpoint, which is our own.
pub fn unaltered_in_the_end(sent: &BTreeMap<String, Sha256>, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    let calls = of_product(tape);
    for (message, asked) in sent {
        let trail = Trail::of(message, &calls);
        let body = trail.chunks.get(&1).and_then(|call| Some(&call.response.as_ref()?.body));
        if body.is_some_and(|body| body.content_sha256() != Some(*asked)) {
            let what = format!("message {message} is not what was sent");
            let remedy = "Compare both bodies by size and digest below.";
            return Err(Fault::new(FaultKind::Endpoint, what, remedy).from_source("OpenAPI: Get Message"));
        }
    }
    Ok(())
}

/// The good download of each chunk of a message, in their order.
#[must_use]
pub fn chunks_in_the_end(message: &MessageId, tape: &[Arc<Exchange>]) -> Vec<Arc<Exchange>> {
    Trail::of(message.as_str(), &of_product(tape)).chunks.into_values().collect()
}

/// The product did not acknowledge a message that it could not have.
///
/// # Errors
/// A fault of the product.
pub fn left_alone(message: &MessageId, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    acknowledges_only_whole([message.as_str()], tape)
}

/// The last call of an operation: how it was answered is how what was asked for ended.
#[must_use]
pub fn last_of(acts: &[Arc<Exchange>], of: impl Fn(&Operation) -> bool) -> Option<&Arc<Exchange>> {
    acts.iter().rev().find(|act| act.operation.as_ref().is_some_and(&of))
}

/// The product went on until it was ended, while MESH was not available. `how` is how its driver ended, `calls` how many
/// it made until then.
#[must_use]
pub fn did_not_give_up(calls: usize, how: &str) -> Fault {
    let what = format!(
        "the product did not give up while MESH was not available: it made {calls} calls, until it was ended"
    );
    let remedy = "Give up after some tries, tell of the failure, and try again with the next poll; or give the driver more time.";
    let fault = Fault::new(FaultKind::Product, what, remedy).comparing("an end of its own", how);
    fault.from_source("No document gives a number; RFC 9110, 503 Service Unavailable")
}

/// The product has found out by tracking that a send which was not answered was accepted: what the remedies here advise.
#[must_use]
pub fn was_found_by_tracking(acts: &[Arc<Exchange>]) -> bool {
    let is_unanswered = |act: &Exchange| {
        let is_send = matches!(&act.operation, Some(Operation::SendMessage(_)));
        is_send && act.failure.is_some() && act.status().is_none_or(|status| status == 202)
    };
    let mut unanswered = acts.iter().enumerate().filter(|(_, act)| is_unanswered(act));
    unanswered.any(|(place, send)| {
        let local_id = send.request.head.header("mex-localid").unwrap_or_default().trim();
        !local_id.is_empty() && acts.iter().skip(place + 1).any(|act| tells_that_it_is_sent(act, local_id))
    })
}

/// Whether an answer to a tracking call says that the message of this local ID was accepted, or even acknowledged. v1
/// and v2 differ in how they write both.
fn tells_that_it_is_sent(act: &Exchange, local_id: &str) -> bool {
    let is_tracking =
        matches!(&act.operation, Some(Operation::TrackMessage(_) | Operation::TrackLocalId(..)));
    let body = act.response.as_ref().and_then(|response| response.body.kept.as_deref());
    let Some(body) = body.filter(|_| is_tracking && act.is_good()) else { return false };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let is_told = text("localId").or_else(|| text("local_id")) == Some(local_id);
    let is_asked =
        matches!(&act.operation, Some(Operation::TrackLocalId(_, asked)) if asked.as_str() == local_id);
    let status = text("status").unwrap_or_default().to_ascii_lowercase();
    (is_told || is_asked) && matches!(status.as_str(), "accepted" | "acknowledged")
}

/// The product says that it succeeded, and what it was asked to do was not done. `how` is how its driver
/// ended, `failed` the call that was not answered well.
#[must_use]
pub fn took_for_success(failed: &Exchange, how: &str) -> Fault {
    let name = failed.operation.as_ref().map_or("the call", Operation::name);
    let answer = failed.status().filter(|_| failed.failure.is_none());
    let answer = answer.map_or_else(|| "not answered".to_owned(), |status| format!("answered {status}"));
    let what = format!("the product believes that it succeeded, and {name} was {answer}");
    let remedy = "Take for done only what MESH has answered with success, and tell of a failure: here with an exit code other than 0, in the field to a person.";
    let fault = Fault::new(FaultKind::Product, what, remedy).comparing("a failure that is told", how);
    fault.from_source("OpenAPI: Errors; Send message, 202")
}

/// The last call that was not answered well.
#[must_use]
pub fn last_failed(acts: &[Arc<Exchange>]) -> Option<&Arc<Exchange>> {
    acts.iter().rev().find(|act| !act.is_good())
}

/// A send is not repeated by itself where nobody can know whether it was accepted; where it was refused for
/// the moment, not without the same local ID.
///
/// # Errors
/// What is for a warning.
pub fn sends_with_care(acts: &[Arc<Exchange>]) -> Result<(), Fault> {
    let is_send = |act: &&Arc<Exchange>| matches!(&act.operation, Some(Operation::SendMessage(_)));
    let sends: Vec<&Arc<Exchange>> = acts.iter().filter(is_send).collect();
    let Some(first) = sends.first().filter(|_| sends.len() > 1) else { return Ok(()) };
    let local_id = |send: &Exchange| send.request.head.header("mex-localid").unwrap_or_default().to_owned();
    let own = local_id(first);
    let same = !own.is_empty() && sends.iter().all(|send| local_id(send) == own);
    let answered = first.failure.is_none() && first.status().is_some();
    if answered && same {
        return Ok(());
    }
    let what = if answered {
        "the product repeated a send that was refused for the moment, without the same Mex-LocalID"
    } else {
        "the product repeated a send by itself that was not answered: its recipient may have the message twice"
    };
    let remedy = "MESH does not tell a send from its repeat. Give each message a Mex-LocalID, look with it whether the message is there (Track outbox), and send again only if it is not, or have a person decide.";
    let fault = Fault::new(FaultKind::Product, what, remedy);
    let fault = fault.comparing("one send", format!("{} sends", sends.len()));
    Err(fault.from_source("RFC 9110, Idempotent Methods: a POST should not be repeated by itself"))
}

/// The product waited for an answer that came late.
///
/// # Errors
/// What is for a warning.
pub fn waits_for_answers(acts: &[Arc<Exchange>]) -> Result<(), Fault> {
    let Some(given_up) = acts.iter().find(|act| act.failure.is_some()) else { return Ok(()) };
    let name = given_up.operation.as_ref().map_or("a call", Operation::name);
    let what = format!("the product did not wait for an answer that came late: {name}");
    let remedy =
        "Wait for an answer for half a minute at least: a send that is given up may have been accepted.";
    let fault = Fault::new(FaultKind::Product, what, remedy);
    let seen = format!("given up after {:.1} s", given_up.timings.total().as_secs_f64());
    Err(fault.comparing("patience", seen).from_source("No document gives a number"))
}

/// No chunk was sent after one that was refused for good.
///
/// # Errors
/// What is for a warning.
pub fn stops_sending_chunks(acts: &[Arc<Exchange>]) -> Result<(), Fault> {
    let mut refused: Option<(u32, u16)> = None;
    for act in acts {
        let Some(Operation::SendChunk(_, _, number)) = &act.operation else { continue };
        if let Some((chunk, status)) = refused {
            let what = format!("the product sent chunk {number} after chunk {chunk} was answered {status}");
            let remedy = "Stop at a chunk that is refused, and tell a person: the message cannot be completed any more.";
            let fault = Fault::new(FaultKind::Product, what, remedy);
            return Err(fault.from_source("OpenAPI: Send chunked message, 417 and 423"));
        }
        refused =
            act.status().filter(|status| matches!(status, 417 | 423)).map(|status| (number.get(), status));
    }
    Ok(())
}

/// What the recipient has of a message that was to be sent once.
///
/// # Errors
/// What is for a warning: it has more than one.
pub fn arrived_once(copies: usize) -> Result<(), Fault> {
    if copies <= 1 {
        return Ok(());
    }
    let what = "the recipient has the message more than once";
    let remedy =
        "Before a message is sent again, look with its Mex-LocalID whether it was accepted (Track outbox).";
    let fault = Fault::new(FaultKind::Product, what, remedy).comparing("one", copies.to_string());
    Err(fault.from_source("OpenAPI: Send message; RFC 9110, Idempotent Methods"))
}
