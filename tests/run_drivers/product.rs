//! A product for these tests: this very test program, called once for each action as the command driver
//! calls a product. It does as it should, but for quirks that its arguments name. An argument `NAME=VALUE` stands in
//! for the variable that it is told.

use std::{env, fs, path::Path, time::Duration};

use chrono::Utc;
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use reqwest::{Certificate, Client, Identity, Method, Response, StatusCode};
use serde_json::Value;
use uuid::Uuid;

/// The driver of this product, in the configuration's words.
pub fn driver(quirks: &[&str]) -> String {
    let program = env::current_exe().unwrap();
    let quirks: String = quirks.iter().map(|quirk| format!(", \"{quirk}\"")).collect();
    format!(
        "{{command: [\"{}\", \"--exact\", \"--ignored\", \"--nocapture\", \"product::acts\"{quirks}], timeout: 5m}}",
        program.display()
    )
}

const ABOUT: [(&str, &str); 4] = [
    ("Mex-ClientVersion", "test==1"),
    ("Mex-OSName", "any"),
    ("Mex-OSVersion", "1"),
    ("Mex-OSArchitecture", "any"),
];

fn told(name: &str) -> String {
    if let Some(value) = argument(name) {
        return value;
    }
    env::var(name).unwrap_or_else(|_| panic!("{name} is not told"))
}

fn argument(name: &str) -> Option<String> {
    env::args().find_map(|argument| Some(argument.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

fn has(quirk: &str) -> bool {
    env::args().any(|argument| argument == quirk)
}

/// Not a test by itself: the product's program.
#[test]
#[ignore = "is the product, which the tests call"]
fn acts() {
    let action = env::args().next_back().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut mailbox = Mailbox::new();
        match action.as_str() {
            "handshake" => mailbox.demand(Method::POST, "", Vec::new(), &ABOUT, 200).await.map(drop),
            "send" => mailbox.send().await,
            "receive" => mailbox.receive().await,
            other => panic!("no action {other}"),
        }
        .unwrap();
    });
    if let Some(process) = argument("KILLS") {
        // Gone already, or gone now.
        let _ = std::process::Command::new("kill").args(["-KILL", &process]).status();
    }
    assert!(!has("always-fails"), "as it was told");
}

struct Mailbox {
    client: Client,
    count: u32,
    nonce: Uuid,
    credentials: Credentials,
}

impl Mailbox {
    fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let pem = |name: &str| fs::read(told(name)).unwrap();
        let identity = [pem("MESH_CLIENT_CERT"), pem("MESH_CLIENT_KEY")].concat();
        let client = Client::builder()
            .tls_certs_only([Certificate::from_pem(&pem("MESH_CA_FILE")).unwrap()])
            .identity(Identity::from_pem(&identity).unwrap())
            .no_proxy()
            .timeout(Duration::from_secs(if has("gives-up") { 1 } else { 600 }))
            .build()
            .unwrap();
        let credentials = Credentials {
            mailbox: MailboxId::parse(&told("MESH_MAILBOX_ID")).unwrap(),
            password: Password::new(told("MESH_MAILBOX_PASSWORD")),
            shared_key: SharedKey::new(told("MESH_SHARED_KEY")),
        };
        Self { client, count: 0, nonce: Uuid::new_v4(), credentials }
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Response {
        let token = Token::build(&self.credentials, self.nonce, NonceCount::new(self.count), Utc::now());
        self.count += 1;
        let url = format!("{}/messageexchange/{}{path}", told("MESH_URL"), self.credentials.mailbox);
        let mut request = self.client.request(method, url).header("Authorization", token.to_string());
        request = request.header("Accept", "application/vnd.mesh.v2+json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await.unwrap()
    }

    async fn demand(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
        expected: u16,
    ) -> Result<Vec<u8>, String> {
        let response = self.call(method, path, body, headers).await;
        match response.status().as_u16() {
            status if status == expected || has("takes-no-for-yes") => {
                Ok(response.bytes().await.unwrap().to_vec())
            }
            status => Err(format!("{path}: {status}")),
        }
    }

    async fn send(&mut self) -> Result<(), String> {
        let payload = fs::read(told("MESH_PAYLOAD_FILE")).unwrap();
        let size = told("MESH_CHUNK_SIZE").parse().unwrap_or(payload.len());
        let compress = told("MESH_COMPRESS") == "yes";
        let parts: Vec<Vec<u8>> =
            payload.chunks(size).map(|part| if compress { gzip(part) } else { part.to_vec() }).collect();
        let mut common = vec![("Content-Type", "application/octet-stream")];
        if compress {
            common.extend([("Content-Encoding", "gzip"), ("Mex-Content-Compressed", "Y")]);
        }
        let (me, to) = (told("MESH_MAILBOX_ID"), told("MESH_RECIPIENT_ID"));
        let (workflow, local_id) = (told("MESH_WORKFLOW_ID"), told("MESH_LOCAL_ID"));
        let range = format!("1:{}", parts.len());
        let mut first = common.clone();
        first.extend([
            ("Mex-From", &*me),
            ("Mex-To", &to),
            ("Mex-WorkflowID", &workflow),
            ("Mex-LocalID", &local_id),
        ]);
        if parts.len() > 1 {
            first.push(("Mex-Chunk-Range", &range));
        }
        if has("sends-twice") {
            self.demand(Method::POST, "/outbox", parts[0].clone(), &first, 202).await?;
        }
        let answer = self.demand(Method::POST, "/outbox", parts[0].clone(), &first, 202).await?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let message = answer["message_id"].as_str().unwrap_or("none").to_owned();
        for (number, part) in (2..).zip(&parts[1..]) {
            let range = format!("{number}:{}", parts.len());
            let mut headers = common.clone();
            headers.push(("Mex-Chunk-Range", &range));
            self.demand(Method::POST, &format!("/outbox/{message}/{number}"), part.clone(), &headers, 202)
                .await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<(), String> {
        let mut seen = Vec::new();
        loop {
            let listed = self.demand(Method::GET, "/inbox", Vec::new(), &[], 200).await?;
            let listed: Value = serde_json::from_slice(&listed).unwrap_or_default();
            let listed = listed["messages"].as_array().cloned().unwrap_or_default();
            let fresh: Vec<String> = listed.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
            let fresh: Vec<String> = fresh.into_iter().filter(|id| !seen.contains(id)).collect();
            if fresh.is_empty() {
                return Ok(());
            }
            for message in fresh {
                self.take(&message).await?;
                seen.push(message);
            }
        }
    }

    async fn take(&mut self, message: &str) -> Result<(), String> {
        let gzip: &[(&str, &str)] =
            if told("MESH_COMPRESS") == "yes" { &[("Accept-Encoding", "gzip")] } else { &[] };
        let mut content = Vec::new();
        let mut response = self.call(Method::GET, &format!("/inbox/{message}"), Vec::new(), gzip).await;
        if has("downloads-twice") {
            response = self.call(Method::GET, &format!("/inbox/{message}"), Vec::new(), gzip).await;
        }
        for number in 2.. {
            let status = response.status();
            if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
                return Ok(());
            }
            let packed =
                response.headers().get("Content-Encoding").is_some_and(|encoding| encoding == "gzip");
            let part = response.bytes().await.unwrap();
            content.extend(if packed { gunzip(&part) } else { part.to_vec() });
            match status.as_u16() {
                200 => break,
                206 => {}
                other => return Err(format!("download: {other}")),
            }
            response = self.call(Method::GET, &format!("/inbox/{message}/{number}"), Vec::new(), gzip).await;
        }
        if has("keeps-text") {
            content = String::from_utf8_lossy(&content).into_owned().into_bytes();
        }
        if !has("keeps-nothing") {
            fs::write(Path::new(&told("MESH_OUTPUT_DIR")).join(message), content).unwrap();
        }
        let path = format!("/inbox/{message}/status/acknowledged");
        self.demand(Method::PUT, &path, Vec::new(), &[], 200).await.map(drop)
    }
}

fn gzip(part: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(part).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(part: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(part).read_to_end(&mut content).unwrap();
    content
}
