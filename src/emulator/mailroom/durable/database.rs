//! The database: one row a message, and one for each chunk of a message that has several, with the body
//! where that is short. A message that is not chunked has its short body in its own row.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

#[cfg(test)]
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use bytes::Bytes;
use redb::{ReadableDatabase, ReadableTable, Table, TableDefinition, TableError};

use super::{
    error::StoreError,
    writes::{Body, Key, MESSAGE, Writes, Written},
};

/// Of the layout of the tables and of what is in them. Another is refused.
const FORMAT: u64 = 4;
/// Bytes of pages that the database may hold in memory.
const CACHE: usize = 16 << 20;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("mesh-witness mailroom");
/// In it: 1 while the logs may have what the database has not.
const LOGS_NEEDED: &str = "logs needed";
/// Messages, as chunk 0, and their chunks. One table, since each that is written to costs every commit.
const ROWS: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("messages and chunks");
/// Where, behind all messages, the number that the next message gets and that of the last transaction are.
const COUNTERS: Key = (u64::MAX, MESSAGE);
/// Stands between a record and its body. JSON as it is written here has none.
const END_OF_RECORD: u8 = b'\n';

/// The database of a mailroom.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    /// `None` after it has failed and could not be opened again.
    open: RwLock<Option<redb::Database>>,
    #[cfg(test)]
    pub faults: Faults,
}

/// All records.
#[derive(Debug, Default)]
pub struct Rows {
    pub messages: Vec<(u64, Vec<u8>)>,
    pub chunks: BTreeMap<u64, Vec<(u32, Vec<u8>)>>,
    pub next_number: u64,
}

impl Database {
    /// Opens a database, or makes one where there may be a new one.
    pub fn open(path: PathBuf, may_be_new: bool) -> Result<Self, StoreError> {
        let lost = || {
            let why = "it is missing or empty, and the logs beside it are not".to_owned();
            StoreError::Damaged { path: path.clone(), why }
        };
        if !may_be_new && fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
            return Err(lost());
        }
        let database = open(&path, true).map_err(|error| StoreError::opening(&path, error))?;
        let damaged = |error| StoreError::damaged(&path, error);
        let known = match format(&database).map_err(damaged)? {
            Some(format) => format,
            None if may_be_new => prepare(&database).map_err(damaged)?,
            None => return Err(lost()),
        };
        if known != FORMAT {
            return Err(StoreError::Format { path, found: known, known: FORMAT });
        }
        Ok(Self {
            path,
            open: RwLock::new(Some(database)),
            #[cfg(test)]
            faults: Faults::default(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the last transaction.
    pub fn last(&self) -> Result<u64, redb::Error> {
        let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
        last(guard.as_ref().ok_or(redb::Error::DatabaseClosed)?)
    }

    /// Writes one after the other durably, or nothing. For one thread at a time.
    pub fn commit(&self, writes: &[&Writes], number: u64) -> Result<(), redb::Error> {
        #[cfg(test)]
        if self.faults.commits.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        self.transact(
            |database| write(database, writes, number),
            |database| last(database).map(|last| last == number),
        )
    }

    /// Notes whether the logs may have what the database has not.
    pub fn note_logs_needed(&self, needed: bool) -> Result<(), redb::Error> {
        if self.logs_needed()? == needed {
            return Ok(());
        }
        let there = |database: &_| logs_needed(database).map(|noted| noted == needed);
        let note = |database: &redb::Database| {
            let transaction = database.begin_write()?;
            transaction.open_table(META)?.insert(LOGS_NEEDED, u64::from(needed))?;
            Ok(transaction.commit()?)
        };
        self.transact(note, there)
    }

    /// What was noted last.
    pub fn logs_needed(&self) -> Result<bool, redb::Error> {
        let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
        logs_needed(guard.as_ref().ok_or(redb::Error::DatabaseClosed)?)
    }

    fn transact(
        &self,
        write: impl FnOnce(&redb::Database) -> Result<(), redb::Error>,
        is_there: impl FnOnce(&redb::Database) -> Result<bool, redb::Error>,
    ) -> Result<(), redb::Error> {
        self.open_again_if_failed()?;
        let error = {
            // Bodies can be read meanwhile.
            let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
            let database = guard.as_ref().ok_or(redb::Error::DatabaseClosed)?;
            match write(database) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            }
        };
        let mut guard = self.open.write().unwrap_or_else(PoisonError::into_inner);
        // After an error of the disk it answers no more until it is opened again.
        *guard = None;
        let database = guard.insert(open(&self.path, false)?);
        // What failed may have been only the last sync; then all of it is there.
        if is_there(database)? { Ok(()) } else { Err(error) }
    }

    fn open_again_if_failed(&self) -> Result<(), redb::Error> {
        let is_open = || self.open.read().unwrap_or_else(PoisonError::into_inner).is_some();
        if !is_open() {
            let mut guard = self.open.write().unwrap_or_else(PoisonError::into_inner);
            *guard = Some(open(&self.path, false)?);
        }
        Ok(())
    }

    /// A short body.
    pub fn body(&self, key: Key) -> io::Result<Option<Vec<u8>>> {
        let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let database = guard.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let read = || -> Result<_, redb::Error> {
            // Table and transaction outlive the row: a page that is still read must not be given back, which the
            // library holds against the thread that commits.
            let table = database.begin_read()?.open_table(ROWS)?;
            let row = table.get(key)?;
            Ok(row.and_then(|row| Some(split(row.value()).1?.to_vec())))
        };
        read().map_err(io::Error::other)
    }

    /// Everything but the bodies.
    pub fn rows(&self) -> Result<Rows, StoreError> {
        let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let read = || -> Result<Rows, redb::Error> {
            let Some(database) = guard.as_ref() else { return Ok(Rows::default()) };
            let table = database.begin_read()?.open_table(ROWS)?;
            let mut rows = Rows { next_number: counters(&table)?.0, ..Rows::default() };
            for row in table.range(..COUNTERS)? {
                let (key, row) = row?;
                let ((number, chunk), record) = (key.value(), split(row.value()).0.to_vec());
                match chunk {
                    MESSAGE => rows.messages.push((number, record)),
                    _ => rows.chunks.entry(number).or_default().push((chunk, record)),
                }
            }
            Ok(rows)
        };
        read().map_err(|error| self.damaged(error))
    }

    /// Why it cannot be used.
    pub fn damaged(&self, error: redb::Error) -> StoreError {
        StoreError::damaged(&self.path, error)
    }
}

/// At the start every page is checked against its checksum, at the price of reading them all: without
/// that, a page that the disk has changed would be half an inbox, or another text in it, and nobody told.
fn open(path: &Path, checked: bool) -> Result<redb::Database, redb::DatabaseError> {
    redb::Database::builder().set_cache_size(CACHE).set_check_integrity_on_open(checked).create(path)
}

/// The format of the tables; `None` when there are none.
fn format(database: &redb::Database) -> Result<Option<u64>, redb::Error> {
    match database.begin_read()?.open_table(META) {
        Ok(table) => Ok(Some(table.get("format")?.map_or(0, |format| format.value()))),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the tables; gives their format.
fn prepare(database: &redb::Database) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(ROWS)?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.commit()?;
    Ok(FORMAT)
}

/// The number that the next message gets, and that of the last transaction.
fn counters(rows: &impl ReadableTable<Key, &'static [u8]>) -> Result<(u64, u64), redb::Error> {
    let Some(counters) = rows.get(COUNTERS)? else { return Ok((0, 0)) };
    serde_json::from_slice(counters.value())
        .map_err(|error| redb::Error::Corrupted(format!("the row of counters cannot be read: {error}")))
}

fn last(database: &redb::Database) -> Result<u64, redb::Error> {
    Ok(counters(&database.begin_read()?.open_table(ROWS)?)?.1)
}

fn logs_needed(database: &redb::Database) -> Result<bool, redb::Error> {
    let noted = database.begin_read()?.open_table(META)?.get(LOGS_NEEDED)?;
    Ok(noted.is_some_and(|noted| noted.value() == 1))
}

fn write(database: &redb::Database, writes: &[&Writes], number: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    for one in writes {
        if one.cleared {
            transaction.delete_table(ROWS)?;
        }
        let mut rows = transaction.open_table(ROWS)?;
        for (key, row) in &one.rows {
            match row {
                Some(row) => put(&mut rows, *key, row)?,
                None => drop(rows.remove(key)?),
            }
        }
        let counters = format!("[{},{number}]", one.next_number);
        rows.insert(COUNTERS, counters.as_bytes())?;
    }
    Ok(transaction.commit()?)
}

fn put(rows: &mut Table<'_, Key, &'static [u8]>, key: Key, row: &Written) -> Result<(), redb::Error> {
    let kept: Bytes;
    let body = match &row.body {
        Body::None => {
            rows.insert(key, row.record.as_slice())?;
            return Ok(());
        }
        Body::New(pieces, _) => pieces.as_ref(),
        Body::AsItIs => {
            let before = rows.get(key)?.and_then(|row| split(row.value()).1.map(Bytes::copy_from_slice));
            let gone = || redb::Error::Corrupted(format!("the body of message {} is gone", key.0));
            kept = before.ok_or_else(gone)?;
            std::slice::from_ref(&kept)
        }
    };
    let length = row.record.len() + 1 + body.iter().map(Bytes::len).sum::<usize>();
    let mut place = rows.insert_reserve(key, length)?;
    let parts = [row.record.as_slice(), &[END_OF_RECORD]].into_iter().chain(body.iter().map(Bytes::as_ref));
    let mut rest: &mut [u8] = place.as_mut();
    for part in parts {
        let (here, after) = rest.split_at_mut(part.len());
        here.copy_from_slice(part);
        rest = after;
    }
    Ok(())
}

/// A record, and the body that follows it.
fn split(row: &[u8]) -> (&[u8], Option<&[u8]>) {
    match row.iter().position(|byte| *byte == END_OF_RECORD).and_then(|end| row.split_at_checked(end)) {
        Some((record, rest)) => (record, rest.get(1..)),
        None => (row, None),
    }
}

/// Faults that a disk has, on demand.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct Faults {
    /// Neither logs nor database take what is written next.
    pub all: AtomicBool,
    /// The logs take nothing.
    pub logs: AtomicBool,
    /// So many commits fail.
    pub commits: AtomicU32,
    /// Nothing is brought into the database when it is closed, as if the process were killed.
    pub close: AtomicBool,
}

#[cfg(test)]
impl Database {
    pub fn set_format(&self, format: u64) {
        let guard = self.open.read().unwrap();
        let transaction = guard.as_ref().unwrap().begin_write().unwrap();
        transaction.open_table(META).unwrap().insert("format", format).unwrap();
        transaction.commit().unwrap();
    }
}
