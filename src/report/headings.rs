//! The four things that onboarding asks to see: handshake, send, download, acknowledge (digital
//! onboarding form, question 3). Each with when it was done and with which message, to be found in the
//! server's log.

use chrono::{DateTime, Utc};

use super::exchanges;
use crate::{
    protocol::Operation,
    rules::traffic::{Act, Asked},
    runner::{FaultKind, Outcome, RunRecord, ScenarioRecord},
    tape::{Actor, Exchange},
};

/// One of the four.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// `Handshake`, `Send`, `Download` or `Acknowledge`.
    pub name: &'static str,
    /// Whether the product was seen to do it.
    pub outcome: Outcome,
    /// The first times that it did so, a few.
    pub seen: Vec<Seen>,
    /// How often it did so in all.
    pub exchanges: usize,
    /// How often, or why it is not shown, in words.
    pub note: String,
}

/// Once that the product did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When, by the clock of the machine that saw it.
    pub at: DateTime<Utc>,
    /// Whose mailbox.
    pub mailbox: String,
    /// Which message, but for a handshake.
    pub message: Option<String>,
    /// The case in which it was.
    pub case: Option<String>,
}

/// How many are told one by one.
const TOLD: usize = 3;

/// All four, in the order in which they are done; none when the run has no case that could show them,
/// such as one of the endpoint alone.
#[must_use]
pub fn headings(record: &RunRecord) -> Vec<Heading> {
    let could_show =
        |scenario: &ScenarioRecord| !scenario.judges_endpoint() && !scenario.asks_for_attestation();
    if !record.scenarios.iter().any(could_show) {
        return Vec::new();
    }
    let is_handshake = |operation: &Operation| matches!(operation, Operation::Handshake(_));
    let is_send = |operation: &Operation| matches!(operation, Operation::SendMessage(_));
    let is_download = |operation: &Operation| matches!(operation, Operation::GetMessage(..));
    let is_acknowledge = |operation: &Operation| matches!(operation, Operation::Acknowledge(..));
    let of = |name, act, kind: &dyn Fn(&Operation) -> bool, accepted: &[u16]| {
        heading(record, (name, act), kind, accepted)
    };
    vec![
        of("Handshake", Act::Handshake, &is_handshake, &[200]),
        of("Send", Act::Send, &is_send, &[202]),
        of("Download", Act::Receive, &is_download, &[200, 206]),
        of("Acknowledge", Act::Receive, &is_acknowledge, &[200]),
    ]
}

/// Shown only by a scenario that is as it must be: a send that was accepted in a scenario that failed
/// shows nothing of how the product sends. But a handshake is made once for many scenarios: whether the one
/// in which it was made goes wrong afterwards, says nothing of it.
fn heading(
    record: &RunRecord,
    (name, act): (&'static str, Act),
    kind: &dyn Fn(&Operation) -> bool,
    accepted: &[u16],
) -> Heading {
    let made = record.exchanges.iter().enumerate().filter(|(_, exchange)| {
        let is_kind = exchange.operation.as_ref().is_some_and(kind);
        exchange.actor == Actor::Product && is_kind && !exchange.never_left()
    });
    let (mut seen, mut exchanges, mut elsewhere, mut worst) = (Vec::new(), 0, 0, None);
    for (place, exchange) in made {
        let Some(scenario) = record.scenarios.get(exchange.scenario.0) else { continue };
        let is_handshake = matches!(exchange.operation, Some(Operation::Handshake(_)));
        let shows = scenario.outcome.is_good() || is_handshake && !scenario.blames(place);
        let is_accepted = exchange.status().is_some_and(|status| accepted.contains(&status));
        if shows && is_accepted {
            exchanges += 1;
            if seen.len() < TOLD {
                seen.push(Seen { case: scenario.case.clone(), ..of(exchange) });
            }
        } else if matches!(scenario.outcome, Outcome::Failed | Outcome::Error) {
            worst = Some(scenario.outcome.clone()).filter(|_| worst != Some(Outcome::Failed)).or(worst);
            elsewhere += usize::from(is_accepted);
        }
    }
    let (outcome, note) = match (exchanges, worst) {
        (0, Some(worst)) => (worst, "seen only in cases that did not pass".to_owned()),
        (0, None) => match never_done(record, act) {
            Some(note) => (Outcome::Failed, note),
            None => (Outcome::NotRun("not seen".to_owned()), "not seen in a case that passed".to_owned()),
        },
        (times, _) => (Outcome::Passed, format!("seen {}{}", often(times), besides(elsewhere))),
    };
    Heading { name, outcome, seen, exchanges, note }
}

/// That the product was asked for it where a scenario failed for that, by a product that made no such call.
fn never_done(record: &RunRecord, act: Act) -> Option<String> {
    record.scenarios.iter().filter(|scenario| scenario.outcome == Outcome::Failed).find_map(|scenario| {
        let step = scenario.decisive()?;
        let is_its_fault = step.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Product);
        let (Some(from), true) = (step.started_at, is_its_fault) else { return None };
        let within = |asked: &&Asked| {
            asked.act == act && asked.from >= from && step.ended_at.is_none_or(|to| asked.from <= to)
        };
        let asked = record.course.asks.iter().find(within)?;
        let call = if asked.exchanges.is_empty() { "no call" } else { "no such call" };
        let place = match &scenario.case {
            Some(case) => format!("case {case}"),
            None => format!("\"{}\"", scenario.name),
        };
        Some(format!("asked for in {place}, and {call} was made"))
    })
}

fn often(times: usize) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
}

/// What was seen where something went wrong is told apart, so that nobody takes the heading for all that there was.
fn besides(elsewhere: usize) -> String {
    match elsewhere {
        0 => String::new(),
        1 => ", and once in a case that did not pass".to_owned(),
        times => format!(", and {times} times in cases that did not pass"),
    }
}

fn of(exchange: &Exchange) -> Seen {
    let mailbox = exchange.operation.as_ref().and_then(Operation::mailbox);
    Seen {
        at: exchange.started_at,
        mailbox: mailbox.map(ToString::to_string).unwrap_or_default(),
        message: exchanges::message_ids_of(exchange).into_iter().next(),
        case: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use crate::runner::Fault;

    #[test]
    fn each_is_shown_by_what_the_product_did_in_cases_that_passed() {
        for heading in headings(&fixtures::passed()) {
            assert_eq!(heading.outcome, Outcome::Passed, "{heading:?}");
            assert!(!heading.seen.is_empty() && heading.seen.len() <= TOLD);
            assert_eq!(heading.seen.iter().all(|seen| seen.message.is_some()), heading.name != "Handshake");
        }
    }

    #[test]
    fn what_was_also_seen_in_cases_that_did_not_pass_is_told() {
        let note = |record: &RunRecord| headings(record)[1].note.clone();
        let mut record = fixtures::passed();
        assert_eq!(note(&record), "seen 2 times");
        record.scenarios[1].outcome = Outcome::Failed;
        assert_eq!(note(&record), "seen once, and once in a case that did not pass");
    }

    #[test]
    fn a_run_without_a_case_of_the_product_has_no_headings() {
        let mut record = fixtures::passed();
        let tag = |record: &mut RunRecord, tag: &str| {
            record.scenarios.iter_mut().for_each(|scenario| scenario.tags = vec![tag.to_owned()]);
        };
        for without in ["@endpoint", "@attestation"] {
            tag(&mut record, without);
            assert_eq!(headings(&record), [], "{without}");
        }
        record.scenarios[0].tags.clear();
        assert_eq!(headings(&record).len(), 4, "one is enough");
    }

    /// All cases go by the handshake of the first.
    #[test]
    fn a_handshake_is_shown_also_when_its_case_fails_for_something_else() {
        let mut record = fixtures::passed();
        record.exchanges.truncate(6);
        record.scenarios[0].outcome = Outcome::Failed;
        record.scenarios[0].steps[4].fault = Some(Fault::new(FaultKind::Product, "what", "remedy"));
        let shown =
            |record: &RunRecord| headings(record).into_iter().map(|one| one.outcome).collect::<Vec<_>>();
        assert_eq!(shown(&record)[..2], [Outcome::Passed, Outcome::Failed]);
        // The handshake is what is wrong.
        record.scenarios[0].steps[4].exchanges = vec![0];
        assert_eq!(shown(&record)[..2], [Outcome::Failed, Outcome::Failed]);
    }

    #[test]
    fn a_case_that_did_not_pass_shows_nothing() {
        let mut record = fixtures::passed();
        for scenario in &mut record.scenarios {
            let all = scenario.steps.iter().flat_map(|step| step.exchanges.clone()).collect();
            scenario.outcome = Outcome::Error;
            scenario.steps[0].fault = Some(Fault::new(FaultKind::Endpoint, "what", "remedy"));
            scenario.steps[0].exchanges = all;
        }
        assert!(headings(&record).iter().all(|heading| heading.outcome == Outcome::Error));
        record.scenarios[0].outcome = Outcome::Failed;
        assert_eq!(headings(&record)[1].outcome, Outcome::Failed);
        record.exchanges.clear();
        assert!(headings(&record).iter().all(|heading| matches!(heading.outcome, Outcome::NotRun(_))));
    }

    /// A product that cannot even connect makes no call, and that is why its case fails.
    #[test]
    fn what_was_asked_for_and_never_done_has_failed() {
        let mut record = fixtures::passed();
        record.exchanges.clear();
        let from = record.scenarios[0].started_at.unwrap();
        let scenario = &mut record.scenarios[0];
        (scenario.outcome, scenario.case) = (Outcome::Failed, Some("201".to_owned()));
        let step = &mut scenario.steps[1];
        (step.started_at, step.ended_at, step.outcome) = (Some(from), Some(from), Outcome::Failed);
        step.fault = Some(Fault::new(FaultKind::Product, "what", "remedy"));
        record.course.ask(Asked { from, ..Asked::now("PRODUCT", Act::Handshake) });
        let told = headings(&record);
        assert_eq!(
            (&told[0].outcome, told[0].note.as_str()),
            (&Outcome::Failed, "asked for in case 201, and no call was made")
        );
        assert!(matches!(told[1].outcome, Outcome::NotRun(_)), "nobody came to ask for it");
        // Of a poll cycle that ended after the list.
        record.course.ask(Asked { from, exchanges: vec![1], ..Asked::now("PRODUCT", Act::Receive) });
        assert_eq!(headings(&record)[3].note, "asked for in case 201, and no such call was made");
        // The case fails for something that is no doing of the product's.
        record.scenarios[0].steps[1].fault = Some(Fault::new(FaultKind::Endpoint, "what", "remedy"));
        assert!(headings(&record).iter().all(|heading| matches!(heading.outcome, Outcome::NotRun(_))));
    }
}
