//! A mailroom that survives: the books are written to a log and a database in a folder, long bodies to files
//! beside them.
//!
//! The books in memory stay what calls are answered from, and are built anew from log and database when the folder
//! is opened: so one set of rules serves both kinds of mailroom. One thread writes what was changed, as
//! much as there is at a time, so that many senders share one sync of the disk.
//!
//! A long body is on disk before its message is entered in the books; it stays when the change is committed that
//! refers to it, and is removed after one by which nothing refers to it any more.

mod database;
mod error;
mod folder;
mod progress;
mod record;
mod row;
mod store;
#[cfg(test)]
mod tests;
mod write_ahead;
mod writes;
mod writing;

use std::{collections::HashSet, path::Path, sync::Arc, thread::JoinHandle};

use uuid::Uuid;

use super::{Entry, Limits, Shared, StoredBody, body::Kept, content::Chunks, journal::Counts, writer::Space};
use database::{Database, Rows};
use record::ChunkRecord;
use store::Store;
use writes::{Key, MESSAGE};

pub use error::StoreError;
pub use folder::{BodyFile, Folder, sync};
pub use progress::{Progress, Ticket, Unstored};
pub use row::Row;

/// Name of the database in the folder.
const DATABASE: &str = "mailroom.redb";

/// A message that is in the folder and cannot be served. It is left there as it is, and out of the
/// books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its ID, or its number where the ID cannot be read.
    pub message: String,
    /// What is wrong with it.
    pub why: String,
}

/// What a folder holds.
pub struct Opened {
    pub space: Space,
    pub store: Store,
    folder: Arc<Folder>,
    pub entries: Vec<Entry>,
    pub next_number: u64,
    pub set_aside: Vec<SetAside>,
}

/// The thread that writes.
pub struct Committer {
    shared: Arc<Shared>,
    pub progress: Arc<Progress>,
    pub counts: Arc<Counts>,
    #[cfg(test)]
    pub folder: Arc<Folder>,
    thread: Option<JoinHandle<()>>,
}

/// Opens a folder, or makes one.
pub fn open(root: &Path, limits: Limits) -> Result<Opened, StoreError> {
    let unusable = |source| StoreError::Folder { path: root.to_owned(), source };
    folder::create(root).map_err(unusable)?;
    let database = Database::open(root.join(DATABASE), !store::has_logs(root))?;
    let (logs, last) = store::open_logs(root, &database)?;
    // The names of the database and of the logs, which may be new.
    folder::sync(root).map_err(unusable)?;
    // On a full disk it goes on without; then nobody would be told that a log is lost.
    let _ = database.note_logs_needed(true);
    let rows = database.rows()?;
    let folder = Arc::new(Folder::open(root, database).map_err(unusable)?);
    let mut opened = Opened {
        space: Space::durable(limits, Arc::clone(&folder)),
        store: Store::start(Arc::clone(&folder), last, logs).map_err(unusable)?,
        folder,
        entries: Vec::with_capacity(rows.messages.len()),
        next_number: rows.next_number,
        set_aside: Vec::new(),
    };
    let referred_to = opened.take_in(rows);
    opened.folder.sweep(&referred_to).map_err(unusable)?;
    Ok(opened)
}

impl Opened {
    /// Makes entries of rows. Gives the bodies that are referred to, be their messages served or not.
    fn take_in(&mut self, rows: Rows) -> HashSet<Uuid> {
        let mut referred_to = HashSet::new();
        let mut chunks = rows.chunks;
        for (number, row) in rows.messages {
            let own = chunks.remove(&number).unwrap_or_default();
            let read = self.chunks(number, own, &mut referred_to);
            let own = |record: &ChunkRecord| self.in_row((number, MESSAGE), record);
            match read.and_then(|chunks| record::read(number, &row, chunks, own)) {
                Ok(entry) => self.entries.push(entry),
                Err(why) => {
                    let message = record::name(&row).unwrap_or_else(|| format!("number {number}"));
                    self.set_aside.push(SetAside { message, why });
                }
            }
        }
        referred_to
    }

    fn chunks(
        &self,
        number: u64,
        rows: Vec<(u32, Vec<u8>)>,
        referred_to: &mut HashSet<Uuid>,
    ) -> Result<Chunks, String> {
        let mut chunks = Chunks::default();
        let mut wrong = None;
        for (chunk, row) in rows {
            let record: ChunkRecord = match serde_json::from_slice(&row) {
                Ok(record) => record,
                Err(error) => {
                    wrong = Some(format!("chunk {chunk} cannot be read: {error}"));
                    continue;
                }
            };
            let body = match record.file {
                None => self.in_row((number, chunk), &record),
                Some(name) => {
                    referred_to.insert(name);
                    let share = self.space.share_of_disk(record.size);
                    let file = BodyFile::known(&self.folder, name, share);
                    if let Err(error) = file.open(record.size) {
                        let path = self.folder.path(name);
                        let path = path.display();
                        wrong = Some(format!("{path}: chunk {chunk}, of {} bytes: {error}", record.size));
                    }
                    let ChunkRecord { size, decoded_size, .. } = record;
                    StoredBody { kept: Kept::File(Arc::new(file)), size, decoded_size }
                }
            };
            chunks.insert(chunk, body);
        }
        wrong.map_or(Ok(chunks), Err)
    }

    fn in_row(&self, key: Key, record: &ChunkRecord) -> StoredBody {
        let kept = Kept::Row(Arc::new(Row::known(&self.folder, key)));
        StoredBody { kept, size: record.size, decoded_size: record.decoded_size }
    }
}

impl Committer {
    /// Starts the thread.
    pub fn start(shared: Arc<Shared>, counts: Arc<Counts>, mut store: Store) -> std::io::Result<Self> {
        let progress = Arc::new(Progress::default());
        #[cfg(test)]
        let folder = Arc::clone(store.folder());
        let thread = std::thread::Builder::new().name("mailroom commits".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            let told = Last(Arc::clone(&progress));
            move || {
                while let Some(batch) = shared.next_batch() {
                    match store.commit(writing::writes(&batch)) {
                        Ok(()) => {
                            writing::committed(&batch.changes);
                            told.0.advance(batch.last);
                        }
                        Err(error) => shared.undo(batch.changes, &error, &told.0),
                    }
                }
                store.close();
            }
        })?;
        Ok(Self {
            shared,
            progress,
            counts,
            #[cfg(test)]
            folder,
            thread: Some(thread),
        })
    }
}

/// Whoever waits is told when the thread ends, also if that is by a panic: a database that is damaged beyond
/// what its library expects makes it panic.
struct Last(Arc<Progress>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Drop for Committer {
    /// Everything that was changed is durable when this returns, if the disk takes it.
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
