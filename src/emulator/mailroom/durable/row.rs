//! A short body: in memory until it is in the database, and only there from then on.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;

use super::{folder::Folder, writes::Key};
use crate::emulator::mailroom::{Entry, StoredBody, body::Kept, share::Share};

/// A short body.
#[derive(Debug)]
pub struct Row {
    folder: Arc<Folder>,
    key: OnceLock<Key>,
    unwritten: Mutex<Option<Unwritten>>,
}

#[derive(Debug)]
struct Unwritten {
    pieces: Arc<[Bytes]>,
    _share: Share,
}

/// The short body of a message that is not chunked: it is kept in its message's row.
pub fn own_row(entry: &Entry) -> Option<(&StoredBody, &Arc<Row>)> {
    if entry.message.headers.chunk_range.total().get() > 1 {
        return None;
    }
    let body = entry.state.chunks()?.get(1)?;
    match &body.kept {
        Kept::Row(row) => Some((body, row)),
        _ => None,
    }
}

impl Row {
    /// One that is not in the database yet.
    pub fn unwritten(folder: &Arc<Folder>, pieces: Vec<Bytes>, share: Share) -> Self {
        let unwritten = Mutex::new(Some(Unwritten { pieces: pieces.into(), _share: share }));
        Self { folder: Arc::clone(folder), key: OnceLock::new(), unwritten }
    }

    /// One that is.
    pub fn known(folder: &Arc<Folder>, key: Key) -> Self {
        Self { folder: Arc::clone(folder), key: OnceLock::from(key), unwritten: Mutex::new(None) }
    }

    /// What is to be written; `None` when it has been.
    pub fn pieces(&self) -> Option<Arc<[Bytes]>> {
        let unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.as_ref().map(|unwritten| Arc::clone(&unwritten.pieces))
    }

    /// It is in the database under a key: memory need not hold it any more.
    pub fn written(&self, key: Key) {
        let _ = self.key.set(key);
        *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All of it.
    pub fn read(&self, size: u64) -> io::Result<Arc<[Bytes]>> {
        if let Some(pieces) = self.pieces() {
            return Ok(pieces);
        }
        let key = self.key.get().ok_or(io::ErrorKind::NotFound)?;
        let body = self.folder.database.body(*key)?;
        match body {
            Some(body) if body.len() as u64 == size => Ok(Arc::new([body.into()])),
            Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
