//! The domain: mailboxes, messages, and what may be done with them. Knows no HTTP.
//!
//! Nothing happens here by itself. What time brings about, expiry and reports, is brought about when
//! the mailroom is next looked into.

mod books;
mod chunks;
mod collecting;
mod ghosts;
mod inbox;
mod mailbox;
mod message;
mod patients;
mod reports;
mod sending;
mod store;
#[cfg(test)]
pub(super) mod tests;
mod tracking;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

use super::{Clock, Switches};
use crate::protocol::{ContentEncoding, MailboxId, MessageId, NhsNumber, WorkflowId};
use message::{Entry, State};

pub use chunks::{ChunkHeaders, ChunkRefusal};
pub use collecting::{Delivered, Unavailable};
pub use mailbox::{Mailbox, Receiver, Workflow};
pub use message::{Message, Report};
pub use patients::Patient;
pub use reports::ReportRequest;
pub use store::{BodyError, BodyWriter, Limits, StoredBody};

/// All mailboxes of the endpoint and what lies in them.
pub struct Mailroom {
    clock: Clock,
    limits: Limits,
    switches: Switches,
    rooms: Mutex<Rooms>,
    ghosts: ghosts::Ghosts,
}

#[derive(Default)]
struct Rooms {
    switches: Switches,
    remembered: usize,
    mailboxes: HashMap<MailboxId, Room>,
    workflows: HashMap<WorkflowId, Workflow>,
    patients: HashMap<NhsNumber, Patient>,
    messages: HashMap<MessageId, Entry>,
    local_ids: HashMap<(MailboxId, String), BTreeSet<MessageId>>,
    /// What happens next to which message, by when and its number.
    due: BTreeMap<(DateTime<Utc>, u64), MessageId>,
    finished: VecDeque<MessageId>,
    next_number: u64,
}

struct Room {
    mailbox: Mailbox,
    /// What waits, in the order of delivery.
    inbox: BTreeMap<u64, Arc<Message>>,
}

impl Mailroom {
    /// An empty mailroom that answers as integration does.
    #[must_use]
    pub fn new(clock: Clock, limits: Limits) -> Self {
        Self::with_switches(clock, limits, Switches::default())
    }

    /// An empty mailroom.
    #[must_use]
    pub fn with_switches(clock: Clock, limits: Limits, switches: Switches) -> Self {
        let rooms = Rooms { switches: switches.clone(), remembered: limits.remembered, ..Rooms::default() };
        Self { clock, limits, switches, rooms: Mutex::new(rooms), ghosts: ghosts::Ghosts::default() }
    }

    /// A place for a body that is coming in.
    pub(super) fn body_writer(&self, encoding: ContentEncoding) -> BodyWriter {
        BodyWriter::new(encoding, self.limits.clone())
    }

    /// Forgets every message, and keeps mailboxes and workflows.
    pub fn reset(&self) {
        let mut rooms = self.lock();
        rooms.mailboxes.values_mut().for_each(|room| room.inbox.clear());
        rooms.messages.clear();
        rooms.local_ids.clear();
        rooms.due.clear();
        rooms.finished.clear();
    }

    /// Forgets every message that is addressed to a mailbox. `false` when there is no such mailbox.
    pub fn reset_mailbox(&self, id: &MailboxId) -> bool {
        let mut rooms = self.lock();
        if !rooms.mailboxes.contains_key(id) {
            return false;
        }
        let to_it = |entry: &&Entry| entry.message.recipient.as_ref() == Ok(id);
        let messages: Vec<MessageId> =
            rooms.messages.values().filter(to_it).map(|entry| entry.message.id.clone()).collect();
        messages.iter().for_each(|id| rooms.forget(id));
        true
    }

    /// The rooms, with everything done that was due by now.
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        let mut rooms = self.lock();
        rooms.settle(self.clock.now());
        rooms
    }

    fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
