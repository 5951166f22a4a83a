//! A body on its way in: counted, checked, and put where it is kept.

use std::{
    fs::File,
    io::{self, IoSlice, Write},
    sync::Arc,
};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use thiserror::Error;

use super::{
    Limits, StoredBody,
    body::Kept,
    durable::{BodyFile, Folder, Row},
    positioned::write_all_at,
    share::{Pool, Share},
    spill::{Spill, SpillError, Spilled},
};
use crate::{disk, protocol::ContentEncoding};

/// Pieces up to this long are copied, in bytes. A piece keeps alive the whole buffer that it was read
/// into, the request's head and all: for small messages many times what they count for.
const COPIED: usize = 16 * 1024;
/// Longest body that is kept in the database of a durable mailroom, in bytes. A file of its own costs
/// two more syncs, the database the copying of what it holds.
const IN_A_ROW: u64 = 64 * 1024;
/// Longest compressed body that is checked at once, in bytes: of each byte a thousand may come.
const UNPACKED_AT_ONCE: u64 = 4 * 1024;

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BodyError {
    /// More than one request may carry.
    #[error("the body is longer than one request may carry")]
    TooLarge,
    /// No room left.
    #[error("there is no room left for messages")]
    Full,
    /// The disk does not take it.
    #[error("the body cannot be written to disk: {0}")]
    Unwritable(io::ErrorKind),
    /// There is no file for what is too long for memory, and why.
    #[error("the body is too long for memory, and no file can be made for it: {0}")]
    NoFile(String),
    /// It was declared gzip and is not, or breaks off.
    #[error("the body is declared gzip and is not")]
    NotGzip,
}

impl From<io::Error> for BodyError {
    fn from(error: io::Error) -> Self {
        if disk::is_full(&error) { Self::Full } else { Self::Unwritable(error.kind()) }
    }
}

impl From<SpillError> for BodyError {
    fn from(error: SpillError) -> Self {
        if disk::is_full(&error.source) { Self::Full } else { Self::NoFile(error.to_string()) }
    }
}

/// Where bodies go. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Space {
    limits: Limits,
    memory: Pool,
    disk: Pool,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// Memory and, for what is long, a file without a name.
    Passing(Arc<Spill>),
    /// Where it stays.
    Durable(Arc<Folder>),
}

impl Space {
    /// Room that is gone with the process.
    pub fn passing(limits: Limits) -> Self {
        Self::new(limits, Place::Passing(Arc::default()))
    }

    /// Room in a folder.
    pub fn durable(mut limits: Limits, folder: Arc<Folder>) -> Self {
        limits.in_memory_bytes = limits.in_memory_bytes.min(IN_A_ROW);
        Self::new(limits, Place::Durable(folder))
    }

    fn new(limits: Limits, place: Place) -> Self {
        Self { memory: Pool::new(limits.held_bytes), disk: Pool::new(limits.disk_bytes), limits, place }
    }

    /// A place for a body that is coming in.
    pub fn writer(&self, encoding: ContentEncoding) -> BodyWriter {
        let check = match encoding {
            ContentEncoding::Identity => None,
            ContentEncoding::Gzip => {
                Some(MultiGzDecoder::new(Counter { count: 0, limit: self.limits.decoded_bytes }))
            }
        };
        let sink = Sink::Memory { pieces: Vec::new(), share: self.memory.share() };
        BodyWriter { space: self.clone(), sink, size: 0, check }
    }

    /// A short body that the endpoint wrote itself: taken whatever the limits are.
    pub fn own(&self, body: Bytes) -> StoredBody {
        let mut share = self.memory.share();
        let size = body.len() as u64;
        share.take(size);
        StoredBody { kept: self.held(vec![body], share), size, decoded_size: size }
    }

    /// What was on disk when the mailroom was opened counts as well.
    pub fn share_of_disk(&self, size: u64) -> Share {
        let mut share = self.disk.share();
        share.take(size);
        share
    }

    /// Counts what a message takes in memory beside its body, whatever the limits are.
    pub fn hold(&self, bytes: u64) {
        self.memory.hold(bytes);
    }

    /// Counts it no longer.
    pub fn release(&self, bytes: u64) {
        self.memory.release(bytes);
    }

    /// Whether what is too long for memory can be put on disk.
    pub fn check_disk(&self) -> Result<(), SpillError> {
        match &self.place {
            Place::Passing(spill) => spill.file().map(drop),
            Place::Durable(_) => Ok(()),
        }
    }

    fn held(&self, pieces: Vec<Bytes>, share: Share) -> Kept {
        match &self.place {
            Place::Passing(_) => Kept::Memory { pieces: pieces.into(), _share: Arc::new(share) },
            Place::Durable(folder) => Kept::Row(Arc::new(Row::unwritten(folder, pieces, share))),
        }
    }

    fn on_disk(&self) -> Result<Sink, BodyError> {
        let share = self.disk.share();
        Ok(match &self.place {
            Place::Passing(spill) => Sink::Spilled(spill.begin(share)?),
            Place::Durable(folder) => {
                let (file, body) = BodyFile::create(folder, share)?;
                Sink::File { file, body }
            }
        })
    }
}

/// A body that is coming in. Not for a worker of the runtime when [`BodyWriter::takes_long`] says so.
pub struct BodyWriter {
    space: Space,
    sink: Sink,
    size: u64,
    check: Option<MultiGzDecoder<Counter>>,
}

enum Sink {
    Memory { pieces: Vec<Bytes>, share: Share },
    Spilled(Spilled),
    File { file: File, body: BodyFile },
}

impl BodyWriter {
    /// Whether to take so many bytes more is not for a worker of the runtime: they go to disk, or much may come out
    /// of them when they are decompressed.
    #[must_use]
    pub fn takes_long(&self, more: u64) -> bool {
        self.goes_to_disk(more) || (self.check.is_some() && self.size + more > UNPACKED_AT_ONCE)
    }

    /// Whether the body is on disk, or will be with so many bytes more.
    fn goes_to_disk(&self, more: u64) -> bool {
        !matches!(self.sink, Sink::Memory { .. }) || self.size + more > self.space.limits.in_memory_bytes
    }

    /// Takes the next pieces.
    ///
    /// # Errors
    /// When it is too much, or is not what it was declared to be.
    pub fn write(&mut self, pieces: Vec<Bytes>) -> Result<(), BodyError> {
        let length = length(&pieces);
        if self.size + length > self.space.limits.request_bytes {
            return Err(BodyError::TooLarge);
        }
        if let Some(check) = &mut self.check {
            pieces.iter().try_for_each(|piece| check.write_all(piece)).map_err(|_| BodyError::NotGzip)?;
        }
        if matches!(self.sink, Sink::Memory { .. }) && self.goes_to_disk(length) {
            let on_disk = self.space.on_disk()?;
            if let Sink::Memory { pieces, .. } = std::mem::replace(&mut self.sink, on_disk) {
                self.sink.put(pieces, 0)?;
            }
        }
        let at = self.size;
        self.size += length;
        self.sink.put(pieces, at)
    }

    /// The whole body. What is kept durably is on the disk itself when this returns, but for what is
    /// short: that goes into the database with the message.
    ///
    /// # Errors
    /// When it breaks off, or the disk does not take it.
    pub fn finish(self) -> Result<StoredBody, BodyError> {
        let decoded_size = match self.check {
            Some(check) if self.size > 0 => check.finish().map_err(|_| BodyError::NotGzip)?.count,
            _ => self.size,
        };
        let kept = match self.sink {
            Sink::Memory { pieces, share } => self.space.held(pieces, share),
            Sink::Spilled(body) => Kept::Spilled(Arc::new(body)),
            Sink::File { file, body } => {
                body.sync(&file)?;
                Kept::File(Arc::new(body))
            }
        };
        Ok(StoredBody { kept, size: self.size, decoded_size })
    }
}

impl Sink {
    /// Adds pieces, behind so many bytes.
    fn put(&mut self, pieces: Vec<Bytes>, at: u64) -> Result<(), BodyError> {
        let length = length(&pieces);
        match self {
            Self::Memory { pieces: held, share } => {
                share.grow(length)?;
                let copied = |piece: Bytes| {
                    if piece.len() <= COPIED { Bytes::copy_from_slice(&piece) } else { piece }
                };
                held.extend(pieces.into_iter().map(copied));
            }
            Self::Spilled(body) => {
                body.share.grow(length)?;
                body.write(&pieces)?;
            }
            Self::File { file, body } => {
                body.share.grow(length)?;
                let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
                write_all_at(file, &mut slices, at)?;
            }
        }
        Ok(())
    }
}

fn length(pieces: &[Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

struct Counter {
    count: u64,
    limit: u64,
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.count += bytes.len() as u64;
        if self.count > self.limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn store(encoding: ContentEncoding, space: &Space, body: &[u8]) -> Result<StoredBody, BodyError> {
        let mut writer = space.writer(encoding);
        for piece in body.chunks(7) {
            writer.write(vec![Bytes::copy_from_slice(piece)])?;
        }
        writer.finish()
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_too_long_for_one_request_is_refused() {
        let space = Space::passing(Limits { request_bytes: 10, ..Limits::default() });
        assert!(store(ContentEncoding::Identity, &space, &[0; 10]).is_ok());
        assert_eq!(store(ContentEncoding::Identity, &space, &[0; 11]).unwrap_err(), BodyError::TooLarge);
    }

    #[test]
    fn room_is_given_back_in_memory_and_on_disk() {
        for in_memory_bytes in [100, 10] {
            let limits = Limits { held_bytes: 20, disk_bytes: 20, in_memory_bytes, ..Limits::default() };
            let space = Space::passing(limits);
            let first = store(ContentEncoding::Identity, &space, &[0; 15]).unwrap();
            assert_eq!(store(ContentEncoding::Identity, &space, &[0; 15]).unwrap_err(), BodyError::Full);
            drop(first);
            assert!(store(ContentEncoding::Identity, &space, &[0; 15]).is_ok());
        }
    }

    #[test]
    fn a_body_is_the_same_in_memory_and_on_disk() {
        let body: Vec<u8> = (0..200_u8).collect();
        for (in_memory_bytes, on_disk) in [(200, false), (199, true), (0, true)] {
            let space = Space::passing(Limits { in_memory_bytes, ..Limits::default() });
            let stored = store(ContentEncoding::Identity, &space, &body).unwrap();
            assert_eq!((matches!(stored.kept, Kept::Spilled(_)), stored.size()), (on_disk, 200));
            assert_eq!(stored.open_in_memory().is_none(), on_disk);
            assert_eq!(stored.whole().unwrap(), body);
        }
    }

    /// Found by the benchmark: messages of 1 KiB took 6 KiB each.
    #[test]
    fn a_small_piece_does_not_keep_the_buffer_that_it_came_in() {
        let buffer = Bytes::from(vec![b'x'; 8192]);
        let mut writer = Space::passing(Limits::default()).writer(ContentEncoding::Identity);
        writer.write(vec![buffer.slice(100..200)]).unwrap();
        let stored = writer.finish().unwrap();
        assert!(buffer.is_unique());
        assert_eq!(stored.whole().unwrap(), buffer[100..200]);
    }

    #[test]
    fn what_goes_to_disk_or_is_to_be_decompressed_takes_long() {
        let space = Space::passing(Limits { in_memory_bytes: 10_000, ..Limits::default() });
        let (mut plain, mut gzip) =
            (space.writer(ContentEncoding::Identity), space.writer(ContentEncoding::Gzip));
        assert_eq!([10_000, 10_001].map(|more| plain.takes_long(more)), [false, true]);
        assert_eq!([4096, 4097].map(|more| gzip.takes_long(more)), [false, true]);
        let body = Bytes::from(zipped(b"x"));
        for writer in [&mut plain, &mut gzip] {
            writer.write(vec![body.clone()]).unwrap();
        }
        let rest = body.len() as u64;
        assert!(plain.takes_long(10_001 - rest) && gzip.takes_long(4097 - rest));
        assert!(!plain.takes_long(10_000 - rest) && !gzip.takes_long(4096 - rest));
    }

    #[test]
    fn what_is_declared_gzip_must_be_gzip() {
        let space = Space::passing(Limits::default());
        let body = zipped(&[b'x'; 1000]);
        assert_eq!(store(ContentEncoding::Gzip, &space, &body).unwrap().decoded_size(), 1000);
        assert_eq!(store(ContentEncoding::Gzip, &space, b"not gzip").unwrap_err(), BodyError::NotGzip);
        assert_eq!(
            store(ContentEncoding::Gzip, &space, &body[..body.len() - 1]).unwrap_err(),
            BodyError::NotGzip
        );
    }

    #[test]
    fn a_bomb_is_stopped() {
        let space = Space::passing(Limits { decoded_bytes: 1000, ..Limits::default() });
        assert_eq!(
            store(ContentEncoding::Gzip, &space, &zipped(&[0; 100_000])).unwrap_err(),
            BodyError::NotGzip
        );
    }
}
