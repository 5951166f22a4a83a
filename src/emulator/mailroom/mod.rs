//! The domain: mailboxes, messages, and what may be done with them. Knows no HTTP.
//!
//! Nothing happens here by itself. What time brings about, expiry and reports, is brought about when
//! the mailroom is next looked into.
//!
//! A mailroom is kept in memory or durably in a folder. Either way calls are answered from the same
//! books in memory.

mod body;
mod books;
mod chunks;
mod collecting;
mod content;
mod durable;
mod ghosts;
mod inbox;
mod journal;
mod limits;
mod mailbox;
mod message;
mod moved;
mod patients;
mod positioned;
mod random;
mod reports;
mod rich;
mod sending;
mod share;
mod shared;
mod spill;
#[cfg(test)]
pub(super) mod tests;
mod tracking;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{Arc, MutexGuard},
};

use chrono::{DateTime, Utc};

use super::{Clock, Switches};
use crate::protocol::{ContentEncoding, MailboxId, MessageId, NhsNumber, WorkflowId};
use durable::{Committer, Ticket};
use journal::Journal;
use message::{Entry, State};
use random::Random;
use shared::{Access, Shared};
use writer::Space;

pub use body::{BodyReader, StoredBody};
pub use chunks::{ChunkHeaders, ChunkRefusal};
pub use collecting::{Delivered, Unavailable};
pub use durable::{SetAside, StoreError, Unstored};
pub use inbox::{read_place, write_place};
pub use limits::Limits;
pub use mailbox::{Mailbox, Receiver, Workflow};
pub use message::{Message, Report};
pub use moved::Unmoved;
pub use patients::Patient;
pub use reports::ReportRequest;
pub use rich::RichPage;
pub use spill::SpillError;
pub use writer::{BodyError, BodyWriter};

/// How often a call is made that has only seen what could not be written.
const TRIES: usize = 8;

/// All mailboxes of the endpoint and what lies in them.
pub struct Mailroom {
    clock: Clock,
    limits: Limits,
    switches: Switches,
    space: Space,
    shared: Arc<Shared>,
    committer: Option<Committer>,
    set_aside: Vec<SetAside>,
    ghosts: ghosts::Ghosts,
    note: moved::Note,
}

/// The books.
pub struct Rooms {
    switches: Switches,
    remembered: usize,
    remembered_bytes: u64,
    mailboxes: HashMap<MailboxId, Mailbox>,
    workflows: HashMap<WorkflowId, Workflow>,
    patients: HashMap<NhsNumber, Patient>,
    messages: HashMap<MessageId, Entry>,
    /// What waits in each mailbox, in the order of delivery.
    inboxes: HashMap<MailboxId, BTreeMap<u64, Arc<Message>>>,
    local_ids: HashMap<(MailboxId, String), BTreeSet<MessageId>>,
    /// What happens next to which message, by when and its number.
    due: BTreeMap<(DateTime<Utc>, u64), MessageId>,
    /// What nothing more is done with, in the order in which that was so.
    finished: BTreeMap<u64, MessageId>,
    /// What was said of all that, in bytes.
    said_of_finished: u64,
    next_number: u64,
    random: Random,
    space: Space,
    /// Of a mailroom that is durable.
    journal: Option<Journal>,
}

impl Mailroom {
    /// An empty mailroom that answers as integration does. It is gone with the process.
    #[must_use]
    pub fn new(clock: Clock, limits: Limits) -> Self {
        Self::with_switches(clock, limits, Switches::default())
    }

    /// An empty mailroom that is gone with the process.
    #[must_use]
    pub fn with_switches(clock: Clock, limits: Limits, switches: Switches) -> Self {
        let space = Space::passing(limits.clone());
        let rooms = Rooms::new(&limits, &switches, &space);
        let shared = Arc::new(Shared::new(rooms));
        Self {
            clock,
            limits,
            switches,
            space,
            shared,
            committer: None,
            set_aside: Vec::new(),
            ghosts: ghosts::Ghosts::default(),
            note: moved::Note::default(),
        }
    }

    /// A mailroom with all that lies in a folder, which is made where there is none. Mailboxes, workflows
    /// and patients are to be installed anew.
    ///
    /// Reads every message's row: some microseconds each.
    ///
    /// # Errors
    /// When the folder cannot be used: it cannot be written, another process is using it, what is in it
    /// is damaged or of another format.
    pub fn open(clock: Clock, limits: Limits, switches: Switches, folder: &Path) -> Result<Self, StoreError> {
        let opened = durable::open(folder, limits.clone())?;
        let mut rooms = Rooms::new(&limits, &switches, &opened.space);
        rooms.next_number = opened.next_number;
        opened.entries.into_iter().for_each(|entry| rooms.load(entry));
        let journal = Journal::default();
        let counts = journal.counts();
        rooms.journal = Some(journal);
        let shared = Arc::new(Shared::new(rooms));
        let committer = Committer::start(Arc::clone(&shared), counts, opened.store)
            .map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        let (space, set_aside) = (opened.space, opened.set_aside);
        let note = moved::Note::within(folder, &clock);
        Ok(Self {
            clock,
            limits,
            switches,
            space,
            shared,
            committer: Some(committer),
            set_aside,
            ghosts: ghosts::Ghosts::default(),
            note,
        })
    }

    /// Messages in the folder that cannot be served, found when it was opened.
    #[must_use]
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// Makes the file for bodies that are too long for memory, which is else made when the first comes. A mailroom that
    /// is durable needs none.
    ///
    /// # Errors
    /// When its folder cannot be used: such bodies will be refused.
    pub fn check_disk(&self) -> Result<(), SpillError> {
        self.space.check_disk()
    }

    /// Makes calls, and waits until all that they made or saw is durable: nobody must be told of what a
    /// power cut could still undo. The closure's calls are made without waiting, whatever they are.
    ///
    /// # Errors
    /// When the disk does not take it; then nothing was changed.
    pub(super) async fn durably<R>(&self, act: impl FnOnce(&Self) -> R) -> Result<R, Unstored> {
        let Some(committer) = &self.committer else { return Ok(act(self)) };
        let (done, ticket) = {
            // Or else a call that waits for the books while others' changes are undone would be told that its own were.
            let _steady = self.shared.steady();
            let failures = committer.counts.failures();
            let (done, change) = self.shared.watched(|| act(self));
            (done, Ticket { change, failures })
        };
        committer.progress.settled(ticket).await?;
        Ok(done)
    }

    /// The same for calls that may be made over again, such as those that change nothing: what could not be
    /// written may be somebody else's change, which is undone by then and not seen again.
    pub(super) async fn durably_at_last<R>(&self, act: impl Fn(&Self) -> R) -> Result<R, Unstored> {
        for _ in 1..TRIES {
            if let Ok(done) = self.durably(&act).await {
                return Ok(done);
            }
        }
        self.durably(act).await
    }

    /// A place for a body that is coming in.
    pub(super) fn body_writer(&self, encoding: ContentEncoding) -> BodyWriter {
        self.space.writer(encoding)
    }

    /// Forgets every message, and keeps mailboxes and workflows.
    pub fn reset(&self) {
        self.access().clear();
    }

    /// Forgets every message that is addressed to a mailbox. `false` when there is no such mailbox.
    pub fn reset_mailbox(&self, id: &MailboxId) -> bool {
        let mut rooms = self.access();
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
    fn rooms(&self) -> Access<'_> {
        let mut rooms = self.access();
        rooms.settle(self.clock.now());
        rooms
    }

    /// The rooms, to change messages.
    fn access(&self) -> Access<'_> {
        self.shared.access()
    }

    /// The rooms, for all else.
    fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.shared.lock()
    }
}

impl Rooms {
    fn new(limits: &Limits, switches: &Switches, space: &Space) -> Self {
        Self {
            switches: switches.clone(),
            remembered: limits.remembered,
            remembered_bytes: limits.remembered_bytes,
            mailboxes: HashMap::new(),
            workflows: HashMap::new(),
            patients: HashMap::new(),
            messages: HashMap::new(),
            inboxes: HashMap::new(),
            local_ids: HashMap::new(),
            due: BTreeMap::new(),
            finished: BTreeMap::new(),
            said_of_finished: 0,
            next_number: 0,
            random: Random::new(),
            space: space.clone(),
            journal: None,
        }
    }
}
