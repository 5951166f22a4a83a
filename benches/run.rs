//! How long the witness pack takes, from the start of the program to its exit, with everything
//! in between: certificates, mutual TLS, sixteen scenarios, report, seal, re-reading. The aim is under one
//! second, warm. Compare with `/usr/bin/time -v target/release/mesh-witness run`.
//!
//! `cargo bench --bench run`

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const RUNS: usize = 20;

fn main() {
    let folder = tempfile::tempdir().expect("a folder for bundles");
    let mut times: Vec<Duration> = (0..=RUNS)
        .map(|run| {
            // No bundle takes the place of another.
            let bundle = folder.path().join(format!("{run}.zip"));
            let started = Instant::now();
            let status = Command::new(env!("CARGO_BIN_EXE_mesh-witness"))
                .args(["run", "--bundle"])
                .arg(&bundle)
                .stdout(Stdio::null())
                .status()
                .expect("the program runs");
            assert!(status.success(), "the run passed");
            started.elapsed()
        })
        .skip(1)
        .collect();
    times.sort_unstable();
    let shown = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1000.0);
    println!(
        "run, the witness pack, {RUNS} times after one to warm up: min {}, median {}, max {}",
        shown(times[0]),
        shown(times[RUNS / 2]),
        shown(times[RUNS - 1])
    );
}
