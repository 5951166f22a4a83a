//! What a run showed of a requirement: by the scenarios that test it, and by the rules over all of the product's
//! traffic that are about it.

use super::text;
use crate::{
    rules::traffic::Verdict,
    runner::{NamedRule, Outcome, Requirement, RuleRecord, RunRecord, ScenarioRecord},
};

/// Longest reason, in bytes: whole faults stand with their cases.
const LONGEST: usize = 500;

/// What a run showed of a requirement.
pub(super) struct Showing {
    /// The worst of what its scenarios and rules showed.
    pub(super) outcome: Outcome,
    /// Whether all that is wrong was expected to be.
    pub(super) is_expected: bool,
    /// Why it did not show more, or what is wrong: of a scenario the step, since steps after it were not reached.
    pub(super) reason: String,
}

/// What one scenario or one rule showed.
struct Part {
    outcome: Outcome,
    is_expected: bool,
    reason: Option<String>,
}

/// What a run showed of a requirement.
pub(super) fn showing(record: &RunRecord, requirement: &Requirement) -> Showing {
    let mut parts: Vec<Part> = scenarios_of(record, &requirement.id).map(of_scenario).collect();
    // A rule may see a part of what scenarios see: that it holds shows nothing where they were not played.
    let is_played = requirement.has_scenario || !parts.is_empty();
    if parts.is_empty() && is_played {
        parts.push(not_run("no scenario of this run tests it".to_owned()));
    }
    let rules = rules_of(record, requirement).filter_map(of_rule);
    parts.extend(rules.filter(|part| !is_played || part.outcome != Outcome::Passed));
    if parts.is_empty() {
        parts.push(not_run(nothing(record, requirement)));
    }
    joined(&parts)
}

/// The scenarios of a run that test a requirement.
pub(super) fn scenarios_of<'a>(
    record: &'a RunRecord,
    id: &'a str,
) -> impl Iterator<Item = &'a ScenarioRecord> {
    record.scenarios.iter().filter(move |scenario| scenario.requirements.iter().any(|other| other == id))
}

/// What a scenario is called in a row that names several.
pub(super) fn name(scenario: &ScenarioRecord) -> String {
    scenario.case.clone().unwrap_or_else(|| format!("{}:{}", scenario.path, scenario.line))
}

fn rules_of<'a>(record: &'a RunRecord, requirement: &'a Requirement) -> impl Iterator<Item = &'a RuleRecord> {
    let named = |id: &'static str| record.rules.iter().find(move |rule| rule.result.rule.id == id);
    requirement.rules.iter().copied().map(NamedRule::id).filter_map(named)
}

fn of_scenario(scenario: &ScenarioRecord) -> Part {
    let step = scenario.decisive().and_then(|step| Some((step, step.fault.as_ref()?)));
    let told = step.map(|(step, fault)| format!("{}, {:?}: {}", name(scenario), step.text, fault.what));
    let reason = match &scenario.outcome {
        Outcome::Failed | Outcome::Error | Outcome::Warning => told,
        outcome => outcome.reason().map(str::to_owned),
    };
    Part { outcome: scenario.outcome.clone(), is_expected: scenario.deviation.is_some(), reason }
}

/// `None` of a rule that had nothing to look at: it says nothing.
fn of_rule(rule: &RuleRecord) -> Option<Part> {
    let (outcome, findings) = match &rule.result.verdict {
        Verdict::Held { .. } => (Outcome::Passed, &[][..]),
        Verdict::Warned { findings } => (Outcome::Warning, findings.as_slice()),
        Verdict::Broken { findings } => (Outcome::Failed, findings.as_slice()),
        Verdict::NotApplicable { .. } => return None,
    };
    let reason = findings
        .first()
        .map(|finding| format!("rule {}: {}; seen: {}", rule.result.rule.id, finding.what, finding.seen));
    Some(Part { outcome, is_expected: rule.deviation.is_some(), reason })
}

fn not_run(why: String) -> Part {
    Part { outcome: Outcome::NotRun(why.clone()), is_expected: false, reason: Some(why) }
}

/// Why a requirement that no scenario tests was not shown.
fn nothing(record: &RunRecord, requirement: &Requirement) -> String {
    if let Some(untested) = &requirement.untested {
        return untested.clone();
    }
    let said = rules_of(record, requirement).filter_map(|rule| match &rule.result.verdict {
        Verdict::NotApplicable { reason } => Some(format!("rule {}: {reason}", rule.result.rule.id)),
        _ => None,
    });
    let said: Vec<String> = said.collect();
    match (said.is_empty(), requirement.rules.is_empty()) {
        (false, _) => said.join("; "),
        (true, false) => "its rules had no traffic of the product's to look at".to_owned(),
        (true, true) => "no scenario of this run tests it".to_owned(),
    }
}

/// The worst of them. What applies not at all is told only when nothing else is there to be told.
fn joined(parts: &[Part]) -> Showing {
    let none = String::new;
    let order = [
        Outcome::Failed,
        Outcome::Error,
        Outcome::NotRun(none()),
        Outcome::Warning,
        Outcome::Attested,
        Outcome::Passed,
        Outcome::NotApplicable(none()),
    ];
    let of = |like: &Outcome| parts.iter().filter(|part| part.outcome.is_like(like)).collect::<Vec<_>>();
    let worst = order.iter().map(of).find(|alike| !alike.is_empty()).unwrap_or_default();
    let mut wrong =
        parts.iter().filter(|part| matches!(part.outcome, Outcome::Failed | Outcome::Error)).peekable();
    let is_expected = wrong.peek().is_some() && wrong.all(|part| part.is_expected);
    let outcome = worst.first().map_or(Outcome::NotRun(none()), |part| part.outcome.clone());
    Showing { outcome, is_expected, reason: reason(&worst) }
}

/// The first that is told, and how many more there are: what was not expected before what was.
fn reason(worst: &[&Part]) -> String {
    let mut told: Vec<&Part> = worst.iter().copied().filter(|part| part.reason.is_some()).collect();
    told.sort_by_key(|part| part.is_expected);
    let mut reasons: Vec<&str> = Vec::new();
    for reason in told.iter().filter_map(|part| part.reason.as_deref()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let Some(first) = reasons.first() else { return String::new() };
    let (shown, left_off) = text::clip(first, LONGEST);
    let mut shown = text::line(shown);
    if left_off > 0 {
        shown.push('…');
    }
    if reasons.len() > 1 {
        shown.push_str(&format!(" (and {} more)", reasons.len() - 1));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::fixtures,
        rules::traffic::{Finding, Grade, RuleResult, named},
        runner::{Fault, FaultKind},
    };

    fn held() -> Verdict {
        Verdict::Held { looked_at: 7 }
    }

    fn finding(grade: Grade) -> Finding {
        let mut record = fixtures::mixed();
        let found = record.rules.drain(..).find_map(|rule| match rule.result.verdict {
            Verdict::Broken { findings } | Verdict::Warned { findings } => findings.into_iter().next(),
            _ => None,
        });
        let what = "a call that was refused was repeated".to_owned();
        Finding { grade, what, seen: "7 answers of 404".to_owned(), ..found.unwrap() }
    }

    fn broken() -> Verdict {
        Verdict::Broken { findings: vec![finding(Grade::Broken)] }
    }

    fn warned() -> Verdict {
        Verdict::Warned { findings: vec![finding(Grade::Warning)] }
    }

    fn not_applicable() -> Verdict {
        Verdict::NotApplicable { reason: "nothing was refused".to_owned() }
    }

    /// A run of scenarios that test a requirement, of which the rule `refusals` is about.
    fn run(scenarios: &[Outcome], verdict: Option<Verdict>) -> (RunRecord, Requirement) {
        let mut record = fixtures::passed();
        record.scenarios.truncate(scenarios.len());
        for (scenario, outcome) in record.scenarios.iter_mut().zip(scenarios) {
            scenario.requirements = vec!["R".to_owned()];
            scenario.outcome = outcome.clone();
        }
        let rule = named("refusals").unwrap();
        let result = |verdict| RuleResult { rule, verdict, unjudged: vec![] };
        record.rules =
            verdict.into_iter().map(|of| RuleRecord { result: result(of), deviation: None }).collect();
        let text = "- {id: R, statement: s, source: o, level: MUST, binds: product, rules: [refusals]}\n";
        let requirement = Requirement::read_all(text).unwrap().remove(0);
        (record, requirement)
    }

    fn word(scenarios: &[Outcome], verdict: Option<Verdict>) -> &'static str {
        let (record, requirement) = run(scenarios, verdict);
        showing(&record, &requirement).outcome.word()
    }

    #[test]
    fn a_requirement_is_shown_as_the_worst_of_its_scenarios_and_rules() {
        let not_run = || Outcome::NotRun("later".to_owned());
        for (scenario, verdict, shown) in [
            (Outcome::Passed, held(), "passed"),
            (Outcome::Passed, warned(), "warning"),
            (Outcome::Passed, broken(), "failed"),
            (Outcome::Passed, not_applicable(), "passed"),
            (Outcome::Failed, held(), "failed"),
            (Outcome::Warning, broken(), "failed"),
            (Outcome::Attested, held(), "attested"),
            (Outcome::Attested, broken(), "failed"),
            (not_run(), held(), "not run"),
            (not_run(), warned(), "not run"),
            (not_run(), broken(), "failed"),
            (Outcome::Error, held(), "error"),
            (Outcome::NotApplicable("goes without".to_owned()), held(), "not applicable"),
        ] {
            assert_eq!(
                word(std::slice::from_ref(&scenario), Some(verdict.clone())),
                shown,
                "{scenario:?}, {verdict:?}"
            );
        }
    }

    #[test]
    fn what_no_scenario_tests_is_shown_by_its_rules_alone() {
        for (verdict, shown) in [
            (Some(held()), "passed"),
            (Some(warned()), "warning"),
            (Some(broken()), "failed"),
            (Some(not_applicable()), "not run"),
            (None, "not run"),
        ] {
            assert_eq!(word(&[], verdict.clone()), shown, "{verdict:?}");
        }
        let (record, requirement) = run(&[], Some(not_applicable()));
        assert_eq!(showing(&record, &requirement).reason, "rule refusals: nothing was refused");
    }

    /// With `--tags @case-702` the rule `refusals` sees one 417; that says nothing of how 403 is coped with.
    #[test]
    fn a_rule_that_holds_does_not_show_what_scenarios_test_that_were_not_selected() {
        for (verdict, shown) in [(held(), "not run"), (broken(), "failed")] {
            let (record, mut requirement) = run(&[], Some(verdict));
            requirement.has_scenario = true;
            assert_eq!(showing(&record, &requirement).outcome.word(), shown);
        }
    }

    #[test]
    fn the_reason_names_the_step_that_failed_or_the_rule_that_is_broken() {
        let (mut record, requirement) = run(&[Outcome::Failed, Outcome::Failed], Some(broken()));
        for scenario in &mut record.scenarios {
            scenario.steps[1].outcome = Outcome::Failed;
            scenario.steps[1].fault = Some(Fault::new(FaultKind::Product, "no token\nat all", "add it"));
        }
        let step = &record.scenarios[0].steps[1].text;
        let first = format!("201, {step:?}: no token\\u{{a}}at all (and 2 more)");
        assert_eq!(showing(&record, &requirement).reason, first);
        let (record, requirement) = run(&[Outcome::Passed], Some(broken()));
        assert_eq!(
            showing(&record, &requirement).reason,
            "rule refusals: a call that was refused was repeated; seen: 7 answers of 404"
        );
    }

    #[test]
    fn it_is_expected_only_when_all_that_is_wrong_is() {
        for (of_scenario, of_rule, expected) in
            [(None, None, false), (Some(0), None, false), (None, Some(0), false), (Some(0), Some(0), true)]
        {
            let (mut record, requirement) = run(&[Outcome::Failed], Some(broken()));
            record.scenarios[0].deviation = of_scenario;
            record.rules[0].deviation = of_rule;
            assert_eq!(showing(&record, &requirement).is_expected, expected, "{of_scenario:?} {of_rule:?}");
        }
        let (mut record, requirement) = run(&[Outcome::Passed], Some(broken()));
        record.rules[0].deviation = Some(0);
        assert!(showing(&record, &requirement).is_expected);
    }
}
