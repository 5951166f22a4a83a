//! The least that a proxy with TLS on both sides does: it decrypts, encrypts and passes on, and looks at nothing.

use std::{net::SocketAddr, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{BufReader, copy_bidirectional_with_sizes},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What is read from a socket, and what is passed on, at a time.
const BUFFER: usize = 128 * 1024;

/// Serves until it is killed, in front of `endpoint`: with the server's certificate in `front`, as the client in
/// `back`.
#[tokio::main]
pub async fn serve(endpoint: SocketAddr, front: &Path, back: &Path) {
    let (acceptor, connector) = (acceptor(front), connector(back));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    println!("listening on https://{}", listener.local_addr().expect("an address"));
    loop {
        let Ok((product, _)) = listener.accept().await else { continue };
        let (acceptor, connector) = (acceptor.clone(), connector.clone());
        tokio::spawn(async move {
            let _ = product.set_nodelay(true);
            let Ok(mut product) = acceptor.accept(BufReader::with_capacity(BUFFER, product)).await else {
                return;
            };
            let Ok(stream) = TcpStream::connect(endpoint).await else { return };
            let _ = stream.set_nodelay(true);
            let name = ServerName::try_from("localhost").expect("a name");
            let connected = connector.connect(name, BufReader::with_capacity(BUFFER, stream)).await;
            let Ok(mut endpoint) = connected else { return };
            // Clients that go away are not this proxy's business.
            drop(copy_bidirectional_with_sizes(&mut product, &mut endpoint, BUFFER, BUFFER).await);
        });
    }
}

fn acceptor(folder: &Path) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots(folder)), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(vec![certificate(folder, "server.pem")], key(folder, "server-key.pem"))
        .expect("a server");
    TlsAcceptor::from(Arc::new(config))
}

fn connector(folder: &Path) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots(folder))
        .with_client_auth_cert(vec![certificate(folder, "X26ABC1.pem")], key(folder, "X26ABC1-key.pem"))
        .expect("a client");
    TlsConnector::from(Arc::new(config))
}

fn roots(folder: &Path) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(folder, "ca.pem")).expect("an authority");
    roots
}

fn certificate(folder: &Path, name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(folder.join(name)).expect("a certificate")
}

fn key(folder: &Path, name: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_file(folder.join(name)).expect("a key")
}
