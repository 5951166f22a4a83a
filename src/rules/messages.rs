//! Whether messages travelled as they should, and in the right order.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::{Fault, FaultKind, acts::called, refusals::of_product};
use crate::{
    protocol::{AcceptEncoding, MessageId, Operation},
    tape::{Decoded, Exchange, Sha256},
};

const COMPRESSION: &str = "Pack case 202; OpenAPI: Send message, content-encoding";
const UNALTERED: &str = "Pack cases 201, 202, 401, 402: payload unaltered";

/// How soon after a send the inbox check counts as directly after it. Assessors took exception to
/// five minutes; they look at logs with seconds.
pub const DIRECTLY: Duration = Duration::from_secs(60);

/// Each of these headers went out with the send, and was not empty.
///
/// # Errors
/// A fault of the product that names the headers that are missing.
pub fn headers_sent(send: &Exchange, names: &[&str]) -> Result<(), Fault> {
    let present = |name: &str| send.request.head.header(name).is_some_and(|value| !value.trim().is_empty());
    let missing: Vec<&str> = names.iter().copied().filter(|name| !present(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let fault = Fault::new(
        FaultKind::Product,
        format!("the send lacks {}", missing.join(", ")),
        "Add the headers to the send: the assessor looks for each of them.",
    );
    let mistaken: Vec<&str> = missing.iter().filter_map(|name| much_like(send, name)).collect();
    let instead = if mistaken.is_empty() { String::new() } else { format!(", but {}", mistaken.join(", ")) };
    Err(fault
        .comparing(names.join(", "), format!("no {}{instead}", missing.join(", ")))
        .from_source("Pack cases 201 and 202; OpenAPI: Send message"))
}

/// A header that may have been meant to be this one, such as `Mex-Content-Compress`.
fn much_like<'a>(send: &'a Exchange, name: &str) -> Option<&'a str> {
    const MISSPELT: usize = 2;
    let differ = |other: &str| {
        // Whoever sends it decides on its length.
        let alike = other.len().abs_diff(name.len()) <= MISSPELT;
        alike.then(|| strsim::levenshtein(&other.to_ascii_lowercase(), &name.to_ascii_lowercase()))
    };
    let others = send.request.head.headers.iter().map(|header| header.name.as_str());
    others.into_iter().find(|other| differ(other).is_some_and(|letters| (1..=MISSPELT).contains(&letters)))
}

/// The send said that its body is gzip, in both of the places that case 202 names, and it was.
///
/// # Errors
/// A fault of the product.
pub fn compression_declared(send: &Exchange) -> Result<(), Fault> {
    let value = |name: &str| send.request.head.header(name).unwrap_or("nothing").to_owned();
    let (encoding, flag) = (value("content-encoding"), value("mex-content-compressed"));
    let fault = |what: &str, remedy: &str, expected: &str, seen: &str| {
        Err(Fault::new(FaultKind::Product, what, remedy).comparing(expected, seen).from_source(COMPRESSION))
    };
    if !encoding.eq_ignore_ascii_case("gzip") {
        return fault(
            "the send does not say that its body is gzip",
            "Send Content-Encoding: gzip with a compressed body.",
            "Content-Encoding: gzip",
            &encoding,
        );
    }
    if !flag.eq_ignore_ascii_case("Y") {
        return fault(
            "the send does not flag its content as compressed",
            "Send Mex-Content-Compressed: Y with a compressed body.",
            "Mex-Content-Compressed: Y",
            &flag,
        );
    }
    match send.request.body.decoded {
        Some(Decoded::Whole { .. }) => Ok(()),
        _ => fault(
            "the body of the send is not gzip, though it says so",
            "Compress the body with gzip before it is sent, once.",
            "a gzip body",
            "a body that cannot be decompressed",
        ),
    }
}

/// The send went out as it was: neither encoding nor flag.
///
/// # Errors
/// A fault of the product.
pub fn no_compression_declared(send: &Exchange) -> Result<(), Fault> {
    let encoding = send.request.head.header("content-encoding").unwrap_or("identity");
    let flag = send.request.head.header("mex-content-compressed").unwrap_or("N");
    if matches!(encoding.to_ascii_lowercase().as_str(), "" | "identity") && !flag.eq_ignore_ascii_case("Y") {
        return Ok(());
    }
    let fault = Fault::new(
        FaultKind::Product,
        "the send says that it is compressed, and this case is the one without compression",
        "Have the product send this message without compression; case 202 is the one with.",
    );
    let seen = format!("Content-Encoding: {encoding}, Mex-Content-Compressed: {flag}");
    Err(fault
        .comparing("neither Content-Encoding nor Mex-Content-Compressed: Y", seen)
        .from_source("Pack case 201"))
}

/// The download offered to take gzip, and got it.
///
/// # Errors
/// A fault of the product when it did not offer, of the endpoint when it sent something else.
pub fn download_compressed(download: &Exchange) -> Result<(), Fault> {
    const SOURCE: &str = "Pack case 402; OpenAPI: Get Message, accept-encoding";
    let offered = download.request.head.header("accept-encoding");
    if !AcceptEncoding::parse(offered).gzip {
        let what = "the download does not offer to take gzip";
        let fault = Fault::new(FaultKind::Product, what, "Send Accept-Encoding: gzip with a download.");
        return Err(fault
            .comparing("Accept-Encoding: gzip", offered.unwrap_or("nothing"))
            .from_source(SOURCE));
    }
    let response = download.response.as_ref();
    let encoding =
        response.and_then(|response| response.head.header("content-encoding")).unwrap_or("identity");
    match response.map(|response| &response.body.decoded) {
        Some(Some(Decoded::Whole { .. })) => Ok(()),
        _ => {
            let what =
                "a message that was sent compressed was not handed out compressed, though gzip was offered";
            let remedy = "Look at the response below; tell whoever runs the endpoint.";
            let fault = Fault::new(FaultKind::Endpoint, what, remedy);
            Err(fault
                .comparing("Content-Encoding: gzip and a gzip body", format!("Content-Encoding: {encoding}"))
                .from_source(SOURCE))
        }
    }
}

/// What was downloaded is what was sent, and both are what was asked for: by digest of the content,
/// decompressed where it travelled compressed.
///
/// # Errors
/// A fault of the product when it sent or stored something else, of the endpoint when what it
/// handed out is not what it took in.
pub fn payload_unaltered(asked: Sha256, send: &Exchange, download: &Exchange) -> Result<(), Fault> {
    sent_as_asked(asked, send)?;
    let sent = send.request.body.content_sha256();
    let arrived = download.response.as_ref().and_then(|response| response.body.content_sha256());
    if arrived != sent {
        let fault = Fault::new(
            FaultKind::Endpoint,
            "what was downloaded is not what was sent",
            "Compare both bodies by size and digest below: the endpoint, or something in between, changed the payload.",
        );
        return Err(fault
            .comparing(format!("SHA-256 {}", shown(sent)), format!("SHA-256 {}", shown(arrived)))
            .from_source(UNALTERED));
    }
    Ok(())
}

/// What was sent is what was to be sent, by digest of the content.
///
/// # Errors
/// A fault of the product.
pub fn sent_as_asked(asked: Sha256, send: &Exchange) -> Result<(), Fault> {
    let sent = send.request.body.content_sha256();
    if sent == Some(asked) {
        return Ok(());
    }
    let fault = Fault::new(
        FaultKind::Product,
        format!("the {} sent something else than it was asked to send", send.actor),
        "Compare what is handed to the product with what it puts into the request's body: text conversion and double compression are the usual causes.",
    );
    Err(fault
        .comparing(format!("SHA-256 {asked}"), format!("SHA-256 {}", shown(sent)))
        .from_source(UNALTERED))
}

fn shown(digest: Option<Sha256>) -> String {
    digest.map_or_else(|| "cannot be decoded".to_owned(), |digest| digest.to_string())
}

/// The product holds what it has acknowledged. `missing` is what it shows nothing of, among `all` messages, where it
/// shows what it holds otherwise.
///
/// # Errors
/// A fault of the product, which has lost a message.
pub fn holds_what_it_acknowledged(missing: &[&str], all: usize, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    let acknowledged = of_product(tape).into_iter().filter_map(|call| match &call.operation {
        Some(Operation::Acknowledge(_, id)) => Some(id.as_str()),
        _ => None,
    });
    let acknowledged: BTreeSet<&str> = acknowledged.collect();
    let lost: Vec<&&str> = missing.iter().filter(|id| acknowledged.contains(*id)).collect();
    let what = match lost.as_slice() {
        [] => return Ok(()),
        [message] => format!("the product does not hold message {message}, which it has acknowledged"),
        several => format!(
            "the product does not hold {} of {all} messages, which it has acknowledged",
            several.len()
        ),
    };
    let remedy = "Keep a message before it is acknowledged, and whatever is answered to that: what is acknowledged is gone from MESH. A driver that shows one message shows all.";
    let fault = Fault::new(FaultKind::Product, what, remedy);
    Err(fault
        .comparing(format!("{all} of {all} held"), format!("{} of {all}", all - missing.len()))
        .from_source("OpenAPI: Inbox poll cycle; Acknowledge message"))
}

/// By the order on the tape: an actor makes one call at a time, and clocks may jump.
fn next_of_same_actor<'a>(exchange: &Exchange, tape: &'a [Arc<Exchange>]) -> Option<&'a Exchange> {
    let mut after = tape.iter().map(Arc::as_ref).skip_while(|other| !std::ptr::eq(*other, exchange)).skip(1);
    after.find(|other| other.actor == exchange.actor)
}

/// The last chunk that was sent of a message, or the send itself.
fn last_part_of<'a>(send: &'a Exchange, tape: &'a [Arc<Exchange>]) -> &'a Exchange {
    let Some(id) = send.given_id() else { return send };
    let is_part = |other: &&Exchange| {
        let is_chunk =
            matches!(&other.operation, Some(Operation::SendChunk(_, message, _)) if *message == id);
        is_chunk && other.actor == send.actor
    };
    tape.iter().map(Arc::as_ref).rfind(is_part).unwrap_or(send)
}

/// The mailbox that sent checked its inbox next, and within a minute: after the last chunk, where it sent several.
///
/// # Errors
/// A fault of the product.
pub fn inbox_checked_directly(send: &Exchange, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    let send = last_part_of(send, tape);
    let next = next_of_same_actor(send, tape);
    let late = TimeDelta::from_std(DIRECTLY).unwrap_or_default();
    let seen = match next {
        Some(next) if matches!(next.operation, Some(Operation::CheckInbox(_))) => {
            let after = next.started_at - send.ended_at();
            if after <= late {
                return Ok(());
            }
            format!("an inbox check {} s after the send", after.num_seconds())
        }
        Some(next) => called(next),
        None => "nothing".to_owned(),
    };
    let fault = Fault::new(
        FaultKind::Product,
        "the send is not directly followed by an inbox check",
        "Check the inbox directly after a send: assessors read this from the server's log and have refused evidence over it.",
    );
    Err(fault
        .comparing("an inbox check within a minute of the send", seen)
        .from_source("Pack case 201: Authenticate, Send, Check Inbox"))
}

/// The message was downloaded once, and acknowledged in the very next call of that mailbox. Of a report `download` may be a
/// look at its headers, which are all that it has.
///
/// # Errors
/// A fault of the product.
pub fn acknowledged_directly(
    message: &MessageId,
    download: &Exchange,
    tape: &[Arc<Exchange>],
) -> Result<(), Fault> {
    const SOURCE: &str = "Pack case 401: Authenticate, Check Inbox, Download, Acknowledge";
    let own = || tape.iter().filter(|other| other.actor == download.actor);
    let times = own()
        .filter(|other| match &other.operation {
            Some(Operation::GetMessage(_, id)) => id == message,
            // The first chunk by its number is the same (OpenAPI, "Get Message chunk").
            Some(Operation::GetChunk(_, id, number)) => id == message && number.get() == 1,
            _ => false,
        })
        .count();
    let of_headers = matches!(&download.operation, Some(Operation::HeadMessage(..)));
    if times == 0 && !of_headers {
        let what = "the message was not downloaded by its ID";
        let remedy = "Download the message by its ID alone first; what has a number are its further chunks.";
        let fault = Fault::new(FaultKind::Product, what, remedy);
        let seen = download.operation.as_ref().map_or("another call", Operation::name);
        return Err(fault.comparing("download message", seen).from_source(SOURCE));
    }
    if times > 1 {
        let fault = Fault::new(
            FaultKind::Product,
            "the message was downloaded more than once before it was acknowledged",
            "Acknowledge a message directly after its download, so that it is not listed and downloaded again.",
        );
        return Err(fault.comparing("one download", format!("{times} downloads")).from_source(SOURCE));
    }
    let next = next_of_same_actor(download, tape);
    match next.map(|next| &next.operation) {
        Some(Some(Operation::Acknowledge(_, id))) if id == message => Ok(()),
        _ => {
            let seen = next.map_or_else(|| "nothing".to_owned(), called);
            let fault = Fault::new(
                FaultKind::Product,
                "the download is not directly followed by its acknowledgement",
                "Acknowledge a message in the call that follows its download: until then it stays in the inbox.",
            );
            Err(fault.comparing("acknowledge message", seen).from_source(SOURCE))
        }
    }
}
