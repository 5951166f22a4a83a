//! The witness pack beyond its first four cases: attestations, deviations, limitations, two runs, and
//! how runs differ.

mod support;

use std::{fs, path::Path};

use mesh_witness::emulator::Arrangement;
use serde_json::{Value, json};
use support::{Bundle, Config, Endpoint, Outcome, admin, play, witness};
use tempfile::TempDir;

const SAID: &str =
    "- {case: \"801\", name: A. Person, role: Product owner, statement: It does., date: 2026-11-20}\n";

fn practice(arguments: &[&str]) -> (Outcome, Option<Bundle>) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.zip");
    let mut all = vec!["run", "--bundle", path.to_str().unwrap()];
    all.extend(arguments);
    let outcome = witness(&all);
    (outcome, path.exists().then(|| Bundle::open(&path)))
}

fn file(folder: &TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

fn outcomes(bundle: &Bundle) -> Vec<String> {
    bundle.outcomes().into_iter().map(|(_, outcome)| outcome).collect()
}

#[test]
fn an_attestation_is_attested_and_never_passed() {
    let folder = TempDir::new().unwrap();
    let list = file(&folder, "said.yaml", SAID);
    let (outcome, bundle) = practice(&["--tags", "@case-201 or @attestation", "--attestations", &list]);
    let bundle = bundle.unwrap();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcomes(&bundle), ["passed", "attested", "not run", "not run"]);
    let said: serde_json::Value = serde_json::from_str(&bundle.text("data/attestations/801.json")).unwrap();
    assert_eq!((said["name"].as_str(), said["date"].as_str()), (Some("A. Person"), Some("2026-11-20")));
    for name in ["data/report.html", "data/conformance.md", "data/run/junit.xml"] {
        assert!(bundle.text(name).contains("A. Person"), "{name}");
    }
    let (outcome, bundle) = practice(&["--tags", "@attestation"]);
    assert_eq!(outcome.code, Some(3), "nothing was judged: {outcome:?}");
    assert_eq!(outcomes(&bundle.unwrap()), ["not run"; 3]);
    // What people say is no measurement, however much they say.
    let all = ["801", "802", "803"].map(|case| SAID.replace("801", case)).concat();
    let list = file(&folder, "said.yaml", &all);
    let (outcome, bundle) = practice(&["--tags", "@attestation", "--attestations", &list]);
    let bundle = bundle.unwrap();
    assert_eq!((outcome.code, outcomes(&bundle)), (Some(3), vec!["attested".to_owned(); 3]));
    assert!(outcome.stdout.contains("INCOMPLETE  3 attested"), "{outcome:?}");
    assert!(outcome.stdout.contains("nothing was measured, so this is no pass"), "{outcome:?}");
    for name in ["data/report.html", "data/run/junit.xml"] {
        assert!(bundle.text(name).contains("nothing was measured"), "{name}");
    }
}

#[test]
fn against_a_configured_endpoint_an_attestation_is_due() {
    let endpoint = Endpoint::start();
    let folder = TempDir::new().unwrap();
    let tags = ["--tags", "@case-201 or @case-801"];
    let (outcome, bundle) = play(&endpoint.config(), &tags);
    assert_eq!((outcome.code, outcomes(&bundle)), (Some(3), vec!["passed".to_owned(), "not run".to_owned()]));
    assert_eq!(bundle.summary()["verdict"], "incomplete");
    assert!(bundle.text("data/run/junit.xml").contains("not run: nobody has attested it"));
    let list = file(&folder, "said.yaml", SAID);
    let (outcome, _) = play(&endpoint.config(), &[tags[0], tags[1], "--attestations", &list]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn what_nobody_can_have_said_yet_is_refused_and_what_nobody_asks_for_is_told() {
    let folder = TempDir::new().unwrap();
    let tags = ["--tags", "@case-701 or @attestation"];
    for to_come in ["2999-01-01", "2999-01-01T00:00:00Z"] {
        let list = file(&folder, "said.yaml", &SAID.replace("2026-11-20", to_come));
        let (outcome, bundle) = practice(&[tags[0], tags[1], "--attestations", &list]);
        assert_eq!((outcome.code, bundle.is_some()), (Some(2), false), "{outcome:?}");
        assert!(outcome.stderr.contains(&format!("case 801: {to_come} is to come")), "{}", outcome.stderr);
    }
    let list = file(&folder, "said.yaml", &SAID.replace("801", "810"));
    let (outcome, _) = practice(&[tags[0], tags[1], "--attestations", &list]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("asks for no declaration of case 810"), "{}", outcome.stderr);
}

#[test]
fn what_the_product_does_without_does_not_apply() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.product_name = "P\", without: \"chunking, compression".to_owned();
    let (outcome, bundle) = play(&config, &["--tags", "@case-201 or @case-202 or @case-402 or @case-502"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcomes(&bundle), ["passed", "not applicable", "not applicable", "not applicable"]);
    assert!(bundle.text("data/conformance.md").contains("502 Send a message in chunks: not applicable"));
    assert!(bundle.text("data/requirements.csv").contains("SEND-03,MAY,product,not applicable"));
    let (outcome, _) = play(&config, &["--tags", "@case-502"]);
    assert_eq!(outcome.code, Some(3), "nothing was judged: {outcome:?}");
}

fn deviation(of: &str, expires: &str) -> String {
    format!("- {{{of}, reason: R, reference: T-1, owner: O, expires: {expires}}}\n")
}

/// A pack with a scenario that fails at the endpoint.
fn failing(folder: &TempDir) -> String {
    let pack = folder.path().join("own");
    fs::create_dir_all(&pack).unwrap();
    fs::write(
        pack.join("own.feature"),
        "Feature: own\n  Scenario: good\n    When the product checks its inbox\n\n  @case-999 @req-ERROR-03\n  \
         Scenario: bad\n    When the product tries to check its inbox\n    Then MESH answers with 404\n",
    )
    .unwrap();
    pack.display().to_string()
}

#[test]
fn an_expected_deviation_is_shown_and_not_counted() {
    let folder = TempDir::new().unwrap();
    let pack = failing(&folder);
    let (outcome, bundle) = practice(&["--pack", &pack]);
    assert_eq!(
        (outcome.code, outcomes(&bundle.unwrap())),
        (Some(3), vec!["passed".to_owned(), "error".to_owned()])
    );
    for of in ["case: \"999\"", "requirement: ERROR-03", "scenario: bad"] {
        let list = file(&folder, "d.yaml", &deviation(of, "2999-01-01"));
        let (outcome, bundle) = practice(&["--pack", &pack, "--deviations", &list]);
        let bundle = bundle.unwrap();
        assert_eq!(outcome.code, Some(0), "{of}: {outcome:?}");
        assert_eq!(outcomes(&bundle), ["passed", "expected deviation"]);
        let counts = &bundle.summary()["counts"];
        assert_eq!((counts["expected_deviation"].as_u64(), counts["error"].as_u64()), (Some(1), Some(0)));
        assert_eq!(bundle.text("data/deviations.yaml"), deviation(of, "2999-01-01"));
        let report = bundle.text("data/report.html");
        assert!(
            report.contains(">Expected deviations</h2>")
                && !report.contains("What failed and how to mend it")
        );
        let shown = outcome.stdout.contains("expected deviation, until 2999-01-01");
        assert!(shown && !outcome.stdout.contains("to mend"), "{}", outcome.stdout);
        let junit = bundle.text("data/run/junit.xml");
        assert!(junit.contains("expected_deviation") && !junit.contains("<error "));
    }
}

#[test]
fn a_deviation_that_is_none_fails_the_run() {
    let folder = TempDir::new().unwrap();
    let pack = failing(&folder);
    for (of, expires, says) in [
        ("scenario: good", "2999-01-01", "not there any more"),
        ("case: \"123\"", "2999-01-01", "about nothing that was selected"),
        ("case: \"999\"", "2020-01-01", "has expired on 2020-01-01"),
    ] {
        let list =
            file(&folder, "d.yaml", &(deviation(of, expires) + &deviation("scenario: bad", "2999-01-01")));
        let (outcome, bundle) = practice(&["--pack", &pack, "--deviations", &list]);
        let bundle = bundle.unwrap();
        assert_eq!(outcome.code, Some(1), "{of}: {outcome:?}");
        assert!(outcome.stdout.contains(says), "{outcome:?}");
        assert!(bundle.summary()["deviation_problems"][0].as_str().unwrap().contains(says));
        assert!(bundle.text("data/run/junit.xml").contains(says));
    }
    let list = file(&folder, "d.yaml", "- {case: \"1\"}\n");
    let (outcome, bundle) = practice(&["--deviations", &list]);
    assert_eq!((outcome.code, bundle.is_none()), (Some(2), true));
    assert!(outcome.stderr.contains("d.yaml:1"), "{outcome:?}");
}

/// Case 703 against an endpoint whose time is its own: the first run sends, the second finds the report.
#[test]
fn a_message_that_nobody_collects_takes_two_runs() {
    let endpoint = Endpoint::start_arranged(mesh_witness::emulator::Arrangement {
        mailboxes: vec![mesh_witness::emulator::Mailbox::new(
            mesh_witness::protocol::MailboxId::parse("DORMANT").unwrap(),
            mesh_witness::protocol::Password::new("x"),
        )],
        ..Default::default()
    });
    let config = endpoint.config();
    let tags = ["--tags", "@case-201 or @case-703"];
    let (_, bundle) = play(&config, &tags);
    let reason = bundle.summary()["cases"][1]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("mailboxes.dormant"), "{reason}");
    let config_text = |config: &Config| {
        let path = config.write();
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("  counterpart: {", "  dormant: {id: DORMANT}\n  counterpart: {");
        fs::write(&path, text).unwrap();
        path
    };
    let run = |bundle: &Path, more: &[&str]| {
        let file = config_text(&config);
        let mut all = vec!["run", "--config", file.to_str().unwrap(), "--bundle", bundle.to_str().unwrap()];
        all.extend(tags);
        all.extend(more);
        (witness(&all), Bundle::open(bundle))
    };
    let (first, second, third) =
        ["1.zip", "2.zip", "3.zip"].map(|name| endpoint.folder.path().join(name)).into();
    let (outcome, bundle) = run(&first, &[]);
    assert_eq!((outcome.code, outcomes(&bundle)[1].as_str()), (Some(3), "not run"), "{outcome:?}");
    let pending = bundle.summary()["pending"][0].clone();
    assert_eq!(pending["case"], "703");
    // Too early: the message is taken along.
    let (outcome, bundle) = run(&second, &["--resume", first.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert_eq!(bundle.summary()["pending"][0], pending);
    // A bundle that was changed is not gone on with.
    let mut bytes = fs::read(&second).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&second, bytes).unwrap();
    let file = config_text(&config);
    let (changed, other) = (second.to_str().unwrap(), third.to_str().unwrap());
    let outcome =
        witness(&["run", "--config", file.to_str().unwrap(), "--bundle", other, "--resume", changed]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("is not whole"), "{outcome:?}");
}

/// A certificate would be for messages that nobody has seen.
#[test]
fn messages_that_are_smaller_than_the_pack_asks_for_are_told() {
    let endpoint = Endpoint::start();
    let file = endpoint.config().write();
    let text = fs::read_to_string(&file).unwrap();
    let run = |name: &str, bytes: u64, tags: &str| {
        let more = format!("chunking: {{message_bytes: {bytes}, chunk_bytes: 40000}}\n");
        fs::write(&file, text.clone() + &more).unwrap();
        let path = endpoint.folder.path().join(name);
        let config = file.to_str().unwrap();
        let all = ["run", "--config", config, "--tags", tags, "--bundle", path.to_str().unwrap()];
        (witness(&all), path)
    };
    let (outcome, path) = run("1.zip", 100_000, "@case-501 or @case-502");
    let told = "501 and 502 are played with 100000 bytes (chunking.message_bytes); the pack asks for more than 200 MB";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
    let bundle = Bundle::open(&path);
    for name in ["data/summary.json", "data/conformance.md", "data/report.html"] {
        assert!(bundle.text(name).contains(told), "{name}");
    }
    let (outcome, _) = run("2.zip", 100_000, "@case-501");
    assert!(outcome.stderr.contains("501 is played with 100000 bytes"), "{outcome:?}");
    let (outcome, _) = run("3.zip", 100_000, "@case-201");
    assert!(!outcome.stderr.contains("more than 200 MB"), "{outcome:?}");
    let (outcome, path) = run("4.zip", 40_000, "@case-501");
    assert_eq!((outcome.code, path.exists()), (Some(2), false), "{outcome:?}");
    assert!(outcome.stderr.contains("chunking.message_bytes: makes one chunk"), "{outcome:?}");
}

#[test]
fn compare_says_what_got_worse() {
    let folder = TempDir::new().unwrap();
    let pack = failing(&folder);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = |name: &str, more: &[&str]| {
        let bundle = path(name);
        let mut all = vec!["run", "--pack", &pack, "--bundle", &bundle];
        all.extend(more);
        witness(&all)
    };
    run("bad.zip", &[]);
    let feature = folder.path().join("own/own.feature");
    fs::write(&feature, fs::read_to_string(&feature).unwrap().replace("with 404", "with 403")).unwrap();
    let list = file(&folder, "d.yaml", &deviation("scenario: bad", "2999-01-01"));
    run("known.zip", &["--deviations", &list, "--compare-with", &path("bad.zip")]);
    let compare = |old: &str, new: &str| witness(&["compare", &path(old), &path(new)]);
    let same = compare("bad.zip", "bad.zip");
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.stdout.contains("still failing  999 bad") && same.stdout.contains("nothing got worse"));
    let worse = compare("known.zip", "bad.zip");
    assert_eq!(worse.code, Some(1), "{worse:?}");
    assert!(worse.stdout.contains("expected deviation -> error (worse)"), "{worse:?}");
    let known = Bundle::open(&folder.path().join("known.zip")).text("data/conformance.md");
    assert!(known.contains("still failing: 999 bad, was error, is expected deviation"), "{known}");
    assert_eq!(compare("bad.zip", "nonesuch.zip").code, Some(2));
    // An entry that is about nothing fails the run, though every case is as it was.
    fs::write(&list, deviation("scenario: bad", "2999-01-01") + &deviation("case: \"123\"", "2999-01-01"))
        .unwrap();
    run("stale.zip", &["--deviations", &list, "--compare-with", &path("known.zip")]);
    let stale = compare("known.zip", "stale.zip");
    assert_eq!(stale.code, Some(1), "{stale:?}");
    assert!(stale.stdout.contains("newly failing  list of deviations: the expected deviation of case 123"));
    let told = Bundle::open(&folder.path().join("stale.zip")).text("data/conformance.md");
    assert!(
        told.contains("- newly failing: list of deviations: the expected deviation of case 123"),
        "{told}"
    );
}

/// At a real endpoint others write into the mailbox as well: what they sent stays, whole pages of it.
#[test]
fn a_full_inbox_of_others_is_no_fault_of_the_product() {
    let endpoint = Endpoint::start_with(false, Arrangement { admin: true, ..Arrangement::default() });
    for number in 0..501 {
        let report = json!({
            "mailbox_id": "PRODUCT", "code": "14", "description": "not collected", "workflow_id": "OTHER",
            "subject": format!("{number}"),
        });
        admin(&endpoint.url, "POST", "report", &report);
    }
    let (outcome, bundle) = play(&endpoint.config(), &["--tags", "@case-601 or @case-401"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcomes(&bundle), ["passed", "passed"]);
    let har: Value = serde_json::from_slice(&bundle.files["data/run/exchanges.har"]).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    let acknowledged = entries.iter().filter(|entry| entry["_operation"] == "acknowledge message").count();
    assert_eq!(acknowledged, 601, "and what others have sent stays");
}
