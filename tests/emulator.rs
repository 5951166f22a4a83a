//! The emulator on the wire, called by a client that is not ours (reqwest), as the OpenAPI has it.

mod support;

use std::{fs, io::Write};

use chrono::{TimeDelta, Utc};
use flate2::{Compression, write::GzEncoder};
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use serde_json::{Value, json};
use support::{Endpoint, PASSWORD, SHARED_KEY};
use uuid::Uuid;

const V1: &str = "application/vnd.mesh.v1+json";
const V2: &str = "application/vnd.mesh.v2+json";

struct Caller {
    endpoint: Endpoint,
    client: Client,
}

impl Caller {
    fn new() -> Self {
        let endpoint = Endpoint::start();
        let client = client(&endpoint, Some("PRODUCT"), &[&TLS12, &TLS13]);
        Self { endpoint, client }
    }

    /// A call without a token.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/messageexchange/{path}", self.endpoint.url))
    }

    /// A call with a good token of the path's mailbox.
    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let mailbox = path.split(['/', '?']).next().unwrap();
        self.bare(method, path).header("authorization", token(mailbox))
    }

    fn sending(&self, to: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.call(Method::POST, "PRODUCT/outbox")
            .header("mex-to", to)
            .header("mex-workflowid", "W1")
            .header("accept", V2)
            .body(body)
    }

    async fn send(&self, body: &'static [u8]) -> String {
        let response = self.sending("COUNTERPART", body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        json_of(response).await["message_id"].as_str().unwrap().to_owned()
    }

    async fn list(&self, query: &str) -> Value {
        let call = self.call(Method::GET, &format!("COUNTERPART/inbox{query}")).header("accept", V2);
        let response = call.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        json_of(response).await
    }
}

fn token(mailbox: &str) -> String {
    token_at(mailbox, TimeDelta::zero())
}

fn token_at(mailbox: &str, delta: TimeDelta) -> String {
    let credentials = Credentials {
        mailbox: MailboxId::parse(mailbox).unwrap(),
        password: Password::new(PASSWORD),
        shared_key: SharedKey::new(SHARED_KEY),
    };
    Token::build(&credentials, Uuid::new_v4(), NonceCount::new(0), Utc::now() + delta).to_string()
}

fn client(
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

async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn handshake_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in ["mex-clientversion", "mex-osname", "mex-osversion"] {
        headers.insert(name, "x".parse().unwrap());
    }
    headers
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn status(call: RequestBuilder) -> u16 {
    call.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_by_either_method_needs_its_headers() {
    let caller = Caller::new();
    for method in [Method::POST, Method::GET] {
        let response =
            caller.call(method.clone(), "PRODUCT").headers(handshake_headers()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{method}");
        assert!(response.bytes().await.unwrap().is_empty());
    }
    let response = caller.call(Method::POST, "PRODUCT").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json_of(response).await["detail"][0]["loc"], json!(["header", "mex-clientversion"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_one_call_to_its_own_mailbox_within_two_hours() {
    let caller = Caller::new();
    let with = |path: &str, token: &str| caller.bare(Method::GET, path).header("authorization", token);
    let once = token("PRODUCT");
    assert_eq!(status(with("PRODUCT/inbox", &once)).await, 200);
    assert_eq!(status(with("PRODUCT/inbox", &once)).await, 403);
    assert_eq!(status(with("PRODUCT/count", &once)).await, 403);
    assert_eq!(status(with("COUNTERPART/inbox", &token("PRODUCT"))).await, 403);
    assert_eq!(status(with("NOBODY/inbox", &token("NOBODY"))).await, 403);
    assert_eq!(status(caller.bare(Method::GET, "PRODUCT/inbox")).await, 403);
    assert_eq!(status(with("PRODUCT/inbox", &token("PRODUCT").replace("NHSMESH ", ""))).await, 403);
    assert_eq!(status(with("PRODUCT/inbox", &token_at("PRODUCT", TimeDelta::minutes(119)))).await, 200);
    assert_eq!(status(with("PRODUCT/inbox", &token_at("PRODUCT", TimeDelta::minutes(-119)))).await, 200);
    assert_eq!(status(with("PRODUCT/inbox", &token_at("PRODUCT", TimeDelta::minutes(122)))).await, 403);
    assert_eq!(status(with("PRODUCT/inbox", &token_at("PRODUCT", TimeDelta::minutes(-122)))).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_not_used_up_by_whoever_guessed_at_it() {
    let caller = Caller::new();
    let good = token("PRODUCT");
    let last = if good.ends_with('0') { "1" } else { "0" };
    let forged = format!("{}{last}", &good[..good.len() - 1]);
    let with = |token: &str| caller.bare(Method::GET, "PRODUCT/inbox").header("authorization", token);
    assert_eq!(status(with(&forged)).await, 403);
    assert_eq!(status(with(&good)).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_and_the_date_move_with_the_clock() {
    let caller = Caller::new();
    caller.endpoint.move_clock(TimeDelta::days(5));
    assert_eq!(status(caller.call(Method::GET, "PRODUCT/inbox")).await, 403);
    let moved = caller
        .bare(Method::GET, "PRODUCT/inbox")
        .header("authorization", token_at("PRODUCT", TimeDelta::days(5)));
    let response = moved.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let date = chrono::DateTime::parse_from_rfc2822(response.headers()["date"].to_str().unwrap()).unwrap();
    assert!(date.with_timezone(&Utc) - Utc::now() > TimeDelta::days(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_its_way_in_both_versions() {
    for (accept, sent_as, acknowledged) in
        [(V1, "messageID", true), ("application/json", "messageID", true), (V2, "message_id", false)]
    {
        let caller = Caller::new();
        let response = caller.sending("COUNTERPART", "hello").header("accept", accept);
        let request = caller
            .call(Method::POST, "PRODUCT/outbox")
            .header("mex-to", "COUNTERPART")
            .header("mex-workflowid", "W1");
        drop(response);
        let response = request
            .header("accept", accept)
            .header("mex-localid", "mine")
            .header("content-type", "text/csv")
            .body("hello")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let id = json_of(response).await[sent_as].as_str().unwrap().to_owned();

        let listed =
            caller.call(Method::GET, "COUNTERPART/inbox").header("accept", accept).send().await.unwrap();
        let listed = json_of(listed).await;
        assert_eq!(listed["messages"], json!([id]));
        assert_eq!(listed.get("links").is_some(), accept == V2);

        let path = format!("COUNTERPART/inbox/{id}");
        let download = caller.call(Method::GET, &path).header("accept", accept).send().await.unwrap();
        assert_eq!(download.status(), StatusCode::OK);
        let header = |name: &str| download.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("mex-from"), "PRODUCT");
        assert_eq!(header("mex-to"), "COUNTERPART");
        assert_eq!(header("mex-localid"), "mine");
        assert_eq!(header("mex-messageid"), id);
        assert_eq!(header("mex-messagetype"), "DATA");
        assert_eq!(header("mex-content-compressed"), "N");
        assert_eq!(header("mex-filename"), format!("{id}.dat"));
        assert_eq!(
            header("content-type"),
            if accept == V2 { "text/csv" } else { "application/octet-stream" }
        );
        assert_eq!(download.bytes().await.unwrap(), "hello");

        let ack = caller
            .call(Method::PUT, &format!("{path}/status/acknowledged"))
            .header("accept", accept)
            .send()
            .await
            .unwrap();
        assert_eq!(ack.status(), StatusCode::OK);
        let body = ack.bytes().await.unwrap();
        if acknowledged {
            assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({ "messageId": id }));
        } else {
            assert!(body.is_empty());
        }
        assert_eq!(caller.list("").await["messages"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_410_and_what_never_was_is_404() {
    let caller = Caller::new();
    let id = caller.send(b"hello").await;
    let path = format!("COUNTERPART/inbox/{id}");
    assert_eq!(status(caller.call(Method::GET, &format!("PRODUCT/inbox/{id}"))).await, 404);
    assert_eq!(status(caller.call(Method::HEAD, &path)).await, 200);
    assert_eq!(status(caller.call(Method::PUT, &format!("{path}/status/acknowledged"))).await, 200);
    assert_eq!(status(caller.call(Method::PUT, &format!("{path}/status/acknowledged"))).await, 200);
    assert_eq!(status(caller.call(Method::GET, &path)).await, 410);
    assert_eq!(status(caller.call(Method::HEAD, &path)).await, 410);
    let response =
        caller.call(Method::GET, "COUNTERPART/inbox/NONESUCH").header("accept", V2).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let body = json_of(response).await;
    assert_eq!((&body["message_id"], &body["detail"][0]["code"]), (&json!("NONESUCH"), &json!("20")));
    assert_eq!(status(caller.call(Method::PUT, "COUNTERPART/inbox/NONESUCH/status/acknowledged")).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_goes_in_and_comes_out_as_it_is_asked_for() {
    let caller = Caller::new();
    let plain = b"hello hello hello hello hello".repeat(1000);
    let wire = zipped(&plain);
    let send = caller.sending("COUNTERPART", wire.clone()).header("content-encoding", "gzip");
    let id = json_of(send.send().await.unwrap()).await["message_id"].as_str().unwrap().to_owned();
    let path = format!("COUNTERPART/inbox/{id}");
    let compressed = caller.call(Method::GET, &path).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert_eq!(compressed.headers()["mex-content-compressed"], "Y");
    assert_eq!(compressed.bytes().await.unwrap(), wire);
    for accept in ["identity", "gzip;q=0", "deflate"] {
        let plainly = caller.call(Method::GET, &path).header("accept-encoding", accept).send().await.unwrap();
        assert_eq!(plainly.headers().get("content-encoding"), None);
        assert_eq!(plainly.bytes().await.unwrap(), plain, "{accept}");
    }
    let broken = caller.sending("COUNTERPART", "not gzip").header("content-encoding", "gzip");
    assert_eq!(status(broken).await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refused_send_has_its_answer() {
    let caller = Caller::new();
    let response = caller.sending("NOBODY", "hello").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::EXPECTATION_FAILED);
    let body = json_of(response).await;
    assert_eq!(body["detail"][0], json!({ "event": "SEND", "code": "12", "msg": "Unregistered to address" }));
    assert!(body["message_id"].is_string());
    assert_eq!(status(caller.sending("COUNTERPART", "")).await, 417);
    assert_eq!(status(caller.sending("", "hello")).await, 400);
    assert_eq!(status(caller.sending("COUNTERPART", "hello").header("mex-from", "COUNTERPART")).await, 400);
    assert_eq!(
        status(caller.sending("COUNTERPART", "hello").header("mex-subject", "s".repeat(501))).await,
        400
    );
    assert_eq!(status(caller.sending("COUNTERPART", "hello").header("mex-chunk-range", "2:1")).await, 400);
    assert_eq!(status(caller.sending("COUNTERPART", vec![0; 100_000_001])).await, 413);
    assert_eq!(caller.list("").await["messages"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_arrives_whole() {
    let caller = Caller::new();
    let body: Vec<u8> = (0..20_000_000u32).map(|index| (index % 251) as u8).collect();
    let id = json_of(caller.sending("COUNTERPART", body.clone()).send().await.unwrap()).await["message_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let download = caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}")).send().await.unwrap();
    assert_eq!(download.headers()["content-length"], "20000000");
    assert!(download.bytes().await.unwrap() == body);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_by_their_links() {
    let caller = Caller::new();
    for _ in 0..25 {
        caller.send(b"x").await;
    }
    let mut link = "/messageexchange/COUNTERPART/inbox?max_results=10".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = caller.list(link.strip_prefix("/messageexchange/COUNTERPART/inbox").unwrap()).await;
        assert_eq!(page["approx_inbox_count"], 25);
        sizes.push(page["messages"].as_array().unwrap().len());
        match page["links"]["next"].as_str() {
            Some(next) => link = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    for bad in
        ["max_results=9", "max_results=x", "continue_from=short", "workflow_filter=A", "workflow_filter=*A"]
    {
        assert_eq!(status(caller.call(Method::GET, &format!("COUNTERPART/inbox?{bad}"))).await, 400, "{bad}");
    }
    let invented = "continue_from=aW52ZW50ZWQgYnkgc29tZWJvZHkgZWxzZQ%3D%3D";
    assert_eq!(status(caller.call(Method::GET, &format!("COUNTERPART/inbox?{invented}"))).await, 400);
    let count = caller.call(Method::GET, "COUNTERPART/count").header("accept", V2).send().await.unwrap();
    assert_eq!(json_of(count).await, json!({ "count": 25 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_api_is_404_and_ping_needs_no_token() {
    let caller = Caller::new();
    assert_eq!(status(caller.bare(Method::GET, "_ping")).await, 200);
    assert_eq!(status(caller.bare(Method::DELETE, "PRODUCT")).await, 404);
    assert_eq!(status(caller.bare(Method::GET, "PRODUCT/nonsense")).await, 404);
    assert_eq!(status(caller.bare(Method::GET, "product/inbox")).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_tls_versions_are_spoken_and_a_certificate_is_required() {
    let endpoint = Endpoint::start();
    let url = format!("{}/messageexchange/_ping", endpoint.url);
    for version in [&TLS12, &TLS13] {
        assert!(client(&endpoint, Some("PRODUCT"), &[version]).get(&url).send().await.is_ok());
        assert!(client(&endpoint, None, &[version]).get(&url).send().await.is_err());
    }
    let other = Endpoint::start();
    for name in ["PRODUCT.pem", "PRODUCT-key.pem"] {
        fs::copy(other.folder.path().join(name), endpoint.folder.path().join(name)).unwrap();
    }
    assert!(client(&endpoint, Some("PRODUCT"), &[&TLS12, &TLS13]).get(&url).send().await.is_err());
}
