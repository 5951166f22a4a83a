//! Certificates that were presented: as they are, and what they say of themselves.

use std::fmt;

use bytes::Bytes;
use chrono::DateTime;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::{CertificateFacts, Sha256, TlsFacts, printable};

/// Certificates of one side that are kept. More are no chain.
const LONGEST: usize = 8;

/// What one side of a connection presented.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presented {
    /// What its own certificate says; `None` when there was none that could be read.
    pub own: Option<CertificateFacts>,
    /// All that it sent.
    pub chain: Chain,
}

/// Certificates in DER, as they were sent: whose they are first, then that of its issuer.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Chain(Vec<Bytes>);

impl Presented {
    /// What these certificates, in DER, are and say.
    #[must_use]
    pub fn of<C: AsRef<[u8]>>(certificates: &[C]) -> Self {
        let kept = certificates.iter().take(LONGEST).map(|one| Bytes::copy_from_slice(one.as_ref()));
        let chain = Chain(kept.collect());
        Self { own: chain.0.first().and_then(|own| certificate_facts(own)), chain }
    }
}

impl Chain {
    /// Each certificate, in DER.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Whether nothing was presented, or nothing of it was kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TlsFacts {
    /// The same, with what each side presented.
    #[must_use]
    pub fn between(self, client: Presented, server: Presented) -> Self {
        Self {
            client_certificate: client.own,
            server_certificate: server.own,
            client_chain: client.chain,
            server_chain: server.chain,
            ..self
        }
    }
}

/// What a certificate in DER says of itself; `None` when it is none. Names are made printable: the other
/// side chose them.
#[must_use]
pub fn certificate_facts(der: &[u8]) -> Option<CertificateFacts> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let time = |time: ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
    Some(CertificateFacts {
        subject: printable(certificate.subject().to_string().as_bytes()),
        issuer: printable(certificate.issuer().to_string().as_bytes()),
        serial: certificate.raw_serial_as_string(),
        fingerprint: Sha256::of(der).to_string(),
        not_before: time(certificate.validity().not_before)?,
        not_after: time(certificate.validity().not_after)?,
    })
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain of {}", self.0.len())
    }
}
