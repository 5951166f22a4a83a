//! Handing messages out, and taking them out of the inbox.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Mailroom, Message, Rooms, State, StoredBody, content::Content};
use crate::{
    emulator::switches::{EventReports, Foreign, Past, Uploading},
    protocol::{Failure, MailboxId, MessageId},
};

/// A message that may be downloaded.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// What it is.
    pub message: Arc<Message>,
    /// Why it was delivered to nobody after all; only its sender gets to see that.
    pub failure: Option<Box<Failure>>,
    content: Arc<Content>,
}

/// Why a message cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// There is none by this ID for this mailbox: 404.
    Missing,
    /// It was acknowledged or has expired: 410.
    Gone,
    /// It is another mailbox's, where that is told: 403.
    Foreign,
}

impl Delivered {
    /// A chunk of it, from 1; `None` when it has none by this number.
    #[must_use]
    pub fn chunk(&self, number: u32) -> Option<&StoredBody> {
        self.content.chunks.get(number)
    }

    /// When it was delivered.
    #[must_use]
    pub fn delivered_at(&self) -> DateTime<Utc> {
        self.content.delivered_at
    }
}

impl Mailroom {
    /// A message in a mailbox's inbox, for its download or its headers alone.
    pub(in crate::emulator) fn message(
        &self,
        mailbox: &MailboxId,
        id: &MessageId,
    ) -> Result<Delivered, Unavailable> {
        let found = self.rooms().collect(mailbox, id);
        if found.is_err() {
            self.ghosts.lay(mailbox, id);
        }
        found
    }

    /// A message that a mailbox sent, whatever became of it; it may have no content any more.
    pub(in crate::emulator) fn sent(&self, mailbox: &MailboxId, id: &MessageId) -> Option<Delivered> {
        let rooms = self.rooms();
        let entry = rooms.messages.get(id).filter(|entry| entry.message.sender.as_ref() == Some(mailbox))?;
        let (message, delivered_at) = (Arc::clone(&entry.message), entry.message.sent_at);
        let empty = || Arc::new(Content { delivered_at, ..Content::default() });
        let content = match &entry.state {
            State::Waiting { content, .. } => Arc::clone(content),
            _ => empty(),
        };
        let failure = match &entry.state {
            State::Failed { failure, .. } => Some(failure.clone()),
            _ => None,
        };
        Some(Delivered { message, failure, content })
    }

    /// Takes a message out of the inbox for good. Doing so again changes nothing.
    pub(in crate::emulator) fn acknowledge(
        &self,
        mailbox: &MailboxId,
        id: &MessageId,
    ) -> Result<(), Unavailable> {
        let mut rooms = self.rooms();
        match rooms.collect(mailbox, id) {
            // What is served again is not acknowledged again.
            Ok(_) => rooms.acknowledge(id, self.clock.now()),
            Err(Unavailable::Gone) => {}
            Err(other) => return Err(other),
        }
        Ok(())
    }
}

/// What a test may do to a message, whoever's it is. `false` when there is no such message.
impl Mailroom {
    /// As if its recipient had acknowledged it.
    pub fn mark_acknowledged(&self, id: &MessageId) -> bool {
        let (mut rooms, now) = (self.rooms(), self.clock.now());
        rooms.acknowledge(id, now);
        rooms.messages.contains_key(id)
    }

    /// As if it had waited too long: with a report to its sender. Where events are not reported, it need
    /// not even have waited.
    pub fn mark_undeliverable(&self, id: &MessageId) -> bool {
        let (mut rooms, now) = (self.rooms(), self.clock.now());
        match self.switches.event_reports {
            EventReports::Sent => rooms.expire(id, now),
            EventReports::Unsent => {
                if rooms.lapse(id, now).is_none() {
                    rooms.move_to(id, State::Undeliverable { at: now, content: None });
                }
            }
        }
        rooms.messages.contains_key(id)
    }

    /// As if it could not be delivered: with a report to its sender.
    pub fn mark_failed(&self, id: &MessageId, failure: Failure) -> bool {
        let (mut rooms, now) = (self.rooms(), self.clock.now());
        let message = rooms.messages.get(id).map(|entry| Arc::clone(&entry.message));
        if let Some(message) = &message {
            match self.switches.event_reports {
                EventReports::Sent => rooms.fail(message, failure, now),
                EventReports::Unsent => {
                    rooms.move_to(id, State::Failed { at: now, failure: Box::new(failure) })
                }
            }
        }
        message.is_some()
    }
}

impl Rooms {
    fn collect(&self, mailbox: &MailboxId, id: &MessageId) -> Result<Delivered, Unavailable> {
        let entry = self.messages.get(id).ok_or(Unavailable::Missing)?;
        if entry.message.recipient.as_ref() != Ok(mailbox) {
            return Err(match self.switches.foreign {
                Foreign::Missing => Unavailable::Missing,
                Foreign::Forbidden => Unavailable::Foreign,
            });
        }
        let found = |content: &Arc<Content>| Delivered {
            message: Arc::clone(&entry.message),
            failure: None,
            content: Arc::clone(content),
        };
        let past = |switch, content: &Option<Arc<Content>>| match (switch, content) {
            (Past::Served, Some(content)) => Ok(found(content)),
            (Past::Missing, _) => Err(Unavailable::Missing),
            _ => Err(Unavailable::Gone),
        };
        match &entry.state {
            State::Waiting { content, .. } => Ok(found(content)),
            State::Acknowledged { content, .. } => past(self.switches.acknowledged, content),
            State::Undeliverable { content, .. } => past(self.switches.expired, content),
            // Failed otherwise (OpenAPI, 410 of "Get Message").
            State::Failed { .. } => Err(Unavailable::Gone),
            State::Uploading { .. } => Err(match self.switches.uploading {
                Uploading::Missing => Unavailable::Missing,
                Uploading::Gone => Unavailable::Gone,
            }),
        }
    }
}
