//! The mailboxes that take part.

use std::sync::Arc;

use crate::protocol::{Credentials, MailboxId, Password, SharedKey};

use super::identity::ClientIdentity;

/// The two mailboxes of a run. Their IDs differ.
#[derive(Debug, Clone)]
pub struct Mailboxes {
    /// The one of the system under test.
    pub product: Mailbox,
    /// An independent one, driven by mesh-witness.
    pub counterpart: Mailbox,
    /// One that nobody polls, for case 703; only its ID is known.
    pub dormant: Option<MailboxId>,
}

/// A mailbox and what it takes to speak for it.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// Its ID.
    pub id: MailboxId,
    /// Its password.
    pub password: Password,
    /// The client certificate to speak for it: its own, or else the endpoint's.
    pub identity: Option<Arc<ClientIdentity>>,
}

impl Mailbox {
    /// What it takes to make a token for this mailbox.
    #[must_use]
    pub fn credentials(&self, shared_key: &SharedKey) -> Credentials {
        Credentials {
            mailbox: self.id.clone(),
            password: self.password.clone(),
            shared_key: shared_key.clone(),
        }
    }
}
