//! Makes transactions durable: in a log at once, and in the database some thousands at a time.
//!
//! There are two logs. One is written to, until it is full; what is in the other is brought into the database
//! meanwhile. What a log does not take goes into the database at once.

#[cfg(test)]
use std::sync::atomic::Ordering;
use std::{
    io,
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

/// Opens the logs beside a database, and brings into it what it does not have. Gives the number of the last
/// transaction.
pub fn open_logs(root: &Path, database: &Database) -> Result<([WriteAheadLog; 2], u64), StoreError> {
    let after = database.last().map_err(|error| database.damaged(error))?;
    let open = |name| WriteAheadLog::open(root.join(name), after);
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
        if !self.filling.writes.are_none() || matches!(self.other, Other::StillFull(_)) {
            // The next time that it is opened is as good.
            let _ = self.commit_at_once(None, self.last);
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
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::emulator::mailroom::durable::{
        DATABASE, folder,
        writes::{Body, Written},
    };

    fn open(folder: &TempDir) -> (Store, Vec<u64>) {
        folder::create(folder.path()).unwrap();
        let database = Database::open(folder.path().join(DATABASE)).unwrap();
        let (logs, last) = open_logs(folder.path(), &database).unwrap();
        let there = there(&database);
        assert_eq!(last, there.len() as u64, "each wrote one row");
        let folder = Arc::new(Folder::open(folder.path(), database).unwrap());
        (Store::start(folder, last, logs).unwrap(), there)
    }

    fn there(database: &Database) -> Vec<u64> {
        database.rows().unwrap().messages.into_iter().map(|(number, _)| number).collect()
    }

    fn one(number: u64, bytes: usize) -> Writes {
        let row = Written { record: vec![b'x'; bytes], body: Body::None };
        Writes { rows: [((number, 0), Some(row))].into(), next_number: number + 1, cleared: false }
    }

    /// Something that happens to a store.
    #[derive(Debug, Clone)]
    enum Event {
        Commit {
            bytes: usize,
        },
        /// The database fails the next times that something is written to it.
        DatabaseFails(u32),
        LogsFail(bool),
        Kill,
        Close,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            20 => prop::sample::select(vec![10_usize, 5000, 40_000]).prop_map(|bytes| Event::Commit { bytes }),
            4 => (1..4_u32).prop_map(Event::DatabaseFails),
            2 => any::<bool>().prop_map(Event::LogsFail),
            1 => Just(Event::Kill),
            1 => Just(Event::Close),
        ];
        prop::collection::vec(event, 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn what_was_taken_is_there_and_nothing_else_whatever_fails(events in events()) {
            let folder = TempDir::new().unwrap();
            let (mut store, mut taken, mut next) = (open(&folder).0, Vec::new(), 0);
            for event in events.into_iter().chain([Event::Kill, Event::Close]) {
                match event {
                    Event::Commit { bytes } => {
                        if store.commit(one(next, bytes)).is_ok() {
                            taken.push(next);
                        }
                        next += 1;
                    }
                    Event::DatabaseFails(times) => store.folder.database.faults.commits.store(times, Ordering::SeqCst),
                    Event::LogsFail(fail) => store.folder.database.faults.logs.store(fail, Ordering::SeqCst),
                    Event::Kill | Event::Close => {
                        if matches!(event, Event::Close) {
                            store.close();
                        } else {
                            drop(store);
                        }
                        let there;
                        (store, there) = open(&folder);
                        prop_assert_eq!(&there, &taken);
                        let known = store.folder.database.rows().unwrap().next_number;
                        prop_assert_eq!(known, taken.last().map_or(0, |last| last + 1));
                    }
                }
            }
        }
    }

    /// Ends it as a kill would.
    fn kill(store: Store, folder: &TempDir) -> Vec<u64> {
        drop(store);
        open(folder).1
    }

    #[test]
    fn what_the_database_has_not_taken_is_in_the_logs_and_goes_there_with_the_next_that_do_not_fit() {
        let folder = TempDir::new().unwrap();
        let (mut store, _) = open(&folder);
        // Seven of a block each are in a log, two of a thousand in the other, when the first cannot be emptied.
        (0..7).for_each(|number| store.commit(one(number, 1000)).unwrap());
        store.folder.database.faults.commits.store(1, Ordering::SeqCst);
        (7..9).for_each(|number| store.commit(one(number, 1000)).unwrap());
        store.wait_for_other();
        assert!(matches!(store.other, Other::StillFull(_)));
        assert!(there(&store.folder.database).is_empty());
        assert_eq!(kill(store, &folder), (0..9).collect::<Vec<_>>());

        let (mut store, _) = open(&folder);
        (9..16).for_each(|number| store.commit(one(number, 1000)).unwrap());
        store.folder.database.faults.commits.store(1, Ordering::SeqCst);
        store.commit(one(16, 1000)).unwrap();
        store.commit(one(17, 40_000)).unwrap();
        assert!(matches!(store.other, Other::Empty(_)) && store.filling.writes.are_none());
        assert_eq!(there(&store.folder.database), (0..18).collect::<Vec<_>>());
        // A log of 32 KiB has room for seven of one block each, behind its first.
        (18..60).for_each(|number| store.commit(one(number, 1000)).unwrap());
        for log in LOGS {
            assert_eq!(std::fs::metadata(folder.path().join(log)).unwrap().len(), 32 << 10);
        }
        assert_eq!(kill(store, &folder), (0..60).collect::<Vec<_>>());
    }

    #[test]
    fn what_the_logs_do_not_take_goes_into_the_database_and_what_neither_takes_is_refused() {
        let folder = TempDir::new().unwrap();
        let (mut store, _) = open(&folder);
        store.commit(one(0, 1000)).unwrap();
        store.folder.database.faults.logs.store(true, Ordering::SeqCst);
        store.commit(one(1, 1000)).unwrap();
        assert_eq!(there(&store.folder.database), [0, 1]);
        store.folder.database.faults.commits.store(1, Ordering::SeqCst);
        assert!(store.commit(one(99, 1000)).is_err());
        store.folder.database.faults.logs.store(false, Ordering::SeqCst);
        store.commit(one(2, 1000)).unwrap();
        assert_eq!(there(&store.folder.database), [0, 1], "it is in a log again");
        assert_eq!(kill(store, &folder), [0, 1, 2]);
    }

    #[test]
    fn when_it_is_closed_everything_is_in_the_database() {
        let folder = TempDir::new().unwrap();
        let forget_logs = || {
            for log in LOGS {
                std::fs::remove_file(folder.path().join(log)).unwrap();
            }
        };
        let (mut store, _) = open(&folder);
        (0..10).for_each(|number| store.commit(one(number, 1000)).unwrap());
        store.close();
        forget_logs();
        let (mut store, there) = open(&folder);
        assert_eq!(there, (0..10).collect::<Vec<_>>());
        // One log that could not be emptied, and nothing in the other.
        (10..17).for_each(|number| store.commit(one(number, 1000)).unwrap());
        store.folder.database.faults.commits.store(1, Ordering::SeqCst);
        assert!(store.changes_logs());
        store.close();
        forget_logs();
        let (store, there) = open(&folder);
        assert_eq!(there, (0..17).collect::<Vec<_>>());
        assert_eq!(store.folder.database.rows().unwrap().next_number, 17);
    }

    #[test]
    fn either_log_may_hold_what_came_first() {
        let folder = TempDir::new().unwrap();
        let (mut store, _) = open(&folder);
        (0..14).for_each(|number| store.commit(one(number, 1000)).unwrap());
        store.wait_for_other();
        store.folder.database.faults.commits.store(1, Ordering::SeqCst);
        (14..16).for_each(|number| store.commit(one(number, 1000)).unwrap());
        store.wait_for_other();
        assert!(matches!(store.other, Other::StillFull(_)));
        assert_eq!(there(&store.folder.database).len(), 7, "the first log is written to again");
        assert_eq!(kill(store, &folder), (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn a_log_that_is_missing_is_told_when_the_other_goes_on_from_it() {
        let folder = TempDir::new().unwrap();
        let (mut store, _) = open(&folder);
        (0..7).for_each(|number| store.commit(one(number, 1000)).unwrap());
        store.folder.database.faults.commits.store(1, Ordering::SeqCst);
        (7..9).for_each(|number| store.commit(one(number, 1000)).unwrap());
        drop(store);
        std::fs::remove_file(folder.path().join(LOGS[0])).unwrap();
        let database = Database::open(folder.path().join(DATABASE)).unwrap();
        let told = open_logs(folder.path(), &database).unwrap_err().to_string();
        assert!(told.contains("transaction 1 is neither in it nor in the logs, and 8 is"), "{told}");
    }
}
