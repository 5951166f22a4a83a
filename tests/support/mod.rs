//! What the black-box tests share: an endpoint, a configuration for it, and the program itself.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use mesh_witness::{
    emulator::{Arrangement, Clock, Emulator, Limits, Pki, Policy, Settings, Transport},
    protocol::{MailboxId, Password, SharedKey},
};
use serde_json::Value;
use tempfile::TempDir;

pub const PASSWORD: &str = "corr3ct-h0rse-battery";
pub const SHARED_KEY: &str = "stapl3-shared-k3y";

/// Our emulator over mutual TLS, in this process, with its certificates in a folder.
pub struct Endpoint {
    pub url: String,
    pub clock: Clock,
    pub folder: TempDir,
    /// Whose certificates it has, over TLS.
    pub pki: Option<Arc<Pki>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Endpoint {
    pub fn start() -> Self {
        Self::start_with(true, Arrangement::default())
    }

    pub fn start_plain() -> Self {
        Self::start_with(false, Arrangement::default())
    }

    /// Over mutual TLS, with more than an endpoint needs.
    pub fn start_arranged(arrangement: Arrangement) -> Self {
        Self::start_with(true, arrangement)
    }

    pub fn start_with(tls: bool, arrangement: Arrangement) -> Self {
        let folder = TempDir::new().unwrap();
        let mailboxes = ["PRODUCT", "COUNTERPART"].map(|id| MailboxId::parse(id).unwrap());
        let pki = tls.then(|| Arc::new(Pki::new().unwrap()));
        if let Some(pki) = &pki {
            pki.write_to(folder.path(), &mailboxes).unwrap();
        }
        let transport = pki.clone().map_or(Transport::Plain, Transport::MutualTls);
        let clock = Clock::new();
        let settings = Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            transport,
            shared_key: SharedKey::new(SHARED_KEY),
            mailboxes: mailboxes.map(|id| (id, Password::new(PASSWORD))).to_vec(),
            policy: Policy::default(),
            limits: Limits::default(),
            clock: clock.clone(),
            watcher: None,
        };
        // In a thread of its own, since tests are partly asynchronous themselves.
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (started, ready) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let emulator = Emulator::start_arranged(settings, arrangement).await.unwrap();
                started.send(emulator.url()).unwrap();
                let _ = stopped.await;
                emulator.stop().await;
            });
        });
        let url = ready.recv().unwrap();
        Self { url, clock, folder, pki, stop: Some(stop), thread: Some(thread) }
    }

    pub fn move_clock(&self, delta: TimeDelta) {
        self.clock.move_by(delta).unwrap();
    }

    /// The configuration of this endpoint, to be changed by a test.
    pub fn config(&self) -> Config {
        let tls = self.url.starts_with("https");
        let mut config = Config::new(&self.url, self.folder.path());
        if tls {
            config.set("ca_file", "ca.pem");
            config.set("client_certificate_file", "PRODUCT.pem");
            config.set("client_key_file", "PRODUCT-key.pem");
        }
        config
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A configuration file in the making.
pub struct Config {
    folder: PathBuf,
    endpoint: BTreeMap<&'static str, String>,
    pub product_password: String,
    pub counterpart_password: String,
    pub product_name: String,
    pub response_seconds: u32,
}

impl Config {
    pub fn new(url: &str, folder: &Path) -> Self {
        let endpoint = BTreeMap::from([("url", url.to_owned()), ("shared_key", SHARED_KEY.to_owned())]);
        Self {
            folder: folder.to_owned(),
            endpoint,
            product_password: PASSWORD.to_owned(),
            counterpart_password: PASSWORD.to_owned(),
            product_name: "Example Product".to_owned(),
            response_seconds: 20,
        }
    }

    pub fn set(&mut self, key: &'static str, value: &str) {
        self.endpoint.insert(key, value.to_owned());
    }

    pub fn unset(&mut self, key: &'static str) {
        self.endpoint.remove(key);
    }

    /// Writes the file and says where.
    pub fn write(&self) -> PathBuf {
        let mut text = "environment: test endpoint\nendpoint:\n".to_owned();
        for (key, value) in &self.endpoint {
            text.push_str(&format!("  {key}: \"{value}\"\n"));
        }
        let Self { product_password, counterpart_password, product_name, response_seconds, .. } = self;
        text.push_str(&format!(
            "mailboxes:\n  product: {{id: PRODUCT, password: \"{product_password}\"}}\n  \
             counterpart: {{id: COUNTERPART, password: \"{counterpart_password}\"}}\n\
             workflow_id: TEST_WORKFLOW\n\
             product: {{name: \"{product_name}\", version: \"1.2.3\", driver: reference}}\n\
             supplier: {{name: Example Supplier}}\n\
             timeouts: {{connect_seconds: 3, response_seconds: {response_seconds}, delivery_seconds: 5, transfer_seconds: 30}}\n"
        ));
        let path = self.folder.join("mesh-witness.yaml");
        fs::write(&path, text).unwrap();
        path
    }
}

/// What the program did.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mesh-witness"));
    command.stdin(Stdio::null()).env_remove("MESH_SHARED_KEY");
    command
}

pub fn witness(arguments: &[&str]) -> Outcome {
    program().args(arguments).output().unwrap().into()
}

/// Plays against a configuration; what was said, and the bundle, which takes the place of the last one.
pub fn play(config: &Config, more: &[&str]) -> (Outcome, Bundle) {
    let path = config.folder.join("bundle.zip");
    let _ = fs::remove_file(&path);
    let file = config.write();
    let mut arguments = vec!["run", "--config", file.to_str().unwrap(), "--bundle", path.to_str().unwrap()];
    arguments.extend(more);
    let outcome = witness(&arguments);
    assert!(path.exists(), "there is a bundle whatever happened: {outcome:?}");
    (outcome, Bundle::open(&path))
}

/// A bundle, read.
pub struct Bundle {
    pub path: PathBuf,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    pub fn open(path: &Path) -> Self {
        let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
        let mut files = BTreeMap::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).unwrap();
            let name = entry.name().unwrap().into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(name, content);
        }
        Self { path: path.to_owned(), files }
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.files[name].clone()).unwrap()
    }

    pub fn summary(&self) -> Value {
        serde_json::from_slice(&self.files["data/summary.json"]).unwrap()
    }

    /// Each case and its outcome.
    pub fn outcomes(&self) -> Vec<(String, String)> {
        let summary = self.summary();
        let cases = summary["cases"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        cases.iter().map(|case| (text(&case["id"]), text(&case["outcome"]))).collect()
    }

    /// The first fault that the summary names.
    pub fn fault(&self) -> Value {
        let summary = self.summary();
        let cases = summary["cases"].as_array().unwrap();
        cases.iter().map(|case| case["fault"].clone()).find(|fault| !fault.is_null()).unwrap()
    }

    /// No file holds the text.
    pub fn assert_lacks(&self, secret: &str) {
        for (name, content) in &self.files {
            let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret:?} is in {name}");
        }
    }
}

/// A server that answers every connection in its own way. Stops taking connections when dropped.
pub struct Server {
    pub url: String,
}

impl Server {
    pub fn start(answer: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                thread::spawn(move || answer(stream));
            }
        });
        Self { url }
    }

    /// Answers every request with these bytes.
    pub fn answering(response: Vec<u8>) -> Self {
        Self::start(move |mut stream| {
            let mut buffer = [0; 65536];
            while let Ok(count) = stream.read(&mut buffer) {
                if count == 0 || stream.write_all(&response).is_err() {
                    break;
                }
            }
        })
    }

    /// Takes requests and never answers.
    pub fn silent() -> Self {
        Self::start(|mut stream| {
            let mut buffer = [0; 65536];
            while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
        })
    }
}

/// Calls an admin route of an emulator without TLS; its answer.
pub fn admin(url: &str, method: &str, path: &str, body: &Value) -> Value {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let (path, body) = (format!("/messageexchange/admin/{path}"), body.to_string());
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Waits until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
