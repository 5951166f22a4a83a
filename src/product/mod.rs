//! The product under test, and how it is asked to act.

mod poll;

use std::collections::BTreeSet;

use crate::client::{Answer, Outgoing, ReferenceClient};
use crate::{protocol::MessageId, tape::Exchange};

pub use poll::{Collected, Listing, Reported, collect, collect_report, drain, list_all};

/// The product under test. What it does is judged from the tape, never from what it returns.
#[derive(Debug)]
pub enum Product {
    /// The built-in reference client, in the product's mailbox.
    Reference(ReferenceClient),
}

impl Product {
    /// Asks it to validate its mailbox.
    pub async fn handshake(&mut self) -> Answer {
        let Self::Reference(client) = self;
        client.handshake().await
    }

    /// Asks it to send a message.
    pub async fn send(&mut self, message: &Outgoing) -> Answer {
        let Self::Reference(client) = self;
        client.send(message).await
    }

    /// Asks it to check its inbox.
    pub async fn check_inbox(&mut self) -> Answer {
        let Self::Reference(client) = self;
        client.check_inbox().await
    }

    /// Asks it for a poll cycle: list, download, acknowledge. The reference client takes the one
    /// message that it is told of, and leaves alone what others have sent to a mailbox that is shared.
    pub async fn receive(&mut self, message: &MessageId, accept_gzip: bool) -> Collected {
        let Self::Reference(client) = self;
        collect(client, message, accept_gzip).await
    }

    /// Asks it to send a message in chunks. What the first request showed.
    pub async fn send_chunked(&mut self, message: &Outgoing, chunk_bytes: u64) -> Option<Answer> {
        let Self::Reference(client) = self;
        client.send_chunked(message, chunk_bytes).await.into_iter().next()
    }

    /// Asks it to work its inbox off. The reference client takes the messages that it is told of.
    pub async fn drain(&mut self, expected: &BTreeSet<String>) {
        let Self::Reference(client) = self;
        drain(client, expected).await;
    }

    /// Asks it to download a message, whether its inbox lists it or not.
    pub async fn download(&mut self, message: &MessageId) -> Answer {
        let Self::Reference(client) = self;
        client.download(message, false).await
    }

    /// Asks it to look for a report on a message, and to take it like any other message.
    pub async fn receive_report(
        &mut self,
        about: &MessageId,
        is_report: impl Fn(&Exchange, &MessageId) -> bool,
    ) -> Option<Reported> {
        let Self::Reference(client) = self;
        collect_report(client, about, is_report).await
    }

    /// Asks it what became of a message that it sent.
    pub async fn track(&mut self, message: &MessageId) -> Answer {
        let Self::Reference(client) = self;
        client.track(message).await
    }

    /// Lists its whole inbox.
    pub async fn list_all(&mut self) -> Listing {
        let Self::Reference(client) = self;
        list_all(client).await
    }
}
