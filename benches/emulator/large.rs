//! One message in many chunks of 100 MB, up and down again, compared byte for byte, without and with `--store`.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    client::{Connection, Security, Target},
    measure::LARGE,
    process::{Command, Server},
    work::{Caller, Mailbox},
};

/// What the emulator may have resident, whatever passes through it, in bytes.
const AIM: u64 = 100_000_000;

/// Plays it with every kind of store, and prints a table. Panics on the first byte that is another, and
/// when the emulator's memory is beyond the aim.
pub fn run(gigabytes: usize, folder: &Path, emulator: impl Fn() -> Command) {
    let chunks = gigabytes * 1_000_000_000 / LARGE;
    println!("| {gigabytes} GB in {chunks} chunks | up | down | peak memory | load |");
    println!("|---|---|---|---|---|");
    let store = folder.join("store-large");
    for (name, command) in [("emulator", emulator()), ("durable", emulator().arg("--store").arg(&store))] {
        let server = Server::start(command, folder);
        let target = Target { address: server.address, security: Security::Plain };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let [up, down] = runtime.block_on(there_and_back(&server, &target, chunks));
        let peak = server.peak();
        let shown = peak.map_or("–".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("–");
        println!("| {name} | {up} | {down} | {shown} | {load} |");
        assert!(peak.is_none_or(|peak| peak < AIM), "{name}: {shown} resident");
    }
}

async fn there_and_back(server: &Server, target: &Target, chunks: usize) -> [String; 2] {
    let caller = Caller::new();
    let mut connection = target.connect().await;
    let (began, cpu) = (Instant::now(), server.cpu());
    let mut id = String::new();
    for number in 1..=chunks {
        let body = Bytes::from(content(number));
        id = caller.send_chunk(&mut connection, &id, (number, chunks), body).await;
    }
    let up = told(server, began, cpu, chunks);
    let (began, cpu) = (Instant::now(), server.cpu());
    for number in 1..=chunks {
        compare(&caller, &mut connection, &id, number).await;
    }
    let down = told(server, began, cpu, chunks);
    caller.acknowledge(&mut connection, Mailbox::Two, &id).await;
    [up, down]
}

async fn compare(caller: &Caller, connection: &mut Connection, id: &str, number: usize) {
    let expected = content(number);
    let mut at = 0;
    caller
        .download_chunk(connection, id, number, |piece| {
            let same = expected.get(at..at + piece.len()) == Some(piece);
            assert!(same, "chunk {number} is another within {} bytes from {at}", piece.len());
            at += piece.len();
        })
        .await;
    assert_eq!(at, expected.len(), "all of chunk {number} came");
}

/// What a chunk holds: numbers that look random and are the same every time (SplitMix64), so that no two
/// places in the whole message are alike.
fn content(number: usize) -> Vec<u8> {
    let mut state = (number as u64) << 32;
    let mut body = Vec::with_capacity(LARGE);
    while body.len() < LARGE {
        state = state.wrapping_add(1);
        let mut mixed = state.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        body.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    body
}

fn told(server: &Server, began: Instant, cpu: Option<Duration>, chunks: usize) -> String {
    let took = began.elapsed();
    let rate = (chunks * LARGE) as f64 / took.as_secs_f64() / 1e6;
    let used = server.cpu().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    let used = used.map_or(String::new(), |used| format!(", {:.0} s CPU", used.as_secs_f64()));
    format!("{:.0} s, {rate:.0} MB/s{used}", took.as_secs_f64())
}
