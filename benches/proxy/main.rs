//! What `record` costs beside the direct path: the same client calls the same emulator over mutual TLS,
//! directly, through a proxy that only decrypts and encrypts (the floor), and through `record`, in turns, so that
//! whatever else the machine does falls on all.
//!
//! `cargo bench --bench proxy` takes about a minute, `-- --quick` some seconds, `-- --large` the large bodies alone.
//! See `docs/measurements.md`.

#[allow(dead_code, reason = "shared with the emulator's benchmark, which uses all of it")]
#[path = "../emulator/client.rs"]
mod client;
mod floor;
mod link;
#[allow(dead_code, reason = "shared with the emulator's benchmark, which uses all of it")]
#[path = "../emulator/process.rs"]
mod process;
#[allow(dead_code, reason = "shared with the emulator's benchmark, which uses all of it")]
#[path = "../emulator/work.rs"]
mod work;

use std::{
    env, fs,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use client::{Connection, Security, Target};
use link::Linked;
use mesh_witness::tape::{TapeLimits, read_tape};
use process::{Command, Server};
use work::{Caller, Mailbox};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mesh-witness");
/// Bytes of a large message: what one request may carry.
const LARGE: usize = 100_000_000;
/// Networks between the client and what it calls, and their bytes a second.
const LINKS: [(&str, f64); 3] = [("1 Gbit/s", 125e6), ("2.5 Gbit/s", 312.5e6), ("4 Gbit/s", 500e6)];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [first, endpoint, front, back] = arguments.as_slice()
        && first == "floor"
    {
        return floor::serve(endpoint.parse().expect("an address"), Path::new(front), Path::new(back));
    }
    let is = |word: &str| arguments.iter().any(|argument| argument == word);
    let quick = is("--quick");
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let emulator = Command::new(PROGRAM).args(["emulate", "--listen", "127.0.0.1:0", "--pki"]);
    let emulator = Server::start(emulator.arg(folder.join("pki")), folder);
    let proxy = Server::start(recorder(folder, &emulator), folder);
    for (product, mailbox) in [("product.pem", "X26ABC1.pem"), ("product-key.pem", "X26ABC1-key.pem")] {
        let pki = folder.join("front");
        fs::copy(pki.join(product), pki.join(mailbox)).expect("a copy");
    }
    let own = Command::new(env::current_exe().expect("the path of this program"));
    let own = own.arg("floor").arg(emulator.address.to_string()).arg(folder.join("front"));
    let floor = Server::start(own.arg(folder.join("pki")), folder);
    let direct = Target { address: emulator.address, security: Security::mutual(&folder.join("pki")) };
    let through = Target { address: proxy.address, security: Security::mutual(&folder.join("front")) };
    let barely = Target { address: floor.address, ..through.clone() };
    let (small, connections, large) = if quick { (200, 20, 1) } else { (5000, 300, 15) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let servers = [None, Some(&floor), Some(&proxy)];
        let bench = Bench { caller: Caller::new(), targets: [direct, barely, through], servers };
        println!("|                           | direct     | floor                       | recorded                    |");
        println!("|---------------------------|------------|-----------------------------|-----------------------------|");
        if !is("--large") {
            bench.small(small).await;
            bench.connections(connections).await;
        }
        let before = proxy.peak();
        bench.large(large, None).await;
        for link in LINKS {
            bench.large(large.div_ceil(5), Some(link)).await;
        }
        let megabytes =
            |peak: Option<u64>| peak.map_or("?".to_owned(), |peak| (peak / 1_000_000).to_string());
        println!(
            "peak memory of the proxy: {} MB before the large bodies, {} MB after",
            megabytes(before),
            megabytes(proxy.peak())
        );
    });
    drop(proxy);
    own_figures(&folder.join("tape"));
}

fn recorder(folder: &Path, emulator: &Server) -> Command {
    let config = format!(
        "environment: bench\nendpoint:\n  url: https://localhost:{}\n  ca_file: pki/ca.pem\n  \
         client_certificate_file: pki/X26ABC1.pem\n  client_key_file: pki/X26ABC1-key.pem\n  shared_key: {}\n\
         mailboxes:\n  product: {{id: X26ABC1, password: password}}\n  counterpart: {{id: X26ABC2, password: password}}\n\
         workflow_id: TEST_WORKFLOW\nproduct: {{name: bench, version: \"1\"}}\nsupplier: {{name: bench}}\n",
        emulator.address.port(),
        work::SHARED_KEY
    );
    fs::write(folder.join("mesh-witness.yaml"), config).expect("a configuration");
    Command::new(PROGRAM)
        .args(["record", "--listen", "127.0.0.1:0", "--config"])
        .arg(folder.join("mesh-witness.yaml"))
        .arg("--tape")
        .arg(folder.join("tape"))
        .arg("--pki")
        .arg(folder.join("front"))
}

struct Bench<'a> {
    caller: Caller,
    /// Directly, through the floor, and through the proxy.
    targets: [Target; 3],
    /// Whose processor time counts.
    servers: [Option<&'a Server>; 3],
}

/// What one path took: each time, and the processor time of the proxy on it.
#[derive(Default)]
struct Took {
    times: Vec<Duration>,
    cpu: Duration,
}

impl Bench<'_> {
    async fn all(&self, link: Option<f64>) -> [Connection; 3] {
        let connect = async |target: &Target| match link {
            None => target.connect().await,
            Some(rate) => target.connect_over(|stream| Linked::new(stream, rate)).await,
        };
        let [direct, floor, proxy] = &self.targets;
        [connect(direct).await, connect(floor).await, connect(proxy).await]
    }

    /// One call after the other on a connection that is kept.
    async fn small(&self, count: usize) {
        let mut connections = self.all(None).await;
        let body = Bytes::from(vec![b'x'; 1024]);
        for name in ["handshake", "send 1 KiB"] {
            let mut took: [Took; 3] = Default::default();
            let before = self.cpu();
            for _ in 0..count {
                for (connection, took) in connections.iter_mut().zip(&mut took) {
                    let began = Instant::now();
                    match name {
                        "handshake" => self.caller.handshake(connection).await,
                        _ => drop(self.caller.send(connection, Mailbox::Three, body.clone()).await),
                    }
                    took.times.push(began.elapsed());
                }
            }
            self.row(name, took, before, count);
        }
    }

    /// A connection for every call.
    async fn connections(&self, count: usize) {
        let mut took: [Took; 3] = Default::default();
        let before = self.cpu();
        for _ in 0..count {
            for (target, took) in self.targets.iter().zip(&mut took) {
                let began = Instant::now();
                let mut connection = target.connect().await;
                self.caller.handshake(&mut connection).await;
                took.times.push(began.elapsed());
            }
        }
        self.row("handshake, new connection", took, before, count);
    }

    fn row(&self, name: &str, took: [Took; 3], before: [Duration; 3], count: usize) {
        let count = u32::try_from(count.max(1)).expect("a small number");
        let [_, floor, proxy] = self.since(before).map(|cpu| micro(cpu / count));
        let [direct, barely, recorded] = took.map(|took| micro(median(took.times)));
        println!(
            "| {name:<25} | {direct:>7.0} µs | {:>+6.0} µs, {floor:>7.1} µs CPU | {:>+6.0} µs, {proxy:>7.1} µs CPU |",
            barely - direct,
            recorded - direct
        );
    }

    /// Bodies as long as a request may carry, as fast as the machine can or over a link.
    async fn large(&self, repeats: usize, link: Option<(&str, f64)>) {
        let body = Bytes::from(vec![b'x'; LARGE]);
        let mut connections = self.all(link.map(|(_, rate)| rate)).await;
        let [mut up, mut down]: [[Took; 3]; 2] = Default::default();
        for _ in 0..repeats {
            for (at, connection) in connections.iter_mut().enumerate() {
                let (before, began) = (self.cpu(), Instant::now());
                let id = self.caller.send(connection, Mailbox::Two, body.clone()).await;
                up[at].times.push(began.elapsed());
                up[at].cpu += self.since(before)[at];
                let (before, began) = (self.cpu(), Instant::now());
                let came = self.caller.download(connection, Mailbox::Two, &id).await;
                assert_eq!(came, LARGE, "all of it came");
                down[at].times.push(began.elapsed());
                down[at].cpu += self.since(before)[at];
                self.caller.acknowledge(connection, Mailbox::Two, &id).await;
            }
        }
        for (name, took) in [("100 MB up", up), ("100 MB down", down)] {
            let name = link.map_or(name.to_owned(), |(link, _)| format!("{name}, {link}"));
            let cpu = [&took[1], &took[2]].map(|took| took.cpu.as_secs_f64() * 1e3 / repeats as f64);
            let [direct, floor, recorded] =
                took.map(|took| LARGE as f64 / 1e6 / median(took.times).as_secs_f64());
            println!(
                "| {name:<25} | {direct:>5.0} MB/s | {floor:>5.0} MB/s {:>3.0} %, {:>3.0} ms CPU | {recorded:>5.0} MB/s {:>3.0} %, {:>3.0} ms CPU |",
                floor / direct * 100.0,
                cpu[0],
                recorded / direct * 100.0,
                cpu[1]
            );
        }
    }

    fn cpu(&self) -> [Duration; 3] {
        self.servers.map(|server| server.and_then(Server::cpu).unwrap_or_default())
    }

    fn since(&self, before: [Duration; 3]) -> [Duration; 3] {
        let mut since = self.cpu();
        for (since, before) in since.iter_mut().zip(before) {
            *since = since.saturating_sub(before);
        }
        since
    }
}

/// What the tape itself says that the proxy added before the first byte of an answer.
fn own_figures(tape: &Path) {
    let tape = read_tape(tape, &TapeLimits::default()).expect("a tape");
    let own = tape.exchanges.iter().filter_map(|(_, exchange)| exchange.relay.as_ref()?.times.own_us());
    let own: Vec<Duration> = own.map(Duration::from_micros).collect();
    println!(
        "by the tape, over {} exchanges, the proxy's own share was {:.0} µs at the median",
        own.len(),
        micro(median(own))
    );
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

fn micro(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
