//! What our outcomes are in the protocol's words.
//!
//! | outcome | status |
//! |---|---|
//! | passed | `PASSED` |
//! | warning | `PASSED`, with the warning as message |
//! | attested | `SKIPPED`: somebody said so, nothing was measured |
//! | failed | `FAILED`, exception `product` or `endpoint under test` |
//! | error | `FAILED`, exception `configuration`, `endpoint` or `harness`: there is no status for what broke |
//! | expected deviation | `SKIPPED`: it did not pass, and does not count |
//! | not applicable | `SKIPPED` |
//! | not run, and counts | `PENDING` where the scenario ended, `SKIPPED` after that |
//! | cut short | `PENDING` at the step that was under way |
//! | not run, and does not count; after a step that did not pass | `SKIPPED` |
//!
//! Readers take the worst step for the scenario, `FAILED` before `PENDING` before `SKIPPED` before `PASSED`, so that
//! one passed for them only where every step did.

use std::time::Duration;

use super::envelope::{Exception, Status, TestStepResult};
use crate::{
    report::text,
    runner::{Attestation, Fault, Outcome, RunRecord, ScenarioRecord, StepRecord},
};

/// The place of the step at which a scenario was cut short: the first that had not ended, or else the last. `None` when
/// it was not begun, or came to its end.
pub(super) fn cut_at(scenario: &ScenarioRecord) -> Option<usize> {
    let is_cut = scenario.started_at.is_some() && scenario.ended_at.is_none();
    let ended = scenario.steps.iter().take_while(|step| step.ended_at.is_some()).count();
    is_cut.then(|| ended.min(scenario.steps.len().saturating_sub(1)))
}

/// What came of the step at a place of a scenario.
pub(super) fn of_step(record: &RunRecord, scenario: &ScenarioRecord, place: usize) -> TestStepResult {
    let Some(step) = scenario.steps.get(place) else { return result(Status::Skipped, None, Duration::ZERO) };
    let took =
        step.started_at.zip(step.ended_at).map(|(from, to)| text::between(from, to)).unwrap_or_default();
    // However good it is, nothing may look as if all of it had been played.
    if let (Outcome::NotRun(reason), true) = (&scenario.outcome, cut_at(scenario) == Some(place))
        && (step.outcome.is_good() || matches!(step.outcome, Outcome::NotRun(_)))
    {
        return result(Status::Pending, Some(format!("not run: {reason}")), took);
    }
    let is_the_end = !scenario.steps.iter().take(place).any(|before| !before.outcome.is_good());
    match &step.outcome {
        Outcome::Passed => result(Status::Passed, None, took),
        Outcome::Warning => result(Status::Passed, Some(explained("warning", step)), took),
        Outcome::Attested => result(Status::Skipped, Some(attested(scenario.attestation.as_ref())), took),
        Outcome::Failed | Outcome::Error => match record.deviation_of(scenario) {
            Some(deviation) => {
                let what = explained(step.outcome.word(), step);
                let message = format!("expected deviation: {}\n{what}", text::deviation(deviation));
                result(Status::Skipped, Some(message), took)
            }
            None => {
                let exception = step.fault.as_ref().map(exception);
                let message = Some(explained(step.outcome.word(), step));
                TestStepResult { exception, ..result(Status::Failed, message, took) }
            }
        },
        Outcome::NotApplicable(reason) => {
            result(Status::Skipped, Some(format!("not applicable: {reason}")), took)
        }
        Outcome::NotRun(reason) => match &scenario.outcome {
            Outcome::NotRun(reason) if is_the_end => {
                let status = if record.is_excused(scenario) { Status::Skipped } else { Status::Pending };
                result(status, Some(format!("not run: {reason}")), took)
            }
            _ => result(Status::Skipped, Some(format!("not run: {reason}")), took),
        },
    }
}

/// Without an exception.
pub(super) fn result(status: Status, message: Option<String>, took: Duration) -> TestStepResult {
    TestStepResult { status, duration: took.into(), message, exception: None }
}

fn explained(word: &str, step: &StepRecord) -> String {
    let what = step.fault.as_ref().map_or_else(|| "no step says why".to_owned(), text::fault);
    format!("{word}: {what}")
}

fn exception(of: &Fault) -> Exception {
    Exception { kind: of.kind.word(), message: of.what.clone() }
}

fn attested(of: Option<&Attestation>) -> String {
    match of {
        Some(Attestation { name, role, statement, date, .. }) => {
            format!("attested, not measured: {name}, {role}, {date}: {statement}")
        }
        None => "attested, not measured".to_owned(),
    }
}
