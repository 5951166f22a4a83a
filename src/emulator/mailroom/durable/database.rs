//! The database: one row a message, one a chunk with its body where that is short.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableError};

use super::error::StoreError;

/// A message's number and a chunk's.
pub type Key = (u64, u32);

/// Of the layout of the tables and of what is in them. Another is refused.
const FORMAT: u64 = 2;
/// Bytes of pages that the database may hold in memory.
const CACHE: usize = 32 << 20;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("mesh-witness mailroom");
/// Messages, as chunk 0, and their chunks. One table, since each that is written to costs every commit.
const ROWS: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("messages and chunks");
/// The place of a message among its chunks.
const MESSAGE: u32 = 0;
/// Stands between a chunk's record and its body. JSON has none.
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
    pub messages: BTreeMap<u64, Option<Vec<u8>>>,
    pub chunks: BTreeMap<Key, Option<ChunkRow>>,
    /// The number that the next message gets.
    pub next_number: u64,
}

/// A chunk, and its body where that is short.
#[derive(Debug)]
pub struct ChunkRow {
    pub record: Vec<u8>,
    pub body: Option<Vec<u8>>,
}

/// All rows but the bodies.
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
            let row = database.begin_read()?.open_table(ROWS)?.get(key)?;
            Ok(row.and_then(|row| Some(split(row.value()).1?.to_vec())))
        };
        read().map_err(io::Error::other)
    }

    /// Everything but the bodies.
    pub fn rows(&self) -> Result<Rows, StoreError> {
        let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let read = || -> Result<Rows, redb::Error> {
            let Some(database) = guard.as_ref() else { return Ok(Rows::default()) };
            let transaction = database.begin_read()?;
            let mut rows = Rows::default();
            for row in transaction.open_table(ROWS)?.iter()? {
                let (key, row) = row?;
                let ((number, chunk), record) = (key.value(), split(row.value()).0.to_vec());
                match chunk {
                    MESSAGE => rows.messages.push((number, record)),
                    _ => rows.chunks.entry(number).or_default().push((chunk, record)),
                }
            }
            rows.next_number = number(&transaction.open_table(META)?, "next number")?;
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
        Ok(table) => return number(&table, "format"),
        Err(TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let transaction = database.begin_write()?;
    transaction.open_table(ROWS)?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.commit()?;
    Ok(FORMAT)
}

fn number(table: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, redb::Error> {
    Ok(table.get(name)?.map_or(0, |value| value.value()))
}

fn serial(database: &redb::Database) -> Result<u64, redb::Error> {
    number(&database.begin_read()?.open_table(META)?, "serial")
}

fn write(database: &redb::Database, writes: &Writes, serial: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    if writes.cleared {
        transaction.delete_table(ROWS)?;
    }
    {
        let mut rows = transaction.open_table(ROWS)?;
        for (number, record) in &writes.messages {
            match record {
                Some(record) => drop(rows.insert((*number, MESSAGE), record.as_slice())?),
                None => drop(rows.remove((*number, MESSAGE))?),
            }
        }
        for (key, row) in &writes.chunks {
            match row {
                Some(row) => drop(rows.insert(key, joined(row).as_ref())?),
                None => drop(rows.remove(key)?),
            }
        }
        let mut meta = transaction.open_table(META)?;
        meta.insert("next number", writes.next_number)?;
        meta.insert("serial", serial)?;
    }
    Ok(transaction.commit()?)
}

fn joined(row: &ChunkRow) -> Cow<'_, [u8]> {
    match &row.body {
        Some(body) => Cow::Owned([row.record.as_slice(), &[END_OF_RECORD], body].concat()),
        None => Cow::Borrowed(&row.record),
    }
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

    pub fn set_format(&self, format: u64) {
        let guard = self.open.read().unwrap();
        let transaction = guard.as_ref().unwrap().begin_write().unwrap();
        transaction.open_table(META).unwrap().insert("format", format).unwrap();
        transaction.commit().unwrap();
    }
}
