//! A product that is driven at a configured endpoint: an emulator that stands alone, of which the run knows no more
//! than of a real one.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use mesh_witness::{
    emulator::Pki,
    protocol::MailboxId,
    tape::{TapeLimits, read_tape},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    Rig, acting,
    support::{Bundle, Outcome, Server, eventually, program, witness},
    the_file,
    webhook::request,
};

const SECRETS: [&str; 3] = ["pr0duct-pass-phrase", "c0unterpart-pass-phrase", "sh4red-key-of-it"];

/// `emulate`, as anybody starts it, and a folder for the product's configuration.
struct Standalone {
    rig: Rig,
    child: Child,
    url: String,
}

impl Standalone {
    fn start() -> Self {
        let rig = Rig::empty();
        let mut command = program();
        command.args(["emulate", "--listen", "127.0.0.1:0", "--shared-key", SECRETS[2]]);
        command.arg("--pki").arg(rig.folder.path().join("endpoint"));
        command.arg("--tape").arg(rig.folder.path().join("tape"));
        for (id, password) in [("X26ABC1", SECRETS[0]), ("X26ABC2", SECRETS[1]), ("X26ABC3", "d0rmant-one")] {
            command.args(["--mailbox", &format!("{id}:{password}")]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url =
            lines.find_map(|line| Some(line.unwrap().strip_prefix("listening on ")?.to_owned())).unwrap();
        // What it says further must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { rig, child, url: url.replace("127.0.0.1", "localhost") }
    }

    fn config(&self, driver: &str, more: &str) -> PathBuf {
        let [product, counterpart, key] = SECRETS;
        let text = format!(
            "environment: standalone\nendpoint:\n  url: {}\n  ca_file: endpoint/ca.pem\n  shared_key: {key}\n\
             mailboxes:\n  \
             product: {{id: X26ABC1, password: {product}, client_certificate_file: endpoint/X26ABC1.pem, client_key_file: endpoint/X26ABC1-key.pem}}\n  \
             counterpart: {{id: X26ABC2, password: {counterpart}, client_certificate_file: endpoint/X26ABC2.pem, client_key_file: endpoint/X26ABC2-key.pem}}\n  \
             dormant: {{id: X26ABC3}}\nworkflow_id: TEST_WORKFLOW\n\
             product: {{name: Example Product, version: \"1\", driver: {driver}}}\nsupplier: {{name: Example Supplier}}\n\
             timeouts: {{connect_seconds: 3, delivery_seconds: 3}}\n\
             chunking: {{message_bytes: 2500000, chunk_bytes: 1000000}}\n{more}",
            self.url
        );
        self.rig.file("mesh-witness.yaml", &text, 0o600)
    }

    fn command(&self, driver: &str, more: &str, tags: &str) -> Command {
        let mut command = program();
        command.args(["run", "--tags", tags, "--config"]).arg(self.config(driver, more));
        let _ = std::fs::remove_file(self.rig.bundle());
        command.arg("--bundle").arg(self.rig.bundle());
        command
    }

    fn play(&self, driver: &str, more: &str, tags: &str) -> (Outcome, Bundle) {
        let outcome = Outcome::from(self.command(driver, more, tags).output().unwrap());
        assert!(self.rig.bundle().exists(), "{outcome:?}");
        let bundle = self.rig.read();
        for secret in SECRETS {
            bundle.assert_lacks(secret);
            assert!(!format!("{outcome:?}").contains(secret));
        }
        let verified = witness(&["verify", self.rig.bundle().to_str().unwrap()]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
        (outcome, bundle)
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the endpoint itself has seen: method, target and `Host` of each call.
    fn seen(mut self) -> Vec<(String, String)> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let tape = read_tape(&self.rig.folder.path().join("tape"), &TapeLimits::default()).unwrap();
        let heads = tape.exchanges.iter().map(|(_, exchange)| &exchange.request.head);
        heads.map(|head| (head.target.clone(), head.header("host").unwrap_or_default().to_owned())).collect()
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn entries(bundle: &Bundle) -> Vec<Value> {
    let har: Value = serde_json::from_slice(&bundle.files["data/run/exchanges.har"]).unwrap();
    har["log"]["entries"].as_array().unwrap().clone()
}

fn header<'a>(entry: &'a Value, name: &str) -> &'a str {
    let headers = entry["request"]["headers"].as_array().unwrap();
    let named = headers.iter().find(|header| header["name"].as_str().unwrap().eq_ignore_ascii_case(name));
    named.and_then(|header| header["value"].as_str()).unwrap_or_default()
}

/// The certificates of the product's leg, of the proxy's and of the counterpart's, each where it was presented.
fn both_legs_of_tls(bundle: &Bundle) {
    let facts: Value = serde_json::from_slice(&bundle.files["data/tls/facts.json"]).unwrap();
    let all = |name: &str| facts[name].as_array().unwrap().clone();
    let issuer = |side: &str, number: &Value| {
        let chain =
            all("chains").into_iter().find(|one| one["side"] == side && one["number"] == *number).unwrap();
        assert!(
            bundle.text(&format!("data/{}", chain["file"].as_str().unwrap())).starts_with("-----BEGIN CERT")
        );
        chain["certificates"][0]["issuer"].as_str().unwrap().to_owned()
    };
    let legs = all("connections").into_iter().map(|one| {
        let client = issuer("client", &one["client_chains"][0]);
        let [leg, seen_by] = ["leg", "seen_by"].map(|name| one[name].as_str().unwrap().to_owned());
        (leg, seen_by, issuer("server", &one["server_chain"]), client)
    });
    let legs: std::collections::BTreeSet<_> = legs.collect();
    let own = |leg: &str, seen_by: &str, authority: &str| {
        (leg.to_owned(), seen_by.to_owned(), authority.to_owned(), authority.to_owned())
    };
    let (emulator, recording) = ("CN=mesh-witness emulator CA", "CN=mesh-witness recording CA");
    let expected = [
        own("from_product", "proxy", recording),
        own("to_endpoint", "client", emulator),
        own("to_endpoint", "proxy", emulator),
    ];
    assert_eq!(legs, expected.into());
}

#[test]
fn the_whole_pack_is_played_but_for_what_only_an_endpoint_of_our_own_can_show() {
    let endpoint = Standalone::start();
    let (outcome, bundle) = endpoint.play(&acting::driver(&[]), "", "not @none");
    assert_eq!(outcome.code, Some(3), "not everything was run: {outcome:?}");
    let summary = bundle.summary();
    let told = |case: &Value| {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        (text("id"), text("outcome"), text("reason"))
    };
    let cases: Vec<_> = summary["cases"].as_array().unwrap().iter().map(told).collect();
    let expected = [
        ("201", "passed", ""),
        ("202", "passed", ""),
        ("401", "passed", ""),
        ("402", "passed", ""),
        ("501", "passed", ""),
        ("502", "passed", ""),
        ("601", "passed", ""),
        ("701", "not run", "somebody at NHS England has to disable the mailbox"),
        ("702", "passed", ""),
        ("703", "not run", "come back after"),
        ("704", "not run", "only an endpoint of our own"),
        ("705", "not run", "only an endpoint of our own"),
        ("705", "not applicable", "time cannot be moved at this endpoint"),
        ("801", "not run", "nobody has attested it"),
        ("802", "not run", "nobody has attested it"),
        ("803", "not run", "nobody has attested it"),
    ];
    assert_eq!(cases.len(), expected.len(), "{cases:#?}");
    for (case, (id, outcome, reason)) in cases.iter().zip(expected) {
        assert_eq!((case.0.as_str(), case.1.as_str()), (id, outcome), "{case:?}");
        assert!(case.2.contains(reason), "{case:?}");
    }
    // The emulator says what it is, whoever asks it.
    assert_eq!(summary["environment"]["emulated"], true);
    assert!(outcome.stderr.contains("is on this machine"), "{outcome:?}");
    assert!(bundle.text("data/report.html").contains("replaced the value of the Host header by localhost:"));
    let host = endpoint.url.strip_prefix("https://").unwrap().to_owned();
    let shown = format!("as below to the proxy, which put {host} in its place for the endpoint");
    assert!(bundle.text("data/report.html").contains(&shown), "each call says what became of its Host");
    both_legs_of_tls(&bundle);
    let entries = entries(&bundle);
    let (product, counterpart): (Vec<_>, Vec<_>) =
        entries.iter().partition(|entry| entry["_actor"] == "product");
    assert!(product.len() > 1200 && counterpart.len() > 600);
    for entry in &product {
        assert_eq!(
            (&entry["_vantage"], &entry["_relay"]["hostReplacedBy"]),
            (&"proxy".into(), &host.clone().into())
        );
        assert!(header(entry, "host").starts_with("127.0.0.1:"), "what the product sent: {entry}");
        let issuer = |tls: &Value| tls["clientCertificate"]["issuer"].as_str().unwrap().to_owned();
        assert!(issuer(&entry["_relay"]["productTls"]).contains("recording CA"), "{entry}");
        assert!(
            issuer(&entry["_tls"]).contains("emulator CA"),
            "the supplier's own towards the endpoint: {entry}"
        );
        assert_eq!(entry["_token"]["hash"], "matches");
    }
    assert!(counterpart.iter().all(|entry| entry["_vantage"] == "client" && entry.get("_relay").is_none()));
    // A send is of the case that it was asked for in.
    for entry in product.iter().filter(|entry| entry["_operation"] == "send message") {
        let (label, case) = (header(entry, "mex-localid"), entry["_case"].as_str().unwrap());
        assert!(label.ends_with(&format!("-{case}")), "{label} in case {case}");
    }
    the_bundle_is_judged_as_the_run_was(&endpoint, &summary);
    let connections = bundle.text("data/relay/connections.ndjson");
    assert!(connections.lines().count() > 10 && connections.contains("\"server_name\""), "{connections}");
    let seen = endpoint.seen();
    assert_eq!(seen.len(), entries.len(), "the endpoint has seen what the bundle shows, and nothing else");
    assert!(seen.iter().all(|(_, other)| *other == host), "every Host names the endpoint");
}

/// Rules that go by the product's leg, which only the proxy has seen, find it in the HAR of the bundle.
fn the_bundle_is_judged_as_the_run_was(endpoint: &Standalone, summary: &Value) {
    let judged = witness(&["judge", endpoint.rig.bundle().to_str().unwrap(), "--format", "json"]);
    let judged: Value = serde_json::from_str(&judged.stdout).unwrap();
    let (judged, in_run) = (judged["rules"].as_array().unwrap(), summary["rules"].as_array().unwrap());
    assert_eq!(judged.len(), in_run.len());
    for (judged, in_run) in judged.iter().zip(in_run) {
        for field in ["id", "verdict", "looked_at", "reason", "not_judged", "findings"] {
            assert_eq!(judged[field], in_run[field], "{field} of {}", judged["id"]);
        }
    }
    let certificate = judged.iter().find(|rule| rule["id"] == "client-certificate").unwrap();
    assert_eq!(certificate["verdict"], "held");
}

#[test]
fn a_webhook_is_given_the_proxys_address_and_the_settings_stand_in_the_folder() {
    let endpoint = Standalone::start();
    let folder = endpoint.rig.folder.path().join("settings");
    let settings = folder.join("product.env");
    let hook = Server::start(move |mut stream| {
        let request = request(&mut stream);
        let order: BTreeMap<String, String> =
            serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        let secrets = SECRETS.iter().any(|secret| request.contains(secret));
        let env = fs::read_to_string(&settings).unwrap();
        let known = env.lines().filter_map(|line| line.split_once('='));
        let told = order.iter().map(|(name, value)| (format!("MESH_{}", name.to_uppercase()), value));
        let done = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "product::acts", &order["action"]])
            .envs(known)
            .envs(told)
            .output()
            .unwrap();
        let status = if done.status.success() && !secrets { "200 OK" } else { "500 Failed" };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    let driver = format!("{{webhook: {{url: \"{}/hook\"}}}}", hook.url);
    let more = "recording: {listen: \"127.0.0.1:0\", folder: settings}\n";
    let (outcome, bundle) = endpoint.play(&driver, more, "@case-201");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("product.env"), "{outcome:?}");
    let by_proxy = entries(&bundle).into_iter().filter(|entry| entry["_vantage"] == "proxy").count();
    assert!(by_proxy >= 3, "handshake, send, inbox check: {by_proxy}");
    // A product that was told once finds the same authority the next time.
    let before = fs::read(folder.join("ca.pem")).unwrap();
    let (outcome, _) = endpoint.play(&driver, more, "@case-201");
    assert_eq!((outcome.code, fs::read(folder.join("ca.pem")).unwrap()), (Some(0), before));
}

#[test]
fn a_product_that_calls_the_endpoint_by_itself_made_no_call() {
    let endpoint = Standalone::start();
    let file = |name: &str| endpoint.rig.folder.path().join("endpoint").join(name).display().to_string();
    let quirks = [
        format!("MESH_URL={}", endpoint.url),
        format!("MESH_CA_FILE={}", file("ca.pem")),
        format!("MESH_CLIENT_CERT={}", file("X26ABC1.pem")),
        format!("MESH_CLIENT_KEY={}", file("X26ABC1-key.pem")),
    ];
    let quirks: Vec<&str> = quirks.iter().map(String::as_str).collect();
    let (outcome, bundle) = endpoint.play(&acting::driver(&quirks), "", "@case-201");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let fault = bundle.fault();
    assert_eq!(fault["what"], "the product was asked to validate its mailbox, and made no call");
    assert!(fault["seen"].as_str().unwrap().starts_with("exit code 0"), "{fault}");
    assert!(endpoint.seen().iter().any(|(target, _)| target == "/messageexchange/X26ABC1"), "it did call");
}

/// A certificate for the product's mailbox from an authority that nobody here has heard of, and the driver of a
/// product that presents it.
fn stranger(endpoint: &Standalone, authority: &str) -> (PathBuf, String) {
    let folder = endpoint.rig.folder.path().join("stranger");
    let pki = Pki::named(authority, "localhost", vec!["localhost".to_owned()]).unwrap();
    pki.write_to(&folder, &[MailboxId::parse("X26ABC1").unwrap()]).unwrap();
    let shown = folder.display();
    let quirks =
        [format!("MESH_CLIENT_CERT={shown}/X26ABC1.pem"), format!("MESH_CLIENT_KEY={shown}/X26ABC1-key.pem")];
    let driver = acting::driver(&[&quirks[0], &quirks[1]]);
    (folder, driver)
}

#[test]
fn a_product_with_a_certificate_of_a_stranger_is_not_let_in_and_is_told_why() {
    for (authority, why) in [
        ("A stranger's CA", "the product's certificate is from no authority that is trusted here"),
        ("mesh-witness emulator CA", "was not signed by the authority of that name that is trusted here"),
    ] {
        let endpoint = Standalone::start();
        let (_, driver) = stranger(&endpoint, authority);
        let (outcome, bundle) = endpoint.play(&driver, "", "@case-201");
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let fault = bundle.fault();
        assert!(fault["what"].as_str().unwrap().ends_with("made no call"), "{fault}");
        assert!(fault["seen"].as_str().unwrap().contains(why), "{fault}");
        assert!(bundle.text("data/relay/connections.ndjson").contains("client_certificate_refused"));
        assert!(endpoint.seen().is_empty(), "nothing of it was passed on");
    }
}

#[test]
fn whose_certificate_the_product_has_can_be_configured() {
    let endpoint = Standalone::start();
    let (folder, driver) = stranger(&endpoint, "The supplier's own CA");
    let more = format!("recording: {{ca_file: {}/ca.pem}}\n", folder.display());
    let (outcome, _) = endpoint.play(&driver, &more, "@case-201");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn an_endpoint_that_dies_is_at_fault_and_not_the_product() {
    let endpoint = Standalone::start();
    let quirk = format!("KILLS={}", endpoint.pid());
    let (outcome, bundle) = endpoint.play(&acting::driver(&[&quirk]), "", "@case-201 or @case-401");
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    let fault = bundle.fault();
    assert_eq!(fault["kind"], "endpoint", "{fault}");
    assert!(fault["what"].as_str().unwrap().starts_with("nobody answers at https://localhost"), "{fault}");
    let broken = entries(&bundle).into_iter().find(|entry| !entry["_failure"].is_null()).unwrap();
    assert_eq!(broken["_relay"]["brokenOffBy"], "endpoint", "{broken}");
}

#[test]
fn a_run_that_is_interrupted_ends_its_proxy_and_says_so() {
    let endpoint = Standalone::start();
    let mark = endpoint.rig.folder.path().join("asked");
    let script =
        format!("#!/bin/sh\necho $MESH_URL >{0}.part\nmv {0}.part {0}\nsleep 3600\n", mark.display());
    endpoint.rig.file("stuck.sh", &script, 0o755);
    let mut command = endpoint.command("{command: [./stuck.sh], timeout: 1h}", "", "@case-201 or @case-401");
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the product is asked", || mark.exists());
    let proxy = fs::read_to_string(&mark).unwrap().trim().replace("https://", "");
    drop(std::net::TcpStream::connect(&proxy).unwrap());
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let outcome = Outcome::from(run.wait_with_output().unwrap());
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(std::net::TcpStream::connect(&proxy).is_err(), "nobody listens any more");
    let bundle = endpoint.rig.read();
    assert!(bundle.summary()["cut_short"].as_str().unwrap().contains("Ctrl-C"));
    assert!(bundle.outcomes().iter().all(|(_, outcome)| outcome == "not run"), "{:?}", bundle.outcomes());
    let verified = witness(&["verify", endpoint.rig.bundle().to_str().unwrap()]);
    assert!(verified.stdout.contains("cut short"), "{verified:?}");
    for secret in SECRETS {
        bundle.assert_lacks(secret);
    }
}

#[test]
fn a_product_that_ends_its_connection_before_the_answer_is_told_so() {
    let silent = Server::silent();
    let endpoint = Standalone::start();
    let config = endpoint.config(&acting::driver(&["gives-up"]), "");
    let text = fs::read_to_string(&config).unwrap().replace(&endpoint.url, &silent.url);
    let text = text.lines().filter(|line| !line.contains("ca_file:")).collect::<Vec<_>>().join("\n");
    fs::write(&config, text).unwrap();
    let bundle = endpoint.rig.bundle();
    let arguments = ["run", "--tags", "@case-201", "--config", config.to_str().unwrap(), "--bundle"];
    let outcome = Outcome::from(program().args(arguments).arg(&bundle).output().unwrap());
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let fault = Bundle::open(&bundle).fault();
    assert_eq!(fault["what"], "the product ended the connection before it was answered", "{fault}");
    assert_eq!(fault["kind"], "product");
}

#[test]
fn a_live_endpoint_is_refused_before_anything_is_left() {
    let endpoint = Standalone::start();
    let config = endpoint.config("{command: [./nothing.sh]}", "recording: {folder: settings}\n");
    // There is no such program, so that nothing is ever called, whatever this finds.
    let text =
        fs::read_to_string(&config).unwrap().replace(&endpoint.url, "https://mesh-sync.spineservices.nhs.uk");
    fs::write(&config, text).unwrap();
    let outcome = witness(&["run", "--config", config.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("is live MESH"), "{outcome:?}");
    assert!(!endpoint.rig.folder.path().join("settings").exists());
}

#[test]
fn what_the_program_put_out_is_kept_without_secrets() {
    let endpoint = Standalone::start();
    endpoint.rig.file(
        "leak.sh",
        "#!/bin/sh\necho \"it is $MESH_SHARED_KEY and $MESH_MAILBOX_PASSWORD\"\n",
        0o755,
    );
    let (outcome, bundle) = endpoint.play("{command: [./leak.sh]}", "", "@case-201");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(the_file(&bundle, "-handshake.txt").contains("it is ["));
}
