//! What the runner itself costs a scenario: 1,000 scenarios that do next to nothing, and as many that make
//! one call each, on the embedded emulator. The aim is under a millisecond for the first.
//!
//! `cargo bench --bench overhead`

#[path = "../steps/mod.rs"]
mod steps;

use std::{
    fmt::Write as _,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use cucumber::World as _;
use mesh_witness::{
    emulator::{Arrangement, Pki, Transport},
    protocol::{Password, SharedKey, WorkflowId},
    runner::{Emulated, Mailboxes, MeshWorld, Party, Plan, Setting, Verdict, load, play},
    tape::Redactor,
};

const SCENARIOS: u32 = 1000;
const RUNS: usize = 5;

fn main() {
    let nothing = "    Given a mailbox for the product and another for an independent counterpart\n";
    let one_call =
        "    Given a sender and a receiver, each with a mailbox\n    When the receiver counts its messages\n";
    for (what, steps) in [("no call", nothing), ("one call", one_call)] {
        let folder = tempfile::tempdir().expect("a folder for the pack");
        let mut feature = "Feature: trivial\n".to_owned();
        for number in 0..SCENARIOS {
            write!(feature, "  Scenario: {number}\n{steps}").expect("text can be written");
        }
        fs::write(folder.path().join("trivial.feature"), feature).expect("the pack is written");
        let pack = folder.path().display().to_string();
        let mut times: Vec<Duration> = (0..=RUNS).map(|_| run(&pack)).skip(1).collect();
        times.sort_unstable();
        let shown = |time: Duration| format!("{:.3} ms", time.as_secs_f64() * 1000.0 / f64::from(SCENARIOS));
        println!(
            "{SCENARIOS} scenarios with {what}: a scenario takes min {}, median {}, max {}",
            shown(times[0]),
            shown(times[RUNS / 2]),
            shown(times[RUNS - 1])
        );
    }
}

/// From the plan to the record; loading and checking the pack is not a scenario's.
fn run(pack: &str) -> Duration {
    let steps = MeshWorld::collection();
    let plan = Plan::new(load(&[pack.to_owned()]).expect("the pack is right"), None, &steps)
        .expect("so is the plan");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("there is a runtime").block_on(async {
        let setting = Arc::new(setting().await);
        let started = Instant::now();
        let never = std::future::pending();
        let record = play(plan, setting, steps, 8, Box::new(|_| {}), never).await;
        assert_eq!(record.verdict(), Verdict::Passed);
        started.elapsed()
    })
}

async fn setting() -> Setting {
    let (password, shared_key) = (Password::new("password"), SharedKey::new("TestKey"));
    let pki = Arc::new(Pki::new().expect("an authority"));
    let transport = Transport::MutualTls(Arc::clone(&pki));
    let redactor = Redactor::with_common_password(&[], password.clone(), shared_key.clone());
    let emulated = Emulated::start(pki, transport, shared_key, password, Arrangement::default()).await;
    let emulated = emulated.expect("the emulator starts");
    Setting::new(
        "bench".to_owned(),
        "embedded emulator".to_owned(),
        emulated.emulator.url(),
        Party { name: "none".to_owned(), version: String::new() },
        None,
        WorkflowId::parse("WITNESS_TEST").expect("a workflow ID"),
        Vec::new(),
        redactor,
        Mailboxes::Emulated(emulated),
    )
}
