//! One leg: a connection to the product or to the endpoint, encrypted or not.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;

/// A connection that can be read and written at the same time. Clones are the same connection.
#[derive(Clone)]
pub struct Leg(Arc<Mutex<Stream>>);

enum Stream {
    Plain(TcpStream),
    /// `true` once the end must not be announced: whoever announces it says that all was sent.
    Encrypted(Box<TlsStream<TcpStream>>, bool),
}

impl Leg {
    /// An unencrypted connection.
    pub fn plain(stream: TcpStream) -> Self {
        Self(Arc::new(Mutex::new(Stream::Plain(stream))))
    }

    /// An encrypted connection.
    pub fn encrypted(stream: impl Into<TlsStream<TcpStream>>) -> Self {
        Self(Arc::new(Mutex::new(Stream::Encrypted(Box::new(stream.into()), false))))
    }

    /// From here on a shutdown ends the connection as one that was cut off: without close_notify.
    pub fn truncate(&self) {
        if let Stream::Encrypted(_, truncated) = &mut *self.lock() {
            *truncated = true;
        }
    }

    /// When the last clone is dropped, the other side sees a reset.
    pub fn reset(&self) {
        let stream = self.lock();
        let tcp = match &*stream {
            Stream::Plain(tcp) => tcp,
            Stream::Encrypted(tls, _) => tls.get_ref().0,
        };
        // A connection that is gone cannot be reset, and need not be.
        let _ = tcp.set_zero_linger();
    }

    /// Held only while one poll goes on.
    fn lock(&self) -> MutexGuard<'_, Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Leg {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self.lock() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Stream::Encrypted(tls, _) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Leg {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self.lock() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Encrypted(tls, _) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.lock() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Encrypted(tls, _) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.lock() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Encrypted(tls, false) => Pin::new(tls).poll_shutdown(cx),
            Stream::Encrypted(tls, true) => {
                let tcp = match &mut **tls {
                    TlsStream::Client(tls) => tls.get_mut().0,
                    TlsStream::Server(tls) => tls.get_mut().0,
                };
                Pin::new(tcp).poll_shutdown(cx)
            }
        }
    }
}
