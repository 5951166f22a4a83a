//! Whether a product is asked once more for what it has not done yet.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use super::Ask;
use crate::{protocol::Operation, rules, tape::Exchange};

/// How often a product is asked to go on with an inbox that it has taken something from, at most.
const CYCLES: usize = 20;
/// Between one ask and the next while a message is on its way.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Counts asks and the time that they have taken. Where `delivery` is none, messages are there at once.
pub(super) struct Patience {
    driven: bool,
    delivery: Option<Duration>,
    since: Instant,
    wait: Duration,
    cycles: usize,
    taken: BTreeSet<String>,
}

impl Patience {
    /// For one thing that is asked for. The reference client waits by itself, so it is asked once.
    pub fn new(driven: bool, delivery: Option<Duration>) -> Self {
        let taken = BTreeSet::new();
        Self { driven, delivery, since: Instant::now(), wait: FIRST_WAIT, cycles: 0, taken }
    }

    /// How long to wait before the product is asked again; `None` when it is not. `acts` is what it did so far.
    pub fn again(&mut self, ask: &Ask<'_>, acts: &[Arc<Exchange>]) -> Option<Duration> {
        if !self.driven || ask.is_done(acts) {
            return None;
        }
        match ask {
            Ask::Drain { .. } => {
                let taken = downloads(acts);
                if taken == self.taken {
                    return self.wait();
                }
                self.taken = taken;
                (self.since, self.wait) = (Instant::now(), FIRST_WAIT);
                self.cycles += 1;
                (self.cycles < CYCLES).then_some(Duration::ZERO)
            }
            // What it saw and did not take, it does not take the next time either.
            Ask::Receive { message, .. } => self.wait().filter(|_| lacks(acts, Some(message.as_str()))),
            Ask::TakeReport { .. } => self.wait().filter(|_| lacks(acts, None)),
            _ => None,
        }
    }

    /// Longer each time, until the time for a delivery is over.
    fn wait(&mut self) -> Option<Duration> {
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        (self.since.elapsed() + wait < self.delivery?).then_some(wait)
    }
}

/// Messages that were downloaded.
fn downloads(acts: &[Arc<Exchange>]) -> BTreeSet<String> {
    let one = |act: &Arc<Exchange>| match &act.operation {
        Some(Operation::GetMessage(_, id)) => Some(id.to_string()),
        _ => None,
    };
    acts.iter().filter_map(one).collect()
}

/// Whether the product has looked into its inbox, was shown it, and the message was not there.
fn lacks(acts: &[Arc<Exchange>], message: Option<&str>) -> bool {
    let pages = rules::inbox_checks(acts);
    let without = |page: &Arc<Exchange>| {
        rules::inbox_listed(page, &[])
            .is_ok_and(|listed| !listed.messages.iter().any(|one| Some(one.as_str()) == message))
    };
    !pages.is_empty() && pages.iter().all(without)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::MessageId;

    const LONG: Option<Duration> = Some(Duration::from_secs(120));

    fn inbox_check(status: u16, reply: &str) -> Arc<Exchange> {
        Arc::new(rules::tests::exchange("GET /messageexchange/A/inbox", status, reply))
    }

    fn download(id: &str) -> Arc<Exchange> {
        Arc::new(rules::tests::exchange(&format!("GET /messageexchange/A/inbox/{id}"), 200, ""))
    }

    fn message() -> MessageId {
        MessageId::parse("20261121120000000000_ABCDEF").unwrap()
    }

    #[test]
    fn only_a_product_that_was_shown_an_inbox_without_the_message_is_asked_again() {
        let id = message();
        let ask = Ask::Receive { message: &id, takes_gzip: false };
        let listing = |text: &str| vec![inbox_check(200, text)];
        let empty = listing(r#"{"messages": []}"#);
        let full = listing(r#"{"messages": ["20261121120000000000_ABCDEF"]}"#);
        let refused = vec![inbox_check(403, "{}")];
        let again =
            |driven, delivery, acts: &[Arc<Exchange>]| Patience::new(driven, delivery).again(&ask, acts);
        assert_eq!(again(true, LONG, &empty), Some(FIRST_WAIT));
        assert_eq!(again(true, LONG, &full), None, "it saw it and did not take it");
        assert_eq!(again(true, LONG, &refused), None);
        assert_eq!(again(true, LONG, &[]), None, "it did not look");
        assert_eq!(again(false, LONG, &empty), None, "the reference client waits by itself");
        assert_eq!(again(true, None, &empty), None, "what is not there at our own endpoint never comes");
        let report = Ask::TakeReport { about: &id, is_report: |_, _| false };
        assert_eq!(Patience::new(true, LONG).again(&report, &empty), Some(FIRST_WAIT));
        assert_eq!(Patience::new(true, LONG).again(&Ask::List, &empty), None);
    }

    #[test]
    fn it_waits_longer_each_time_and_not_beyond_the_time_for_a_delivery() {
        let id = message();
        let ask = Ask::Receive { message: &id, takes_gzip: false };
        let empty = vec![inbox_check(200, r#"{"messages": []}"#)];
        let mut patience = Patience::new(true, LONG);
        let waits: Vec<u64> = (0..7).map(|_| patience.again(&ask, &empty).unwrap().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 20, 20]);
        let mut patience = Patience::new(true, Some(Duration::from_secs(3)));
        let waits: Vec<_> = (0..3).map(|_| patience.again(&ask, &empty)).collect();
        assert_eq!(waits, [Some(FIRST_WAIT), Some(FIRST_WAIT * 2), None]);
    }

    #[test]
    fn an_inbox_is_worked_off_as_long_as_something_is_taken() {
        let expected =
            ["20261121120000000000_ABCDEF".to_owned(), "20261121120000000000_ABCDE0".to_owned()].into();
        let ask = Ask::Drain { expected: &expected };
        let mut acts = vec![inbox_check(200, r#"{"messages": []}"#)];
        let mut patience = Patience::new(true, None);
        for number in 0..CYCLES - 1 {
            acts.push(download(&format!("20261121120000000000_ABCD{number:02X}")));
            assert_eq!(patience.again(&ask, &acts), Some(Duration::ZERO));
        }
        acts.push(download("20261121120000000000_ABCDFF"));
        assert_eq!(patience.again(&ask, &acts), None, "there is an end to it");
        let mut patience = Patience::new(true, LONG);
        assert_eq!(patience.again(&ask, &acts), Some(Duration::ZERO));
        assert_eq!(patience.again(&ask, &acts), Some(FIRST_WAIT), "more may be on its way");
    }
}
