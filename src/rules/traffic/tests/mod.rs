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

use std::sync::Arc;

use log::{Log, zipped};

use super::*;
use crate::tape::{Exchange, TapeLimits, read_tape_lines};

const ID: &str = "20261121120000000000_ABCDEF";
const OTHER: &str = "20261121120000000000_FEDCBA";

fn result(id: &str, log: &Log) -> RuleResult {
    let tape = log.tape();
    let numbered: Vec<_> = (1..).zip(tape.iter().cloned()).collect();
    let course = log.course.clone().map(|course| course.numbered(&numbered));
    let (from_start, resumed) = (log.from_start, log.resumed.clone());
    let context = Context { from_start, course, resumed, ..Context::default() };
    same_from_tape_and_har(&tape, &context);
    let results = judge(&tape, &context);
    results.into_iter().find(|result| result.rule.id == id).expect("a rule of this ID")
}

/// Whoever judges a bundle, or the HAR in it, comes to the same result as whoever judges the tape: each of these logs is
/// written as both and read back.
#[track_caller]
fn same_from_tape_and_har(tape: &[Arc<Exchange>], context: &Context) {
    let opening = r#"{"mesh_witness_tape":1,"tool_version":"0","opened_at":"2026-11-21T12:00:00Z"}"#;
    let lines = tape.iter().map(|exchange| serde_json::to_string(&**exchange).unwrap() + "\n");
    let lines = format!("{opening}\n{}", lines.collect::<String>());
    let read = read_tape_lines(lines.as_bytes(), &TapeLimits::default()).unwrap();
    let of_tape: Vec<_> = (1..).zip(read.exchanges.into_iter().map(|(_, exchange)| exchange)).collect();
    let of_har = crate::report::written_and_read(tape);
    for (har, tape) in judge_numbered(&of_har, context).iter().zip(judge_numbered(&of_tape, context)) {
        assert_eq!(format!("{har:#?}"), format!("{tape:#?}"), "{}", tape.rule.id);
    }
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
