//! The program in front of our emulator, over mutual TLS on both legs.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use mesh_witness::tape::{
    HashCheck, HostRule, Mark, TAPE_FILE, TapeLimits, TapeRecording, Vantage, read_tape,
};

use super::support::{Bundle, Config, Endpoint, Outcome, PASSWORD, SHARED_KEY, Server, play, program};

/// `record`, running.
pub struct Recorder {
    child: Child,
    pub url: String,
    pub port: u16,
    pub folder: tempfile::TempDir,
    lines: mpsc::Receiver<String>,
}

impl Recorder {
    pub fn start(config: &Path, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program();
        command.args(["record", "--listen", "127.0.0.1:0", "--config"]).arg(config);
        command.arg("--tape").arg(folder.path().join("tape")).args(more);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let first = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        let url = first.strip_prefix("listening on ").unwrap().to_owned();
        let port = url.rsplit_once(':').unwrap().1.parse().unwrap();
        Self { child, url, port, folder, lines }
    }

    pub fn pki(&self, file: &str) -> PathBuf {
        self.folder.path().join("pki").join(file)
    }

    /// Ends it as a service manager does; what it said after the first line, and the tape.
    pub fn stop(self) -> (String, TapeRecording, Vec<u8>) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Vec<String> = self.lines.iter().collect();
        let tape = self.folder.path().join("tape");
        let read = read_tape(&tape, &TapeLimits::default()).unwrap();
        (said.join("\n"), read, std::fs::read(tape.join(TAPE_FILE)).unwrap())
    }
}

/// The endpoint's configuration, but with the product calling the proxy.
fn through(endpoint: &Endpoint, recorder: &Recorder) -> Config {
    let mut config = Config::new(&format!("https://localhost:{}", recorder.port), endpoint.folder.path());
    config.set("ca_file", recorder.pki("ca.pem").to_str().unwrap());
    config.set("client_certificate_file", recorder.pki("product.pem").to_str().unwrap());
    config.set("client_key_file", recorder.pki("product-key.pem").to_str().unwrap());
    config
}

fn outcomes(bundle: &Bundle) -> Vec<(String, String)> {
    bundle.outcomes()
}

/// Nobody mends a full disk by calling us otherwise.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_at_the_start_is_the_environments_fault() {
    if !Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success()) {
        return println!("not tried: no file system may be mounted here");
    }
    let endpoint = Endpoint::start();
    let config = endpoint.config().write();
    let disk = tempfile::TempDir::new().unwrap();
    let script = r#"mount -t tmpfs -o size=4k none "$1" && echo > "$1/ballast" && exec "$0" record --listen 127.0.0.1:0 --config "$2" --tape "$1/tape" --pki "$1/pki""#;
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_mesh-witness")]);
    let outcome = Outcome::from(command.arg(disk.path()).arg(config).output().unwrap());
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("make room on its disk"), "{outcome:?}");
}

#[test]
fn a_run_through_the_proxy_comes_out_as_one_without() {
    // Without the cases that are long at a configured endpoint.
    let tags = ["--tags", "not (@case-501 or @case-502 or @case-601)"];
    let endpoint = Endpoint::start();
    let direct = play(&endpoint.config(), &tags);
    let config = endpoint.config();
    let recorder = Recorder::start(&config.write(), &[]);
    let (outcome, bundle) = play(&through(&endpoint, &recorder), &tags);
    let called: usize = bundle.text("data/run/exchanges.har").matches("\"startedDateTime\"").count();
    let (said, tape, raw) = recorder.stop();
    assert_eq!(outcome.code, direct.0.code, "{outcome:?}");
    assert_eq!(outcomes(&bundle), outcomes(&direct.1));
    assert_eq!(tape.exchanges.len(), called, "every call is on the tape: {said}");
    for (_, exchange) in &tape.exchanges {
        assert_eq!((exchange.vantage, &exchange.failure), (Vantage::Proxy, &None));
        let relay = exchange.relay.as_ref().unwrap();
        let product = relay.product_tls.as_ref().unwrap();
        let subject = &product.client_certificate.as_ref().unwrap().subject;
        assert_eq!(subject, "CN=product.pro.api.mesh-client.nhs.uk");
        assert!(product.client_certificate.as_ref().unwrap().issuer.contains("recording CA"));
        let endpoint = exchange.tls.as_ref().unwrap();
        assert_eq!((endpoint.version.as_str(), product.version.as_str()), ("TLSv1.3", "TLSv1.3"));
        assert!(endpoint.server_certificate.as_ref().unwrap().issuer.contains("emulator CA"));
        let times = relay.times;
        assert!(times.own_us().is_some() && times.response_out_us >= times.response_came_us, "{times:?}");
    }
    let tokens = tape.exchanges.iter().filter_map(|(_, exchange)| exchange.token.as_ref());
    assert!(tokens.clone().count() > 0 && tokens.clone().all(|token| token.hash == HashCheck::Matches));
    assert!(said.contains("mesh-witness judge") && said.contains("handshake"), "{said}");
    for secret in [PASSWORD, SHARED_KEY] {
        assert!(!String::from_utf8_lossy(&raw).contains(secret));
    }
    assert!(tape.cut_short.is_empty() && tape.torn.is_empty());
    let Some((_, Mark::End(end))) = tape.marks.last() else { panic!("{:?}", tape.marks) };
    assert_eq!((end.exchanges, end.broken_off), (tape.exchanges.len() as u64, 0));
    assert!(end.reason.contains("SIGTERM"));
}

#[test]
fn what_the_product_and_the_endpoint_present_is_on_the_tape() {
    let endpoint = Endpoint::start();
    let recorder = Recorder::start(&endpoint.config().write(), &["--edit-host"]);
    play(&through(&endpoint, &recorder), &["--tags", "@case-201"]);
    let (said, tape, _) = recorder.stop();
    let Some((_, Mark::Recording(facts))) = tape.marks.first() else { panic!("{:?}", tape.marks) };
    assert_eq!((&facts.endpoint, facts.product_certificate_required), (&endpoint.url, true));
    assert!(matches!(&facts.host, HostRule::ReplacedBy(host) if endpoint.url.ends_with(host.as_str())));
    assert!(said.contains("The Host header is replaced by"), "{said}");
    let connections: Vec<_> = tape
        .marks
        .iter()
        .filter_map(|(_, mark)| if let Mark::Connection(facts) = mark { Some(facts) } else { None })
        .collect();
    assert!(!connections.is_empty());
    for facts in connections {
        let leg = facts.endpoint.as_ref().unwrap();
        assert!(
            leg.connect_us.is_some() && leg.handshake_us.is_some() && facts.product.handshake_us.is_some()
        );
        assert_eq!(facts.product.server_name.as_deref(), Some("localhost"));
        assert_eq!((facts.product.chain.len(), leg.chain.len(), &facts.failure), (1, 1, &None));
    }
    let exchange = &tape.exchanges[0].1;
    assert!(exchange.request.head.header("host").unwrap().starts_with("localhost:"));
}

#[test]
fn a_recording_that_is_killed_is_cut_short() {
    let endpoint = Endpoint::start();
    let mut recorder = Recorder::start(&endpoint.config().write(), &[]);
    play(&through(&endpoint, &recorder), &["--tags", "@case-201"]);
    recorder.child.kill().unwrap();
    recorder.child.wait().unwrap();
    let tape = recorder.folder.path().join("tape");
    let read = read_tape(&tape, &TapeLimits::default()).unwrap();
    assert_eq!(read.cut_short.len(), 1);
    // The next recording goes on behind it, and does not hide that.
    let again = program()
        .args(["record", "--listen", "127.0.0.1:0", "--tape", tape.to_str().unwrap(), "--config"])
        .arg(endpoint.folder.path().join("mesh-witness.yaml"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut again = again;
    let mut line = String::new();
    BufReader::new(again.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Command::new("kill").args(["-TERM", &again.id().to_string()]).status().unwrap();
    again.wait().unwrap();
    let read = read_tape(&tape, &TapeLimits::default()).unwrap();
    assert_eq!((read.cut_short.len(), read.exchanges.is_empty()), (1, false));
}

#[test]
fn an_endpoint_that_refuses_the_certificate_is_named_and_not_answered_for() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.unset("client_certificate_file");
    config.unset("client_key_file");
    let recorder = Recorder::start(&config.write(), &[]);
    let (outcome, bundle) = play(&through(&endpoint, &recorder), &["--tags", "@case-201"]);
    let (_, tape, _) = recorder.stop();
    assert_ne!(outcome.code, Some(0));
    assert!(!bundle.text("data/run/exchanges.har").contains("\"status\": 5"));
    let exchange = &tape.exchanges[0].1;
    assert!(exchange.response.is_none());
    let failure = exchange.failure.as_ref().unwrap();
    assert_eq!(failure.kind, mesh_witness::tape::FailureKind::ClientCertificateRequired, "{failure:?}");
}

#[test]
fn a_product_without_a_certificate_is_not_let_in_and_that_is_on_the_tape() {
    let endpoint = Endpoint::start();
    let recorder = Recorder::start(&endpoint.config().write(), &[]);
    let mut config = through(&endpoint, &recorder);
    config.unset("client_certificate_file");
    config.unset("client_key_file");
    let (outcome, _) = play(&config, &["--tags", "@case-201"]);
    let (said, tape, _) = recorder.stop();
    assert_ne!(outcome.code, Some(0));
    assert!(tape.exchanges.is_empty() && said.contains("presented no client certificate"), "{said}");
    let failures: Vec<_> = tape
        .marks
        .iter()
        .filter_map(|(_, mark)| if let Mark::Connection(facts) = mark { facts.failure.clone() } else { None })
        .collect();
    assert!(failures.iter().any(|failure| failure.detail.contains("no client certificate")), "{failures:?}");
}

#[test]
fn a_product_without_tls_can_be_received_on_loopback() {
    let server = Server::answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(&server.url, folder.path()).write();
    let recorder = Recorder::start(&config, &["--plain-http"]);
    let (outcome, _) = play(&Config::new(&recorder.url, folder.path()), &["--tags", "@case-201"]);
    let (_, tape, _) = recorder.stop();
    assert_ne!(outcome.code, Some(0));
    assert_eq!(tape.exchanges[0].1.status(), Some(404));
}

#[test]
fn the_endpoint_is_found_where_connect_to_says_and_checked_by_its_name() {
    let endpoint = Endpoint::start();
    let address = endpoint.url.strip_prefix("https://").unwrap().to_owned();
    let mut config = endpoint.config();
    // A name for documentation, which nobody can look up (RFC 2606), and which is not in the certificate.
    config.set("url", "https://mesh.example");
    let recorder = Recorder::start(&config.write(), &["--connect-to", &address]);
    play(&through(&endpoint, &recorder), &["--tags", "@case-201"]);
    let (_, tape, _) = recorder.stop();
    let exchange = &tape.exchanges[0].1;
    let failure = exchange.failure.as_ref().unwrap();
    assert_eq!(failure.kind, mesh_witness::tape::FailureKind::BadServerCertificate, "{failure:?}");
    assert_eq!(exchange.origin, "https://mesh.example");
}
