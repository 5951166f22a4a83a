//! The program `emulate`: mesh-sandbox's files, profiles, and the access log.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::caller::plain_client;
use crate::support::{eventually, program, witness};

pub struct Emulate(Child);

impl Drop for Emulate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn start(arguments: &[&str]) -> (Emulate, String) {
    let mut command = program();
    command.args(["emulate", "--listen", "127.0.0.1:0", "--plain-http"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    (Emulate(child), first.strip_prefix("listening on ").unwrap().to_owned())
}

pub fn token(mailbox: &str, password: &str) -> String {
    let credentials = Credentials {
        mailbox: MailboxId::parse(mailbox).unwrap(),
        password: Password::new(password),
        shared_key: SharedKey::new("TestKey"),
    };
    Token::build(&credentials, uuid::Uuid::new_v4(), NonceCount::new(0), chrono::Utc::now()).to_string()
}

/// Whoever puts a password into a path or a query has it in no log of ours.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_puts_into_a_path_is_no_more_shown_than_recorded() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let arguments = ["--mailbox", "A1:s3cret-word", "--shared-key", "another-k3y", "--access-log"];
    let mut command = program();
    command.args(["emulate", "--listen", "127.0.0.1:0", "--plain-http"]).args(arguments).arg(&log);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap().strip_prefix("listening on ").unwrap().to_owned();
    let _running = Emulate(child);
    let client = plain_client();
    for path in ["A1/inbox/s3cret-word", "A1/inbox?key=another%2Dk3y", "A1/inbox/s3cret%2Dword/2"] {
        client.get(format!("{url}/messageexchange/{path}")).send().await.unwrap();
    }
    let logged = || fs::read_to_string(&log).unwrap();
    eventually("three lines", || logged().lines().count() == 3);
    let calls = lines.map(Result::unwrap).filter(|line| line.contains("/messageexchange/A1/"));
    let said = calls.take(3).collect::<Vec<_>>().join("\n") + &logged();
    for secret in ["s3cret-word", "another-k3y", "another%2Dk3y", "s3cret%2Dword"] {
        assert!(!said.contains(secret), "{said}");
    }
    assert!(said.contains("GET /messageexchange/A1/inbox/[redacted]"), "{said}");
    assert!(said.contains(r#""message_id":"[redacted]""#), "{said}");
}

/// Calls that are shown nowhere are no reason to stop, and one to be told of.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_on_standard_output_is_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = program();
    command.args(["emulate", "--plain-http", "--listen", &free.to_string()]);
    let mut child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let (said, hears) = std::sync::mpsc::channel();
    let errors = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || errors.lines().map_while(Result::ok).for_each(|line| drop(said.send(line))));
    let _running = Emulate(child);
    let client = plain_client();
    let mut called = false;
    for _ in 0..200 {
        called |= client.get(format!("http://{free}/messageexchange/_ping")).send().await.is_ok();
        if called {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(called, "it answers all the same");
    let said = hears.recv_timeout(std::time::Duration::from_secs(20)).expect("it says so");
    assert!(said.contains("calls are not shown: standard output cannot be written"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_access_log_has_one_line_a_call_and_no_secret() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(
        path("m"),
        r#"{"mailbox_id": "A1", "password": "s3cret"} {"mailbox_id": "B2", "receiver": "accepts"}"#,
    )
    .unwrap();
    fs::write(path("w"), r#"{"workflow_id": "W1", "senders": ["A1"], "receivers": ["B2"]}"#).unwrap();
    let log = path("log");
    let (_running, url) =
        start(&["--mailboxes", &path("m"), "--workflows", &path("w"), "--access-log", &log]);
    let client = plain_client();
    let good = token("A1", "s3cret");
    let send = |token: &str| {
        let call = client.post(format!("{url}/messageexchange/A1/outbox")).header("authorization", token);
        call.header("mex-to", "B2").header("mex-workflowid", "W1").body("x").send()
    };
    let sent: Value = serde_json::from_slice(&send(&good).await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(send(&good).await.unwrap().status(), 403);
    client.get(format!("{url}/messageexchange/workflowsearch/W1")).send().await.unwrap();
    let lines = || fs::read_to_string(&log).unwrap();
    eventually("three lines", || lines().lines().count() == 3);
    let read: Vec<Value> = lines().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let columns = |line: &Value| {
        ["mailbox", "operation", "message_id", "status", "token", "token_refusal"]
            .map(|name| line[name].clone())
    };
    let none = Value::Null;
    let (a, op) = (json!("A1"), json!("send message"));
    let id = sent["messageID"].clone();
    assert_eq!(columns(&read[0]), [a.clone(), op.clone(), id, json!(202), json!("accepted"), none.clone()]);
    let why = json!("the token was used before");
    assert_eq!(columns(&read[1]), [a, op, none.clone(), json!(403), json!("refused"), why]);
    let search = json!("search workflow");
    assert_eq!(columns(&read[2]), [none.clone(), search, none.clone(), json!(200), json!("not asked"), none]);
    assert!(read[0]["time"].as_str().unwrap().ends_with('Z'));
    let hash = good.rsplit(':').next().unwrap();
    assert!(!lines().contains("s3cret") && !lines().contains("TestKey") && !lines().contains(hash));
}

/// Which call it was is what an assessor looks for, above all where it went wrong.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_path_with_a_part_that_cannot_be_the_log_has_all_that_was_read() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    for profile in ["int", "spec", "sandbox"] {
        let log = folder.path().join(profile);
        let arguments = ["--mailbox", "A1:a", "--profile", profile, "--access-log", log.to_str().unwrap()];
        let (_running, url) = start(&arguments);
        let calls = [
            ("GET", "A1/inbox/%26", json!("A1"), json!("download message"), Value::Null),
            ("GET", "A1/inbox/ABC/0", json!("A1"), json!("download chunk"), json!("ABC")),
            ("GET", "%26/inbox/ABC/0", Value::Null, json!("download chunk"), json!("ABC")),
            ("POST", "A1/outbox/%26/x", json!("A1"), json!("send chunk"), Value::Null),
            ("GET", "A1/outbox/tracking/%0A", json!("A1"), json!("track local ID"), Value::Null),
            ("GET", "endpointlookup/%FF/%FF", Value::Null, json!("look up endpoint"), Value::Null),
            ("GET", "A1/nonesuch", Value::Null, Value::Null, Value::Null),
        ];
        for (place, (method, path, mailbox, operation, message)) in calls.into_iter().enumerate() {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let call = plain_client().request(method, format!("{url}/messageexchange/{path}"));
            call.header("authorization", token("A1", "a")).send().await.unwrap();
            let lines = || fs::read_to_string(&log).unwrap();
            eventually("its line", || lines().lines().count() == place + 1 && lines().ends_with('\n'));
            let line: Value = serde_json::from_str(lines().lines().last().unwrap()).unwrap();
            let read = ["mailbox", "operation", "message_id"].map(|name| line[name].clone());
            assert_eq!(read, [mailbox, operation, message], "{profile}: {path}");
        }
    }
    drop(log);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_cut_by_a_kill_or_a_full_disk_spoils_no_other() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    for (before, lines) in [("", 1), ("{\"whole\":1}\n", 2), ("{\"whole\":1}\n{\"cut", 3)] {
        fs::write(&log, before).unwrap();
        let (_running, url) = start(&["--mailbox", "A1:a", "--access-log", log.to_str().unwrap()]);
        assert_eq!(
            plain_client().get(format!("{url}/messageexchange/A1")).send().await.unwrap().status(),
            403
        );
        let now = || fs::read_to_string(&log).unwrap();
        eventually("a line for the call", || now().lines().count() >= lines && now().ends_with('\n'));
        assert_eq!(now().lines().count(), lines, "{}", now());
        let last: Value = serde_json::from_str(now().lines().last().unwrap()).unwrap();
        assert_eq!(last["operation"], "handshake", "{}", now());
    }
}

#[test]
fn a_mailbox_that_is_given_twice_is_refused_by_its_name() {
    let outcome = witness(&["emulate", "--plain-http", "--mailbox", "A:p", "--mailbox", "A:q"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("--mailbox: A is given twice; name it once"), "{}", outcome.stderr);
}

/// A variable that was meant to be filled.
#[test]
fn an_empty_shared_key_and_a_file_without_mailboxes_are_refused() {
    let none = program().args(["emulate", "--plain-http"]).env("MESH_SHARED_KEY", "").output().unwrap();
    let told = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(none.status.code() == Some(2) && told.contains("nor MESH_SHARED_KEY"), "{told}");
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("mailboxes.jsonl"), "\n").unwrap();
    let file = folder.path().join("mailboxes.jsonl");
    for arguments in
        [["--mailboxes", file.to_str().unwrap()], ["--data-dir", folder.path().to_str().unwrap()]]
    {
        let outcome = witness(&[&["emulate", "--plain-http"], arguments.as_slice()].concat());
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert!(outcome.stderr.contains("there is no mailbox in it; write one a line"), "{}", outcome.stderr);
    }
}

/// Without that it would be noticed when the first long message comes.
#[test]
fn a_folder_for_long_messages_that_cannot_be_used_is_told_at_the_start() {
    let folder = TempDir::new().unwrap();
    let nowhere = folder.path().join("nowhere");
    let mut command = program();
    command.args(["emulate", "--listen", "127.0.0.1:0", "--plain-http"]).env("TMPDIR", &nowhere);
    let mut running = Emulate(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let told = BufReader::new(running.0.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(told.contains("answered 507") && told.contains(nowhere.to_str().unwrap()), "{told}");
}

/// The first waits for calls that have begun.
#[cfg(unix)]
#[test]
fn a_second_signal_ends_it_at_once() {
    use std::{io::Write, net::TcpStream, time::Duration};
    let (mut running, url) = start(&[]);
    let mut call = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    call.write_all(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let id = rustix::process::Pid::from_child(&running.0);
    let began = std::time::Instant::now();
    // Until it has been heard twice.
    eventually("it has stopped", || {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::INT);
        running.0.try_wait().unwrap().is_some()
    });
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

/// mesh-sandbox passes over what it does not know, and so does it; a word that is spelt wrongly would be looked for long.
#[test]
fn fields_that_nobody_knows_are_warned_of() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mailboxes = r#"{"mailbox_id": "A", "billing_entity": null}
        {"mailbox_id": "B", "recevier": "accepts", "zzz": "s3cret"}"#;
    fs::write(path("m"), mailboxes).unwrap();
    fs::write(path("w"), r#"{"workflow_id": "W", "sender": ["A"]}"#).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (mailboxes, workflows) = (path("m"), path("w"));
    let given = ["--mailboxes", &mailboxes, "--workflows", &workflows];
    let said =
        witness(&[&["emulate", "--plain-http", "--listen", &address], given.as_slice()].concat()).stderr;
    for warning in [
        format!("--mailboxes: {mailboxes}:2: \"recevier\" is passed over; did you mean receiver?"),
        format!("--mailboxes: {mailboxes}:2: \"zzz\" is passed over; known are mailbox_id, "),
        format!("--workflows: {workflows}:1: \"sender\" is passed over; did you mean senders?"),
    ] {
        assert!(said.contains(&warning), "{said}");
    }
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn a_file_that_is_wrong_is_told_with_its_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("m.jsonl");
    fs::write(&file, "{\"mailbox_id\": \"A\"}\n{}").unwrap();
    let outcome = witness(&["emulate", "--plain-http", "--mailboxes", file.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("m.jsonl:2: missing field `mailbox_id`"), "{}", outcome.stderr);
}

/// Whoever starts the program from a test mostly reads its first line, and nothing after that.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn it_answers_and_stops_also_when_nobody_reads_what_it_shows() {
    let mut command = program();
    command.args(["emulate", "--listen", "127.0.0.1:0", "--plain-http"]);
    let mut running = Emulate(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut shown = BufReader::new(running.0.stdout.take().unwrap());
    let mut first = String::new();
    shown.read_line(&mut first).unwrap();
    let url = first.trim_end().strip_prefix("listening on ").unwrap().to_owned();
    let client = plain_client();
    // More than the pipe and the program hold.
    for _ in 0..500 {
        let call = client.get(format!("{url}/messageexchange/_ping?{}", "x".repeat(5000)));
        let answer = call.timeout(std::time::Duration::from_secs(10)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let id = rustix::process::Pid::from_child(&running.0);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    eventually("it has stopped", || running.0.try_wait().unwrap().is_some());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

/// Linux has all of 127.0.0.0/8; elsewhere only the first is there.
#[cfg(target_os = "linux")]
#[test]
fn what_it_says_to_try_can_be_tried_wherever_it_listens() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let pki = folder.path().join("its keys");
    for listen in ["127.0.0.1:0", "127.0.0.2:0", "0.0.0.0:0"] {
        let mut command = program();
        command.args(["emulate", "--listen", listen, "--pki"]).arg(&pki).stdout(Stdio::piped());
        let mut running = Emulate(command.spawn().unwrap());
        let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let curl = lines.find_map(|line| line.strip_prefix("try it: ").map(str::to_owned)).unwrap();
        let tried =
            std::process::Command::new("sh").args(["-c", &format!("{curl} -sS --noproxy '*'")]).output();
        let tried = tried.unwrap();
        assert!(tried.status.success(), "{curl}: {}", String::from_utf8_lossy(&tried.stderr));
    }
}

#[test]
fn certificates_of_an_endpoint_that_runs_are_not_replaced_by_one_that_cannot_start() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, pki) = (taken.local_addr().unwrap().to_string(), folder.path().join("pki"));
    fs::create_dir(&pki).unwrap();
    fs::write(pki.join("ca.pem"), "of the one that runs").unwrap();
    let outcome = witness(&["emulate", "--listen", &address, "--pki", pki.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert_eq!(fs::read_to_string(pki.join("ca.pem")).unwrap(), "of the one that runs");
    assert_eq!(fs::read_dir(pki).unwrap().count(), 1);
}

/// The clients of the one that runs would be refused from then on, and nobody would know why.
#[test]
fn a_folder_of_certificates_that_another_process_uses_is_refused() {
    let folder = TempDir::new().unwrap();
    let pki = folder.path().join("pki");
    let start = || {
        let mut command = program();
        command.args(["emulate", "--listen", "127.0.0.1:0", "--pki"]).arg(&pki).stdout(Stdio::piped());
        let mut running = Emulate(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let told = lines.next();
        std::thread::spawn(move || lines.for_each(drop));
        (running, told)
    };
    let (first, told) = start();
    assert!(told.is_some());
    let authority = || fs::read_to_string(pki.join("ca.pem")).unwrap();
    let before = authority();
    let (mut second, told) = start();
    assert_eq!(told, None);
    assert_eq!(second.0.wait().unwrap().code(), Some(2));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut second.0.stderr.take().unwrap(), &mut said).unwrap();
    assert!(said.contains("--pki: ") && said.contains("another process is using it"), "{said}");
    assert_eq!(authority(), before);
    drop(first);
    let (_third, told) = start();
    assert!(told.is_some() && authority() != before);
}

/// A link that leads nowhere is not "not there": the default mailboxes would be a surprise.
#[cfg(unix)]
#[test]
fn a_file_in_the_data_folder_that_cannot_be_read_is_not_passed_over() {
    let folder = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/nonesuch", folder.path().join("mailboxes.jsonl")).unwrap();
    let folder = folder.path().to_str().unwrap();
    // Exit code 3, not 2, if it would go on.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let outcome = witness(&["emulate", "--listen", &address, "--plain-http", "--data-dir", folder]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("mailboxes.jsonl: cannot be read"), "{}", outcome.stderr);
}

/// Linux says which threads a process has.
#[cfg(target_os = "linux")]
#[test]
fn calls_are_answered_by_as_many_threads_as_asked_for_or_half_of_the_processors() {
    let has_threads = |arguments: &[&str], count: usize| {
        let (running, _) = start(arguments);
        let names = || {
            let all = fs::read_dir(format!("/proc/{}/task", running.0.id())).unwrap();
            all.filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("comm")).ok())
        };
        // A thread has the name of the program until it names itself.
        let count_now = || names().filter(|name| name.starts_with("tokio")).count();
        eventually("as many threads", || count_now() == count);
    };
    let processors = std::thread::available_parallelism().unwrap().get();
    has_threads(&["--threads", "3"], 3);
    has_threads(&[], processors.div_ceil(2));
    let none = program().args(["emulate", "--threads", "0"]).output().unwrap();
    assert_eq!(none.status.code(), Some(2));
}
