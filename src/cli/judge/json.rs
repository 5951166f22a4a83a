//! The judgement for programs.

use chrono::SecondsFormat;
use mesh_witness::{report::JudgedRule, rules::traffic::Verdict, tape::printable};
use serde_json::json;

use super::Judgement;

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
        "rules": results.iter().map(JudgedRule::of).collect::<Vec<_>>(),
    });
    format!("{document:#}")
}

fn text(of: &str) -> String {
    printable(of.as_bytes())
}
