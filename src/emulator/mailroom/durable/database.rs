//! The database: one row a message, one a chunk, and the short bodies.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableError};

use super::error::StoreError;

/// A message's number and a chunk's.
pub type Key = (u64, u32);

/// Of the layout of the tables and of what is in them. Another is refused.
const FORMAT: u64 = 1;
/// Bytes of pages that the database may hold in memory.
const CACHE: usize = 32 << 20;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("mesh-witness mailroom");
const MESSAGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("messages");
const CHUNKS: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("chunks");
const BODIES: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("bodies");

/// The database of a mailroom.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    /// `None` after it has failed and could not be opened again.
    open: RwLock<Option<redb::Database>>,
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
        Ok(Self {
            path,
            open: RwLock::new(Some(database)),
            #[cfg(test)]
            failing: Default::default(),
        })
    }

    /// Writes all of it durably, or nothing.
    pub fn commit(&self, writes: &Writes) -> Result<(), redb::Error> {
        #[cfg(test)]
        if self.failing.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        self.open_again_if_failed()?;
        let (serial, error) = {
            // Bodies can be read meanwhile.
            let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
            let database = guard.as_ref().ok_or(redb::Error::DatabaseClosed)?;
            let serial = serial(database)? + 1;
            match write(database, writes, serial) {
                Ok(()) => return Ok(()),
                Err(error) => (serial, error),
            }
        };
        let mut guard = self.open.write().unwrap_or_else(PoisonError::into_inner);
        // After an error of the disk it answers no more until it is opened again.
        *guard = None;
        let database = open(&self.path, false)?;
        let arrived = serial == self::serial(&database)?;
        *guard = Some(database);
        // What failed may have been only the last sync; then all of it is there.
        if arrived { Ok(()) } else { Err(error) }
    }

    fn open_again_if_failed(&self) -> Result<(), redb::Error> {
        let mut guard = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            *guard = Some(open(&self.path, false)?);
        }
        Ok(())
    }

    /// A short body.
    pub fn body(&self, key: Key) -> io::Result<Option<Vec<u8>>> {
        let guard = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let database = guard.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let read = || -> Result<_, redb::Error> {
            let table = database.begin_read()?.open_table(BODIES)?;
            Ok(table.get(key)?.map(|body| body.value().to_vec()))
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
            for row in transaction.open_table(MESSAGES)?.iter()? {
                let (number, record) = row?;
                rows.messages.push((number.value(), record.value().to_vec()));
            }
            for row in transaction.open_table(CHUNKS)?.iter()? {
                let (key, record) = row?;
                let (number, chunk) = key.value();
                rows.chunks.entry(number).or_default().push((chunk, record.value().to_vec()));
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
    transaction.open_table(MESSAGES)?;
    transaction.open_table(CHUNKS)?;
    transaction.open_table(BODIES)?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.commit()?;
    Ok(FORMAT)
}

fn number(table: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, redb::Error> {
    Ok(table.get(name)?.map_or(0, |value| value.value()))
}

/// How many transactions there were.
fn serial(database: &redb::Database) -> Result<u64, redb::Error> {
    number(&database.begin_read()?.open_table(META)?, "serial")
}

fn write(database: &redb::Database, writes: &Writes, serial: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    if writes.cleared {
        transaction.delete_table(MESSAGES)?;
        transaction.delete_table(CHUNKS)?;
        transaction.delete_table(BODIES)?;
    }
    {
        let mut messages = transaction.open_table(MESSAGES)?;
        for (number, record) in &writes.messages {
            match record {
                Some(record) => drop(messages.insert(number, record.as_slice())?),
                None => drop(messages.remove(number)?),
            }
        }
        let (mut chunks, mut bodies) = (transaction.open_table(CHUNKS)?, transaction.open_table(BODIES)?);
        for (key, row) in &writes.chunks {
            match row {
                Some(row) => {
                    chunks.insert(key, row.record.as_slice())?;
                    match &row.body {
                        Some(body) => drop(bodies.insert(key, body.as_slice())?),
                        None => drop(bodies.remove(key)?),
                    }
                }
                None => {
                    chunks.remove(key)?;
                    bodies.remove(key)?;
                }
            }
        }
        let mut meta = transaction.open_table(META)?;
        meta.insert("next number", writes.next_number)?;
        meta.insert("serial", serial)?;
    }
    Ok(transaction.commit()?)
}

/// Faults that a disk has, on demand.
#[cfg(test)]
impl Database {
    pub fn fail_next(&self) {
        self.failing.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    pub fn fail_no_more(&self) {
        self.failing.store(false, std::sync::atomic::Ordering::SeqCst);
    }

    pub fn set_format(&self, format: u64) {
        let guard = self.open.read().unwrap();
        let transaction = guard.as_ref().unwrap().begin_write().unwrap();
        transaction.open_table(META).unwrap().insert("format", format).unwrap();
        transaction.commit().unwrap();
    }
}
