//! What was changed in the books and is not durable yet, with what was there before.
//!
//! A change is made in the books at once, so that the next call builds on it, and is told to nobody
//! until it is durable. Should that fail, everything that is not durable is undone, latest first.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Entry, Rooms, State, StoredBody};
use crate::protocol::MessageId;

/// The changes of a mailroom that is durable.
#[derive(Default)]
pub struct Journal {
    pending: Vec<Change>,
    counts: Arc<Counts>,
}

/// How many changes there were, and how often some had to be undone. Counted by whoever has the books in
/// hand, and read without them.
#[derive(Default)]
pub struct Counts {
    made: AtomicU64,
    failures: AtomicU64,
}

/// A change of the books.
pub enum Change {
    /// A message, but for chunks that come in. Either is `None` where there is no such message.
    Entry { id: MessageId, before: Option<Entry>, after: Option<Entry> },
    /// A chunk that has come in.
    Chunk { id: MessageId, number: u64, chunk: u32, before: Option<StoredBody>, after: StoredBody },
    /// All messages were forgotten.
    Cleared { before: Vec<Entry> },
}

/// Changes that are made durable together.
pub struct Batch {
    pub changes: Vec<Change>,
    /// The number of the last of them.
    pub last: u64,
    /// The number that the next message gets.
    pub next_number: u64,
}

impl Journal {
    pub fn push(&mut self, change: Change) {
        self.pending.push(change);
        self.counts.made.fetch_add(1, Ordering::Release);
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// How many changes there were.
    pub fn made(&self) -> u64 {
        self.counts.made()
    }

    /// Shared with whoever waits for changes.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }
}

impl Counts {
    /// How often changes had to be undone.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    fn made(&self) -> u64 {
        self.made.load(Ordering::Acquire)
    }
}

impl Rooms {
    /// Changes the books, and remembers that.
    pub(super) fn replace(&mut self, id: &MessageId, after: Option<Entry>) {
        let copy = self.journal.is_some().then(|| after.clone());
        let before = self.set(id, after);
        if let (Some(journal), Some(after)) = (&mut self.journal, copy)
            && (before.is_some() || after.is_some())
        {
            journal.push(Change::Entry { id: id.clone(), before, after });
        }
    }

    /// Takes a chunk into a message that is uploaded. `false` where none is.
    pub(super) fn put_chunk(&mut self, id: &MessageId, chunk: u32, after: StoredBody) -> bool {
        let before = match self.set_chunk(id, chunk, Some(after.clone())) {
            Some(before) => before,
            None => return false,
        };
        let number = self.messages.get(id).map_or(0, |entry| entry.number);
        if let Some(journal) = &mut self.journal {
            journal.push(Change::Chunk { id: id.clone(), number, chunk, before, after });
        }
        true
    }

    /// Forgets every message.
    pub(super) fn clear(&mut self) {
        let before: Vec<Entry> = self.messages.drain().map(|(_, entry)| entry).collect();
        self.space.release(before.iter().map(Entry::beside).sum());
        self.inboxes.clear();
        self.local_ids.clear();
        self.due.clear();
        self.finished.clear();
        self.said_of_finished = 0;
        if let Some(journal) = &mut self.journal {
            journal.push(Change::Cleared { before });
        }
    }

    /// All changes that are not yet being made durable.
    pub(super) fn take_batch(&mut self) -> Batch {
        let next_number = self.next_number;
        let (changes, last) = match &mut self.journal {
            Some(journal) => (std::mem::take(&mut journal.pending), journal.counts.made()),
            None => (Vec::new(), 0),
        };
        Batch { changes, last, next_number }
    }

    /// Undoes changes that could not be made durable, and those that were built on them. Gives the
    /// number of the last one that was undone.
    pub(super) fn undo(&mut self, failed: Vec<Change>) -> u64 {
        let later = self.take_batch();
        for change in failed.into_iter().chain(later.changes).rev() {
            match change {
                Change::Entry { id, before, .. } => drop(self.set(&id, before)),
                Change::Chunk { id, chunk, before, .. } => drop(self.set_chunk(&id, chunk, before)),
                Change::Cleared { before } => before.into_iter().for_each(|entry| self.load(entry)),
            }
        }
        if let Some(journal) = &mut self.journal {
            journal.counts.failures.fetch_add(1, Ordering::Release);
        }
        later.last
    }

    /// Puts a message into the books that is durable already.
    pub(super) fn load(&mut self, entry: Entry) {
        let id = entry.message.id.clone();
        self.set(&id, Some(entry));
    }

    /// Puts an entry, or none, in the place of another. Gives the other.
    fn set(&mut self, id: &MessageId, after: Option<Entry>) -> Option<Entry> {
        let before = self.messages.remove(id);
        if let Some(before) = &before {
            self.strike(before);
        }
        if let Some(after) = after {
            self.index(&after);
            self.messages.insert(id.clone(), after);
        }
        before
    }

    /// Puts a chunk, or none, in the place of another. `None` when no such message is uploaded.
    fn set_chunk(
        &mut self,
        id: &MessageId,
        chunk: u32,
        after: Option<StoredBody>,
    ) -> Option<Option<StoredBody>> {
        let entry = self.messages.get_mut(id)?;
        let State::Uploading { chunks, .. } = &mut entry.state else { return None };
        entry.size += after.as_ref().map_or(0, StoredBody::size);
        let before = match after {
            Some(after) => Arc::make_mut(chunks).insert(chunk, after),
            None => Arc::make_mut(chunks).remove(chunk),
        };
        entry.size -= before.as_ref().map_or(0, StoredBody::size);
        Some(before)
    }
}
