//! What a TLS handshake came to.

use rustls::CommonState;

use crate::tape::{TlsFacts, printable};

/// What both sides agreed on: no certificates yet.
pub fn agreed(session: &CommonState) -> TlsFacts {
    let version = session.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default();
    let suite = session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    TlsFacts {
        version: version.replace("TLSv1_", "TLSv1."),
        cipher: suite.unwrap_or_default(),
        alpn: session.alpn_protocol().map(printable),
        ..TlsFacts::default()
    }
}
