//! A proxy in this process, between a client and a server made of bytes.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use mesh_witness::{
    client::{Origin, Target, Timeouts},
    proxy::{Counts, Entry, Front, Proxy, Settings},
    tape::{ConnectionFacts, Exchange, HostRule, Redactor},
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// What was recorded.
#[derive(Clone, Default)]
pub struct Kept {
    pub exchanges: Arc<Mutex<Vec<Exchange>>>,
    pub connections: Arc<Mutex<Vec<ConnectionFacts>>>,
}

impl Kept {
    pub fn keep(&self, entry: &Entry) {
        match entry {
            Entry::Exchange(exchange) => self.exchanges.lock().unwrap().push((**exchange).clone()),
            Entry::Connection(facts) => self.connections.lock().unwrap().push((**facts).clone()),
        }
    }

    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }

    pub fn connections(&self) -> Vec<ConnectionFacts> {
        self.connections.lock().unwrap().clone()
    }
}

pub struct Rig {
    pub proxy: Proxy,
    pub server: TcpListener,
    pub kept: Kept,
}

impl Rig {
    pub async fn start() -> Self {
        Self::start_with(HostRule::AsSent).await
    }

    pub async fn start_with(host: HostRule) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let kept = Kept::default();
        let keeper = kept.clone();
        let proxy = start(address, host, move |entry| {
            keeper.keep(entry);
            Ok(())
        });
        Self { proxy: proxy.await, server, kept }
    }

    /// A client's end and the server's end of one connection.
    pub async fn connect(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.proxy.address()).await.unwrap();
        let (server, _) = self.server.accept().await.unwrap();
        (client, server)
    }

    /// Ends the recording once all connections are over.
    pub async fn finish(self) -> (Counts, Kept) {
        let (counts, result) = self.proxy.stop(sleep(Duration::from_secs(20))).await;
        result.unwrap();
        (counts, self.kept)
    }
}

pub async fn start(
    endpoint: SocketAddr,
    host: HostRule,
    keep: impl FnMut(&Entry) -> io::Result<()> + Send + 'static,
) -> Proxy {
    let origin = Origin::parse(&format!("http://{endpoint}")).unwrap();
    let settings = Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        front: Front::Plain,
        target: Target::new(origin, &[], None, Timeouts::default()).unwrap(),
        connect_to: None,
        host,
        redactor: Redactor::default(),
    };
    Proxy::start(settings, keep).await.unwrap()
}

/// Reads until so many bytes are there, or the other side ends.
pub async fn read_up_to(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut all = vec![0; count];
    let mut read = 0;
    while read < count {
        match within(stream.read(&mut all[read..])).await {
            Ok(0) | Err(_) => break,
            Ok(more) => read += more,
        }
    }
    all.truncate(read);
    all
}

/// The end of a connection: everything up to it, and how it came.
pub async fn read_to_end(stream: &mut TcpStream) -> (Vec<u8>, io::Result<()>) {
    let mut all = Vec::new();
    let result = within(stream.read_to_end(&mut all)).await;
    (all, result.map(drop))
}

/// No test waits for ever.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), work).await.expect("it ends within a minute")
}

pub fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
