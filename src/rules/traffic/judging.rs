//! From exchanges to what each rule says of them.

use std::sync::Arc;

use super::{Course, Examined, Finding, Grade, RULES, Rule, Severity, Traffic};
use crate::{
    protocol::MailboxId,
    tape::{Actor, Exchange},
};

/// What is known of a recording besides its exchanges.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Judge this mailbox only; `None` for all.
    pub mailbox: Option<MailboxId>,
    /// Whether nothing happened in these mailboxes before the recording began, as on an emulator that
    /// was started with it. Otherwise a handshake or a download may have come before.
    pub from_start: bool,
    /// Whose calls are judged; `None` for the product's.
    pub actor: Option<Actor>,
    /// How a run drove the product; `None` for a recording of one that acted by itself.
    pub course: Option<Course>,
    /// Numbers from which on a recording goes on after it had been ended. Of what came about between, nothing
    /// is known.
    pub resumed: Vec<usize>,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, for all that was looked at; this is how much.
    Held {
        /// Number of calls, messages or days.
        looked_at: usize,
    },
    /// It is broken.
    Broken {
        /// Everything found, broken before warnings, then by time.
        findings: Vec<Finding>,
    },
    /// It is a recommendation that is not kept, or may be broken.
    Warned {
        /// Everything found, by time.
        findings: Vec<Finding>,
    },
    /// There was nothing to judge.
    NotApplicable {
        /// Why.
        reason: String,
    },
}

/// What a rule says of a recording.
#[derive(Debug, Clone)]
pub struct RuleResult {
    /// The rule.
    pub rule: &'static Rule,
    /// What became of it.
    pub verdict: Verdict,
    /// What could not be judged, although other things could: each reason with how many.
    pub unjudged: Vec<(String, usize)>,
}

/// Judges exchanges, which are numbered from 1 as they come. Every rule has a result, in the order of
/// [`RULES`].
#[must_use]
pub fn judge(exchanges: &[Arc<Exchange>], context: &Context) -> Vec<RuleResult> {
    let numbered: Vec<(usize, Arc<Exchange>)> =
        exchanges.iter().enumerate().map(|(place, exchange)| (place + 1, Arc::clone(exchange))).collect();
    judge_numbered(&numbered, context)
}

/// Judges exchanges that have numbers already, by which findings refer to them.
#[must_use]
pub fn judge_numbered(exchanges: &[(usize, Arc<Exchange>)], context: &Context) -> Vec<RuleResult> {
    let traffic = Traffic::new(exchanges, context);
    RULES.iter().map(|rule| result(rule, &traffic)).collect()
}

pub(super) fn result(rule: &'static Rule, traffic: &Traffic) -> RuleResult {
    let Examined { looked_at, mut findings, unjudged } = (rule.examine)(traffic);
    if rule.severity != Severity::Must {
        findings.iter_mut().for_each(|finding| finding.grade = Grade::Warning);
    }
    // By what is found, then by when: numbers come from the source and decide only between equals.
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (std::cmp::Reverse(finding.grade), finding.at);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.mailbox.cmp(&b.mailbox))
            .then_with(|| a.exchanges.cmp(&b.exchanges))
    });
    let verdict = match findings.first().map(|worst| worst.grade) {
        Some(Grade::Broken) => Verdict::Broken { findings },
        Some(Grade::Warning) => Verdict::Warned { findings },
        None if looked_at > 0 => Verdict::Held { looked_at },
        None => {
            let reason = unjudged.iter().map(|(reason, _)| reason.as_str()).collect::<Vec<_>>().join("; ");
            let reason = if reason.is_empty() { rule.nothing.to_owned() } else { reason };
            return RuleResult { rule, verdict: Verdict::NotApplicable { reason }, unjudged: vec![] };
        }
    };
    RuleResult { rule, verdict, unjudged }
}
