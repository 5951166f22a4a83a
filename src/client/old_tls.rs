//! Offers a version of TLS that MESH does not take any more, to see it refused. No library that is fit
//! for use speaks such versions, and nothing is said in one here beyond the opening: a ClientHello, to
//! which a server either objects or agrees (RFC 4346, 7.4.1.2; RFC 5246, E.1).

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{
    TapeScope, Target,
    call::Answer,
    connection::connect,
    failure::{self, failure},
    recording::Recording,
};
use crate::tape::{FailureKind, TlsFacts, TransportFailure};

/// A version of TLS that is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldTls {
    /// 1.0
    Tls10,
    /// 1.1
    Tls11,
}

impl OldTls {
    /// As it is written in a ClientHello.
    #[must_use]
    pub fn bytes(self) -> [u8; 2] {
        match self {
            Self::Tls10 => [3, 1],
            Self::Tls11 => [3, 2],
        }
    }

    /// As people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls10 => "TLSv1.0",
            Self::Tls11 => "TLSv1.1",
        }
    }
}

/// Cipher suites that servers which speak such versions have: (EC)DHE and RSA with AES-CBC and SHA-1.
const CIPHER_SUITES: [[u8; 2]; 6] =
    [[0xc0, 0x13], [0xc0, 0x14], [0x00, 0x33], [0x00, 0x39], [0x00, 0x2f], [0x00, 0x35]];
/// Curves: secp256r1 and secp384r1; points uncompressed.
const EXTENSIONS: [u8; 16] = [0, 10, 0, 6, 0, 4, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0];
/// How long to wait for the server's first word.
const PATIENCE: Duration = Duration::from_secs(5);
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;

/// Says hello in an old version. On the tape stands a failed exchange when the server refused, and one
/// with the version agreed upon when it did not.
pub async fn offer(target: &Target, version: OldTls, scope: &TapeScope) -> Answer {
    let head = format!("ClientHello {} (no request)\r\n", version.name()).into_bytes();
    let recording = Recording::begin(scope, target, None, head);
    match timeout(PATIENCE, first_word(target, version)).await {
        Ok(Ok(facts)) => recording.agreed(facts),
        Ok(Err(failure)) => recording.not_connected(failure),
        Err(_) => {
            let why = format!("no answer to a ClientHello within {} s", PATIENCE.as_secs());
            recording.not_connected(failure(FailureKind::TimedOut, why))
        }
    }
}

async fn first_word(target: &Target, version: OldTls) -> Result<Arc<TlsFacts>, TransportFailure> {
    let io = |error: std::io::Error| failure::of_io(&error, false);
    let mut stream = connect(target).await?;
    stream.write_all(&hello(version)).await.map_err(io)?;
    let mut head = [0; 5];
    let refused = |why: String| failure(FailureKind::Tls, format!("{} was refused: {why}", version.name()));
    if stream.read_exact(&mut head).await.is_err() {
        return Err(refused("the connection was closed".to_owned()));
    }
    let mut word = [0; 6];
    let count = stream.read(&mut word).await.map_err(io)?;
    match (head[0], &word[..count]) {
        (ALERT, [_, description, ..]) => Err(refused(format!("alert {description}"))),
        (HANDSHAKE, [SERVER_HELLO, _, _, _, major, minor]) => Ok(Arc::new(TlsFacts {
            version: if [*major, *minor] == version.bytes() {
                version.name().to_owned()
            } else {
                format!("version {major}.{minor} in answer to {}", version.name())
            },
            cipher: "not read".to_owned(),
            ..TlsFacts::default()
        })),
        _ => Err(failure(FailureKind::NotHttp, "what answered a ClientHello is not TLS")),
    }
}

/// A ClientHello as RFC 4346 and RFC 2246 have it.
fn hello(version: OldTls) -> Vec<u8> {
    let mut random = [0; 32];
    // Whether it is random makes no difference: no key is ever made from it.
    let _ = aws_lc_rs::rand::fill(&mut random);
    let mut body = version.bytes().to_vec();
    body.extend(random);
    body.push(0); // no session to resume
    body.extend(length(CIPHER_SUITES.len() * 2));
    body.extend(CIPHER_SUITES.iter().flatten());
    body.extend([1, 0]); // no compression
    body.extend(length(EXTENSIONS.len()));
    body.extend(EXTENSIONS);
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend(length(body.len() + 4));
    record.extend([1, 0]); // ClientHello, and the first of three bytes of length
    record.extend(length(body.len()));
    record.extend(body);
    record
}

/// A length of two bytes; all that is measured here is shorter than 256.
fn length(count: usize) -> [u8; 2] {
    u16::try_from(count).unwrap_or_default().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_has_the_lengths_that_it_says() {
        for version in [OldTls::Tls10, OldTls::Tls11] {
            let hello = hello(version);
            assert_eq!(usize::from(u16::from_be_bytes([hello[3], hello[4]])), hello.len() - 5);
            assert_eq!(usize::from(u16::from_be_bytes([hello[7], hello[8]])), hello.len() - 9);
            assert_eq!(hello[9..11], version.bytes());
        }
    }
}
