//! The four headings of the onboarding form, and the requirements with what the run showed of each.

use super::{Badge, badge, brief, case, rules};
use crate::{
    report::{
        self,
        showing::{Showing, showing},
        text,
    },
    runner::{Binds, RunRecord},
};

/// One of the four things to be evidenced.
pub(super) struct HeadingView {
    pub(super) name: &'static str,
    pub(super) badge: Badge,
    pub(super) times: Vec<String>,
    pub(super) more: usize,
    pub(super) ids: Vec<String>,
    pub(super) note: String,
}

/// A requirement.
pub(super) struct MatrixRow {
    pub(super) id: String,
    pub(super) level: &'static str,
    pub(super) binds: &'static str,
    pub(super) statement: String,
    pub(super) source: String,
    pub(super) badge: Badge,
    pub(super) reason: String,
    /// Anchor and name of each scenario.
    pub(super) scenarios: Vec<(String, String)>,
    /// Each rule that is about it.
    pub(super) rules: Vec<RuleLink>,
}

/// A rule, and where it is told of.
pub(super) struct RuleLink {
    pub(super) id: &'static str,
    /// `None` when it was not judged.
    pub(super) anchor: Option<String>,
}

pub(super) fn headings(record: &RunRecord) -> Vec<HeadingView> {
    report::headings(record)
        .into_iter()
        .map(|heading| HeadingView {
            name: heading.name,
            badge: badge(&heading.outcome),
            more: heading.exchanges.saturating_sub(heading.seen.len()),
            times: heading.seen.iter().map(|seen| text::second(seen.at)).collect(),
            ids: heading.seen.iter().filter_map(|seen| seen.message.as_deref().map(brief)).collect(),
            note: brief(&heading.note),
        })
        .collect()
}

/// The product's, and the endpoint's where a scenario of the run tests it.
pub(super) fn rows(record: &RunRecord) -> Vec<MatrixRow> {
    let tested =
        |id: &str| record.scenarios.iter().any(|one| one.requirements.iter().any(|other| other == id));
    let shown = record.requirements.iter().filter(|one| one.binds == Binds::Product || tested(&one.id));
    shown
        .map(|requirement| {
            let scenarios = record.scenarios.iter().enumerate();
            let scenarios = scenarios.filter(|(_, one)| one.requirements.contains(&requirement.id));
            let Showing { outcome, is_expected, reason } = showing(record, requirement);
            MatrixRow {
                id: brief(&requirement.id),
                level: requirement.level.word(),
                binds: requirement.binds.word(),
                statement: brief(&requirement.statement),
                source: brief(&requirement.source),
                badge: match is_expected {
                    true => Badge { class: "expected", word: "expected deviation" },
                    false => badge(&outcome),
                },
                reason: brief(&reason),
                scenarios: scenarios
                    .map(|(number, one)| {
                        let name = one.case.clone().unwrap_or_else(|| format!("line {}", one.line));
                        (case::anchor(number), brief(&name))
                    })
                    .collect(),
                rules: requirement.rules.iter().map(|rule| link(record, rule.id())).collect(),
            }
        })
        .collect()
}

fn link(record: &RunRecord, id: &'static str) -> RuleLink {
    let judged = record.rules.iter().find(|rule| rule.result.rule.id == id);
    RuleLink { id, anchor: judged.map(rules::place) }
}
