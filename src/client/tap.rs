//! A tap on a connection: sees every byte in both directions, keeps the heads and the times.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Instant,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::failure;
use crate::tape::TransportFailure;

/// Longest head that is kept, in bytes.
const HEAD_LIMIT: usize = 4 << 20;

/// What the tap saw of the exchange that is going on.
#[derive(Debug, Default)]
pub struct Seen {
    pub sent: Head,
    pub received: Head,
    pub last_sent: Option<Instant>,
    pub first_received: Option<Instant>,
    pub last_received: Option<Instant>,
    /// What the stream itself failed with, which hyper does not pass on.
    pub failure: Option<TransportFailure>,
}

/// The bytes up to the empty line.
#[derive(Debug, Default)]
pub struct Head {
    pub bytes: Vec<u8>,
    complete: bool,
}

/// Held by whoever reads what the tap saw.
#[derive(Debug, Clone, Default)]
pub struct TapHandle(Arc<Mutex<Seen>>);

/// The stream with the tap on it.
pub struct Tap<S> {
    stream: S,
    seen: TapHandle,
    presented_certificate: bool,
}

impl<S> Tap<S> {
    pub fn new(stream: S, seen: TapHandle, presented_certificate: bool) -> Self {
        Self { stream, seen, presented_certificate }
    }

    fn failed(&self, error: io::Error) -> io::Error {
        self.seen.lock().failure.get_or_insert_with(|| failure::of_io(&error, self.presented_certificate));
        error
    }
}

impl TapHandle {
    pub fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the exchange before, but not what the stream has failed with: it stays failed. A server
    /// that refuses a TLS 1.3 client does so after the handshake, maybe before the first request.
    pub fn begin(&self) {
        let mut seen = self.lock();
        *seen = Seen { failure: seen.failure.take(), ..Seen::default() };
    }

    /// When bytes last passed, in either direction.
    pub fn last_activity(&self) -> Option<Instant> {
        let seen = self.lock();
        seen.last_sent.max(seen.last_received)
    }
}

impl Seen {
    fn sent(&mut self, bytes: &[u8]) {
        self.last_sent = Some(Instant::now());
        self.sent.update(bytes);
    }

    fn received(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let now = Instant::now();
        self.first_received.get_or_insert(now);
        self.last_received = Some(now);
        self.received.update(bytes);
        if self.received.is_interim() {
            self.received = Head::default();
        }
    }
}

impl Head {
    fn update(&mut self, bytes: &[u8]) {
        if self.complete {
            return;
        }
        let searched = self.bytes.len().saturating_sub(3);
        self.bytes.extend_from_slice(bytes);
        let end = self.bytes[searched..].windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            self.bytes.truncate(searched + end + 4);
            self.complete = true;
        } else if self.bytes.len() > HEAD_LIMIT {
            self.bytes.truncate(HEAD_LIMIT);
            self.complete = true;
        }
    }

    /// `100 Continue` and the like come before the response proper.
    fn is_interim(&self) -> bool {
        self.complete && self.bytes.get(8..10) == Some(b" 1")
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match ready!(Pin::new(&mut self.stream).poll_read(cx, buffer)) {
            Ok(()) => {
                self.seen.lock().received(&buffer.filled()[before..]);
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(self.failed(error))),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.stream).poll_write(cx, bytes)) {
            Ok(count) => {
                self.seen.lock().sent(&bytes[..count]);
                Poll::Ready(Ok(count))
            }
            Err(error) => Poll::Ready(Err(self.failed(error))),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(result.map_err(|error| self.failed(error)))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_at_the_empty_line_however_it_is_cut() {
        let wire = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n\r\n";
        for cut in 0..wire.len() {
            let mut seen = Seen::default();
            seen.received(&wire[..cut]);
            seen.received(&wire[cut..]);
            assert_eq!(seen.received.bytes, b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_that_has_failed_stays_failed_when_an_exchange_begins() {
        let tap = TapHandle::default();
        let refused = failure::failure(crate::tape::FailureKind::ClientCertificateRefused, "x");
        tap.lock().failure = Some(refused);
        tap.lock().received(b"x");
        tap.begin();
        assert!(tap.lock().failure.is_some() && tap.lock().received.bytes.is_empty());
    }

    #[test]
    fn an_interim_response_is_not_the_response() {
        let mut seen = Seen::default();
        seen.received(b"HTTP/1.1 100 Continue\r\n\r\n");
        seen.received(b"HTTP/1.1 202 Accepted\r\n\r\n");
        assert_eq!(seen.received.bytes, b"HTTP/1.1 202 Accepted\r\n\r\n");
    }

    #[test]
    fn an_endless_head_is_not_kept_whole() {
        let mut seen = Seen::default();
        for _ in 0..6 {
            seen.received(&vec![b'x'; 1 << 20]);
        }
        assert_eq!(seen.received.bytes.len(), HEAD_LIMIT);
    }
}
