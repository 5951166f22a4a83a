//! Bodies, as they were sent, wherever they are kept.

use std::{fs::File, io, sync::Arc};

use bytes::Bytes;

use super::{
    durable::{BodyFile, Row},
    positioned::read_at,
    share::Share,
    spill::Spilled,
};

/// Bytes that are read from disk at a time.
const READ: usize = 256 * 1024;

/// A body, as it was sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StoredBody {
    pub(super) kept: Kept,
    pub(super) size: u64,
    pub(super) decoded_size: u64,
}

/// Where a body is.
#[derive(Debug, Clone)]
pub enum Kept {
    /// In memory, in the pieces in which it came.
    Memory { pieces: Arc<[Bytes]>, _share: Arc<Share> },
    /// On disk, until the process ends.
    Spilled(Arc<Spilled>),
    /// In the database.
    Row(Arc<Row>),
    /// In a file of its own.
    File(Arc<BodyFile>),
}

/// A body on its way out. It stays whole to the end, whatever becomes of its message meanwhile.
pub struct BodyReader {
    source: Source,
    at: u64,
    size: u64,
}

enum Source {
    Memory { pieces: Arc<[Bytes]>, next: usize },
    Spilled(Arc<Spilled>),
    File { file: File, _body: Arc<BodyFile> },
}

impl StoredBody {
    /// Size as sent, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Size of the content, decompressed where it is compressed, in bytes.
    #[must_use]
    pub fn decoded_size(&self) -> u64 {
        self.decoded_size
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Begins to read it if that is not reading from disk, which is not for a worker of the runtime.
    #[must_use]
    pub fn open_in_memory(&self) -> Option<BodyReader> {
        let pieces = match &self.kept {
            Kept::Memory { pieces, .. } => Arc::clone(pieces),
            Kept::Row(row) => row.pieces()?,
            Kept::Spilled(_) | Kept::File(_) => return None,
        };
        Some(BodyReader { source: Source::Memory { pieces, next: 0 }, at: 0, size: self.size })
    }

    /// Begins to read it.
    ///
    /// # Errors
    /// When it is not there any more, or not in its length.
    pub fn open(&self) -> io::Result<BodyReader> {
        let source = match &self.kept {
            Kept::Memory { pieces, .. } => Source::Memory { pieces: Arc::clone(pieces), next: 0 },
            Kept::Spilled(body) => Source::Spilled(Arc::clone(body)),
            Kept::Row(row) => Source::Memory { pieces: row.read(self.size)?, next: 0 },
            Kept::File(body) => Source::File { file: body.open(self.size)?, _body: Arc::clone(body) },
        };
        Ok(BodyReader { source, at: 0, size: self.size })
    }

    /// All of it at once.
    #[cfg(test)]
    pub fn whole(&self) -> io::Result<Vec<u8>> {
        let mut reader = self.open()?;
        let mut whole = Vec::new();
        while let Some(piece) = reader.next()? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

impl BodyReader {
    /// Whether reading on is reading from disk.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        !matches!(self.source, Source::Memory { .. })
    }

    /// The next piece, as sent; `None` after the last.
    ///
    /// # Errors
    /// When the disk does not give it.
    pub fn next(&mut self) -> io::Result<Option<Bytes>> {
        if let Source::Memory { pieces, next } = &mut self.source {
            *next += 1;
            return Ok(pieces.get(*next - 1).cloned());
        }
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(None);
        }
        let mut buffer = vec![0; left.min(READ)];
        let mut filled = 0;
        while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            let read = match &self.source {
                Source::Memory { .. } => 0,
                Source::Spilled(body) => body.read(self.at, room)?,
                Source::File { file, .. } => read_at(file, room, self.at)?,
            };
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            self.at += read as u64;
        }
        Ok(Some(buffer.into()))
    }
}
