//! Makes transactions durable: in a log at once, and in the database some thousands at a time.
//!
//! There are two logs. One is written to, until it is full; what is in the other is brought into the database
//! meanwhile. What a log does not take goes into the database at once.

#[cfg(test)]
use std::sync::atomic::Ordering;
use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Receiver, SendError, Sender},
    },
    thread::{self, JoinHandle},
};

use super::{
    database::Database, error::StoreError, folder::Folder, write_ahead::WriteAheadLog, writes::Writes,
};

/// Names of the logs in the folder.
const LOGS: [&str; 2] = ["mailroom-1.log", "mailroom-2.log"];

/// The logs and the database behind them.
pub struct Store {
    folder: Arc<Folder>,
    /// The number of the last transaction.
    last: u64,
    /// The one that is written to.
    filling: Filled,
    other: Other,
    full: Option<Sender<(Filled, u64)>>,
    emptied: Receiver<Result<WriteAheadLog, Filled>>,
    thread: Option<JoinHandle<()>>,
}

/// A log and all that is in it.
struct Filled {
    log: WriteAheadLog,
    writes: Writes,
}

/// The log that is not written to.
enum Other {
    Empty(WriteAheadLog),
    BeingEmptied,
    /// The database did not take what is in it.
    StillFull(Filled),
    /// The thread that had it in hand is gone.
    Lost,
}

/// Whether a log is in a folder: then there was a database before it.
pub fn has_logs(root: &Path) -> bool {
    LOGS.iter().any(|name| fs::metadata(root.join(name)).is_ok_and(|log| log.len() > 0))
}

/// Opens the logs beside a database, and brings into it what it does not have. Gives the number of the last
/// transaction.
pub fn open_logs(root: &Path, database: &Database) -> Result<([WriteAheadLog; 2], u64), StoreError> {
    let after = database.last().map_err(|error| database.damaged(error))?;
    let needed = database.logs_needed().map_err(|error| database.damaged(error))?;
    let open = |name| WriteAheadLog::open(root.join(name), after, needed);
    let ((first, mut logged), (second, more)) = (open(LOGS[0])?, open(LOGS[1])?);
    logged.extend(more);
    logged.sort_by_key(|(number, _)| *number);
    let (mut writes, mut last) = (Writes::default(), after);
    for (number, more) in logged {
        last += 1;
        if number != last {
            let why = format!("transaction {last} is neither in it nor in the logs, and {number} is");
            return Err(StoreError::Damaged { path: database.path().to_owned(), why });
        }
        writes.add(more);
    }
    if last > after {
        database.commit(&[&writes], last).map_err(|error| database.damaged(error))?;
    }
    Ok(([first, second], last))
}

impl Store {
    /// Goes on with logs whose content is in the database.
    pub fn start(folder: Arc<Folder>, last: u64, [first, second]: [WriteAheadLog; 2]) -> io::Result<Self> {
        let (full, to_empty) = mpsc::channel::<(Filled, u64)>();
        let (done, emptied) = mpsc::channel();
        let thread = thread::Builder::new().name("mailroom database".to_owned()).spawn({
            let folder = Arc::clone(&folder);
            move || {
                for (full, last) in to_empty {
                    // Whoever is told is gone only when there is nothing more to do either.
                    let _ = done.send(full.emptied(&folder.database, last));
                }
            }
        })?;
        let filling = Filled { log: first, writes: Writes::default() };
        let (other, full, thread) = (Other::Empty(second), Some(full), Some(thread));
        Ok(Self { folder, last, filling, other, full, emptied, thread })
    }

    /// Writes all of it durably, or nothing.
    pub fn commit(&mut self, writes: Writes) -> Result<(), redb::Error> {
        #[cfg(test)]
        if self.folder.database.faults.all.swap(false, Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        let (number, bytes) = (self.last + 1, writes.encode());
        let has_room = self.filling.log.has_room(bytes.len()) || self.changes_logs();
        if has_room && self.log_takes(number, &bytes) {
            self.filling.writes.add(writes);
            self.last = number;
            return Ok(());
        }
        self.commit_at_once(Some(&writes), number)?;
        writes.are_in_database();
        Ok(())
    }

    fn log_takes(&mut self, number: u64, bytes: &[u8]) -> bool {
        #[cfg(test)]
        if self.folder.database.faults.logs.load(Ordering::SeqCst) {
            return false;
        }
        self.filling.log.append(number, bytes).is_ok()
    }

    #[cfg(test)]
    pub fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    /// Brings everything into the database. What that does not take stays in the logs.
    pub fn close(mut self) {
        #[cfg(test)]
        if self.folder.database.faults.close.load(Ordering::SeqCst) {
            return;
        }
        self.wait_for_other();
        let logs_are_empty = self.filling.writes.are_none() && matches!(self.other, Other::Empty(_));
        // Should it fail, the next time that it is opened is as good.
        if logs_are_empty || self.commit_at_once(None, self.last).is_ok() {
            let _ = self.folder.database.note_logs_needed(false);
        }
    }

    /// Has the log emptied that is full, and goes on with the other. `false` when that is full as well.
    fn changes_logs(&mut self) -> bool {
        self.wait_for_other();
        let log = match std::mem::replace(&mut self.other, Other::Lost) {
            Other::Empty(log) => log,
            other => {
                self.other = other;
                return false;
            }
        };
        let empty = Filled { log, writes: Writes::default() };
        let full = std::mem::replace(&mut self.filling, empty);
        let sent = match &self.full {
            Some(to_empty) => to_empty.send((full, self.last)).map_err(|SendError((full, _))| full),
            None => Err(full),
        };
        self.other = sent.map_or_else(Other::StillFull, |()| Other::BeingEmptied);
        true
    }

    fn wait_for_other(&mut self) {
        if matches!(self.other, Other::BeingEmptied) {
            self.other = match self.emptied.recv() {
                Ok(Ok(log)) => Other::Empty(log),
                Ok(Err(full)) => Other::StillFull(full),
                Err(_) => Other::Lost,
            };
        }
    }

    /// Writes what is in the logs to the database, and more. After that both are empty.
    fn commit_at_once(&mut self, more: Option<&Writes>, number: u64) -> Result<(), redb::Error> {
        self.wait_for_other();
        let older = match &self.other {
            Other::StillFull(full) => Some(&full.writes),
            Other::Empty(_) => None,
            Other::BeingEmptied | Other::Lost => return Err(redb::Error::DatabaseClosed),
        };
        // An empty one knows no number of the next message either.
        let logged = || older.into_iter().chain([&self.filling.writes]).filter(|writes| !writes.are_none());
        self.folder.database.commit(&logged().chain(more).collect::<Vec<_>>(), number)?;
        logged().for_each(Writes::are_in_database);
        self.filling.writes = Writes::default();
        self.last = number;
        self.filling.log.restart();
        self.other = match std::mem::replace(&mut self.other, Other::Lost) {
            Other::StillFull(mut full) => {
                full.log.restart();
                Other::Empty(full.log)
            }
            other => other,
        };
        Ok(())
    }
}

impl Filled {
    /// Brings what is in the log into the database, up to the transaction of a number.
    fn emptied(mut self, database: &Database, last: u64) -> Result<WriteAheadLog, Self> {
        if database.commit(&[&self.writes], last).is_err() {
            return Err(self);
        }
        self.writes.are_in_database();
        self.log.restart();
        Ok(self.log)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.full.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
