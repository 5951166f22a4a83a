//! The rules over the product's own traffic in a run.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use chrono::{DateTime, Utc};

use super::setting::Ledger;
use crate::{
    product::{Ask, Said, driver::Action},
    protocol::MailboxId,
    rules::traffic::{Act, Asked, Context, Course, RuleResult, Verdict, judge_numbered},
    tape::{Actor, Exchange, ScenarioNumber},
};

/// A rule, and what it says of the product's traffic in the run.
#[derive(Debug, Clone)]
pub struct RuleRecord {
    /// What it says. Numbers of exchanges are places in [`RunRecord::exchanges`](super::RunRecord), plus 1.
    pub result: RuleResult,
    /// Which expected deviation it is that it is broken, as a place in
    /// [`RunRecord::deviations`](super::RunRecord).
    pub deviation: Option<usize>,
}

impl RuleRecord {
    /// Whether it is broken, expected or not.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self.result.verdict, Verdict::Broken { .. })
    }

    /// Whether it is broken and that was not expected: then the run has failed.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.is_broken() && self.deviation.is_none()
    }
}

/// What rules must know of a run besides its exchanges, while it is played.
#[derive(Debug, Default)]
pub(super) struct Driving {
    course: Course,
    /// Scenarios in which calls are made that are no product's, to test an endpoint.
    by_hand: BTreeSet<ScenarioNumber>,
}

impl Ledger {
    /// The product is asked to act.
    pub fn asks(&self, mailbox: &MailboxId, ask: &Ask<'_>, is_driven: bool) -> usize {
        let act = match ask.action() {
            Action::Handshake => Act::Handshake,
            Action::Send => Act::Send,
            Action::Receive => Act::Receive,
            Action::Track => Act::Track,
        };
        let chunk_bytes = ask.outgoing().and_then(|(_, bytes)| bytes);
        // The reference client looks again until what it was asked for has come.
        let waits = !is_driven && matches!(ask, Ask::Receive { .. } | Ask::TakeReport { .. });
        let asked = Asked { waits, chunk_bytes, ..Asked::now(mailbox.as_str(), act) };
        self.driving(|driving| driving.course.ask(asked))
    }

    /// It has acted, or is not waited for any longer.
    pub fn acted(&self, place: usize, said: &Said) {
        self.driving(|driving| driving.course.acted(place, Utc::now(), said.succeeded, said.is_over));
    }

    /// The endpoint of a mailbox starts anew.
    pub fn anew(&self, mailbox: &MailboxId, at: DateTime<Utc>) {
        self.driving(|driving| driving.course.anew(mailbox.as_str(), at));
    }

    /// A scenario makes calls of its own, whatever mailbox it makes them for.
    pub fn by_hand(&self, scenario: ScenarioNumber) {
        self.driving(|driving| driving.by_hand.insert(scenario));
    }

    /// How the run went, for exchanges in the order of the record; `stand_in`: by the reference client.
    pub fn course(&self, exchanges: &[Arc<Exchange>], stand_in: bool) -> Course {
        Course { stand_in, ..self.driving(|driving| driving.course(exchanges)) }
    }

    fn driving<T>(&self, with: impl FnOnce(&mut Driving) -> T) -> T {
        with(&mut self.driving.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Driving {
    fn course(&self, exchanges: &[Arc<Exchange>]) -> Course {
        let course = self.course.clone().numbered(&numbered(exchanges));
        let asked: BTreeSet<usize> = course.asks.iter().flat_map(|asked| asked.exchanges.clone()).collect();
        let of_caller = (1..).zip(exchanges).filter(|(number, exchange)| {
            self.by_hand.contains(&exchange.scenario) && !asked.contains(number)
        });
        Course { by_hand: of_caller.map(|(number, _)| number).collect(), ..course }
    }
}

fn numbered(exchanges: &[Arc<Exchange>]) -> Vec<(usize, Arc<Exchange>)> {
    (1..).zip(exchanges.iter().map(Arc::clone)).collect()
}

/// What the rules say of exchanges in the order of the record. Nothing, when none of the product's has reached
/// anybody.
pub(super) fn judged(exchanges: &[Arc<Exchange>], course: &Course, from_start: bool) -> Vec<RuleRecord> {
    let numbered = numbered(exchanges);
    let is_own = |(number, exchange): &(usize, Arc<Exchange>)| {
        exchange.actor == Actor::Product && !course.by_hand.contains(number) && !exchange.never_left()
    };
    if !numbered.iter().any(is_own) {
        return Vec::new();
    }
    let context = Context { from_start, course: Some(course.clone()), ..Context::default() };
    let results = judge_numbered(&numbered, &context);
    results.into_iter().map(|result| RuleRecord { result, deviation: None }).collect()
}
