//! Messages in chunks that are compressed (OpenAPI, "Send chunked message", "Get Message chunk").

use std::sync::Arc;

use super::{Fault, FaultKind, download_compressed};
use crate::{
    protocol::{AcceptEncoding, ContentEncoding},
    tape::{Actor, BodyRecord, Decoded, Exchange, Sha256},
};

const SENDING: &str = "OpenAPI: Send chunked message: compress the individual chunks separately";
const RECEIVING: &str = "OpenAPI: Get Message chunk, accept-encoding; RFC 9110, 8.4 Content-Encoding";
const SPLIT_FIRST: &str = "Split the payload first, then compress each part by itself, and send Content-Encoding: gzip with every chunk. Do not compress a large file and split the result.";

fn says_gzip(send: &Exchange) -> bool {
    ContentEncoding::is_gzip(send.request.head.header("content-encoding"))
}

fn is_silent(send: &Exchange) -> bool {
    send.request.head.header("content-encoding").is_none_or(|encoding| encoding.trim().is_empty())
}

fn is_chunked(send: &Exchange) -> bool {
    send.sent_range().is_some_and(|range| range.total().get() > 1)
}

/// What a send holds, by size and digest: decoded where it is compressed. A later chunk that says nothing of its
/// encoding has that of the first, as in the OpenAPI's own example of "Send chunked message". `None` when it cannot be
/// decoded.
#[must_use]
pub fn content_of(first: &Exchange, send: &Exchange) -> Option<(u64, Sha256)> {
    let body = &send.request.body;
    match &body.seen_as_gzip {
        Some(Decoded::Whole { size, sha256 }) if says_gzip(first) && is_silent(send) => {
            Some((*size, *sha256))
        }
        _ => content(body),
    }
}

fn content(body: &BodyRecord) -> Option<(u64, Sha256)> {
    body.content_size().zip(body.content_sha256())
}

/// The first chunk of a message is no beginning of a gzip that was split. The payload is of our own making, and no
/// gzip by itself.
///
/// # Errors
/// A fault of whoever sent it.
pub fn split_before_compression(first: &Exchange) -> Result<(), Fault> {
    if !(is_chunked(first) && first.request.body.is_begun_gzip() && first.failure.is_none()) {
        return Ok(());
    }
    let what = "the message was compressed as a whole and then split into chunks";
    let fault = Fault::new(kind_of(first), what, SPLIT_FIRST);
    let seen = "a first chunk that begins a gzip and does not end it";
    Err(fault.comparing("chunks of which each is a gzip by itself", seen).from_source(SENDING))
}

/// Each chunk of a message is gzip by itself, and says so. A later one that does not say so is a warning.
///
/// # Errors
/// A fault of whoever sent it.
pub fn compressed_by_itself(sends: &[Arc<Exchange>]) -> Result<Option<Fault>, Fault> {
    let Some(first) = sends.first() else { return Ok(None) };
    let fault = |send: &Exchange, what: String, expected: &str, seen: &str| {
        let fault = Fault::new(kind_of(send), what, SPLIT_FIRST);
        fault.comparing(expected, seen).from_source(SENDING)
    };
    if !is_chunked(first) {
        let what = "the message was not sent in chunks".to_owned();
        return Err(fault(first, what, "Mex-Chunk-Range: 1:n", "a message in one request"));
    }
    split_before_compression(first)?;
    let mut silent = None;
    for (number, send) in (1..).zip(sends) {
        let body = &send.request.body;
        let said = send.request.head.header("content-encoding").unwrap_or("nothing");
        match (says_gzip(send), &body.decoded, &body.seen_as_gzip) {
            (true, Some(Decoded::Whole { .. }), _) => {}
            (true, ..) => {
                let what = format!("chunk {number} is not gzip by itself, though it says so");
                return Err(fault(send, what, "a gzip body", "a body that cannot be decompressed"));
            }
            (false, _, Some(Decoded::Whole { .. })) if number > 1 && is_silent(send) => {
                silent.get_or_insert_with(|| says_nothing(send, number));
            }
            (false, _, Some(Decoded::Whole { .. })) => {
                let what = format!("chunk {number} is compressed, and does not say so");
                return Err(fault(send, what, "Content-Encoding: gzip", said));
            }
            _ => {
                let what = format!("chunk {number} is not compressed with gzip");
                return Err(fault(send, what, "Content-Encoding: gzip and a gzip body", said));
            }
        }
    }
    Ok(silent)
}

fn says_nothing(send: &Exchange, number: u32) -> Fault {
    let what = format!("chunk {number} is compressed and says nothing of it, as the first does");
    let remedy = "Repeat Content-Encoding: gzip with every chunk: the example in the OpenAPI leaves it out, and NHS mesh-sandbox refuses that with 417.";
    let fault = Fault::new(kind_of(send), what, remedy);
    fault
        .comparing("Content-Encoding: gzip", "nothing")
        .from_source("OpenAPI: Send chunked message, content-encoding")
}

/// Wherever the downloads of a message offered to take gzip, they got it; at least one did.
///
/// # Errors
/// A fault of the product when none offered, of the endpoint when it sent something else.
pub fn chunks_downloaded_compressed(downloads: &[Arc<Exchange>]) -> Result<(), Fault> {
    let offers = |download: &&Arc<Exchange>| {
        AcceptEncoding::parse(download.request.head.header("accept-encoding")).gzip
    };
    match downloads.iter().find(offers) {
        None => downloads.first().map_or(Ok(()), |first| download_compressed(first)),
        Some(_) => downloads.iter().filter(offers).try_for_each(|download| download_compressed(download)),
    }
}

/// No chunk is handed out compressed without saying so, or to whom does not take it. The payload is of our own making,
/// and no gzip by itself.
///
/// # Errors
/// A fault of the endpoint.
pub fn chunks_say_their_encoding(downloads: &[Arc<Exchange>]) -> Result<(), Fault> {
    for (number, download) in (1..).zip(downloads) {
        let Some(body) = download.response.as_ref().map(|response| &response.body) else { continue };
        let offered = download.request.head.header("accept-encoding");
        let what = match (&body.decoded, &body.seen_as_gzip) {
            (None, Some(Decoded::Whole { .. })) => "is handed out compressed, and does not say so",
            (Some(_), _) if !AcceptEncoding::parse(offered).gzip => {
                "is handed out compressed to a client that did not offer to take gzip"
            }
            _ => continue,
        };
        let remedy = "Tell whoever runs the endpoint: what comes without Content-Encoding is content, and gzip is for those who offer it by Accept-Encoding.";
        let fault = Fault::new(FaultKind::Endpoint, format!("chunk {number} {what}"), remedy);
        let seen = format!("Accept-Encoding: {}", offered.unwrap_or("nothing"));
        return Err(fault
            .comparing("gzip where it was offered, with Content-Encoding", seen)
            .from_source(RECEIVING));
    }
    Ok(())
}

/// What the product holds of a message is its first chunk alone.
#[must_use]
pub fn holds_first_chunk_alone(message: &str, chunks: usize) -> Fault {
    let what =
        format!("the product holds the first of {chunks} chunks of message {message}, and not the others");
    let remedy = "Each chunk is a gzip by itself: decompress each, then join what comes out. Many libraries stop at the end of the first of several gzips and say nothing.";
    let fault = Fault::new(FaultKind::Product, what, remedy);
    fault.comparing(format!("{chunks} chunks, one after the other"), "chunk 1").from_source(RECEIVING)
}

fn kind_of(exchange: &Exchange) -> FaultKind {
    if exchange.actor == Actor::Product { FaultKind::Product } else { FaultKind::Harness }
}
