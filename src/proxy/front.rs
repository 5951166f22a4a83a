//! The leg to the product.

use std::{io, net::SocketAddr, sync::Arc, time::Instant};

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{
    endpoint::{chain, microseconds},
    leg::Leg,
};
use crate::{
    client::{agreed, failure},
    emulator::PkiError,
    tape::{FailureKind, LegFacts, Presented, TransportFailure, printable},
};

/// How the product is received.
pub enum Front {
    /// Over TLS 1.2 or 1.3.
    Tls {
        /// How.
        acceptor: TlsAcceptor,
        /// What is presented to it.
        presented: Presented,
    },
    /// Unencrypted.
    Plain,
}

impl Front {
    /// Over TLS, with this certificate chain and key; the product must have one from `authorities`, unless it need
    /// not have one at all.
    ///
    /// # Errors
    /// When TLS does not take certificate, key or authorities.
    pub fn tls(
        (server, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
        authorities: &[CertificateDer<'static>],
        certificate_required: bool,
    ) -> Result<Self, PkiError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority.clone())?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier: Arc<dyn ClientCertVerifier> = if certificate_required {
            verifier.build()?
        } else {
            verifier.allow_unauthenticated().build()?
        };
        let presented = Presented::of(&server);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(server, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self::Tls { acceptor: TlsAcceptor::from(Arc::new(config)), presented })
    }

    /// Receives the product.
    pub async fn receive(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Result<(Leg, LegFacts), TransportFailure> {
        // What comes in small pieces goes on in small pieces.
        let _ = stream.set_nodelay(true);
        let plain = LegFacts {
            peer,
            tls: None,
            chain: Vec::new(),
            server_name: None,
            connect_us: None,
            handshake_us: None,
        };
        let Self::Tls { acceptor, presented } = self else { return Ok((Leg::plain(stream), plain)) };
        let began = Instant::now();
        let stream = acceptor.accept(stream).await.map_err(|error| refused(&error))?;
        let (_, session) = stream.get_ref();
        let product = Presented::of(session.peer_certificates().unwrap_or_default());
        let chain = chain(&product);
        let tls = agreed(session).between(product, presented.clone());
        let server_name = session.server_name().map(|name| printable(name.as_bytes()));
        let handshake_us = Some(microseconds(began.elapsed()));
        let facts = LegFacts { tls: Some(Arc::new(tls)), chain, server_name, handshake_us, ..plain };
        Ok((Leg::encrypted(stream), facts))
    }
}

/// Why the product's handshake failed, as seen from the server's side.
fn refused(error: &io::Error) -> TransportFailure {
    use rustls::{CertificateError as Bad, Error};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let (kind, detail) = match tls {
        Some(Error::NoCertificatesPresented) => {
            (
                FailureKind::ClientCertificateRequired,
                "the product presented no client certificate, or left its own out since no authority that is trusted here has issued it, as Java does"
                    .to_owned(),
            )
        }
        Some(Error::InvalidCertificate(Bad::UnknownIssuer)) => (
            FailureKind::ClientCertificateRefused,
            "the product's certificate is from no authority that is trusted here".to_owned(),
        ),
        Some(Error::InvalidCertificate(Bad::BadSignature)) => (
            FailureKind::ClientCertificateRefused,
            "the product's certificate was not signed by the authority of that name that is trusted here"
                .to_owned(),
        ),
        Some(Error::InvalidCertificate(why)) => {
            (FailureKind::ClientCertificateRefused, format!("the product's certificate is not valid: {why}"))
        }
        Some(Error::AlertReceived(alert)) => (
            FailureKind::Tls,
            format!("the product refused this proxy's certificate or TLS: alert {alert:?}"),
        ),
        Some(error) => (FailureKind::Tls, format!("the TLS handshake with the product failed: {error}")),
        None => (FailureKind::Closed, format!("the product went away in its TLS handshake: {error}")),
    };
    failure(kind, detail)
}
