//! What all bodies take together, and what messages take beside them, counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::BodyError;

/// How much of something there is and how much of it is taken. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool {
    taken: Arc<AtomicU64>,
    limit: u64,
}

/// A body's part of it; given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    pool: Pool,
    bytes: u64,
}

impl Pool {
    pub fn new(limit: u64) -> Self {
        Self { taken: Arc::default(), limit }
    }

    pub fn share(&self) -> Share {
        Share { pool: self.clone(), bytes: 0 }
    }

    /// Counts what is there already, whatever the limit, until [`Pool::release`] is told of as much.
    pub fn hold(&self, bytes: u64) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn release(&self, bytes: u64) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Share {
    /// Takes more, or says that there is no more.
    pub fn grow(&mut self, bytes: u64) -> Result<(), BodyError> {
        if self.take(bytes) > self.pool.limit { Err(BodyError::Full) } else { Ok(()) }
    }

    /// Takes what is there already, whatever the limit.
    pub fn take(&mut self, bytes: u64) -> u64 {
        self.bytes += bytes;
        self.pool.taken.fetch_add(bytes, Ordering::Relaxed) + bytes
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.pool.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
