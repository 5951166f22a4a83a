//! Every scenario of the endpoint pack has been seen to fail, and fails for what it is about: which
//! fault of an endpoint makes which scenarios fail is kept in a table, for people to read. A fault that
//! no scenario notices, a scenario that no fault makes fail, and a scenario that fails without a fault
//! are errors.
//!
//! A scenario is played with a fault only where the fault can touch a call that the scenario makes of an
//! endpoint that is right: up to the first call that it touches, both plays are the same.

#[path = "../../steps/mod.rs"]
mod steps;

mod play;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use mesh_witness::{
    emulator::Fault,
    runner::{Outcome, RunRecord, ScenarioRecord},
};
use play::{Pack, Play, Wire, play};

/// Too large to be played with every fault: these notice it.
const WITH_LARGE: [&str; 2] = ["too-much-taken", "payload-altered"];

fn name(scenario: &ScenarioRecord) -> String {
    let file = scenario.path.trim_start_matches("endpoint/").trim_end_matches(".feature");
    format!("{file}: {}", scenario.name)
}

fn has(scenario: &ScenarioRecord, tag: &str) -> bool {
    scenario.tags.iter().any(|own| own == tag)
}

/// What each scenario calls of an endpoint that is right: operation and status.
type Calls = BTreeMap<String, BTreeSet<(String, u16)>>;

fn calls(record: &RunRecord) -> Calls {
    let mut calls = Calls::new();
    for scenario in &record.scenarios {
        calls.insert(name(scenario), BTreeSet::new());
    }
    for exchange in &record.exchanges {
        let scenario = name(&record.scenarios[exchange.scenario.0]);
        let operation = exchange.operation.as_ref().map_or("", |operation| operation.name()).to_owned();
        calls.entry(scenario).or_default().insert((operation, exchange.status().unwrap_or(0)));
    }
    calls
}

fn played(record: &RunRecord) -> impl Iterator<Item = &ScenarioRecord> {
    record.scenarios.iter().filter(|scenario| scenario.ended_at.is_some())
}

/// Plays what a fault can touch; who failed.
fn failed_with(
    fault: Fault,
    all: &[ScenarioRecord],
    calls: &Calls,
    blameless: &mut Vec<String>,
) -> Vec<String> {
    let touched = |scenario: &ScenarioRecord| {
        let large = !has(scenario, "@large") || WITH_LARGE.contains(&fault.name);
        let made = calls.get(&name(scenario)).into_iter().flatten();
        let mut made = made.filter(|(operation, status)| fault.can_touch(operation, *status));
        large && made.next().is_some()
    };
    // What is about TLS needs it; all else is the same without, and faster.
    let on_wire = |wire: Wire, scenario: &ScenarioRecord| {
        has(scenario, "@tls") == (wire == Wire::Tls) && (wire == Wire::Tls || !fault.is_of_tls())
    };
    let mut failed = Vec::new();
    for wire in [Wire::Plain, Wire::Tls] {
        let wanted = |scenario: &ScenarioRecord| touched(scenario) && on_wire(wire, scenario);
        if !all.iter().any(wanted) {
            continue;
        }
        let record = play(
            Play { fault: Some(fault), wire, concurrency: 8, pack: Pack::Endpoint, shuffled: None },
            wanted,
        );
        for scenario in played(&record) {
            match &scenario.outcome {
                Outcome::Passed => {}
                // Where nothing that must be is missed, an endpoint is warned.
                Outcome::Failed | Outcome::Warning => failed.push(name(scenario)),
                other => blameless.push(format!(
                    "{}: {} is {}, which blames nobody: {:?}",
                    fault.name,
                    name(scenario),
                    other.word(),
                    scenario.fault()
                )),
            }
        }
    }
    failed
}

#[test]
fn each_fault_fails_the_scenarios_that_are_about_it_and_each_scenario_has_been_seen_to_fail() {
    let clean = play(
        Play { fault: None, wire: Wire::Tls, concurrency: 8, pack: Pack::Endpoint, shuffled: None },
        |_| true,
    );
    for scenario in &clean.scenarios {
        assert_eq!(scenario.outcome, Outcome::Passed, "{}: {:?}", name(scenario), scenario.fault());
    }
    let calls = calls(&clean);
    assert_eq!(calls.len(), clean.scenarios.len(), "each scenario has a name of its own");
    assert!(calls.len() >= 150);
    let faults = Fault::all();
    let mut seen = BTreeSet::new();
    let (mut survivors, mut blameless) = (Vec::new(), Vec::new());
    let mut table = String::new();
    for (fault, (failed, errors)) in faults.iter().zip(play_all(&faults, &clean.scenarios, &calls)) {
        blameless.extend(errors);
        if failed.is_empty() {
            survivors.push(fault.name);
        }
        writeln!(table, "{}: {}", fault.name, fault.what).unwrap();
        write_failed(&mut table, &failed, &clean.scenarios);
        seen.extend(failed);
    }
    let never: Vec<&String> = calls.keys().filter(|name| !seen.contains(*name)).collect();
    assert!(blameless.is_empty(), "{}", blameless.join("\n"));
    assert!(survivors.is_empty(), "no scenario notices these faults: {survivors:#?}");
    assert!(never.is_empty(), "no fault makes these scenarios fail: {never:#?}");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("matrix", table);
    });
}

/// What each fault did: who failed, and who broke in a way that blames nobody. Several faults at a time.
fn play_all(faults: &[Fault], all: &[ScenarioRecord], calls: &Calls) -> Vec<(Vec<String>, Vec<String>)> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let mut blameless = Vec::new();
                    let failed = failed_with(*fault, all, calls, &mut blameless);
                    done.lock().unwrap().insert(fault.name, (failed, blameless));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    faults.iter().map(|fault| done.remove(fault.name).unwrap()).collect()
}

/// One line a scenario; one line a file all of whose scenarios failed.
fn write_failed(table: &mut String, failed: &[String], all: &[ScenarioRecord]) {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, scenario) in failed.iter().filter_map(|name| name.split_once(": ")) {
        files.entry(file).or_default().push(scenario);
    }
    for (file, scenarios) in files {
        let of_file = all.iter().filter(|scenario| name(scenario).starts_with(&format!("{file}: "))).count();
        if scenarios.len() == of_file {
            writeln!(table, "    {file}: all {of_file}").unwrap();
        } else {
            scenarios.iter().for_each(|scenario| writeln!(table, "    {file}: {scenario}").unwrap());
        }
    }
}

/// Outcome, first fault, and steps of each scenario.
fn outcomes(record: &RunRecord) -> BTreeMap<String, (Outcome, Option<String>, usize)> {
    let shown = |scenario: &ScenarioRecord| {
        let fault = scenario.fault().map(|fault| fault.what.clone());
        (name(scenario), (scenario.outcome.clone(), fault, scenario.steps.len()))
    };
    record.scenarios.iter().map(shown).collect()
}

/// A seed that differs from run to run; `SHUFFLE_SEED` repeats one that was printed.
fn seed() -> u64 {
    let given =
        std::env::var("SHUFFLE_SEED").ok().map(|seed| seed.parse().expect("SHUFFLE_SEED is a number"));
    given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64)
}

fn assert_same_in_any_order(pack: Pack, fault: Option<Fault>, expected: Outcome) {
    let small = |scenario: &ScenarioRecord| !has(scenario, "@large");
    let of = |concurrency, shuffled| {
        outcomes(&play(Play { fault, wire: Wire::Tls, concurrency, pack, shuffled }, small))
    };
    let first = of(8, None);
    assert!(first.values().any(|(outcome, ..)| *outcome == expected));
    let seed = seed();
    for (turn, concurrency) in [1, 2, 16].into_iter().enumerate() {
        let seed = seed.wrapping_add(turn as u64);
        assert_eq!(of(concurrency, Some(seed)), first, "concurrency {concurrency}, SHUFFLE_SEED={seed}");
    }
}

#[test]
fn the_endpoint_pack_has_the_same_outcome_at_any_concurrency_and_in_any_order() {
    // An endpoint that is wrong, so that both outcomes are there.
    let fault = Fault::all().into_iter().find(|fault| fault.name == "other-error-code");
    assert_same_in_any_order(Pack::Endpoint, fault, Outcome::Failed);
}

#[test]
fn the_witness_pack_has_the_same_outcome_at_any_concurrency_and_in_any_order() {
    assert_same_in_any_order(Pack::Witness, None, Outcome::Passed);
}
