//! Bodies in memory, in the pieces in which they came.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use thiserror::Error;

use crate::protocol::ContentEncoding;

/// How much a mailroom takes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest body of one request, in bytes. 100 MB by default (OpenAPI, "Outbox workflow").
    pub request_bytes: u64,
    /// Longest chunked message, all chunks together, in bytes as sent: 100 GB by default (OpenAPI,
    /// "Outbox workflow").
    pub message_bytes: u64,
    /// Most chunks of a message: 100,000 by default, which are of 1 MB in the longest message.
    pub chunks: u32,
    /// Messages that are remembered, for tracking and 410, after they were acknowledged, expired or
    /// failed: the latest million by default, and none for more than 30 days.
    pub remembered: usize,
    /// Longest content that a compressed body may hold, in bytes: 20 GB by default, as a chunked
    /// message may have.
    pub decoded_bytes: u64,
    /// All bodies together, in bytes: 2 GiB by default. They are held in memory.
    pub held_bytes: u64,
    held: Arc<AtomicU64>,
}

/// A body, as it was sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StoredBody {
    pieces: Arc<[Bytes]>,
    size: u64,
    decoded_size: u64,
    _share: Arc<Share>,
}

/// A body that is coming in.
pub struct BodyWriter {
    pieces: Vec<Bytes>,
    size: u64,
    check: Option<MultiGzDecoder<Counter>>,
    limits: Limits,
    share: Share,
}

/// Pieces up to this long are copied, in bytes. A piece keeps alive the whole buffer that it was read
/// into, the request's head and all: for small messages many times what they count for.
const COPIED: usize = 16 * 1024;

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BodyError {
    /// More than one request may carry.
    #[error("the body is longer than one request may carry")]
    TooLarge,
    /// No room left.
    #[error("there is no room left for messages")]
    Full,
    /// It was declared gzip and is not, or breaks off.
    #[error("the body is declared gzip and is not")]
    NotGzip,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 100_000_000,
            message_bytes: 100_000_000_000,
            chunks: 100_000,
            remembered: 1_000_000,
            decoded_bytes: 20_000_000_000,
            held_bytes: 2 << 30,
            held: Arc::default(),
        }
    }
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

    /// The piece at a place, as sent; `None` after the last.
    #[must_use]
    pub fn piece(&self, index: usize) -> Option<Bytes> {
        self.pieces.get(index).cloned()
    }
}

impl BodyWriter {
    pub(super) fn new(encoding: ContentEncoding, limits: Limits) -> Self {
        let check = match encoding {
            ContentEncoding::Identity => None,
            ContentEncoding::Gzip => {
                Some(MultiGzDecoder::new(Counter { count: 0, limit: limits.decoded_bytes }))
            }
        };
        let share = Share { held: Arc::clone(&limits.held), bytes: 0 };
        Self { pieces: Vec::new(), size: 0, check, limits, share }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When it is too much, or is not what it was declared to be.
    pub fn write(&mut self, piece: Bytes) -> Result<(), BodyError> {
        self.size += piece.len() as u64;
        if self.size > self.limits.request_bytes {
            return Err(BodyError::TooLarge);
        }
        self.share.grow(piece.len() as u64, self.limits.held_bytes)?;
        if let Some(check) = &mut self.check {
            check.write_all(&piece).map_err(|_| BodyError::NotGzip)?;
        }
        self.pieces.push(if piece.len() <= COPIED { Bytes::copy_from_slice(&piece) } else { piece });
        Ok(())
    }

    /// The whole body.
    ///
    /// # Errors
    /// When it breaks off.
    pub fn finish(self) -> Result<StoredBody, BodyError> {
        let decoded_size = match self.check {
            Some(check) if self.size > 0 => check.finish().map_err(|_| BodyError::NotGzip)?.count,
            _ => self.size,
        };
        let (pieces, share) = (self.pieces.into(), Arc::new(self.share));
        Ok(StoredBody { pieces, size: self.size, decoded_size, _share: share })
    }
}

/// A body's part of what the mailroom holds; given back when the body is dropped.
#[derive(Debug)]
struct Share {
    held: Arc<AtomicU64>,
    bytes: u64,
}

impl Share {
    fn grow(&mut self, bytes: u64, limit: u64) -> Result<(), BodyError> {
        self.bytes += bytes;
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > limit { Err(BodyError::Full) } else { Ok(()) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
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

    fn store(encoding: ContentEncoding, limits: &Limits, body: &[u8]) -> Result<StoredBody, BodyError> {
        let mut writer = BodyWriter::new(encoding, limits.clone());
        for piece in body.chunks(7) {
            writer.write(Bytes::copy_from_slice(piece))?;
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
        let limits = Limits { request_bytes: 10, ..Limits::default() };
        assert!(store(ContentEncoding::Identity, &limits, &[0; 10]).is_ok());
        assert_eq!(store(ContentEncoding::Identity, &limits, &[0; 11]).unwrap_err(), BodyError::TooLarge);
    }

    #[test]
    fn room_is_given_back() {
        let limits = Limits { held_bytes: 20, ..Limits::default() };
        let first = store(ContentEncoding::Identity, &limits, &[0; 15]).unwrap();
        assert_eq!(store(ContentEncoding::Identity, &limits, &[0; 15]).unwrap_err(), BodyError::Full);
        drop(first);
        assert!(store(ContentEncoding::Identity, &limits, &[0; 15]).is_ok());
    }

    /// Found by the benchmark: messages of 1 KiB took 6 KiB each.
    #[test]
    fn a_small_piece_does_not_keep_the_buffer_that_it_came_in() {
        let buffer = Bytes::from(vec![b'x'; 8192]);
        let mut writer = BodyWriter::new(ContentEncoding::Identity, Limits::default());
        writer.write(buffer.slice(100..200)).unwrap();
        let stored = writer.finish().unwrap();
        assert!(buffer.is_unique());
        assert_eq!(stored.piece(0).unwrap(), buffer[100..200]);
    }

    #[test]
    fn what_is_declared_gzip_must_be_gzip() {
        let limits = Limits::default();
        let body = zipped(&[b'x'; 1000]);
        assert_eq!(store(ContentEncoding::Gzip, &limits, &body).unwrap().decoded_size(), 1000);
        assert_eq!(store(ContentEncoding::Gzip, &limits, b"not gzip").unwrap_err(), BodyError::NotGzip);
        assert_eq!(
            store(ContentEncoding::Gzip, &limits, &body[..body.len() - 1]).unwrap_err(),
            BodyError::NotGzip
        );
    }

    #[test]
    fn a_bomb_is_stopped() {
        let limits = Limits { decoded_bytes: 1000, ..Limits::default() };
        assert_eq!(
            store(ContentEncoding::Gzip, &limits, &zipped(&[0; 100_000])).unwrap_err(),
            BodyError::NotGzip
        );
    }
}
