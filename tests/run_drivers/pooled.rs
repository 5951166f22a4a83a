//! A product that runs already, and keeps its connections and its sessions of TLS: whoever looked at the
//! endpoint's certificate once would not look again by itself.

use std::{
    fs,
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};

use chrono::Utc;
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use reqwest::{Certificate, Client, Identity, Method, redirect::Policy};
use serde_json::Value;
use uuid::Uuid;

use crate::{Rig, support::Server, webhook::request};

const PASSWORD: &str = "a-pass-phrase-of-it";
const KEY: &str = "th1s-is-a-key-of-its";

/// What it does when it is asked, with the one client that it has.
async fn act(client: &Client, told: &Value) -> Result<(), String> {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let credentials = Credentials {
        mailbox: MailboxId::parse(&text("mailbox_id")).unwrap(),
        password: Password::new(PASSWORD),
        shared_key: SharedKey::new(KEY),
    };
    let (method, path, expected) = match told["action"].as_str().unwrap() {
        "handshake" => (Method::POST, "", 200),
        "send" => (Method::POST, "/outbox", 202),
        other => panic!("no action {other}"),
    };
    let token = Token::build(&credentials, Uuid::new_v4(), NonceCount::new(0), Utc::now());
    let url = format!("{}/messageexchange/{}{path}", text("url"), credentials.mailbox);
    let mut call = client.request(method, url).header("Authorization", token.to_string());
    call = call.header("Accept", "application/vnd.mesh.v2+json");
    if path.is_empty() {
        for name in ["Mex-ClientVersion", "Mex-OSName", "Mex-OSVersion"] {
            call = call.header(name, "x");
        }
    } else {
        let headers = [
            ("Mex-From", text("mailbox_id")),
            ("Mex-To", text("recipient_id")),
            ("Mex-WorkflowID", text("workflow_id")),
            ("Mex-LocalID", text("local_id")),
            ("Content-Type", "application/octet-stream".to_owned()),
        ];
        call = headers.iter().fold(call, |call, (name, value)| call.header(*name, value));
        call = call.body(fs::read(text("payload_file")).unwrap());
    }
    let answer = call.send().await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    // To its end, so that the connection is used again.
    answer.bytes().await.map_err(|error| error.to_string())?;
    if status == expected { Ok(()) } else { Err(status.to_string()) }
}

/// Plays what is about sends and trust, and gives each scenario's outcome and fault.
fn played(trusts_anybody: bool) -> Vec<(String, String)> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let own = Arc::new((runtime, OnceLock::new(), Mutex::new(())));
    let hook = Server::start(move |mut stream| {
        let (runtime, client, one_at_a_time) = &*own;
        let heard = request(&mut stream);
        let told: Value = serde_json::from_str(heard.split_once("\r\n\r\n").unwrap().1).unwrap();
        let client = client.get_or_init(|| {
            let pem = |name: &str| fs::read(told[name].as_str().unwrap()).unwrap();
            let identity = Identity::from_pem(&[pem("client_cert"), pem("client_key")].concat()).unwrap();
            let client = Client::builder().identity(identity).no_proxy().redirect(Policy::none());
            let client = client.tls_certs_only([Certificate::from_pem(&pem("ca_file")).unwrap()]);
            client.tls_danger_accept_invalid_certs(trusts_anybody).build().unwrap()
        });
        let _turn = one_at_a_time.lock();
        let (status, said) = match runtime.block_on(act(client, &told)) {
            Ok(()) => ("200 OK", String::new()),
            Err(why) => ("500 Failed", why),
        };
        let length = said.len();
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{said}"
        );
    });
    let rig = Rig::empty();
    let lines = format!(
        "emulator: {{shared_key: {KEY}}}\nmailboxes:\n  product: {{id: X26ABC1, password: {PASSWORD}}}\n  \
         counterpart: {{id: X26ABC2, password: another-pass-phrase}}\n"
    );
    let tags = "(@req-TRUST-05 or @req-REDIRECT-01) and @req-SEND-04";
    let driver = format!("{{webhook: {{url: \"{}/hook\", timeout: 60s}}}}", hook.url);
    let outcome = rig.play_with(&driver, &lines, &["--pack", "product", "--tags", tags]);
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    let cases = rig.read().summary()["cases"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    cases.iter().map(|case| (text(&case["outcome"]), text(&case["fault"]["what"]))).collect()
}

#[test]
fn one_that_looks_passes_and_one_that_does_not_cannot_hide_behind_a_kept_connection() {
    let outcomes = played(false);
    assert_eq!(outcomes.len(), 8);
    assert!(outcomes.iter().all(|(outcome, _)| outcome == "passed"), "{outcomes:#?}");
    let (trust, redirects): (Vec<_>, Vec<_>) =
        played(true).into_iter().partition(|(outcome, _)| outcome == "failed");
    assert_eq!((trust.len(), redirects.len()), (6, 2), "{trust:#?} {redirects:#?}");
    for (_, what) in trust {
        let is_told = what.starts_with("the product trusted a certificate ");
        assert!(is_told && what.contains("its token and 4096 bytes of content"), "{what}");
    }
}
