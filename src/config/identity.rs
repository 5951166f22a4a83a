//! Who a client is to a server: a certificate chain and its private key.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use rustls::{
    Error, InconsistentKeys,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::{CertifiedKey, SigningKey},
};

use super::{certificate::Certificate, error::Complaint};

/// A client certificate with its chain and its private key. They belong together, the key is one
/// that TLS can use, and every certificate was valid when the configuration was read.
///
/// `Debug` shows nothing of the key.
pub struct ClientIdentity {
    place: String,
    certificates: Vec<Certificate>,
    key: PrivateKeyDer<'static>,
}

/// What is wrong with a pair, and with which of the two.
pub(super) enum PairComplaint {
    Certificate(Complaint),
    Key(Complaint),
}

impl ClientIdentity {
    /// Joins a chain, leaf first, and a key. `place` is the section of the configuration that both
    /// come from, such as `mailboxes.product`.
    pub(super) fn new(
        place: &str,
        certificates: Vec<Certificate>,
        key: PrivateKeyDer<'static>,
        now: DateTime<Utc>,
    ) -> Result<Self, PairComplaint> {
        for certificate in &certificates {
            certificate.valid_at(now).map_err(PairComplaint::Certificate)?;
        }
        let signing = default_provider().key_provider.load_private_key(key.clone_key()).map_err(|_| {
            PairComplaint::Key(Complaint::new(
                "holds a private key that TLS cannot use",
                "use RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, or Ed25519",
            ))
        })?;
        belong_together(&certificates, &signing)?;
        Ok(Self { place: place.to_owned(), certificates, key })
    }

    /// The certificates, leaf first, then intermediates. At least one.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The chain as TLS sends it: leaf first, then intermediates. At least one.
    #[must_use]
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.certificates.iter().map(|certificate| certificate.der().clone()).collect()
    }

    /// The private key: for TLS, for nothing else.
    #[must_use]
    pub fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }

    /// Where it is configured: `endpoint`, `mailboxes.product` or `mailboxes.counterpart`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity")
            .field("place", &self.place)
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

fn belong_together(certificates: &[Certificate], key: &Arc<dyn SigningKey>) -> Result<(), PairComplaint> {
    let matches = |certificate: &Certificate| {
        CertifiedKey::new(vec![certificate.der().clone()], Arc::clone(key)).keys_match()
    };
    let Some(leaf) = certificates.first() else {
        let complaint = Complaint::new("holds no certificate", "name a file that holds one");
        return Err(PairComplaint::Certificate(complaint));
    };
    match matches(leaf) {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(()),
        Err(Error::InconsistentKeys(_)) if certificates.iter().any(|other| matches(other).is_ok()) => {
            Err(PairComplaint::Certificate(Complaint::new(
                format!(
                    "begins with the certificate of {}, which the key does not belong to",
                    leaf.subject()
                ),
                "put the client's own certificate first, then the intermediates",
            )))
        }
        Err(Error::InconsistentKeys(_)) => Err(PairComplaint::Key(Complaint::new(
            format!("holds a key that does not belong to the certificate of {}", leaf.subject()),
            "name the key that this certificate was requested with, or the certificate of this key",
        ))),
        Err(_) => Err(PairComplaint::Certificate(Complaint::new(
            format!("holds a certificate that TLS cannot use, that of {}", leaf.subject()),
            "ask its issuer for an X.509 version 3 certificate",
        ))),
    }
}
