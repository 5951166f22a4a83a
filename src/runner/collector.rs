//! Turns cucumber's events into the record of each scenario, and tells whoever watches.

use std::{
    any::Any,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use chrono::{DateTime, Utc};
use cucumber::{
    Event, Writer, cli,
    event::{self, Hook, HookType, StepError},
    gherkin, parser,
    writer::{NonTransforming, Normalized},
};

use super::{
    Fault, FaultKind, MeshWorld, Outcome, Requirement, ScenarioRecord, Setting, deviations, setting::Remark,
};
use crate::tape::ScenarioNumber;

/// What a person watching a run is told.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A scenario begins.
    Started(&'a ScenarioRecord),
    /// A step has ended: how many of the scenario's steps have by now.
    Step(&'a ScenarioRecord, usize),
    /// A scenario has ended.
    Ended(&'a ScenarioRecord),
}

/// Told of what happens, as it happens.
pub type Observer = Box<dyn Fn(&Progress<'_>)>;

/// The records as they grow. Survives a run that is cut short.
#[derive(Clone, Default)]
pub(super) struct Records {
    inner: Arc<Mutex<Vec<Growing>>>,
}

/// A record in the making.
#[derive(Debug, Clone)]
pub(super) struct Growing {
    pub record: ScenarioRecord,
    /// Whether an endpoint that is not as the scenario has it fails. No requirement of it is a MUST when not.
    binding: bool,
}

impl Records {
    /// `requirements` are all that scenarios refer to.
    pub fn new(planned: &[ScenarioRecord], requirements: &[Requirement]) -> Self {
        let growing = |record: &ScenarioRecord| Growing {
            binding: record.is_binding(requirements),
            record: record.clone(),
        };
        Self { inner: Arc::new(Mutex::new(planned.iter().map(growing).collect())) }
    }

    pub fn snapshot(&self) -> Vec<Growing> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Growing>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer that cucumber calls.
pub(super) struct Collector {
    records: Records,
    setting: Arc<Setting>,
    observer: Observer,
}

impl Collector {
    pub fn new(records: Records, setting: Arc<Setting>, observer: Observer) -> Self {
        Self { records, setting, observer }
    }

    fn scenario(&self, scenario: &gherkin::Scenario, event: &event::Scenario<MeshWorld>, at: DateTime<Utc>) {
        let mut records = self.records.lock();
        // The plan wrote the scenario's number there.
        let Some(growing) = records.get_mut(scenario.position.col) else { return };
        match event {
            event::Scenario::Started => {
                growing.record.started_at = Some(at);
                (self.observer)(&Progress::Started(&growing.record));
            }
            event::Scenario::Background(_, step) | event::Scenario::Step(_, step) => {
                if growing.step(step, at) {
                    (self.observer)(&Progress::Step(&growing.record, growing.record.begun()));
                }
            }
            event::Scenario::Hook(which, Hook::Failed(_, info)) => growing.hook_failed(*which, info),
            event::Scenario::Finished => {
                let number = ScenarioNumber(scenario.position.col);
                growing.take(self.setting.ledger.remarks(number));
                growing.finish(at, self.setting.has_measured(number));
                let known = &self.setting.terms.deviations;
                growing.record.deviation = deviations::of(known, &growing.record, at.date_naive());
                (self.observer)(&Progress::Ended(&growing.record));
            }
            event::Scenario::Hook(..) | event::Scenario::Log(_) => {}
        }
    }
}

impl Growing {
    /// Whether the step has ended.
    fn step(&mut self, step: &event::Step<MeshWorld>, at: DateTime<Utc>) -> bool {
        let begun = self.record.begun();
        if matches!(step, event::Step::Started) {
            if let Some(next) = self.record.steps.get_mut(begun) {
                next.started_at = Some(at);
            }
            return false;
        }
        let place = begun.saturating_sub(1);
        let lenient = !self.binding && self.judges(place);
        let Some(record) = self.record.steps.get_mut(place) else { return false };
        record.ended_at = Some(at);
        match step {
            event::Step::Passed(..) => record.outcome = Outcome::Passed,
            event::Step::Failed(_, _, world, error) => {
                let ending = world.as_deref().and_then(|world| world.ending.clone());
                let fault =
                    world.as_deref().and_then(|world| world.fault.clone()).unwrap_or_else(|| broken(error));
                match ending {
                    Some(ending) => record.outcome = ending,
                    None => {
                        record.outcome = match fault.kind {
                            FaultKind::EndpointUnderTest if lenient => Outcome::Warning,
                            kind => outcome(kind),
                        };
                        record.fault = Some(fault);
                    }
                }
            }
            event::Step::Skipped | event::Step::Started => {
                record.outcome = Outcome::Error;
                record.fault =
                    Some(Fault::new(FaultKind::Configuration, "there is no such step", "Check its wording."));
            }
        }
        true
    }

    /// Whether a step says what must be: what only leads there has to be right in any case.
    fn judges(&self, place: usize) -> bool {
        let steps = self.record.steps.iter().take(place + 1).rev();
        let keyword =
            steps.map(|step| step.keyword.as_str()).find(|word| !matches!(*word, "And" | "But" | "*"));
        keyword == Some("Then")
    }

    fn hook_failed(&mut self, which: HookType, info: &event::Info) {
        let what = format!(
            "mesh-witness failed {} the scenario: {}",
            match which {
                HookType::Before => "before",
                HookType::After => "after",
            },
            panic_text(info.as_ref())
        );
        if let Some(step) = self.record.steps.first_mut() {
            step.outcome = Outcome::Error;
            step.fault = Some(Fault::new(FaultKind::Harness, what, REPORT));
        }
    }

    /// What steps said besides whether they passed.
    fn take(&mut self, remarks: Vec<(DateTime<Utc>, Remark)>) {
        for (at, remark) in remarks {
            let place = self.record.step_at(at);
            let Some(step) = self.record.steps.get_mut(place) else { continue };
            let passed = step.outcome.is_good();
            match remark {
                Remark::Note(note) => step.notes.push(note),
                Remark::Attested(attestation) => {
                    self.record.attestation = Some(attestation);
                    if passed {
                        step.outcome = Outcome::Attested;
                    }
                }
                Remark::Warning(fault) if passed => {
                    step.outcome = Outcome::Warning;
                    step.fault.get_or_insert(fault);
                }
                Remark::Warning(_) => {}
            }
        }
    }

    /// A scenario passed only if each of its steps did, and somebody called somebody. What ends it with a warning is the
    /// last step that began: what was to follow says nothing of it.
    fn finish(&mut self, at: DateTime<Utc>, has_measured: bool) {
        self.record.ended_at = Some(at);
        let begun = self.record.begun();
        let last = begun.checked_sub(1).and_then(|last| self.record.steps.get(last));
        let warned = last.is_some_and(|step| step.outcome == Outcome::Warning);
        let all = if warned { begun } else { self.record.steps.len() };
        let stopped = self.record.steps.iter().take(all).find(|step| !step.outcome.is_good());
        let stopped = stopped.map(|step| step.outcome.clone());
        let any = |outcome: Outcome| self.record.steps.iter().any(|step| step.outcome == outcome);
        self.record.outcome = match stopped {
            None if any(Outcome::Attested) => Outcome::Attested,
            None if !has_measured => {
                Outcome::NotRun("nothing was measured: no call was made in it".to_owned())
            }
            None if any(Outcome::Warning) => Outcome::Warning,
            None => Outcome::Passed,
            Some(outcome) => outcome,
        };
        let after = "an earlier step did not pass";
        for step in self.record.steps.iter_mut().skip(begun) {
            if matches!(step.outcome, Outcome::NotRun(_)) {
                step.outcome = Outcome::NotRun(after.to_owned());
            }
        }
    }
}

const REPORT: &str = "This is a fault of mesh-witness: please report it.";

/// Only a fault of what is under test counts against it.
fn outcome(kind: FaultKind) -> Outcome {
    match kind {
        FaultKind::Product | FaultKind::EndpointUnderTest => Outcome::Failed,
        FaultKind::Configuration | FaultKind::Endpoint | FaultKind::Harness => Outcome::Error,
    }
}

/// A step that failed without saying why: it panicked, so the fault is ours.
fn broken(error: &StepError) -> Fault {
    let what = match error {
        StepError::Panic(info) => format!("the step definition broke: {}", panic_text(info.as_ref())),
        other => other.to_string(),
    };
    Fault::new(FaultKind::Harness, what, REPORT)
}

fn panic_text(info: &(dyn Any + Send)) -> String {
    let text = info.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| info.downcast_ref::<&str>().copied()).unwrap_or("no reason given").to_owned()
}

impl Writer<MeshWorld> for Collector {
    type Cli = cli::Empty;

    async fn handle_event(
        &mut self,
        event: parser::Result<Event<event::Cucumber<MeshWorld>>>,
        _: &cli::Empty,
    ) {
        // Files were parsed beforehand, so no parser error can come here.
        let Ok(event) = event else { return };
        let at = time(event.at);
        if let event::Cucumber::Feature(
            _,
            event::Feature::Scenario(scenario, event)
            | event::Feature::Rule(_, event::Rule::Scenario(scenario, event)),
        ) = &event.value
        {
            self.scenario(scenario, &event.event, at);
        }
    }
}

/// Events of scenarios that run side by side are told apart by the scenario's number.
impl Normalized for Collector {}
impl NonTransforming for Collector {}

fn time(at: SystemTime) -> DateTime<Utc> {
    at.into()
}
