//! The leg to the endpoint.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::ClientConfig;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::leg::Leg;
use crate::{
    client::{Target, agreed, connect, failure, of_io},
    tape::{CertificateFacts, FailureKind, LegFacts, Presented, TransportFailure, certificate_facts},
};

/// How connections to the endpoint are made.
pub struct Endpoint {
    target: Target,
    /// Where to connect, whatever its name stands for.
    address: Option<SocketAddr>,
    tls: Option<Arc<ClientConfig>>,
    /// What is presented to it.
    presented: Presented,
}

impl Endpoint {
    /// An endpoint that is looked for at `address`; without one, its name is looked up.
    pub fn new(target: Target, address: Option<SocketAddr>) -> Self {
        let tls = target.tls_config().map(Arc::new);
        Self { address, tls, presented: target.presented(), target }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.target.origin().to_string()
    }

    /// Whether a certificate is presented, without which a refusal is to be read in another way.
    pub fn presents_certificate(&self) -> bool {
        !self.presented.chain.is_empty()
    }

    /// Opens a connection.
    pub async fn open(&self) -> Result<(Leg, LegFacts), TransportFailure> {
        let limit = self.target.timeouts().connect;
        match timeout(limit, self.open_unbounded()).await {
            Ok(result) => result,
            Err(_) => {
                let origin = self.target.origin();
                let detail = format!("no connection to {origin} within {} s", limit.as_secs());
                Err(failure(FailureKind::TimedOut, detail))
            }
        }
    }

    async fn open_unbounded(&self) -> Result<(Leg, LegFacts), TransportFailure> {
        let began = Instant::now();
        let unusable = |error| of_io(&error, self.presents_certificate());
        let stream = match self.address {
            Some(address) => TcpStream::connect(address).await.map_err(unusable)?,
            None => connect(&self.target).await?,
        };
        // What comes in small pieces goes on in small pieces.
        let _ = stream.set_nodelay(true);
        let peer = stream.peer_addr().map_err(unusable)?;
        let connected = began.elapsed();
        let connect_us = Some(microseconds(connected));
        let Some(tls) = &self.tls else {
            let facts = LegFacts {
                peer,
                tls: None,
                chain: Vec::new(),
                server_name: None,
                connect_us,
                handshake_us: None,
            };
            return Ok((Leg::plain(stream), facts));
        };
        let name = self.target.origin().server_name().clone();
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.map_err(unusable)?;
        let handshake_us = Some(microseconds(began.elapsed().saturating_sub(connected)));
        let (_, session) = stream.get_ref();
        let server = Presented::of(session.peer_certificates().unwrap_or_default());
        let chain = chain(&server);
        let facts = agreed(session).between(self.presented.clone(), server);
        let server_name = Some(self.target.origin().host());
        let facts =
            LegFacts { peer, tls: Some(Arc::new(facts)), chain, server_name, connect_us, handshake_us };
        Ok((Leg::encrypted(stream), facts))
    }
}

/// The certificates that the other side sent.
pub fn chain(presented: &Presented) -> Vec<CertificateFacts> {
    presented.chain.certificates().filter_map(certificate_facts).collect()
}

/// Whole microseconds.
pub fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
