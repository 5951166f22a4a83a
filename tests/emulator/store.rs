//! `emulate --store DIR`: what was answered is there after the process was killed, and on a full disk.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::caller::{V2, plain_client};
use crate::support::{Outcome, eventually, program, witness};

/// The program, and how to call it.
struct Emulate {
    child: Child,
    url: String,
    client: Client,
}

impl Drop for Emulate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Emulate {
    fn start(store: &Path) -> Self {
        let mut command = program();
        command.args(["emulate", "--listen", "127.0.0.1:0", "--plain-http", "--store"]).arg(store);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        let url = first.strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url, client: plain_client() }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.call_with(method, path, &token(path))
    }

    fn call_with(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let call = self.client.request(method, format!("{}/messageexchange/{path}", self.url));
        call.header("authorization", token).header("accept", V2)
    }

    fn sending(&self, body: Vec<u8>) -> RequestBuilder {
        let call = self.call(Method::POST, "X26ABC1/outbox").body(body);
        call.header("mex-to", "X26ABC2").header("mex-workflowid", "W1")
    }

    async fn send(&self, body: Vec<u8>) -> String {
        let (status, answer) = answered(self.sending(body)).await.unwrap();
        assert_eq!(status, 202);
        answer["message_id"].as_str().unwrap().to_owned()
    }

    async fn status(&self, method: Method, path: &str) -> u16 {
        self.call(method, path).send().await.unwrap().status().as_u16()
    }

    async fn list(&self) -> Vec<String> {
        let (mut listed, mut link) = (Vec::new(), "X26ABC2/inbox".to_owned());
        loop {
            let (status, page) = answered(self.call(Method::GET, &link)).await.unwrap();
            assert_eq!(status, 200);
            let ids = page["messages"].as_array().unwrap();
            listed.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
            match page["links"]["next"].as_str() {
                Some(next) => link = next.trim_start_matches("/messageexchange/").to_owned(),
                None => return listed,
            }
        }
    }

    async fn download(&self, id: &str, chunk: u32) -> (u16, Vec<u8>) {
        let response = self.call(Method::GET, &format!("X26ABC2/inbox/{id}/{chunk}")).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn token(path: &str) -> String {
    let mailbox = MailboxId::parse(path.split(['/', '?']).next().unwrap()).unwrap();
    let (password, shared_key) = (Password::new("password"), SharedKey::new("TestKey"));
    let credentials = Credentials { mailbox, password, shared_key };
    Token::build(&credentials, uuid::Uuid::new_v4(), NonceCount::new(0), chrono::Utc::now()).to_string()
}

/// Status and JSON; `None` when no whole answer came.
async fn answered(call: RequestBuilder) -> Option<(u16, Value)> {
    let response = call.send().await.ok()?;
    let status = response.status().as_u16();
    let body = response.bytes().await.ok()?;
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

/// A body that tells which one it is, and is of any length: short ones are kept in the database, long
/// ones in files.
fn body(seed: u64) -> Vec<u8> {
    let length = match seed % 7 {
        0 => 300_000 + seed % 1000,
        1 => 65_536 + seed % 3,
        _ => 20 + seed % 3000,
    };
    (0..length).map(|index| (seed.wrapping_mul(31).wrapping_add(index * 7) % 251) as u8).collect()
}

/// What the clients were told.
#[derive(Default)]
struct Told {
    /// Chunks of each message that was taken in whole.
    accepted: BTreeMap<String, Vec<u64>>,
    acknowledged: BTreeMap<String, ()>,
    /// Acknowledgements of which no answer came.
    perhaps: BTreeMap<String, ()>,
    /// Chunks of each message of which more were to come.
    begun: BTreeMap<String, Vec<u64>>,
    used_tokens: Vec<String>,
}

type Ledger = Arc<Mutex<Told>>;

/// Sends, whole and in chunks, acknowledges and lists, until no answer comes.
async fn work(emulate: &Emulate, ledger: &Ledger, seeds: &AtomicU64, stop: &AtomicBool) -> Option<()> {
    let next = || seeds.fetch_add(1, Ordering::Relaxed);
    while !stop.load(Ordering::Relaxed) {
        let seed = next();
        if seed % 5 == 0 {
            let (total, mut chunks) = (2 + seed % 3, vec![seed]);
            let first = emulate.sending(body(seed)).header("mex-chunk-range", format!("1:{total}"));
            let (status, answer) = answered(first).await?;
            assert_eq!(status, 202);
            let id = answer["message_id"].as_str().unwrap().to_owned();
            ledger.lock().unwrap().begun.insert(id.clone(), chunks.clone());
            for number in 2..=total {
                let seed = next();
                let path = format!("X26ABC1/outbox/{id}/{number}");
                let call = emulate.call(Method::POST, &path).body(body(seed));
                let (status, _) =
                    answered(call.header("mex-chunk-range", format!("{number}:{total}"))).await?;
                assert_eq!(status, 202);
                chunks.push(seed);
                let mut told = ledger.lock().unwrap();
                told.begun.insert(id.clone(), chunks.clone());
                if number == total {
                    told.begun.remove(&id);
                    told.accepted.insert(id.clone(), chunks.clone());
                }
            }
        } else {
            let (status, answer) = answered(emulate.sending(body(seed))).await?;
            assert_eq!(status, 202);
            let id = answer["message_id"].as_str().unwrap().to_owned();
            ledger.lock().unwrap().accepted.insert(id, vec![seed]);
        }
        let known =
            |told: &Told, id: &String| told.acknowledged.contains_key(id) || told.perhaps.contains_key(id);
        let oldest = {
            let mut told = ledger.lock().unwrap();
            let open = told.accepted.keys().find(|id| !known(&told, id)).cloned();
            let chosen = open.filter(|_| seed % 3 == 0);
            told.perhaps.extend(chosen.clone().map(|id| (id, ())));
            chosen
        };
        if let Some(id) = oldest {
            let path = format!("X26ABC2/inbox/{id}/status/acknowledged");
            let (status, _) = answered(emulate.call(Method::PUT, &path)).await?;
            assert_eq!(status, 200);
            ledger.lock().unwrap().acknowledged.insert(id, ());
        }
        if seed % 11 == 0 {
            let token = token("X26ABC2");
            let (status, page) = answered(emulate.call_with(Method::GET, "X26ABC2/inbox", &token)).await?;
            assert_eq!(status, 200);
            assert!(page["messages"].is_array());
            ledger.lock().unwrap().used_tokens.push(token);
        }
    }
    Some(())
}

/// Every answer that was given still holds, and nothing is there by halves.
async fn check(emulate: &Emulate, ledger: &Ledger, seeds: u64) {
    // What is known is acknowledged below, so that the next round is as quick as this one.
    let told = std::mem::take(&mut *ledger.lock().unwrap());
    let listed = emulate.list().await;
    for (id, chunks) in &told.accepted {
        if told.acknowledged.contains_key(id) || (told.perhaps.contains_key(id) && !listed.contains(id)) {
            assert!(!listed.contains(id), "{id} was acknowledged");
            assert_eq!(emulate.download(id, 1).await.0, 410, "{id} was acknowledged");
            continue;
        }
        assert!(listed.contains(id), "{id} was answered 202 and is not listed");
        for (number, seed) in (1..).zip(chunks) {
            let (status, got) = emulate.download(id, number).await;
            assert_eq!(status, if (number as usize) < chunks.len() { 206 } else { 200 }, "{id} {number}");
            assert!(got == body(*seed), "{id}, chunk {number}, is not what was sent");
        }
    }
    // What nobody was told of may be there, but whole.
    for id in listed.iter().filter(|id| !told.accepted.contains_key(*id)) {
        let mut number = 1;
        loop {
            let (status, got) = emulate.download(id, number).await;
            assert!((0..seeds).any(|seed| body(seed) == got), "{id}, chunk {number}, was never sent");
            if status == 200 {
                break;
            }
            assert_eq!(status, 206);
            number += 1;
        }
    }
    for (id, chunks) in &told.begun {
        let path = format!("X26ABC1/outbox/tracking?messageID={id}");
        let (_, tracked) = answered(emulate.call(Method::GET, &path)).await.unwrap();
        let size: usize = chunks.iter().map(|seed| body(*seed).len()).sum();
        let found = tracked["file_size"].as_u64().map_or(size, |found| found as usize);
        assert!(tracked["status"] != json!(null) && found >= size, "{id} was begun: {tracked}");
    }
    if let Some(token) = told.used_tokens.last() {
        let again = answered(emulate.call_with(Method::GET, "X26ABC2/inbox", token)).await.unwrap();
        assert_eq!(again.0, 403, "a token was let in twice");
    }
    for id in listed {
        let path = format!("X26ABC2/inbox/{id}/status/acknowledged");
        assert_eq!(emulate.status(Method::PUT, &path).await, 200);
    }
}

/// How often the process is killed; a hundredfold by `MESH_WITNESS_KILLS=2000`.
fn kills() -> u64 {
    std::env::var("MESH_WITNESS_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_has_lost_nothing_that_was_answered() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store");
    let (ledger, seeds) = (Ledger::default(), Arc::new(AtomicU64::new(1)));
    let mut answers = 0;
    for kill in 0..kills() {
        let emulate = Arc::new(Emulate::start(&store));
        check(&emulate, &ledger, seeds.load(Ordering::Relaxed)).await;
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let (emulate, ledger) = (Arc::clone(&emulate), Arc::clone(&ledger));
                let (seeds, stop) = (Arc::clone(&seeds), Arc::clone(&stop));
                tokio::spawn(async move { work(&emulate, &ledger, &seeds, &stop).await })
            })
            .collect();
        // Moments that have nothing to do with what the process is at.
        tokio::time::sleep(Duration::from_micros(20_000 + kill * 7919 % 130_000)).await;
        let id = emulate.child.id().to_string();
        assert!(Command::new("kill").args(["-9", &id]).status().unwrap().success());
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap();
        }
        answers += ledger.lock().unwrap().accepted.len();
        Arc::into_inner(emulate).unwrap().kill();
    }
    let emulate = Emulate::start(&store);
    check(&emulate, &ledger, seeds.load(Ordering::Relaxed)).await;
    assert!(answers > 0, "something was answered before a kill");
    println!("{} kills, {answers} messages accepted before them", kills());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_stops_it_in_good_order_and_the_admin_reset_is_for_good() {
    let folder = TempDir::new().unwrap();
    let mut emulate = Emulate::start(folder.path());
    let id = emulate.send(body(7)).await;
    let process = emulate.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    assert_eq!(emulate.child.wait().unwrap().code(), Some(0));
    let emulate = Emulate::start(folder.path());
    assert_eq!(emulate.list().await, [id]);
    let reset = emulate.client.delete(format!("{}/messageexchange/admin/reset", emulate.url));
    assert_eq!(reset.send().await.unwrap().status(), 200);
    emulate.kill();
    let emulate = Emulate::start(folder.path());
    assert!(emulate.list().await.is_empty());
    assert_eq!(fs::read_dir(folder.path().join("bodies")).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_used_is_named_with_a_remedy() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let emulate = Emulate::start(&folder.path().join("used"));
    for (store, words) in [
        (file.as_path(), "name a folder that can be written"),
        (Path::new("/proc/nowhere"), "name a folder that can be written"),
        (&folder.path().join("used"), "another process is using it"),
    ] {
        let store = store.to_str().unwrap();
        let outcome = witness(&["emulate", "--listen", "127.0.0.1:0", "--plain-http", "--store", store]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(words) && outcome.stderr.contains(store), "{}", outcome.stderr);
    }
    drop(emulate);
}

/// Nobody mends a full disk by calling us otherwise.
#[test]
fn a_full_disk_at_the_start_is_the_environments_fault() {
    let folder = TempDir::new().unwrap();
    for option in ["--store", "--pki"] {
        let begun = r#"echo > "$1/ballast""#;
        let Some(mut command) = on_a_disk(folder.path(), "4k", begun, option) else {
            return println!("not tried: no file system may be mounted here");
        };
        let outcome = Outcome::from(command.output().unwrap());
        assert_eq!(outcome.code, Some(3), "{option}: {outcome:?}");
        let said = &outcome.stderr;
        assert!(
            said.contains(&format!("error: {option}: ")) && said.contains("make room on its disk"),
            "{said}"
        );
    }
}

/// On a disk of 6 MB; `None` where this machine permits no namespace of one's own to mount it in.
fn on_a_small_disk(store: &Path) -> Option<Command> {
    on_a_disk(store, "6m", "true", "--plain-http --store")
}

/// `emulate` with an option for a folder on a disk of this size, which was begun to be filled; `None` where this machine
/// permits no namespace of one's own to mount it in.
fn on_a_disk(folder: &Path, size: &str, begun: &str, option: &str) -> Option<Command> {
    let allowed = Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success());
    let script = format!(
        r#"mount -t tmpfs -o size={size} none "$1" && {begun} && exec "$0" emulate --listen 127.0.0.1:0 {option} "$1""#
    );
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &script, env!("CARGO_BIN_EXE_mesh-witness")]).arg(folder);
    command.env_remove("MESH_SHARED_KEY");
    allowed.then_some(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_answers_507_loses_nothing_and_takes_more_when_there_is_room() {
    // In the database, and in files of their own.
    for size in [20_000, 700_000] {
        let folder = TempDir::new().unwrap();
        let Some(command) = on_a_small_disk(folder.path()) else {
            return println!("not tried: no file system may be mounted here");
        };
        let emulate = Emulate::run(command);
        let id = emulate.child.id();
        let ballast = format!("/proc/{id}/root{}/ballast", folder.path().display());
        fs::write(&ballast, vec![1; 2 << 20]).unwrap();
        let accepted = fill(&emulate, size).await;
        assert_eq!(emulate.list().await.len(), accepted.len(), "what was accepted, and nothing else");
        fs::remove_file(&ballast).unwrap();
        let (status, _) = answered(emulate.sending(content(size, 1))).await.unwrap();
        assert_eq!(status, 202, "there is room again");
        for (id, seed) in &accepted {
            assert!(emulate.download(id, 1).await.1 == content(size, *seed), "{id} is not what was sent");
        }
        let path = format!("X26ABC2/inbox/{}/status/acknowledged", accepted[0].0);
        assert_eq!(emulate.status(Method::PUT, &path).await, 200);
        assert_eq!(emulate.list().await.len(), accepted.len());
    }
}

fn content(size: usize, seed: u64) -> Vec<u8> {
    vec![(seed % 251) as u8; size]
}

/// Sends, several at a time so that some share a commit that fails, until not all are taken.
async fn fill(emulate: &Emulate, size: usize) -> Vec<(String, u64)> {
    let mut accepted = Vec::new();
    for round in 0..1000 {
        let seeds: Vec<u64> = (round * 4..round * 4 + 4).collect();
        let calls = seeds.iter().map(|seed| answered(emulate.sending(content(size, *seed))));
        let mut refused = false;
        for (seed, answer) in seeds.iter().zip(futures_util::future::join_all(calls).await) {
            match answer.unwrap() {
                (202, answer) => accepted.push((answer["message_id"].as_str().unwrap().to_owned(), *seed)),
                (status, _) => {
                    assert_eq!(status, 507);
                    refused = true;
                }
            }
        }
        if refused {
            assert!(!accepted.is_empty());
            return accepted;
        }
    }
    panic!("the disk is never full");
}

/// `emulate --store` where no more than so many files may be open.
fn with_files(open: u32, store: &Path) -> Command {
    let mut command = Command::new("sh");
    let script = r#"ulimit -n "$1" && exec "$0" emulate --listen 127.0.0.1:0 --plain-http --store "$2""#;
    command.args(["-c", script, env!("CARGO_BIN_EXE_mesh-witness"), &open.to_string()]).arg(store);
    command
}

/// Each connection is a file, and so is each long body: callers that do nothing must not cost others theirs.
#[tokio::test]
async fn no_more_callers_are_let_in_than_there_are_files_for() {
    let folder = TempDir::new().unwrap();
    let emulate = Emulate::run(with_files(100, folder.path()));
    let address = emulate.url.strip_prefix("http://").unwrap();
    // A client that keeps connections might open another, which had to wait.
    let mut own = TcpStream::connect(address).unwrap();
    let body = content(700_000, 1);
    let send = |own: &mut TcpStream| {
        let headers = format!("Mex-To: X26ABC2\r\nMex-WorkflowID: W1\r\nContent-Length: {}\r\n", body.len());
        called(own, "POST X26ABC1/outbox", &headers, &body)
    };
    let (status, answer) = send(&mut own);
    assert_eq!(status, 202);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let path = format!("GET X26ABC2/inbox/{}", answer["message_id"].as_str().unwrap());
    let idle: Vec<_> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    for round in 0..5 {
        let (status, downloaded) = called(&mut own, &path, "", b"");
        assert!(status == 200 && downloaded == body, "{status} in round {round}");
        assert_eq!(send(&mut own).0, 202, "in round {round}");
    }
    drop(idle);
}

/// A call on a connection that stays: status and body of its answer.
fn called(own: &mut TcpStream, call: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let (method, path) = call.split_once(' ').unwrap();
    let token = token(path);
    let head = format!(
        "{method} /messageexchange/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nAccept: {V2}\r\n{headers}\r\n"
    );
    own.write_all(head.as_bytes()).unwrap();
    own.write_all(body).unwrap();
    let mut answer = BufReader::new(own);
    let mut lines = String::new();
    while !lines.ends_with("\r\n\r\n") {
        assert_ne!(answer.read_line(&mut lines).unwrap(), 0, "cut off: {lines}");
    }
    let lines = lines.to_ascii_lowercase();
    let (_, length) = lines.split_once("content-length: ").unwrap();
    let mut content = vec![0; length.lines().next().unwrap().parse().unwrap()];
    answer.read_exact(&mut content).unwrap();
    (lines[9..12].parse().unwrap(), content)
}

#[test]
fn too_few_files_are_the_environments_fault() {
    let folder = TempDir::new().unwrap();
    let outcome = Outcome::from(with_files(12, folder.path()).output().unwrap());
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("let the program open more files (ulimit -n)"), "{}", outcome.stderr);
}

/// What it brought about is still there.
#[tokio::test(flavor = "multi_thread")]
async fn that_the_clock_was_moved_is_told_after_a_restart_until_all_is_reset() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let start = || {
        let mut command = program();
        command.args(["emulate", "--listen", "127.0.0.1:0", "--plain-http", "--access-log"]).arg(&log);
        Emulate::run({
            command.arg("--store").arg(folder.path().join("store"));
            command
        })
    };
    let told = async |emulate: &Emulate| {
        let response = emulate.call(Method::GET, "X26ABC1/count").send().await.unwrap();
        response.headers().get("x-mesh-witness-clock-moved").map(|moved| moved.to_str().unwrap().to_owned())
    };
    let emulate = start();
    assert_eq!(told(&emulate).await, None);
    let clock = emulate.client.post(format!("{}/messageexchange/admin/clock", emulate.url));
    assert_eq!(clock.body(r#"{"move_seconds": 432060}"#).send().await.unwrap().status(), 200);
    emulate.kill();
    let emulate = start();
    assert_eq!(told(&emulate).await.as_deref(), Some("0"));
    let last = || {
        let lines = fs::read_to_string(&log).unwrap();
        lines.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok()).unwrap_or_default()
    };
    eventually("its line", || last()["clock_moved_seconds"] == 0);
    let reset = emulate.client.delete(format!("{}/messageexchange/admin/reset", emulate.url));
    assert_eq!(reset.send().await.unwrap().status(), 200);
    assert_eq!(told(&emulate).await, None);
    emulate.kill();
    assert_eq!(told(&start()).await, None);
}
