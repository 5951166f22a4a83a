//! An endpoint: how it is set up, starts and stops.

mod connections;
mod descriptors;
mod patience;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{JoinHandle, spawn_blocking},
};
use tokio_rustls::TlsAcceptor;

use super::{
    Clock, Limits, Mailbox, Mailroom, Patient, Pki, PkiError, Policy, StoreError, Switches, Workflow,
    authentication::Guard,
    faults::Faults,
    provocations::Provocations,
    recording::Recorder,
    routes::{Routes, Watcher},
};
use crate::protocol::{MailboxId, Password, SharedKey};
use connections::{Door, accept};
pub use descriptors::raise_open_files;

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
        let task = serve(listener, Arc::new(door), stopped);
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

/// No `async`, so that all that answers calls is compiled with the library, once, and not with each program that
/// starts an endpoint.
fn serve(listener: TcpListener, door: Arc<Door>, stopped: oneshot::Receiver<()>) -> JoinHandle<()> {
    tokio::spawn(accept(listener, door, stopped))
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
