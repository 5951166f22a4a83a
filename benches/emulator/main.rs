//! What the emulator costs, beside what any server would cost (the ceiling: hyper and rustls, which
//! answer 200 and nothing else) and, where there is one, beside NHS mesh-sandbox. Every server is a
//! process of its own, every one is called by the same client on connections that are kept.
//!
//! `cargo bench --bench emulator` takes some two minutes, `-- --quick` a few seconds. The sandbox is
//! measured when `MESH_SANDBOX_PYTHON`, or `target/peers/venv`, has a Python with mesh-sandbox 1.0.137.
//! `-- --large [GB]` sends one message of 20 GB, or so many, and fetches it again, twice.
//! `-- --small` measures handshakes and sends alone; names of servers (`ceiling`, `emulator`, `durable`, `sandbox`)
//! and `plain` or `tls` measure those alone. `--connections N` calls over so many at a time, and not over 16.
//! `-- --million` lists a mailbox in which a million messages wait, and takes some minutes more.
//! See `docs/measurements.md`.

mod ceiling;
mod certificates;
mod client;
mod large;
mod measure;
mod process;
mod table;
mod work;

use std::{env, path::PathBuf, time::Duration};

use client::Security;
use measure::{Extent, Figures, measure};
use process::{Command, Server};

const EMULATOR: &str = env!("CARGO_BIN_EXE_mesh-witness");

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is = |word: &str| arguments.iter().any(|argument| argument == word);
    if arguments.first().is_some_and(|first| first == "serve-ceiling") {
        return ceiling::serve(arguments.get(1).map(PathBuf::from).as_deref());
    }
    let extent = match () {
        () if is("--quick") => Extent::quick(),
        () if is("--small") => Extent::small(),
        () if is("--million") => Extent::whole().with_a_million(),
        () => Extent::whole(),
    };
    let number_after = |word: &str| {
        let at = arguments.iter().position(|argument| argument == word)?;
        arguments.get(at + 1)?.parse().ok()
    };
    let extent = match number_after("--connections") {
        Some(connections) => extent.with_connections(connections),
        None => extent,
    };
    let folder = tempfile::tempdir().expect("a folder");
    certificates::write(folder.path());
    let folder = folder.path();
    if is("--large") {
        return large::run(number_after("--large").unwrap_or(20), folder, || emulator(folder, false));
    }
    let wanted = |name: &str, all: &[&str]| is(name) || !all.iter().any(|name| is(name));
    for tls in [false, true] {
        if !wanted(if tls { "tls" } else { "plain" }, &["plain", "tls"]) {
            continue;
        }
        let mut columns: Vec<(&str, Figures)> = Vec::new();
        for (name, command) in servers(folder, tls) {
            if !wanted(name, &["ceiling", "emulator", "durable", "sandbox"]) {
                continue;
            }
            let started = Server::start(command, folder);
            let security = match (tls, name) {
                (false, _) => Security::Plain,
                (true, "emulator" | "durable") => Security::mutual(&folder.join("pki")),
                (true, _) => Security::mutual(folder),
            };
            let extent = if name == "sandbox" { extent.for_a_slow_one() } else { extent };
            columns.push((name, measure(started, security, extent)));
        }
        let title = if tls { "Over mutual TLS (the sandbox: server certificate only)" } else { "Plain HTTP" };
        println!("{}", table::write(title, &columns));
    }
}

fn servers(folder: &std::path::Path, tls: bool) -> Vec<(&'static str, Command)> {
    let own = env::current_exe().expect("the path of this program");
    let mut ceiling = Command::new(own).arg("serve-ceiling");
    let mut sandbox = sandbox();
    if tls {
        ceiling = ceiling.arg(folder);
        sandbox = sandbox.map(|sandbox| {
            sandbox
                .arg("--ssl-certfile")
                .arg(folder.join("server.pem"))
                .arg("--ssl-keyfile")
                .arg(folder.join("server-key.pem"))
        });
    }
    let store = folder.join(if tls { "store-tls" } else { "store" });
    let durable = emulator(folder, tls).arg("--store").arg(store);
    let mut servers = vec![("ceiling", ceiling), ("emulator", emulator(folder, tls)), ("durable", durable)];
    servers.extend(sandbox.map(|sandbox| ("sandbox", sandbox)));
    servers
}

fn emulator(folder: &std::path::Path, tls: bool) -> Command {
    let emulator = Command::new(EMULATOR).args(["emulate", "--listen", "127.0.0.1:0"]);
    if tls { emulator.arg("--pki").arg(folder.join("pki")) } else { emulator.arg("--plain-http") }
}

fn sandbox() -> Option<Command> {
    let usual = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/peers/venv/bin/python");
    let python = env::var_os("MESH_SANDBOX_PYTHON").map(PathBuf::from).unwrap_or(usual);
    python.exists().then(|| {
        Command::new(python)
            .args(["-m", "uvicorn", "mesh_sandbox.api:app", "--host", "127.0.0.1", "--port", "0"])
            .env("AUTH_MODE", "full")
            .env("STORE_MODE", "memory")
            .env("SHARED_KEY", work::SHARED_KEY)
            .env("PYTHONWARNINGS", "ignore")
    })
}

/// For how long each row is measured in the whole run.
const SPAN: Duration = Duration::from_secs(2);
