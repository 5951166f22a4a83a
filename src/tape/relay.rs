//! What a proxy in between knows beyond the exchange itself.

use std::{net::SocketAddr, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CertificateFacts, TlsFacts, TransportFailure, form};

/// What a recording proxy knows of one exchange. The [`Exchange`](super::Exchange) itself tells of the
/// leg to the endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayFacts {
    /// The product's connection, counted from 1 in a recording. Each has one of its own to the endpoint.
    pub connection: u64,
    /// The place of the exchange on it, from 1.
    pub position: u64,
    /// From where the product called.
    pub product: SocketAddr,
    /// What TLS agreed on with the product; `None` over plain HTTP.
    #[serde(with = "form::shared")]
    pub product_tls: Option<Arc<TlsFacts>>,
    /// What the endpoint got as `Host` in the place of what the product sent; `None` when it got that.
    pub host_replaced_by: Option<String>,
    /// Status codes of interim responses, such as 100, the first eight.
    pub interim: Vec<u16>,
    /// When bytes passed.
    pub times: RelayTimes,
    /// Who ended the connection before the exchange was whole.
    pub broken_off_by: Option<Party>,
    /// What a reader must know: what could not be read, and why.
    pub notes: Vec<String>,
}

/// When bytes passed, in microseconds after the first byte of the request came. `None` for what did not
/// happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayTimes {
    /// The last byte of the request came.
    pub request_came_us: Option<u64>,
    /// The first bytes of the request had been passed on.
    pub request_out_first_us: Option<u64>,
    /// All of the request had been passed on.
    pub request_out_us: Option<u64>,
    /// The first byte of the response came.
    pub response_came_first_us: Option<u64>,
    /// The last byte of the response came.
    pub response_came_us: Option<u64>,
    /// The first bytes of the response had been passed on.
    pub response_out_first_us: Option<u64>,
    /// All of the response had been passed on.
    pub response_out_us: Option<u64>,
}

impl RelayTimes {
    /// What the proxy itself added to the time up to the first byte of the response, in microseconds.
    /// `None` when no response came.
    #[must_use]
    pub fn own_us(&self) -> Option<u64> {
        let down = self.response_out_first_us?.checked_sub(self.response_came_first_us?)?;
        self.request_out_first_us?.checked_add(down)
    }
}

/// Who did something to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The product.
    Product,
    /// The endpoint.
    Endpoint,
    /// The proxy.
    Proxy,
}

/// A line of a tape that is no exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A proxy began to record.
    Recording(RecordingFacts),
    /// A connection is over; its exchanges stand before this line.
    Connection(Box<ConnectionFacts>),
    /// The recording was ended in good order. Without it, it was cut short.
    End(EndFacts),
}

/// Between whom a proxy recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingFacts {
    /// The environment, as the configuration names it.
    pub environment: String,
    /// The endpoint: scheme, host and port.
    pub endpoint: String,
    /// Where the product was expected.
    pub listen: SocketAddr,
    /// The product and its version, as the configuration names them.
    pub product: String,
    /// The supplier, as the configuration names it.
    pub supplier: String,
    /// What became of the `Host` header.
    pub host: HostRule,
    /// Whether the product had to present a certificate.
    pub product_certificate_required: bool,
}

/// What becomes of the `Host` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostRule {
    /// It is passed on as it was sent.
    AsSent,
    /// Its value is replaced by this.
    ReplacedBy(String),
}

/// A connection of the product's, and the one to the endpoint that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionFacts {
    /// Counted from 1 in a recording.
    pub number: u64,
    /// When the product connected.
    pub began: DateTime<Utc>,
    /// When it was over.
    pub ended: DateTime<Utc>,
    /// The leg to the product.
    pub product: LegFacts,
    /// The leg to the endpoint; `None` when there was none.
    pub endpoint: Option<LegFacts>,
    /// Exchanges on it, whole or not.
    pub exchanges: u64,
    /// Who ended it.
    pub ended_by: Party,
    /// What was wrong with it; `None` when it was ended in good order.
    pub failure: Option<TransportFailure>,
}

/// One leg of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegFacts {
    /// The address at the other end.
    pub peer: SocketAddr,
    /// What TLS agreed on; `None` over plain HTTP, or when the handshake failed.
    #[serde(with = "form::shared")]
    pub tls: Option<Arc<TlsFacts>>,
    /// All certificates that the other side sent, its own first.
    pub chain: Vec<CertificateFacts>,
    /// The name that the client asked for in its TLS handshake (SNI).
    pub server_name: Option<String>,
    /// How long connecting took, in microseconds; `None` where the other side connected.
    pub connect_us: Option<u64>,
    /// How long the TLS handshake took, in microseconds.
    pub handshake_us: Option<u64>,
}

/// How a recording was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndFacts {
    /// When.
    pub at: DateTime<Utc>,
    /// Why: who asked for it.
    pub reason: String,
    /// Connections recorded.
    pub connections: u64,
    /// Exchanges recorded.
    pub exchanges: u64,
    /// Exchanges that were under way and were broken off by the end.
    pub broken_off: u64,
}
