//! A pack of one's own: begun with `init`, played with the built-in ones, with its own cases and requirements.

mod support;

use std::{fs, path::Path};

use support::{Bundle, Outcome, witness};
use tempfile::TempDir;

const FEATURE: &str = "@req-OWN-01\nFeature: Ours\n  @case-OWN-1\n  Scenario: Begin\n    Given the product has validated its mailbox within the last 24 hours\n";
const CATALOGUE: &str =
    "- {id: OWN-01, statement: Ours begins., source: our sheet, level: MUST, binds: product}\n";

/// A pack in a folder of its own, and where its run leaves the bundle.
fn pack(feature: &str, catalogue: Option<&str>) -> TempDir {
    let folder = TempDir::new().unwrap();
    let pack = folder.path().join("ours");
    fs::create_dir(&pack).unwrap();
    fs::write(pack.join("own.feature"), feature).unwrap();
    if let Some(catalogue) = catalogue {
        fs::write(pack.join("requirements.yaml"), catalogue).unwrap();
    }
    folder
}

fn play(folder: &Path, pack: &str, more: &[&str]) -> (Outcome, Option<Bundle>) {
    let bundle = folder.join("bundle.zip");
    let own = folder.join(pack);
    let mut arguments = vec!["run", "--bundle", bundle.to_str().unwrap(), "--pack", own.to_str().unwrap()];
    arguments.extend(more);
    let outcome = witness(&arguments);
    let bundle = bundle.exists().then(|| Bundle::open(&bundle));
    (outcome, bundle)
}

#[test]
fn what_init_begins_passes_out_of_the_box_and_is_never_overwritten() {
    let folder = TempDir::new().unwrap();
    let begun = folder.path().join("begun");
    let begun_text = begun.to_str().unwrap();
    let outcome = witness(&["init", begun_text]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome.stdout.contains(&format!("mesh-witness run --pack {begun_text}/features")),
        "{outcome:?}"
    );
    let (outcome, bundle) = play(&begun, "features", &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bundle = bundle.unwrap();
    assert_eq!(bundle.outcomes(), [("OWN-1".to_owned(), "passed".to_owned())]);
    assert!(bundle.text("data/requirements.csv").contains("\r\nOWN-01,MUST,product,passed,OWN-1,"));
    let template = fs::read_to_string(begun.join("mesh-witness.yaml")).unwrap();
    assert!(template.contains("mailboxes:"), "{template}");

    for taken in ["mesh-witness.yaml", "features/first.feature", "features/requirements.yaml"] {
        let other = TempDir::new().unwrap();
        let path = other.path().join(taken);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let outcome = witness(&["init", other.path().to_str().unwrap()]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(path.to_str().unwrap()), "{outcome:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        let files = walk(other.path());
        assert_eq!(files.len(), 1, "nothing else is written: {files:?}");
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn an_own_pack_mixes_with_the_built_in_ones() {
    let folder = pack(FEATURE, Some(CATALOGUE));
    let tags = "@case-201 or @case-OWN-1";
    let (outcome, bundle) = play(folder.path(), "ours", &["--pack", "witness", "--tags", tags]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bundle = bundle.unwrap();
    let cases: Vec<String> = bundle.outcomes().into_iter().map(|(case, _)| case).collect();
    assert_eq!(cases, ["OWN-1", "201"]);
    let csv = bundle.text("data/requirements.csv");
    assert!(csv.contains("\r\nOWN-01,MUST,product,passed,OWN-1,,Ours begins.,our sheet,"), "{csv}");
    assert!(csv.contains("\r\nSEND-01,MUST,product,passed,201,"), "{csv}");
    let report = bundle.text("data/report.html");
    for text in ["OWN-01", "Ours begins.", "our sheet", "OWN-1"] {
        assert!(report.contains(text), "{text}");
    }
    for heading in ["Handshake", "Send", "Download", "Acknowledge"] {
        assert!(report.contains(heading), "{heading}");
    }
    assert_eq!(bundle.text("data/pack/ours/requirements.yaml"), CATALOGUE);
    assert_eq!(bundle.text("data/pack/ours/own.feature"), FEATURE);
    assert!(bundle.text("data/pack/requirements.yaml").contains("- id: SEND-01"));
}

#[test]
fn a_single_feature_file_is_read_with_the_catalogue_beside_it() {
    let folder = pack(FEATURE, Some(CATALOGUE));
    let (outcome, bundle) = play(folder.path(), "ours/own.feature", &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(bundle.unwrap().text("data/requirements.csv").contains("OWN-01,MUST,product,passed"));
}

fn refused(feature: &str, catalogue: Option<&str>) -> String {
    let folder = pack(feature, catalogue);
    let (outcome, bundle) = play(folder.path(), "ours", &[]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(bundle.is_none());
    outcome.stderr
}

#[test]
fn an_id_that_the_built_in_catalogue_has_is_refused_with_both_places() {
    let clash = CATALOGUE.replace("OWN-01", "SEND-01");
    let error = refused(FEATURE, Some(&clash));
    for text in ["SEND-01", "ours/requirements.yaml", "built-in catalogue"] {
        assert!(error.contains(text), "{text}: {error}");
    }
}

/// Who takes the built-in pack for a beginning has its requirements too.
#[test]
fn a_requirement_that_is_the_same_word_for_word_is_one() {
    let built_in =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("features/requirements.yaml"));
    let feature = FEATURE.replace("OWN-01", "SEND-01");
    let folder = pack(&feature, Some(&built_in.unwrap()));
    let (outcome, bundle) = play(folder.path(), "ours", &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(bundle.unwrap().text("data/requirements.csv").matches("\r\nSEND-01,").count(), 1);
}

#[test]
fn a_catalogue_that_is_none_is_refused_by_its_path() {
    let error = refused(FEATURE, Some("- {id: OWN-01, colour: red}\n"));
    assert!(error.contains("ours/requirements.yaml: the catalogue of requirements is malformed"), "{error}");
    let error = refused(FEATURE, Some(&format!("{CATALOGUE}{CATALOGUE}")));
    assert!(error.contains("has OWN-01 twice"), "{error}");
}

/// Rules look at all that the product does, whatever scenarios it does it in.
#[test]
fn a_requirement_of_an_own_pack_may_be_shown_by_rules() {
    let by_rules = "- {id: OWN-02, statement: Tokens are new., source: our sheet, level: MUST, binds: product, rules: [token-repeated, refusals]}\n";
    let folder = pack(FEATURE, Some(&format!("{CATALOGUE}{by_rules}")));
    let (outcome, bundle) = play(folder.path(), "ours", &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bundle = bundle.unwrap();
    let csv = bundle.text("data/requirements.csv");
    let row = csv.lines().find(|line| line.starts_with("OWN-02,")).unwrap();
    assert!(row.starts_with("OWN-02,MUST,product,passed,,,Tokens are new.,our sheet,"), "{row}");
    assert!(row.ends_with(",\"token-repeated; refusals\""), "{row}");
    // What no traffic shows is not passed for nothing, and says why.
    let tracking = csv.lines().find(|line| line.starts_with("TRACKING-01,")).unwrap();
    assert!(
        tracking.starts_with(
            "TRACKING-01,MUST,product,not run,,rule tracking-polled: the recording has no tracking,"
        ),
        "{tracking}"
    );
    assert!(bundle.text("data/report.html").contains("rule token-repeated"));
}

#[test]
fn a_rule_that_there_is_not_is_refused_with_file_and_line() {
    let catalogue = CATALOGUE.replace("binds: product", "binds: product, rules: [token-repeat]");
    let error = refused(FEATURE, Some(&format!("# ours\n{catalogue}")));
    for text in
        ["ours/requirements.yaml", "no rule \"token-repeat\": did you mean token-repeated?", "at line 2 "]
    {
        assert!(error.contains(text), "{text}: {error}");
    }
}

#[test]
fn a_requirement_that_is_in_no_catalogue_is_refused_with_the_nearest() {
    let error = refused(&FEATURE.replace("OWN-01", "OWN-1"), Some(CATALOGUE));
    for text in ["own.feature:4: \"Begin\"", "@req-OWN-1,", "did you mean: @req-OWN-01"] {
        assert!(error.contains(text), "{text}: {error}");
    }
    let error = refused(&FEATURE.replace("OWN-01", "XYZZYPLUGH"), None);
    assert!(error.contains("@req-XYZZYPLUGH") && error.contains("add it to requirements.yaml"), "{error}");
}

/// What was to follow a step that is no more than a SHOULD was not judged, and says nothing.
#[test]
fn an_endpoint_is_warned_by_a_should_of_an_own_pack_whatever_was_to_follow() {
    let feature = |status: u16| {
        format!(
            "@endpoint @req-OWN-01\nFeature: Ours\n  Scenario: Look\n    Given a sender and a receiver, each with a mailbox\n    \
             When the receiver checks its inbox\n    Then the answer is {status}\n    And the answer is 200\n"
        )
    };
    let catalogue = CATALOGUE.replace("MUST", "SHOULD").replace("product", "endpoint");
    for (status, catalogue, code, outcome) in [
        (200, &catalogue, 0, "passed"),
        (204, &catalogue, 0, "warning"),
        (204, &catalogue.replace("SHOULD", "MUST"), 1, "failed"),
    ] {
        let folder = pack(&feature(status), Some(catalogue));
        let (said, bundle) = play(folder.path(), "ours", &[]);
        assert_eq!(said.code, Some(code), "{said:?}");
        assert_eq!(bundle.unwrap().outcomes()[0].1, outcome);
    }
}

#[test]
fn a_mistyped_step_gets_the_nearest_ones() {
    let step = "the product has validated its mailbox within the last 24 hours";
    let error = refused(&FEATURE.replace(step, "the product sends a mesage"), Some(CATALOGUE));
    assert!(error.contains("own.feature:5"), "{error}");
    assert!(error.contains("did you mean: ") && error.contains("sends a message"), "{error}");
}

#[test]
fn the_steps_are_listed_in_each_form() {
    let text = witness(&["steps"]);
    assert_eq!(text.code, Some(0), "{text:?}");
    assert!(text.stdout.contains("When the product checks its inbox"), "{}", text.stdout);
    let page = witness(&["steps", "--format", "markdown"]).stdout;
    let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/steps.md")).unwrap();
    assert_eq!(page.trim_end(), kept.trim_end());
    for format in ["json", "vscode"] {
        let printed = witness(&["steps", "--format", format]).stdout;
        assert!(serde_json::from_str::<serde_json::Value>(&printed).is_ok(), "{format}");
    }
}

const STEP: &str = "    Given the product has validated its mailbox within the last 24 hours\n";

/// The number's own parser knew neither file nor line, and what it said was told as a fault of the program.
#[test]
fn a_number_that_cannot_stand_in_a_step_is_refused_at_its_line_with_what_can() {
    for (step, word) in [
        (
            "When the product sends a message of -1 bytes to the counterpart",
            "-1 does not fit: it is a whole number of bytes",
        ),
        (
            "When the product sends a message of 18446744073709551615 bytes to the counterpart",
            "at most 100 GB",
        ),
        (
            "When the product sends a message of 1000000000000000000000000000000 bytes to the counterpart",
            "from 0 to 100000000000",
        ),
        ("When 4294967295 days pass at the endpoint", "from 0 to 3660"),
        ("Then the answer is 65536", "from 100 to 599"),
        ("Given the next call has a body of 99999999999 bytes compressed with gzip", "from 0 to 1000000000"),
    ] {
        let error = refused(&FEATURE.replace(STEP, &format!("{STEP}    {step}\n")), Some(CATALOGUE));
        for text in ["own.feature:6: ", step, word] {
            assert!(error.contains(text), "{text}: {error}");
        }
    }
}

/// To look for what was meant by each took as long as there were steps, and longer for long ones.
#[test]
fn what_was_meant_is_looked_for_some_dozens_of_times_and_long_steps_are_cut() {
    let wrong: String =
        (0..100).map(|number| format!("    When the product checks it's inbox {number}\n")).collect();
    let long = format!("    When the product {}\n", "x".repeat(100_000));
    let error = refused(&format!("{FEATURE}{wrong}{long}"), Some(CATALOGUE));
    assert_eq!(error.matches("there is no such step").count(), 101, "each is told");
    assert_eq!(error.matches("did you mean").count(), 30);
    assert!(
        error.len() < 40_000 && error.contains("xxx…: there is no such step; `mesh-witness steps`"),
        "{error}"
    );
}
