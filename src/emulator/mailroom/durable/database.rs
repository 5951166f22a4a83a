//! The database: one row a message, and one for each chunk of a message that has several, with the body
//! where that is short. A message that is not chunked has its short body in its own row.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use redb::{ReadableDatabase, ReadableTable, Table, TableDefinition, TableError};

use super::error::StoreError;

/// A message's number and a chunk's.
pub type Key = (u64, u32);

/// Of the layout of the tables and of what is in them. Another is refused.
const FORMAT: u64 = 3;
/// Bytes of pages that the database may hold in memory.
const CACHE: usize = 16 << 20;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("mesh-witness mailroom");
/// Messages, as chunk 0, and their chunks. One table, since each that is written to costs every commit.
const ROWS: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("messages and chunks");
/// The place of a message among its chunks.
pub const MESSAGE: u32 = 0;
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
    /// How many transactions there were, as the database has it.
    serial: AtomicU64,
    /// The next commit fails.
    #[cfg(test)]
    failing: std::sync::atomic::AtomicBool,
}

/// What one transaction writes; `None` removes.
#[derive(Debug, Default)]
pub struct Writes {
    /// Everything that there was is removed first.
    pub cleared: bool,
    pub rows: BTreeMap<Key, Option<Written>>,
    /// The number that the next message gets.
    pub next_number: u64,
}

/// A row as it is to be.
#[derive(Debug)]
pub struct Written {
    pub record: Vec<u8>,
    pub body: Body,
}

/// The body behind a record.
#[derive(Debug)]
pub enum Body {
    /// There is none.
    None,
    /// This one.
    New(Arc<[Bytes]>),
    /// The one that the row has.
    AsItIs,
}

/// All records.
#[derive(Debug, Default)]
pub struct Rows {
    pub messages: Vec<(u64, Vec<u8>)>,
    pub chunks: BTreeMap<u64, Vec<(u32, Vec<u8>)>>,
    pub next_number: u64,
}

impl Database {
    /// Opens a database, or makes one.
    pub fn open(path: PathBuf) -> Result<Self, StoreError> {
        let database = open(&path, true).map_err(|error| StoreError::opening(&path, error))?;
        let known = prepare(&database).map_err(|error| StoreError::damaged(&path, error))?;
        if known != FORMAT {
            return Err(StoreError::Format { path, found: known, known: FORMAT });
        }
        let serial = serial(&database).map_err(|error| StoreError::damaged(&path, error))?;
        Ok(Self {
            path,
            open: RwLock::new(Some(database)),
            serial: AtomicU64::new(serial),
            #[cfg(test)]
            failing: Default::default(),
        })
    }

    /// Writes all of it durably, or nothing. For one thread at a time.
    pub fn commit(&self, writes: &Writes) -> Result<(), redb::Error> {
        #[cfg(test)]
        if self.failing.swap(false, Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        self.open_again_if_failed()?;
        let next = self.serial.load(Ordering::Acquire) + 1;
        let error = {
            // Bodies can be read meanwhile.
            let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
            let database = guard.as_ref().ok_or(redb::Error::DatabaseClosed)?;
            match write(database, writes, next) {
                Ok(()) => {
                    self.serial.store(next, Ordering::Release);
                    return Ok(());
                }
                Err(error) => error,
            }
        };
        let mut guard = self.open.write().unwrap_or_else(PoisonError::into_inner);
        // After an error of the disk it answers no more until it is opened again.
        *guard = None;
        *guard = Some(self.open_again()?);
        // What failed may have been only the last sync; then all of it is there.
        if self.serial.load(Ordering::Acquire) == next { Ok(()) } else { Err(error) }
    }

    fn open_again_if_failed(&self) -> Result<(), redb::Error> {
        let mut guard = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            *guard = Some(self.open_again()?);
        }
        Ok(())
    }

    fn open_again(&self) -> Result<redb::Database, redb::Error> {
        let database = open(&self.path, false)?;
        self.serial.store(serial(&database)?, Ordering::Release);
        Ok(database)
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
        read().map_err(|error| StoreError::damaged(&self.path, error))
    }
}

/// At the start every page is checked against its checksum, at the price of reading them all: without
/// that, a page that the disk has changed would be half an inbox, or another text in it, and nobody told.
fn open(path: &Path, checked: bool) -> Result<redb::Database, redb::DatabaseError> {
    redb::Database::builder().set_cache_size(CACHE).set_check_integrity_on_open(checked).create(path)
}

/// Makes the tables that are not there; gives the format of those that are.
fn prepare(database: &redb::Database) -> Result<u64, redb::Error> {
    match database.begin_read()?.open_table(META) {
        Ok(table) => return Ok(table.get("format")?.map_or(0, |format| format.value())),
        Err(TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(error.into()),
    }
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

fn serial(database: &redb::Database) -> Result<u64, redb::Error> {
    Ok(counters(&database.begin_read()?.open_table(ROWS)?)?.1)
}

fn write(database: &redb::Database, writes: &Writes, serial: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    if writes.cleared {
        transaction.delete_table(ROWS)?;
    }
    {
        let mut rows = transaction.open_table(ROWS)?;
        for (key, row) in &writes.rows {
            match row {
                Some(row) => put(&mut rows, *key, row)?,
                None => drop(rows.remove(key)?),
            }
        }
        let counters = format!("[{},{serial}]", writes.next_number);
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
        Body::New(pieces) => pieces.as_ref(),
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
impl Database {
    pub fn fail_next(&self) {
        self.failing.store(true, Ordering::SeqCst);
    }

    pub fn fail_no_more(&self) {
        self.failing.store(false, Ordering::SeqCst);
    }

    /// How many there were when it was opened, and since.
    pub fn transactions(&self) -> u64 {
        self.serial.load(Ordering::Acquire)
    }

    pub fn set_format(&self, format: u64) {
        let guard = self.open.read().unwrap();
        let transaction = guard.as_ref().unwrap().begin_write().unwrap();
        transaction.open_table(META).unwrap().insert("format", format).unwrap();
        transaction.commit().unwrap();
    }
}
