//! What stopping does to connections, and what is told of calls on them.

use std::{path::Path, sync::Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

use super::*;
use crate::{
    emulator::{
        Arrangement, Authentication, Call, Clock, Emulator, Limits, Pki, Policy, Settings, Transport, Watcher,
    },
    protocol::{MailboxId, Password, SharedKey},
};

async fn started() -> Emulator {
    started_with(Transport::Plain, None).await
}

/// With the calls that whoever watches is told of.
async fn watched(transport: Transport) -> (Emulator, Arc<Mutex<Vec<Call>>>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&calls);
    let watcher: Watcher = Arc::new(move |call: &Call| told.lock().unwrap().push(call.clone()));
    (started_with(transport, Some(watcher)).await, calls)
}

async fn started_with(transport: Transport, watcher: Option<Watcher>) -> Emulator {
    Emulator::start(settings(transport, watcher)).await.unwrap()
}

fn settings(transport: Transport, watcher: Option<Watcher>) -> Settings {
    Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        transport,
        shared_key: SharedKey::new("TestKey"),
        mailboxes: Vec::new(),
        policy: Policy::default(),
        limits: Limits::default(),
        clock: Clock::new(),
        watcher,
    }
}

/// One that has everything on a disk before it answers, and lets everybody in; with the calls that whoever watches is
/// told of.
async fn durable(store: &Path) -> (Emulator, Arc<Mutex<Vec<Call>>>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&calls);
    let watcher: Watcher = Arc::new(move |call: &Call| told.lock().unwrap().push(call.clone()));
    let policy = Policy { authentication: Authentication::None, ..Policy::default() };
    let mailboxes = ["A", "B"].map(|id| (MailboxId::parse(id).unwrap(), Password::new("p"))).to_vec();
    let settings = Settings { policy, mailboxes, ..settings(Transport::Plain, Some(watcher)) };
    let arrangement = Arrangement { store: Some(store.to_owned()), ..Arrangement::default() };
    (Emulator::start_arranged(settings, arrangement).await.unwrap(), calls)
}

const SEND: &[u8] =
    b"POST /messageexchange/A/outbox HTTP/1.1\r\nHost: x\r\nMex-To: B\r\nMex-WorkflowID: W\r\n\
    Content-Length: 1\r\n\r\nx";

/// A connection that has been answered once.
async fn answered(emulator: &Emulator) -> TcpStream {
    let mut connection = TcpStream::connect(emulator.address()).await.unwrap();
    connection.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 1024];
    let length = connection.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200 "));
    connection
}

/// As many connections as there is room for.
async fn full(emulator: &Emulator) -> Vec<TcpStream> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(answered(emulator).await);
    }
    connections
}

async fn stops(emulator: Emulator) {
    timeout(Duration::from_secs(10), emulator.stop()).await.expect("it stops");
}

#[tokio::test]
async fn it_stops_while_connections_wait_for_others_to_end() {
    let emulator = started().await;
    let _connections = full(&emulator).await;
    let mut waits = TcpStream::connect(emulator.address()).await.unwrap();
    waits.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answered = timeout(Duration::from_millis(200), waits.read(&mut [0; 1024])).await;
    assert!(answered.is_err(), "there is no room for it");
    stops(emulator).await;
}

#[tokio::test]
async fn who_waits_is_answered_when_another_has_gone() {
    let emulator = started().await;
    let mut connections = full(&emulator).await;
    let (_, ()) = tokio::join!(answered(&emulator), async {
        sleep(Duration::from_millis(50)).await;
        connections.pop();
    });
    stops(emulator).await;
}

#[tokio::test]
async fn who_is_not_done_when_patience_ends_is_cut_off() {
    let emulator = started().await;
    let mailroom = Arc::downgrade(emulator.mailroom());
    let mut sends = answered(&emulator).await;
    sends.write_all(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf").await.unwrap();
    // Until it has been read as far.
    sleep(Duration::from_millis(50)).await;
    stops(emulator).await;
    assert!(mailroom.upgrade().is_none(), "nobody holds the mailroom any more");
    assert!(matches!(sends.read(&mut [0; 1024]).await, Ok(0) | Err(_)));
}

/// A client is told 404 and no more; whoever runs the endpoint wants to know which part it was.
#[tokio::test]
async fn a_path_with_a_malformed_part_is_told_by_that_part() {
    let (emulator, calls) = watched(Transport::Plain).await;
    let mut connection = TcpStream::connect(emulator.address()).await.unwrap();
    let target = "/messageexchange/workflowsearch/%FF";
    connection.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 404");
    let note = calls.lock().unwrap()[0].note.clone();
    assert_eq!(note.as_deref(), Some("path workflow_id: is malformed"));
    stops(emulator).await;
}

/// The library answers by itself; without a line nobody would learn why.
#[tokio::test]
async fn what_cannot_be_read_as_http_is_told_to_whoever_watches() {
    let (emulator, calls) = watched(Transport::Plain).await;
    let head = |more: &str| format!("GET /health HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    let (many, long) = ("X: y\r\n".repeat(100), format!("X: {}\r\n", "y".repeat(500_000)));
    for (request, status, why) in [
        (head(&many), 431, "message head is too large"),
        (head(&long), 431, "message head is too large"),
        (head("X: y\r\n folded\r\n"), 400, "invalid HTTP header parsed"),
        ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 400, "invalid HTTP version parsed"),
        (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000)), 414, "URI too long"),
    ] {
        let mut connection = TcpStream::connect(emulator.address()).await.unwrap();
        // It may be cut off before all of it is sent.
        let _ = connection.write_all(request.as_bytes()).await;
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes(), "{why}");
        let call = timeout(Duration::from_secs(10), async {
            loop {
                if let Some(call) = calls.lock().unwrap().pop() {
                    return call;
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
        let call = call.await.expect("it is told");
        assert_eq!(
            (call.status.unwrap().as_u16(), call.request.as_str(), call.operation),
            (status, "(unreadable)", None)
        );
        assert!(call.note.as_ref().is_some_and(|note| note.contains(why)), "{:?}", call.note);
    }
    drop(answered(&emulator).await);
    stops(emulator).await;
    assert_eq!(calls.lock().unwrap().len(), 1, "a client that goes away is nothing to tell");
}

#[tokio::test]
async fn a_connection_that_speaks_no_tls_where_it_should_is_told_to_whoever_watches() {
    let (emulator, calls) = watched(Transport::MutualTls(Arc::new(Pki::new().unwrap()))).await;
    let mut connection = TcpStream::connect(emulator.address()).await.unwrap();
    connection.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer).await;
    // The answer is an alert, and comes before anybody is told.
    let seen = async {
        while calls.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), seen).await.unwrap();
    let call = calls.lock().unwrap()[0].clone();
    assert_eq!((call.status, call.request.as_str()), (None, "(no call)"));
    assert_eq!(call.note.as_deref(), Some("the client does not speak TLS: this address is https"));
}

#[tokio::test]
async fn who_says_that_he_sends_no_more_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, _) = durable(folder.path()).await;
    for _ in 0..20 {
        let mut connection = TcpStream::connect(emulator.address()).await.unwrap();
        connection.write_all(SEND).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answer = Vec::new();
        timeout(Duration::from_secs(30), connection.read_to_end(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 202 "), "{}", String::from_utf8_lossy(&answer));
    }
    stops(emulator).await;
}

/// It took effect, so that whoever reads the log must find it: a product that sends again has sent twice.
#[tokio::test]
async fn a_call_whose_caller_does_not_wait_for_the_answer_is_told_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, calls) = durable(folder.path()).await;
    for _ in 0..20 {
        let mut connection = TcpStream::connect(emulator.address()).await.unwrap();
        connection.write_all(SEND).await.unwrap();
    }
    let told = async {
        while calls.lock().unwrap().len() < 20 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), told).await.expect("all are told");
    assert!(calls.lock().unwrap().iter().all(|call| call.status.is_some_and(|status| status == 202)));
    stops(emulator).await;
}
