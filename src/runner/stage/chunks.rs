//! Messages that travel in chunks (pack cases 501 and 502).

use std::sync::Arc;

use aws_lc_rs::digest;
use futures_util::StreamExt;
use md5::{Digest, Md5};

use super::{Fault, Role, SentMessage, Stage, asking::filed, out_of_order};
use crate::{
    client::{Outgoing, Payload},
    protocol::{MailboxId, hexadecimal},
    rules,
    tape::{Exchange, Sha256},
};

impl Stage {
    /// Has one side send a large made-up message to the other in chunks, as large as the run is told, each compressed
    /// by itself where it is to be.
    ///
    /// # Errors
    /// When the counterpart cannot be made ready, or does not send it as it must. What the product did is
    /// for [`Stage::sent_in_chunks`] to judge.
    pub async fn send_in_chunks(&mut self, from: Role, compress: bool) -> Result<(), Fault> {
        if from == Role::Counterpart {
            self.validate(Role::Counterpart).await?;
        }
        let chunk_bytes = self.setting.terms.chunking.chunk_bytes;
        let to = self.mailbox(if from == Role::Product { Role::Counterpart } else { Role::Product });
        let message = self.large(to, compress);
        let exchange = match from {
            Role::Product => self.product_sends_message(&message, Some(chunk_bytes)).await?,
            Role::Counterpart => {
                let sent = self.counterpart.send_chunked(&message, chunk_bytes).await;
                sent.into_iter().next().ok_or_else(|| out_of_order("a send"))?.exchange
            }
        };
        let whole = digests(&message.payload, &[message.payload.size()]).await;
        let asked = whole.parts.first().copied().unwrap_or_else(|| Sha256::of(&[]));
        self.sent = Some(SentMessage { asked, exchange });
        self.whole = Some(message.payload);
        if from == Role::Counterpart {
            self.message_accepted()?;
            self.sent_in_chunks().await?;
        }
        Ok(())
    }

    /// A large made-up message. One that is to be compressed is of more than one chunk however that is done.
    pub(super) fn large(&self, to: MailboxId, compress: bool) -> Outgoing {
        let sizes = self.setting.terms.chunking;
        if !compress {
            return self.outgoing(to, &self.label, sizes.message_bytes);
        }
        let size = sizes.message_bytes.max(sizes.chunk_bytes.saturating_mul(2));
        let payload = Payload::dense(self.label.as_str(), size);
        Outgoing { compress, payload, ..self.outgoing(to, &self.label, size) }
    }

    /// Each chunk that was sent is gzip by itself.
    ///
    /// # Errors
    /// When one is not. One that does not say so is a warning.
    pub fn sent_each_compressed(&self) -> Result<(), Fault> {
        let first = Arc::clone(&self.sent()?.exchange);
        let own = self.own_exchanges();
        // A message of which the first chunk was refused has no others.
        let sends = match rules::message_accepted(&first, &own) {
            Ok(message) => rules::sends_of(&message, &first, &own),
            Err(_) => vec![first],
        };
        sends.iter().for_each(|send| self.look(send));
        if let Some(warning) = rules::compressed_by_itself(&sends)? {
            self.warn(warning);
        }
        Ok(())
    }

    /// The product offered to take chunks compressed, and got them so.
    ///
    /// # Errors
    /// When it did not offer, or they came otherwise.
    pub fn downloaded_each_compressed(&self) -> Result<(), Fault> {
        let downloads = rules::downloads_of(&self.message()?, Role::Product, &self.own_exchanges());
        downloads.iter().for_each(|download| self.look(download));
        rules::chunks_downloaded_compressed(&downloads)
    }

    /// The message was sent in chunks, each accepted, and they are the payload that was to be sent.
    ///
    /// # Errors
    /// When it was not.
    pub async fn sent_in_chunks(&mut self) -> Result<(), Fault> {
        let (message, first) = (self.message()?, Arc::clone(&self.sent()?.exchange));
        let sends = rules::sends_of(&message, &first, &self.own_exchanges());
        sends.iter().for_each(|send| self.look(send));
        rules::split_before_compression(&first)?;
        rules::sent_in_chunks(&sends, &self.own_exchanges())?;
        let contents = contents_of(&sends);
        let asked = self.asked(&contents).await?;
        rules::chunks_unaltered(&asked.parts, &digests_of(&contents), Some(first.actor))?;
        let last = sends.last().map(|last| last.request.head.line()).unwrap_or_default();
        self.note(format!("{}; final block: {last}", asked.told(sends.len())));
        if first.actor == Role::Product { self.stands_by_it() } else { Ok(()) }
    }

    /// What was downloaded, chunk by chunk, is what was sent: the MD5 of the whole is that of the
    /// payload, since each part of it is that part of the payload.
    ///
    /// # Errors
    /// When it is not.
    pub async fn whole_unaltered(&mut self, by: Role) -> Result<(), Fault> {
        let message = self.message()?;
        self.collected()?.downloaded_first()?;
        let downloads = rules::downloads_of(&message, by, &self.own_exchanges());
        downloads.iter().for_each(|download| self.look(download));
        rules::downloaded_in_chunks(&downloads, &self.own_exchanges())?;
        self.chunks_are_the_whole(&downloads).await?;
        match by {
            Role::Product => self.holds(message.as_str(), self.sent()?.asked),
            Role::Counterpart => Ok(()),
        }
    }

    /// The content of these downloads, one after the other, is the payload.
    pub(super) async fn chunks_are_the_whole(&self, downloads: &[Arc<Exchange>]) -> Result<(), Fault> {
        rules::chunks_say_their_encoding(downloads)?;
        let bodies = downloads.iter().filter_map(|download| Some(&download.response.as_ref()?.body));
        let contents: Vec<Content> =
            bodies.map(|body| body.content_size().zip(body.content_sha256())).collect();
        let asked = self.asked(&contents).await?;
        rules::chunks_unaltered(&asked.parts, &digests_of(&contents), None)?;
        if let (Some(first), Some(message)) = (asked.parts.first(), &self.message)
            && asked.parts.len() > 1
            && self.received.as_ref().and_then(|received| received.get(&filed(message.as_str())))
                == Some(first)
        {
            return Err(rules::holds_first_chunk_alone(message.as_str(), asked.parts.len()));
        }
        self.note(asked.told(downloads.len()));
        Ok(())
    }

    /// The digests of the payload, cut where these bodies are cut.
    async fn asked(&self, contents: &[Content]) -> Result<Digests, Fault> {
        let payload = self.whole.as_ref().ok_or_else(|| out_of_order("a message in chunks"))?;
        Ok(digests(payload, &sizes(contents)).await)
    }
}

/// Size and digest of what a chunk holds, decoded; `None` when it cannot be decoded.
type Content = Option<(u64, Sha256)>;

/// The content of these sends, one after the other, is the payload.
pub(super) async fn sent_whole(payload: &Payload, sends: &[Arc<Exchange>]) -> Result<(), Fault> {
    let contents = contents_of(sends);
    let asked = digests(payload, &sizes(&contents)).await;
    rules::chunks_unaltered(&asked.parts, &digests_of(&contents), sends.first().map(|send| send.actor))
}

fn contents_of(sends: &[Arc<Exchange>]) -> Vec<Content> {
    let Some(first) = sends.first() else { return Vec::new() };
    sends.iter().map(|send| rules::content_of(first, send)).collect()
}

fn sizes(contents: &[Content]) -> Vec<u64> {
    contents.iter().map(|content| content.map_or(0, |(size, _)| size)).collect()
}

fn digests_of(contents: &[Content]) -> Vec<Option<Sha256>> {
    contents.iter().map(|content| content.map(|(_, digest)| digest)).collect()
}

/// What a payload is, by digests.
struct Digests {
    size: u64,
    md5: String,
    parts: Vec<Sha256>,
}

impl Digests {
    fn told(&self, chunks: usize) -> String {
        format!("{} bytes in {chunks} chunks, MD5 of the whole {}", self.size, self.md5)
    }
}

/// Digests of the whole payload and of its parts of these sizes; what they leave over is a part more.
async fn digests(payload: &Payload, sizes: &[u64]) -> Digests {
    let mut md5 = Md5::new();
    let (mut parts, mut from) = (Vec::new(), 0);
    let left = payload.size().saturating_sub(sizes.iter().sum());
    for size in sizes.iter().copied().chain((left > 0).then_some(left)) {
        let mut sha256 = digest::Context::new(&digest::SHA256);
        let mut pieces = std::pin::pin!(payload.part(from, size).pieces());
        while let Some(piece) = pieces.next().await {
            md5.update(&piece);
            sha256.update(&piece);
            // As in `Payload::digest`.
            tokio::task::yield_now().await;
        }
        parts.push(Sha256::from_digest(sha256.finish()));
        from += size;
    }
    let md5 = hexadecimal(&md5.finalize());
    Digests { size: payload.size(), md5, parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MD5 computed by md5sum.
    #[tokio::test]
    async fn the_digests_of_a_payload_are_those_of_its_content() {
        let payload = Payload::new("501", 3 * 256);
        let content: Vec<u8> = payload.pieces().collect::<Vec<_>>().await.concat();
        let cut = digests(&payload, &[100, 200]).await;
        let expected = [&content[..100], &content[100..300], &content[300..]].map(Sha256::of);
        assert_eq!(cut.parts, expected, "what is left over is a part of its own");
        let whole = digests(&payload, &[768]).await;
        assert_eq!((whole.parts, whole.md5 == cut.md5), (vec![Sha256::of(&content)], true));
        let empty = digests(&Payload::new("501", 0), &[0]).await;
        assert_eq!(empty.md5, "d41d8cd98f00b204e9800998ecf8427e");
    }
}
