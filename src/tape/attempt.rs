//! A connection to an endpoint that nobody should trust, and what the client made of it. Who refuses the
//! endpoint's certificate sends no request, so that no exchange could tell of it.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CertificateFacts, ScenarioNumber, TlsFacts, form};

/// A connection on which the endpoint presented, on purpose, a certificate that nobody should trust. What
/// came over it all the same stands on the tape as exchanges; their TLS facts name the same certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The scenario that it belongs to.
    pub scenario: ScenarioNumber,
    /// Scheme, host and port of the endpoint.
    pub origin: String,
    /// When the client began to speak.
    pub began: DateTime<Utc>,
    /// When the connection was over.
    pub ended: DateTime<Utc>,
    /// What is wrong with the certificate, for people.
    pub wrong: String,
    /// What was presented; `None` where the client spoke without TLS.
    pub certificate: Option<CertificateFacts>,
    /// The name that the client asked for in its TLS handshake (SNI).
    pub server_name: Option<String>,
    /// What TLS agreed on; `None` when the handshake did not come to its end.
    #[serde(with = "form::shared")]
    pub tls: Option<Arc<TlsFacts>>,
    /// How many bytes of the client's came over it, after the handshake: requests, or parts of them.
    pub received: u64,
    /// How it ended.
    pub end: AttemptEnd,
}

/// How a connection to an endpoint ended that nobody should trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// The client said why, with an alert of TLS, by its name in RFC 8446.
    Alert(String),
    /// The client closed it, and said nothing.
    Closed,
    /// The endpoint closed it: it had answered the last call, or the client had left it open.
    ByEndpoint,
    /// It failed in another way.
    Failed(String),
}

impl Attempt {
    /// Whether the client spoke without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.certificate.is_none()
    }
}

impl fmt::Display for Attempt {
    /// What the client made of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.received, self.is_plain(), &self.tls) {
            (0, true, _) => f.write_str("nothing came, and without TLS")?,
            (bytes, true, _) => write!(f, "{bytes} bytes came, without TLS")?,
            (0, false, Some(_)) => f.write_str("the handshake was completed, and nothing came")?,
            (bytes, false, Some(_)) => write!(f, "the handshake was completed, and {bytes} bytes came")?,
            (_, false, None) => f.write_str("the handshake was not completed")?,
        }
        write!(f, "; {}", self.end)
    }
}

impl fmt::Display for AttemptEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alert(name) => write!(f, "the client ended it with the alert {name}"),
            Self::Closed => f.write_str("the client closed it"),
            Self::ByEndpoint => f.write_str("the endpoint closed it"),
            Self::Failed(why) => write!(f, "it failed: {why}"),
        }
    }
}
