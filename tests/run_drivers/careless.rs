//! How the product of these tests looks at the endpoint's certificate, where it does not look as it should.

use std::{fs, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use crate::acting::{has, told};

/// TLS with the verifier that the product's quirks ask for; `None` when it is to be as it should.
pub fn tls() -> Option<ClientConfig> {
    let quirks = ["trusts-anybody", "passes-over-authorities", "passes-over-names", "passes-over-times"];
    if !quirks.iter().chain(&["passes-over-purposes"]).any(|quirk| has(quirk)) {
        return None;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(told("MESH_CA_FILE")).unwrap()).unwrap();
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = Arc::new(Careless(inner.build().unwrap()));
    let certificate = CertificateDer::from_pem_file(told("MESH_CLIENT_CERT")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&fs::read(told("MESH_CLIENT_KEY")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(vec![certificate], key);
    Some(config.unwrap())
}

#[derive(Debug)]
struct Careless(Arc<WebPkiServerVerifier>);

/// Whether what is wrong is passed over.
fn is_passed_over(error: &CertificateError) -> bool {
    use CertificateError as Wrong;
    has("trusts-anybody")
        || match error {
            Wrong::UnknownIssuer | Wrong::BadSignature => has("passes-over-authorities"),
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => has("passes-over-names"),
            Wrong::Expired
            | Wrong::ExpiredContext { .. }
            | Wrong::NotValidYet
            | Wrong::NotValidYetContext { .. } => has("passes-over-times"),
            Wrong::InvalidPurpose | Wrong::InvalidPurposeContext { .. } => has("passes-over-purposes"),
            _ => false,
        }
}

impl ServerCertVerifier for Careless {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.verify_server_cert(leaf, chain, name, ocsp, now) {
            Err(Error::InvalidCertificate(error)) if is_passed_over(&error) => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
