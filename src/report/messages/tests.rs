//! The stream as readers take it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::Value;

use super::*;
use crate::{
    report::fixtures,
    runner::{
        Attestation, Deviation, DeviationOf, Fault, FaultKind, Given, StepArgument, StepDefinition, built_in,
    },
};

/// Everything that Gherkin has and that can be played.
const FEATURE: &str = "\
# One comment

@all @req-SEND-01
Feature: Own
  What it is about,
    with an indentation.

  Background:
    Given a beginning

  # Two comments
  @case-901
  Scenario: One
    What it proves.
    # Three comments
    When the product sends 12 messages
    # Four comments
    Then it was sent with these headers
      | Mex-From |
      | Mex-To   |
    And that is all

  @outline
  Scenario Outline: Many <what>
    When <what> happens
    * it is <how>

    @good
    Examples: of the good
      How they are.

      | what | how |
      # Five comments
      | a    | b   |
      | c    | d   |

    Examples:
      | how | what |
      | x   | y\\|z |

  @rule
  Rule: In a rule
    Background:
      Given another beginning

    Scenario: Last
      Then it ends
";

fn lines(record: &RunRecord) -> Vec<Value> {
    let text = String::from_utf8(render(record).unwrap()).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The messages of a kind.
fn all<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter_map(|line| line.get(kind)).collect()
}

/// A record in which each scenario came to this end: outcomes of its steps, and its own.
fn ended(mut record: RunRecord, outcomes: &[&[Outcome]]) -> RunRecord {
    for (scenario, outcomes) in record.scenarios.iter_mut().zip(outcomes) {
        let at =
            |place: usize| fixtures::start() + TimeDelta::milliseconds(10) * i32::try_from(place).unwrap();
        scenario.started_at = Some(at(0));
        scenario.ended_at = Some(at(scenario.steps.len()));
        let mut over = false;
        for (place, (step, outcome)) in scenario.steps.iter_mut().zip(*outcomes).enumerate() {
            step.outcome = outcome.clone();
            if !over {
                (step.started_at, step.ended_at) = (Some(at(place)), Some(at(place + 1)));
            }
            over |= !outcome.is_good();
            if matches!(outcome, Outcome::Failed | Outcome::Error | Outcome::Warning) {
                let kind = if *outcome == Outcome::Error { FaultKind::Endpoint } else { FaultKind::Product };
                step.fault = Some(Fault::new(kind, "it is wrong", "Mend it."));
            }
        }
        let end = outcomes.iter().find(|outcome| !outcome.is_good()).or_else(|| outcomes.last());
        scenario.outcome = end.unwrap().clone();
    }
    record
}

fn not_run() -> Outcome {
    Outcome::NotRun("nobody was there".to_owned())
}

fn after() -> Outcome {
    Outcome::NotRun("an earlier step did not pass".to_owned())
}

/// A run in which something of everything happened.
fn eventful() -> RunRecord {
    use Outcome::{Error, Failed, Passed};
    let mut record = ended(
        fixtures::planned(FEATURE),
        &[
            &[Passed, Passed, Outcome::Warning, Passed],
            &[Passed, Failed, after()],
            &[Passed, Error, after()],
            &[Passed, not_run(), after()],
            &[Passed, Passed, Outcome::NotApplicable("it does without".to_owned())],
        ],
    );
    record.ended_at = fixtures::start() + TimeDelta::seconds(1);
    record.definitions = vec![StepDefinition {
        pattern: r"^the product sends (\d+) messages$".to_owned(),
        path: "steps/send.rs".to_owned(),
        line: 7,
    }];
    let sends = &mut record.scenarios[0].steps[1];
    let arguments = vec![StepArgument { start: 18, value: "12".to_owned() }];
    sends.matched = Some(StepMatch { definition: 0, arguments });
    sends.notes = vec!["12 messages in 0.1 s".to_owned()];
    sends.exchanges = vec![0, 1, 2, 6];
    record
}

/// Whether each ID is there once, and each reference leads to one that came before.
fn sound(lines: &[Value]) {
    fn walk(value: &Value, ids: &mut BTreeSet<String>, references: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("id", Value::String(id)) => assert!(ids.insert(id.clone()), "{id} is there twice"),
                        (name, Value::String(id)) if name.ends_with("Id") => references.push(id.clone()),
                        (name, Value::Array(found)) if name.ends_with("Ids") => {
                            references.extend(found.iter().map(|id| id.as_str().unwrap().to_owned()));
                        }
                        _ => walk(value, ids, references),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, ids, references)),
            _ => {}
        }
    }
    let mut ids = BTreeSet::new();
    for line in lines {
        assert_eq!(line.as_object().unwrap().len(), 1, "one message a line: {line}");
        let mut references = Vec::new();
        walk(line, &mut ids, &mut references);
        let dangling: Vec<&String> = references.iter().filter(|id| !ids.contains(*id)).collect();
        assert!(dangling.is_empty(), "{dangling:?} of {line} leads nowhere");
    }
}

/// What readers say of each scenario that was begun, by its name: they take the worst of its steps.
fn worst(lines: &[Value]) -> BTreeMap<String, String> {
    const ORDER: [&str; 4] = ["PASSED", "SKIPPED", "PENDING", "FAILED"];
    let by = |kind: &str, key: &str, value: &Value| {
        all(lines, kind).into_iter().find(|one| one[key] == *value).unwrap().clone()
    };
    let mut worst = BTreeMap::new();
    for started in all(lines, "testCaseStarted") {
        let pickle = by("pickle", "id", &by("testCase", "id", &started["testCaseId"])["pickleId"]);
        let steps = all(lines, "testStepFinished")
            .into_iter()
            .filter(|one| one["testCaseStartedId"] == started["id"]);
        let status = |step: &Value| step["testStepResult"]["status"].as_str().unwrap().to_owned();
        let worst_of =
            steps.map(status).max_by_key(|status| ORDER.iter().position(|known| known == status).unwrap());
        let name = format!("{}:{}", pickle["name"].as_str().unwrap(), pickle["location"]["line"]);
        worst.insert(name, worst_of.unwrap_or_default());
    }
    worst
}

#[test]
fn golden() {
    insta::assert_snapshot!(String::from_utf8(render(&eventful()).unwrap()).unwrap());
}

#[test]
fn every_reference_leads_to_what_came_before() {
    for record in [eventful(), fixtures::passed(), fixtures::mixed(), fixtures::hostile()] {
        sound(&lines(&record));
    }
}

#[test]
fn the_end_comes_last_and_not_at_all_where_the_run_was_cut_short() {
    for mut record in [eventful(), fixtures::passed(), fixtures::mixed(), fixtures::hostile()] {
        for cut_short in [None, Some("interrupted".to_owned())] {
            record.cut_short = cut_short;
            let lines = lines(&record);
            let ends: Vec<usize> =
                (0..lines.len()).filter(|at| lines[*at].get("testRunFinished").is_some()).collect();
            let expected = if record.cut_short.is_some() { vec![] } else { vec![lines.len() - 1] };
            assert_eq!(ends, expected);
        }
    }
}

#[test]
fn a_run_is_a_success_where_its_verdict_is_passed_and_nowhere_else() {
    for (record, success) in [(fixtures::passed(), true), (eventful(), false)] {
        let lines = lines(&record);
        let end = &all(&lines, "testRunFinished")[0];
        assert_eq!((end["success"].as_bool(), record.verdict() == Verdict::Passed), (Some(success), success));
        assert!(
            end["message"].as_str().unwrap().starts_with(&format!("verdict {}: ", record.verdict().word()))
        );
    }
}

#[test]
fn each_outcome_has_its_status_and_only_what_passed_looks_passed() {
    let deviation = |record: &mut RunRecord| {
        record.deviations = vec![Deviation {
            of: DeviationOf::Scenario("One".to_owned()),
            reason: "known".to_owned(),
            reference: "T-1".to_owned(),
            owner: "O".to_owned(),
            expires: "2999-01-01".parse().unwrap(),
        }];
        record.scenarios[0].deviation = Some(0);
    };
    let attested = |record: &mut RunRecord| {
        record.scenarios[0].attestation = Some(Attestation {
            case: "901".to_owned(),
            name: "A. Person".to_owned(),
            role: "owner".to_owned(),
            statement: "It does.".to_owned(),
            date: "2026-11-20".to_owned(),
            given: Given::File,
        });
    };
    let unasked = |record: &mut RunRecord| record.scenarios[0].tags.push("@attestation".to_owned());
    let plain = |_: &mut RunRecord| {};
    type Change<'a> = &'a dyn Fn(&mut RunRecord);
    let cases: [(Outcome, Change<'_>, &str, &str); 9] = [
        (Outcome::Passed, &plain, "PASSED", ""),
        (Outcome::Warning, &plain, "PASSED", "warning: it is wrong\nto mend it: Mend it."),
        (
            Outcome::Attested,
            &attested,
            "SKIPPED",
            "attested, not measured: A. Person, owner, 2026-11-20: It does.",
        ),
        (Outcome::Failed, &plain, "FAILED", "failed: it is wrong\nto mend it: Mend it."),
        (Outcome::Failed, &deviation, "SKIPPED", "expected deviation: Expected until 2999-01-01: known."),
        (Outcome::Error, &plain, "FAILED", "error: it is wrong\nto mend it: Mend it."),
        (Outcome::NotApplicable("so".to_owned()), &plain, "SKIPPED", "not applicable: so"),
        (not_run(), &plain, "PENDING", "not run: nobody was there"),
        (not_run(), &unasked, "SKIPPED", "not run: nobody was there"),
    ];
    for (outcome, change, status, message) in cases {
        let good = outcome.is_good();
        let last = if good { outcome.clone() } else { after() };
        let steps = [Outcome::Passed, outcome.clone(), last.clone(), last];
        let mut record = ended(fixtures::planned(FEATURE), &[&steps]);
        record.scenarios.truncate(1);
        change(&mut record);
        let lines = lines(&record);
        sound(&lines);
        let result = &all(&lines, "testStepFinished")[1]["testStepResult"];
        assert_eq!(result["status"], status, "{outcome:?}");
        assert!(result["message"].as_str().unwrap_or_default().starts_with(message), "{outcome:?}: {result}");
        assert_eq!(worst(&lines)["One:13"], status, "{outcome:?}");
        let kind = &result["exception"]["type"];
        match outcome {
            Outcome::Failed if status == "FAILED" => assert_eq!(kind, FaultKind::Product.word()),
            Outcome::Error => assert_eq!(kind, FaultKind::Endpoint.word()),
            _ => assert_eq!(*kind, Value::Null, "{outcome:?}"),
        }
    }
}

/// Readers count what was begun, whether it ended or not.
#[test]
fn what_was_cut_short_looks_as_if_it_was_and_what_was_not_begun_is_not_there() {
    for (begun, ended_steps) in [(0, 0), (1, 0), (1, 1), (2, 1), (4, 3), (4, 4)] {
        let mut record = fixtures::planned(FEATURE);
        record.cut_short = Some("interrupted".to_owned());
        let scenario = &mut record.scenarios[0];
        scenario.started_at = Some(fixtures::start());
        scenario.outcome = Outcome::NotRun("cut short while it was played: interrupted".to_owned());
        for step in scenario.steps.iter_mut().take(begun) {
            step.started_at = Some(fixtures::start());
        }
        for step in scenario.steps.iter_mut().take(ended_steps) {
            (step.ended_at, step.outcome) = (Some(fixtures::start()), Outcome::Passed);
        }
        let lines = lines(&record);
        sound(&lines);
        assert_eq!(
            worst(&lines).into_iter().collect::<Vec<_>>(),
            [("One:13".to_owned(), "PENDING".to_owned())]
        );
        assert!(all(&lines, "testCaseFinished").is_empty() && all(&lines, "testRunFinished").is_empty());
        assert_eq!(all(&lines, "testStepFinished").len(), (ended_steps + 1).min(4), "{begun} {ended_steps}");
        assert_eq!(all(&lines, "pickle").len(), record.scenarios.len());
    }
}

#[test]
fn what_was_left_out_before_the_run_is_there_and_not_passed() {
    let mut record = fixtures::planned(FEATURE);
    for scenario in &mut record.scenarios {
        scenario.outcome = Outcome::NotRun("it may not be played there".to_owned());
    }
    let lines = lines(&record);
    sound(&lines);
    let worst = worst(&lines);
    assert_eq!(worst.len(), record.scenarios.len());
    assert!(worst.values().all(|status| status == "PENDING"), "{worst:?}");
    let message = &all(&lines, "testStepFinished")[0]["testStepResult"]["message"];
    assert_eq!(message, "not run: it may not be played there");
}

#[test]
fn what_a_run_has_beyond_scenarios_is_a_hook_after_it() {
    let status = |record: &RunRecord, name: &str| {
        let lines = lines(record);
        sound(&lines);
        let hook =
            all(&lines, "hook").into_iter().find(|hook| hook["name"].as_str().unwrap().contains(name))?;
        let started = all(&lines, "testRunHookStarted");
        let started = started.into_iter().find(|one| one["hookId"] == hook["id"]).unwrap();
        let finished = all(&lines, "testRunHookFinished");
        let finished = finished.into_iter().find(|one| one["testRunHookStartedId"] == started["id"]).unwrap();
        let result = &finished["result"];
        Some((
            result["status"].as_str().unwrap().to_owned(),
            result["message"].as_str().unwrap_or("").to_owned(),
        ))
    };
    let (word, told) = status(&fixtures::passed(), "evidence").unwrap();
    assert_eq!((word.as_str(), told.starts_with("EMULATED: practice, not evidence.")), ("SKIPPED", true));
    assert_eq!(status(&fixtures::mixed(), "evidence").unwrap().0, "PASSED");
    assert_eq!(status(&fixtures::passed(), "rules"), None);
    let mixed = fixtures::mixed();
    let (word, told) = status(&mixed, "rules").unwrap();
    let broken = mixed.rules.iter().find(|rule| rule.fails());
    assert_eq!(word == "FAILED", broken.is_some(), "{told}");
    // Where nothing was looked at, nothing held.
    let mut idle = mixed.clone();
    let nothing = crate::rules::traffic::Verdict::NotApplicable { reason: "nothing".to_owned() };
    idle.rules.iter_mut().for_each(|rule| rule.result.verdict = nothing.clone());
    assert_eq!(status(&idle, "rules").unwrap().0, "SKIPPED");

    let mut record = fixtures::passed();
    assert_eq!(status(&record, "deviations"), None);
    record.deviation_problems = vec!["it has expired".to_owned()];
    assert_eq!(status(&record, "deviations"), Some(("FAILED".to_owned(), "it has expired".to_owned())));
}

/// Each scenario stands where its file has it: none had to be told from the record.
#[test]
fn each_scenario_of_the_built_in_packs_is_found_in_its_file() {
    for pack in built_in() {
        let record = fixtures::load(pack);
        let lines = lines(&record);
        sound(&lines);
        let pickles = all(&lines, "pickle");
        assert_eq!(pickles.len(), record.scenarios.len());
        for (pickle, scenario) in pickles.iter().zip(&record.scenarios) {
            let place = format!("{}:{}", scenario.path, scenario.line);
            assert_eq!(pickle["name"], scenario.name.as_str(), "{place}");
            assert_ne!(pickle["location"]["column"], 1, "{place}");
            assert_eq!(pickle["steps"].as_array().unwrap().len(), scenario.steps.len(), "{place}");
            let tags: Vec<&str> =
                pickle["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
            assert_eq!(tags, scenario.tags, "{place}");
        }
    }
}

#[test]
fn hostile_text_stays_within_its_message() {
    let text = String::from_utf8(render(&fixtures::hostile()).unwrap()).unwrap();
    assert_eq!(text.chars().find(|c| c.is_control() && *c != '\n'), None);
    let lines = lines(&fixtures::hostile());
    assert_eq!(lines.len(), text.lines().count());
    assert_eq!(all(&lines, "pickle").len(), fixtures::hostile().scenarios.len());
    // The same in a file that can be read, wherever a person may write what they like.
    let own = "x\u{202e}'\"]]>-->{{ pwned }}\u{1b}[31m🦀\u{7f}";
    let feature = format!(
        "@x\u{202e}\"]]>\u{1b}🦀\nFeature: {own}\n  {own}\n\n  Scenario Outline: {own} <a>\n    Given <a> these headers\n      | {own} |\n\n    Examples: {own}\n      | a |\n      | {own} |\n"
    );
    let record = fixtures::planned(&feature);
    let text = String::from_utf8(render(&record).unwrap()).unwrap();
    assert_eq!(text.chars().find(|c| *c < ' ' && *c != '\n'), None);
    let lines = self::lines(&record);
    sound(&lines);
    let pickle = &all(&lines, "pickle")[0];
    assert_eq!(pickle["name"], format!("{own} {own}"));
    assert_eq!(pickle["steps"][0]["argument"]["dataTable"]["rows"][0]["cells"][0]["value"], own);
}

#[test]
fn exchanges_are_told_in_ranges() {
    for (places, told) in [(vec![0], "1"), (vec![0, 1, 2, 6], "1-3, 7"), (vec![4, 6, 7], "5, 7-8")] {
        assert_eq!(ranges(&places), told);
    }
}

/// As JavaScript and Java count.
#[test]
fn arguments_are_found_by_readers_of_utf_16() {
    let mut record = eventful();
    let step = &mut record.scenarios[0].steps[1];
    step.text = "é🦀 sends 12".to_owned();
    step.matched = Some(StepMatch {
        definition: 0,
        arguments: vec![StepArgument { start: 13, value: "12".to_owned() }],
    });
    let lines = lines(&record);
    let group = &all(&lines, "testCase")[0]["testSteps"][1]["stepMatchArgumentsLists"][0]["stepMatchArguments"]
        [0]["group"];
    assert_eq!((group["start"].as_u64(), group["value"].as_str()), (Some(10), Some("12")));
}
