//! Cases, their steps, and what was wrong with them.

use super::{
    Badge, Fact,
    attempts::Attempts,
    badge, badge_of, brief,
    exchange::{ExchangeView, Row, Viewer, number_anchor},
    passage,
};
use crate::{
    report::{exchanges, text},
    runner::{Fault, FaultKind, Outcome, RunRecord, ScenarioRecord, StepRecord},
};

/// How many message IDs stand in the table at a glance; a case that moves hundreds has the rest below.
const IDS_AT_A_GLANCE: usize = 3;
/// How many message IDs stand in the case itself.
const IDS_IN_CASE: usize = 200;

/// A scenario.
pub(super) struct Case {
    pub(super) anchor: String,
    pub(super) label: Option<String>,
    pub(super) name: String,
    pub(super) badge: Badge,
    pub(super) when: Option<String>,
    pub(super) glance_ids: Vec<String>,
    pub(super) glance_more: usize,
    pub(super) open: bool,
    pub(super) description: Vec<String>,
    pub(super) reason: Option<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) ids: Vec<String>,
    pub(super) more_ids: usize,
    pub(super) requirements: Vec<RequirementView>,
    pub(super) tags: Vec<String>,
    pub(super) steps: Vec<Step>,
    pub(super) others: Vec<ExchangeUse>,
    pub(super) attempts: Option<Attempts>,
}

/// A requirement that a scenario tests. The statement is empty when no catalogue has it.
pub(super) struct RequirementView {
    pub(super) id: String,
    pub(super) statement: String,
    pub(super) source: String,
}

/// A step.
pub(super) struct Step {
    pub(super) keyword: String,
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) badge: Badge,
    pub(super) reason: Option<String>,
    pub(super) fault: Option<FaultView>,
    pub(super) notes: Vec<String>,
    pub(super) open: bool,
    pub(super) exchanges: Vec<ExchangeUse>,
}

/// An exchange is shown once, and linked to from where else it was looked at. Of those that are alike there
/// is a table.
pub(super) enum ExchangeUse {
    Shown(Box<ExchangeView>),
    Alike(Vec<Row>),
    Linked { anchor: String, number: usize, label: String },
}

/// What was wrong, and how to mend it.
#[derive(PartialEq)]
pub(super) struct FaultView {
    pub(super) whose: &'static str,
    pub(super) what: String,
    pub(super) compared: Option<(String, String)>,
    pub(super) remedy: String,
    pub(super) source: Option<String>,
}

/// Where a case stands on the page.
pub(super) fn anchor(number: usize) -> String {
    format!("case-{}", number + 1)
}

/// How a case is called: `201 An uncompressed message arrives unaltered`.
pub(super) fn title(scenario: &ScenarioRecord) -> String {
    match &scenario.case {
        Some(case) => brief(&format!("{case} {}", scenario.name)),
        None => brief(&scenario.name),
    }
}

/// All of them, in the order of the packs.
pub(super) fn cases(record: &RunRecord) -> Vec<Case> {
    let mut viewer = Viewer::new(record);
    record
        .scenarios
        .iter()
        .enumerate()
        .map(|(number, scenario)| case(record, number, scenario, &mut viewer))
        .collect()
}

fn case(record: &RunRecord, number: usize, scenario: &ScenarioRecord, viewer: &mut Viewer<'_>) -> Case {
    let ids = exchanges::message_ids(record, number);
    let first = |count: usize| ids.iter().take(count).cloned().collect::<Vec<_>>();
    let steps: Vec<Step> = scenario.steps.iter().map(|of| step(of, viewer)).collect();
    let mut others = exchanges::exchanges_of(record, number);
    others.retain(|place| !viewer.was_shown(*place));
    let others = viewer.views(others);
    Case {
        anchor: anchor(number),
        label: scenario.case.as_deref().map(brief),
        name: brief(&scenario.name),
        badge: badge_of(scenario),
        when: scenario.started_at.map(text::second),
        glance_ids: first(IDS_AT_A_GLANCE),
        glance_more: ids.len().saturating_sub(IDS_AT_A_GLANCE),
        open: matches!(scenario.outcome, Outcome::Failed | Outcome::Error) && scenario.deviation.is_none(),
        description: paragraphs(&scenario.description),
        reason: reason(&scenario.outcome),
        facts: facts(record, scenario),
        ids: first(IDS_IN_CASE),
        more_ids: ids.len().saturating_sub(IDS_IN_CASE),
        requirements: scenario.requirements.iter().map(|id| requirement(record, id)).collect(),
        tags: scenario.tags.iter().map(|tag| brief(tag)).collect(),
        steps,
        others,
        attempts: Attempts::of(record, number),
    }
}

fn requirement(record: &RunRecord, id: &str) -> RequirementView {
    let known = record.requirements.iter().find(|requirement| requirement.id == id);
    RequirementView {
        id: brief(id),
        statement: known
            .map(|known| format!("{} {}", known.level.word(), brief(&known.statement)))
            .unwrap_or_default(),
        source: known.map(|known| brief(&known.source)).unwrap_or_default(),
    }
}

fn facts(record: &RunRecord, scenario: &ScenarioRecord) -> Vec<Fact> {
    let mut facts = vec![
        Fact { name: "Feature", value: brief(&scenario.feature), code: false },
        Fact {
            name: "Feature file",
            value: brief(&format!("{}:{}", scenario.path, scenario.line)),
            code: true,
        },
    ];
    if let (Some(from), Some(to)) = (scenario.started_at, scenario.ended_at) {
        facts.push(Fact { name: "Started (UTC)", value: text::second(from), code: true });
        facts.push(Fact { name: "Ended (UTC)", value: text::second(to), code: true });
        facts.push(Fact { name: "Duration", value: text::duration(text::between(from, to)), code: false });
    }
    if let Some(said) = &scenario.attestation {
        facts.push(Fact {
            name: "Attested by",
            value: brief(&format!("{}, {}", said.name, said.role)),
            code: false,
        });
        facts.push(Fact { name: "Attested on (UTC)", value: brief(&said.date), code: true });
        facts.push(Fact { name: "Statement", value: brief(&said.statement), code: false });
        facts.push(Fact { name: "Given", value: format!("by {}", said.given.word()), code: false });
    }
    if let Some(deviation) = record.deviation_of(scenario) {
        facts.push(Fact {
            name: "Expected deviation",
            value: brief(&text::deviation(deviation)),
            code: false,
        });
    }
    if let Some(moved) = scenario.clock_moved {
        let value = format!("by {}, on purpose", text::moved(moved));
        facts.push(Fact { name: "Endpoint's clock moved", value, code: false });
    }
    facts
}

fn step(of: &StepRecord, viewer: &mut Viewer<'_>) -> Step {
    let exchanges = viewer.views(of.exchanges.iter().copied());
    Step {
        keyword: brief(&of.keyword),
        text: passage(&of.text),
        line: of.line,
        badge: badge(&of.outcome),
        reason: reason(&of.outcome),
        fault: of.fault.as_ref().map(FaultView::of),
        notes: of.notes.iter().map(|note| brief(note)).collect(),
        open: matches!(of.outcome, Outcome::Failed | Outcome::Error),
        exchanges,
    }
}

fn reason(outcome: &Outcome) -> Option<String> {
    outcome.reason().map(brief)
}

/// Lines that follow each other are one paragraph, as in Markdown.
fn paragraphs(description: &str) -> Vec<String> {
    let shown = passage(description);
    let mut paragraphs = vec![String::new()];
    for line in shown.lines().map(str::trim) {
        match (line.is_empty(), paragraphs.last_mut()) {
            (false, Some(last)) if last.is_empty() => *last = line.to_owned(),
            (false, Some(last)) => *last = format!("{last} {line}"),
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

impl ExchangeUse {
    /// A link to an exchange that was shown before.
    pub(super) fn linked(place: usize, label: &str) -> Self {
        Self::Linked { anchor: number_anchor(place), number: place + 1, label: label.to_owned() }
    }

    /// What was answered, where it stands here.
    fn statuses(&self) -> Vec<&str> {
        match self {
            Self::Shown(exchange) => vec![&exchange.status_short],
            Self::Alike(rows) => rows.iter().map(|row| row.status.as_str()).collect(),
            Self::Linked { .. } => Vec::new(),
        }
    }
}

impl Step {
    /// What its exchanges came to, such as `200, 202`; the first few.
    pub(super) fn statuses(&self) -> String {
        const SHOWN: usize = 5;
        let all: Vec<&str> = self.exchanges.iter().flat_map(ExchangeUse::statuses).collect();
        let more = all.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown: Vec<&str> = all.into_iter().take(SHOWN).collect();
        format!("{}{more}", shown.join(", "))
    }
}

impl FaultView {
    /// What to show of a fault.
    pub(super) fn of(fault: &Fault) -> Self {
        let compared = (fault.expected.is_some() || fault.seen.is_some()).then(|| {
            let side = |text: &Option<String>| text.as_deref().map_or_else(|| "nothing".to_owned(), passage);
            (side(&fault.expected), side(&fault.seen))
        });
        Self {
            whose: match fault.kind {
                FaultKind::Product => "The product, or its account",
                FaultKind::Configuration => "The call or the configuration",
                FaultKind::EndpointUnderTest => "The endpoint, which is what this scenario tests",
                FaultKind::Endpoint => "The endpoint or the environment, not the product",
                FaultKind::Harness => "mesh-witness itself, not the product",
            },
            what: brief(&fault.what),
            compared,
            remedy: brief(&fault.remedy),
            source: fault.source.as_deref().map(brief),
        }
    }
}
