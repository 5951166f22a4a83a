//! Connections that are let in, or not.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{Effect, Fault};

/// How connections are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// A client without a certificate is let in.
    NoCertificateNeeded,
    /// A client is let in whoever issued its certificate.
    AnyAuthority,
    /// TLS 1.0 and 1.1 are agreed to.
    OldVersions,
    /// TLS 1.2 is not.
    Only13,
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "no-certificate-needed",
        what: "a client without a certificate is let in",
        effect: Effect::Tls(TlsFault::NoCertificateNeeded),
    },
    Fault {
        name: "any-authority",
        what: "a client is let in whoever issued its certificate",
        effect: Effect::Tls(TlsFault::AnyAuthority),
    },
    Fault {
        name: "old-tls",
        what: "TLS 1.0 and 1.1 are agreed to",
        effect: Effect::Tls(TlsFault::OldVersions),
    },
    Fault { name: "tls-1.3-only", what: "TLS 1.2 is not agreed to", effect: Effect::Tls(TlsFault::Only13) },
];

/// Takes any certificate whose key the client holds.
#[derive(Debug)]
pub(crate) struct AnyAuthority {
    pub provider: Arc<CryptoProvider>,
    /// Whether a client without a certificate is sent away.
    pub mandatory: bool,
}

impl ClientCertVerifier for AnyAuthority {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Answers a ClientHello of TLS 1.0 or 1.1 with a ServerHello, and says whether it did. Nothing follows:
/// whoever asks only wants to know whether the version is agreed to.
pub(crate) async fn agrees_to_old_version(stream: &mut TcpStream) -> bool {
    let mut hello = [0; 11];
    // Record header, type and length of the message, and the client's version.
    let Ok(11) = stream.peek(&mut hello).await else { return false };
    let [22, _, _, _, _, 1, _, _, _, 3, minor @ 1..=2] = hello else { return false };
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.extend([0, 0xc0, 0x13, 0]);
    let mut record = vec![22, 3, minor, 0, 42, 2, 0, 0, 38];
    record.extend(body);
    stream.write_all(&record).await.is_ok()
}
