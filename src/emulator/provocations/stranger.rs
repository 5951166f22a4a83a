//! Another host than MESH's, to which calls are redirected. It takes whatever comes, with TLS or without, has it
//! recorded, and refuses it, as whoever knows no token would.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{Elsewhere, PROVOKED};
use crate::emulator::{
    Pki, PkiError, Recorder, SERVER,
    recording::{Connection, Recorded},
};

/// How long a TLS handshake, or a request's head, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a body may stand still: some clients announce one and send none when they are redirected.
const STALL: Duration = Duration::from_secs(2);
/// How often a port is looked for that is free for both kinds of address.
const TRIES: usize = 8;

/// A host at a port of its own. Stops when dropped.
pub struct Stranger {
    port: u16,
    /// Dropping them ends them.
    _tasks: JoinSet<()>,
}

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub enum StrangerError {
    /// No port is free.
    #[error("cannot listen as another host: {0}")]
    Listen(#[from] io::Error),
    /// TLS could not be set up.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

impl Stranger {
    /// Listens as `localhost`, with the endpoint's own certificate, and has everything recorded that clients
    /// do there.
    ///
    /// # Errors
    /// When no port is free, or TLS cannot be set up.
    pub async fn start(pki: &Pki, recorder: Recorder) -> Result<Self, StrangerError> {
        let acceptor = TlsAcceptor::from(Arc::new(pki.open()?));
        let (port, listeners) = listen().await?;
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(accept(listener, port, acceptor.clone(), recorder.clone()));
        }
        Ok(Self { port, _tasks: tasks })
    }

    /// Where it is called.
    #[must_use]
    pub fn place(&self, encrypted: bool) -> Elsewhere {
        Elsewhere { port: self.port, encrypted }
    }
}

/// Both addresses that `localhost` may stand for, where there are both: clients try them in an order of their own.
async fn listen() -> io::Result<(u16, Vec<TcpListener>)> {
    let mut tries = 1..=TRIES;
    loop {
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = four.local_addr()?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(six) => return Ok((port, vec![four, six])),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries.next().is_some() => {}
            // This machine has no such addresses.
            Err(_) => return Ok((port, vec![four])),
        }
    }
}

async fn accept(listener: TcpListener, port: u16, acceptor: TlsAcceptor, recorder: Recorder) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, say: not this connection, but perhaps the next.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        connections.spawn(connection(stream, port, acceptor.clone(), recorder.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, port: u16, acceptor: TlsAcceptor, recorder: Recorder) {
    let mut first = [0];
    let Ok(Ok(1)) = timeout(PATIENCE, stream.peek(&mut first)).await else { return };
    // A handshake of TLS begins with this.
    let encrypted = first == [22];
    let address = stream.local_addr().ok();
    let origin = Elsewhere { port, encrypted }.to_string().into();
    if !encrypted {
        let recording = recorder.connection(Connection { origin, address, tls: None });
        return serve(Recorded::new(stream, recording)).await;
    }
    if let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await {
        let tls = Some(recorder.tls_facts(stream.get_ref().1));
        let recording = recorder.connection(Connection { origin, address, tls });
        serve(Recorded::new(stream, recording)).await;
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service_fn(refuse));
    // A client that goes away ends its own connection and nobody else's.
    let _ = connection.await;
}

async fn refuse(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut body = request.into_body();
    // What is sent is witnessed to its end.
    while let Ok(Some(Ok(_))) = timeout(STALL, body.frame()).await {}
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::FORBIDDEN;
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static(SERVER));
    headers.insert(PROVOKED, HeaderValue::from_static("at another host than MESH's"));
    Ok(response)
}
