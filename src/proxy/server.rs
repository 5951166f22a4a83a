//! Accepts the product's connections, and stops in good order.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use super::{
    activity::{Activity, Busy},
    connection::{Connection, Shared},
    endpoint::Endpoint,
    front::Front,
    reel::{Counts, Entry, Keeper, reel},
    relay::{Stop, is_true},
};
use crate::{
    client::Target,
    tape::{HostRule, Redactor},
};

/// Connections at a time; more wait.
const CONNECTIONS: usize = 256;
/// How long connections that were told to end at once may take for it.
const LAST: Duration = Duration::from_secs(5);

/// How a proxy is set up.
pub struct Settings {
    /// Where to listen; port 0 for any free one.
    pub listen: SocketAddr,
    /// How to receive the product.
    pub front: Front,
    /// The endpoint.
    pub target: Target,
    /// Where the endpoint is, when that is not to be looked up by its name.
    pub connect_to: Option<SocketAddr>,
    /// What becomes of the `Host` header.
    pub host: HostRule,
    /// Takes secrets out of what is recorded.
    pub redactor: Redactor,
}

/// Why a proxy did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; name another address, or port 0 for any free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No thread for the tape.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// A running proxy. Runs until [`Proxy::stop`].
pub struct Proxy {
    address: SocketAddr,
    when_idle: watch::Sender<bool>,
    at_once: watch::Sender<bool>,
    task: JoinHandle<()>,
    keeper: Keeper,
    gauge: Gauge,
}

/// Tells how a proxy fares, for as long as it runs.
#[derive(Debug, Clone)]
pub struct Gauge {
    activity: Activity,
    failed: watch::Receiver<bool>,
}

impl Gauge {
    /// Waits until all that the product or the endpoint has seen the end of is kept: no exchange is under way, and
    /// no connection is being made or ended. For `patience` at most: a call that takes longer is kept when it ends.
    pub async fn settled(&self, patience: Duration) {
        let _ = timeout(patience, self.activity.rest()).await;
    }

    /// Waits until something that was recorded cannot be kept.
    pub async fn failed(&self) {
        is_true(self.failed.clone()).await;
    }
}

impl Proxy {
    /// Starts listening. `keep` is called with everything that is recorded, on a thread of its own; when
    /// it fails, nothing more is relayed.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(
        settings: Settings,
        keep: impl FnMut(&Entry) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, StartError> {
        let unable = |source| StartError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(unable)?;
        let address = listener.local_addr().map_err(unable)?;
        let endpoint = Endpoint::new(settings.target, settings.connect_to);
        let activity = Activity::default();
        let (reel, keeper) = reel(activity.clone(), keep).map_err(StartError::Thread)?;
        let shared = Arc::new(Shared {
            origin: endpoint.origin().into(),
            endpoint,
            front: settings.front,
            host: settings.host,
            redactor: settings.redactor,
            reel,
        });
        let (when_idle, idle) = watch::channel(false);
        let (at_once, now) = watch::channel(false);
        let stop = Stop { when_idle: idle, at_once: now, tape_failed: keeper.failed() };
        let task = relay(listener, shared, stop, activity.clone());
        let gauge = Gauge { activity, failed: keeper.failed() };
        Ok(Self { address, when_idle, at_once, task, keeper, gauge })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until something that was recorded cannot be kept.
    pub async fn failed(&self) {
        self.gauge.failed().await;
    }

    /// What tells how it fares.
    #[must_use]
    pub fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// Takes no more connections, ends those on which nothing is under way, gives the others until
    /// `patience` ends, and breaks off what is left. Gives how much was recorded, and whether all of it was
    /// kept.
    pub async fn stop(mut self, patience: impl Future<Output = ()>) -> (Counts, io::Result<()>) {
        self.when_idle.send_replace(true);
        tokio::select! {
            _ = &mut self.task => {}
            () = patience => {
                self.at_once.send_replace(true);
                if timeout(LAST, &mut self.task).await.is_err() {
                    self.task.abort();
                    // It has been cancelled, and what it held is dropped by then.
                    let _ = self.task.await;
                }
            }
        }
        let keeper = self.keeper;
        let finished = tokio::task::spawn_blocking(move || keeper.finish()).await;
        finished.unwrap_or_else(|error| (Counts::default(), Err(io::Error::other(error))))
    }
}

/// No `async`, so that all that relays calls is compiled with the library, once, and not with each program that starts
/// a proxy.
fn relay(listener: TcpListener, shared: Arc<Shared>, stop: Stop, activity: Activity) -> JoinHandle<()> {
    tokio::spawn(accept(listener, shared, stop, activity))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: Stop, activity: Activity) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        let place = tokio::select! {
            () = is_true(stop.when_idle.clone()) => break,
            place = Arc::clone(&room).acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            () = is_true(stop.when_idle.clone()) => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, say: not this connection, but perhaps the next.
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        number += 1;
        let busy = Busy::new(&activity);
        let connection = Connection { shared: Arc::clone(&shared), number, peer, stop: stop.clone(), busy };
        connections.spawn(async move {
            connection.serve(stream).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
