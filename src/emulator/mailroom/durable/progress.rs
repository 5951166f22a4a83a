//! How far the disk is behind the books, and what became of what did not reach it.

use std::{collections::VecDeque, io::ErrorKind};

use thiserror::Error;
use tokio::sync::watch;

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

/// What is durable.
#[derive(Debug, Default)]
pub struct Progress {
    /// All changes up to this one are durable or undone.
    settled: u64,
    /// Up to which change everything was durable at each failure, and why what came after was undone.
    failed: VecDeque<(u64, ErrorKind)>,
    /// Failures that are forgotten.
    forgotten: u64,
}

impl Progress {
    pub fn advance(&mut self, change: u64) {
        self.settled = change;
    }

    /// All that was not durable, up to a change, is undone.
    pub fn fail(&mut self, change: u64, why: ErrorKind) {
        self.failed.push_back((self.settled, why));
        self.settled = change;
        if self.failed.len() > REMEMBERED {
            self.failed.pop_front();
            self.forgotten += 1;
        }
    }

    /// What became of all that a call made or saw; `None` while that is not known.
    fn outcome(&self, ticket: Ticket) -> Option<Result<(), Unstored>> {
        let lost = Some(Err(Unstored(ErrorKind::Other)));
        let Some(failure) = ticket.failures.checked_sub(self.forgotten) else { return lost };
        // The first failure that came after the call had begun.
        let durable = usize::try_from(failure).ok().and_then(|failure| self.failed.get(failure));
        match durable {
            Some((durable, why)) => {
                Some(if ticket.change <= *durable { Ok(()) } else { Err(Unstored(*why)) })
            }
            None => (ticket.change <= self.settled).then_some(Ok(())),
        }
    }
}

/// Waits until everything is durable that a call made or saw.
pub async fn settled(progress: &watch::Receiver<Progress>, ticket: Ticket) -> Result<(), Unstored> {
    if let Some(outcome) = progress.borrow().outcome(ticket) {
        return outcome;
    }
    let mut progress = progress.clone();
    let found = progress.wait_for(|progress| progress.outcome(ticket).is_some()).await;
    found.ok().and_then(|progress| progress.outcome(ticket)).unwrap_or(Err(Unstored(ErrorKind::Other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_after_the_last_good_change_is_told_of_a_failure() {
        let mut progress = Progress::default();
        let outcome = |progress: &Progress, change, failures| progress.outcome(Ticket { change, failures });
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
        let mut progress = Progress::default();
        (0..=REMEMBERED as u64).for_each(|change| progress.fail(change, ErrorKind::StorageFull));
        assert_eq!(
            progress.outcome(Ticket { change: 0, failures: 0 }),
            Some(Err(Unstored(ErrorKind::Other)))
        );
    }
}
