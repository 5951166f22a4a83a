//! Where the client calls, as whom, and how long it waits.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};

use super::{Origin, certificate_facts};
use crate::tape::CertificateFacts;

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
    pub(super) tls: Option<TlsTarget>,
    pub(super) timeouts: Timeouts,
    time: Option<EndpointTime>,
}

#[derive(Clone)]
pub(super) struct TlsTarget {
    pub config: Arc<ClientConfig>,
    pub server_name: ServerName<'static>,
    pub client_certificate: Option<CertificateFacts>,
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
        let tls =
            if origin.is_encrypted() { Some(TlsTarget::new(&origin, authorities, identity)?) } else { None };
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

    /// How it does TLS; `None` over plain HTTP.
    #[must_use]
    pub fn tls_config(&self) -> Option<ClientConfig> {
        self.tls.as_ref().map(|tls| ClientConfig::clone(&tls.config))
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
    ) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority.clone())?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match identity {
            Some(identity) => {
                builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let server_name = origin.server_name().clone();
        let leaf = identity.and_then(|identity| identity.chain.first());
        let client_certificate = leaf.and_then(|leaf| certificate_facts(leaf));
        Ok(Self { config: Arc::new(config), server_name, client_certificate })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("origin", &self.origin.to_string()).finish_non_exhaustive()
    }
}
