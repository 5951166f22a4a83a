//! What stopping does to connections.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

use super::*;
use crate::{
    emulator::{Clock, Emulator, Limits, Policy, Settings, Transport},
    protocol::SharedKey,
};

async fn started() -> Emulator {
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        transport: Transport::Plain,
        shared_key: SharedKey::new("TestKey"),
        mailboxes: Vec::new(),
        policy: Policy::default(),
        limits: Limits::default(),
        clock: Clock::new(),
        watcher: None,
    };
    Emulator::start(settings).await.unwrap()
}

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
