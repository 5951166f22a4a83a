//! `requirements.csv`: what is demanded, and what the run showed of it.

use super::showing::{Showing, name, scenarios_of, showing};
use crate::runner::{Requirement, RunRecord};

/// One line a requirement, in the order of the catalogue.
pub(super) fn csv(record: &RunRecord) -> String {
    let mut lines = vec![
        "requirement,level,binds,outcome,scenarios,reason,statement,source,environment,rules".to_owned(),
    ];
    lines.extend(record.requirements.iter().map(|requirement| line(record, requirement)));
    lines.join("\r\n") + "\r\n"
}

fn line(record: &RunRecord, requirement: &Requirement) -> String {
    let names: Vec<String> = scenarios_of(record, &requirement.id).map(name).collect();
    let rules: Vec<&str> = requirement.rules.iter().map(|rule| rule.id()).collect();
    let Showing { outcome, is_expected, reason } = showing(record, requirement);
    let word = if is_expected { "expected deviation" } else { outcome.word() };
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
        &rules.join("; "),
    ];
    fields.map(field).join(",")
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
    use crate::{report::fixtures, runner::Outcome};

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
