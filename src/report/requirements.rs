//! `requirements.csv`: what is demanded, and what the run showed of it.

use crate::runner::{Outcome, Requirement, RunRecord, ScenarioRecord};

/// One line a requirement, in the order of the catalogue.
pub(super) fn csv(record: &RunRecord) -> String {
    let mut lines =
        vec!["requirement,level,binds,outcome,scenarios,reason,statement,source,environment".to_owned()];
    lines.extend(record.requirements.iter().map(|requirement| line(record, requirement)));
    lines.join("\r\n") + "\r\n"
}

fn line(record: &RunRecord, requirement: &Requirement) -> String {
    let scenarios: Vec<&ScenarioRecord> = scenarios_of(record, &requirement.id).collect();
    let names: Vec<String> = scenarios.iter().map(|scenario| name(scenario)).collect();
    let (outcome, reason) = shown(record, requirement);
    let word = if is_expected(record, requirement) { "expected deviation" } else { outcome.word() };
    // A line is soon copied into another sheet, so each says what it is worth.
    let environment = record.environment.banner().unwrap_or(&record.environment.name);
    let fields = [
        requirement.id.as_str(),
        requirement.level.word(),
        requirement.binds.word(),
        word,
        &names.join("; "),
        &reason,
        &requirement.statement,
        &requirement.source,
        environment,
    ];
    fields.map(field).join(",")
}

fn scenarios_of<'a>(record: &'a RunRecord, id: &'a str) -> impl Iterator<Item = &'a ScenarioRecord> {
    record.scenarios.iter().filter(move |scenario| scenario.requirements.iter().any(|other| other == id))
}

fn name(scenario: &ScenarioRecord) -> String {
    scenario.case.clone().unwrap_or_else(|| format!("{}:{}", scenario.path, scenario.line))
}

/// What the run showed of a requirement, and why it did not show more.
pub(super) fn shown(record: &RunRecord, requirement: &Requirement) -> (Outcome, String) {
    let scenarios: Vec<&ScenarioRecord> = scenarios_of(record, &requirement.id).collect();
    let outcome = outcome(&scenarios);
    let reason = match (&outcome, &requirement.untested) {
        (Outcome::NotRun(_), Some(untested)) => untested.clone(),
        (outcome, _) => outcome.reason().unwrap_or_default().to_owned(),
    };
    (outcome, reason)
}

/// Whether all that failed of it was expected to.
pub(super) fn is_expected(record: &RunRecord, requirement: &Requirement) -> bool {
    let wrong = |scenario: &&ScenarioRecord| matches!(scenario.outcome, Outcome::Failed | Outcome::Error);
    let mut wrong = scenarios_of(record, &requirement.id).filter(wrong).peekable();
    wrong.peek().is_some() && wrong.all(|scenario| scenario.deviation.is_some())
}

/// One failure fails a requirement; it has passed only if each of its scenarios has that applies.
fn outcome(scenarios: &[&ScenarioRecord]) -> Outcome {
    let find = |like: Outcome| {
        scenarios.iter().map(|scenario| &scenario.outcome).find(|outcome| outcome.is_like(&like))
    };
    let none = String::new;
    // What applies not at all is told only when nothing else is there to be told.
    let worst =
        [Outcome::Failed, Outcome::Error, Outcome::NotRun(none()), Outcome::Warning, Outcome::Attested];
    let worst = worst.into_iter().chain([Outcome::Passed, Outcome::NotApplicable(none())]).find_map(find);
    worst.cloned().unwrap_or_else(|| Outcome::NotRun("no scenario of this run tests it".to_owned()))
}

/// Quoted as RFC 4180 has it. A field that begins like a formula gets an apostrophe, since
/// spreadsheets would compute it.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r', ';']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn a_field_is_quoted_when_it_must_be() {
        for (text, quoted) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
        ] {
            assert_eq!(field(text), quoted);
        }
    }

    #[test]
    fn one_failure_fails_a_requirement_and_an_untested_one_says_why() {
        let mut record = fixtures::mixed();
        record.requirements = Requirement::read_all(
            "- {id: ALL, statement: s, source: o, level: MUST, binds: product}\n\
             - {id: NONE, statement: s, source: o, level: MAY, binds: endpoint}\n\
             - {id: WHY, statement: s, source: o, level: SHOULD, binds: product, untested: because}\n",
        )
        .unwrap();
        let all = |record: &mut RunRecord, outcome: Outcome| {
            for (place, scenario) in record.scenarios.iter_mut().enumerate() {
                scenario.requirements = vec!["ALL".to_owned()];
                scenario.outcome = if place == 0 { outcome.clone() } else { Outcome::Passed };
            }
            csv(record).lines().map(|line| line.split(',').nth(3).unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(all(&mut record, Outcome::Passed), ["outcome", "passed", "not run", "not run"]);
        assert_eq!(all(&mut record, Outcome::Failed)[1], "failed");
        assert_eq!(all(&mut record, Outcome::Error)[1], "error");
        assert_eq!(all(&mut record, Outcome::NotRun("x".to_owned()))[1], "not run");
        assert!(csv(&record).contains("WHY,SHOULD,product,not run,,because,s,o,"));
    }
}
