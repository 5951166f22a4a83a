//! A client that does as little as one can: hyper on a connection that is kept.

use std::{net::SocketAddr, path::Path, sync::Arc};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How connections are made.
#[derive(Clone)]
pub enum Security {
    Plain,
    Mutual(TlsConnector),
}

/// Where to, and how.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub security: Security,
}

pub struct Connection(SendRequest<Full<Bytes>>);

/// What came back. Of a long body only the length and the beginning.
pub struct Answer {
    pub status: StatusCode,
    pub length: usize,
    pub beginning: Vec<u8>,
}

const KEPT: usize = 1 << 16;

impl Security {
    /// With `ca.pem`, `X26ABC1.pem` and `X26ABC1-key.pem` of a folder. No session is resumed, so that
    /// every new connection costs what the first one costs.
    pub fn mutual(folder: &Path) -> Self {
        let pem = |name: &str| CertificateDer::from_pem_file(folder.join(name)).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(pem("ca.pem")).expect("an authority");
        let key = PrivateKeyDer::from_pem_file(folder.join("X26ABC1-key.pem")).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![pem("X26ABC1.pem")], key)
            .expect("a client");
        config.resumption = rustls::client::Resumption::disabled();
        Self::Mutual(TlsConnector::from(Arc::new(config)))
    }
}

impl Target {
    pub async fn connect(&self) -> Connection {
        self.connect_over(|stream| stream).await
    }

    /// The same, with something between the client and the socket.
    pub async fn connect_over<S>(&self, over: impl FnOnce(TcpStream) -> S) -> Connection
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let stream = over(stream);
        match &self.security {
            Security::Plain => Connection(handshake(stream).await),
            Security::Mutual(tls) => {
                let name = ServerName::try_from("localhost").expect("a name");
                Connection(handshake(tls.connect(name, stream).await.expect("TLS")).await)
            }
        }
    }
}

async fn handshake<S>(stream: S) -> SendRequest<Full<Bytes>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    sender
}

impl Connection {
    pub async fn call(&mut self, request: Request<Full<Bytes>>) -> Answer {
        self.call_reading(request, |_| ()).await
    }

    /// Shows the body, as it comes.
    pub async fn call_reading(
        &mut self,
        request: Request<Full<Bytes>>,
        mut show: impl FnMut(&[u8]),
    ) -> Answer {
        self.0.ready().await.expect("a connection that is kept");
        let (head, mut body) = self.0.send_request(request).await.expect("an answer").into_parts();
        let mut answer = Answer { status: head.status, length: 0, beginning: Vec::new() };
        while let Some(frame) = body.frame().await {
            if let Ok(piece) = frame.expect("a whole body").into_data() {
                show(&piece);
                answer.length += piece.len();
                let room = KEPT.saturating_sub(answer.beginning.len()).min(piece.len());
                answer.beginning.extend_from_slice(&piece[..room]);
            }
        }
        answer
    }
}
