//! Accepts connections, over mutual TLS or plainly, and stops in good order.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher as ConnectionWatcher},
};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{
    Clock, Limits, Mailbox, Mailroom, Patient, Pki, PkiError, Policy, StoreError, Switches, Workflow,
    authentication::Guard,
    faults::{Faults, TlsFault, agrees_to_old_version},
    provocations::{Cased, Casing, Provocations, treat},
    recording::{Connection, Recorded, Recorder, Recording},
    routes::{Peer, Routes, Watcher},
};
use crate::protocol::{MailboxId, Password, SharedKey};

/// Connections at a time; more wait.
const CONNECTIONS: usize = 1024;
/// How long a TLS handshake, or a request's head, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long calls may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(5);

/// How an endpoint is set up.
pub struct Settings {
    /// Where to listen; port 0 for any free one.
    pub listen: SocketAddr,
    /// Mutual TLS with this authority, or plain HTTP.
    pub transport: Transport,
    /// The environment's shared key.
    pub shared_key: SharedKey,
    /// Mailboxes to begin with.
    pub mailboxes: Vec<(MailboxId, Password)>,
    /// What to demand beyond a good token.
    pub policy: Policy,
    /// How much to hold.
    pub limits: Limits,
    /// The endpoint's time.
    pub clock: Clock,
    /// Who is told of every call.
    pub watcher: Option<Watcher>,
}

/// What an endpoint may be given beyond what it needs. The default is integration's manners and
/// nothing else.
#[derive(Debug, Clone, Default)]
pub struct Arrangement {
    /// How to answer where sources disagree.
    pub switches: Switches,
    /// Mailboxes with all that is known of them.
    pub mailboxes: Vec<Mailbox>,
    /// Workflows that are registered.
    pub workflows: Vec<Workflow>,
    /// Patients whom the routing knows. Synthetic.
    pub patients: Vec<Patient>,
    /// Whether callers on this machine may use the admin routes, without a token: reset, reports,
    /// events, details, and the clock.
    pub admin: bool,
    /// Where messages are kept so that they survive; without it they are gone with the process.
    pub store: Option<PathBuf>,
    /// What is wrong with the endpoint on purpose. For tests: the program has no way to set it.
    pub faults: Faults,
    /// Lets a scenario make things hard for a product. Without it nothing can be provoked.
    pub provocations: Option<Provocations>,
}

/// What connections are made of.
pub enum Transport {
    /// TLS 1.2 or 1.3 with a client certificate required.
    MutualTls(Arc<Pki>),
    /// Nothing: for loopback only.
    Plain,
}

impl Transport {
    /// Whether connections are encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::MutualTls(_))
    }
}

/// Why an endpoint did not start.
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
    /// The folder with messages cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TLS could not be set up.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// A running endpoint. Stops when dropped, or in good order by [`Emulator::stop`].
pub struct Emulator {
    address: SocketAddr,
    scheme: &'static str,
    mailroom: Arc<Mailroom>,
    faults: Faults,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Emulator {
    /// Starts listening. When this returns, the endpoint answers.
    ///
    /// # Errors
    /// When the address is taken or TLS cannot be set up.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::start_arranged(settings, Arrangement::default()).await
    }

    /// Starts listening, and has everything recorded that clients do. Their tokens are checked by
    /// `token_clock`: a product knows of no endpoint's clock that was moved.
    ///
    /// # Errors
    /// As [`Emulator::start_arranged`].
    pub async fn start_recorded(
        settings: Settings,
        arrangement: Arrangement,
        recorder: Recorder,
        token_clock: Clock,
    ) -> Result<Self, StartError> {
        Self::start_with(settings, arrangement, Some(recorder), token_clock).await
    }

    /// Starts listening, with everything arranged. When this returns, the endpoint answers.
    ///
    /// # Errors
    /// When the address is taken, the folder with messages cannot be used, or TLS cannot be set up.
    pub async fn start_arranged(settings: Settings, arrangement: Arrangement) -> Result<Self, StartError> {
        let clock = settings.clock.clone();
        Self::start_with(settings, arrangement, None, clock).await
    }

    /// Tokens are checked by `token_clock`.
    async fn start_with(
        settings: Settings,
        arrangement: Arrangement,
        recorder: Option<Recorder>,
        token_clock: Clock,
    ) -> Result<Self, StartError> {
        let (scheme, tls) = match &settings.transport {
            Transport::MutualTls(pki) => {
                let config = pki.server_config(&arrangement.faults)?;
                ("https", Some(TlsAcceptor::from(Arc::new(config))))
            }
            Transport::Plain => ("http", None),
        };
        let unable = |source| StartError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(unable)?;
        let address = listener.local_addr().map_err(unable)?;
        let (key, clock) = (settings.shared_key, settings.clock);
        let guard = Guard::new(key, settings.policy, arrangement.switches.clone(), token_clock);
        let (mailroom, guard) = arrangement.open(&clock, &settings.limits, guard).await?;
        for (id, password) in settings.mailboxes {
            mailroom.register(id, password);
        }
        let mailroom = Arc::new(mailroom);
        let routes = Arc::new(Routes {
            mailroom: Arc::clone(&mailroom),
            guard,
            clock,
            switches: arrangement.switches,
            watcher: settings.watcher,
            admin: arrangement.admin,
            faults: arrangement.faults.clone(),
            provocations: arrangement.provocations,
        });
        let faults = arrangement.faults;
        let (stop, stopped) = oneshot::channel();
        let door = Door { tls, routes, recorder, origin: format!("{scheme}://{address}").into() };
        let task = tokio::spawn(accept(listener, Arc::new(door), stopped));
        Ok(Self { address, scheme, mailroom, faults, stop, task })
    }

    /// Scheme, host and port, such as `https://127.0.0.1:8700`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its mailboxes.
    #[must_use]
    pub fn mailroom(&self) -> &Arc<Mailroom> {
        &self.mailroom
    }

    /// What is wrong with it on purpose.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Takes no more connections, lets calls that have begun end within five seconds, and stops.
    pub async fn stop(self) {
        // Whether or not the task still listens, it has ended when it is joined.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

impl Arrangement {
    /// The mailroom, and the guard with what it knew before.
    async fn open(
        &self,
        clock: &Clock,
        limits: &Limits,
        guard: Guard,
    ) -> Result<(Mailroom, Guard), StoreError> {
        let (mailroom, guard) = match &self.store {
            None => (Mailroom::with_switches(clock.clone(), limits.clone(), self.switches.clone()), guard),
            Some(folder) => {
                let (clock, limits, switches) = (clock.clone(), limits.clone(), self.switches.clone());
                let opened = spawn_blocking({
                    let folder = folder.clone();
                    move || {
                        let mailroom = Mailroom::open(clock, limits, switches, &folder)?;
                        let unusable = |source| StoreError::Folder { path: folder.clone(), source };
                        Ok((mailroom, guard.remembering(folder.join("tokens")).map_err(unusable)?))
                    }
                });
                // A database that is damaged beyond what its library expects makes it panic.
                let panicked = |_| StoreError::Damaged {
                    path: folder.clone(),
                    why: "what is in it contradicts itself".to_owned(),
                };
                opened.await.map_err(panicked)??
            }
        };
        self.mailboxes.iter().cloned().for_each(|mailbox| mailroom.install(mailbox));
        self.workflows.iter().cloned().for_each(|workflow| mailroom.install_workflow(workflow));
        self.patients.iter().cloned().for_each(|patient| mailroom.install_patient(patient));
        Ok((mailroom, guard))
    }
}

/// What every connection is received with.
struct Door {
    tls: Option<TlsAcceptor>,
    routes: Arc<Routes>,
    recorder: Option<Recorder>,
    origin: Arc<str>,
}

async fn accept(listener: TcpListener, door: Arc<Door>, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // When no timer is set as a thread goes to sleep, tokio wakes its driver by a call of the system for each that is
    // set next, and every call sets one. So one is always set, and earlier than any of theirs.
    let mut always = tokio::time::interval(PATIENCE / 3);
    loop {
        let accepted = tokio::select! {
            // Dropping the sender stops it as well.
            _ = &mut stopped => break,
            _ = always.tick() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            // Out of file descriptors, say: not this connection, but perhaps the next.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let Some(place) = place(&room, &mut stopped).await else { break };
        let (door, watcher) = (Arc::clone(&door), graceful.watcher());
        tokio::spawn(async move {
            let on_loopback = address.ip().to_canonical().is_loopback();
            connection(stream, &door, watcher, on_loopback).await;
            drop(place);
        });
    }
    drop(listener);
    // Whoever is not done by then is cut off.
    let _ = timeout(GRACE, graceful.shutdown()).await;
}

/// A place for one more connection, when there is one; `None` when it is time to stop.
async fn place(room: &Arc<Semaphore>, stopped: &mut oneshot::Receiver<()>) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        _ = stopped => None,
        place = Arc::clone(room).acquire_owned() => place.ok(),
    }
}

async fn connection(mut stream: TcpStream, door: &Door, watcher: ConnectionWatcher, on_loopback: bool) {
    // Small replies must not wait for each other.
    let _ = stream.set_nodelay(true);
    let address = stream.local_addr().ok();
    match &door.tls {
        None => {
            let recording = door.recorder.as_ref().map(|recorder| {
                recorder.connection(Connection { origin: Arc::clone(&door.origin), address, tls: None })
            });
            let peer = Peer { common_name: None, on_loopback };
            serve_recorded(stream, recording, Arc::clone(&door.routes), peer, watcher).await;
        }
        Some(_)
            if door.routes.faults.has_tls(TlsFault::OldVersions)
                && agrees_to_old_version(&mut stream).await => {}
        Some(acceptor) => {
            // A client that fails the handshake has been told so by TLS; there is nothing to answer.
            if let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await {
                let session = stream.get_ref().1;
                let certificates = session.peer_certificates().unwrap_or_default();
                let name = certificates.first().and_then(|leaf| common_name(leaf));
                let recorder = door.recorder.as_ref().filter(|recorder| recorder.records(name.as_deref()));
                let recording = recorder.map(|recorder| {
                    let tls = Some(recorder.tls_facts(session));
                    recorder.connection(Connection { origin: Arc::clone(&door.origin), address, tls })
                });
                let peer = Peer { common_name: name.map(Into::into), on_loopback };
                serve_recorded(stream, recording, Arc::clone(&door.routes), peer, watcher).await;
            }
        }
    }
}

async fn serve_recorded<S>(
    stream: S,
    recording: Option<Recording>,
    routes: Arc<Routes>,
    peer: Peer,
    watcher: ConnectionWatcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let casing = routes.provocations.as_ref().map(|_| Casing::default());
    match (recording, casing) {
        (None, None) => serve(stream, routes, peer, watcher, None).await,
        (None, Some(casing)) => {
            serve(Cased::new(stream, casing.clone()), routes, peer, watcher, Some(casing)).await;
        }
        (Some(recording), None) => {
            serve(Recorded::new(stream, recording), routes, peer, watcher, None).await;
        }
        (Some(recording), Some(casing)) => {
            let stream = Cased::new(Recorded::new(stream, recording), casing.clone());
            serve(stream, routes, peer, watcher, Some(casing)).await;
        }
    }
}

async fn serve<S>(
    stream: S,
    routes: Arc<Routes>,
    peer: Peer,
    watcher: ConnectionWatcher,
    casing: Option<Casing>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (routes, peer, casing) = (Arc::clone(&routes), peer.clone(), casing.clone());
        async move { treat(routes.answer(request, &peer).await, casing.as_ref()) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away or talks no HTTP ends its own connection and nobody else's.
    let _ = watcher.watch(connection).await;
}

fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_stops_also_while_a_connection_waits_for_a_place() {
        let (room, (stop, mut stopped)) = (Arc::new(Semaphore::new(1)), oneshot::channel());
        let taken = place(&room, &mut stopped).await;
        assert!(taken.is_some());
        stop.send(()).unwrap();
        let next = timeout(Duration::from_secs(5), place(&room, &mut stopped)).await;
        assert!(next.expect("it does not wait for a place any more").is_none());
    }
}
