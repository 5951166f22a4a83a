//! What our own HAR says beyond HAR 1.2, read back.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::form::lenient;
use crate::tape::{
    Actor, BodyRecord, CertificateFacts, Decoded, HashCheck, Party, RelayFacts, RelayTimes, Sha256, TlsFacts,
    TokenFault, TokenRecord, TransportFailure, Vantage,
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
    #[serde(rename = "_relay", deserialize_with = "lenient")]
    pub relay: Option<Relay>,
}

#[derive(Deserialize)]
pub(super) struct Body {
    size: u64,
    sha256: Sha256,
    #[serde(default)]
    decoded: Option<DecodedBody>,
    /// Earlier versions do not say so, and have no text then.
    #[serde(default, rename = "kept")]
    is_kept: Option<bool>,
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
    alpn: Option<String>,
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

/// What a recording proxy knows of the leg to the product.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relay {
    connection: u64,
    position: u64,
    product: SocketAddr,
    product_tls: Option<Tls>,
    host_replaced_by: Option<String>,
    interim: Vec<u16>,
    times: Times,
    broken_off_by: Option<Party>,
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    request_came: Option<u64>,
    request_out_first: Option<u64>,
    request_out: Option<u64>,
    response_came_first: Option<u64>,
    response_came: Option<u64>,
    response_out_first: Option<u64>,
    response_out: Option<u64>,
}

impl Body {
    /// The record, with what was kept of the content.
    pub fn record(self, kept: Option<Bytes>) -> BodyRecord {
        // Of a body that gzip holds nothing in, a text that is empty is all.
        let holds_nothing = self.decoded.as_ref().is_some_and(|decoded| decoded.size == Some(0));
        let kept = kept.or_else(|| holds_nothing.then(Bytes::new)).filter(|_| self.is_kept != Some(false));
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
            alpn: of.alpn,
            client_certificate: of.client_certificate.map(CertificateFacts::from),
            server_certificate: of.server_certificate.map(CertificateFacts::from),
            ..TlsFacts::default()
        })
    }
}

impl From<Relay> for Arc<RelayFacts> {
    fn from(of: Relay) -> Self {
        Self::new(RelayFacts {
            connection: of.connection,
            position: of.position,
            product: of.product,
            product_tls: of.product_tls.map(Into::into),
            host_replaced_by: of.host_replaced_by,
            interim: of.interim,
            times: of.times.into(),
            broken_off_by: of.broken_off_by,
            notes: of.notes,
        })
    }
}

impl From<Times> for RelayTimes {
    fn from(of: Times) -> Self {
        Self {
            request_came_us: of.request_came,
            request_out_first_us: of.request_out_first,
            request_out_us: of.request_out,
            response_came_first_us: of.response_came_first,
            response_came_us: of.response_came,
            response_out_first_us: of.response_out_first,
            response_out_us: of.response_out,
        }
    }
}

impl From<Certificate> for CertificateFacts {
    fn from(of: Certificate) -> Self {
        let Certificate { subject, issuer, serial, sha256, not_before, not_after } = of;
        Self { subject, issuer, serial, fingerprint: sha256, not_before, not_after }
    }
}
