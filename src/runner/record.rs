//! The record of one run: what every report is made from.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Requirement;
use crate::{rules::Fault, tape::Exchange};

/// Everything there is to know of a run. Holds no secret: what came in through the tape and the
/// configuration was redacted there.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// A name for this run, unique and sortable: `20261121T120304Z-3f9a`.
    pub run_id: String,
    /// Version of mesh-witness.
    pub tool_version: String,
    /// When the run began, UTC.
    pub started_at: DateTime<Utc>,
    /// When it ended or was cut short, UTC.
    pub ended_at: DateTime<Utc>,
    /// Why the run ended before everything was played; `None` when it came to its end.
    pub cut_short: Option<String>,
    /// What was played against.
    pub environment: Environment,
    /// The product under test.
    pub product: Party,
    /// Who supplies it.
    pub supplier: Option<String>,
    /// The workflow ID that messages carried.
    pub workflow_id: String,
    /// The tag expression that selected scenarios, as given; `None` for all.
    pub tags: Option<String>,
    /// What a reader must know before trusting the result, such as plain HTTP.
    pub warnings: Vec<String>,
    /// The feature files that were played, byte for byte, in the order of play, and the catalogue.
    pub pack: Vec<PackFile>,
    /// The catalogue of requirements to which scenarios refer.
    pub requirements: Vec<Requirement>,
    /// Every selected scenario, in the order of the packs, played or not.
    pub scenarios: Vec<ScenarioRecord>,
    /// Every exchange, ordered by scenario, then by start. [`StepRecord::exchanges`] are places in here.
    pub exchanges: Vec<Arc<Exchange>>,
}

/// What a run was played against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// A name for people: `embedded emulator`, or as configured.
    pub name: String,
    /// Scheme, host and port of the endpoint.
    pub url: String,
    /// Whether it was emulated by mesh-witness itself: then the result is practice, not evidence.
    pub emulated: bool,
    /// Mailboxes that took part, in order of role and name.
    pub mailboxes: Vec<MailboxRole>,
}

/// A mailbox and whose it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailboxRole {
    /// The mailbox ID.
    pub id: String,
    /// `product` or `counterpart`.
    pub role: String,
}

/// A product by name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A feature file that was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// Relative path, with `/`, such as `witness/200-sending.feature`. Safe to use in the bundle.
    pub path: String,
    /// Its content, byte for byte.
    pub content: Vec<u8>,
}

/// One scenario, played or not.
#[derive(Debug, Clone)]
pub struct ScenarioRecord {
    /// The case of the assurance pack, from the tag `@case-201`: `201`. `None` when it has none.
    pub case: Option<String>,
    /// Requirements, from tags such as `@req-SEND-01`: `SEND-01`.
    pub requirements: Vec<String>,
    /// All tags, with their `@`.
    pub tags: Vec<String>,
    /// Title of the feature.
    pub feature: String,
    /// Path of the feature file within the pack.
    pub path: String,
    /// Line of the scenario in its file, from 1.
    pub line: usize,
    /// Title of the scenario.
    pub name: String,
    /// What stands under the title: what it proves, what to do when it fails. Lines, trimmed.
    pub description: String,
    /// What came of it.
    pub outcome: Outcome,
    /// When it began; `None` when it was not played.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its steps, background first.
    pub steps: Vec<StepRecord>,
    /// How far the endpoint's clock was moved while it was played, at most; `None` when it was not.
    pub clock_moved: Option<TimeDelta>,
}

/// What stands in a record until its scenario is played.
pub(super) const NOT_REACHED: &str = "not reached";

/// One step.
#[derive(Debug, Clone)]
pub struct StepRecord {
    /// `Given`, `When`, `Then`, `And`, `But` or `*`.
    pub keyword: String,
    /// The rest of the line.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it did not pass.
    pub fault: Option<Fault>,
    /// Places in [`RunRecord::exchanges`] of what it made or looked at, ascending.
    pub exchanges: Vec<usize>,
}

/// What came of a scenario or a step. Strictly apart: only [`Failed`](Self::Failed) counts against
/// the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it must be.
    Passed,
    /// The thing under test is wrong.
    Failed,
    /// Not played, and why.
    NotRun(String),
    /// The harness, the configuration or the environment broke.
    Error,
}

/// What came of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was selected was played and passed, and there was something.
    Passed,
    /// Something under test is wrong.
    Failed,
    /// Nothing is known to be wrong with the product, but not everything could be judged.
    Error,
    /// The run was cut short before anything was found wrong.
    CutShort,
}

impl RunRecord {
    /// The verdict: never [`Verdict::Passed`] unless something was played and all of it passed.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let any =
            |wanted: fn(&Outcome) -> bool| self.scenarios.iter().any(|scenario| wanted(&scenario.outcome));
        if any(|outcome| *outcome == Outcome::Failed) {
            Verdict::Failed
        } else if self.cut_short.is_some() {
            Verdict::CutShort
        } else if self.scenarios.is_empty() || any(|outcome| *outcome != Outcome::Passed) {
            Verdict::Error
        } else {
            Verdict::Passed
        }
    }

    /// How many scenarios had this outcome; reasons make no difference.
    #[must_use]
    pub fn count(&self, outcome: &Outcome) -> usize {
        let same = |other: &Outcome| std::mem::discriminant(other) == std::mem::discriminant(outcome);
        self.scenarios.iter().filter(|scenario| same(&scenario.outcome)).count()
    }

    /// The first fault of each scenario that has one.
    pub fn faults(&self) -> impl Iterator<Item = (&ScenarioRecord, &Fault)> {
        self.scenarios.iter().filter_map(|scenario| Some((scenario, scenario.fault()?)))
    }
}

impl ScenarioRecord {
    /// Whether it is going to be played: nothing has come of it yet, and nobody has left it out.
    #[must_use]
    pub fn is_to_be_played(&self) -> bool {
        self.outcome == Outcome::NotRun(NOT_REACHED.to_owned())
    }

    /// Why it did not pass, when a step says so.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.steps.iter().find_map(|step| step.fault.as_ref())
    }
}

impl Outcome {
    /// The word for it, as everywhere in the bundle.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotRun(_) => "not run",
            Self::Error => "error",
        }
    }
}

impl Verdict {
    /// The word for it, as everywhere in the bundle.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::CutShort => "cut short",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(outcomes: &[Outcome], cut_short: bool) -> RunRecord {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let scenario = |outcome: &Outcome| ScenarioRecord {
            case: None,
            requirements: vec![],
            tags: vec![],
            feature: String::new(),
            path: String::new(),
            line: 1,
            name: String::new(),
            description: String::new(),
            outcome: outcome.clone(),
            started_at: None,
            ended_at: None,
            steps: vec![],
            clock_moved: None,
        };
        RunRecord {
            run_id: String::new(),
            tool_version: String::new(),
            started_at: at,
            ended_at: at,
            cut_short: cut_short.then(|| "interrupted".to_owned()),
            environment: Environment {
                name: String::new(),
                url: String::new(),
                emulated: true,
                mailboxes: vec![],
            },
            product: Party { name: String::new(), version: String::new() },
            supplier: None,
            workflow_id: String::new(),
            tags: None,
            warnings: vec![],
            pack: vec![],
            requirements: vec![],
            scenarios: outcomes.iter().map(scenario).collect(),
            exchanges: vec![],
        }
    }

    #[test]
    fn only_a_run_in_which_all_passed_is_passed() {
        let not_run = || Outcome::NotRun("reason".to_owned());
        for (outcomes, cut_short, verdict) in [
            (vec![Outcome::Passed, Outcome::Passed], false, Verdict::Passed),
            (vec![], false, Verdict::Error),
            (vec![Outcome::Passed, not_run()], false, Verdict::Error),
            (vec![Outcome::Passed, Outcome::Error], false, Verdict::Error),
            (vec![Outcome::Failed, Outcome::Error], false, Verdict::Failed),
            (vec![Outcome::Passed], true, Verdict::CutShort),
            (vec![Outcome::Failed, not_run()], true, Verdict::Failed),
        ] {
            assert_eq!(run(&outcomes, cut_short).verdict(), verdict, "{outcomes:?} {cut_short}");
        }
    }

    #[test]
    fn reasons_make_no_difference_to_a_count() {
        let record =
            run(&[Outcome::NotRun("a".to_owned()), Outcome::NotRun("b".to_owned()), Outcome::Passed], false);
        assert_eq!(record.count(&Outcome::NotRun(String::new())), 2);
    }
}
