//! "Send chunked message".

use std::num::NonZeroU32;

use http::StatusCode;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{
    Ask, Reply,
    inbox::unavailable,
    outbox::{accepted, coded, refused},
    receive::{no_room, receive, too_large},
};
use crate::{
    emulator::{
        mailroom::{ChunkHeaders, ChunkRefusal, Unavailable},
        switches::ChunkReply,
    },
    protocol::{ApiVersion, MailboxId, MeshError, MessageId, SendRefusal, read_chunk_range, read_encoding},
};

pub async fn send(
    ask: Ask<'_>,
    sender: &MailboxId,
    id: &MessageId,
    number: NonZeroU32,
    body: &mut Incoming,
) -> Reply {
    let said = match said(ask, number) {
        Ok(said) => said,
        Err(refusal) => return refused(ask, refusal),
    };
    let encoding = match ask.mailroom.durably(|mailroom| mailroom.expect_chunk(sender, id, said)).await {
        Ok(Ok(encoding)) => encoding,
        Ok(Err(refusal)) => return refuse(ask, id, refusal),
        Err(unstored) => return no_room(unstored),
    };
    let stored = match receive(ask, body, ask.mailroom.body_writer(encoding)).await {
        Ok(stored) => stored,
        Err(reply) => return reply,
    };
    match ask.mailroom.durably(|mailroom| mailroom.send_chunk(sender, id, said, stored)).await {
        Ok(Ok(())) => taken(ask, id, number),
        Ok(Err(refusal)) => refuse(ask, id, refusal),
        Err(unstored) => no_room(unstored),
    }
}

fn said(ask: Ask<'_>, number: NonZeroU32) -> Result<ChunkHeaders, SendRefusal> {
    let headers = &ask.parts.headers;
    Ok(ChunkHeaders {
        number: number.get(),
        range: read_chunk_range(headers)?,
        encoding: read_encoding(headers)?,
    })
}

fn taken(ask: Ask<'_>, id: &MessageId, number: NonZeroU32) -> Reply {
    match (ask.switches.chunk_reply, ask.version) {
        (ChunkReply::MessageId, _) => accepted(ask, id.clone()),
        (ChunkReply::BlockId, ApiVersion::V1) => {
            let body = json!({ "messageID": id.as_str(), "blockID": number.get() });
            Reply::json(StatusCode::ACCEPTED, ask.version, &body)
        }
        (ChunkReply::BlockId, ApiVersion::V2) => Reply::json(StatusCode::ACCEPTED, ask.version, &Value::Null),
    }
}

/// 404 and 423 as the OpenAPI has them; it gives neither a body.
fn refuse(ask: Ask<'_>, id: &MessageId, refusal: ChunkRefusal) -> Reply {
    match refusal {
        ChunkRefusal::Missing => unavailable(Unavailable::Missing, id, ask.version),
        ChunkRefusal::Foreign => unavailable(Unavailable::Foreign, id, ask.version),
        ChunkRefusal::Finalised => {
            Reply::empty(StatusCode::LOCKED).noting("the message is complete, or was refused")
        }
        ChunkRefusal::Code(code) => coded(ask, MeshError { code, message_id: Some(id.clone()) }),
        ChunkRefusal::TooLarge => too_large(ask),
    }
}
