//! Messages that travel in chunks (pack cases 501 and 502).

use std::{collections::BTreeMap, sync::Arc};

use super::{Fault, FaultKind, diagnose, message_accepted};
use crate::{
    protocol::{MessageId, Operation},
    tape::{Actor, Decoded, Exchange, Sha256},
};

const SENDING: &str = "Pack case 502; OpenAPI: Send chunked message";
const RECEIVING: &str = "Pack case 501; OpenAPI: Get Message chunk";

/// The requests by which a message was sent: the first, and those of its further chunks, in the order
/// in which they were made.
#[must_use]
pub fn sends_of(message: &MessageId, first: &Arc<Exchange>, tape: &[Arc<Exchange>]) -> Vec<Arc<Exchange>> {
    let later = tape.iter().filter(|exchange| {
        exchange.actor == first.actor
            && matches!(&exchange.operation, Some(Operation::SendChunk(_, id, _)) if id == message)
    });
    std::iter::once(first).chain(later).cloned().collect()
}

/// The requests of a message that were accepted, by chunk, the last of each: the message as MESH has it.
#[must_use]
pub fn accepted_sends_of(
    message: &MessageId,
    first: &Arc<Exchange>,
    tape: &[Arc<Exchange>],
) -> Vec<Arc<Exchange>> {
    let mut chunks = BTreeMap::from([(1, Arc::clone(first))]);
    for send in sends_of(message, first, tape).into_iter().filter(|send| is_accepted(send)) {
        if let Some(Operation::SendChunk(_, _, number)) = &send.operation {
            chunks.insert(number.get(), send);
        }
    }
    chunks.into_values().collect()
}

/// Every chunk of the message that began with this send was accepted. Until then MESH delivers none of it
/// (OpenAPI, Send chunked message).
pub(super) fn is_complete(first: &Arc<Exchange>, tape: &[Arc<Exchange>]) -> bool {
    if !is_accepted(first) {
        return false;
    }
    let total = first.sent_range().map_or(1, |range| range.total().get());
    if total == 1 {
        return true;
    }
    let Ok(message) = message_accepted(first, &[]) else { return false };
    accepted_sends_of(&message, first, tape).len() as u64 >= u64::from(total)
}

/// The message with which these calls went on: they sent chunks of it and began none anew. Its first send.
#[must_use]
pub fn resumed(acts: &[Arc<Exchange>], tape: &[Arc<Exchange>]) -> Option<Arc<Exchange>> {
    if acts.iter().any(|act| is_first_send(act)) {
        return None;
    }
    let sent = acts.iter().find_map(|act| match &act.operation {
        Some(Operation::SendChunk(_, id, _)) => Some((act.actor, id)),
        _ => None,
    });
    let (actor, message) = sent?;
    let begins = |send: &&Arc<Exchange>| {
        send.actor == actor
            && is_first_send(send)
            && message_accepted(send, &[]).is_ok_and(|accepted| accepted == *message)
    };
    tape.iter().find(begins).cloned()
}

/// Whether a message that these calls sent, or a chunk of it, has been sent whole: by them, or by them and earlier
/// ones on the tape.
#[must_use]
pub fn is_sent(acts: &[Arc<Exchange>], tape: &[Arc<Exchange>]) -> bool {
    let of_these = |send: &Arc<Exchange>| {
        let accepted = || message_accepted(send, &[]).ok();
        let is_chunk = |act: &Arc<Exchange>, message: &MessageId| {
            matches!(&act.operation, Some(Operation::SendChunk(_, id, _)) if id == message)
                && is_accepted(act)
        };
        acts.iter().any(|act| Arc::ptr_eq(act, send))
            || accepted().is_some_and(|message| acts.iter().any(|act| is_chunk(act, &message)))
    };
    let mut sends = tape.iter().filter(|exchange| is_first_send(exchange));
    sends.any(|send| of_these(send) && is_complete(send, tape))
}

fn is_first_send(exchange: &Exchange) -> bool {
    matches!(&exchange.operation, Some(Operation::SendMessage(_)))
}

fn is_accepted(send: &Exchange) -> bool {
    send.failure.is_none() && send.status() == Some(202)
}

/// The requests by which an actor downloaded a message, in the order in which they were made.
#[must_use]
pub fn downloads_of(message: &MessageId, actor: Actor, tape: &[Arc<Exchange>]) -> Vec<Arc<Exchange>> {
    let of_message = |exchange: &&Arc<Exchange>| {
        exchange.actor == actor
            && matches!(
                &exchange.operation,
                Some(Operation::GetMessage(_, id) | Operation::GetChunk(_, id, _)) if id == message
            )
    };
    tape.iter().filter(of_message).cloned().collect()
}

/// The message was sent in at least two chunks, in order, each accepted, up to the last.
///
/// # Errors
/// A fault of the product, or why the endpoint did not accept a chunk.
pub fn sent_in_chunks(sends: &[Arc<Exchange>], tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    if sends.len() < 2 {
        let what = "the message was not sent in chunks";
        let remedy = "Split a message that is larger than a request may be, and send each part with its Mex-Chunk-Range.";
        let kind = sends.first().map_or(FaultKind::Product, |first| kind_of(first));
        return Err(Fault::new(kind, what, remedy).from_source(SENDING));
    }
    // Of one that was broken off fewer were sent than the first says.
    let said = sends.first().and_then(|first| first.sent_range());
    let total = said.map_or(sends.len(), |range| range.total().get() as usize);
    let numbered = |place: usize, send: &Exchange, seen: &str| {
        let expected = format!("{place}:{total}");
        if seen == expected {
            return Ok(());
        }
        let what = "the chunks are not numbered one after the other, up to the last";
        let remedy = "Number chunks from 1, in the order in which they are sent, each with the number of all: 1:3, 2:3, 3:3.";
        let fault = Fault::new(kind_of(send), what, remedy);
        Err(fault.comparing(format!("Mex-Chunk-Range: {expected}"), seen).from_source(SENDING))
    };
    for (place, send) in (1..).zip(sends) {
        numbered(place, send, send.request.head.header("mex-chunk-range").unwrap_or("nothing").trim())?;
        if send.failure.is_some() || send.status() != Some(202) {
            return Err(diagnose(send, "202", SENDING, tape));
        }
    }
    match sends.last() {
        Some(last) if sends.len() < total => numbered(sends.len() + 1, last, "nothing"),
        _ => Ok(()),
    }
}

/// Every chunk was downloaded once and in order: 206 for each but the last, which is 200.
///
/// # Errors
/// A fault of the product that did not fetch them all, or of the endpoint.
pub fn downloaded_in_chunks(downloads: &[Arc<Exchange>], tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    let said = downloads.first().and_then(|first| first.answered_range());
    let total = said.map_or(1, |range| range.total().get());
    for (place, download) in (1..).zip(downloads) {
        let asked = match &download.operation {
            Some(Operation::GetChunk(_, _, number)) => number.get(),
            _ => 1,
        };
        if asked != place {
            let what = "chunks were not downloaded in order, each once";
            let remedy = "Download the message once, then its chunks 2, 3 and so on by their numbers, each once, up to the one that is answered 200.";
            let fault = Fault::new(kind_of(download), what, remedy);
            let (expected, seen) = (format!("chunk {place}"), format!("chunk {asked}"));
            return Err(fault.comparing(expected, seen).from_source(RECEIVING));
        }
        if place > total {
            break;
        }
        let expected = if place < total { 206 } else { 200 };
        if download.failure.is_some() || download.status() != Some(expected) {
            return Err(diagnose(download, &expected.to_string(), RECEIVING, tape));
        }
        let broken =
            download.response.as_ref().map(|response| response.body.decoded == Some(Decoded::Broken));
        if broken == Some(true) || download.answered_range().is_some_and(|range| range.index().get() != place)
        {
            let what = format!("chunk {place} of {total} is not what it says that it is");
            let remedy = "Look at Mex-Chunk-Range and Content-Encoding of the response; tell whoever runs the endpoint.";
            return Err(Fault::new(FaultKind::Endpoint, what, remedy).from_source(RECEIVING));
        }
    }
    if total < 2 || downloads.len() as u64 != u64::from(total) {
        let what = if downloads.len() as u64 > u64::from(total) {
            "more chunks were asked for than the message has"
        } else {
            "the message was not downloaded in all its chunks"
        };
        let remedy =
            "Download chunk after chunk while the answer is 206, up to the one that is answered 200.";
        let is_single = total < 2 && !downloads.is_empty();
        let kind = if is_single { FaultKind::Endpoint } else { FaultKind::Product };
        let (expected, seen) = (format!("{} chunks", total.max(2)), format!("{} downloads", downloads.len()));
        return Err(Fault::new(kind, what, remedy).comparing(expected, seen).from_source(RECEIVING));
    }
    Ok(())
}

/// The content of the chunks is, part by part, what it was to be.
///
/// # Errors
/// A fault of whoever was to send it, or of the endpoint that handed it out.
pub fn chunks_unaltered(
    asked: &[Sha256],
    seen: &[Option<Sha256>],
    sender: Option<Actor>,
) -> Result<(), Fault> {
    let differs = asked.iter().map(Some).zip(seen.iter().map(Option::as_ref)).position(|(a, b)| a != b);
    let place = match (differs, asked.len() == seen.len()) {
        (None, true) => return Ok(()),
        (place, _) => place.unwrap_or(asked.len().min(seen.len())),
    };
    let shown = |part: Option<Option<Sha256>>| match part {
        Some(Some(digest)) => format!("SHA-256 {digest}"),
        Some(None) => "nothing that can be decoded".to_owned(),
        None => "no such chunk".to_owned(),
    };
    let number = place + 1;
    let fault = match sender {
        Some(actor) => Fault::new(
            if actor == Actor::Product { FaultKind::Product } else { FaultKind::Harness },
            format!("chunk {number} that the {actor} sent is not that part of the payload"),
            "Split the payload first and compress each part by itself, in order and without overlap.",
        ),
        None => Fault::new(
            FaultKind::Endpoint,
            format!("chunk {number} that was downloaded is not that part of what was sent"),
            "Compare sizes and digests of the chunks below: the endpoint, or something in between, changed one.",
        ),
    };
    let asked = asked.get(place).copied().map(Some);
    Err(fault.comparing(shown(asked), shown(seen.get(place).copied())).from_source(if sender.is_some() {
        SENDING
    } else {
        RECEIVING
    }))
}

fn kind_of(exchange: &Exchange) -> FaultKind {
    if exchange.actor == Actor::Product { FaultKind::Product } else { FaultKind::Harness }
}
