//! The least that a server on the same libraries does: it reads a request and answers 200.

use std::{convert::Infallible, num::NonZero, path::Path, sync::Arc, thread::available_parallelism};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{net::TcpListener, runtime::Builder};
use tokio_rustls::TlsAcceptor;

use crate::work::LARGE_PATH;

/// Serves until it is killed, with as many threads as the emulator. With a folder, over mutual TLS with the
/// certificates in it.
pub fn serve(folder: Option<&Path>) {
    let threads = available_parallelism().map_or(1, NonZero::get).div_ceil(2);
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    runtime.expect("a runtime").block_on(accept(folder));
}

async fn accept(folder: Option<&Path>) {
    let tls = folder.map(|folder| TlsAcceptor::from(Arc::new(config(folder))));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let scheme = if tls.is_some() { "https" } else { "http" };
    println!("listening on {scheme}://{}", listener.local_addr().expect("an address"));
    let large = Bytes::from(vec![b'x'; crate::measure::LARGE]);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (tls, large) = (tls.clone(), large.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(move |request| answer(request, large.clone()));
            let http = http1::Builder::new();
            // Clients that go away are not this server's business.
            match tls {
                None => drop(http.serve_connection(TokioIo::new(stream), service).await),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        drop(http.serve_connection(TokioIo::new(stream), service).await);
                    }
                }
            }
        });
    }
}

async fn answer(request: Request<Incoming>, large: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_large = request.method() == Method::GET && request.uri().path().ends_with(LARGE_PATH);
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    Ok(Response::new(Full::new(if is_large { large } else { Bytes::new() })))
}

fn config(folder: &Path) -> ServerConfig {
    let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(folder.join("server-key.pem")).expect("a key");
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(folder.join("ca.pem")).expect("a certificate");
    roots.add(authority).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(chain, key)
        .expect("a server")
}
