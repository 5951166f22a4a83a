//! The headers of a download as mesh-sandbox 1.0.137 has them.

use http::{
    HeaderName,
    header::{CONTENT_ENCODING, CONTENT_TYPE, LAST_MODIFIED},
};

use super::{Reply, download::transferred};
use crate::{
    emulator::mailroom::Delivered,
    protocol::{
        ApiVersion, ContentEncoding, Failure, compact_time,
        headers::{
            MEX_ADDRESS_TYPE, MEX_CHUNK_RANGE, MEX_FILE_NAME, MEX_FROM, MEX_LINKED_MESSAGE_ID,
            MEX_MESSAGE_ID, MEX_MESSAGE_TYPE, MEX_STATUS_CODE, MEX_STATUS_DESCRIPTION, MEX_STATUS_EVENT,
            MEX_STATUS_SUCCESS, MEX_STATUS_TIMESTAMP, MEX_TO, MEX_TOTAL_CHUNKS, MEX_VERSION, MEX_WORKFLOW_ID,
        },
    },
};

/// Everything but what only a body has.
pub fn described(reply: Reply, delivered: &Delivered, number: u32) -> Reply {
    let message = &delivered.message;
    let when = delivered.delivered_at();
    let total = if message.report.is_some() { 0 } else { message.headers.chunk_range.total().get() };
    let mut reply = reply
        .with(MEX_WORKFLOW_ID, message.workflow().as_str())
        .with(MEX_MESSAGE_ID, message.id.as_str())
        .with(MEX_CHUNK_RANGE, &format!("{number}:{total}"))
        .with(MEX_TOTAL_CHUNKS, &total.to_string())
        .with(MEX_ADDRESS_TYPE, "ALL")
        .with(MEX_VERSION, "1.0")
        .with(MEX_FILE_NAME, &format!("{}.dat", message.id))
        .with(MEX_STATUS_TIMESTAMP, &compact_time(when))
        .with(LAST_MODIFIED, &when.format("%a, %d %b %Y %H:%M:%S UTC").to_string());
    if let Ok(recipient) = &message.recipient {
        reply = reply.with(MEX_TO, recipient.as_str());
    }
    if let Some(sender) = &message.sender {
        reply = reply.with(MEX_FROM, sender.as_str());
    }
    for (name, value) in &message.headers.passed_through {
        reply = filled(reply, name.clone(), value);
    }
    if message.headers.encoding == ContentEncoding::Gzip {
        reply = reply.with(CONTENT_ENCODING, "gzip");
    }
    with_status(reply, delivered)
}

/// The media type of a body; a text has its character set named.
pub fn typed(reply: Reply, delivered: &Delivered, version: ApiVersion) -> Reply {
    let headers = &delivered.message.headers;
    let own = headers.content_type.as_deref();
    match own.filter(|_| version == ApiVersion::V2 && headers.chunk_range.total().get() == 1) {
        Some(own) if own.starts_with("text/") && !own.contains("charset=") => {
            reply.with(CONTENT_TYPE, &format!("{own}; charset=utf-8"))
        }
        own => reply.with(CONTENT_TYPE, own.unwrap_or("application/octet-stream")),
    }
}

fn with_status(reply: Reply, delivered: &Delivered) -> Reply {
    let Some(report) = &delivered.message.report else {
        let reply = reply.with(MEX_MESSAGE_TYPE, "DATA");
        if let Some(failure) = &delivered.failure {
            return failed(reply, failure);
        }
        return transferred(reply);
    };
    let reply = failed(reply.with(MEX_MESSAGE_TYPE, "REPORT"), &report.failure);
    match &report.linked {
        Some(linked) => reply.with(MEX_LINKED_MESSAGE_ID, linked.as_str()),
        None => reply,
    }
}

fn failed(reply: Reply, failure: &Failure) -> Reply {
    let reply = reply.with(MEX_STATUS_SUCCESS, "ERROR");
    let reply = filled(reply, MEX_STATUS_CODE, &failure.code);
    let reply = filled(reply, MEX_STATUS_EVENT, &failure.event);
    filled(reply, MEX_STATUS_DESCRIPTION, &failure.description)
}

/// No header is empty.
fn filled(reply: Reply, name: HeaderName, value: &str) -> Reply {
    if value.is_empty() { reply } else { reply.with(name, value) }
}
