//! Each rule, on traffic that is right, wrong, in between, and on none that it is about.

mod acknowledging;
mod chunks;
mod compression;
mod connections;
mod course;
mod failures;
mod handshakes;
mod log;
mod patients;
mod polling;
mod refusals;
mod sending;
mod together;
mod tokens;

use log::{Log, zipped};

use super::*;

const ID: &str = "20261121120000000000_ABCDEF";
const OTHER: &str = "20261121120000000000_FEDCBA";

fn result(id: &str, log: &Log) -> RuleResult {
    let tape = log.tape();
    let numbered: Vec<_> = (1..).zip(tape.iter().cloned()).collect();
    let course = log.course.clone().map(|course| course.numbered(&numbered));
    let (from_start, resumed) = (log.from_start, log.resumed.clone());
    let results = judge(&tape, &Context { from_start, course, resumed, ..Context::default() });
    results.into_iter().find(|result| result.rule.id == id).expect("a rule of this ID")
}

/// The finding's words when there is one; each finding has what a person needs.
fn findings(id: &str, log: &Log) -> (&'static str, Vec<Finding>) {
    match result(id, log).verdict {
        Verdict::Held { looked_at } => {
            assert!(looked_at > 0);
            ("held", vec![])
        }
        Verdict::NotApplicable { reason } => {
            assert!(!reason.is_empty());
            ("not applicable", vec![])
        }
        Verdict::Broken { findings } => ("broken", findings),
        Verdict::Warned { findings } => ("warned", findings),
    }
}

#[track_caller]
fn is(expected: &str, id: &str, log: &Log) -> Vec<Finding> {
    let (verdict, findings) = findings(id, log);
    assert_eq!(verdict, expected, "{id}: {findings:#?} {:?}", result(id, log));
    for finding in &findings {
        assert!(
            !finding.what.is_empty() && !finding.expected.is_empty() && !finding.seen.is_empty(),
            "{finding:?}"
        );
        assert!(!finding.exchanges.is_empty(), "{finding:?}");
    }
    findings
}

#[track_caller]
fn held(id: &str, log: &Log) {
    is("held", id, log);
}

#[track_caller]
fn broken(id: &str, log: &Log) -> Finding {
    is("broken", id, log).remove(0)
}

#[track_caller]
fn warned(id: &str, log: &Log) -> Finding {
    is("warned", id, log).remove(0)
}

#[track_caller]
fn not_applicable(id: &str, log: &Log) {
    is("not applicable", id, log);
}
