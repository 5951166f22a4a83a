//! From what TLS, TCP and HTTP fail with to the kind of failure that a person can act on.

use std::{error::Error, io};

use rustls::{AlertDescription, CertificateError};

use crate::tape::{FailureKind, TransportFailure, printable};

/// What an I/O error means. `presented_certificate` says whether we showed one: a server that wants
/// one and got none may say so only vaguely.
pub fn of_io(error: &io::Error, presented_certificate: bool) -> TransportFailure {
    let inner: Option<&(dyn Error + 'static)> = match error.get_ref() {
        Some(inner) => Some(inner),
        None => None,
    };
    if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(tls, presented_certificate);
    }
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => FailureKind::ConnectionRefused,
        io::ErrorKind::TimedOut => FailureKind::TimedOut,
        _ => FailureKind::Closed,
    };
    failure(kind, error)
}

fn of_tls(error: &rustls::Error, presented_certificate: bool) -> TransportFailure {
    use AlertDescription as Alert;
    let kind = match error {
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => FailureKind::UnknownIssuer,
        rustls::Error::InvalidCertificate(_) => FailureKind::BadServerCertificate,
        rustls::Error::AlertReceived(Alert::CertificateRequired) => FailureKind::ClientCertificateRequired,
        rustls::Error::AlertReceived(Alert::HandshakeFailure | Alert::BadCertificate)
            if !presented_certificate =>
        {
            FailureKind::ClientCertificateRequired
        }
        rustls::Error::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::AccessDenied
            | Alert::DecryptError,
        ) => FailureKind::ClientCertificateRefused,
        _ => FailureKind::Tls,
    };
    failure(kind, error)
}

/// What hyper failed with, where the stream itself did not fail.
pub fn of_http(error: &hyper::Error) -> TransportFailure {
    let kind = if error.is_parse() { FailureKind::NotHttp } else { FailureKind::Closed };
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        detail = format!("{detail}: {cause}");
        source = cause.source();
    }
    failure(kind, detail)
}

pub fn failure(kind: FailureKind, detail: impl ToString) -> TransportFailure {
    TransportFailure { kind, detail: printable(detail.to_string().as_bytes()) }
}
