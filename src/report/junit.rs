//! `run/junit.xml`, for continuous integration: red whenever the verdict is not *passed*.
//!
//! Readers differ (some ignore suites, some hide why a test was skipped), so the case stands in the
//! test's name, the reason in its message, and everything else in `system-out`. A scenario that was
//! not run is an error here, not a skip: every reader takes a skip for green.

use junit_report::{Duration, OffsetDateTime, Report, TestCase, TestSuite};

use chrono::{DateTime, Utc};

use super::{ReportError, exchanges, rules, text};
use crate::{
    rules::traffic::{Finding, Verdict as Judged, remedies},
    runner::{Attestation, Fault, Outcome, RuleRecord, RunRecord, ScenarioRecord, Verdict},
};

/// The suite of the rules over the product's traffic.
const RULES: &str = "rules";
/// What a run may consist of that measures nothing.
const NOTHING_MEASURED: &str =
    "what was selected does not apply, was left out, is declared by a person, or is expected to fail";
/// Findings of one rule that are told, and exchanges of one finding.
const FINDINGS: usize = 10;
const NUMBERS: usize = 20;

/// The file's content.
pub(super) fn render(record: &RunRecord) -> Result<Vec<u8>, ReportError> {
    let mut paths: Vec<&str> = Vec::new();
    for scenario in &record.scenarios {
        if !paths.contains(&scenario.path.as_str()) {
            paths.push(&scenario.path);
        }
    }
    let mut report = Report::new();
    for path in paths {
        report.add_testsuite(suite(record, path)?);
    }
    if !record.rules.is_empty() {
        report.add_testsuite(suite_of_rules(record)?);
    }
    if let Some(suite) = suite_of_the_run(record)? {
        report.add_testsuite(suite);
    }
    let mut content = Vec::new();
    report.write_xml(&mut content)?;
    content.push(b'\n');
    Ok(content)
}

/// One feature file.
fn suite(record: &RunRecord, path: &str) -> Result<TestSuite, ReportError> {
    let played = record.scenarios.iter().enumerate().filter(|(_, scenario)| scenario.path == path);
    let started_at = played.clone().filter_map(|(_, scenario)| scenario.started_at).min();
    let mut suite = new_suite(record, path, started_at.unwrap_or(record.started_at))?;
    for (number, scenario) in played {
        suite.add_testcase(case(record, number, scenario));
    }
    Ok(suite)
}

/// A test for each rule: a warning is green, and stands in the properties.
fn suite_of_rules(record: &RunRecord) -> Result<TestSuite, ReportError> {
    let mut suite = new_suite(record, RULES, record.started_at)?;
    record.rules.iter().for_each(|rule| suite.add_testcase(case_of_rule(record, rule)));
    Ok(suite)
}

fn case_of_rule(record: &RunRecord, rule: &RuleRecord) -> TestCase {
    let of = rule.result.rule;
    let name = text::xml(&format!("{} {}", of.id, of.title));
    let findings = rules::findings(&rule.result.verdict);
    let mut case = match (&rule.result.verdict, findings.first()) {
        (Judged::NotApplicable { reason }, _) => skipped(&name, "not applicable", reason),
        (Judged::Broken { .. }, _) if !rule.fails() => {
            let known = record.deviation_of_rule(rule);
            skipped(&name, "expected deviation", &known.map(text::deviation).unwrap_or_default())
        }
        (Judged::Broken { .. }, Some(worst)) => {
            TestCase::failure(&name, Duration::ZERO, of.severity.word(), &text::xml(&worst.what))
        }
        _ => TestCase::success(&name, Duration::ZERO),
    };
    if let junit_report::TestResult::Failure { cause, .. } = &mut case.result {
        let shown = findings.get(..FINDINGS).unwrap_or(findings);
        let told = shown.iter().zip(remedies(of, shown));
        let told = told.map(|(finding, remedy)| explanation_of(finding, remedy));
        let source = format!("demanded by: {}", of.source);
        *cause = Some(text::cdata(&told.chain([source]).collect::<Vec<_>>().join("\n\n")));
    }
    case.set_classname(RULES);
    case.set_system_out(&text::cdata(&properties_of(record, rule)));
    case
}

fn skipped(name: &str, kind: &str, reason: &str) -> TestCase {
    TestCase::skipped_with_cause(name, kind, &text::xml(reason))
}

fn explanation_of(finding: &Finding, remedy: Option<&str>) -> String {
    let numbers: Vec<String> = finding.exchanges.iter().take(NUMBERS).map(ToString::to_string).collect();
    let mut lines = vec![
        finding.what.clone(),
        format!("expected: {}", finding.expected),
        format!("seen: {}", finding.seen),
        format!("at {}, exchanges {} of report.html", text::second(finding.at), numbers.join(", ")),
    ];
    lines.extend(remedy.map(|remedy| format!("to mend it: {remedy}")));
    lines.join("\n")
}

fn properties_of(record: &RunRecord, rule: &RuleRecord) -> String {
    let mut lines = vec![
        property("rule", rule.result.rule.id),
        property("severity", rule.result.rule.severity.word()),
        property("verdict", rules::word(&rule.result.verdict)),
    ];
    if let Judged::NotApplicable { reason } = &rule.result.verdict {
        lines.push(property("reason", reason));
    }
    if let Judged::Warned { findings } = &rule.result.verdict {
        lines.extend(findings.iter().take(FINDINGS).map(|finding| property("warning", &finding.what)));
    }
    let known = record.deviation_of_rule(rule);
    lines.extend(known.map(|of| property("expected_deviation", &text::deviation(of))));
    lines.join("\n")
}

/// A failing test of its own when the list of expected deviations does not hold, and one when the run was cut
/// short, or is not passed and nothing else says so.
fn suite_of_the_run(record: &RunRecord) -> Result<Option<TestSuite>, ReportError> {
    let problems = &record.deviation_problems;
    let list = (!problems.is_empty()).then(|| {
        error_of_the_run("The list of expected deviations holds", "expected deviation", &problems.join("; "))
    });
    let end =
        unfinished(record).map(|message| error_of_the_run("The run came to its end", "cut short", &message));
    let cases: Vec<TestCase> = list.into_iter().chain(end).collect();
    if cases.is_empty() {
        return Ok(None);
    }
    let mut suite = new_suite(record, "mesh-witness", record.started_at)?;
    suite.add_testcases(cases);
    Ok(Some(suite))
}

fn error_of_the_run(title: &str, kind: &str, message: &str) -> TestCase {
    let mut case = TestCase::error(title, Duration::ZERO, kind, &text::xml(message));
    case.set_classname("mesh-witness");
    case
}

/// Why the run did not come to its end, or to a result, where no other test is red for it.
fn unfinished(record: &RunRecord) -> Option<String> {
    let fine = |scenario: &ScenarioRecord| {
        let outcome = &scenario.outcome;
        outcome.is_good() || matches!(outcome, Outcome::NotApplicable(_)) || record.is_excused(scenario)
    };
    let red = !record.scenarios.iter().all(fine)
        || record.rules.iter().any(RuleRecord::fails)
        || !record.deviation_problems.is_empty();
    match (&record.cut_short, record.verdict()) {
        (Some(reason), _) => Some(format!("the run was cut short: {reason}")),
        (None, Verdict::Passed) => None,
        (None, _) if red => None,
        (None, _) if record.scenarios.is_empty() => {
            Some("nothing was played: no scenario was selected".to_owned())
        }
        (None, _) => Some(format!("nothing was measured: {NOTHING_MEASURED}")),
    }
}

fn new_suite(record: &RunRecord, name: &str, at: DateTime<Utc>) -> Result<TestSuite, ReportError> {
    let nanoseconds =
        i128::from(at.timestamp()) * 1_000_000_000 + i128::from(at.timestamp_subsec_millis()) * 1_000_000;
    let timestamp = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .map_err(|error| ReportError::Time(format!("{at}: {error}")))?;
    let mut suite = TestSuite {
        name: text::xml(name),
        package: package(name),
        timestamp,
        // Where it ran says nothing of what was tested, and would differ between two runs.
        hostname: "localhost".to_owned(),
        testcases: vec![],
        system_out: None,
        system_err: None,
    };
    suite.set_system_out(&text::cdata(&suite_properties(record)));
    Ok(suite)
}

/// `witness/200-sending.feature` as `witness.200-sending`, which readers show as a tree.
fn package(path: &str) -> String {
    text::xml(path.strip_suffix(".feature").unwrap_or(path)).replace('/', ".")
}

fn case(record: &RunRecord, number: usize, scenario: &ScenarioRecord) -> TestCase {
    let name = match &scenario.case {
        Some(case) => text::xml(&format!("{case} {}", scenario.name)),
        None => text::xml(&scenario.name),
    };
    let time = time(scenario);
    let fault = scenario.fault();
    let what = fault.map_or("no step says why", |fault| fault.what.as_str());
    let kind = fault.map_or("unknown", |fault| fault.kind.word());
    let mut case = match &scenario.outcome {
        // What does not count must not turn the build red; the properties say what it was.
        _ if record.is_excused(scenario) => {
            let known = record.deviation_of(scenario).map(text::deviation);
            let reason = known.or_else(|| scenario.outcome.reason().map(str::to_owned));
            skipped(&name, scenario.word(), &reason.unwrap_or_default())
        }
        Outcome::NotApplicable(reason) => skipped(&name, scenario.word(), reason),
        Outcome::Passed | Outcome::Warning | Outcome::Attested => TestCase::success(&name, time),
        Outcome::Failed => TestCase::failure(&name, time, kind, &text::xml(what)),
        Outcome::Error => TestCase::error(&name, time, kind, &text::xml(what)),
        Outcome::NotRun(reason) => {
            TestCase::error(&name, time, "not run", &text::xml(&format!("not run: {reason}")))
        }
    };
    if let (
        Some(fault),
        junit_report::TestResult::Error { cause, .. } | junit_report::TestResult::Failure { cause, .. },
    ) = (fault, &mut case.result)
    {
        *cause = Some(text::cdata(&explanation(scenario, fault)));
    }
    case.set_classname(&package(&scenario.path));
    case.set_filepath(&text::xml(&scenario.path));
    case.set_system_out(&text::cdata(&properties(record, number, scenario)));
    case
}

fn time(scenario: &ScenarioRecord) -> Duration {
    let (Some(from), Some(to)) = (scenario.started_at, scenario.ended_at) else { return Duration::ZERO };
    let milliseconds = text::between(from, to).as_millis();
    Duration::milliseconds(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// All that a person needs to mend it, without opening the bundle.
fn explanation(scenario: &ScenarioRecord, fault: &Fault) -> String {
    format!("{}\nat {}:{}", text::fault(fault), scenario.path, scenario.line)
}

fn suite_properties(record: &RunRecord) -> String {
    let mut lines = vec![
        property("run", &record.run_id),
        property("verdict", record.verdict().word()),
        property("environment", &super::standing(record)),
        property("product", &format!("{} {}", record.product.name, record.product.version)),
        property("tool", &format!("mesh-witness {}", record.tool_version)),
    ];
    lines.extend(record.warnings.iter().map(|warning| property("warning", warning)));
    lines.join("\n")
}

fn properties(record: &RunRecord, number: usize, scenario: &ScenarioRecord) -> String {
    let mut lines: Vec<String> = scenario.case.iter().map(|case| property("case", case)).collect();
    lines.extend(scenario.requirements.iter().map(|requirement| property("requirement", requirement)));
    lines.push(property("outcome", scenario.word()));
    lines.extend(scenario.outcome.reason().map(|reason| property("reason", reason)));
    lines
        .extend(record.deviation_of(scenario).map(|of| property("expected_deviation", &text::deviation(of))));
    if let (Outcome::Warning, Some(fault)) = (&scenario.outcome, scenario.fault()) {
        lines.push(property("warning", &fault.what));
    }
    if let Some(said) = &scenario.attestation {
        let Attestation { name, role, statement, date, .. } = said;
        lines.push(property("attested", &format!("{name}, {role}, {date}: {statement}")));
    }
    lines.extend(scenario.started_at.map(|at| property("started_at", &text::millisecond(at))));
    lines.extend(scenario.ended_at.map(|at| property("ended_at", &text::millisecond(at))));
    lines.extend(scenario.clock_moved.map(|moved| property("clock_moved", &text::moved(moved))));
    lines.extend(exchanges::message_ids(record, number).iter().map(|id| property("message_id", id)));
    lines.join("\n")
}

/// A line that readers of attachments take for a property. A value stays on its line.
fn property(name: &str, value: &str) -> String {
    format!("[[PROPERTY|{name}={}]]", text::line(value))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    fn junit(record: &RunRecord) -> String {
        String::from_utf8(render(record).unwrap()).unwrap()
    }

    fn red(xml: &str) -> usize {
        xml.matches("<failure ").count() + xml.matches("<error ").count()
    }

    #[test]
    fn golden() {
        // One element a line, to be read as a difference.
        insta::assert_snapshot!(junit(&fixtures::mixed()).replace("><", ">\n<"));
    }

    #[test]
    fn it_is_green_only_when_the_run_is_passed() {
        assert_eq!(red(&junit(&fixtures::passed())), 0);

        let mut nothing = fixtures::passed();
        nothing.scenarios.clear();
        assert_eq!(red(&junit(&nothing)), 1);

        let mut cut_short = fixtures::passed();
        cut_short.cut_short = Some("interrupted".to_owned());
        assert_eq!(red(&junit(&cut_short)), 1);

        cut_short.deviation_problems = vec!["the expected deviation of case 201 has expired".to_owned()];
        let xml = junit(&cut_short);
        assert_eq!(red(&xml), 2, "both are told");
        assert!(xml.contains(r#"message="the expected deviation of case 201 has expired""#), "{xml}");
        assert!(xml.contains(r#"message="the run was cut short: interrupted""#), "{xml}");

        let mut not_run = fixtures::passed();
        not_run.scenarios[3].outcome = Outcome::NotRun("a step is undefined".to_owned());
        let xml = junit(&not_run);
        assert_eq!((red(&xml), xml.contains("<skipped")), (1, false));
        assert!(xml.contains(r#"message="not run: a step is undefined""#), "{xml}");
    }

    /// Readers show why a test was skipped by that element alone.
    #[test]
    fn what_was_skipped_says_why() {
        let mut record = fixtures::passed();
        record.scenarios[3].outcome = Outcome::NotApplicable("the product does without <it>".to_owned());
        let xml = junit(&record);
        let element = r#"<skipped type="not applicable" message="the product does without &lt;it&gt;"/>"#;
        assert!(xml.contains(element), "{xml}");
    }
}
