//! The endpoint's clock. It runs with the machine's and can be moved, so that waits of days take
//! no time and a clock that is wrong can be rehearsed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

/// A clock. Cheap to clone; every clone is the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    offset_seconds: AtomicI64,
    /// Whether it ever was moved.
    was_moved: AtomicBool,
}

impl Clock {
    /// The machine's own time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What this clock shows now.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let (now, moved) = (Utc::now(), self.moved_by());
        // As a rule it is not, and to add nothing takes as long as to add something.
        if moved.is_zero() { now } else { now.checked_add_signed(moved).unwrap_or(now) }
    }

    /// Moves the clock, forwards or backwards, from where it is. Whole seconds.
    ///
    /// # Errors
    /// When it would show a time that there is no date for. It is then where it was.
    pub fn move_by(&self, delta: TimeDelta) -> Result<(), NoSuchTime> {
        let moved = |offset: i64| {
            let offset = offset.checked_add(delta.num_seconds())?;
            let shown = Utc::now().checked_add_signed(TimeDelta::try_seconds(offset)?)?;
            // It goes on from there.
            shown.checked_add_signed(A_RUN).map(|_| offset)
        };
        let update = self.state.offset_seconds.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        update.map_err(|_| NoSuchTime)?;
        if !delta.is_zero() {
            self.note_moved();
        }
        Ok(())
    }

    /// How far it has been moved in all.
    #[must_use]
    pub fn moved_by(&self) -> TimeDelta {
        TimeDelta::try_seconds(self.state.offset_seconds.load(Ordering::SeqCst)).unwrap_or_default()
    }

    /// What has to be told of it: how far it has been moved in all, in seconds, once it was moved. What came of that stays
    /// when it is moved back.
    #[must_use]
    pub fn told_moved_by(&self) -> Option<i64> {
        let moved = self.moved_by().num_seconds();
        (moved != 0 || self.state.was_moved.load(Ordering::SeqCst)).then_some(moved)
    }

    /// Says that it was moved before, in another process.
    pub(super) fn note_moved(&self) {
        self.state.was_moved.store(true, Ordering::SeqCst);
    }

    /// Says that nothing is left of what came of it. A clock that is moved still is told all the same.
    pub(super) fn forget_moved(&self) {
        self.state.was_moved.store(!self.moved_by().is_zero(), Ordering::SeqCst);
    }
}

/// The clock was to be moved to where there are no dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the clock cannot be moved as far as that: there are no dates there")]
pub struct NoSuchTime;

/// Longer than any program runs.
const A_RUN: TimeDelta = TimeDelta::days(36_600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_is_moved_for_every_holder() {
        let clock = Clock::new();
        let other = clock.clone();
        clock.move_by(TimeDelta::days(5)).unwrap();
        assert_eq!(other.moved_by(), TimeDelta::days(5));
        assert!(other.now() - Utc::now() > TimeDelta::days(4));
        other.move_by(TimeDelta::days(-5)).unwrap();
        assert!((clock.now() - Utc::now()).abs() < TimeDelta::minutes(1));
    }

    /// It was not moved then, and nobody was told.
    #[test]
    fn a_clock_that_cannot_be_moved_so_far_says_so_and_stays() {
        let clock = Clock::new();
        clock.move_by(TimeDelta::days(5)).unwrap();
        for delta in [TimeDelta::days(i64::from(u32::MAX)), TimeDelta::MAX, TimeDelta::MIN] {
            assert_eq!(clock.move_by(delta), Err(NoSuchTime));
            assert_eq!(clock.moved_by(), TimeDelta::days(5));
        }
    }
}
