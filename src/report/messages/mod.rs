//! `run/messages.ndjson`: Cucumber Messages, for every tool that reads what Cucumber writes: one JSON object a line.
//!
//! cucumber-rs cannot write them, so they are made from the record. [`status`] says what our outcomes are in the
//! protocol's words. What a run has beyond scenarios stands there as hooks after the run: whether it is evidence, the
//! rules, and the list of expected deviations. Scenarios are in the order of the packs, whichever were played side by side.
//!
//! `testRunFinished` comes last, and not at all where the run was cut short: that is how a reader tells. Then there is
//! no `testCaseStarted` of what was not begun, and no `testCaseFinished` of what was under way: its last step there is
//! `PENDING`, since readers take the worst step for the scenario, finished or not.

mod document;
mod envelope;
mod gherkin_document;
mod lines;
mod status;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::runner::{Outcome, RuleRecord, RunRecord, ScenarioRecord, StepMatch, StepRecord, Verdict};
use document::{Node, Read};
use envelope::{
    Argument, Arguments, Attachment, Envelope, Group, Hook, Id, Ids, Line, Meta, PROTOCOL, Pattern, Pickle,
    PickleArgument, PickleCell, PickleRow, PickleStep, PickleTable, PickleTag, Product, Source,
    SourceReference, Status, StepDefinition, TestCase, TestCaseFinished, TestCaseStarted, TestRunFinished,
    TestRunHookFinished, TestRunHookStarted, TestRunStarted, TestStep, TestStepFinished, TestStepResult,
    TestStepStarted,
};

/// Broken rules that are named in a message.
const NAMED: usize = 20;

/// The file's content.
pub(super) fn render(record: &RunRecord) -> Result<Vec<u8>, serde_json::Error> {
    let mut stream = Stream::default();
    stream.put(&Envelope::Meta(meta(record)))?;
    let pickles = stream.pickles(record)?;
    let definitions = stream.definitions(record)?;
    let checks = checks(record);
    let hooks = stream.hooks(&checks)?;
    let run = stream.ids.next();
    stream.put(&Envelope::TestRunStarted(TestRunStarted { id: run, timestamp: record.started_at.into() }))?;
    let cases = stream.cases(record, run, &pickles, &definitions)?;
    for (scenario, case) in record.scenarios.iter().zip(&cases) {
        stream.played(record, scenario, case)?;
    }
    for (check, hook) in checks.into_iter().zip(hooks) {
        stream.checked(record, run, check, hook)?;
    }
    if record.cut_short.is_none() {
        stream.put(&Envelope::TestRunFinished(TestRunFinished {
            success: record.verdict() == Verdict::Passed,
            timestamp: record.ended_at.into(),
            message: message(record),
            test_run_started_id: run,
        }))?;
    }
    Ok(stream.bytes)
}

fn meta(record: &RunRecord) -> Meta<'_> {
    let product = |name, version| Product { name, version };
    Meta {
        protocol_version: PROTOCOL,
        implementation: product("mesh-witness", Some(&record.tool_version)),
        runtime: product("Rust", record.platform.rust.as_deref()),
        os: product(&record.platform.os, None),
        cpu: product(&record.platform.arch, None),
    }
}

/// What the verdict is, and of how many scenarios.
fn message(record: &RunRecord) -> String {
    let count = |outcome: &Outcome| {
        let number = record.count(outcome);
        (number > 0).then(|| format!("{number} {}", outcome.word()))
    };
    let mut counts: Vec<String> = Outcome::EACH.iter().filter_map(count).collect();
    let expected = record.expected_deviations();
    counts.extend((expected > 0).then(|| format!("{expected} expected to fail")));
    format!("verdict {}: {}. {}", record.verdict().word(), counts.join(", "), super::standing(record))
}

/// Something that was looked at after all scenarios.
struct Check {
    name: &'static str,
    source: &'static str,
    result: TestStepResult,
}

fn checks(record: &RunRecord) -> Vec<Check> {
    std::iter::once(evidence(record)).chain(rules(record)).chain(deviations(record)).collect()
}

/// So that practice shows in whatever a reader makes of the scenarios. Of hooks some show the name alone.
fn evidence(record: &RunRecord) -> Check {
    let (name, status) = match record.environment.banner() {
        Some(banner) => (banner, Status::Skipped),
        None => ("This is evidence, not practice", Status::Passed),
    };
    Check {
        name,
        source: "src/report/mod.rs",
        result: status::result(status, Some(super::standing(record)), Duration::ZERO),
    }
}

/// Passed only where a rule held and none is broken.
fn rules(record: &RunRecord) -> Option<Check> {
    if record.rules.is_empty() {
        return None;
    }
    let counts = record.rule_counts();
    let broken = || record.rules.iter().filter(|rule| rule.fails());
    let status = match (broken().count(), counts.held + counts.warned) {
        (0, 0) => Status::Skipped,
        (0, _) => Status::Passed,
        _ => Status::Failed,
    };
    let mut lines = vec![format!(
        "{} held, {} broken, {} with a warning, {} not applicable, {} expected to be broken",
        counts.held, counts.broken, counts.warned, counts.not_applicable, counts.expected
    )];
    let named = |rule: &RuleRecord| format!("broken: {} {}", rule.result.rule.id, rule.result.rule.title);
    lines.extend(broken().take(NAMED).map(named));
    Some(Check {
        name: "The rules over the product's traffic hold",
        source: "src/rules/traffic/table.rs",
        result: status::result(status, Some(lines.join("\n")), Duration::ZERO),
    })
}

/// Where a run was cut short, what is not there any more may only not have been reached.
fn deviations(record: &RunRecord) -> Option<Check> {
    let problems = &record.deviation_problems;
    if record.deviations.is_empty() && problems.is_empty() {
        return None;
    }
    let status = match (problems.is_empty(), &record.cut_short) {
        (false, _) => Status::Failed,
        (true, Some(_)) => Status::Skipped,
        (true, None) => Status::Passed,
    };
    let message = (!problems.is_empty()).then(|| problems.join("\n"));
    Some(Check {
        name: "The list of expected deviations holds",
        source: "src/runner/deviations.rs",
        result: status::result(status, message, Duration::ZERO),
    })
}

/// A scenario as it is to be played.
struct PickleOf {
    id: Id,
    steps: Vec<Id>,
}

/// A scenario as it was played.
struct CaseOf {
    id: Id,
    steps: Vec<Id>,
}

#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    ids: Ids,
}

impl Stream {
    fn put(&mut self, envelope: &Envelope<'_>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.bytes, envelope)?;
        self.bytes.push(b'\n');
        Ok(())
    }

    /// Feature files, each with the scenarios of it that were selected. In the order of the record.
    fn pickles(&mut self, record: &RunRecord) -> Result<Vec<PickleOf>, serde_json::Error> {
        let mut pickles = Vec::with_capacity(record.scenarios.len());
        let mut by_path: Vec<(&str, Vec<&ScenarioRecord>)> = Vec::new();
        for scenario in &record.scenarios {
            match by_path.last_mut() {
                Some((path, scenarios)) if *path == scenario.path => scenarios.push(scenario),
                _ => by_path.push((&scenario.path, vec![scenario])),
            }
        }
        for (path, scenarios) in by_path {
            let file = record.pack.iter().find(|file| file.path == path);
            // As a reader finds it in the bundle.
            let uri = format!("data/pack/{path}");
            if let Some(data) = file.and_then(|file| std::str::from_utf8(&file.content).ok()) {
                let media_type = "text/x.cucumber.gherkin+plain";
                self.put(&Envelope::Source(Source { uri: &uri, data, media_type }))?;
            }
            let read = file.and_then(|file| Read::of(file, uri.clone(), &mut self.ids));
            let Some(mut read) = read.or_else(|| Some(Read::told(uri, scenarios.first()?))) else { continue };
            let nodes: Vec<Node> =
                scenarios.iter().map(|scenario| read.node(scenario, &mut self.ids)).collect();
            self.put(&Envelope::GherkinDocument(&read.document))?;
            for (scenario, node) in scenarios.iter().zip(&nodes) {
                pickles.push(self.pickle(&read, scenario, node)?);
            }
        }
        Ok(pickles)
    }

    fn pickle(
        &mut self,
        read: &Read,
        scenario: &ScenarioRecord,
        node: &Node,
    ) -> Result<PickleOf, serde_json::Error> {
        let steps: Vec<PickleStep<'_>> = node
            .steps
            .iter()
            .map(|step| PickleStep {
                id: self.ids.next(),
                text: &step.text,
                kind: step.kind,
                ast_node_ids: step.ids.clone(),
                argument: step.table.as_deref().map(argument),
            })
            .collect();
        let of = PickleOf { id: self.ids.next(), steps: steps.iter().map(|step| step.id).collect() };
        self.put(&Envelope::Pickle(Pickle {
            id: of.id,
            uri: &read.document.uri,
            location: node.location,
            ast_node_ids: node.ids.clone(),
            name: &scenario.name,
            language: read.language(),
            steps,
            tags: node.tags.iter().map(|tag| PickleTag { name: &tag.name, ast_node_id: tag.id }).collect(),
        }))?;
        Ok(of)
    }

    /// The step definitions that are used.
    fn definitions(&mut self, record: &RunRecord) -> Result<Vec<Id>, serde_json::Error> {
        let mut ids = Vec::with_capacity(record.definitions.len());
        for of in &record.definitions {
            let id = self.ids.next();
            self.put(&Envelope::StepDefinition(StepDefinition {
                id,
                pattern: Pattern { source: &of.pattern, kind: "REGULAR_EXPRESSION" },
                source_reference: SourceReference { uri: &of.path, location: Some(Line { line: of.line }) },
            }))?;
            ids.push(id);
        }
        Ok(ids)
    }

    fn hooks(&mut self, checks: &[Check]) -> Result<Vec<Id>, serde_json::Error> {
        let mut ids = Vec::with_capacity(checks.len());
        for check in checks {
            let id = self.ids.next();
            self.put(&Envelope::Hook(Hook {
                id,
                name: check.name,
                kind: "AFTER_TEST_RUN",
                source_reference: SourceReference { uri: check.source, location: None },
            }))?;
            ids.push(id);
        }
        Ok(ids)
    }

    fn cases(
        &mut self,
        record: &RunRecord,
        run: Id,
        pickles: &[PickleOf],
        definitions: &[Id],
    ) -> Result<Vec<CaseOf>, serde_json::Error> {
        let mut cases = Vec::with_capacity(pickles.len());
        for (scenario, pickle) in record.scenarios.iter().zip(pickles) {
            let test_steps: Vec<TestStep<'_>> = scenario
                .steps
                .iter()
                .zip(&pickle.steps)
                .map(|(step, pickle_step)| {
                    let known = step.matched.as_ref();
                    let known = known.and_then(|of| Some((*definitions.get(of.definition)?, of)));
                    TestStep {
                        id: self.ids.next(),
                        pickle_step_id: *pickle_step,
                        step_definition_ids: known.iter().map(|(id, _)| *id).collect(),
                        step_match_arguments_lists: known.iter().map(|(_, of)| arguments(step, of)).collect(),
                    }
                })
                .collect();
            let case = CaseOf { id: self.ids.next(), steps: test_steps.iter().map(|step| step.id).collect() };
            let (id, pickle_id) = (case.id, pickle.id);
            self.put(&Envelope::TestCase(TestCase { id, pickle_id, test_steps, test_run_started_id: run }))?;
            cases.push(case);
        }
        Ok(cases)
    }

    /// What came of a scenario.
    fn played(
        &mut self,
        record: &RunRecord,
        scenario: &ScenarioRecord,
        case: &CaseOf,
    ) -> Result<(), serde_json::Error> {
        // Left out before anything was played, unless the run just did not get there.
        let began = match (scenario.started_at, &record.cut_short) {
            (Some(began), _) => began,
            (None, None) => record.started_at,
            (None, Some(_)) => return Ok(()),
        };
        let cut_at = status::cut_at(scenario);
        let id = self.ids.next();
        self.put(&Envelope::TestCaseStarted(TestCaseStarted {
            id,
            test_case_id: case.id,
            timestamp: began.into(),
            attempt: 0,
        }))?;
        let mut at = began;
        for (place, (step, test_step)) in scenario.steps.iter().zip(&case.steps).enumerate() {
            at = step.started_at.unwrap_or(at);
            self.put(&Envelope::TestStepStarted(TestStepStarted {
                test_case_started_id: id,
                test_step_id: *test_step,
                timestamp: at.into(),
            }))?;
            at = step.ended_at.unwrap_or(at);
            self.notes(step, (id, *test_step), at)?;
            self.put(&Envelope::TestStepFinished(TestStepFinished {
                test_case_started_id: id,
                test_step_id: *test_step,
                test_step_result: status::of_step(record, scenario, place),
                timestamp: at.into(),
            }))?;
            if cut_at == Some(place) {
                break;
            }
        }
        if cut_at.is_some() {
            return Ok(());
        }
        self.put(&Envelope::TestCaseFinished(TestCaseFinished {
            test_case_started_id: id,
            timestamp: scenario.ended_at.unwrap_or(at).into(),
            will_be_retried: false,
        }))
    }

    /// What a step measured, and which exchanges it made or looked at.
    fn notes(&mut self, step: &StepRecord, of: (Id, Id), at: DateTime<Utc>) -> Result<(), serde_json::Error> {
        for note in &step.notes {
            self.note(note, of, at)?;
        }
        if !step.exchanges.is_empty() {
            let told = format!("exchanges {} of data/run/exchanges.har (_number)", ranges(&step.exchanges));
            self.note(&told, of, at)?;
        }
        Ok(())
    }

    fn note(&mut self, body: &str, of: (Id, Id), at: DateTime<Utc>) -> Result<(), serde_json::Error> {
        self.put(&Envelope::Attachment(Attachment {
            body,
            content_encoding: "IDENTITY",
            media_type: "text/x.cucumber.log+plain",
            test_case_started_id: of.0,
            test_step_id: of.1,
            timestamp: at.into(),
        }))
    }

    fn checked(
        &mut self,
        record: &RunRecord,
        run: Id,
        check: Check,
        hook: Id,
    ) -> Result<(), serde_json::Error> {
        let id = self.ids.next();
        self.put(&Envelope::TestRunHookStarted(TestRunHookStarted {
            id,
            test_run_started_id: run,
            hook_id: hook,
            timestamp: record.ended_at.into(),
        }))?;
        self.put(&Envelope::TestRunHookFinished(TestRunHookFinished {
            test_run_hook_started_id: id,
            result: check.result,
            timestamp: record.ended_at.into(),
        }))
    }
}

fn argument(rows: &[Vec<String>]) -> PickleArgument<'_> {
    let rows = rows.iter().map(|cells| cells.iter().map(|value| PickleCell { value }).collect());
    PickleArgument { data_table: PickleTable { rows: rows.map(|cells| PickleRow { cells }).collect() } }
}

/// Places are counted as readers in JavaScript and Java count them: in units of UTF-16.
fn arguments<'a>(step: &StepRecord, of: &'a StepMatch) -> Arguments<'a> {
    let argument = |of: &'a crate::runner::StepArgument| {
        let before = step.text.get(..of.start).unwrap_or_default();
        Argument { group: Group { start: before.encode_utf16().count(), value: &of.value } }
    };
    Arguments { step_match_arguments: of.arguments.iter().map(argument).collect() }
}

/// Numbers of exchanges, from 1, as people write them: `1-3, 7`.
fn ranges(places: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for number in places.iter().map(|place| place + 1) {
        match ranges.last_mut() {
            Some((_, last)) if number == *last + 1 => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let told = ranges.iter().map(
        |(first, last)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        },
    );
    told.collect::<Vec<_>>().join(", ")
}
