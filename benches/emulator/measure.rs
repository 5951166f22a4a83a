//! Does the work for a while and looks at the clocks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    SPAN,
    client::{Security, Target},
    process::Server,
    work::{Caller, LARGE_PATH, Mailbox},
};

/// Bytes of a large message: what one request may carry.
pub const LARGE: usize = 100_000_000;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Extent {
    /// Connections at a time.
    connections: usize,
    span: Duration,
    large: usize,
    repeats: u32,
    /// Messages in the inboxes that are listed, of which none has more than so many.
    listed: &'static [usize],
    at_most: usize,
    first_only: bool,
}

impl Extent {
    pub fn whole() -> Self {
        Self {
            connections: 16,
            span: SPAN,
            large: LARGE,
            repeats: 15,
            listed: &[100, 10_000],
            at_most: usize::MAX,
            first_only: false,
        }
    }

    pub fn quick() -> Self {
        Self { span: SPAN / 10, large: LARGE / 10, repeats: 1, listed: &[100, 200], ..Self::whole() }
    }

    /// Handshakes and sends alone, for work on what a small request costs.
    pub fn small() -> Self {
        Self { first_only: true, ..Self::whole() }
    }

    /// Filling an inbox takes the sandbox 2 ms a message and more.
    pub fn for_a_slow_one(self) -> Self {
        Self { at_most: 2000, ..self }
    }

    pub fn with_connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    pub fn with_a_million(self) -> Self {
        Self { listed: &[100, 10_000, 1_000_000], ..self }
    }
}

/// What was found out about one server.
pub struct Figures {
    pub start: Duration,
    /// `None` for what was left out.
    pub rows: Vec<(String, Option<Figure>)>,
    /// After the small calls, and after the large ones.
    pub peaks: [Option<u64>; 2],
}

/// How fast, and what of the server's processor time one piece of work took.
#[derive(Clone, Copy)]
pub enum Figure {
    Rate { per_second: f64, cpu: Option<Duration> },
    Throughput { bytes_per_second: f64, cpu: Option<Duration> },
}

/// What is done over and over.
#[derive(Clone, Copy)]
enum Work {
    Handshake,
    Send,
    Cycle,
    List,
    Connect,
}

pub fn measure(server: Server, security: Security, extent: Extent) -> Figures {
    // One thread for all clients leaves the other processors to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let target = Target { address: server.address, security };
    runtime.block_on(all(&server, &target, extent))
}

async fn all(server: &Server, target: &Target, extent: Extent) -> Figures {
    let caller = Arc::new(Caller::new());
    let small = |work| during(server, target, &caller, work, extent);
    small(Work::Handshake).await;
    let mut rows = Vec::new();
    if extent.first_only {
        rows.push(("handshake".to_owned(), Some(small(Work::Handshake).await)));
        rows.push(("send 1 KiB".to_owned(), Some(small(Work::Send).await)));
        return Figures { start: server.start, rows, peaks: [server.peak(), None] };
    }
    for (name, work) in [
        ("handshake", Work::Handshake),
        ("handshake on a new connection", Work::Connect),
        ("send 1 KiB", Work::Send),
        ("cycle: send, list, download, acknowledge", Work::Cycle),
    ] {
        rows.push((name.to_owned(), Some(small(work).await)));
    }
    let mut waiting = 0;
    for count in extent.listed.iter().map(|count| *count.min(&extent.at_most)) {
        let name = format!("page of 100 of {count} messages");
        if count <= waiting {
            rows.push((name, None));
            continue;
        }
        fill(target, &caller, count - waiting, extent.connections).await;
        waiting = count;
        rows.push((name, Some(small(Work::List).await)));
    }
    let before = server.peak();
    let (up, down) = large(server, target, &caller, extent).await;
    let size = extent.large / 1_000_000;
    rows.push((format!("{size} MB up"), Some(up)));
    rows.push((format!("{size} MB down"), Some(down)));
    Figures { start: server.start, rows, peaks: [before, server.peak()] }
}

/// Puts so many messages more into an inbox, over several connections: a durable server syncs once for all
/// that are sent at a time.
async fn fill(target: &Target, caller: &Arc<Caller>, count: usize, connections: usize) {
    let mut workers = Vec::new();
    for index in 0..connections {
        let (caller, target) = (Arc::clone(caller), target.clone());
        let share = (count + index) / connections;
        workers.push(tokio::spawn(async move {
            let mut connection = target.connect().await;
            for _ in 0..share {
                caller.send(&mut connection, Mailbox::One, Bytes::from_static(b"x")).await;
            }
        }));
    }
    for worker in workers {
        worker.await.expect("a worker that ends");
    }
}

async fn during(
    server: &Server,
    target: &Target,
    caller: &Arc<Caller>,
    work: Work,
    extent: Extent,
) -> Figure {
    let body = Bytes::from(vec![b'x'; 1024]);
    let mut workers = Vec::new();
    let mut connections = Vec::new();
    for _ in 0..extent.connections {
        connections.push(target.connect().await);
    }
    let cpu = server.cpu();
    let began = Instant::now();
    for mut connection in connections {
        let (caller, target, body) = (Arc::clone(caller), target.clone(), body.clone());
        workers.push(tokio::spawn(async move {
            let mut done = 0_u32;
            while began.elapsed() < extent.span {
                match work {
                    Work::Handshake => caller.handshake(&mut connection).await,
                    Work::Send => drop(caller.send(&mut connection, Mailbox::Three, body.clone()).await),
                    Work::Cycle => caller.cycle(&mut connection, body.clone()).await,
                    Work::List => caller.list(&mut connection, Mailbox::One).await,
                    Work::Connect => caller.handshake(&mut target.connect().await).await,
                }
                done += 1;
            }
            done
        }));
    }
    let mut done = 0;
    for worker in workers {
        done += worker.await.expect("a worker that ends");
    }
    let took = began.elapsed();
    Figure::Rate { per_second: f64::from(done) / took.as_secs_f64(), cpu: used(server, cpu, done) }
}

async fn large(server: &Server, target: &Target, caller: &Caller, extent: Extent) -> (Figure, Figure) {
    let body = Bytes::from(vec![b'x'; extent.large]);
    let mut connection = target.connect().await;
    let [mut up, mut down] = [(Duration::ZERO, Duration::ZERO); 2];
    for _ in 0..extent.repeats {
        let (cpu, began) = (server.cpu(), Instant::now());
        let id = caller.send(&mut connection, Mailbox::Two, body.clone()).await;
        up = (up.0 + began.elapsed(), up.1 + used(server, cpu, 1).unwrap_or_default());
        let (cpu, began) = (server.cpu(), Instant::now());
        let mut length = caller.download(&mut connection, Mailbox::Two, &id).await;
        if length == 0 {
            // The ceiling keeps nothing, and has something large elsewhere.
            let name = LARGE_PATH.trim_start_matches("/inbox/");
            length = caller.download(&mut connection, Mailbox::Two, name).await;
        }
        assert!(length >= extent.large, "all of it came");
        let share = extent.large as f64 / length as f64;
        let took = began.elapsed().mul_f64(share);
        down = (down.0 + took, down.1 + used(server, cpu, 1).unwrap_or_default().mul_f64(share));
        caller.acknowledge(&mut connection, Mailbox::Two, &id).await;
    }
    let figure = |(took, cpu): (Duration, Duration)| Figure::Throughput {
        bytes_per_second: extent.large as f64 * f64::from(extent.repeats) / took.as_secs_f64(),
        cpu: server.cpu().map(|_| cpu / extent.repeats),
    };
    (figure(up), figure(down))
}

fn used(server: &Server, before: Option<Duration>, done: u32) -> Option<Duration> {
    Some((server.cpu()?.saturating_sub(before?)) / done.max(1))
}
