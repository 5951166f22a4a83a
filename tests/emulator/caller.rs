//! A client that is not ours (reqwest), with good tokens.

use std::{fs, io::Write};

use chrono::{TimeDelta, Utc};
use flate2::{Compression, write::GzEncoder};
use mesh_witness::emulator::{Arrangement, Switches};
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use serde_json::Value;

use crate::support::{Endpoint, PASSWORD, SHARED_KEY};
use uuid::Uuid;

pub const V1: &str = "application/vnd.mesh.v1+json";
pub const V2: &str = "application/vnd.mesh.v2+json";

pub struct Caller {
    pub endpoint: Endpoint,
    client: Client,
}

impl Caller {
    pub fn new() -> Self {
        Self::arranged(Arrangement::default())
    }

    pub fn with(switches: Switches) -> Self {
        Self::arranged(Arrangement { switches, ..Arrangement::default() })
    }

    pub fn arranged(arrangement: Arrangement) -> Self {
        let endpoint = Endpoint::start_arranged(arrangement);
        let client = client(&endpoint, Some("PRODUCT"), &[&TLS12, &TLS13]);
        Self { endpoint, client }
    }

    /// A call without a token.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/messageexchange/{path}", self.endpoint.url))
    }

    /// A call on a path outside the API.
    pub fn outside(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.endpoint.url))
    }

    /// A call with a good token of the path's mailbox, at the endpoint's own time.
    pub fn moved_call(&self, method: Method, path: &str) -> RequestBuilder {
        let mailbox = path.split(['/', '?']).next().unwrap();
        let token = token_at(mailbox, self.endpoint.clock.moved_by());
        self.bare(method, path).header("authorization", token).header("accept", V2)
    }

    /// A call with a good token of the path's mailbox.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let mailbox = path.split(['/', '?']).next().unwrap();
        self.bare(method, path).header("authorization", token(mailbox))
    }

    pub fn sending(&self, to: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.call(Method::POST, "PRODUCT/outbox")
            .header("mex-to", to)
            .header("mex-workflowid", "W1")
            .header("accept", V2)
            .body(body)
    }

    pub async fn send(&self, body: &'static [u8]) -> String {
        let response = self.sending("COUNTERPART", body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        json_of(response).await["message_id"].as_str().unwrap().to_owned()
    }

    pub async fn list(&self, query: &str) -> Value {
        let call = self.call(Method::GET, &format!("COUNTERPART/inbox{query}")).header("accept", V2);
        let response = call.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        json_of(response).await
    }
}

pub fn token(mailbox: &str) -> String {
    token_at(mailbox, TimeDelta::zero())
}

pub fn token_at(mailbox: &str, delta: TimeDelta) -> String {
    let credentials = Credentials {
        mailbox: MailboxId::parse(mailbox).unwrap(),
        password: Password::new(PASSWORD),
        shared_key: SharedKey::new(SHARED_KEY),
    };
    Token::build(&credentials, Uuid::new_v4(), NonceCount::new(0), Utc::now() + delta).to_string()
}

pub fn client(
    endpoint: &Endpoint,
    identity: Option<&str>,
    versions: &[&'static SupportedProtocolVersion],
) -> Client {
    let read = |name: &str| fs::read(endpoint.folder.path().join(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&read("ca.pem")).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let tls = match identity {
        Some(mailbox) => {
            let chain = vec![CertificateDer::from_pem_slice(&read(&format!("{mailbox}.pem"))).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(&read(&format!("{mailbox}-key.pem"))).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

/// A client for plain HTTP.
pub fn plain_client() -> Client {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

pub async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

pub fn handshake_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in ["mex-clientversion", "mex-osname", "mex-osversion"] {
        headers.insert(name, "x".parse().unwrap());
    }
    headers
}

pub fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub async fn status(call: RequestBuilder) -> u16 {
    call.send().await.unwrap().status().as_u16()
}
