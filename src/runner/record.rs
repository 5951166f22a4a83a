//! The record of one run: what every report is made from.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use cucumber::gherkin::Feature;

use super::{
    Attestation, Comparison, Deviation, Level, Outcome, Pending, Requirement, RuleRecord, StepDefinition,
    StepMatch, Verdict,
};
use crate::{
    product::Driver,
    rules::{
        Fault,
        traffic::{Course, Verdict as Judged},
    },
    tape::{Attempt, Exchange},
};

/// Everything there is to know of a run. Holds no secret: what came in through the tape and the
/// configuration was redacted there.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// A name for this run, unique and sortable: `20261121T120304Z-3f9a`.
    pub run_id: String,
    /// Version of mesh-witness.
    pub tool_version: String,
    /// What it was made on.
    pub platform: Platform,
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
    /// How it was asked to act: the word for its driver.
    pub driver: String,
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
    /// The step definitions with which scenarios' steps were matched. [`StepMatch::definition`] is a place in here.
    pub definitions: Vec<StepDefinition>,
    /// The catalogue of requirements to which scenarios refer.
    pub requirements: Vec<Requirement>,
    /// Every selected scenario, in the order of the packs, played or not.
    pub scenarios: Vec<ScenarioRecord>,
    /// What the rules say of the product's traffic, in the order of
    /// [`RULES`](crate::rules::traffic::RULES). Empty when nothing was the product's own.
    pub rules: Vec<RuleRecord>,
    /// What the product was asked to do, and when: rules go by it.
    pub course: Course,
    /// Whether no configuration was given, so that nobody could be asked to attest anything.
    pub practice: bool,
    /// Failures that were expected. [`ScenarioRecord::deviation`] is a place in here.
    pub deviations: Vec<Deviation>,
    /// What is wrong with the list of expected failures; each is a failure of the run.
    pub deviation_problems: Vec<String>,
    /// The run ID of the earlier run that this one went on with.
    pub resumed: Option<String>,
    /// What is left to be done days later.
    pub pending: Vec<Pending>,
    /// How the outcomes differ from those of an earlier run; `None` when there was no comparison.
    pub comparison: Option<Comparison>,
    /// Every exchange, ordered by scenario, then by start. [`StepRecord::exchanges`] are places in here.
    pub exchanges: Vec<Arc<Exchange>>,
    /// Every connection to an endpoint that nobody should trust, ordered by scenario, then by start.
    pub attempts: Vec<Arc<Attempt>>,
}

/// How many rules there are of each kind. Each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// Those that hold.
    pub held: usize,
    /// Those that are broken, and nobody expected it.
    pub broken: usize,
    /// Those with a warning.
    pub warned: usize,
    /// Those that had nothing to look at.
    pub not_applicable: usize,
    /// Those that are broken as expected.
    pub expected: usize,
}

/// What a run was made on. Nothing that names a machine or who uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The operating system, as Rust names it.
    pub os: String,
    /// The processor's architecture, as Rust names it.
    pub arch: String,
    /// The version of Rust that mesh-witness was built with; `None` when the build could not tell.
    pub rust: Option<String>,
}

impl Platform {
    /// Where this program runs.
    pub(super) fn here() -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            rust: option_env!("MESH_WITNESS_RUST").map(str::to_owned),
        }
    }
}

/// What a run was played against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// A name for people: `embedded emulator`, or as configured.
    pub name: String,
    /// Scheme, host and port of the endpoint.
    pub url: String,
    /// Whether it was emulated by mesh-witness itself.
    pub emulated: bool,
    /// Whether it is on this machine, by its URL or by an address that was connected to.
    pub on_this_machine: bool,
    /// Mailboxes that took part, in order of role and name.
    pub mailboxes: Vec<MailboxRole>,
}

/// What a run is worth, by where it was played. Onboarding asks for evidence of an environment of NHS England
/// (digital onboarding form, questions 1 to 3), which nothing on this machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// mesh-witness emulated the endpoint, in this run or standing alone.
    Emulated,
    /// The endpoint is on this machine, such as mesh-sandbox, or a forwarder that might lead anywhere.
    ThisMachine,
    /// An environment that others use as well.
    Environment,
}

impl Standing {
    /// The standing of what was played against the endpoint that is configured: a proxy of the run's before it makes
    /// no difference.
    pub(super) fn of(emulated: bool, on_this_machine: bool) -> Self {
        match (emulated, on_this_machine) {
            (true, _) => Self::Emulated,
            (false, true) => Self::ThisMachine,
            (false, false) => Self::Environment,
        }
    }

    /// What stands over everything that is no evidence.
    pub(super) fn banner(self) -> Option<&'static str> {
        match self {
            Self::Emulated => Some("EMULATED: practice, not evidence"),
            Self::ThisMachine => Some("ON THIS MACHINE: practice, not evidence"),
            Self::Environment => None,
        }
    }
}

impl Environment {
    fn standing(&self) -> Standing {
        Standing::of(self.emulated, self.on_this_machine)
    }

    /// Whether a run here says anything of an environment of NHS England.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        self.standing() == Standing::Environment
    }

    /// What stands over everything that is told of a run here, where that is no evidence.
    #[must_use]
    pub fn banner(&self) -> Option<&'static str> {
        self.standing().banner()
    }

    /// What a run here is worth, in a few words.
    #[must_use]
    pub fn worth(&self) -> &'static str {
        match self.standing() {
            Standing::Emulated => "practice on the emulator, not evidence",
            Standing::ThisMachine => "practice on this machine, not evidence",
            Standing::Environment => "evidence",
        }
    }
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
    /// What was read in it, outlines as they stand there; `None` for a catalogue.
    pub feature: Option<Arc<Feature>>,
}

impl PackFile {
    /// A file in which nothing was read yet.
    pub(crate) fn new(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: content.into(), feature: None }
    }
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
    /// Which expected deviation its failure is, as a place in [`RunRecord::deviations`].
    pub deviation: Option<usize>,
    /// What a named person said, where that is what the case asks for.
    pub attestation: Option<Attestation>,
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
    /// The step definition that it is; `None` when that is not known.
    pub matched: Option<StepMatch>,
    /// When it began; `None` when it was not played.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended; `None` when it was not played to its end.
    pub ended_at: Option<DateTime<Utc>>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it did not pass, or what it should be besides.
    pub fault: Option<Fault>,
    /// What was measured, for people.
    pub notes: Vec<String>,
    /// Places in [`RunRecord::exchanges`] of what it made or looked at, ascending.
    pub exchanges: Vec<usize>,
}

impl RunRecord {
    /// The verdict: never [`Verdict::Passed`] unless something was played, and nothing that counts was
    /// left out or went wrong.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let counting = || self.scenarios.iter().filter(|scenario| !self.is_excused(scenario));
        let any = |like: &Outcome| counting().any(|scenario| scenario.outcome.is_like(like));
        let breaks_rules = self.rules.iter().any(RuleRecord::fails);
        if any(&Outcome::Failed) || breaks_rules || !self.deviation_problems.is_empty() {
            Verdict::Failed
        } else if self.cut_short.is_some() {
            Verdict::CutShort
        } else if any(&Outcome::Error) || self.scenarios.is_empty() {
            Verdict::Error
        } else if any(&Outcome::NotRun(String::new())) || !self.has_measured() {
            Verdict::Incomplete
        } else {
            Verdict::Passed
        }
    }

    /// Whether no configuration was given: the emulator and the reference client played with each other.
    #[must_use]
    pub fn is_without_configuration(&self) -> bool {
        self.practice && self.driver == Driver::Reference.word()
    }

    /// Whether anything was seen to be as it must be. What a person says is no measurement.
    #[must_use]
    pub fn has_measured(&self) -> bool {
        self.scenarios.iter().any(|of| matches!(of.outcome, Outcome::Passed | Outcome::Warning))
    }

    /// Whether a scenario is shown and not counted: a failure that was expected, or in practice an
    /// attestation that nobody could be asked for.
    #[must_use]
    pub fn is_excused(&self, scenario: &ScenarioRecord) -> bool {
        let unasked = matches!(scenario.outcome, Outcome::NotRun(_)) && scenario.asks_for_attestation();
        scenario.deviation.is_some() || (self.practice && unasked)
    }

    /// How many scenarios had this outcome; reasons make no difference. Failures that were expected
    /// are not among them, but in [`RunRecord::expected_deviations`].
    #[must_use]
    pub fn count(&self, outcome: &Outcome) -> usize {
        let like =
            |scenario: &&ScenarioRecord| scenario.outcome.is_like(outcome) && scenario.deviation.is_none();
        self.scenarios.iter().filter(like).count()
    }

    /// How many scenarios failed as expected.
    #[must_use]
    pub fn expected_deviations(&self) -> usize {
        self.scenarios.iter().filter(|scenario| scenario.deviation.is_some()).count()
    }

    /// How many rules held, were broken, gave a warning, did not apply, and were broken as expected.
    #[must_use]
    pub fn rule_counts(&self) -> RuleCounts {
        let mut counts = RuleCounts::default();
        for rule in &self.rules {
            *match (&rule.result.verdict, rule.deviation) {
                (Judged::Broken { .. }, Some(_)) => &mut counts.expected,
                (Judged::Broken { .. }, None) => &mut counts.broken,
                (Judged::Held { .. }, _) => &mut counts.held,
                (Judged::Warned { .. }, _) => &mut counts.warned,
                (Judged::NotApplicable { .. }, _) => &mut counts.not_applicable,
            } += 1;
        }
        counts
    }

    /// The deviation that a scenario's failure is.
    #[must_use]
    pub fn deviation_of(&self, scenario: &ScenarioRecord) -> Option<&Deviation> {
        self.deviations.get(scenario.deviation?)
    }

    /// The deviation by which a rule is expected to be broken.
    #[must_use]
    pub fn deviation_of_rule(&self, rule: &RuleRecord) -> Option<&Deviation> {
        self.deviations.get(rule.deviation?)
    }

    /// The first fault of each scenario that has one and counts.
    pub fn faults(&self) -> impl Iterator<Item = (&ScenarioRecord, &Fault)> {
        let counting = self.scenarios.iter().filter(|scenario| !self.is_excused(scenario));
        counting.filter_map(|scenario| Some((scenario, scenario.fault()?)))
    }
}

/// The tag of a case that a person attests.
const ATTESTATION: &str = "@attestation";
/// The tag of what judges an endpoint.
const ENDPOINT: &str = "@endpoint";

impl ScenarioRecord {
    /// Whether it is a case that a person attests.
    #[must_use]
    pub fn asks_for_attestation(&self) -> bool {
        self.tags.iter().any(|tag| tag == ATTESTATION)
    }

    /// Whether it judges the endpoint, and not a product.
    #[must_use]
    pub fn judges_endpoint(&self) -> bool {
        self.tags.iter().any(|tag| tag == ENDPOINT)
    }

    /// Whether it fails what is not as it has it: always a product; an endpoint where one of its requirements
    /// is a MUST, or none is known. Otherwise an endpoint is warned.
    #[must_use]
    pub fn is_binding(&self, requirements: &[Requirement]) -> bool {
        let mut own = requirements.iter().filter(|one| self.requirements.contains(&one.id)).peekable();
        !self.judges_endpoint() || own.peek().is_none() || own.any(|one| one.level == Level::Must)
    }

    /// The word for its outcome; an expected failure has one of its own.
    #[must_use]
    pub fn word(&self) -> &'static str {
        if self.deviation.is_some() { "expected deviation" } else { self.outcome.word() }
    }

    /// Whether it is going to be played: nothing has come of it yet, and nobody has left it out.
    #[must_use]
    pub fn is_to_be_played(&self) -> bool {
        self.outcome == Outcome::NotRun(NOT_REACHED.to_owned())
    }

    /// Whether a step that did not pass made or looked at this exchange.
    #[must_use]
    pub fn blames(&self, exchange: usize) -> bool {
        self.steps.iter().any(|step| step.fault.is_some() && step.exchanges.contains(&exchange))
    }

    /// How many of its steps have begun: one after the other, from the first.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.steps.iter().take_while(|step| step.started_at.is_some()).count()
    }

    /// The place of the step that had begun last by then; the first when none had.
    pub(super) fn step_at(&self, at: DateTime<Utc>) -> usize {
        let begun = |step: &StepRecord| step.started_at.is_some_and(|begun| begun <= at);
        self.steps.iter().rposition(begun).unwrap_or(0)
    }

    /// Why it did not pass, when a step says so: what made its outcome, and not a warning before that.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.decisive().and_then(|step| step.fault.as_ref())
    }

    /// The step that says why it did not pass: what made its outcome, and not a warning before that.
    #[must_use]
    pub fn decisive(&self) -> Option<&StepRecord> {
        let decisive = self.steps.iter().filter(|step| step.outcome.is_like(&self.outcome));
        decisive.chain(&self.steps).find(|step| step.fault.is_some())
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
