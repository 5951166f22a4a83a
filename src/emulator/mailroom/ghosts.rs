//! Messages that an inbox lists although they are not there: a product that works its inbox off runs
//! into 404 or 410 by itself (pack cases 704 and 705).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::Mailroom;
use crate::protocol::{MailboxId, MessageId};

/// Ghosts at a time in one inbox.
const MOST: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Ghosts(Mutex<HashMap<MailboxId, Vec<MessageId>>>);

impl Ghosts {
    pub fn of(&self, mailbox: &MailboxId) -> Vec<MessageId> {
        let ghosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ghosts.get(mailbox).cloned().unwrap_or_default()
    }

    /// Nobody is misled twice.
    pub fn lay(&self, mailbox: &MailboxId, id: &MessageId) {
        let mut ghosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = ghosts.get_mut(mailbox) {
            own.retain(|other| other != id);
        }
    }
}

impl Mailroom {
    /// Lists a message in an inbox until its download was tried, or a look at its headers, although it is not there: it
    /// never was, was acknowledged, or has expired. Either is refused, and a product may take the one before the other.
    /// At most 16 for a mailbox; further ones are not listed.
    pub fn list_although_gone(&self, mailbox: &MailboxId, id: &MessageId) {
        let mut ghosts = self.ghosts.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = ghosts.entry(mailbox.clone()).or_default();
        if own.len() < MOST && !own.contains(id) {
            own.push(id.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Unavailable,
        tests::{mailbox, mailroom, send},
    };
    use crate::protocol::InboxQuery;

    #[test]
    fn a_message_that_is_gone_is_listed_until_somebody_asks_for_it() {
        let (mailroom, _) = mailroom();
        let bob = mailbox("BOB");
        let message = send(&mailroom, "BOB", "W1", b"x").unwrap();
        mailroom.acknowledge(&bob, &message).unwrap();
        let listed = || mailroom.inbox(&bob, &InboxQuery::parse("").unwrap()).unwrap().messages;
        assert!(listed().is_empty());
        mailroom.list_although_gone(&bob, &message);
        assert_eq!(listed(), std::slice::from_ref(&message));
        assert_eq!(mailroom.message(&bob, &message).err(), Some(Unavailable::Gone));
        assert!(listed().is_empty());
        assert!(
            mailroom.inbox(&mailbox("ALICE"), &InboxQuery::parse("").unwrap()).unwrap().messages.is_empty()
        );
    }
}
