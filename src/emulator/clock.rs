//! The endpoint's clock. It runs with the machine's and can be moved, so that waits of days take
//! no time and a clock that is wrong can be rehearsed.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

/// A clock. Cheap to clone; every clone is the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_seconds: Arc<AtomicI64>,
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
    pub fn move_by(&self, delta: TimeDelta) {
        self.offset_seconds.fetch_add(delta.num_seconds(), Ordering::SeqCst);
    }

    /// How far it has been moved in all.
    #[must_use]
    pub fn moved_by(&self) -> TimeDelta {
        TimeDelta::try_seconds(self.offset_seconds.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_is_moved_for_every_holder() {
        let clock = Clock::new();
        let other = clock.clone();
        clock.move_by(TimeDelta::days(5));
        assert_eq!(other.moved_by(), TimeDelta::days(5));
        assert!(other.now() - Utc::now() > TimeDelta::days(4));
        other.move_by(TimeDelta::days(-5));
        assert!((clock.now() - Utc::now()).abs() < TimeDelta::minutes(1));
    }
}
