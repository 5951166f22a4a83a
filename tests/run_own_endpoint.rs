//! Scenarios that have an endpoint to themselves.

mod support;

use std::fs;

use support::{Bundle, Endpoint, Outcome, witness};
use tempfile::TempDir;

const MOVED: &str = "Feature: time

  Scenario: moved
    Given the product has validated its mailbox within the last 24 hours
    When 5 days pass at the endpoint
";

/// A message that waits for four days is still there; the same clock would have let it expire for others.
const FEATURE: &str = "Feature: time

  @own-endpoint
  Scenario: four days
    Given the product has validated its mailbox within the last 24 hours
    And the counterpart has sent a message of 10 bytes to the product
    When 4 days pass at the endpoint
    And the product receives the message
    Then the inbox listed the message
    And the acknowledgement came directly after the download

  @own-endpoint
  Scenario: forty days
    Given the product has validated its mailbox within the last 24 hours
    When 40 days pass at the endpoint
    And the product checks its inbox
    And 1 days pass at the endpoint
    And the product checks its inbox

  Scenario: everybody else
    Given the product has validated its mailbox within the last 24 hours
    And the counterpart has sent a message of 10 bytes to the product
    When the product receives the message
    Then the inbox listed the message
";

fn play(feature: &str) -> (Outcome, Bundle) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("own.feature"), feature).unwrap();
    let bundle = folder.path().join("bundle.zip");
    let pack = folder.path().to_str().unwrap();
    let outcome = witness(&["run", "--bundle", bundle.to_str().unwrap(), "--pack", pack]);
    (outcome, Bundle::open(&bundle))
}

/// Tokens follow the endpoint's clock: each call after the move is let in.
#[test]
fn time_moves_for_one_scenario_alone_and_every_artefact_says_so() {
    let (outcome, bundle) = play(FEATURE);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let moved: Vec<_> = bundle.summary()["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["clock_moved_seconds"].as_i64())
        .collect();
    assert_eq!(moved, [Some(4 * 86_400), Some(41 * 86_400), None]);
    let warning = "clock was moved on purpose in four days, forty days";
    for file in ["data/report.html", "data/summary.json", "data/run/junit.xml"] {
        assert!(bundle.text(file).contains(warning), "{file}");
    }
    assert!(bundle.text("data/run/exchanges.har").contains("x-mesh-witness-clock-moved"));
    assert!(bundle.text("data/report.html").contains("by 41 days, on purpose"));
}

#[test]
fn a_scenario_without_the_tag_moves_no_time() {
    let (outcome, bundle) = play(MOVED);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(bundle.fault()["remedy"].as_str().unwrap().contains("@own-endpoint"));
}

#[test]
fn at_an_endpoint_that_is_not_ours_it_is_not_run() {
    let (endpoint, pack) = (Endpoint::start(), TempDir::new().unwrap());
    fs::write(pack.path().join("own.feature"), MOVED.replace("  Scenario", "  @own-endpoint\n  Scenario"))
        .unwrap();
    let (outcome, bundle) = support::play(&endpoint.config(), &["--pack", pack.path().to_str().unwrap()]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    let case = &bundle.summary()["cases"][0];
    assert_eq!(case["outcome"], "not run");
    assert!(case["reason"].as_str().unwrap().contains("is not ours"), "{case}");
}

#[test]
fn the_product_pack_passes_with_the_reference_client_and_every_artefact_says_what_was_done_on_purpose() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.zip");
    let outcome = witness(&["run", "--pack", "product", "--bundle", path.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bundle = Bundle::open(&path);
    let outcomes = bundle.outcomes();
    assert!(outcomes.len() >= 30 && outcomes.iter().all(|(_, outcome)| outcome == "passed"), "{outcomes:?}");
    for file in ["data/report.html", "data/summary.json", "data/run/junit.xml"] {
        let text = bundle.text(file);
        assert!(text.contains("made things hard for the product on purpose"), "{file}");
        assert!(text.contains("The answer to a send is lost"), "{file}: what has no answer is named as well");
    }
    assert!(bundle.text("data/report.html").contains("next send: done, and the connection ended before"));
    let har = bundle.text("data/run/exchanges.har").to_lowercase();
    assert!(har.contains("x-mesh-witness-provoked") && har.contains("answered with 503"));
}

const HARD: &str = "Feature: hard

  Scenario: hard
    Given the product has validated its mailbox within the last 24 hours
    And a report on an earlier message waits in the product's inbox
    And the connection will end in the middle of the product's next download
    When the product is asked for a poll cycle
";

#[test]
fn a_scenario_without_the_tag_makes_nothing_hard() {
    let (outcome, bundle) =
        play(&HARD.replace("    And a report on an earlier message waits in the product's inbox\n", ""));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(bundle.fault()["remedy"].as_str().unwrap().contains("@own-endpoint"));
}

/// A report has no body that could be cut: a scenario in which nothing was hard is no pass.
#[test]
fn what_was_armed_and_did_not_happen_is_a_fault_of_ours() {
    let (outcome, bundle) = play(&HARD.replace("  Scenario", "  @own-endpoint\n  Scenario"));
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    let fault = bundle.fault();
    assert_eq!(fault["kind"], "harness", "{fault}");
    assert!(fault["what"].as_str().unwrap().contains("half of the body"), "{fault}");
}

#[test]
fn a_product_that_does_not_meet_what_was_armed_fails() {
    let feature = HARD
        .replace("  Scenario", "  @own-endpoint\n  Scenario")
        .replace("next download", "next downloaded chunk");
    let (outcome, bundle) = play(&feature);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let fault = bundle.fault();
    assert!(fault["what"].as_str().unwrap().ends_with("about: downloaded chunk"), "{fault}");
}

#[test]
fn a_status_that_nobody_provokes_is_a_fault_of_the_feature_file() {
    let feature = HARD.replace("  Scenario", "  @own-endpoint\n  Scenario").replace(
        "the connection will end in the middle of the product's next download",
        "the product's next download will be answered with 500",
    );
    let (outcome, bundle) = play(&feature);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(bundle.fault()["remedy"].as_str().unwrap().contains("403, 404, 410"));
}

#[test]
fn nothing_is_made_hard_at_an_endpoint_that_is_not_ours_and_nobody_calls_it() {
    let endpoint = Endpoint::start();
    let tags = ["--pack", "product", "--tags", "@req-HEADERS-01"];
    let (outcome, bundle) = support::play(&endpoint.config(), &tags);
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    let summary = bundle.summary();
    for case in summary["cases"].as_array().unwrap() {
        assert_eq!((&case["outcome"], &case["exchanges"]), (&"not run".into(), &0.into()), "{case}");
        assert!(case["reason"].as_str().unwrap().contains("built-in emulator"), "{case}");
    }
    // One that lacks that tag is not run either.
    let pack = TempDir::new().unwrap();
    fs::write(pack.path().join("own.feature"), HARD.replace("  Scenario", "  @own-endpoint\n  Scenario"))
        .unwrap();
    let (_, bundle) = support::play(&endpoint.config(), &["--pack", pack.path().to_str().unwrap()]);
    let case = &bundle.summary()["cases"][0];
    assert_eq!(case["outcome"], "not run", "{case}");
    assert!(case["reason"].as_str().unwrap().contains("is not ours"), "{case}");
}
