//! Where the client calls, as whom, and how long it waits.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};

use super::{Origin, failure::failure};
use crate::tape::{FailureKind, Presented, TransportFailure};

/// A client certificate and its key.
pub struct Identity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub key: PrivateKeyDer<'static>,
}

/// How long to wait for what. The defaults are those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included: 10 seconds.
    pub connect: Duration,
    /// For an answer; and within a transfer, for the next bytes: 30 seconds.
    pub response: Duration,
    /// For the transfer of one message: one hour.
    pub transfer: Duration,
    /// For a message that was accepted to turn up in the recipient's inbox: 120 seconds.
    pub delivery: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            response: Duration::from_secs(30),
            transfer: Duration::from_secs(3600),
            delivery: Duration::from_secs(120),
        }
    }
}

/// Tells the time at an endpoint whose clock is not this machine's.
type EndpointTime = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// An endpoint as one client sees it.
#[derive(Clone)]
pub struct Target {
    pub(super) origin: Origin,
    tls: Tls,
    pub(super) timeouts: Timeouts,
    time: Option<EndpointTime>,
}

#[derive(Clone)]
enum Tls {
    None,
    Ready(TlsTarget),
    Later(Arc<Later>),
}

/// TLS that is set up when it is first needed: a certificate for every mailbox of a run is work that
/// a scenario which never calls must not pay for.
struct Later {
    made: OnceLock<Result<TlsTarget, String>>,
    make: Box<dyn Fn() -> Result<TlsParts, String> + Send + Sync>,
}

/// What TLS takes: authorities to trust, a certificate to present, and the versions to offer.
pub struct TlsParts {
    /// Whom to trust.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What to present; nothing when there is none.
    pub identity: Option<Identity>,
    /// Which versions to offer.
    pub versions: TlsVersions,
}

/// Which versions of TLS a client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 alone, the oldest that MESH takes.
    Only12,
}

#[derive(Clone)]
pub(super) struct TlsTarget {
    pub config: Arc<ClientConfig>,
    pub server_name: ServerName<'static>,
    /// What it presents.
    pub presented: Presented,
}

impl Target {
    /// A target that trusts these authorities and presents this certificate.
    ///
    /// # Errors
    /// What TLS does not take of it: an authority that is no certificate, a key that does not belong
    /// to the certificate.
    pub fn new(
        origin: Origin,
        authorities: &[CertificateDer<'static>],
        identity: Option<&Identity>,
        timeouts: Timeouts,
    ) -> Result<Self, rustls::Error> {
        let tls = if origin.is_encrypted() {
            Tls::Ready(TlsTarget::new(&origin, authorities, identity, TlsVersions::Both)?)
        } else {
            Tls::None
        };
        Ok(Self { origin, tls, timeouts, time: None })
    }

    /// The same, where another clock is in force than this machine's: tokens follow it.
    #[must_use]
    pub fn with_time(self, time: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { time: Some(Arc::new(time)), ..self }
    }

    /// The time that tokens for this endpoint are made by.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.time.as_ref().map_or_else(Utc::now, |time| time())
    }

    /// A target whose TLS is set up at the first call. What goes wrong then fails the call.
    #[must_use]
    pub fn later(
        origin: Origin,
        timeouts: Timeouts,
        make: impl Fn() -> Result<TlsParts, String> + Send + Sync + 'static,
    ) -> Self {
        let tls = if origin.is_encrypted() {
            Tls::Later(Arc::new(Later { made: OnceLock::new(), make: Box::new(make) }))
        } else {
            Tls::None
        };
        Self { origin, tls, timeouts, time: None }
    }

    /// How it does TLS, set up if it was not yet; `None` over plain HTTP.
    pub(super) fn tls(&self) -> Result<Option<&TlsTarget>, TransportFailure> {
        match &self.tls {
            Tls::None => Ok(None),
            Tls::Ready(tls) => Ok(Some(tls)),
            Tls::Later(later) => {
                let made = later.made.get_or_init(|| {
                    let TlsParts { authorities, identity, versions } = (later.make)()?;
                    TlsTarget::new(&self.origin, &authorities, identity.as_ref(), versions)
                        .map_err(|error| error.to_string())
                });
                let unable = |why: &String| failure(FailureKind::Tls, format!("cannot set up TLS: {why}"));
                made.as_ref().map(Some).map_err(unable)
            }
        }
    }

    /// How it does TLS; `None` over plain HTTP.
    #[must_use]
    pub fn tls_config(&self) -> Option<ClientConfig> {
        self.tls().ok().flatten().map(|tls| ClientConfig::clone(&tls.config))
    }

    /// What it presents, for the tape; nothing over plain HTTP.
    pub(crate) fn presented(&self) -> Presented {
        self.tls().ok().flatten().map(|tls| tls.presented.clone()).unwrap_or_default()
    }

    /// Where it calls.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How long it waits.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }
}

impl TlsTarget {
    fn new(
        origin: &Origin,
        authorities: &[CertificateDer<'static>],
        identity: Option<&Identity>,
        versions: TlsVersions,
    ) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority.clone())?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = match versions {
            TlsVersions::Both => builder.with_safe_default_protocol_versions()?,
            TlsVersions::Only12 => builder.with_protocol_versions(&[&rustls::version::TLS12])?,
        };
        let builder = builder.with_root_certificates(roots);
        let mut config = match identity {
            Some(identity) => {
                builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let server_name = origin.server_name().clone();
        let presented = identity.map(|identity| Presented::of(&identity.chain)).unwrap_or_default();
        Ok(Self { config: Arc::new(config), server_name, presented })
    }

    /// Whether it has one, without which a refusal is to be read in another way.
    pub fn presents_certificate(&self) -> bool {
        !self.presented.chain.is_empty()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("origin", &self.origin.to_string()).finish_non_exhaustive()
    }
}
