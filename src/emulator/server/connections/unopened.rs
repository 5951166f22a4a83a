//! Why a connection came to no call: what a client whose TLS fails is told by an alert alone, if at all.

use std::io;

use rustls::{CertificateError as Bad, Error};

/// Why a client's TLS handshake failed, as the server saw it. `None` of one that went away without a word, as whoever
/// looks whether a port is open does.
pub fn why(error: &io::Error) -> Option<String> {
    let tls = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match tls {
        Error::NoCertificatesPresented => {
            "the client presented no certificate, or left its own out since the authority here has not issued it, as Java does"
                .to_owned()
        }
        Error::InvalidCertificate(Bad::UnknownIssuer) => {
            "the client's certificate is from another authority: each start makes an authority and certificates of its own"
                .to_owned()
        }
        Error::InvalidCertificate(Bad::BadSignature) => {
            "the client's certificate is from an earlier start: each start makes an authority and certificates of its own"
                .to_owned()
        }
        Error::InvalidCertificate(why) => format!("the client's certificate is not valid: {why}"),
        Error::AlertReceived(alert) => format!(
            "the client refused the endpoint's certificate, or its TLS (alert {alert:?}): the authority of this start is the one to trust"
        ),
        Error::InvalidMessage(_) => "the client does not speak TLS: this address is https".to_owned(),
        error => format!("the TLS handshake failed: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription;

    use super::*;

    #[test]
    fn each_mistake_with_certificates_is_told_in_its_own_words() {
        for (error, told) in [
            (Error::NoCertificatesPresented, "presented no certificate"),
            (Error::InvalidCertificate(Bad::UnknownIssuer), "from another authority"),
            (Error::InvalidCertificate(Bad::BadSignature), "from an earlier start"),
            (Error::InvalidCertificate(Bad::Expired), "is not valid"),
            (Error::AlertReceived(AlertDescription::UnknownCA), "refused the endpoint's certificate"),
        ] {
            let why = why(&io::Error::other(error.clone())).unwrap();
            assert!(why.contains(told), "{error:?}: {why}");
        }
        assert_eq!(why(&io::ErrorKind::UnexpectedEof.into()), None, "it went away");
    }
}
