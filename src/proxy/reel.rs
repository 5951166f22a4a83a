//! What a recording consists of, on its way to the tape.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use tokio::sync::{mpsc, watch};

use super::activity::{Activity, UnderWay};
use crate::tape::{ConnectionFacts, Exchange};

/// Entries that may wait for the tape. Then the relay waits too.
const WAITING: usize = 64;

/// Something for the tape, without secrets.
#[derive(Debug)]
pub enum Entry {
    /// An exchange.
    Exchange(Box<Exchange>),
    /// A connection that is over.
    Connection(Box<ConnectionFacts>),
}

/// How much was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections.
    pub connections: u64,
    /// Exchanges, whole or not.
    pub exchanges: u64,
    /// Exchanges that are not whole.
    pub broken_off: u64,
}

/// Where entries are handed in. A thread of its own keeps them, so that no disk delays the relay.
pub struct Reel {
    sender: mpsc::Sender<(Entry, UnderWay)>,
    failed: watch::Sender<bool>,
    activity: Activity,
}

/// The other end of a reel.
pub struct Keeper {
    thread: thread::JoinHandle<io::Result<()>>,
    failed: watch::Receiver<bool>,
    counts: Arc<Tally>,
}

#[derive(Default)]
struct Tally {
    connections: AtomicU64,
    exchanges: AtomicU64,
    broken_off: AtomicU64,
}

/// A reel whose entries `keep` keeps. After the first that it cannot keep, nothing more is taken. An entry is
/// under way until it is kept.
pub fn reel(
    activity: Activity,
    mut keep: impl FnMut(&Entry) -> io::Result<()> + Send + 'static,
) -> io::Result<(Reel, Keeper)> {
    let (sender, mut receiver) = mpsc::channel::<(Entry, UnderWay)>(WAITING);
    let (failed, has_failed) = watch::channel(false);
    let counts = Arc::new(Tally::default());
    let (tally, tell) = (Arc::clone(&counts), failed.clone());
    let work = move || {
        while let Some((entry, under_way)) = receiver.blocking_recv() {
            if let Err(error) = keep(&entry) {
                tell.send_replace(true);
                return Err(error);
            }
            tally.count(&entry);
            drop(under_way);
        }
        Ok(())
    };
    let thread = thread::Builder::new().name("tape".to_owned()).spawn(work)?;
    Ok((Reel { sender, failed, activity }, Keeper { thread, failed: has_failed, counts }))
}

impl Reel {
    /// Hands an entry in; `false` when it cannot be kept.
    pub async fn send(&self, entry: Entry) -> bool {
        let taken = self.sender.send((entry, self.activity.begin())).await.is_ok();
        if !taken {
            self.failed.send_replace(true);
        }
        taken
    }
}

impl Keeper {
    /// True once something could not be kept.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.failed.clone()
    }

    /// Waits until all is kept. All reels must have been dropped.
    pub fn finish(self) -> (Counts, io::Result<()>) {
        let result =
            self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread of the tape ended")));
        (self.counts.get(), result)
    }
}

impl Tally {
    fn count(&self, entry: &Entry) {
        match entry {
            Entry::Exchange(exchange) => {
                self.exchanges.fetch_add(1, Ordering::Relaxed);
                self.broken_off.fetch_add(u64::from(exchange.failure.is_some()), Ordering::Relaxed);
            }
            Entry::Connection(_) => {
                self.connections.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn get(&self) -> Counts {
        Counts {
            connections: self.connections.load(Ordering::Relaxed),
            exchanges: self.exchanges.load(Ordering::Relaxed),
            broken_off: self.broken_off.load(Ordering::Relaxed),
        }
    }
}
