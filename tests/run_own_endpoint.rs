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
