use chrono::NaiveDate;

use super::super::{DeviationOf, FaultKind, deviations};
use super::*;
use crate::rules::traffic::{RULES, RuleResult};

fn scenario(outcome: &Outcome) -> ScenarioRecord {
    ScenarioRecord {
        case: Some("801".to_owned()),
        requirements: vec!["R-01".to_owned()],
        tags: vec![],
        feature: String::new(),
        path: String::new(),
        line: 1,
        name: "a title".to_owned(),
        description: String::new(),
        outcome: outcome.clone(),
        started_at: None,
        ended_at: None,
        steps: vec![],
        deviation: None,
        attestation: None,
        clock_moved: None,
    }
}

fn run(outcomes: &[Outcome], cut_short: bool) -> RunRecord {
    let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    RunRecord {
        run_id: String::new(),
        tool_version: String::new(),
        platform: Platform { os: String::new(), arch: String::new(), rust: None },
        started_at: at,
        ended_at: at,
        cut_short: cut_short.then(|| "interrupted".to_owned()),
        environment: Environment {
            name: String::new(),
            url: String::new(),
            emulated: true,
            on_this_machine: true,
            mailboxes: vec![],
        },
        product: Party { name: String::new(), version: String::new() },
        driver: "reference".to_owned(),
        supplier: None,
        workflow_id: String::new(),
        tags: None,
        warnings: vec![],
        pack: vec![],
        definitions: vec![],
        requirements: vec![],
        scenarios: outcomes.iter().map(scenario).collect(),
        rules: vec![],
        course: Course::default(),
        practice: false,
        deviations: vec![],
        deviation_problems: vec![],
        resumed: None,
        pending: vec![],
        comparison: None,
        exchanges: vec![],
        attempts: vec![],
    }
}

fn not_run() -> Outcome {
    Outcome::NotRun("reason".to_owned())
}

fn not_applicable() -> Outcome {
    Outcome::NotApplicable("reason".to_owned())
}

#[test]
fn only_a_run_in_which_all_that_counts_is_good_is_passed() {
    for (outcomes, cut_short, verdict) in [
        (vec![Outcome::Passed, Outcome::Passed], false, Verdict::Passed),
        (vec![Outcome::Passed, Outcome::Warning, Outcome::Attested], false, Verdict::Passed),
        (vec![Outcome::Passed, not_applicable()], false, Verdict::Passed),
        (vec![not_applicable()], false, Verdict::Incomplete),
        (vec![Outcome::Attested, Outcome::Attested], false, Verdict::Incomplete),
        (vec![Outcome::Attested, not_applicable()], false, Verdict::Incomplete),
        (vec![], false, Verdict::Error),
        (vec![Outcome::Passed, not_run()], false, Verdict::Incomplete),
        (vec![Outcome::Passed, Outcome::Error], false, Verdict::Error),
        (vec![Outcome::Error, not_run()], false, Verdict::Error),
        (vec![Outcome::Failed, Outcome::Error], false, Verdict::Failed),
        (vec![Outcome::Passed], true, Verdict::CutShort),
        (vec![Outcome::Failed, not_run()], true, Verdict::Failed),
    ] {
        assert_eq!(run(&outcomes, cut_short).verdict(), verdict, "{outcomes:?} {cut_short}");
    }
}

/// Nobody can be asked in practice; where somebody can, an answer is due, and any other case is due in
/// either.
#[test]
fn an_attestation_that_nobody_was_asked_for_counts_but_in_practice() {
    let mut record = run(&[Outcome::Passed, not_run()], false);
    record.practice = true;
    assert_eq!(record.verdict(), Verdict::Incomplete);
    record.scenarios[1].tags = vec!["@attestation".to_owned()];
    assert_eq!(record.verdict(), Verdict::Passed);
    record.practice = false;
    assert_eq!(record.verdict(), Verdict::Incomplete);
    record.practice = true;
    record.scenarios.remove(0);
    assert_eq!(record.verdict(), Verdict::Incomplete, "nothing was judged");
}

fn deviation(of: DeviationOf) -> Deviation {
    Deviation {
        of,
        reason: "r".to_owned(),
        reference: "r".to_owned(),
        owner: "o".to_owned(),
        expires: NaiveDate::from_ymd_opt(2026, 11, 30).unwrap(),
    }
}

fn judged(outcome: &Outcome, of: DeviationOf, day: u32) -> (Verdict, bool, usize) {
    let mut record = run(&[Outcome::Passed, outcome.clone()], false);
    record.scenarios[0].case = None;
    record.scenarios[0].requirements.clear();
    record.scenarios[0].name.clear();
    record.deviations = vec![deviation(of)];
    let today = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    record.deviation_problems =
        deviations::apply(&record.deviations, &mut record.scenarios, &mut record.rules, today, false);
    (record.verdict(), record.scenarios[1].deviation.is_some(), record.deviation_problems.len())
}

#[test]
fn a_failure_that_is_expected_does_not_count_until_it_has_expired() {
    for of in [
        DeviationOf::Case("801".to_owned()),
        DeviationOf::Requirement("R-01".to_owned()),
        DeviationOf::Scenario("a title".to_owned()),
    ] {
        assert_eq!(judged(&Outcome::Failed, of.clone(), 30), (Verdict::Passed, true, 0), "{of}");
        assert_eq!(judged(&Outcome::Passed, of.clone(), 1), (Verdict::Failed, false, 1), "{of}");
        assert_eq!(judged(&Outcome::Warning, of.clone(), 1), (Verdict::Failed, false, 1), "{of}");
        assert_eq!(judged(&not_run(), of.clone(), 1), (Verdict::Incomplete, false, 0), "{of}");
        let mut expired = deviation(of);
        expired.expires = NaiveDate::from_ymd_opt(2026, 11, 29).unwrap();
        let mut record = run(&[Outcome::Failed], false);
        record.scenarios[0].deviation = Some(0); // as it was told while it had not expired yet
        let today = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
        let problems = deviations::apply(&[expired], &mut record.scenarios, &mut [], today, false);
        assert!(problems[0].contains("expired on 2026-11-29") && record.scenarios[0].deviation.is_none());
    }
    assert_eq!(judged(&Outcome::Failed, DeviationOf::Case("802".to_owned()), 1), (Verdict::Failed, false, 1));
}

/// The scenario that fails may be the one that was not reached.
#[test]
fn a_deviation_is_gone_only_when_all_that_it_is_about_was_judged() {
    let today = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
    for (other, gone) in
        [(not_run(), false), (Outcome::Error, false), (not_applicable(), true), (Outcome::Warning, true)]
    {
        let mut record = run(&[Outcome::Passed, other.clone()], false);
        let of = deviation(DeviationOf::Requirement("R-01".to_owned()));
        let problems = deviations::apply(&[of], &mut record.scenarios, &mut [], today, false);
        assert_eq!(problems.len(), usize::from(gone), "{other:?}: {problems:?}");
    }
    let of = deviation(DeviationOf::Rule(RULES[0].id.to_owned()));
    let mut rules = [rule(Judged::Held { looked_at: 1 })];
    assert!(deviations::apply(&[of], &mut [], &mut rules, today, true).is_empty(), "the run was cut short");
}

/// What broke on our side or by the configuration is nobody's known deviation.
#[test]
fn only_what_is_under_test_deviates() {
    for (kind, expected) in
        [(FaultKind::Endpoint, true), (FaultKind::Configuration, false), (FaultKind::Harness, false)]
    {
        let mut record = run(&[Outcome::Error], false);
        record.scenarios[0].steps = vec![StepRecord {
            keyword: String::new(),
            text: String::new(),
            line: 1,
            matched: None,
            started_at: None,
            ended_at: None,
            outcome: Outcome::Error,
            fault: Some(Fault::new(kind, "w", "r")),
            notes: vec![],
            exchanges: vec![],
        }];
        let today = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        let of = deviation(DeviationOf::Case("801".to_owned()));
        deviations::apply(&[of], &mut record.scenarios, &mut [], today, false);
        assert_eq!(record.scenarios[0].deviation.is_some(), expected, "{kind:?}");
    }
}

/// A scenario that failed after a warning failed for what failed.
#[test]
fn what_made_the_outcome_is_the_fault() {
    let step = |outcome: &Outcome, what: &str| StepRecord {
        keyword: String::new(),
        text: String::new(),
        line: 1,
        outcome: outcome.clone(),
        fault: (!what.is_empty()).then(|| Fault::new(FaultKind::Product, what, "r")),
        notes: vec![],
        exchanges: vec![],
        started_at: None,
        ended_at: None,
        matched: None,
    };
    let steps = |last: &Outcome| {
        vec![
            step(&Outcome::Passed, ""),
            step(&Outcome::Warning, "first warning"),
            step(&Outcome::Warning, "second warning"),
            step(last, "at the end"),
        ]
    };
    for (outcome, what) in
        [(Outcome::Failed, "at the end"), (Outcome::Error, "at the end"), (Outcome::Warning, "first warning")]
    {
        let scenario = ScenarioRecord { steps: steps(&outcome), ..scenario(&outcome) };
        assert_eq!(scenario.fault().unwrap().what, what, "{outcome:?}");
    }
    // Where no step is like the whole, the first says why.
    let scenario = ScenarioRecord { steps: steps(&Outcome::Failed), ..scenario(&Outcome::Attested) };
    assert_eq!(scenario.fault().unwrap().what, "first warning");
}

/// A product has failed whatever the level; an endpoint where something of it must be.
#[test]
fn an_endpoint_fails_by_what_must_be_and_is_warned_by_what_should() {
    let catalogue = "- {id: M, statement: s, source: s, level: MUST, binds: endpoint}\n\
                     - {id: S, statement: s, source: s, level: SHOULD, binds: endpoint}\n\
                     - {id: O, statement: s, source: s, level: MAY, binds: endpoint}\n";
    let catalogue = Requirement::read_all(catalogue).unwrap();
    let of = |tag: &str, ids: &[&str]| {
        let requirements = ids.iter().map(|id| (*id).to_owned()).collect();
        let tags = vec![tag.to_owned()];
        ScenarioRecord { requirements, tags, ..scenario(&Outcome::Passed) }.is_binding(&catalogue)
    };
    for (ids, binding) in
        [(&["M"][..], true), (&["S"], false), (&["O"], false), (&["S", "M"], true), (&["S", "O"], false)]
    {
        assert_eq!(of("@endpoint", ids), binding, "{ids:?}");
        assert!(of("@case-201", ids), "{ids:?}");
    }
    assert!(of("@endpoint", &[]) && of("@endpoint", &["UNKNOWN"]), "nothing says that it may be otherwise");
}

#[test]
fn reasons_make_no_difference_to_a_count() {
    let record =
        run(&[Outcome::NotRun("a".to_owned()), Outcome::NotRun("b".to_owned()), Outcome::Passed], false);
    assert_eq!(record.count(&Outcome::NotRun(String::new())), 2);
}

fn rule(verdict: Judged) -> RuleRecord {
    let result = RuleResult { rule: &RULES[0], verdict, unjudged: vec![] };
    RuleRecord { result, deviation: None }
}

#[test]
fn a_broken_rule_fails_the_run_unless_it_was_expected_and_a_warning_never_does() {
    let broken = || Judged::Broken { findings: vec![] };
    let warned = || Judged::Warned { findings: vec![] };
    let held = || Judged::Held { looked_at: 1 };
    let none = || Judged::NotApplicable { reason: "r".to_owned() };
    for (verdict, of_run) in [
        (broken(), Verdict::Failed),
        (warned(), Verdict::Passed),
        (held(), Verdict::Passed),
        (none(), Verdict::Passed),
    ] {
        let mut record = run(&[Outcome::Passed], false);
        record.rules = vec![rule(verdict)];
        assert_eq!(record.verdict(), of_run);
    }
    let of = deviation(DeviationOf::Rule(RULES[0].id.to_owned()));
    for (verdict, problems, of_run) in [
        (broken(), 0, Verdict::Passed),
        (warned(), 1, Verdict::Failed),
        (held(), 1, Verdict::Failed),
        (none(), 0, Verdict::Passed),
    ] {
        let mut record = run(&[Outcome::Passed], false);
        record.rules = vec![rule(verdict)];
        let today = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
        record.deviation_problems = deviations::apply(
            std::slice::from_ref(&of),
            &mut record.scenarios,
            &mut record.rules,
            today,
            false,
        );
        assert_eq!((record.deviation_problems.len(), record.verdict()), (problems, of_run));
    }
    let counts = run(&[Outcome::Passed], false).rule_counts();
    assert_eq!(counts, RuleCounts::default());
}
