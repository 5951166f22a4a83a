//! "Send chunked message".

use std::num::NonZeroU32;

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Ask, Reply,
    outbox::{accepted, coded, refused},
    receive::{no_room, receive, too_large},
    refusals::unavailable,
    upload::Upload,
};
use crate::{
    emulator::{
        mailroom::{ChunkHeaders, ChunkRefusal, Unavailable},
        switches::{ChunkReply, Reading, Refusals},
    },
    protocol::{
        ApiVersion, ErrorCode, MailboxId, MeshError, MessageId, read_chunk_range, read_encoding,
        sandbox::{self, Refused, Told},
    },
};

pub async fn send(
    ask: Ask<'_>,
    sender: &MailboxId,
    id: &MessageId,
    number: NonZeroU32,
    body: &mut Upload,
) -> Reply {
    let (said, possible) = match said(ask, id, number) {
        Ok(said) => said,
        Err(reply) => return reply,
    };
    let encoding =
        match ask.mailroom.durably_at_last(|mailroom| mailroom.expect_chunk(sender, id, said)).await {
            Ok(Ok(encoding)) if possible => encoding,
            Ok(Ok(_)) => return refuse(ask, id, ChunkRefusal::Code(ErrorCode::EncodingChanged)),
            Ok(Err(refusal)) => return refuse(ask, id, refusal),
            Err(unstored) => return no_room(ask, unstored),
        };
    let stored = match receive(ask, body, ask.mailroom.body_writer(encoding)).await {
        Ok(stored) => stored,
        Err(reply) => return reply,
    };
    match ask.mailroom.durably(|mailroom| mailroom.send_chunk(sender, id, said, stored)).await {
        Ok(Ok(())) => taken(ask, id, number),
        Ok(Err(refusal)) => refuse(ask, id, refusal),
        Err(unstored) => no_room(ask, unstored),
    }
}

/// What the chunk says of itself, and whether it can be encoded so at all.
fn said(ask: Ask<'_>, id: &MessageId, number: NonZeroU32) -> Result<(ChunkHeaders, bool), Reply> {
    let headers = &ask.parts.headers;
    if ask.switches.reading == Reading::Sandbox {
        let said = sandbox::chunk_headers(headers, id, number.get().into());
        let said = said.map_err(|refused| ask.tell(&refused))?;
        let (number, range) = (number.get(), Some(said.range));
        return Ok((ChunkHeaders { number, range, encoding: said.encoding }, said.encoding.is_some()));
    }
    let range = read_chunk_range(headers).map_err(|refusal| refused(ask, refusal))?;
    let encoding = read_encoding(headers).map_err(|refusal| refused(ask, refusal))?;
    Ok((ChunkHeaders { number: number.get(), range, encoding }, true))
}

fn taken(ask: Ask<'_>, id: &MessageId, number: NonZeroU32) -> Reply {
    match (ask.switches.chunk_reply, ask.version) {
        (ChunkReply::MessageId, _) => accepted(ask, id.clone()),
        (ChunkReply::BlockId, ApiVersion::V1) => {
            let body = json!({ "messageID": id.as_str(), "blockID": number.get() });
            Reply::json(StatusCode::ACCEPTED, ask.label(), &body)
        }
        (ChunkReply::BlockId, ApiVersion::V2) => Reply::json(StatusCode::ACCEPTED, ask.label(), &Value::Null),
    }
}

/// 404 and 423 as the OpenAPI has them; it gives neither a body.
fn refuse(ask: Ask<'_>, id: &MessageId, refusal: ChunkRefusal) -> Reply {
    if ask.switches.refusals == Refusals::Sandbox {
        return refuse_as_sandbox(ask, refusal);
    }
    match refusal {
        ChunkRefusal::Missing => unavailable(ask, Unavailable::Missing, id),
        ChunkRefusal::Foreign => unavailable(ask, Unavailable::Foreign, id),
        ChunkRefusal::Finalised => {
            Reply::empty(StatusCode::LOCKED).noting("the message is complete, or was refused")
        }
        ChunkRefusal::Code(code) => coded(ask, MeshError { code, message_id: Some(id.clone()) }),
        ChunkRefusal::TooLarge => too_large(ask),
    }
}

/// mesh-sandbox has words for what is missing, another's or in another encoding, and none for what is
/// complete (423) or beyond the total (406).
fn refuse_as_sandbox(ask: Ask<'_>, refusal: ChunkRefusal) -> Reply {
    let words = Refused::words;
    let told = match refusal {
        ChunkRefusal::Missing => words(StatusCode::NOT_FOUND, "Not Found"),
        ChunkRefusal::Foreign => words(StatusCode::FORBIDDEN, "Forbidden"),
        ChunkRefusal::Finalised => Refused::new(StatusCode::LOCKED, Told::Nothing),
        ChunkRefusal::Code(ErrorCode::EncodingChanged) => {
            words(StatusCode::EXPECTATION_FAILED, "cannot change content encoding")
        }
        ChunkRefusal::Code(_) => Refused::new(StatusCode::NOT_ACCEPTABLE, Told::Nothing),
        ChunkRefusal::TooLarge => return too_large(ask),
    };
    ask.tell(&told)
}
