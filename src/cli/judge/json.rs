//! The judgement for programs.

use chrono::SecondsFormat;
use mesh_witness::{
    rules::traffic::{Finding, Grade, RuleResult, Verdict},
    tape::printable,
};
use serde_json::{Value, json};

use super::Judgement;

/// Findings of one rule that are listed; the rest is counted.
const LISTED: usize = 1000;

/// The document.
pub fn render(judgement: &Judgement<'_>) -> String {
    let Judgement { recording, mailbox, results } = judgement;
    let span = recording.span();
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let document = json!({
        "tool": format!("mesh-witness {}", env!("CARGO_PKG_VERSION")),
        "source": {
            "kind": recording.kind,
            "path": text(&recording.path),
            "recorded_by": text(&recording.by),
            "exchanges": recording.exchanges.len(),
            "numbers_are": recording.numbers,
            "from": span.map(|(from, _)| time(from)),
            "to": span.map(|(_, to)| time(to)),
            "notes": recording.notes.iter().map(|note| text(note)).collect::<Vec<_>>(),
        },
        "mailbox": mailbox.map(|mailbox| mailbox.as_str()),
        "verdict": if results.iter().any(|r| matches!(r.verdict, Verdict::Broken { .. })) { "failed" } else { "passed" },
        "rules": results.iter().map(rule).collect::<Vec<_>>(),
    });
    format!("{document:#}")
}

fn rule(result: &RuleResult) -> Value {
    let RuleResult { rule, verdict, unjudged } = result;
    let mut document = json!({
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.word(),
        "source": rule.source,
        "remedy": rule.remedy,
        "verdict": word(verdict),
        "not_judged": unjudged.iter().map(|(reason, count)| json!({"reason": text(reason), "count": count})).collect::<Vec<_>>(),
    });
    match verdict {
        Verdict::Held { looked_at } => document["looked_at"] = json!(looked_at),
        Verdict::NotApplicable { reason } => document["reason"] = json!(text(reason)),
        Verdict::Broken { findings } | Verdict::Warned { findings } => {
            document["findings_in_all"] = json!(findings.len());
            document["findings"] = findings.iter().take(LISTED).map(finding).collect();
        }
    }
    document
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Held { .. } => "held",
        Verdict::Broken { .. } => "broken",
        Verdict::Warned { .. } => "warning",
        Verdict::NotApplicable { .. } => "not_applicable",
    }
}

fn finding(of: &Finding) -> Value {
    json!({
        "grade": if of.grade == Grade::Broken { "broken" } else { "warning" },
        "at": of.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "mailbox": of.mailbox.as_deref().map(text),
        "message": of.message.as_deref().map(text),
        "exchanges": of.exchanges,
        "what": text(&of.what),
        "expected": text(&of.expected),
        "seen": text(&of.seen),
        "remedy": of.remedy,
    })
}

fn text(of: &str) -> String {
    printable(of.as_bytes())
}
