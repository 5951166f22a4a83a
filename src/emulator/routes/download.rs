//! "Get Message", "Head Message" and "Get Message chunk".

use std::{io, num::NonZeroU32};

use async_compression::tokio::bufread::{GzipDecoder, GzipEncoder};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use http::{
    HeaderName, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY},
};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::io::{ReaderStream, StreamReader};

use super::{Ask, Reply, ReplyBody, header, list, receive::no_room, refusals::unavailable, sandbox_headers};
use crate::{
    emulator::{
        mailroom::{BodyReader, Delivered, Message, Report, StoredBody, Unavailable},
        switches::{Compression, DownloadHeaders, Head},
    },
    protocol::{
        AcceptEncoding, ApiVersion, ContentEncoding, MailboxId, MessageId, compact_time,
        headers::{
            MEX_ADDRESS_TYPE, MEX_CHUNK_RANGE, MEX_CONTENT_COMPRESSED, MEX_CONTENT_ENCRYPTED, MEX_FILE_NAME,
            MEX_FROM, MEX_LINKED_MESSAGE_ID, MEX_MESSAGE_ID, MEX_MESSAGE_TYPE, MEX_STATUS_CODE,
            MEX_STATUS_DESCRIPTION, MEX_STATUS_EVENT, MEX_STATUS_SUCCESS, MEX_STATUS_TIMESTAMP, MEX_TO,
            MEX_VERSION, MEX_WORKFLOW_ID,
        },
    },
};

/// A message, or one of its chunks: 206 while more are to come, 200 for the last (OpenAPI, "Get
/// Message chunk").
pub async fn get(ask: Ask<'_>, mailbox: &MailboxId, id: &MessageId, chunk: Option<NonZeroU32>) -> Reply {
    let delivered = match ask.mailroom.durably_at_last(|mailroom| mailroom.message(mailbox, id)).await {
        Ok(Ok(delivered)) => delivered,
        Ok(Err(why)) => return unavailable(ask, why, id),
        Err(unstored) => return no_room(ask, unstored),
    };
    let number = chunk.map_or(1, NonZeroU32::get);
    let total = delivered.message.headers.chunk_range.total().get();
    let status = if number < total { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let reply = described(ask, Reply::empty(status), &delivered, number);
    // For mesh-sandbox a report has as many chunks as one asks for.
    let any_number = ask.switches.download_headers == DownloadHeaders::Sandbox;
    if delivered.message.report.is_some() && (number == 1 || any_number) {
        return reply.with(CONTENT_LENGTH, "0");
    }
    let Some(body) = delivered.chunk(number) else { return unavailable(ask, Unavailable::Missing, id) };
    let reader = match open(body).await {
        Ok(reader) => reader,
        // Its message was acknowledged since.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return unavailable(ask, Unavailable::Gone, id).noting("its body is not there any more");
        }
        Err(error) => {
            return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR)
                .noting(format!("the body of the message cannot be read: {error}"));
        }
    };
    let reply = with_body(ask, reply, body, reader, delivered.message.headers.encoding);
    match ask.switches.download_headers {
        DownloadHeaders::OpenApi => reply,
        DownloadHeaders::Sandbox => sandbox_headers::typed(reply, &delivered, ask.version),
    }
}

pub fn head(ask: Ask<'_>, mailbox: &MailboxId, id: &MessageId) -> Reply {
    match ask.mailroom.message(mailbox, id) {
        Ok(delivered) => described(ask, Reply::empty(StatusCode::OK), &delivered, 1),
        Err(Unavailable::Foreign) if ask.switches.head == Head::SenderToo => {
            match ask.mailroom.sent(mailbox, id) {
                Some(sent) => described(ask, Reply::empty(StatusCode::OK), &sent, 1),
                None => unavailable(ask, Unavailable::Missing, id),
            }
        }
        Err(why) => unavailable(ask, why, id),
    }
}

async fn open(body: &StoredBody) -> io::Result<BodyReader> {
    if let Some(reader) = body.open_in_memory() {
        return Ok(reader);
    }
    let body = body.clone();
    spawn_blocking(move || body.open()).await.map_err(io::Error::other)?
}

fn with_body(
    ask: Ask<'_>,
    reply: Reply,
    body: &StoredBody,
    reader: BodyReader,
    encoding: ContentEncoding,
) -> Reply {
    let on_the_fly = ask.switches.compression == Compression::OnTheFly;
    let gzip = takes_gzip(ask);
    let compress = on_the_fly && gzip && ask.version == ApiVersion::V2;
    let reply = if on_the_fly && (compress || (gzip && encoding == ContentEncoding::Gzip)) {
        reply.with(CONTENT_ENCODING, "gzip").with(MEX_CONTENT_COMPRESSED, "Y")
    } else {
        reply.without(&CONTENT_ENCODING)
    };
    let pieces = pieces(reader);
    if compress && encoding == ContentEncoding::Identity {
        return Reply { body: boxed(compressed(pieces)), ..reply };
    }
    let (reply, size, body) = match (encoding, gzip) {
        (ContentEncoding::Gzip, true) => (reply.with(CONTENT_ENCODING, "gzip"), body.size(), boxed(pieces)),
        (ContentEncoding::Gzip, false) => (reply, body.decoded_size(), boxed(decompressed(pieces))),
        (ContentEncoding::Identity, _) => (reply, body.size(), boxed(pieces)),
    };
    Reply { body, ..reply.with(CONTENT_LENGTH, &size.to_string()) }
}

fn takes_gzip(ask: Ask<'_>) -> bool {
    match ask.switches.compression {
        Compression::AsSent => AcceptEncoding::parse(list(ask.parts, &ACCEPT_ENCODING).as_deref()).gzip,
        Compression::OnTheFly => {
            header(ask.parts, &ACCEPT_ENCODING).is_some_and(|accepted| accepted.contains("gzip"))
        }
    }
}

/// The headers that a recipient gets (OpenAPI, example response of "Get Message").
fn described(ask: Ask<'_>, reply: Reply, delivered: &Delivered, number: u32) -> Reply {
    if ask.switches.download_headers == DownloadHeaders::Sandbox {
        return sandbox_headers::described(reply, delivered, number);
    }
    let message = &delivered.message;
    let when = delivered.delivered_at();
    let mut reply = tagged(ask, reply, message)
        .with(MEX_WORKFLOW_ID, message.workflow().as_str())
        .with(MEX_MESSAGE_ID, message.id.as_str())
        .with(MEX_ADDRESS_TYPE, "ALL")
        .with(MEX_VERSION, "1.0")
        .with(MEX_STATUS_TIMESTAMP, &compact_time(when))
        .with(LAST_MODIFIED, &when.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Ok(recipient) = &message.recipient {
        reply = reply.with(MEX_TO, recipient.as_str());
    }
    for (name, value) in &message.headers.passed_through {
        reply = reply.with(name.clone(), value);
    }
    match &message.report {
        Some(report) => as_report(reply, report),
        None => as_data(ask, reply, message, number),
    }
}

/// What comes compressed or not, as it is asked for, has a tag for each: they differ in their bytes (RFC 9110, 8.8.3.3).
fn tagged(ask: Ask<'_>, reply: Reply, message: &Message) -> Reply {
    let on_the_fly = ask.switches.compression == Compression::OnTheFly && ask.version == ApiVersion::V2;
    let either =
        message.report.is_none() && (message.headers.encoding == ContentEncoding::Gzip || on_the_fly);
    let suffix = if either && takes_gzip(ask) { "-gzip" } else { "" };
    let reply = reply.with(ETAG, &format!("\"{}{suffix}\"", message.id));
    if either { reply.with(VARY, "accept-encoding") } else { reply }
}

/// OpenAPI, "Asynchronous error reporting".
fn as_report(reply: Reply, report: &Report) -> Reply {
    let mut reply = reply
        .with(MEX_MESSAGE_TYPE, "REPORT")
        .with(MEX_STATUS_CODE, &report.failure.code)
        .with(MEX_STATUS_EVENT, &report.failure.event)
        .with(MEX_STATUS_SUCCESS, "ERROR")
        .with(MEX_STATUS_DESCRIPTION, &report.failure.description)
        .with(CONTENT_TYPE, "application/octet-stream");
    if let Some(linked) = &report.linked {
        reply = reply.with(MEX_LINKED_MESSAGE_ID, linked.as_str());
    }
    match &report.to {
        Some(to) => reply.with(MEX_TO, to),
        None => reply,
    }
}

/// The status of a message that was delivered (OpenAPI, example response of "Get Message").
pub(super) fn transferred(reply: Reply) -> Reply {
    reply
        .with(MEX_STATUS_CODE, "00")
        .with(MEX_STATUS_EVENT, "TRANSFER")
        .with(MEX_STATUS_SUCCESS, "SUCCESS")
        .with(MEX_STATUS_DESCRIPTION, "Transferred to recipient mailbox")
}

fn as_data(ask: Ask<'_>, reply: Reply, message: &Message, number: u32) -> Reply {
    // What travelled compressed and is handed out plainly is N (OpenAPI, example of "Get Message chunk").
    let gzip = message.headers.encoding == ContentEncoding::Gzip && takes_gzip(ask);
    let compressed = if gzip { "Y" } else { "N" };
    let total = message.headers.chunk_range.total().get();
    let default_name = format!("{}.dat", message.id);
    let given = |name: &HeaderName| message.headers.passed_through.iter().any(|(given, _)| given == name);
    let mut reply = transferred(reply.with(MEX_MESSAGE_TYPE, "DATA"));
    if let Some(sender) = &message.sender {
        reply = reply.with(MEX_FROM, sender.as_str());
    }
    let defaults = [
        (MEX_CONTENT_COMPRESSED, compressed),
        (MEX_CONTENT_ENCRYPTED, "N"),
        (MEX_FILE_NAME, default_name.as_str()),
    ];
    for (name, default) in defaults {
        if !given(&name) {
            reply = reply.with(name, default);
        }
    }
    if total > 1 {
        reply = reply.with(MEX_CHUNK_RANGE, &format!("{number}:{total}"));
    }
    // A chunk alone is not of the content's type.
    let content_type = match (ask.version, &message.headers.content_type) {
        (ApiVersion::V2, Some(sent)) if total == 1 => sent.as_str(),
        _ => "application/octet-stream",
    };
    reply.with(CONTENT_TYPE, content_type)
}

/// The pieces of a body. From disk, one is read while the one before it is sent.
fn pieces(reader: BodyReader) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let beginning = if reader.is_on_disk() { Pieces::Coming(read(reader)) } else { Pieces::Here(reader) };
    stream::try_unfold(beginning, |pieces| async move {
        Ok(match pieces {
            Pieces::Here(mut reader) => reader.next()?.map(|piece| (piece, Pieces::Here(reader))),
            Pieces::Coming(job) => {
                let (piece, reader) = job.await.map_err(io::Error::other)??;
                piece.map(|piece| (piece, Pieces::Coming(read(reader))))
            }
        })
    })
}

enum Pieces {
    Here(BodyReader),
    Coming(JoinHandle<io::Result<(Option<Bytes>, BodyReader)>>),
}

fn read(mut reader: BodyReader) -> JoinHandle<io::Result<(Option<Bytes>, BodyReader)>> {
    spawn_blocking(move || Ok((reader.next()?, reader)))
}

fn compressed(
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    ReaderStream::with_capacity(GzipEncoder::new(StreamReader::new(Box::pin(pieces))), 64 * 1024)
}

fn decompressed(
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let mut decoder = GzipDecoder::new(StreamReader::new(Box::pin(pieces)));
    decoder.multiple_members(true);
    ReaderStream::with_capacity(decoder, 64 * 1024)
}

fn boxed(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> ReplyBody {
    StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync()
}
