//! What the HAR says beyond HAR 1.2: fields that begin with `_`, which other readers pass over.

use serde::Serialize;

use super::{exchanges, har_relay::Relay, text};
use crate::{
    runner::{RunRecord, ScenarioRecord},
    tape::{
        BodyRecord, CertificateFacts, Decoded, Exchange, FailureKind, HashCheck, TlsFacts, TokenFault,
        TokenRecord, TransportFailure, Vantage,
    },
};

/// The fields of one entry.
#[derive(Serialize)]
pub(super) struct Own<'a> {
    /// Place on the tape, from 1, as in report.html.
    #[serde(rename = "_number")]
    number: usize,
    #[serde(rename = "_case")]
    case: Option<&'a str>,
    #[serde(rename = "_scenario")]
    scenario: Option<Scenario<'a>>,
    #[serde(rename = "_actor")]
    actor: String,
    #[serde(rename = "_vantage")]
    vantage: &'static str,
    #[serde(rename = "_operation")]
    operation: Option<&'static str>,
    #[serde(rename = "_messageIds")]
    message_ids: Vec<String>,
    #[serde(rename = "_requestBody")]
    request_body: Body,
    #[serde(rename = "_responseBody")]
    response_body: Option<Body>,
    #[serde(rename = "_token")]
    token: Option<Token<'a>>,
    #[serde(rename = "_tokenFault", skip_serializing_if = "Option::is_none")]
    token_fault: Option<TokenFault>,
    #[serde(rename = "_tls")]
    tls: Option<Tls<'a>>,
    #[serde(rename = "_failure")]
    failure: Option<Failure<'a>>,
    #[serde(rename = "_relay", skip_serializing_if = "Option::is_none")]
    relay: Option<Relay<'a>>,
}

#[derive(Serialize)]
pub(super) struct Scenario<'a> {
    name: &'a str,
    path: &'a str,
    line: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    size: u64,
    sha256: String,
    /// What gzip held; absent when the body did not say that it is compressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    decoded: Option<DecodedBody>,
    /// `false` when the content is not here; absent when it is, and be it empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<bool>,
    /// What was gzip by its bytes, where `decoded` does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_as_gzip: Option<DecodedBody>,
}

#[derive(Serialize)]
struct DecodedBody {
    whole: bool,
    size: Option<u64>,
    sha256: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token<'a> {
    mailbox: &'a str,
    nonce: &'a str,
    nonce_count: &'a str,
    timestamp: &'a str,
    hash: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tls<'a> {
    version: &'a str,
    cipher: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpn: Option<&'a str>,
    client_certificate: Option<Certificate<'a>>,
    server_certificate: Option<Certificate<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificate<'a> {
    subject: &'a str,
    issuer: &'a str,
    serial: &'a str,
    sha256: &'a str,
    not_before: String,
    not_after: String,
}

#[derive(Serialize)]
struct Failure<'a> {
    kind: &'static str,
    detail: &'a str,
}

impl<'a> Scenario<'a> {
    pub(super) fn of(record: &'a ScenarioRecord) -> Self {
        let ScenarioRecord { name, path, line, .. } = record;
        Self { name, path, line: *line }
    }
}

impl<'a> Own<'a> {
    /// What is known of the exchange at a place of the record.
    pub(super) fn of(record: &'a RunRecord, place: usize, exchange: &'a Exchange) -> Self {
        let scenario = record.scenarios.get(exchange.scenario.0);
        Self {
            number: place + 1,
            case: scenario.and_then(|scenario| scenario.case.as_deref()),
            scenario: scenario.map(Scenario::of),
            actor: exchange.actor.to_string(),
            vantage: vantage(exchange.vantage),
            operation: exchange.operation.as_ref().map(crate::protocol::Operation::name),
            message_ids: exchanges::message_ids_of(exchange),
            request_body: body(&exchange.request.body),
            response_body: exchange.response.as_ref().map(|response| body(&response.body)),
            token: exchange.token.as_ref().map(token),
            token_fault: exchange.token_fault,
            tls: exchange.tls.as_deref().map(tls),
            failure: exchange
                .failure
                .as_ref()
                .map(|TransportFailure { kind, detail }| Failure { kind: failure_kind(*kind), detail }),
            relay: exchange.relay.as_deref().map(Relay::of),
        }
    }
}

fn body(of: &BodyRecord) -> Body {
    let told = |decoded: &Decoded| match decoded {
        Decoded::Whole { size, sha256 } => {
            DecodedBody { whole: true, size: Some(*size), sha256: Some(sha256.to_string()) }
        }
        Decoded::Broken => DecodedBody { whole: false, size: None, sha256: None },
    };
    Body {
        size: of.size,
        sha256: of.sha256.to_string(),
        decoded: of.decoded.as_ref().map(told),
        seen_as_gzip: of.seen_as_gzip.as_ref().map(told),
        kept: of.kept.is_none().then_some(false),
    }
}

fn token(of: &TokenRecord) -> Token<'_> {
    let TokenRecord { mailbox, nonce, nonce_count, timestamp, hash } = of;
    Token { mailbox, nonce, nonce_count, timestamp, hash: hash_word(*hash) }
}

pub(super) fn tls(of: &TlsFacts) -> Tls<'_> {
    Tls {
        version: &of.version,
        cipher: &of.cipher,
        alpn: of.alpn.as_deref(),
        client_certificate: of.client_certificate.as_ref().map(certificate),
        server_certificate: of.server_certificate.as_ref().map(certificate),
    }
}

pub(super) fn certificate(of: &CertificateFacts) -> Certificate<'_> {
    Certificate {
        subject: &of.subject,
        issuer: &of.issuer,
        serial: &of.serial,
        sha256: &of.fingerprint,
        not_before: text::second(of.not_before),
        not_after: text::second(of.not_after),
    }
}

/// A word for programs to go by.
pub(super) fn vantage(of: Vantage) -> &'static str {
    match of {
        Vantage::Client => "client",
        Vantage::Endpoint => "endpoint",
        Vantage::Proxy => "proxy",
        Vantage::Foreign => "foreign",
    }
}

/// A word for programs to go by.
fn hash_word(of: HashCheck) -> &'static str {
    match of {
        HashCheck::Matches => "matches",
        HashCheck::Differs => "differs",
        HashCheck::Unknown => "unknown",
    }
}

/// A word for programs to go by.
fn failure_kind(of: FailureKind) -> &'static str {
    match of {
        FailureKind::NameNotFound => "name_not_found",
        FailureKind::ConnectionRefused => "connection_refused",
        FailureKind::UnknownIssuer => "unknown_issuer",
        FailureKind::BadServerCertificate => "bad_server_certificate",
        FailureKind::ClientCertificateRequired => "client_certificate_required",
        FailureKind::ClientCertificateRefused => "client_certificate_refused",
        FailureKind::Tls => "tls",
        FailureKind::TimedOut => "timed_out",
        FailureKind::Closed => "closed",
        FailureKind::NotHttp => "not_http",
    }
}
