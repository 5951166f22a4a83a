//! How often a mailbox may be looked into. MESH asks for five minutes between two inbox checks, unless
//! more is known to wait (OpenAPI, "Check an inbox"; the specification of 2016: at most once in five
//! minutes).

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Between two inbox checks of a mailbox in which nothing is known to wait.
pub const BETWEEN_CHECKS: Duration = Duration::from_secs(300);

/// When which mailbox was looked into last, and what is known to wait there. Has no clock of its own.
#[derive(Debug, Default)]
pub struct Pace {
    mailboxes: HashMap<String, Known>,
}

#[derive(Debug, Default)]
struct Known {
    last_check: Option<Instant>,
    waiting: usize,
}

impl Pace {
    /// How long to wait before a mailbox may be looked into.
    #[must_use]
    pub fn wait(&self, mailbox: &str, now: Instant) -> Duration {
        let Some(known) = self.mailboxes.get(mailbox).filter(|known| known.waiting == 0) else {
            return Duration::ZERO;
        };
        let passed = |last: Instant| now.saturating_duration_since(last);
        known.last_check.map_or(Duration::ZERO, |last| BETWEEN_CHECKS.saturating_sub(passed(last)))
    }

    /// A mailbox is looked into.
    pub fn checked(&mut self, mailbox: &str, now: Instant) {
        self.mailboxes.entry(mailbox.to_owned()).or_default().last_check = Some(now);
    }

    /// A message was sent to a mailbox.
    pub fn sent_to(&mut self, mailbox: &str) {
        self.mailboxes.entry(mailbox.to_owned()).or_default().waiting += 1;
    }

    /// A message was taken out of a mailbox.
    pub fn taken_from(&mut self, mailbox: &str) {
        let known = self.mailboxes.entry(mailbox.to_owned()).or_default();
        known.waiting = known.waiting.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_looks_into_an_empty_mailbox_are_five_minutes_apart() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert_eq!(pace.wait("A", start), Duration::ZERO, "nobody has looked yet");
        pace.checked("A", start);
        assert_eq!(pace.wait("A", start), Duration::from_secs(300));
        assert_eq!(pace.wait("A", start + Duration::from_secs(299)), Duration::from_secs(1));
        assert_eq!(pace.wait("A", start + Duration::from_secs(300)), Duration::ZERO);
        assert_eq!(pace.wait("B", start), Duration::ZERO, "another mailbox is another matter");
    }

    #[test]
    fn what_is_known_to_wait_may_be_fetched_at_once() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.checked("A", start);
        pace.sent_to("A");
        pace.sent_to("A");
        assert_eq!(pace.wait("A", start), Duration::ZERO);
        pace.taken_from("A");
        assert_eq!(pace.wait("A", start), Duration::ZERO);
        pace.taken_from("A");
        assert_eq!(pace.wait("A", start), Duration::from_secs(300));
    }

    proptest! {
        /// Whoever waits as long as is asked never looks too soon, whatever else happens.
        #[test]
        fn nobody_who_waits_looks_too_soon(events in proptest::collection::vec((0..3u8, 0..400u64), 1..60)) {
            let (mut pace, mut now) = (Pace::default(), Instant::now());
            let (mut last, mut waiting) = (None::<Instant>, 0usize);
            for (event, seconds) in events {
                now += Duration::from_secs(seconds);
                match event {
                    0 => { pace.sent_to("A"); waiting += 1; }
                    1 => { pace.taken_from("A"); waiting = waiting.saturating_sub(1); }
                    _ => {
                        now += pace.wait("A", now);
                        let soon = last.is_some_and(|last| now - last < BETWEEN_CHECKS);
                        prop_assert!(!soon || waiting > 0);
                        pace.checked("A", now);
                        last = Some(now);
                    }
                }
            }
        }
    }
}
