//! Messages, their content, and where they are on their way.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::StoredBody;
use crate::protocol::{ErrorCode, Failure, MailboxId, MessageId, SendHeaders, WorkflowId};

/// What a message is and was said to be. Never changes.
#[derive(Debug)]
pub struct Message {
    /// Its ID.
    pub id: MessageId,
    /// Who sent it; `None` when MESH itself did.
    pub sender: Option<MailboxId>,
    /// Whose inbox it goes to, or why to nobody's.
    pub recipient: Result<MailboxId, ErrorCode>,
    /// What the sender said about it.
    pub headers: SendHeaders,
    /// When it was sent; of a chunked message, when the first chunk was.
    pub sent_at: DateTime<Utc>,
    /// What it reports; `None` for data.
    pub report: Option<Report>,
}

/// What a message of type REPORT says.
#[derive(Debug, Clone)]
pub struct Report {
    /// About which message.
    pub linked: Option<MessageId>,
    /// What happened to it.
    pub failure: Failure,
    /// `Mex-To`, where it is not the mailbox that the report lies in.
    pub to: Option<String>,
}

/// What a message carries, chunk by chunk.
#[derive(Debug, Default)]
pub struct Content {
    /// By number, from 1. A message that is not chunked has one, a report none.
    pub chunks: BTreeMap<u32, StoredBody>,
    /// When it was delivered.
    pub delivered_at: DateTime<Utc>,
}

/// A message in the books.
pub struct Entry {
    pub message: Arc<Message>,
    /// Unique, and in the order of sending.
    pub number: u64,
    /// Bytes taken in, as sent.
    pub size: u64,
    pub state: State,
}

/// Where a message is.
pub enum State {
    /// Chunks are still to come.
    Uploading { chunks: BTreeMap<u32, StoredBody>, until: DateTime<Utc> },
    /// In the recipient's inbox, at a place.
    Waiting { place: u64, content: Arc<Content>, until: DateTime<Utc> },
    /// Acknowledged. The content only where it is served again.
    Acknowledged { at: DateTime<Utc>, content: Option<Arc<Content>> },
    /// Not collected in time.
    Undeliverable { at: DateTime<Utc>, content: Option<Arc<Content>> },
    /// Refused after the call was answered, or told to be so by a test.
    Failed { at: DateTime<Utc>, failure: Failure },
}

impl Message {
    /// The kind of message.
    #[must_use]
    pub fn workflow(&self) -> &WorkflowId {
        &self.headers.workflow
    }
}
