//! Messages that travel in chunks (pack cases 501 and 502).

use std::sync::Arc;

use aws_lc_rs::digest;
use futures_util::StreamExt;
use md5::{Digest, Md5};

use super::{Fault, Role, SentMessage, Stage, out_of_order};
use crate::{
    client::{Outgoing, Payload},
    rules,
    tape::{BodyRecord, Exchange, Sha256},
};

impl Stage {
    /// Has one side send a large made-up message to the other in chunks, as large as the run is told.
    ///
    /// # Errors
    /// When the counterpart cannot be made ready, or does not send it as it must. What the product did is
    /// for [`Stage::sent_in_chunks`] to judge.
    pub async fn send_in_chunks(&mut self, from: Role) -> Result<(), Fault> {
        if from == Role::Counterpart {
            self.validate(Role::Counterpart).await?;
        }
        let sizes = self.setting.terms.chunking;
        let to = self.mailbox(if from == Role::Product { Role::Counterpart } else { Role::Product });
        let message: Outgoing = self.outgoing(to, &self.label, sizes.message_bytes);
        let exchange = match from {
            Role::Product => self.product_sends_message(&message, Some(sizes.chunk_bytes)).await?,
            Role::Counterpart => {
                let sent = self.counterpart.send_chunked(&message, sizes.chunk_bytes).await;
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

    /// The message was sent in chunks, each accepted, and they are the payload that was to be sent.
    ///
    /// # Errors
    /// When it was not.
    pub async fn sent_in_chunks(&mut self) -> Result<(), Fault> {
        let (message, first) = (self.message()?, Arc::clone(&self.sent()?.exchange));
        let sends = rules::sends_of(&message, &first, &self.own_exchanges());
        sends.iter().for_each(|send| self.look(send));
        rules::sent_in_chunks(&sends, &self.own_exchanges())?;
        let bodies: Vec<&BodyRecord> = sends.iter().map(|send| &send.request.body).collect();
        let asked = self.asked(&bodies).await?;
        rules::chunks_unaltered(&asked.parts, &contents(&bodies), Some(first.actor))?;
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
        let bodies: Vec<&BodyRecord> = downloads.iter().filter_map(body).collect();
        let asked = self.asked(&bodies).await?;
        rules::chunks_unaltered(&asked.parts, &contents(&bodies), None)?;
        self.note(asked.told(downloads.len()));
        Ok(())
    }

    /// The digests of the payload, cut where these bodies are cut.
    async fn asked(&self, bodies: &[&BodyRecord]) -> Result<Digests, Fault> {
        let payload = self.whole.as_ref().ok_or_else(|| out_of_order("a message in chunks"))?;
        Ok(digests(payload, &sizes(bodies)).await)
    }
}

/// The content of these sends, one after the other, is the payload.
pub(super) async fn sent_whole(payload: &Payload, sends: &[Arc<Exchange>]) -> Result<(), Fault> {
    let bodies: Vec<&BodyRecord> = sends.iter().map(|send| &send.request.body).collect();
    let asked = digests(payload, &sizes(&bodies)).await;
    rules::chunks_unaltered(&asked.parts, &contents(&bodies), sends.first().map(|send| send.actor))
}

fn sizes(bodies: &[&BodyRecord]) -> Vec<u64> {
    bodies.iter().map(|body| body.content_size().unwrap_or_default()).collect()
}

fn body(exchange: &Arc<Exchange>) -> Option<&BodyRecord> {
    Some(&exchange.response.as_ref()?.body)
}

fn contents(bodies: &[&BodyRecord]) -> Vec<Option<Sha256>> {
    bodies.iter().map(|body| body.content_sha256()).collect()
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
    let md5 = md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
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
