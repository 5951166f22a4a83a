//! What our own HAR says beyond HAR 1.2, read back.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::form::lenient;
use crate::tape::{
    Actor, BodyRecord, CertificateFacts, Decoded, HashCheck, Sha256, TlsFacts, TokenFault, TokenRecord,
    TransportFailure, Vantage,
};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Own {
    #[serde(rename = "_number", deserialize_with = "lenient")]
    pub number: Option<usize>,
    #[serde(rename = "_actor", deserialize_with = "lenient")]
    pub actor: Option<Actor>,
    #[serde(rename = "_vantage", deserialize_with = "lenient")]
    pub vantage: Option<Vantage>,
    #[serde(rename = "_requestBody", deserialize_with = "lenient")]
    pub request_body: Option<Body>,
    #[serde(rename = "_responseBody", deserialize_with = "lenient")]
    pub response_body: Option<Body>,
    #[serde(rename = "_token", deserialize_with = "lenient")]
    pub token: Option<Token>,
    #[serde(rename = "_tokenFault", deserialize_with = "lenient")]
    pub token_fault: Option<TokenFault>,
    #[serde(rename = "_tls", deserialize_with = "lenient")]
    pub tls: Option<Tls>,
    #[serde(rename = "_failure", deserialize_with = "lenient")]
    pub failure: Option<TransportFailure>,
}

#[derive(Deserialize)]
pub(super) struct Body {
    size: u64,
    sha256: Sha256,
    #[serde(default)]
    decoded: Option<DecodedBody>,
    #[serde(default, rename = "seenAsGzip")]
    seen_as_gzip: Option<DecodedBody>,
}

#[derive(Deserialize)]
struct DecodedBody {
    whole: bool,
    size: Option<u64>,
    sha256: Option<Sha256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    mailbox: String,
    nonce: String,
    nonce_count: String,
    timestamp: String,
    hash: HashCheck,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tls {
    version: String,
    cipher: String,
    client_certificate: Option<Certificate>,
    server_certificate: Option<Certificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    subject: String,
    issuer: String,
    serial: String,
    sha256: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

impl Body {
    /// The record, with what was kept of the content.
    pub fn record(self, kept: Option<Bytes>) -> BodyRecord {
        let read = |of: DecodedBody| match (of.whole, of.size, of.sha256) {
            (true, Some(size), Some(sha256)) => Decoded::Whole { size, sha256 },
            _ => Decoded::Broken,
        };
        let (decoded, seen_as_gzip) = (self.decoded.map(read), self.seen_as_gzip.map(read));
        BodyRecord { size: self.size, sha256: self.sha256, decoded, seen_as_gzip, kept }
    }
}

impl From<Token> for TokenRecord {
    fn from(of: Token) -> Self {
        let Token { mailbox, nonce, nonce_count, timestamp, hash } = of;
        Self { mailbox, nonce, nonce_count, timestamp, hash }
    }
}

impl From<Tls> for Arc<TlsFacts> {
    fn from(of: Tls) -> Self {
        Self::new(TlsFacts {
            version: of.version,
            cipher: of.cipher,
            client_certificate: of.client_certificate.map(CertificateFacts::from),
            server_certificate: of.server_certificate.map(CertificateFacts::from),
            ..TlsFacts::default()
        })
    }
}

impl From<Certificate> for CertificateFacts {
    fn from(of: Certificate) -> Self {
        let Certificate { subject, issuer, serial, sha256, not_before, not_after } = of;
        Self { subject, issuer, serial, fingerprint: sha256, not_before, not_after }
    }
}
