//! What must be asked for by name, and what cannot be had at all.

use std::fs;

use super::support::{Config, Endpoint, Outcome, witness};

fn record(config: &Config, more: &[&str]) -> Outcome {
    let file = config.write();
    let mut arguments = vec!["record", "--config", file.to_str().unwrap()];
    arguments.extend(more);
    witness(&arguments)
}

fn assert_refused(outcome: &Outcome, why: &str) {
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains(why), "{outcome:?}");
}

#[test]
fn a_live_endpoint_and_other_machines_are_asked_for_by_name() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    // Whatever is below the domain of live Spine.
    config.set("url", "https://another.spineservices.nhs.uk");
    assert_refused(&record(&config, &[]), "say --live-host another.spineservices.nhs.uk");
    config.set("url", "https://mesh-sync.spineservices.nhs.uk");
    assert_refused(&record(&config, &[]), "say --live-host mesh-sync.spineservices.nhs.uk");
    assert_refused(
        &record(&config, &["--live-host", "msg.spineservices.nhs.uk"]),
        "--live-host: the configuration's",
    );
    let config = endpoint.config();
    let listen = ["--listen", "0.0.0.0:0"];
    assert_refused(&record(&config, &listen), "say --open-to-network");
    for alone in ["--plain-http", "--no-product-certificate"] {
        let outcome = record(&config, &["--listen", "0.0.0.0:0", "--open-to-network", alone]);
        assert_refused(&outcome, "without a certificate any of them could call the endpoint as you");
    }
}

#[test]
fn an_authority_or_a_tape_that_is_not_usable_is_named() {
    let endpoint = Endpoint::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let file = file.to_str().unwrap();
    let tape = folder.path().join("tape");
    let tape = tape.to_str().unwrap();
    let config = endpoint.config();
    assert_refused(&record(&config, &["--tape", tape, "--pki", file]), "--pki: ");
    assert_refused(&record(&config, &["--tape", tape, "--product-ca", file]), "holds no certificate");
    assert_refused(&record(&config, &["--tape", file]), "--tape: ");
    assert_refused(&record(&config, &["--tape", tape, "--plain-http", "--pki", file]), "cannot be used with");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let outcome = record(&config, &["--tape", tape, "--listen", &address]);
    assert_eq!(outcome.code, Some(3));
    assert!(outcome.stderr.contains("name another address"), "{outcome:?}");
}
