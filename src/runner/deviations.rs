//! Failures that are known: which scenarios they are about, and which of them have no business to be
//! there any more.

use chrono::NaiveDate;

use super::{Deviation, DeviationOf, FaultKind, Outcome, RuleRecord, ScenarioRecord};
use crate::rules::traffic::Verdict;

impl Deviation {
    /// Whether it is about this scenario.
    #[must_use]
    pub fn concerns(&self, scenario: &ScenarioRecord) -> bool {
        match &self.of {
            DeviationOf::Requirement(id) => scenario.requirements.contains(id),
            DeviationOf::Case(case) => scenario.case.as_ref() == Some(case),
            DeviationOf::Scenario(title) => scenario.name == *title,
            DeviationOf::Rule(_) => false,
        }
    }

    /// Whether it is about this rule.
    #[must_use]
    pub fn concerns_rule(&self, rule: &RuleRecord) -> bool {
        matches!(&self.of, DeviationOf::Rule(id) if id == rule.result.rule.id)
    }

    /// Whether it was put up with only until before this day.
    #[must_use]
    pub fn has_expired(&self, today: NaiveDate) -> bool {
        today > self.expires
    }
}

/// Which of them a scenario's failure is, as a place in the list: the first that is about it and has not
/// expired.
pub(super) fn of(deviations: &[Deviation], scenario: &ScenarioRecord, today: NaiveDate) -> Option<usize> {
    let is_it = |deviation: &Deviation| !deviation.has_expired(today) && deviation.concerns(scenario);
    went_wrong(scenario).then(|| deviations.iter().position(is_it)).flatten()
}

/// Marks each scenario that failed as expected and each rule that is broken as expected, and says what is wrong with the list itself: what it
/// has that passed, that is about nothing, or that has expired. Only where all that it is about was judged is it known to have passed.
pub(super) fn apply(
    deviations: &[Deviation],
    scenarios: &mut [ScenarioRecord],
    rules: &mut [RuleRecord],
    today: NaiveDate,
    cut_short: bool,
) -> Vec<String> {
    let mut problems = Vec::new();
    for scenario in scenarios.iter_mut() {
        scenario.deviation = of(deviations, scenario, today);
    }
    for rule in rules.iter_mut().filter(|rule| rule.is_broken()) {
        let is_it = |deviation: &Deviation| !deviation.has_expired(today) && deviation.concerns_rule(rule);
        rule.deviation = deviations.iter().position(is_it);
    }
    for deviation in deviations {
        let concerned = |scenario: &&ScenarioRecord| deviation.concerns(scenario);
        if deviation.has_expired(today) {
            problems.push(format!(
                "the expected deviation of {} has expired on {}: mend what it is about, or have {} extend it",
                deviation.of, deviation.expires, deviation.owner
            ));
            continue;
        }
        let (mut matched, mut failed, mut good, mut unjudged) = (0, 0, 0, 0);
        for scenario in scenarios.iter().filter(concerned) {
            matched += 1;
            good += usize::from(scenario.outcome.is_good());
            unjudged += usize::from(matches!(scenario.outcome, Outcome::NotRun(_) | Outcome::Error));
            failed += usize::from(went_wrong(scenario));
        }
        for rule in rules.iter().filter(|rule| deviation.concerns_rule(rule)) {
            matched += 1;
            good += usize::from(matches!(rule.result.verdict, Verdict::Held { .. } | Verdict::Warned { .. }));
            failed += usize::from(rule.is_broken());
            // What would have broken it may be among what was not reached.
            unjudged += usize::from(cut_short);
        }
        if matched == 0 {
            problems.push(format!(
                "the expected deviation of {} is about nothing that was selected: correct it, or take it out",
                deviation.of
            ));
        } else if failed == 0 && good > 0 && unjudged == 0 {
            problems.push(format!(
                "the expected deviation of {} is not there any more, since it passed: take it out of the list",
                deviation.of
            ));
        }
    }
    problems
}

/// What is under test went wrong, not the harness or its configuration.
fn went_wrong(scenario: &ScenarioRecord) -> bool {
    match &scenario.outcome {
        Outcome::Failed => true,
        Outcome::Error => scenario.fault().is_some_and(|fault| fault.kind == FaultKind::Endpoint),
        _ => false,
    }
}
