//! How much a mailroom takes.

use crate::protocol::{LARGEST_MESSAGE, LARGEST_REQUEST};

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
    /// What senders, or tests, said of the messages that are remembered so, all together, in bytes: 256 MiB by default,
    /// which is what a million have to say as a rule. The oldest beyond it are forgotten.
    pub remembered_bytes: u64,
    /// Longest content that a compressed body may hold, in bytes: 20 GB by default, as a chunked
    /// message may have.
    pub decoded_bytes: u64,
    /// Bodies in memory, all together, and beside them what every message takes that waits or is uploaded, about 1.1 KB
    /// and what its sender said of it, in bytes: 2 GiB by default.
    pub held_bytes: u64,
    /// Longest body that is held in memory, in bytes: 1 MiB by default, and 64 KiB at most where
    /// messages are kept durably. A longer one is on disk.
    pub in_memory_bytes: u64,
    /// Bodies on disk, all together, in bytes: 120 GB by default, which is the longest message and
    /// some room beside it. A disk that is full before is answered in the same way.
    pub disk_bytes: u64,
}

impl Limits {
    /// The same for messages of so many bytes at most, in one request or in several.
    #[must_use]
    pub fn of_messages(self, bytes: u64) -> Self {
        Self { message_bytes: bytes, request_bytes: self.request_bytes.min(bytes), ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: LARGEST_REQUEST,
            message_bytes: LARGEST_MESSAGE,
            chunks: 100_000,
            remembered: 1_000_000,
            remembered_bytes: 256 << 20,
            decoded_bytes: 20_000_000_000,
            held_bytes: 2 << 30,
            in_memory_bytes: 1 << 20,
            disk_bytes: 120_000_000_000,
        }
    }
}
