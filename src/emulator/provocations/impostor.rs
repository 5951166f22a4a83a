//! Somebody in the endpoint's place, with a certificate that nobody should trust, who goes on with whoever
//! comes, and a witness of what clients make of that.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use chrono::Utc;
use rustls::{AlertDescription, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    emulator::{Pki, PkiError, Untrusted},
    tape::{Attempt, AttemptEnd, CertificateFacts, Presented, ScenarioNumber, TlsFacts, printable},
};

/// Somebody in the endpoint's place.
pub struct Impostor {
    config: Arc<ServerConfig>,
    presented: Presented,
    wrong: Untrusted,
    origin: String,
    keep: Box<dyn Fn(Attempt) + Send + Sync>,
}

impl Impostor {
    /// With a certificate that is wrong in this way, at this scheme, host and port. Each connection is handed
    /// to `keep` when it is over.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn new(
        pki: &Pki,
        wrong: Untrusted,
        origin: String,
        keep: impl Fn(Attempt) + Send + Sync + 'static,
    ) -> Result<Self, PkiError> {
        let (config, certificate) = pki.untrusted(wrong)?;
        let presented = Presented::of(&[certificate]);
        Ok(Self { config: Arc::new(config), presented, wrong, origin, keep: Box::new(keep) })
    }

    pub(in crate::emulator) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    pub(in crate::emulator) fn presented(&self) -> Presented {
        self.presented.clone()
    }

    /// What every answer says of it.
    pub(in crate::emulator) fn words(&self) -> String {
        format!("over a certificate {}", self.wrong)
    }

    /// A client has begun to speak; `name`: as whom it addresses the endpoint in TLS.
    pub(in crate::emulator) fn meets(self: Arc<Self>, name: Option<&str>) -> Witness {
        let certificate = self.presented.own.clone();
        Witness::new(self, certificate, name)
    }

    /// A client has begun to speak without TLS.
    pub(in crate::emulator) fn meets_in_the_clear(self: Arc<Self>) -> Witness {
        Witness::new(self, None, None)
    }
}

/// Sees what becomes of one connection, and tells when it is dropped.
pub struct Witness {
    impostor: Arc<Impostor>,
    attempt: Attempt,
}

impl Witness {
    fn new(impostor: Arc<Impostor>, certificate: Option<CertificateFacts>, name: Option<&str>) -> Self {
        let now = Utc::now();
        let attempt = Attempt {
            // The one who keeps it knows better.
            scenario: ScenarioNumber(0),
            origin: impostor.origin.clone(),
            began: now,
            ended: now,
            wrong: format!("a certificate {}", impostor.wrong),
            certificate,
            server_name: name.map(|name| printable(name.as_bytes())),
            tls: None,
            received: 0,
            end: AttemptEnd::ByEndpoint,
        };
        Self { impostor, attempt }
    }

    /// The handshake was completed.
    pub fn agreed(&mut self, tls: Arc<TlsFacts>) {
        self.attempt.tls = Some(tls);
    }

    /// It failed, or ended.
    pub fn ended(&mut self, error: &io::Error) {
        self.attempt.end = end(error);
    }

    /// It took too long.
    pub fn gave_up(&mut self) {
        self.attempt.end = AttemptEnd::Failed("the handshake took too long".to_owned());
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.attempt.ended = Utc::now();
        (self.impostor.keep)(self.attempt.clone());
    }
}

fn end(error: &io::Error) -> AttemptEnd {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::AlertReceived(alert)) => AttemptEnd::Alert(name_of(*alert)),
        Some(other) => AttemptEnd::Failed(printable(other.to_string().as_bytes())),
        None if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) => {
            AttemptEnd::Closed
        }
        None => AttemptEnd::Failed(printable(error.to_string().as_bytes())),
    }
}

/// As RFC 8446 writes them: `UnknownCA` is `unknown_ca`.
fn name_of(alert: AlertDescription) -> String {
    let mut name = String::new();
    let mut after_small = false;
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && after_small {
            name.push('_');
        }
        after_small = !letter.is_ascii_uppercase();
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// A connection with a witness.
pub struct Witnessed<S> {
    stream: S,
    witness: Witness,
}

impl<S> Witnessed<S> {
    pub fn new(stream: S, witness: Witness) -> Self {
        Self { stream, witness }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Witnessed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        let came = buffer.filled().len() - before;
        match &read {
            Ok(()) if came == 0 && buffer.remaining() > 0 => self.witness.attempt.end = AttemptEnd::Closed,
            Ok(()) => self.witness.attempt.received += came as u64,
            Err(error) => self.witness.ended(error),
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Witnessed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_the_names_of_rfc_8446() {
        for (alert, name) in [
            (AlertDescription::UnknownCA, "unknown_ca"),
            (AlertDescription::BadCertificate, "bad_certificate"),
            (AlertDescription::CertificateExpired, "certificate_expired"),
            (AlertDescription::CertificateUnknown, "certificate_unknown"),
            (AlertDescription::DecryptError, "decrypt_error"),
        ] {
            assert_eq!(name_of(alert), name);
        }
    }

    #[test]
    fn it_is_told_who_ended_a_connection_and_how() {
        let tls = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let alert = tls(rustls::Error::AlertReceived(AlertDescription::UnknownCA));
        assert_eq!(end(&alert), AttemptEnd::Alert("unknown_ca".to_owned()));
        assert_eq!(end(&io::ErrorKind::UnexpectedEof.into()), AttemptEnd::Closed);
        assert!(matches!(end(&tls(rustls::Error::DecryptError)), AttemptEnd::Failed(_)));
    }
}
