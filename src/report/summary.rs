//! `summary.json`: the result for programs. Its schema is strict and part of the bundle.
//!
//! Every field is always there; what does not apply is `null`.

use serde::Serialize;

use super::{Heading, JudgedRule, Seen, exchanges, text};
use crate::runner::{
    Attestation, Deviation, Fault, MailboxRole, Outcome, Pending, RuleCounts, RuleRecord, RunRecord,
    ScenarioRecord,
};

/// JSON Schema (2020-12) of the summary, as committed.
pub(super) const SCHEMA: &str = include_str!("summary.schema.json");

#[derive(Serialize)]
struct Summary<'a> {
    schema: &'static str,
    verdict: &'static str,
    evidence: bool,
    evidence_note: String,
    run_id: &'a str,
    tool_version: &'a str,
    started_at: String,
    ended_at: String,
    cut_short: Option<&'a str>,
    environment: Environment<'a>,
    mailboxes: Vec<Mailbox<'a>>,
    product: Product<'a>,
    supplier: Option<&'a str>,
    workflow_id: &'a str,
    tags: Option<&'a str>,
    warnings: &'a [String],
    counts: Counts,
    headings: Vec<HeadingOf>,
    deviation_problems: &'a [String],
    resumed: Option<&'a str>,
    pending: Vec<PendingOf<'a>>,
    rule_counts: RuleCountsOf,
    rules: Vec<RuleOf<'a>>,
    cases: Vec<Case<'a>>,
}

#[derive(Serialize)]
struct Environment<'a> {
    name: &'a str,
    url: &'a str,
    emulated: bool,
}

#[derive(Serialize)]
struct Mailbox<'a> {
    id: &'a str,
    role: &'a str,
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Counts {
    passed: usize,
    failed: usize,
    warning: usize,
    attested: usize,
    not_applicable: usize,
    not_run: usize,
    error: usize,
    expected_deviation: usize,
}

#[derive(Serialize)]
struct RuleCountsOf {
    held: usize,
    broken: usize,
    warning: usize,
    not_applicable: usize,
    expected_deviation: usize,
}

#[derive(Serialize)]
struct RuleOf<'a> {
    #[serde(flatten)]
    judged: JudgedRule,
    deviation: Option<DeviationOf<'a>>,
}

#[derive(Serialize)]
struct HeadingOf {
    name: &'static str,
    outcome: &'static str,
    times: usize,
    first: Vec<SeenOf>,
}

#[derive(Serialize)]
struct SeenOf {
    at: String,
    mailbox: String,
    message_id: Option<String>,
    case: Option<String>,
}

#[derive(Serialize)]
struct PendingOf<'a> {
    case: &'a str,
    message_id: &'a str,
    sent_at: String,
    due: String,
}

#[derive(Serialize)]
struct AttestationOf<'a> {
    name: &'a str,
    role: &'a str,
    statement: &'a str,
    date: &'a str,
    given: &'static str,
}

#[derive(Serialize)]
struct DeviationOf<'a> {
    of: String,
    reason: &'a str,
    reference: &'a str,
    owner: &'a str,
    expires: String,
}

#[derive(Serialize)]
struct Case<'a> {
    id: Option<&'a str>,
    name: &'a str,
    feature: &'a str,
    path: &'a str,
    line: usize,
    requirements: &'a [String],
    outcome: &'static str,
    reason: Option<&'a str>,
    fault: Option<FaultOf<'a>>,
    started_at: Option<String>,
    ended_at: Option<String>,
    message_ids: Vec<String>,
    exchanges: usize,
    clock_moved_seconds: Option<i64>,
    attestation: Option<AttestationOf<'a>>,
    deviation: Option<DeviationOf<'a>>,
}

#[derive(Serialize)]
struct FaultOf<'a> {
    kind: &'static str,
    what: &'a str,
    expected: Option<&'a str>,
    seen: Option<&'a str>,
    remedy: &'a str,
    source: Option<&'a str>,
}

/// The file's content.
pub(super) fn render(record: &RunRecord) -> Result<Vec<u8>, serde_json::Error> {
    let environment = &record.environment;
    super::json(&Summary {
        schema: "mesh-witness/summary/1",
        verdict: record.verdict().word(),
        evidence: environment.is_evidence(),
        evidence_note: super::standing(record),
        run_id: &record.run_id,
        tool_version: &record.tool_version,
        started_at: text::millisecond(record.started_at),
        ended_at: text::millisecond(record.ended_at),
        cut_short: record.cut_short.as_deref(),
        environment: Environment {
            name: &environment.name,
            url: &environment.url,
            emulated: environment.emulated,
        },
        mailboxes: environment
            .mailboxes
            .iter()
            .map(|MailboxRole { id, role }| Mailbox { id, role })
            .collect(),
        product: Product { name: &record.product.name, version: &record.product.version },
        supplier: record.supplier.as_deref(),
        workflow_id: &record.workflow_id,
        tags: record.tags.as_deref(),
        warnings: &record.warnings,
        counts: Counts {
            passed: record.count(&Outcome::Passed),
            failed: record.count(&Outcome::Failed),
            warning: record.count(&Outcome::Warning),
            attested: record.count(&Outcome::Attested),
            not_applicable: record.count(&Outcome::NotApplicable(String::new())),
            not_run: record.count(&Outcome::NotRun(String::new())),
            error: record.count(&Outcome::Error),
            expected_deviation: record.expected_deviations(),
        },
        headings: super::headings(record).into_iter().map(heading).collect(),
        deviation_problems: &record.deviation_problems,
        resumed: record.resumed.as_deref(),
        pending: record.pending.iter().map(pending).collect(),
        rule_counts: rule_counts(record.rule_counts()),
        rules: record.rules.iter().map(|of| rule(record, of)).collect(),
        cases: record.scenarios.iter().enumerate().map(|(number, of)| case(record, number, of)).collect(),
    })
}

fn rule_counts(of: RuleCounts) -> RuleCountsOf {
    let RuleCounts { held, broken, warned, not_applicable, expected } = of;
    RuleCountsOf { held, broken, warning: warned, not_applicable, expected_deviation: expected }
}

fn rule<'a>(record: &'a RunRecord, of: &RuleRecord) -> RuleOf<'a> {
    RuleOf { judged: JudgedRule::of(&of.result), deviation: record.deviation_of_rule(of).map(deviation) }
}

fn heading(of: Heading) -> HeadingOf {
    let seen = |seen: Seen| SeenOf {
        at: text::millisecond(seen.at),
        mailbox: seen.mailbox,
        message_id: seen.message,
        case: seen.case,
    };
    let first = of.seen.into_iter().map(seen).collect();
    HeadingOf { name: of.name, outcome: of.outcome.word(), times: of.exchanges, first }
}

fn pending(of: &Pending) -> PendingOf<'_> {
    PendingOf {
        case: &of.case,
        message_id: of.message.as_str(),
        sent_at: text::millisecond(of.sent_at),
        due: text::millisecond(of.due),
    }
}

fn attestation(of: &Attestation) -> AttestationOf<'_> {
    let Attestation { name, role, statement, date, given, .. } = of;
    AttestationOf { name, role, statement, date, given: given.word() }
}

fn deviation(of: &Deviation) -> DeviationOf<'_> {
    let Deviation { of: about, reason, reference, owner, expires } = of;
    DeviationOf { of: about.to_string(), reason, reference, owner, expires: expires.to_string() }
}

fn case<'a>(record: &'a RunRecord, number: usize, scenario: &'a ScenarioRecord) -> Case<'a> {
    Case {
        id: scenario.case.as_deref(),
        name: &scenario.name,
        feature: &scenario.feature,
        path: &scenario.path,
        line: scenario.line,
        requirements: &scenario.requirements,
        outcome: scenario.word(),
        reason: scenario.outcome.reason(),
        fault: scenario.fault().map(fault),
        started_at: scenario.started_at.map(text::millisecond),
        ended_at: scenario.ended_at.map(text::millisecond),
        message_ids: exchanges::message_ids(record, number),
        exchanges: exchanges::exchanges_of(record, number).len(),
        clock_moved_seconds: scenario.clock_moved.map(|moved| moved.num_seconds()),
        attestation: scenario.attestation.as_ref().map(attestation),
        deviation: record.deviation_of(scenario).map(deviation),
    }
}

fn fault(of: &Fault) -> FaultOf<'_> {
    FaultOf {
        kind: of.kind.word(),
        what: &of.what,
        expected: of.expected.as_deref(),
        seen: of.seen.as_deref(),
        remedy: &of.remedy,
        source: of.source.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn golden() {
        insta::assert_snapshot!(String::from_utf8(render(&fixtures::mixed()).unwrap()).unwrap());
    }

    #[test]
    fn a_summary_has_exactly_what_its_schema_has() {
        for record in [fixtures::passed(), fixtures::mixed(), fixtures::hostile()] {
            fixtures::holds_to(&serde_json::from_slice(&render(&record).unwrap()).unwrap(), SCHEMA);
        }
    }
}
