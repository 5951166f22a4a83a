//! The rules over the product's traffic: what is broken and what is doubtful in full, the rest folded.

use super::{Badge, FaultView, Problem, brief, exchange::number_anchor, passage};
use crate::{
    report::{rules, text},
    rules::traffic::{Finding, Verdict, remedies},
    runner::{Fault, FaultKind, RuleRecord, RunRecord},
};

/// Findings of one rule that are shown; `summary.json` has a thousand.
const FINDINGS: usize = 20;
/// Exchanges of one finding that are linked.
const LINKS: usize = 12;

/// All rules, apart by what became of them.
pub(super) struct RulesView {
    pub(super) counts: Vec<(usize, Badge)>,
    pub(super) found: Vec<RuleView>,
    pub(super) held: Vec<RuleLine>,
    pub(super) not_applicable: Vec<RuleLine>,
}

/// A rule that found something.
pub(super) struct RuleView {
    pub(super) anchor: String,
    pub(super) badge: Badge,
    pub(super) id: &'static str,
    pub(super) severity: &'static str,
    pub(super) title: &'static str,
    pub(super) deviation: Option<String>,
    pub(super) findings: Vec<FindingView>,
    pub(super) more: usize,
    /// Where all findings that are shown are mended alike.
    pub(super) remedy: Option<&'static str>,
    pub(super) source: &'static str,
}

/// One thing that it found.
pub(super) struct FindingView {
    pub(super) doubtful: bool,
    pub(super) when: String,
    pub(super) mailbox: Option<String>,
    pub(super) message: Option<String>,
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) seen: String,
    /// Where others are mended in another way, and the next is none of its kind.
    pub(super) remedy: Option<&'static str>,
    /// Anchor and number of each exchange.
    pub(super) exchanges: Vec<(String, usize)>,
    pub(super) more: usize,
}

/// A rule on one line.
pub(super) struct RuleLine {
    pub(super) id: &'static str,
    pub(super) severity: &'static str,
    pub(super) title: &'static str,
    pub(super) note: String,
}

/// What is shown of the rules; `None` when none was applied.
pub(super) fn rules(record: &RunRecord) -> Option<RulesView> {
    if record.rules.is_empty() {
        return None;
    }
    let of = |with: fn(&RuleRecord) -> Option<RuleLine>| record.rules.iter().filter_map(with).collect();
    let mut found: Vec<&RuleRecord> =
        record.rules.iter().filter(|rule| !rules::findings(&rule.result.verdict).is_empty()).collect();
    // Stable: within a rank they stay in the order of the table.
    found.sort_by_key(|rule| (rank(rule), rule.result.rule.severity));
    Some(RulesView {
        counts: counts(record),
        found: found.into_iter().map(|rule| view(record, rule)).collect(),
        held: of(held),
        not_applicable: of(not_applicable),
    })
}

/// Rules that are broken, and not as expected, as things to be mended.
pub(super) fn problems(record: &RunRecord) -> Vec<Problem> {
    let broken = record.rules.iter().filter(|rule| rule.fails());
    broken
        .map(|rule| {
            let (of, findings) = (rule.result.rule, rules::findings(&rule.result.verdict));
            let fault = findings.first().map(|finding| {
                let remedy = finding.remedy.unwrap_or(of.remedy);
                Fault::new(FaultKind::Product, &finding.what, remedy)
                    .comparing(&finding.expected, &finding.seen)
                    .from_source(of.source)
            });
            Problem {
                anchor: anchor(rule),
                badge: badge(rule),
                title: format!("Rule {}: {}", of.id, of.title),
                others: vec![],
                reason: None,
                fault: fault.as_ref().map(FaultView::of),
            }
        })
        .collect()
}

fn rank(rule: &RuleRecord) -> u8 {
    match (rule.is_broken(), rule.deviation) {
        (true, None) => 0,
        (true, Some(_)) => 1,
        (false, _) => 2,
    }
}

fn anchor(rule: &RuleRecord) -> String {
    format!("rule-{}", rule.result.rule.id)
}

/// Where a rule is told of: by itself when it found something, otherwise among the others.
pub(super) fn place(rule: &RuleRecord) -> String {
    if rules::findings(&rule.result.verdict).is_empty() { "rules".to_owned() } else { anchor(rule) }
}

fn badge(rule: &RuleRecord) -> Badge {
    match (&rule.result.verdict, rule.deviation) {
        (Verdict::Broken { .. }, Some(_)) => Badge { class: "expected", word: "expected deviation" },
        (Verdict::Broken { .. }, None) => Badge { class: "failed", word: "broken" },
        (Verdict::Warned { .. }, _) => Badge { class: "warning", word: "warning" },
        (Verdict::Held { .. }, _) => Badge { class: "passed", word: "held" },
        (Verdict::NotApplicable { .. }, _) => Badge { class: "not-applicable", word: "not applicable" },
    }
}

fn counts(record: &RunRecord) -> Vec<(usize, Badge)> {
    let counts = record.rule_counts();
    let all = [
        (counts.broken, "failed", "broken"),
        (counts.expected, "expected", "expected deviation"),
        (counts.warned, "warning", "warning"),
        (counts.held, "passed", "held"),
        (counts.not_applicable, "not-applicable", "not applicable"),
    ];
    let shown = all.into_iter().filter(|(count, ..)| *count > 0);
    shown.map(|(count, class, word)| (count, Badge { class, word })).collect()
}

fn view(record: &RunRecord, rule: &RuleRecord) -> RuleView {
    let (of, findings) = (rule.result.rule, rules::findings(&rule.result.verdict));
    let shown = findings.get(..FINDINGS).unwrap_or(findings);
    let remedies = remedies(of, shown);
    let mut told = remedies.iter().flatten();
    let alike = told.next().copied().filter(|_| told.next().is_none());
    let own = remedies.into_iter().map(|remedy| remedy.filter(|_| alike.is_none()));
    RuleView {
        anchor: anchor(rule),
        badge: badge(rule),
        id: of.id,
        severity: of.severity.word(),
        title: of.title,
        deviation: record.deviation_of_rule(rule).map(|deviation| brief(&text::deviation(deviation))),
        findings: shown.iter().zip(own).map(|(finding, remedy)| one(rule, finding, remedy)).collect(),
        more: findings.len() - shown.len(),
        remedy: alike,
        source: of.source,
    }
}

fn one(rule: &RuleRecord, of: &Finding, remedy: Option<&'static str>) -> FindingView {
    let exchanges = of.exchanges.iter().take(LINKS);
    FindingView {
        doubtful: rule.is_broken() && of.grade == crate::rules::traffic::Grade::Warning,
        when: text::second(of.at),
        mailbox: of.mailbox.as_deref().map(brief),
        message: of.message.as_deref().map(brief),
        what: brief(&of.what),
        expected: passage(&of.expected),
        seen: passage(&of.seen),
        remedy,
        exchanges: exchanges.map(|number| (number_anchor(number.saturating_sub(1)), *number)).collect(),
        more: of.exchanges.len().saturating_sub(LINKS),
    }
}

fn held(rule: &RuleRecord) -> Option<RuleLine> {
    let Verdict::Held { looked_at } = rule.result.verdict else { return None };
    let looked_at = format!("looked at {}", text::grouped(looked_at as u64));
    let partly = rule.result.unjudged.iter().map(|(reason, count)| format!("; not at {count}: {reason}"));
    Some(line(rule, &std::iter::once(looked_at).chain(partly).collect::<String>()))
}

fn not_applicable(rule: &RuleRecord) -> Option<RuleLine> {
    let Verdict::NotApplicable { reason } = &rule.result.verdict else { return None };
    Some(line(rule, reason))
}

fn line(rule: &RuleRecord, note: &str) -> RuleLine {
    let of = rule.result.rule;
    RuleLine { id: of.id, severity: of.severity.word(), title: of.title, note: brief(note) }
}
