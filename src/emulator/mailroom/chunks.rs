//! Taking in the chunks after the first (OpenAPI, "Send chunked message").

use chrono::{DateTime, Utc};

use super::{
    Mailroom, Rooms, State, StoredBody,
    content::{Chunks, Content},
};
use crate::{
    emulator::switches::{ChunkEncoding, ChunkHeader, ChunkOrder, Foreign},
    protocol::{ChunkRange, ContentEncoding, ErrorCode, MailboxId, MessageId},
};

/// Why a chunk is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkRefusal {
    /// No such message: 404.
    Missing,
    /// Another mailbox's message, where that is told: 403.
    Foreign,
    /// The message is complete: 423.
    Finalised,
    /// 417, with a code.
    Code(ErrorCode),
    /// The message has become too long.
    TooLarge,
}

/// What a caller says of a chunk.
#[derive(Debug, Clone, Copy)]
pub struct ChunkHeaders {
    /// By the path.
    pub number: u32,
    /// By the header, where there is one.
    pub range: Option<ChunkRange>,
    /// By the header, where there is one.
    pub encoding: Option<ContentEncoding>,
}

impl Mailroom {
    /// Whether this chunk may come now, and how it is encoded.
    pub(in crate::emulator) fn expect_chunk(
        &self,
        sender: &MailboxId,
        id: &MessageId,
        said: ChunkHeaders,
    ) -> Result<ContentEncoding, ChunkRefusal> {
        self.rooms().expected(sender, id, said)
    }

    /// Takes a chunk in, and delivers the message when it was the last.
    pub(in crate::emulator) fn send_chunk(
        &self,
        sender: &MailboxId,
        id: &MessageId,
        said: ChunkHeaders,
        body: StoredBody,
    ) -> Result<(), ChunkRefusal> {
        let mut rooms = self.rooms();
        // Once more: while the body came, another call may have sent the same chunk.
        rooms.expected(sender, id, said)?;
        if body.is_empty() && self.switches.chunk_order == ChunkOrder::Strict {
            return Err(ChunkRefusal::Code(ErrorCode::DataFileMissing));
        }
        let Some(entry) = rooms.messages.get(id) else { return Err(ChunkRefusal::Missing) };
        let State::Uploading { chunks, .. } = &entry.state else { return Err(ChunkRefusal::Finalised) };
        let before = chunks.get(said.number).map_or(0, StoredBody::size);
        if entry.size - before + body.size() > self.limits.message_bytes {
            return Err(ChunkRefusal::TooLarge);
        }
        let last = said.number == entry.message.headers.chunk_range.total().get();
        rooms.put_chunk(id, said.number, body);
        if last {
            rooms.complete(id, self.clock.now());
        }
        Ok(())
    }
}

impl Rooms {
    /// Delivers a message of which no more chunks come.
    fn complete(&mut self, id: &MessageId, delivered_at: DateTime<Utc>) {
        if let Some(State::Uploading { chunks, .. }) = self.messages.get(id).map(|entry| &entry.state) {
            let chunks = Chunks::clone(chunks);
            self.deliver(id, Content { chunks, delivered_at });
        }
    }

    fn expected(
        &self,
        sender: &MailboxId,
        id: &MessageId,
        said: ChunkHeaders,
    ) -> Result<ContentEncoding, ChunkRefusal> {
        let entry = self.messages.get(id).ok_or(ChunkRefusal::Missing)?;
        // A report is nobody's.
        if entry.message.sender.as_ref() != Some(sender) {
            return Err(match self.switches.foreign {
                Foreign::Missing => ChunkRefusal::Missing,
                Foreign::Forbidden => ChunkRefusal::Foreign,
            });
        }
        let State::Uploading { chunks, .. } = &entry.state else { return Err(ChunkRefusal::Finalised) };
        let first = &entry.message.headers;
        let total = first.chunk_range.total().get();
        let strict = self.switches.chunk_order == ChunkOrder::Strict;
        let header_fits = match said.range {
            None => self.switches.chunk_header == ChunkHeader::Optional,
            Some(range) => range.index().get() == said.number && (!strict || range.total().get() == total),
        };
        let next = chunks.last_number() + 1;
        if !header_fits || said.number > total || (strict && said.number != next) {
            return Err(ChunkRefusal::Code(ErrorCode::InvalidChunkRange));
        }
        match said.encoding {
            None if self.switches.chunk_encoding == ChunkEncoding::MayBeOmitted => Ok(first.encoding),
            said if said.unwrap_or(ContentEncoding::Identity) == first.encoding => Ok(first.encoding),
            _ => Err(ChunkRefusal::Code(ErrorCode::EncodingChanged)),
        }
    }
}
