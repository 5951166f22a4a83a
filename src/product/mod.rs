//! The product under test, and how it is asked to act. What it did is read from the tape, never from
//! what it returns.

pub mod driver;
mod poll;

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::{
    client::{Outgoing, ReferenceClient},
    protocol::{MessageId, Operation},
    tape::Exchange,
};

pub use driver::{Driven, Driver, Said};
pub use poll::{Collected, Listing, Reported, collect, collect_report, cycle, drain, list_all};

/// The product under test.
#[derive(Debug)]
pub enum Product {
    /// The built-in reference client, in the product's mailbox.
    Reference(Box<ReferenceClient>),
    /// A product of somebody else's, which a driver asks.
    Driven(Driven),
}

/// What the product is asked to do.
pub enum Ask<'a> {
    /// Validate its mailbox.
    Handshake,
    /// Send a message; in chunks of so many bytes, where a size is given.
    Send {
        /// What to send.
        message: &'a Outgoing,
        /// In which chunks.
        chunk_bytes: Option<u64>,
    },
    /// Check its inbox.
    CheckInbox,
    /// A poll cycle: list, download, acknowledge. The reference client takes the one message that it is
    /// told of, and leaves alone what others have sent to a mailbox that is shared.
    Receive {
        /// What waits.
        message: &'a MessageId,
        /// Whether to offer to take gzip.
        takes_gzip: bool,
    },
    /// Work its inbox off. The reference client takes the messages that it is told of.
    Drain {
        /// What waits.
        expected: &'a BTreeSet<String>,
    },
    /// One poll cycle, whatever comes of it: everything that waits. The reference client takes the
    /// messages that it is told of.
    Cycle {
        /// What waits.
        expected: &'a BTreeSet<String>,
        /// Whether to offer to take gzip.
        takes_gzip: bool,
    },
    /// Download a message that cannot be had. A driven product is brought to it by its inbox, which
    /// lists the message.
    Download {
        /// Which.
        message: &'a MessageId,
    },
    /// Look for a report on a message, and take it like any other message.
    TakeReport {
        /// The message that it is about.
        about: &'a MessageId,
        /// Whether what was seen of a message says that it is such a report.
        is_report: fn(&Exchange, &MessageId) -> bool,
    },
    /// Ask what became of a message that it sent.
    Track {
        /// Which.
        message: &'a MessageId,
    },
    /// List its whole inbox.
    List,
}

/// Why a product cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The configuration does not fit what is there.
    #[error("{0}")]
    Configuration(String),
    /// This machine, or this program.
    #[error("{0}")]
    Ours(String),
}

impl Product {
    /// Asks it to act, and waits until it has. `watch` gives its calls since it was asked, `passed` how much has
    /// passed in the run.
    ///
    /// # Errors
    /// When it cannot be asked. What came of it stands on the tape.
    ///
    /// Boxed, so that clients and drivers are compiled with the library, once, and not with each program that plays.
    pub fn ask<'a>(
        &'a mut self,
        ask: &'a Ask<'_>,
        watch: driver::Watch<'a>,
        passed: driver::Passed<'a>,
    ) -> LocalBoxFuture<'a, Result<Said, AskError>> {
        self.asked(ask, watch, passed).boxed_local()
    }

    async fn asked(
        &mut self,
        ask: &Ask<'_>,
        watch: driver::Watch<'_>,
        passed: driver::Passed<'_>,
    ) -> Result<Said, AskError> {
        match self {
            Self::Reference(client) => {
                act(client, ask).await;
                Ok(Said { is_over: true, ..Said::default() })
            }
            Self::Driven(driven) => driven.ask(ask, watch, passed).await,
        }
    }
}

/// What the reference client does when it is asked. What it returns is thrown away: it is on the tape.
async fn act(client: &mut ReferenceClient, ask: &Ask<'_>) {
    match ask {
        Ask::Handshake => drop(client.handshake().await),
        Ask::Send { message, chunk_bytes: None } => drop(client.send(message).await),
        Ask::Send { message, chunk_bytes: Some(bytes) } => drop(client.send_chunked(message, *bytes).await),
        Ask::CheckInbox => drop(client.check_inbox().await),
        Ask::Receive { message, takes_gzip } => drop(collect(client, message, *takes_gzip).await),
        Ask::Drain { expected } => drain(client, expected).await,
        Ask::Cycle { expected, takes_gzip } => cycle(client, expected, *takes_gzip).await,
        Ask::Download { message } => drop(client.download(message, false).await),
        Ask::TakeReport { about, is_report } => drop(collect_report(client, about, is_report).await),
        Ask::Track { message } => drop(client.track(message).await),
        Ask::List => drop(list_all(client).await),
    }
}

impl Ask<'_> {
    /// The action of a driver that it comes down to.
    #[must_use]
    pub fn action(&self) -> driver::Action {
        match self {
            Self::Handshake => driver::Action::Handshake,
            Self::Send { .. } => driver::Action::Send,
            Self::Track { .. } => driver::Action::Track,
            Self::CheckInbox
            | Self::Receive { .. }
            | Self::Drain { .. }
            | Self::Cycle { .. }
            | Self::Download { .. }
            | Self::TakeReport { .. }
            | Self::List => driver::Action::Receive,
        }
    }

    /// What it is asked to do, after "asked to".
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Handshake => "validate its mailbox",
            Self::Send { chunk_bytes: None, .. } => "send a message",
            Self::Send { .. } => "send a message in chunks",
            Self::CheckInbox | Self::List => "check its inbox",
            Self::Receive { .. } => "collect a message",
            Self::Drain { .. } => "work its inbox off",
            Self::Cycle { .. } => "make one poll cycle",
            Self::Download { .. } => "collect a message that cannot be had",
            Self::TakeReport { .. } => "collect a report",
            Self::Track { .. } => "track a message",
        }
    }

    /// What is to be sent, and in which chunks.
    #[must_use]
    pub fn outgoing(&self) -> Option<(&Outgoing, Option<u64>)> {
        match self {
            Self::Send { message, chunk_bytes } => Some((message, *chunk_bytes)),
            _ => None,
        }
    }

    /// Whether it is to offer to take gzip.
    #[must_use]
    pub fn takes_gzip(&self) -> bool {
        matches!(self, Self::Receive { takes_gzip: true, .. } | Self::Cycle { takes_gzip: true, .. })
    }

    /// The message to be tracked.
    #[must_use]
    pub fn message(&self) -> Option<&MessageId> {
        if let Self::Track { message } = self { Some(message) } else { None }
    }

    /// Whether these calls are what was asked for, so that nobody needs to wait for more.
    #[must_use]
    pub fn is_done(&self, calls: &[Arc<Exchange>]) -> bool {
        let any = |wanted: &dyn Fn(&Operation) -> bool| {
            calls.iter().any(|call| call.operation.as_ref().is_some_and(wanted))
        };
        let refused = || calls.iter().any(|call| call.status().is_some_and(|status| status >= 400));
        let acknowledged = |id: &str| {
            any(&|operation| matches!(operation, Operation::Acknowledge(_, other) if other.as_str() == id))
        };
        match self {
            Self::Handshake => any(&|operation| matches!(operation, Operation::Handshake(_))),
            // The inbox check after it is part of it, but not waited for: it may never come.
            Self::Send { chunk_bytes: None, .. } => {
                any(&|operation| matches!(operation, Operation::SendMessage(_)))
            }
            Self::Send { message, chunk_bytes: Some(bytes) } => {
                let last = message.payload.size().div_ceil((*bytes).max(1));
                any(
                    &|operation| matches!(operation, Operation::SendChunk(.., number) if u64::from(number.get()) == last),
                ) || refused()
            }
            Self::CheckInbox | Self::List => any(&|operation| matches!(operation, Operation::CheckInbox(_))),
            Self::Receive { message, .. } => acknowledged(message.as_str()),
            Self::Drain { expected } | Self::Cycle { expected, .. } => {
                expected.iter().all(|id| acknowledged(id))
            }
            Self::Download { message } => {
                any(&|operation| matches!(operation, Operation::GetMessage(_, other) if other == *message))
            }
            Self::TakeReport { .. } => any(&|operation| matches!(operation, Operation::Acknowledge(..))),
            Self::Track { .. } => any(&|operation| {
                matches!(operation, Operation::TrackMessage(_) | Operation::TrackLocalId(..))
            }),
        }
    }
}
