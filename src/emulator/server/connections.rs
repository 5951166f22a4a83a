//! Accepts connections, over mutual TLS or plainly, and ends them in good order.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher as ConnectionWatcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::patience::Patient;
use crate::emulator::{
    faults::{TlsFault, agrees_to_old_version},
    provocations::{Cased, Casing, treat},
    recording::{Connection, Recorded, Recorder, Recording},
    routes::{Peer, Routes},
};

/// Connections at a time; more wait.
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
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
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
        let (door, watcher) = (Arc::clone(&door), graceful.watcher());
        connections.spawn(async move {
            let on_loopback = address.ip().to_canonical().is_loopback();
            connection(stream, &door, watcher, on_loopback).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let _ = timeout(GRACE, graceful.shutdown()).await;
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

async fn connection(mut stream: TcpStream, door: &Door, watcher: ConnectionWatcher, on_loopback: bool) {
    // Small replies must not wait for each other.
    let _ = stream.set_nodelay(true);
    let address = stream.local_addr().ok();
    if door.tls.is_some()
        && door.routes.faults.has_tls(TlsFault::OldVersions)
        && agrees_to_old_version(&mut stream).await
    {
        return;
    }
    let stream = Patient::new(stream, UNREAD);
    match &door.tls {
        None => {
            let recording = door.recorder.as_ref().map(|recorder| {
                recorder.connection(Connection { origin: Arc::clone(&door.origin), address, tls: None })
            });
            let peer = Peer { common_name: None, on_loopback };
            serve_recorded(stream, recording, Arc::clone(&door.routes), peer, watcher).await;
        }
        Some(acceptor) => {
            // A client that fails the handshake has been told so by TLS; there is nothing to answer.
            if let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await {
                let session = stream.get_ref().1;
                let certificates = session.peer_certificates().unwrap_or_default();
                let name = certificates.first().and_then(|leaf| common_name(leaf));
                let recorder = door.recorder.as_ref().filter(|recorder| recorder.records(name.as_deref()));
                let recording = recorder.map(|recorder| {
                    let tls = Some(recorder.tls_facts(session));
                    recorder.connection(Connection { origin: Arc::clone(&door.origin), address, tls })
                });
                let peer = Peer { common_name: name.map(Into::into), on_loopback };
                serve_recorded(stream, recording, Arc::clone(&door.routes), peer, watcher).await;
            }
        }
    }
}

async fn serve_recorded<S>(
    stream: S,
    recording: Option<Recording>,
    routes: Arc<Routes>,
    peer: Peer,
    watcher: ConnectionWatcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let casing = routes.provocations.as_ref().map(|_| Casing::default());
    match (recording, casing) {
        (None, None) => serve(stream, routes, peer, watcher, None).await,
        (None, Some(casing)) => {
            serve(Cased::new(stream, casing.clone()), routes, peer, watcher, Some(casing)).await;
        }
        (Some(recording), None) => {
            serve(Recorded::new(stream, recording), routes, peer, watcher, None).await;
        }
        (Some(recording), Some(casing)) => {
            let stream = Cased::new(Recorded::new(stream, recording), casing.clone());
            serve(stream, routes, peer, watcher, Some(casing)).await;
        }
    }
}

async fn serve<S>(
    stream: S,
    routes: Arc<Routes>,
    peer: Peer,
    watcher: ConnectionWatcher,
    casing: Option<Casing>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (routes, peer, casing) = (Arc::clone(&routes), peer.clone(), casing.clone());
        async move { treat(routes.answer(request, &peer).await, casing.as_ref()) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away or talks no HTTP ends its own connection and nobody else's.
    let _ = watcher.watch(connection).await;
}

fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests;
