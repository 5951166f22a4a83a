//! Accepts connections, over mutual TLS or plainly, and ends them in good order.

mod ends;
mod shown;
mod unopened;

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use http::{HeaderValue, Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    task::JoinSet,
    time::{error::Elapsed, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{descriptors, patience::Patient};
use crate::emulator::{
    faults::{TlsFault, agrees_to_old_version},
    provocations::{Cased, Casing, PROVOKED, treat},
    recording::{Connection, Recorded, Recorder},
    routes::{Peer, Routes},
};
use crate::tape::TlsFacts;
use ends::Ends;

/// Connections at a time, where there are files for as many; more wait.
const CONNECTIONS: usize = if cfg!(test) { 16 } else { 1024 };
/// How long a TLS handshake, or a request's head, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a client may read nothing of what it is sent: long enough to look at a product in a debugger.
const UNREAD: Duration = Duration::from_secs(120);
/// How long calls may go on after a stop was asked for.
const GRACE: Duration = Duration::from_millis(if cfg!(test) { 200 } else { 5000 });

/// What every connection is received with.
pub struct Door {
    pub tls: Option<TlsAcceptor>,
    pub routes: Arc<Routes>,
    pub recorder: Option<Recorder>,
    /// Scheme, host and port.
    pub origin: Arc<str>,
}

/// Accepts connections until it is told to stop, or nobody can tell it any more.
pub async fn accept(listener: TcpListener, door: Arc<Door>, mut stopped: oneshot::Receiver<()>) {
    let stop = watch::Sender::new(());
    let room = Arc::new(Semaphore::new(descriptors::connections(CONNECTIONS)));
    let mut connections = JoinSet::new();
    // When no timer is set as a thread goes to sleep, tokio wakes its driver by a call of the system for each that is
    // set next, and every call sets one. So one is always set, and earlier than any of theirs.
    let mut always = tokio::time::interval(PATIENCE / 3);
    loop {
        let (place, accepted) = tokio::select! {
            // Dropping the sender stops it as well.
            _ = &mut stopped => break,
            _ = always.tick() => continue,
            next = next(&listener, &room) => next,
        };
        let Ok((stream, address)) = accepted else {
            // Out of file descriptors, say: not this connection, but perhaps the next.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (door, ends) = (Arc::clone(&door), Ends::with(stop.subscribe()));
        connections.spawn(async move {
            let on_loopback = address.ip().to_canonical().is_loopback();
            connection(stream, &door, ends, on_loopback).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    // There may be no connection.
    let _ = stop.send(());
    let _ = timeout(GRACE, stop.closed()).await;
    // Whoever is not done by then is cut off.
    connections.shutdown().await;
}

/// The next connection, when there is room for it.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>) {
    // It is never closed.
    let place = Arc::clone(room).acquire_owned().await.ok();
    (place, listener.accept().await)
}

async fn connection(mut stream: TcpStream, door: &Door, ends: Ends, on_loopback: bool) {
    // Small replies must not wait for each other.
    let _ = stream.set_nodelay(true);
    let address = stream.local_addr().ok();
    if door.tls.is_some()
        && door.routes.faults.has_tls(TlsFault::OldVersions)
        && agrees_to_old_version(&mut stream).await
    {
        return;
    }
    match &door.tls {
        None => {
            let peer = Peer { common_name: None, on_loopback };
            door.serve(Patient::new(stream, UNREAD), Line { address, peer, ..Line::default() }, ends).await;
        }
        // A client that fails the handshake has been told so by TLS; there is nothing to answer.
        Some(acceptor) => match &door.routes.provocations {
            None => {
                let accepted = timeout(PATIENCE, acceptor.accept(Patient::new(stream, UNREAD))).await;
                if let Some(stream) = door.opened(accepted) {
                    let line = Line::own(&stream, door.recorder.as_ref(), address, on_loopback);
                    door.serve(stream, line, ends).await;
                }
            }
            Some(provocations) => {
                let line = Line { address, peer: Peer { common_name: None, on_loopback }, ..Line::default() };
                door.shown(stream, acceptor, provocations, line, ends).await;
            }
        },
    }
}

/// What is known of a connection.
#[derive(Default)]
struct Line {
    address: Option<SocketAddr>,
    peer: Peer,
    tls: Option<Arc<TlsFacts>>,
    /// It is the connection of somebody who records it on his own side.
    is_passed_over: bool,
    /// Without TLS, where there should be.
    in_the_clear: bool,
    /// What every answer says of it.
    words: Option<HeaderValue>,
}

impl Line {
    /// Of a client that was shown the endpoint's own certificate.
    fn own<S>(
        stream: &TlsStream<S>,
        recorder: Option<&Recorder>,
        address: Option<SocketAddr>,
        on_loopback: bool,
    ) -> Self {
        let session = stream.get_ref().1;
        let certificates = session.peer_certificates().unwrap_or_default();
        let name = certificates.first().and_then(|leaf| common_name(leaf));
        Self {
            address,
            is_passed_over: recorder.is_some_and(|recorder| !recorder.records(name.as_deref())),
            tls: recorder.map(|recorder| recorder.tls_facts(session)),
            peer: Peer { common_name: name.map(Into::into), on_loopback },
            ..Self::default()
        }
    }
}

impl Door {
    /// What came of a handshake; whoever watches is told why one failed.
    fn opened<S>(&self, accepted: Result<io::Result<S>, Elapsed>) -> Option<S> {
        match accepted {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => {
                unopened::why(&error).into_iter().for_each(|why| self.routes.tell_unopened(why))
            }
            Err(_) => {}
        }
        None
    }

    async fn serve<S>(&self, stream: S, line: Line, ends: Ends)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let recorder = self.recorder.as_ref().filter(|_| !line.is_passed_over);
        let recording = recorder.map(|recorder| recorder.connection(self.connection(&line)));
        let routes = Arc::clone(&self.routes);
        let Line { peer, words, .. } = line;
        let casing = routes.provocations.as_ref().map(|_| Casing::default());
        let served = Served { routes, peer, casing, words };
        match (recording, served.casing.clone()) {
            (None, None) => serve(stream, served, ends).await,
            (None, Some(casing)) => serve(Cased::new(stream, casing), served, ends).await,
            (Some(recording), None) => serve(Recorded::new(stream, recording), served, ends).await,
            (Some(recording), Some(casing)) => {
                serve(Cased::new(Recorded::new(stream, recording), casing), served, ends).await;
            }
        }
    }

    fn connection(&self, line: &Line) -> Connection {
        let origin = match self.origin.strip_prefix("https:") {
            Some(rest) if line.in_the_clear => format!("http:{rest}").into(),
            _ => Arc::clone(&self.origin),
        };
        Connection { origin, address: line.address, tls: line.tls.clone() }
    }
}

/// What answers the calls of a connection.
struct Served {
    routes: Arc<Routes>,
    peer: Peer,
    casing: Option<Casing>,
    words: Option<HeaderValue>,
}

async fn serve<S>(stream: S, served: Served, mut ends: Ends)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Served { routes, peer, casing, words } = served;
    let told = Arc::clone(&routes);
    // A call that has come whole takes effect, so it goes on to its line in the log and to its answer, whether or not
    // its caller still sends. One that is to be left unanswered ends when its caller does not wait any more.
    let is_always_answered = routes.provocations.is_none();
    let service = service_fn(move |request: Request<Incoming>| {
        let (routes, peer, casing, words) =
            (Arc::clone(&routes), peer.clone(), casing.clone(), words.clone());
        async move {
            let mut response = routes.answer(request, &peer).await;
            if let Some(words) = words {
                response.headers_mut().append(PROVOKED, words);
            }
            treat(response, casing.as_ref())
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .auto_date_header(false)
        .half_close(is_always_answered)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // A client that goes away or talks no HTTP ends its own connection and nobody else's.
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = ends.come() => {
            connection.as_mut().graceful_shutdown();
            timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended
        && error.is_parse()
    {
        told.tell_unread(&error);
    }
}

fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests;
