//! "Get Message" and "Head Message".

use std::{io, num::NonZeroU32, sync::Arc};

use async_compression::tokio::bufread::GzipDecoder;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use http::{
    HeaderName, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED},
    request::Parts,
};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio_util::io::{ReaderStream, StreamReader};

use super::{Reply, ReplyBody, header, inbox::unavailable_reply};
use crate::{
    emulator::mailroom::{Mailroom, Message, Unavailable},
    protocol::{
        AcceptEncoding, ApiVersion, ContentEncoding, MailboxId, MessageId,
        headers::{
            MEX_ADDRESS_TYPE, MEX_CONTENT_COMPRESSED, MEX_CONTENT_ENCRYPTED, MEX_FILE_NAME, MEX_FROM,
            MEX_MESSAGE_ID, MEX_MESSAGE_TYPE, MEX_STATUS_CODE, MEX_STATUS_DESCRIPTION, MEX_STATUS_EVENT,
            MEX_STATUS_SUCCESS, MEX_STATUS_TIMESTAMP, MEX_TO, MEX_VERSION, MEX_WORKFLOW_ID,
        },
    },
};

pub fn get(
    mailroom: &Mailroom,
    mailbox: &MailboxId,
    id: &MessageId,
    chunk: Option<NonZeroU32>,
    parts: &Parts,
    version: ApiVersion,
) -> Reply {
    let message = match found(mailroom, mailbox, id, chunk) {
        Ok(message) => message,
        Err(unavailable) => return unavailable_reply(unavailable, id.clone(), version),
    };
    let accepted = AcceptEncoding::parse(header(parts, &ACCEPT_ENCODING));
    let compressed = message.headers.encoding == ContentEncoding::Gzip;
    let reply = described(Reply::empty(StatusCode::OK), &message, version);
    let pieces = pieces(Arc::clone(&message));
    let (reply, size, body) = match (compressed, accepted.gzip) {
        (true, true) => (reply.with(CONTENT_ENCODING, "gzip"), message.body.size(), boxed(pieces)),
        (true, false) => (reply, message.body.decoded_size(), boxed(decompressed(pieces))),
        (false, _) => (reply, message.body.size(), boxed(pieces)),
    };
    Reply { body, ..reply.with(CONTENT_LENGTH, &size.to_string()) }
}

pub fn head(mailroom: &Mailroom, mailbox: &MailboxId, id: &MessageId, version: ApiVersion) -> Reply {
    match mailroom.message(mailbox, id) {
        Ok(message) => described(Reply::empty(StatusCode::OK), &message, version),
        Err(unavailable) => unavailable_reply(unavailable, id.clone(), version),
    }
}

/// A message that is not chunked is its own first and only chunk.
fn found(
    mailroom: &Mailroom,
    mailbox: &MailboxId,
    id: &MessageId,
    chunk: Option<NonZeroU32>,
) -> Result<Arc<Message>, Unavailable> {
    match chunk {
        Some(chunk) if chunk.get() > 1 => Err(Unavailable::Missing),
        _ => mailroom.message(mailbox, id),
    }
}

/// The headers that a recipient gets (OpenAPI, example response of "Get Message").
fn described(reply: Reply, message: &Message, version: ApiVersion) -> Reply {
    let given = |name: &HeaderName| message.headers.passed_through.iter().find(|(given, _)| given == name);
    let compressed = if message.headers.encoding == ContentEncoding::Gzip { "Y" } else { "N" };
    let when = message.delivered_at;
    let mut reply = reply
        .with(MEX_FROM, message.sender.as_str())
        .with(MEX_TO, message.recipient.as_str())
        .with(MEX_WORKFLOW_ID, message.workflow().as_str())
        .with(MEX_MESSAGE_ID, message.id.as_str())
        .with(MEX_MESSAGE_TYPE, "DATA")
        .with(MEX_ADDRESS_TYPE, "ALL")
        .with(MEX_VERSION, "1.0")
        .with(MEX_STATUS_CODE, "00")
        .with(MEX_STATUS_EVENT, "TRANSFER")
        .with(MEX_STATUS_SUCCESS, "SUCCESS")
        .with(MEX_STATUS_DESCRIPTION, "Transferred to recipient mailbox")
        .with(MEX_STATUS_TIMESTAMP, &when.format("%Y%m%d%H%M%S").to_string())
        .with(ETAG, &format!("\"{}\"", message.id))
        .with(LAST_MODIFIED, &when.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    for (name, value) in &message.headers.passed_through {
        reply = reply.with(name.clone(), value);
    }
    for (name, default) in [(MEX_CONTENT_COMPRESSED, compressed), (MEX_CONTENT_ENCRYPTED, "N")] {
        if given(&name).is_none() {
            reply = reply.with(name, default);
        }
    }
    if given(&MEX_FILE_NAME).is_none() {
        reply = reply.with(MEX_FILE_NAME, &format!("{}.dat", message.id));
    }
    let content_type = match (version, &message.headers.content_type) {
        (ApiVersion::V2, Some(sent)) => sent.as_str(),
        _ => "application/octet-stream",
    };
    reply.with(CONTENT_TYPE, content_type)
}

fn pieces(message: Arc<Message>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::iter((0..).map_while(move |index| message.body.piece(index).map(Ok)))
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
