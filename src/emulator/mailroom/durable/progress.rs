//! How far the disk is behind the books, and what became of what did not reach it.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    sync::{Mutex, MutexGuard, PoisonError},
};

use thiserror::Error;
use tokio::sync::oneshot;

/// A call's work could not be made durable, and was undone: 507. So may have been that of another
/// call which this one had seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it cannot be written to disk ({0}), so nothing was changed")]
pub struct Unstored(pub ErrorKind);

/// Which changes a call has made or seen: all up to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    pub change: u64,
    /// How many failures there were before.
    pub failures: u64,
}

/// Failures that are remembered. Whoever sleeps through more is told that its work failed.
const REMEMBERED: usize = 10_000;

/// What is durable, and who waits to hear of it: each is woken once, by what it waits for.
#[derive(Debug, Default)]
pub struct Progress(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// All changes up to this one are durable or undone.
    settled: u64,
    /// Up to which change everything was durable at each failure, and why what came after was undone.
    failed: VecDeque<(u64, ErrorKind)>,
    /// Failures that are forgotten.
    forgotten: u64,
    waiting: Vec<(Ticket, oneshot::Sender<Heard>)>,
    /// Nothing more becomes durable.
    closed: bool,
}

type Outcome = Result<(), Unstored>;

/// What one call is told, and what it tells others in turn: to wake a call from a thread of its own takes the
/// system, from a worker of the runtime it does not.
#[derive(Debug)]
struct Heard {
    outcome: Outcome,
    others: Others,
}

/// They are told when this is dropped, whoever drops it: the call may have gone away by then.
#[derive(Debug, Default)]
struct Others(Vec<(Outcome, oneshot::Sender<Heard>)>);

impl Drop for Others {
    fn drop(&mut self) {
        for (outcome, other) in self.0.drain(..) {
            let _ = other.send(Heard { outcome, others: Self::default() });
        }
    }
}

/// The thread that makes changes durable has ended, whatever the reason.
const ENDED: Outcome = Err(Unstored(ErrorKind::Other));

impl Progress {
    /// Everything up to a change is durable.
    pub fn advance(&self, change: u64) {
        self.tell(|state| state.settled = change);
    }

    /// All that was not durable, up to a change, is undone.
    pub fn fail(&self, change: u64, why: ErrorKind) {
        self.tell(|state| state.fail(change, why));
    }

    /// There is nobody any more who makes changes durable.
    pub fn close(&self) {
        self.tell(|state| state.closed = true);
    }

    /// Waits until everything is durable that a call made or saw.
    pub async fn settled(&self, ticket: Ticket) -> Outcome {
        let heard = {
            let mut state = self.lock();
            if let Some(outcome) = state.outcome(ticket) {
                return outcome;
            }
            let (tell, heard) = oneshot::channel();
            state.waiting.push((ticket, tell));
            heard
        };
        match heard.await {
            Ok(Heard { outcome, others }) => {
                drop(others);
                outcome
            }
            Err(_) => ENDED,
        }
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        let mut told = Vec::new();
        {
            let mut state = self.lock();
            change(&mut state);
            for (ticket, tell) in std::mem::take(&mut state.waiting) {
                match state.outcome(ticket) {
                    Some(outcome) => told.push((outcome, tell)),
                    None => state.waiting.push((ticket, tell)),
                }
            }
        }
        if let Some((outcome, first)) = told.pop() {
            // Should it have gone away, the others are told from here.
            let _ = first.send(Heard { outcome, others: Others(told) });
        }
    }

    #[cfg(test)]
    pub fn is_settled(&self, change: u64) -> bool {
        self.lock().settled >= change
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fail(&mut self, change: u64, why: ErrorKind) {
        self.failed.push_back((self.settled, why));
        self.settled = change;
        if self.failed.len() > REMEMBERED {
            self.failed.pop_front();
            self.forgotten += 1;
        }
    }

    /// What became of all that a call made or saw; `None` while that is not known.
    fn outcome(&self, ticket: Ticket) -> Option<Outcome> {
        let Some(failure) = ticket.failures.checked_sub(self.forgotten) else { return Some(ENDED) };
        // The first failure that came after the call had begun.
        let durable = usize::try_from(failure).ok().and_then(|failure| self.failed.get(failure));
        match durable {
            Some((durable, why)) => {
                Some(if ticket.change <= *durable { Ok(()) } else { Err(Unstored(*why)) })
            }
            None if ticket.change <= self.settled => Some(Ok(())),
            None => self.closed.then_some(ENDED),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[test]
    fn only_what_came_after_the_last_good_change_is_told_of_a_failure() {
        let progress = Progress::default();
        let outcome =
            |progress: &Progress, change, failures| progress.lock().outcome(Ticket { change, failures });
        progress.advance(3);
        assert_eq!(outcome(&progress, 3, 0), Some(Ok(())));
        assert_eq!(outcome(&progress, 4, 0), None);
        progress.fail(6, ErrorKind::StorageFull);
        assert_eq!(outcome(&progress, 3, 0), Some(Ok(())));
        assert_eq!(outcome(&progress, 4, 0), Some(Err(Unstored(ErrorKind::StorageFull))));
        assert_eq!(outcome(&progress, 6, 1), Some(Ok(())), "nothing is outstanding");
        assert_eq!(outcome(&progress, 7, 1), None);
        progress.advance(9);
        assert_eq!(outcome(&progress, 7, 1), Some(Ok(())));
        assert_eq!(
            outcome(&progress, 5, 0),
            Some(Err(Unstored(ErrorKind::StorageFull))),
            "later successes do not mend it"
        );
    }

    #[test]
    fn who_sleeps_through_all_that_is_remembered_is_told_that_it_failed() {
        let progress = Progress::default();
        (0..=REMEMBERED as u64).for_each(|change| progress.fail(change, ErrorKind::StorageFull));
        assert_eq!(
            progress.lock().outcome(Ticket { change: 0, failures: 0 }),
            Some(Err(Unstored(ErrorKind::Other)))
        );
    }

    #[test]
    fn each_is_told_of_its_own_changes_and_all_when_there_will_be_no_more() {
        let progress = Progress::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let wait = |change| progress.settled(Ticket { change, failures: 0 });
            let told = async {
                tokio::task::yield_now().await;
                assert_eq!(progress.lock().waiting.len(), 3);
                progress.advance(2);
                assert_eq!(progress.lock().waiting.len(), 1, "who is not concerned sleeps on");
                progress.close();
            };
            let (first, second, third, ()) = tokio::join!(wait(1), wait(2), wait(3), told);
            assert_eq!((first, second, third), (Ok(()), Ok(()), ENDED));
            assert_eq!(wait(4).await, ENDED);
            assert_eq!(wait(2).await, Ok(()));
        });
    }

    #[test]
    fn who_has_gone_away_keeps_nobody_from_hearing() {
        let progress = Progress::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let wait = || progress.settled(Ticket { change: 1, failures: 0 });
            for goes_when_told in [false, true] {
                // The last to wait is told first, and tells the other.
                let (mut stays, mut goes) = (Box::pin(wait()), Box::pin(wait()));
                assert!(poll!(&mut stays).is_pending() && poll!(&mut goes).is_pending());
                if goes_when_told {
                    progress.advance(1);
                    drop(goes);
                } else {
                    drop(goes);
                    progress.advance(1);
                }
                assert_eq!(stays.await, Ok(()));
                progress.lock().settled = 0;
            }
        });
    }
}
