//! What is provoked: which calls meet it, and what is done to them.

use std::{fmt, time::Duration};

use crate::protocol::{MessageId, Operation};

/// Something that an endpoint does on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provocation {
    /// To which calls.
    pub calls: Calls,
    /// Only where they are about this message.
    pub message: Option<MessageId>,
    /// How many of them; `None` for each until it is disarmed.
    pub times: Option<u32>,
    /// What it does.
    pub deed: Deed,
}

/// Calls of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// "Validate a mailbox (Handshake)".
    Handshakes,
    /// "Send message".
    Sends,
    /// "Send chunked message": every chunk but the first.
    SentChunks,
    /// "Check an inbox".
    InboxChecks,
    /// "Get Message".
    Downloads,
    /// "Get Message chunk": every chunk but the first.
    DownloadedChunks,
    /// "Acknowledge message".
    Acknowledgements,
    /// Every call on the mailbox.
    All,
}

/// What is done to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is answered with this status and has no effect. 429 and 503 come from the gateway in front of
    /// MESH, before anybody looks at the token, with `Retry-After` in seconds where one is given.
    Answered {
        /// The status.
        status: ProvokedStatus,
        /// When to try again, in seconds.
        retry_after: Option<u32>,
    },
    /// It is answered with a redirect to another host than MESH's, by the gateway in front of MESH, and has
    /// no effect.
    Redirected {
        /// The status.
        status: RedirectStatus,
        /// Where to.
        to: Elsewhere,
    },
    /// The connection ends after half of the answer's body.
    Cut,
    /// It has its effect, and the connection ends before it is answered.
    Lost,
    /// It has its effect at once, and is answered after this time.
    Delayed(Duration),
    /// The names of the answer's headers are in mixed case.
    MixedCase,
    /// The answer has headers besides that nobody knows, some with names like those of MESH.
    UnknownHeaders,
}

/// A status with which a call can be answered on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProvokedStatus {
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 410
    Gone,
    /// 417
    NotAccepted,
    /// 423
    Complete,
    /// 429
    TooMany,
    /// 503
    Unavailable,
}

/// A status with which a call can be redirected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectStatus {
    /// 301
    MovedPermanently,
    /// 302
    Found,
    /// 307
    Temporary,
    /// 308
    Permanent,
}

/// Another host than MESH's: `localhost`, where MESH is an address of this machine, at a port of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere {
    /// The port.
    pub port: u16,
    /// Whether it is called over TLS.
    pub encrypted: bool,
}

impl Provocation {
    pub(super) fn concerns(&self, operation: &Operation) -> bool {
        let of_message = self.message.as_ref().is_none_or(|message| operation.message() == Some(message));
        of_message && self.calls.cover(operation)
    }
}

impl Calls {
    pub(super) fn cover(self, operation: &Operation) -> bool {
        match self {
            Self::Handshakes => matches!(operation, Operation::Handshake(_)),
            Self::Sends => matches!(operation, Operation::SendMessage(_)),
            Self::SentChunks => matches!(operation, Operation::SendChunk(..)),
            Self::InboxChecks => matches!(operation, Operation::CheckInbox(_)),
            Self::Downloads => matches!(operation, Operation::GetMessage(..)),
            Self::DownloadedChunks => matches!(operation, Operation::GetChunk(..)),
            Self::Acknowledgements => matches!(operation, Operation::Acknowledge(..)),
            Self::All => true,
        }
    }
}

impl ProvokedStatus {
    /// The status of this number; `None` for one that is not provoked.
    #[must_use]
    pub fn of(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Forbidden,
        Self::NotFound,
        Self::Gone,
        Self::NotAccepted,
        Self::Complete,
        Self::TooMany,
        Self::Unavailable,
    ];

    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Gone => 410,
            Self::NotAccepted => 417,
            Self::Complete => 423,
            Self::TooMany => 429,
            Self::Unavailable => 503,
        }
    }
}

impl RedirectStatus {
    /// The status of this number; `None` for one with which nothing is redirected.
    #[must_use]
    pub fn of(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// Every one.
    pub const ALL: [Self; 4] = [Self::MovedPermanently, Self::Found, Self::Temporary, Self::Permanent];

    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::Temporary => 307,
            Self::Permanent => 308,
        }
    }
}

impl fmt::Display for Elsewhere {
    /// Scheme, host and port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "https" } else { "http" };
        write!(f, "{scheme}://localhost:{}", self.port)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, retry_after: None } => write!(f, "answered with {}", status.number()),
            Self::Answered { status, retry_after: Some(seconds) } => {
                write!(f, "answered with {}, to be tried again after {seconds} s", status.number())
            }
            Self::Redirected { status, to } => {
                let how = if to.encrypted { "" } else { " without TLS" };
                write!(f, "redirected with {} to another host{how}", status.number())
            }
            Self::Cut => f.write_str("the connection ended after half of the body"),
            Self::Lost => f.write_str("done, and the connection ended before the answer"),
            Self::Delayed(time) => write!(f, "done, and answered {} s late", time.as_secs_f32()),
            Self::MixedCase => f.write_str("header names in mixed case"),
            Self::UnknownHeaders => f.write_str("with headers that nobody knows"),
        }
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshakes => "handshake",
            Self::Sends => "send",
            Self::SentChunks => "sent chunk",
            Self::InboxChecks => "inbox check",
            Self::Downloads => "download",
            Self::DownloadedChunks => "downloaded chunk",
            Self::Acknowledgements => "acknowledgement",
            Self::All => "call",
        })
    }
}
