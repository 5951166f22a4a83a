//! What a rule says of a product's traffic, for programs: the same in `summary.json` and in what
//! `mesh-witness judge --format json` prints.

use serde::Serialize;

use super::text;
use crate::{
    rules::traffic::{Finding, Grade, RuleResult, Verdict},
    tape::printable,
};

/// Findings of one rule that are listed; the rest is counted.
const LISTED: usize = 1000;

/// A rule and what it says. Every field is always there; what does not apply is `null`.
#[derive(Serialize)]
pub struct JudgedRule {
    id: &'static str,
    title: &'static str,
    severity: &'static str,
    source: &'static str,
    remedy: &'static str,
    verdict: &'static str,
    looked_at: Option<usize>,
    reason: Option<String>,
    not_judged: Vec<NotJudged>,
    findings_in_all: usize,
    findings: Vec<FindingOf>,
}

#[derive(Serialize)]
struct NotJudged {
    reason: String,
    count: usize,
}

#[derive(Serialize)]
struct FindingOf {
    grade: &'static str,
    at: String,
    mailbox: Option<String>,
    message: Option<String>,
    exchanges: Vec<usize>,
    what: String,
    expected: String,
    seen: String,
    remedy: Option<&'static str>,
}

impl JudgedRule {
    /// What a rule says. Everything in it is printable.
    #[must_use]
    pub fn of(result: &RuleResult) -> Self {
        let RuleResult { rule, verdict, unjudged } = result;
        let found = findings(verdict);
        let not_judged = unjudged.iter();
        Self {
            id: rule.id,
            title: rule.title,
            severity: rule.severity.word(),
            source: rule.source,
            remedy: rule.remedy,
            verdict: word(verdict),
            looked_at: if let Verdict::Held { looked_at } = verdict { Some(*looked_at) } else { None },
            reason: if let Verdict::NotApplicable { reason } = verdict { Some(plain(reason)) } else { None },
            not_judged: not_judged
                .map(|(reason, count)| NotJudged { reason: plain(reason), count: *count })
                .collect(),
            findings_in_all: found.len(),
            findings: found.iter().take(LISTED).map(finding).collect(),
        }
    }
}

/// The word for what became of a rule.
pub(super) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Held { .. } => "held",
        Verdict::Broken { .. } => "broken",
        Verdict::Warned { .. } => "warning",
        Verdict::NotApplicable { .. } => "not_applicable",
    }
}

/// What a rule found, worst first.
pub(super) fn findings(verdict: &Verdict) -> &[Finding] {
    match verdict {
        Verdict::Broken { findings } | Verdict::Warned { findings } => findings,
        Verdict::Held { .. } | Verdict::NotApplicable { .. } => &[],
    }
}

fn finding(of: &Finding) -> FindingOf {
    FindingOf {
        grade: if of.grade == Grade::Broken { "broken" } else { "warning" },
        at: text::millisecond(of.at),
        mailbox: of.mailbox.as_deref().map(plain),
        message: of.message.as_deref().map(plain),
        exchanges: of.exchanges.clone(),
        what: plain(&of.what),
        expected: plain(&of.expected),
        seen: plain(&of.seen),
        remedy: of.remedy,
    }
}

fn plain(of: &str) -> String {
    printable(of.as_bytes())
}
