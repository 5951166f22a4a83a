//! Where the client calls, as whom, and how long it waits.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use thiserror::Error;

use super::certificate_facts;
use crate::tape::CertificateFacts;

/// Scheme, host and port. `http` for loopback addresses only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    tls: bool,
    host: String,
    port: u16,
}

/// Why a text is not an origin that may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OriginError {
    /// Not a URL of this kind.
    #[error("must be https://host or https://host:port, without path, query or user name")]
    Form,
    /// Another scheme than https, and http.
    #[error("must start with https://")]
    Scheme,
    /// Plain HTTP to another machine would show tokens and patients' data to whoever is in between.
    #[error("http:// is accepted for loopback addresses only")]
    PlainAbroad,
}

impl Origin {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`OriginError`] says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, OriginError> {
        let uri: http::Uri = url.trim_end_matches('/').parse().map_err(|_| OriginError::Form)?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(OriginError::Scheme),
            None => return Err(OriginError::Form),
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or(OriginError::Form)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.host().is_empty() {
            return Err(OriginError::Form);
        }
        let bracketed = authority.as_str().ends_with(':') || authority.host().is_empty();
        if bracketed {
            return Err(OriginError::Form);
        }
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let origin = Self { tls, host, port };
        if !tls && !origin.is_loopback() { Err(OriginError::PlainAbroad) } else { Ok(origin) }
    }

    /// Whether the host is this machine by address or by the name `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether TLS is used.
    #[must_use]
    pub fn uses_tls(&self) -> bool {
        self.tls
    }

    /// Name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` header: without the port where it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

/// A client certificate and its key.
pub struct Identity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub key: PrivateKeyDer<'static>,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For an answer; and within a transfer, for the next bytes.
    pub response: Duration,
    /// For the transfer of one message.
    pub transfer: Duration,
    /// For a message that was accepted to turn up in the recipient's inbox.
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

/// An endpoint as one client sees it.
#[derive(Clone)]
pub struct Target {
    pub(super) origin: Origin,
    pub(super) tls: Option<TlsTarget>,
    pub(super) timeouts: Timeouts,
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
    /// to the certificate, a host name that is none.
    pub fn new(
        origin: Origin,
        authorities: &[CertificateDer<'static>],
        identity: Option<&Identity>,
        timeouts: Timeouts,
    ) -> Result<Self, rustls::Error> {
        let tls = if origin.tls { Some(TlsTarget::new(&origin, authorities, identity)?) } else { None };
        Ok(Self { origin, tls, timeouts })
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
        let server_name = ServerName::try_from(origin.host.clone())
            .map_err(|_| rustls::Error::General(format!("{:?} is no host name", origin.host)))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (url, shown, host, port) in [
            (
                "https://msg.intspineservices.nhs.uk/",
                "https://msg.intspineservices.nhs.uk",
                "msg.intspineservices.nhs.uk",
                443,
            ),
            ("https://localhost:8700", "https://localhost:8700", "localhost", 8700),
            ("http://[::1]:8700", "http://[::1]:8700", "::1", 8700),
            ("http://127.0.0.2", "http://127.0.0.2", "127.0.0.2", 80),
        ] {
            let origin = Origin::parse(url).unwrap();
            assert_eq!((origin.to_string().as_str(), origin.host(), origin.port()), (shown, host, port));
        }
    }

    #[test]
    fn plain_http_stays_at_home() {
        for url in
            ["http://msg.intspineservices.nhs.uk", "http://192.168.0.1:8700", "http://localhost.example.com"]
        {
            assert_eq!(Origin::parse(url), Err(OriginError::PlainAbroad), "{url}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_none() {
        for url in [
            "",
            "localhost",
            "https://",
            "https://u:p@localhost",
            "https://localhost/messageexchange",
            "https://localhost?x",
            "https://a b",
            "https://localhost:99999",
            "https://localhost:",
        ] {
            assert!(Origin::parse(url).is_err(), "{url}");
        }
        assert_eq!(Origin::parse("ftp://localhost"), Err(OriginError::Scheme));
    }
}
