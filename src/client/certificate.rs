//! What a certificate says of itself.

use chrono::DateTime;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use crate::tape::{CertificateFacts, Sha256, printable};

/// Reads a certificate in DER; `None` when it is none. Names are made printable: the other side
/// chose them.
#[must_use]
pub fn certificate_facts(der: &[u8]) -> Option<CertificateFacts> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let time = |time: ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
    Some(CertificateFacts {
        subject: printable(certificate.subject().to_string().as_bytes()),
        issuer: printable(certificate.issuer().to_string().as_bytes()),
        serial: certificate.raw_serial_as_string(),
        fingerprint: Sha256::of(der).to_string(),
        not_before: time(certificate.validity().not_before)?,
        not_after: time(certificate.validity().not_after)?,
    })
}
