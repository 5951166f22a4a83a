//! The endpoint pack as a person plays it: where it may be played, and what a run is worth in which
//! something was left out.

mod support;

use support::{Bundle, Endpoint, Outcome, play, witness};
use tempfile::TempDir;

fn played(arguments: &[&str]) -> Outcome {
    played_with_bundle(arguments).0
}

fn played_with_bundle(arguments: &[&str]) -> (Outcome, Option<Bundle>) {
    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("bundle.zip");
    let mut all = vec!["run", "--bundle", bundle.to_str().unwrap()];
    all.extend(arguments);
    let outcome = witness(&all);
    (outcome, bundle.exists().then(|| Bundle::open(&bundle)))
}

#[test]
fn the_built_in_emulator_passes_the_pack_with_one_line_a_feature() {
    let outcome = played(&["--pack", "endpoint", "--tags", "not @large"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("Send chunked message"), "{}", outcome.stdout);
    assert!(outcome.stdout.lines().count() < 40, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("handshake  "), "no case could show it: {}", outcome.stdout);
}

#[test]
fn both_packs_can_be_played_together_and_the_witness_pack_alone_stays_the_default() {
    let tags = "@case-201 or @req-VERSION-01";
    let (outcome, bundle) = played_with_bundle(&["--pack", "witness", "--pack", "endpoint", "--tags", tags]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    // The rules look at the product's calls, not at those that test the endpoint.
    let summary = bundle.unwrap().summary();
    assert_eq!(
        (&summary["rule_counts"]["broken"], &summary["rule_counts"]["warning"]),
        (&0.into(), &0.into())
    );
    assert!(summary["rule_counts"]["held"].as_u64() > Some(10), "{}", summary["rule_counts"]);
    let tags = ["--pack", "endpoint", "--tags", "@req-TOKEN-01 or @req-VERSION-01"];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("of-endpoint.zip");
    let of_endpoint = witness(&[&["run", "--bundle", path.to_str().unwrap()], &tags[..]].concat());
    assert_eq!(of_endpoint.code, Some(0), "{of_endpoint:?}");
    assert_eq!(Bundle::open(&path).summary()["rules"], serde_json::json!([]));
    let judged = witness(&["judge", path.to_str().unwrap()]);
    assert_eq!(judged.code, Some(2), "{judged:?}");
    assert!(judged.stderr.contains("this bundle judges an endpoint"), "{judged:?}");
    assert!(outcome.stdout.contains("201 Send an uncompressed message"), "{}", outcome.stdout);
    let alone = played(&["--tags", "@endpoint"]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
}

#[test]
fn what_is_int_safe_passes_on_a_pair_that_takes_turns_and_leaves_nothing_behind() {
    let endpoint = Endpoint::start();
    let tags = ["--pack", "endpoint", "--tags", "@int-safe and not @emulator-only"];
    for _ in 0..2 {
        let (outcome, _) = play(&endpoint.config(), &tags);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    let (outcome, _) =
        play(&endpoint.config(), &["--pack", "endpoint", "--tags", "@req-INBOX-01 and not @emulator-only"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn what_needs_our_own_emulator_is_not_run_elsewhere_and_that_is_no_pass() {
    let endpoint = Endpoint::start();
    let (outcome, bundle) =
        play(&endpoint.config(), &["--pack", "endpoint", "--tags", "@req-INBOX-07 or @req-INBOX-08"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stdout.contains("built-in emulator"), "{}", outcome.stdout);
    assert!(bundle.text("data/summary.json").contains("built-in emulator"));
}

/// What is known changes nothing of that more was asked for than may be played.
#[test]
fn what_is_left_out_is_told_by_the_exit_code_beside_a_known_deviation() {
    let endpoint = Endpoint::start_arranged(wrong());
    let folder = tempfile::TempDir::new().unwrap();
    let known = folder.path().join("known.yaml");
    let entry = "- {requirement: INBOX-01, reason: R, reference: T, owner: O, expires: 2999-01-01}\n";
    std::fs::write(&known, entry).unwrap();
    let tags = "(@req-INBOX-01 and @int-safe) or @req-INBOX-07";
    let (outcome, _) = play(
        &endpoint.config(),
        &["--pack", "endpoint", "--tags", tags, "--deviations", known.to_str().unwrap()],
    );
    assert!(outcome.stdout.contains("expected deviation"), "{outcome:?}");
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}

#[test]
fn an_endpoint_that_is_wrong_has_failed_and_a_password_that_is_wrong_has_not() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.product_password = "another".to_owned();
    let (outcome, _) = play(&config, &["--pack", "endpoint", "--tags", "@req-INBOX-01 and @int-safe"]);
    assert_eq!(outcome.code, Some(2), "the configuration is wrong: {outcome:?}");
    let (outcome, _) = play(
        &Endpoint::start_arranged(wrong()).config(),
        &["--pack", "endpoint", "--tags", "@req-INBOX-01 and @int-safe"],
    );
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    for text in ["check inbox", "expected", "seen", "OpenAPI: Check an inbox"] {
        assert!(outcome.stdout.contains(text), "{text:?} is not in {}", outcome.stdout);
    }
}

/// TRACK-05, a SHOULD: tracking by local ID.
#[test]
fn an_endpoint_that_is_not_as_it_should_be_is_warned_and_what_leads_there_must_be_right() {
    let tags = ["--pack", "endpoint", "--tags", "@req-TRACK-05 and not @emulator-only"];
    let (outcome, bundle) =
        play(&Endpoint::start_arranged(faulty("track-local-id-300-is-200")).config(), &tags);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("passed, with a warning"), "{}", outcome.stdout);
    let outcomes = bundle.outcomes();
    assert!(outcomes.iter().any(|(_, outcome)| outcome == "warning"), "{outcomes:?}");
    let fault = bundle.fault();
    assert_eq!(fault["kind"], "endpoint under test");
    assert!(bundle.text("data/requirements.csv").contains("TRACK-05,SHOULD,endpoint,warning,"));
    assert!(bundle.text("data/report.html").contains(fault["what"].as_str().unwrap()), "and how to mend it");
    let (outcome, bundle) = play(&Endpoint::start_arranged(faulty("send-200")).config(), &tags);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(bundle.outcomes().iter().any(|(_, outcome)| outcome == "failed"), "{:?}", bundle.outcomes());
}

/// The OpenAPI has the statuses 404 and 410 of Get Message, and no body of theirs.
#[test]
fn an_endpoint_that_refuses_a_download_without_saying_why_is_warned_and_has_not_failed() {
    let tags = "(@req-DOWNLOAD-05 or @req-DOWNLOAD-10) and not @emulator-only";
    let endpoint = Endpoint::start_arranged(faulty("missing-says-nothing"));
    let (outcome, bundle) = play(&endpoint.config(), &["--pack", "endpoint", "--tags", tags]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let csv = bundle.text("data/requirements.csv");
    assert!(csv.contains("\r\nDOWNLOAD-05,MUST,endpoint,passed,"), "{csv}");
    assert!(csv.contains("\r\nDOWNLOAD-10,SHOULD,endpoint,warning,"), "{csv}");
    let source = &bundle.fault()["source"];
    assert!(source.as_str().unwrap().contains("the OpenAPI gives this status no body"), "{source}");
}

fn wrong() -> mesh_witness::emulator::Arrangement {
    faulty("list-with-more")
}

fn faulty(name: &str) -> mesh_witness::emulator::Arrangement {
    let mut faults = mesh_witness::emulator::Fault::all();
    faults.retain(|fault| fault.name == name);
    let faults = mesh_witness::emulator::Faults::new(faults);
    mesh_witness::emulator::Arrangement { faults, ..Default::default() }
}

#[test]
fn live_mesh_is_refused_for_every_pack_unless_it_is_named() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.set("url", "https://mesh-sync.spineservices.nhs.uk");
    let file = config.write();
    let file = file.to_str().unwrap();
    for more in [&[][..], &["--pack", "endpoint"], &["--live-host", "msg.spineservices.nhs.uk"]] {
        let mut arguments = vec!["--config", file];
        arguments.extend(more);
        let outcome = played(&arguments);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains("mesh-sync.spineservices.nhs.uk is live MESH"), "{outcome:?}");
    }
}
