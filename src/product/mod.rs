//! The product under test, and how it is asked to act.

mod poll;

use crate::client::{Answer, Outgoing, ReferenceClient};
use crate::protocol::MessageId;

pub use poll::{Collected, Listing, collect, list_all};

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

    /// Lists its whole inbox.
    pub async fn list_all(&mut self) -> Listing {
        let Self::Reference(client) = self;
        list_all(client).await
    }
}
