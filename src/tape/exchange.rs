//! One request and its response, as seen on the wire from a known vantage point.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{BodyRecord, Chain, RelayFacts, RequestHead, ResponseHead, TokenFault, form};
use crate::protocol::Operation;

/// From where an exchange was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vantage {
    /// By the client that made it.
    Client,
    /// By the endpoint that answered it.
    Endpoint,
    /// By a proxy in between, that read both sides.
    Proxy,
    /// By a program of someone else, as its HAR tells: bodies and the token may be missing from it.
    Foreign,
}

/// Who made the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The product under test.
    Product,
    /// The independent counterpart: the harness, in another mailbox.
    Counterpart,
}

/// The scenario during which an exchange was made, counted from 0 in the order of the packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScenarioNumber(pub usize);

/// One request and its response. Holds no secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    /// The scenario that it belongs to.
    pub scenario: ScenarioNumber,
    /// Who made it.
    pub actor: Actor,
    /// From where it was seen.
    pub vantage: Vantage,
    /// Scheme, host and port, such as `https://127.0.0.1:8700`.
    pub origin: String,
    /// The address that was connected to; `None` when no connection came about.
    pub peer: Option<SocketAddr>,
    /// What of the API was called; `None` when it is none of its operations.
    #[serde(skip)]
    pub operation: Option<Operation>,
    /// The request.
    pub request: RequestRecord,
    /// The response, as far as it came.
    pub response: Option<ResponseRecord>,
    /// Why there is no (whole) response.
    pub failure: Option<TransportFailure>,
    /// When the request began, by the clock of the machine that saw it.
    pub started_at: DateTime<Utc>,
    /// How long each phase took.
    pub timings: TimingRecord,
    /// What TLS agreed on; `None` over plain HTTP or when the handshake failed.
    #[serde(with = "form::shared")]
    pub tls: Option<Arc<TlsFacts>>,
    /// The token, without its hash; `None` when there was none that could be read.
    pub token: Option<TokenRecord>,
    /// What is wrong with the form of the Authorization header; `None` when nothing is, or when there
    /// is no such header.
    #[serde(default)]
    pub token_fault: Option<TokenFault>,
    /// What a proxy in between knows beyond that; `None` from another vantage point.
    #[serde(default, with = "form::shared", skip_serializing_if = "Option::is_none")]
    pub relay: Option<Arc<RelayFacts>>,
}

/// A request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Request line and headers, exactly as sent, but for secrets.
    pub head: RequestHead,
    /// The body.
    pub body: BodyRecord,
}

/// A response.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResponseRecord {
    /// Status line and headers, exactly as received, but for secrets.
    pub head: ResponseHead,
    /// The body, as far as it came.
    pub body: BodyRecord,
}

/// What a token said, without its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The mailbox that it speaks for.
    pub mailbox: String,
    /// The nonce.
    pub nonce: String,
    /// How often the nonce was used.
    pub nonce_count: String,
    /// The time, `yyyyMMddHHmm`.
    pub timestamp: String,
    /// What recomputing the hash showed.
    pub hash: HashCheck,
}

/// What recomputing a token's hash showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashCheck {
    /// It is the one that the configured password and shared key give.
    Matches,
    /// It is another.
    Differs,
    /// Not recomputed: no credentials are configured for the mailbox.
    Unknown,
}

/// How long each phase took. `None` for a phase that did not take place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "form::Timings", into = "form::Timings")]
pub struct TimingRecord {
    /// Looking up the name and connecting; `None` on a connection that was open.
    pub connect: Option<Duration>,
    /// The TLS handshake; `None` on a connection that was open, or without TLS.
    pub tls: Option<Duration>,
    /// Sending the request, up to its last byte.
    pub send: Duration,
    /// From the last byte of the request to the first of the response.
    pub wait: Duration,
    /// From the first byte of the response to its last.
    pub receive: Duration,
}

impl TimingRecord {
    /// All phases together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.setup() + self.send + self.wait + self.receive
    }

    /// What comes before the first byte of the request.
    #[must_use]
    pub fn setup(&self) -> Duration {
        self.connect.unwrap_or_default() + self.tls.unwrap_or_default()
    }
}

/// What TLS agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// The cipher suite by its IANA name.
    pub cipher: String,
    /// The protocol within, as ALPN agreed on it, such as `http/1.1`; `None` when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// What the client presented; `None` when it presented none.
    pub client_certificate: Option<CertificateFacts>,
    /// What the server presented.
    pub server_certificate: Option<CertificateFacts>,
    /// All that the client sent. On a tape's lines there is none: it would be there with every exchange.
    #[serde(skip)]
    pub client_chain: Chain,
    /// All that the server sent, likewise.
    #[serde(skip)]
    pub server_chain: Chain,
}

/// Who a certificate says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Subject, such as `CN=localhost`.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Serial number, hexadecimal with colons.
    pub serial: String,
    /// SHA-256 over the DER, hexadecimal.
    pub fingerprint: String,
    /// First moment at which it is valid.
    pub not_before: DateTime<Utc>,
    /// Last moment at which it is valid.
    pub not_after: DateTime<Utc>,
}

impl CertificateFacts {
    /// The name of the authority that a recording proxy makes, for itself and for a product that has no
    /// certificate.
    pub const RECORDER: &'static str = "mesh-witness recording CA";

    /// Whether a recording proxy made it.
    #[must_use]
    pub fn is_of_recorder(&self) -> bool {
        self.issuer.contains(Self::RECORDER)
    }
}

/// Why no (whole) response came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportFailure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What exactly, without secrets.
    pub detail: String,
}

/// Kinds of transport failure, told apart because each has another remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The name has no address.
    NameNotFound,
    /// Nobody accepts connections there.
    ConnectionRefused,
    /// The other side's certificate is not issued by the configured authority.
    UnknownIssuer,
    /// The other side's certificate is wrong in another way: name, date, purpose.
    BadServerCertificate,
    /// The other side wants a client certificate and got none.
    ClientCertificateRequired,
    /// The other side refuses our client certificate.
    ClientCertificateRefused,
    /// TLS failed in another way.
    Tls,
    /// A time limit of the configuration passed.
    TimedOut,
    /// The connection ended early.
    Closed,
    /// What came is not HTTP/1.1.
    NotHttp,
}

impl Exchange {
    /// The response's status; `None` when no response came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|response| response.head.status)
    }

    /// Whether not a byte of the request can have reached an endpoint: there was none, or none that was trusted.
    #[must_use]
    pub fn never_left(&self) -> bool {
        use FailureKind::{BadServerCertificate, ConnectionRefused, NameNotFound, UnknownIssuer};
        let before =
            |kind| matches!(kind, NameNotFound | ConnectionRefused | UnknownIssuer | BadServerCertificate);
        self.response.is_none() && self.failure.as_ref().is_some_and(|failure| before(failure.kind))
    }

    /// How far the endpoint says that its clock was moved on purpose. Only our own emulator does, and only
    /// it is believed.
    #[must_use]
    pub fn clock_moved_by(&self) -> Option<TimeDelta> {
        let head = &self.response.as_ref()?.head;
        clock_moved(|name| head.header(name))
    }

    /// Whether our own emulator answered. One that stands alone is configured like a real endpoint, and is
    /// none.
    #[must_use]
    pub fn is_from_emulator(&self) -> bool {
        self.response.as_ref().is_some_and(|response| is_emulator(response.head.header("server")))
    }

    /// When the last byte came, or the exchange was given up.
    #[must_use]
    pub fn ended_at(&self) -> DateTime<Utc> {
        TimeDelta::from_std(self.timings.total()).map_or(self.started_at, |total| self.started_at + total)
    }
}

/// The header by which our own emulator says that its clock was moved, and by how many seconds.
pub const CLOCK_MOVED: &str = "x-mesh-witness-clock-moved";
/// How the name begins that our own emulator has in `Server`.
pub const EMULATOR: &str = "mesh-witness-emulator";

/// How far an answer with these headers says that the endpoint's clock was moved on purpose; `None` when it
/// was not, or when the answer is not our own emulator's.
pub fn clock_moved<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<TimeDelta> {
    let seconds = header(CLOCK_MOVED).filter(|_| is_emulator(header("server")))?;
    TimeDelta::try_seconds(seconds.trim().parse().ok()?).filter(|moved| !moved.is_zero())
}

fn is_emulator(server: Option<&str>) -> bool {
    server.is_some_and(|server| server.starts_with(EMULATOR))
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Product => "product",
            Self::Counterpart => "counterpart",
        })
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FailureKind::NameNotFound => "the name was not found",
            FailureKind::ConnectionRefused => "no connection",
            FailureKind::UnknownIssuer => "the server's certificate is not from the configured authority",
            FailureKind::BadServerCertificate => "the server's certificate is not valid here",
            FailureKind::ClientCertificateRequired => "the server requires a client certificate",
            FailureKind::ClientCertificateRefused => "the server refuses the client certificate",
            FailureKind::Tls => "TLS failed",
            FailureKind::TimedOut => "timed out",
            FailureKind::Closed => "the connection was closed",
            FailureKind::NotHttp => "the answer is not HTTP",
        };
        write!(f, "{what}: {}", self.detail)
    }
}
