//! Messages, their content, and where they are on their way.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::content::{Chunks, Content};
use crate::protocol::{ErrorCode, Failure, MailboxId, MessageId, SendHeaders, WorkflowId};

/// What a message is and was said to be. Never changes.
#[derive(Debug, Clone)]
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
    pub report: Option<Box<Report>>,
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

/// What a message takes in memory beside its body and what its sender said, in bytes, about (docs/measurements.md).
const BESIDE: u64 = 1100;
/// Longest `Content-Type` that is kept of what is done with, in bytes: as long as a `Mex-Content-Type` may be (OpenAPI,
/// "Send message"). To take a shorter one out would cost more than it takes.
const KEPT_TYPE: usize = 100;

/// A message in the books.
#[derive(Clone)]
pub struct Entry {
    pub message: Arc<Message>,
    /// Unique, and in the order of sending.
    pub number: u64,
    /// Bytes taken in, as sent.
    pub size: u64,
    /// Where in its recipient's inbox it waits, or has waited; before it is delivered, its number.
    pub place: u64,
    /// When it was delivered; before that, when it was sent.
    pub delivered_at: DateTime<Utc>,
    /// Its place among what is done with: acknowledged, expired or failed.
    pub finished: Option<u64>,
    pub state: State,
}

/// Where a message is.
#[derive(Clone)]
pub enum State {
    /// Chunks are still to come. Shared only where a copy is kept to undo a change.
    Uploading { chunks: Arc<Chunks>, until: DateTime<Utc> },
    /// In the recipient's inbox.
    Waiting { content: Arc<Content>, until: DateTime<Utc> },
    /// Acknowledged. The content only where it is served again.
    Acknowledged { at: DateTime<Utc>, content: Option<Arc<Content>> },
    /// Not collected in time.
    Undeliverable { at: DateTime<Utc>, content: Option<Arc<Content>> },
    /// Refused after the call was answered, or told to be so by a test.
    Failed { at: DateTime<Utc>, failure: Box<Failure> },
}

impl Message {
    /// The kind of message.
    #[must_use]
    pub fn workflow(&self) -> &WorkflowId {
        &self.headers.workflow
    }

    /// The same without a long `Content-Type`, which no source limits, and which nobody needs without the content.
    pub(super) fn without_long_type(self: Arc<Self>) -> Arc<Self> {
        if self.headers.content_type.as_ref().is_none_or(|given| given.len() <= KEPT_TYPE) {
            return self;
        }
        let message = Arc::unwrap_or_clone(self);
        let headers = SendHeaders { content_type: None, ..message.headers };
        Arc::new(Self { headers, ..message })
    }
}

impl Entry {
    /// What it takes in memory beside its body, in bytes, about. Of what is done with only so much is remembered, so
    /// that this is not counted.
    pub fn beside(&self) -> u64 {
        if self.state.is_final() { 0 } else { BESIDE + self.said() }
    }

    /// What its sender, or a test, said of it, in bytes: whatever may be of any length.
    pub fn said(&self) -> u64 {
        let SendHeaders { to, workflow, content_type, passed_through, .. } = &self.message.headers;
        let labels: usize = passed_through.iter().map(|(_, value)| value.len()).sum();
        let headers =
            labels + to.len() + workflow.as_str().len() + content_type.as_ref().map_or(0, String::len);
        let of = |failure: &Failure| failure.event.len() + failure.code.len() + failure.description.len();
        let reported = self.message.report.as_ref().map_or(0, |report| of(&report.failure));
        let failed = match &self.state {
            State::Failed { failure, .. } => of(failure),
            _ => 0,
        };
        (headers + reported + failed) as u64
    }

    /// When something happens to it next: expiry of what waits, oblivion of all else, which is `kept` so long.
    pub fn due(&self, kept: TimeDelta) -> DateTime<Utc> {
        match &self.state {
            State::Uploading { until, .. } | State::Waiting { until, .. } => *until,
            // Counted from the delivery (OpenAPI, "Message expiration"), not from the first of many chunks.
            State::Undeliverable { .. } => self.delivered_at + kept,
            State::Acknowledged { at, .. } | State::Failed { at, .. } => *at + kept,
        }
    }
}

impl State {
    /// Its content as far as it is kept, chunk by chunk.
    pub fn chunks(&self) -> Option<&Chunks> {
        match self {
            Self::Uploading { chunks, .. } => Some(chunks),
            Self::Waiting { content, .. } => Some(&content.chunks),
            Self::Acknowledged { content, .. } | Self::Undeliverable { content, .. } => {
                content.as_ref().map(|content| &content.chunks)
            }
            Self::Failed { .. } => None,
        }
    }

    /// Whether nothing more is done with it.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Acknowledged { .. } | Self::Undeliverable { .. } | Self::Failed { .. })
    }
}
