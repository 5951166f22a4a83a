//! What the rules say of the product's traffic, at the end of a run.

use chrono::SecondsFormat;
use mesh_witness::{
    rules::traffic::{Finding, Verdict as Judged, remedies},
    runner::RunRecord,
    tape::printable,
};

use super::Screen;

/// Findings of one broken rule that are shown, and exchanges of one finding.
const FINDINGS: usize = 3;
const NUMBERS: usize = 8;

impl Screen {
    /// What the rules say of the product's traffic: in full where it fails the run.
    pub(super) fn rules(&self, record: &RunRecord) {
        let counts = record.rule_counts();
        for rule in &record.rules {
            let of = rule.result.rule;
            let title = format!("rule {}: {}", of.id, of.title);
            match (&rule.result.verdict, rule.deviation) {
                (Judged::Broken { .. }, Some(place)) => {
                    let until =
                        self.deviations.get(place).map(|one| one.expires.to_string()).unwrap_or_default();
                    let note = format!("expected deviation, until {until}");
                    self.line(&format!("  {} {title}  {}", self.yellow("~"), self.dim(&note)));
                }
                (Judged::Broken { findings }, None) => {
                    self.line(&format!("  {} {title}  {}", self.red("✗"), self.dim("broken")));
                    let shown = findings.get(..FINDINGS).unwrap_or(findings);
                    for (finding, remedy) in shown.iter().zip(remedies(of, shown)) {
                        self.finding(finding);
                        self.row("to mend", remedy);
                    }
                    self.row("source", Some(of.source));
                    self.more(findings.len());
                }
                (Judged::Warned { findings }, _) => {
                    let what = findings.first().map(|finding| finding.what.as_str()).unwrap_or_default();
                    self.line(&format!(
                        "  {} rule {}: {what}  {}",
                        self.yellow("!"),
                        of.id,
                        self.dim("warning")
                    ));
                }
                (Judged::Held { .. } | Judged::NotApplicable { .. }, _) => {}
            }
        }
        if record.rules.is_empty() {
            return;
        }
        let counts = [
            (counts.held, "held"),
            (counts.broken, "broken"),
            (counts.warned, "with a warning"),
            (counts.expected, "broken as expected"),
            (counts.not_applicable, "not applicable"),
        ];
        let told = counts.iter().filter(|(count, word)| *count > 0 || matches!(*word, "held" | "broken"));
        let told = told.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ");
        self.line(&format!("  {:<12} {}", "rules", self.dim(&told)));
        self.line("");
    }

    fn finding(&self, finding: &Finding) {
        let exchanges: Vec<String> =
            finding.exchanges.iter().take(NUMBERS).map(ToString::to_string).collect();
        let at = finding.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mailbox = finding.mailbox.as_deref().unwrap_or("no mailbox");
        let more = if finding.exchanges.len() > NUMBERS { " and more" } else { "" };
        let plural = if finding.exchanges.len() == 1 { "" } else { "s" };
        self.line(&format!("        {}", self.bold(&printable(finding.what.as_bytes()))));
        let rows = [
            ("where", format!("{at} {mailbox} exchange{plural} {}{more}", exchanges.join(", "))),
            ("expected", finding.expected.clone()),
            ("seen", finding.seen.clone()),
        ];
        rows.iter().for_each(|(name, text)| self.row(name, Some(text)));
    }

    fn row(&self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.line(&format!("        {} {}", self.dim(&format!("{name:<9}")), printable(text.as_bytes())));
        }
    }

    fn more(&self, findings: usize) {
        if findings > FINDINGS {
            self.line(&format!("        and {} more: data/report.html", findings - FINDINGS));
        }
    }
}
