//! Private keys and certificate signing requests for MESH client certificates.
//!
//! As NHS England's examples have them: RSA, SHA-256, a common name and no other field of the subject, above all no
//! e-mail address (path-to-live guidance: "the email field must be blank"), no extensions. Writes no file.

use std::fmt;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize,
};
use rustls::pki_types::PrivateKeyDer;
use secrecy::SecretString;
use thiserror::Error;
use x509_parser::{prelude::FromDer, public_key::RSAPublicKey};

use crate::protocol::ClientName;

/// The private key that a request is signed with. `Debug` shows nothing of it.
pub struct RequestKey {
    pair: KeyPair,
    bits: usize,
}

/// Why there is no key, or no request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CsrError {
    /// Another kind of key.
    #[error("holds a key that is not RSA")]
    NotRsa,
    /// No key that can sign here.
    #[error("holds no RSA key of 2048 to 8192 bits")]
    Unusable,
    /// The machine could not do it.
    #[error("cannot be made: {0}")]
    Machine(String),
}

/// How long a new key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLength {
    /// 2048 bits.
    Bits2048,
    /// 3072 bits.
    Bits3072,
    /// 4096 bits.
    Bits4096,
}

impl RequestKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When the machine cannot.
    pub fn generate(length: KeyLength) -> Result<Self, CsrError> {
        let size = match length {
            KeyLength::Bits2048 => RsaKeySize::_2048,
            KeyLength::Bits3072 => RsaKeySize::_3072,
            KeyLength::Bits4096 => RsaKeySize::_4096,
        };
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).map_err(machine).and_then(Self::of)
    }

    /// Takes a key that is there already.
    ///
    /// # Errors
    /// When it is no RSA key of 2048 to 8192 bits.
    pub fn existing(key: &PrivateKeyDer<'_>) -> Result<Self, CsrError> {
        // The library's own words for it are not told: they are about the inside of a key.
        Self::of(KeyPair::try_from(key).map_err(|_| CsrError::Unusable)?)
    }

    fn of(pair: KeyPair) -> Result<Self, CsrError> {
        if pair.algorithm() != &PKCS_RSA_SHA256 {
            return Err(CsrError::NotRsa);
        }
        let (_, public) = RSAPublicKey::from_der(pair.der_bytes()).map_err(|_| CsrError::Unusable)?;
        let bits = public.key_size();
        Ok(Self { pair, bits })
    }

    /// How long it is.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The key as PKCS#8 in PEM, not encrypted: for its file, for nothing else.
    #[must_use]
    pub fn pem(&self) -> SecretString {
        SecretString::from(self.pair.serialize_pem())
    }

    /// The request for a certificate of this name, in PEM.
    ///
    /// # Errors
    /// When the machine cannot sign it.
    pub fn request(&self, name: &ClientName) -> Result<String, CsrError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        params.serialize_request(&self.pair).and_then(|request| request.pem()).map_err(machine)
    }
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestKey(RSA, {} bits, [REDACTED])", self.bits)
    }
}

fn machine(error: rcgen::Error) -> CsrError {
    CsrError::Machine(error.to_string())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use rustls::pki_types::{CertificateSigningRequestDer, PrivatePkcs8KeyDer, pem::PemObject};
    use secrecy::ExposeSecret;
    use x509_parser::{certification_request::X509CertificationRequest, oid_registry};

    use super::*;

    fn name() -> ClientName {
        ClientName::of("X26HC005", "X26").unwrap()
    }

    #[test]
    fn a_request_has_the_name_alone_and_is_signed_with_its_key() {
        let key = RequestKey::generate(KeyLength::Bits2048).unwrap();
        let pem = key.request(&name()).unwrap();
        let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).unwrap();
        let (rest, request) = X509CertificationRequest::from_der(&der).unwrap();
        assert!(rest.is_empty());
        let info = &request.certification_request_info;
        assert_eq!(info.subject.to_string(), "CN=X26HC005.X26.api.mesh-client.nhs.uk");
        assert_eq!(info.subject.iter_attributes().count(), 1);
        assert_eq!(info.iter_attributes().count(), 0, "no extensions, no challenge password");
        assert_eq!(request.signature_algorithm.algorithm, oid_registry::OID_PKCS1_SHA256WITHRSA);
        let public =
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &info.subject_pki.subject_public_key.data);
        public.verify(info.raw, &request.signature_value.data).unwrap();
        assert_eq!(info.subject_pki.subject_public_key.data.as_ref(), key.pair.public_key_raw());
    }

    #[test]
    fn a_key_is_as_long_as_was_asked_for_and_never_the_same() {
        let bits = |length| RequestKey::generate(length).unwrap().bits();
        assert_eq!([KeyLength::Bits2048, KeyLength::Bits3072].map(bits), [2048, 3072]);
        let pem = || RequestKey::generate(KeyLength::Bits2048).unwrap().pem();
        assert_ne!(pem().expose_secret(), pem().expose_secret());
    }

    #[test]
    fn a_key_that_was_written_is_taken_again() {
        let key = RequestKey::generate(KeyLength::Bits2048).unwrap();
        let der = PrivateKeyDer::from_pem_slice(key.pem().expose_secret().as_bytes()).unwrap();
        let again = RequestKey::existing(&der).unwrap();
        assert_eq!(again.pair.public_key_raw(), key.pair.public_key_raw());
        assert_eq!(again.bits(), 2048);
    }

    #[test]
    fn other_keys_are_refused() {
        let curve = KeyPair::generate().unwrap().serialize_der();
        let curve = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(curve));
        assert_eq!(RequestKey::existing(&curve).unwrap_err(), CsrError::NotRsa);
        let none = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(vec![0x30, 0x00]));
        assert_eq!(RequestKey::existing(&none).unwrap_err(), CsrError::Unusable);
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let key = RequestKey::generate(KeyLength::Bits2048).unwrap();
        assert_eq!(format!("{key:?}"), "RequestKey(RSA, 2048 bits, [REDACTED])");
        assert!(!format!("{:?}", key.pem()).contains("PRIVATE"));
    }
}
