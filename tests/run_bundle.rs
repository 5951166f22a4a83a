//! What a bundle holds beside the report: what was played, on and against what, over which TLS, as configured how.

mod support;

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use support::{Bundle, Config, Endpoint, PASSWORD, SHARED_KEY, Server, play, program};
use tempfile::TempDir;

/// Without a configuration.
fn practice(tags: &str) -> Bundle {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.zip");
    // Nothing of whose machine it is goes along.
    let told = ["HOME", "USER", "LOGNAME", "HOSTNAME", "COMPUTERNAME", "USERNAME"];
    let mut run = program();
    let run = run
        .args(["run", "--tags", tags, "--bundle"])
        .arg(&path)
        .envs(told.map(|name| (name, "sentinel-of-mine")));
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    Bundle::open(&path)
}

fn json(bundle: &Bundle, name: &str) -> Value {
    serde_json::from_slice(&bundle.files[name]).unwrap()
}

fn messages(bundle: &Bundle) -> Vec<Value> {
    bundle.text("data/run/messages.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(bundle: &Bundle) -> BTreeSet<&str> {
    bundle.files.keys().map(String::as_str).collect()
}

#[test]
fn a_bundle_of_practice_has_what_its_contract_says() {
    let bundle = practice("@case-201");
    assert_eq!(
        names(&bundle),
        BTreeSet::from([
            "bag-info.txt",
            "bagit.txt",
            "manifest-sha256.txt",
            "tagmanifest-sha256.txt",
            "data/README.txt",
            "data/conformance.md",
            "data/environment.json",
            "data/pack/requirements.yaml",
            "data/pack/witness/200-sending.feature",
            "data/report.html",
            "data/requirements.csv",
            "data/run/course.json",
            "data/run/exchanges.har",
            "data/run/junit.xml",
            "data/run/messages.ndjson",
            "data/schemas/environment.schema.json",
            "data/schemas/summary.schema.json",
            "data/schemas/tls.schema.json",
            "data/summary.json",
            "data/tls/facts.json",
            "data/tls/server-1.pem",
        ])
    );
    // What its README names is there.
    for word in bundle.text("data/README.txt").split_whitespace().filter(|word| word.starts_with("data/")) {
        let name = word.trim_end_matches([';', ',', '.']);
        let is_there =
            bundle.files.keys().any(|file| file == name || (name.ends_with('/') && file.starts_with(name)));
        assert!(is_there, "{name}");
    }
    let environment = json(&bundle, "data/environment.json");
    assert_eq!(environment["endpoint"]["emulated"], true);
    assert_eq!(environment["endpoint"]["host"], "127.0.0.1");
    assert_eq!(environment["machine"]["os"], std::env::consts::OS);
    assert_eq!(environment["tool"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(environment["tool"]["rust"].as_str().unwrap().starts_with("1."), "{environment}");
    assert_eq!(
        (&environment["endpoint_configured"], &environment["product"]["driver"]),
        (&false.into(), &"reference".into())
    );
    bundle.assert_lacks("sentinel-of-mine");
}

#[test]
fn every_step_is_there_with_its_definition_and_what_came_of_it() {
    let bundle = practice("@case-201 or @case-801");
    let messages = messages(&bundle);
    let all = |kind: &str| messages.iter().filter_map(|line| line.get(kind)).collect::<Vec<_>>();
    let steps: Vec<&Value> =
        all("testCase").iter().flat_map(|case| case["testSteps"].as_array().unwrap()).collect();
    assert_eq!(steps.len(), 12);
    assert!(steps.iter().all(|step| step["stepDefinitionIds"].as_array().unwrap().len() == 1), "{steps:?}");
    let sources: BTreeSet<&str> =
        all("stepDefinition").iter().map(|of| of["sourceReference"]["uri"].as_str().unwrap()).collect();
    assert_eq!(
        sources,
        BTreeSet::from([
            "steps/attest.rs",
            "steps/download.rs",
            "steps/handshake.rs",
            "steps/inbox.rs",
            "steps/send.rs"
        ])
    );
    let statuses: Vec<&str> =
        all("testStepFinished").iter().map(|of| of["testStepResult"]["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, [&["PASSED"; 11][..], &["SKIPPED"]].concat());
    assert_eq!(messages.last().unwrap()["testRunFinished"]["success"], true);
    let source = all("source")[0];
    assert_eq!(bundle.text(source["uri"].as_str().unwrap()), source["data"].as_str().unwrap());
}

#[test]
fn a_configuration_goes_along_without_its_secrets() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    let absolute = endpoint.folder.path().join("ca.pem").display().to_string();
    config.set("ca_file", &absolute);
    let (outcome, bundle) = play(&config, &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let text = bundle.text("data/config.redacted.yaml");
    assert_eq!(text.matches("'[redacted]'").count(), 3, "{text}");
    assert!(text.contains(&format!("url: {}", endpoint.url)) && text.contains("id: PRODUCT"), "{text}");
    assert!(text.contains("ca_file: '[not shown]/ca.pem'"), "{text}");
    for secret in [PASSWORD, SHARED_KEY, endpoint.folder.path().to_str().unwrap()] {
        bundle.assert_lacks(secret);
    }
    assert!(bundle.text("data/README.txt").contains("data/config.redacted.yaml"));
}

/// Such as mesh-sandbox, or a forwarder: nothing of it says that it is an environment of NHS England.
#[test]
fn what_was_played_on_this_machine_is_never_called_evidence() {
    let server = Server::answering(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".to_vec());
    let folder = TempDir::new().unwrap();
    let (outcome, bundle) = play(&Config::new(&server.url, folder.path()), &["--tags", "@case-201"]);
    assert!(outcome.stdout.contains("ON THIS MACHINE: practice, not evidence"), "{outcome:?}");
    let summary = bundle.summary();
    assert_eq!((&summary["evidence"], &summary["environment"]["emulated"]), (&false.into(), &false.into()));
    assert_eq!(json(&bundle, "data/environment.json")["evidence"], false);
    assert!(bundle.text("bag-info.txt").contains("practice on this machine, not evidence"));
    for file in ["data/README.txt", "data/report.html", "data/conformance.md", "data/requirements.csv"] {
        assert!(bundle.text(file).contains("ON THIS MACHINE: practice, not evidence"), "{file}");
    }
    let conformance = bundle.text("data/conformance.md");
    assert!(conformance.contains("**Warning:**") && !conformance.contains("\nYes."), "{conformance}");
    assert!(
        conformance.contains("- only scenarios with the tags @case-201 were played\n- 201 "),
        "{conformance}"
    );
}

#[test]
fn what_comes_from_the_environment_stays_as_it_is_written() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.set("shared_key", "${KEY_OF_A_TEST}");
    config.product_name = PASSWORD.to_owned();
    let (file, path) = (config.write(), endpoint.folder.path().join("bundle.zip"));
    let mut run = program();
    let run = run.env("KEY_OF_A_TEST", SHARED_KEY).args(["run", "--tags", "@case-201", "--config"]);
    let output = run.arg(&file).arg("--bundle").arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let bundle = Bundle::open(&path);
    let text = bundle.text("data/config.redacted.yaml");
    assert!(text.contains("shared_key: ${KEY_OF_A_TEST}\n"), "{text}");
    // A secret that stands where none belongs.
    assert!(text.contains("name: '[redacted]'\n"), "{text}");
    bundle.assert_lacks(SHARED_KEY);
    bundle.assert_lacks(PASSWORD);
}

#[test]
fn certificates_go_along_as_they_were_presented() {
    let endpoint = Endpoint::start();
    let (_, bundle) = play(&endpoint.config(), &["--tags", "@case-201"]);
    let own = fs::read_to_string(endpoint.folder.path().join("PRODUCT.pem")).unwrap();
    assert_eq!(bundle.text("data/tls/client-1.pem"), own.replace("\r\n", "\n"));
    let facts = json(&bundle, "data/tls/facts.json");
    let [connection] = facts["connections"].as_array().unwrap().as_slice() else { panic!("{facts}") };
    assert_eq!(connection["origin"], endpoint.url.as_str());
    assert_eq!((&connection["version"], &connection["alpn"]), (&"TLSv1.3".into(), &"http/1.1".into()));
    assert_eq!(
        (&connection["server_chain"], &connection["client_chains"]),
        (&1.into(), &serde_json::json!([1]))
    );
    let subjects: Vec<&str> = facts["chains"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chain| chain["certificates"][0]["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, ["CN=localhost", "CN=product.pro.api.mesh-client.nhs.uk"]);
    assert!(names(&bundle).contains("data/tls/server-1.pem"));
    for (name, content) in &bundle.files {
        let has_key = content.windows(11).any(|part| part == b"PRIVATE KEY");
        assert!(!has_key, "{name}");
    }
}

#[test]
fn without_tls_there_is_nothing_of_it() {
    let endpoint = Endpoint::start_plain();
    let (outcome, bundle) = play(&endpoint.config(), &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!bundle.files.keys().any(|name| name.contains("tls")), "{:?}", names(&bundle));
    assert!(!bundle.text("data/README.txt").contains("data/tls"));
    assert_eq!(json(&bundle, "data/environment.json")["endpoint"]["scheme"], "http");
}
