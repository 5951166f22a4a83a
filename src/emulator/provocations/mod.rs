//! An endpoint that makes things hard for a product, on purpose: it refuses, is not available, breaks off,
//! is slow, or writes what nobody expects. A scenario arms this at an endpoint of its own, for one mailbox,
//! and then judges what the product does. Whatever is answered so says it in a header.
//!
//! This is what a product must cope with, not an endpoint that is wrong: that is in `faults`.

mod answers;
mod casing;
mod cutting;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{HeaderName, HeaderValue, Response};
use thiserror::Error;

use super::routes::{Reply, ReplyBody};
use crate::protocol::{ApiVersion, MailboxId, MessageId, Operation};

pub(super) use casing::{Cased, Casing};

/// Says that an answer was provoked, and how.
pub const PROVOKED: &str = "x-mesh-witness-provoked";

/// How many may be armed at a time.
const MOST: usize = 16;

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
    /// "Validate a mailbox".
    Handshakes,
    /// "Send message".
    Sends,
    /// "Send chunked message": every chunk but the first.
    SentChunks,
    /// "Check an inbox".
    InboxChecks,
    /// "Get Message".
    Downloads,
    /// "Download chunked message": every chunk but the first.
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

/// What an endpoint does on purpose. Clones are the same.
#[derive(Clone, Default)]
pub struct Provocations(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// How many are armed: an endpoint that provokes nothing looks at nothing else.
    armed: AtomicUsize,
    all: Mutex<Vec<Armed>>,
}

struct Armed {
    mailbox: MailboxId,
    provocation: Provocation,
    left: Option<u32>,
    met: u32,
}

/// Too many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no more than {MOST} provocations can be armed at a time")]
pub struct TooMany;

impl Provocations {
    /// From now on, for the calls of this mailbox. Where several fit a call, the first that was armed is
    /// what it meets.
    ///
    /// # Errors
    /// When there are too many.
    pub fn arm(&self, mailbox: MailboxId, provocation: Provocation) -> Result<(), TooMany> {
        let mut all = self.lock();
        if all.len() >= MOST {
            return Err(TooMany);
        }
        let left = provocation.times;
        all.push(Armed { mailbox, provocation, left, met: 0 });
        self.0.armed.store(all.len(), Ordering::Release);
        Ok(())
    }

    /// Nothing is provoked any more.
    pub fn disarm(&self) {
        let mut all = self.lock();
        all.clear();
        self.0.armed.store(0, Ordering::Release);
    }

    /// The first that no call has met as often as it was armed for: at least once, where that is not said.
    #[must_use]
    pub fn unmet(&self) -> Option<Provocation> {
        let all = self.lock();
        let unmet = |armed: &&Armed| armed.met < armed.provocation.times.unwrap_or(1);
        all.iter().find(unmet).map(|armed| armed.provocation.clone())
    }

    /// What a call meets.
    pub(super) fn meet(&self, operation: &Operation) -> Option<Deed> {
        if self.0.armed.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mailbox = operation.mailbox()?;
        let mut all = self.lock();
        let fits = |armed: &&mut Armed| {
            armed.mailbox == *mailbox && armed.left != Some(0) && armed.provocation.concerns(operation)
        };
        let armed = all.iter_mut().find(fits)?;
        armed.met = armed.met.saturating_add(1);
        armed.left = armed.left.map(|left| left.saturating_sub(1));
        Some(armed.provocation.deed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Armed>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provocation {
    fn concerns(&self, operation: &Operation) -> bool {
        let of_message = self.message.as_ref().is_none_or(|message| operation.message() == Some(message));
        of_message && self.calls.cover(operation)
    }
}

impl Calls {
    fn cover(self, operation: &Operation) -> bool {
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

impl Deed {
    /// The answer in place of MESH's, before anybody has looked at the token.
    pub(super) fn before(self) -> Option<Reply> {
        match self {
            Self::Answered { status, retry_after } => answers::of_gateway(status, retry_after),
            _ => None,
        }
    }

    /// The answer of MESH to a call that was let in, in place of what the call asks for.
    pub(super) fn instead(self, operation: &Operation, version: ApiVersion) -> Option<Reply> {
        match self {
            Self::Answered { status, .. } => answers::of_mesh(status, operation, version),
            _ => None,
        }
    }

    /// What becomes of an answer, whatever it is.
    pub(super) async fn after(self, reply: Reply) -> Reply {
        let mut reply = match self {
            Self::Cut => match cutting::in_half(reply) {
                Ok(reply) => reply,
                Err(whole) => return whole,
            },
            Self::UnknownHeaders => answers::with_unknown_headers(reply),
            Self::Delayed(time) => {
                tokio::time::sleep(time).await;
                reply
            }
            Self::Answered { .. } | Self::Lost | Self::MixedCase => reply,
        };
        if let Ok(words) = HeaderValue::try_from(self.to_string()) {
            reply.headers.insert(HeaderName::from_static(PROVOKED), words);
        }
        let note = format!("provoked on purpose: {self}");
        let note = reply.note.take().map_or(note.clone(), |earlier| format!("{note}; {earlier}"));
        reply.noting(note)
    }

    /// Tells the connection what to do with an answer, where that is more than to write it.
    pub(super) fn mark(self, response: &mut Response<ReplyBody>) {
        let manner = match self {
            Self::Lost => Manner::Lost,
            Self::MixedCase => Manner::MixedCase,
            _ => return,
        };
        response.extensions_mut().insert(manner);
    }
}

/// How a connection treats an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Lost,
    MixedCase,
}

/// Ends a connection before it has answered.
#[derive(Debug, Error)]
#[error("the answer is lost on purpose")]
pub(super) struct Lost;

/// What a connection does with an answer.
pub(super) fn treat(
    response: Response<ReplyBody>,
    casing: Option<&Casing>,
) -> Result<Response<ReplyBody>, Lost> {
    match (response.extensions().get::<Manner>(), casing) {
        (Some(Manner::Lost), _) => return Err(Lost),
        (Some(Manner::MixedCase), Some(casing)) => casing.mix_next(),
        _ => {}
    }
    Ok(response)
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

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, retry_after: None } => write!(f, "answered with {}", status.number()),
            Self::Answered { status, retry_after: Some(seconds) } => {
                write!(f, "answered with {}, to be tried again after {seconds} s", status.number())
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

impl fmt::Debug for Provocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.lock();
        f.debug_list().entries(all.iter().map(|armed| &armed.provocation)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(id: &str) -> MailboxId {
        MailboxId::parse(id).unwrap()
    }

    fn message(id: &str) -> MessageId {
        MessageId::parse(id).unwrap()
    }

    const FIRST: &str = "20260101000000000000_000001";
    const SECOND: &str = "20260101000000000000_000002";

    fn cut(calls: Calls, times: Option<u32>) -> Provocation {
        Provocation { calls, message: None, times, deed: Deed::Cut }
    }

    #[test]
    fn a_call_meets_what_is_armed_for_its_mailbox_and_its_operation_as_often_as_it_is_armed() {
        let provocations = Provocations::default();
        let list = Operation::CheckInbox(mailbox("PRODUCT"));
        assert_eq!(provocations.meet(&list), None);
        provocations.arm(mailbox("PRODUCT"), cut(Calls::InboxChecks, Some(2))).unwrap();
        assert_eq!(provocations.meet(&Operation::CheckInbox(mailbox("OTHER"))), None);
        assert_eq!(provocations.meet(&Operation::Handshake(mailbox("PRODUCT"))), None);
        assert_eq!(provocations.meet(&Operation::Ping), None);
        assert_eq!(provocations.meet(&list), Some(Deed::Cut));
        assert!(provocations.unmet().is_some());
        assert_eq!(provocations.meet(&list), Some(Deed::Cut));
        assert_eq!(provocations.unmet(), None);
        assert_eq!(provocations.meet(&list), None);
    }

    #[test]
    fn one_without_a_number_lasts_until_it_is_disarmed() {
        let provocations = Provocations::default();
        provocations.arm(mailbox("PRODUCT"), cut(Calls::All, None)).unwrap();
        let list = Operation::CheckInbox(mailbox("PRODUCT"));
        assert!(provocations.unmet().is_some());
        for _ in 0..5 {
            assert_eq!(provocations.meet(&list), Some(Deed::Cut));
        }
        assert_eq!(provocations.unmet(), None);
        provocations.disarm();
        assert_eq!(provocations.meet(&list), None);
    }

    #[test]
    fn one_that_is_about_a_message_leaves_others_alone() {
        let provocations = Provocations::default();
        let about = Provocation { message: Some(message(SECOND)), ..cut(Calls::Downloads, None) };
        provocations.arm(mailbox("PRODUCT"), about).unwrap();
        let download = |id| Operation::GetMessage(mailbox("PRODUCT"), message(id));
        assert_eq!(provocations.meet(&download(FIRST)), None);
        assert_eq!(provocations.meet(&download(SECOND)), Some(Deed::Cut));
    }

    #[test]
    fn calls_are_told_apart() {
        use std::num::NonZeroU32;
        let (own, id, two) = (|| mailbox("PRODUCT"), || message(FIRST), NonZeroU32::new(2).unwrap());
        let operations = [
            (Calls::Handshakes, Operation::Handshake(own())),
            (Calls::Sends, Operation::SendMessage(own())),
            (Calls::SentChunks, Operation::SendChunk(own(), id(), two)),
            (Calls::InboxChecks, Operation::CheckInbox(own())),
            (Calls::Downloads, Operation::GetMessage(own(), id())),
            (Calls::DownloadedChunks, Operation::GetChunk(own(), id(), two)),
            (Calls::Acknowledgements, Operation::Acknowledge(own(), id())),
        ];
        for (calls, operation) in &operations {
            let covering: Vec<Calls> =
                operations.iter().map(|(calls, _)| *calls).filter(|calls| calls.cover(operation)).collect();
            assert_eq!(covering, [*calls]);
            assert!(Calls::All.cover(operation));
        }
    }

    #[test]
    fn there_is_a_limit() {
        let provocations = Provocations::default();
        let arm = || provocations.arm(mailbox("PRODUCT"), cut(Calls::All, None));
        (0..MOST).for_each(|_| arm().unwrap());
        assert_eq!(arm(), Err(TooMany));
    }

    #[test]
    fn only_the_documented_statuses_can_be_provoked() {
        let numbers: Vec<u16> = (100..600).filter(|number| ProvokedStatus::of(*number).is_some()).collect();
        assert_eq!(numbers, [403, 404, 410, 417, 423, 429, 503]);
    }
}
