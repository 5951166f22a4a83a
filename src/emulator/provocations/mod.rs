//! An endpoint that makes things hard for a product, on purpose: it refuses, is not available, breaks off,
//! is slow, or writes what nobody expects. A scenario arms this at an endpoint of its own, for one mailbox,
//! and then judges what the product does. Whatever is answered so says it in a header.
//!
//! This is what a product must cope with, not an endpoint that is wrong: that is in `faults`.

mod answers;
mod casing;
mod cutting;
mod deed;
mod impostor;
mod presenting;
mod provocation;
mod stranger;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use thiserror::Error;

use presenting::Presenting;

use super::routes::{Reply, ReplyBody};
use crate::protocol::{MailboxId, Operation};

pub(super) use casing::{Cased, Casing};
pub(super) use deed::treat;
pub use impostor::Impostor;
pub(super) use impostor::{Witness, Witnessed};
pub(super) use presenting::Term;
pub use provocation::{Calls, Deed, Elsewhere, Provocation, ProvokedStatus, RedirectStatus};
pub use stranger::Stranger;

/// Says that an answer was provoked, and how.
pub const PROVOKED: &str = "x-mesh-witness-provoked";

/// Below it, at another host, is where a call is redirected to.
const MOVED: &str = "/moved";

/// How many may be armed at a time.
const MOST: usize = 16;

/// What an endpoint does on purpose. Clones are the same.
#[derive(Clone, Default)]
pub struct Provocations(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// How many are armed: an endpoint that provokes nothing looks at nothing else.
    armed: AtomicUsize,
    all: Mutex<Vec<Armed>>,
    presenting: Presenting,
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

    /// From now on an impostor answers at the endpoint's address, or again the endpoint itself. Connections
    /// that began before are ended first: whoever keeps them open would not notice.
    pub async fn present(&self, impostor: Option<Impostor>) {
        self.0.presenting.change(impostor.map(Arc::new)).await;
    }

    /// Waits until what became of connections to an impostor has been told, for two seconds; those that a
    /// client has left open are ended then.
    pub async fn settled(&self) {
        self.0.presenting.settled().await;
    }

    /// What a connection that begins now is shown, and for how long it may go on.
    pub(super) fn presented(&self) -> (Option<Arc<Impostor>>, Term) {
        self.0.presenting.now()
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

impl fmt::Debug for Provocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.lock();
        f.debug_list().entries(all.iter().map(|armed| &armed.provocation)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::MessageId;

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
