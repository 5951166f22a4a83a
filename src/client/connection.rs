//! One connection to the endpoint, tapped.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    agreed,
    failure::{self, failure},
    tap::{Tap, TapHandle},
    target::{Target, TlsTarget},
};
use crate::tape::{FailureKind, Presented, TlsFacts, TransportFailure};

/// A body on its way out.
pub type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

/// Longest response head that is read, in bytes: beyond it an answer is not MESH's.
const HEAD_BYTES: usize = 2 << 20;

/// An open connection and what is known of it.
pub struct Connection {
    pub sender: SendRequest<RequestBody>,
    pub tap: TapHandle,
    pub peer: SocketAddr,
    pub tls: Option<Arc<TlsFacts>>,
    /// How long connecting took; taken by the first exchange.
    pub opening: Option<Opening>,
    driver: JoinHandle<()>,
}

/// How long it took to open a connection.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    pub connect: Duration,
    pub tls: Option<Duration>,
}

impl Connection {
    pub async fn open(target: &Target) -> Result<Self, TransportFailure> {
        let limit = target.timeouts.connect;
        match timeout(limit, Self::open_unbounded(target)).await {
            Ok(result) => result,
            Err(_) => Err(failure(
                FailureKind::TimedOut,
                format!("no connection to {} within {} s", target.origin, limit.as_secs()),
            )),
        }
    }

    async fn open_unbounded(target: &Target) -> Result<Self, TransportFailure> {
        let started = Instant::now();
        let stream = connect(target).await?;
        // Requests are small and must not wait for each other.
        let _ = stream.set_nodelay(true);
        let peer = stream.peer_addr().map_err(|error| failure::of_io(&error, false))?;
        let connected = started.elapsed();
        let tap = TapHandle::default();
        let Some(tls) = target.tls()? else {
            let (sender, driver) = speak_http(Tap::new(stream, tap.clone(), false)).await?;
            let opening = Some(Opening { connect: connected, tls: None });
            return Ok(Self { sender, tap, peer, tls: None, opening, driver });
        };
        let presented = tls.presents_certificate();
        let stream = handshake(tls, stream).await?;
        let opening = Some(Opening { connect: connected, tls: Some(started.elapsed() - connected) });
        let facts = tls_facts(&stream, tls);
        let (sender, driver) = speak_http(Tap::new(stream, tap.clone(), presented)).await?;
        Ok(Self { sender, tap, peer, tls: Some(Arc::new(facts)), opening, driver })
    }

    /// What the stream failed with, once the connection is known to have failed.
    ///
    /// A server that refuses a TLS 1.3 client closes the connection on a request that is under way, and
    /// then the reason may be lost. A second connection, on which nothing is sent, brings it out.
    pub async fn cause(&mut self, target: &Target) -> Option<TransportFailure> {
        // The task that drives the connection tells the tap, and then ends.
        let _ = timeout(CAUSE_WAIT, &mut self.driver).await;
        let (seen, answered) = {
            let mut seen = self.tap.lock();
            (seen.failure.take(), seen.first_received.is_some())
        };
        let is_vague = seen.as_ref().is_none_or(|failure| failure.kind == FailureKind::Closed);
        match target.tls().ok().flatten() {
            Some(tls) if is_vague && !answered => refusal(target, tls).await.or(seen),
            _ => seen,
        }
    }
}

/// How long to wait for a reason that may not come.
const CAUSE_WAIT: Duration = Duration::from_secs(1);

/// Connects, sends nothing, and waits for the server to say that it does not want this client.
async fn refusal(target: &Target, tls: &TlsTarget) -> Option<TransportFailure> {
    let listen = async {
        let mut stream = handshake(tls, connect(target).await?).await?;
        match stream.read(&mut [0]).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure::of_io(&error, tls.presents_certificate())),
        }
    };
    let failure = timeout(CAUSE_WAIT, listen).await.ok()?.err()?;
    let refused = matches!(
        failure.kind,
        FailureKind::ClientCertificateRequired | FailureKind::ClientCertificateRefused
    );
    refused.then_some(failure)
}

async fn handshake(tls: &TlsTarget, stream: TcpStream) -> Result<TlsStream<TcpStream>, TransportFailure> {
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    let stream = connector.connect(tls.server_name.clone(), stream).await;
    stream.map_err(|error| failure::of_io(&error, tls.presents_certificate()))
}

/// Connects, and no more.
pub async fn connect(target: &Target) -> Result<TcpStream, TransportFailure> {
    let (host, port) = (target.origin.host(), target.origin.port());
    let unknown = |error: io::Error| failure(FailureKind::NameNotFound, format!("{host}: {error}"));
    let mut last = None;
    for address in lookup_host((host.as_str(), port)).await.map_err(unknown)? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some((address, error)),
        }
    }
    match last {
        Some((address, error)) => {
            let found = failure::of_io(&error, false);
            Err(TransportFailure { detail: format!("{address}: {error}"), ..found })
        }
        None => Err(failure(FailureKind::NameNotFound, format!("{host} has no address"))),
    }
}

async fn speak_http<S>(stream: Tap<S>) -> Result<(SendRequest<RequestBody>, JoinHandle<()>), TransportFailure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failure::of_http(&error))?;
    // What it ends with is seen by the tap and by the exchange that it cuts off.
    let driver = tokio::spawn(async move { drop(connection.await) });
    Ok((sender, driver))
}

fn tls_facts(stream: &TlsStream<TcpStream>, target: &TlsTarget) -> TlsFacts {
    let (_, session) = stream.get_ref();
    let server = Presented::of(session.peer_certificates().unwrap_or_default());
    agreed(session).between(target.presented.clone(), server)
}
