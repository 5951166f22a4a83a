//! Packs, selections and interruptions: what may be played, and what is never green.

mod support;

use std::{fs, io::Read, path::Path, process::Stdio, time::Duration};

use support::{Bundle, Config, Outcome, Server, eventually, program, witness};
use tempfile::TempDir;

fn pack(feature: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("own.feature"), feature).unwrap();
    folder
}

fn play(arguments: &[&str]) -> (Outcome, TempDir) {
    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("bundle.zip");
    let mut all = vec!["run", "--bundle", bundle.to_str().unwrap()];
    all.extend(arguments);
    (witness(&all), folder)
}

fn play_feature(feature: &str) -> (Outcome, TempDir) {
    let pack = pack(feature);
    play(&["--pack", pack.path().to_str().unwrap()])
}

fn bundle(folder: &TempDir) -> Bundle {
    Bundle::open(&folder.path().join("bundle.zip"))
}

/// Nothing was played, the message has all of this, and there is no bundle that could be taken for one.
fn assert_refused((outcome, folder): (Outcome, TempDir), says: &[&str]) {
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    for text in says {
        assert!(outcome.stderr.contains(text), "{text:?} is not in: {}", outcome.stderr);
    }
    assert!(!folder.path().join("bundle.zip").exists());
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

/// Every case of the pack; what a person attests is not run, and never passed.
fn practice() -> Vec<(String, String)> {
    let played =
        "201 202 401 402 501 502 601 701 702 703 704 705 705".split(' ').map(|case| (case, "passed"));
    let attested = ["801", "802", "803"].map(|case| (case, "not run"));
    played.chain(attested).map(|(case, outcome)| (case.to_owned(), outcome.to_owned())).collect()
}

#[test]
fn without_anything_the_witness_pack_passes_on_the_emulator() {
    let (outcome, folder) = play(&[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("EMULATED: practice, not evidence"));
    let bundle = bundle(&folder);
    assert_eq!(bundle.outcomes(), practice());
    assert_eq!(bundle.summary()["environment"]["emulated"], true);
    assert!(bundle.text("data/report.html").contains("EMULATED: practice, not evidence"));
    let features: Vec<&String> = bundle.files.keys().filter(|name| name.starts_with("data/pack/")).collect();
    assert_eq!(
        features,
        [
            "data/pack/requirements.yaml",
            "data/pack/witness/200-sending.feature",
            "data/pack/witness/400-receiving.feature",
            "data/pack/witness/500-chunks.feature",
            "data/pack/witness/600-volume.feature",
            "data/pack/witness/700-errors.feature",
            "data/pack/witness/800-attestations.feature",
        ]
    );
    let original =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("features/witness/200-sending.feature")).unwrap();
    assert_eq!(bundle.files["data/pack/witness/200-sending.feature"], original);
}

#[test]
fn json_is_the_summary_and_nothing_else() {
    let (outcome, folder) = play(&["--format", "json", "--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let printed: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(printed, bundle(&folder).summary());
}

#[test]
fn a_tag_expression_selects() {
    let (outcome, folder) = play(&["--tags", "@case-201 or @case-402"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let cases: Vec<String> = bundle(&folder).outcomes().into_iter().map(|(case, _)| case).collect();
    assert_eq!(cases, ["201", "402"]);
}

#[test]
fn any_concurrency_gives_the_same_outcome() {
    for concurrency in ["1", "3", "256"] {
        let (outcome, folder) = play(&["--concurrency", concurrency, "--tags", "not @case-601"]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let expected: Vec<_> = practice().into_iter().filter(|(case, _)| case != "601").collect();
        assert_eq!(bundle(&folder).outcomes(), expected);
    }
}

#[test]
fn a_selection_of_nothing_is_refused() {
    assert_refused(play(&["--tags", "@case-999"]), &["nothing to play", "@case-999"]);
    assert_refused(play(&["--tags", "case-201"]), &["is not a tag expression", "@"]);
    assert_refused(play(&["--tags", "@a and"]), &["is not a tag expression"]);
    assert_refused(play_feature("# nothing\n"), &["nothing to play"]);
    assert_refused(play_feature("Feature: empty\n"), &["nothing to play"]);
}

#[test]
fn a_pack_that_is_none_is_refused() {
    assert_refused(play(&["--pack", "nonesuch"]), &["nonesuch", "witness"]);
    let empty = TempDir::new().unwrap();
    assert_refused(play(&["--pack", empty.path().to_str().unwrap()]), &["has no file that ends in .feature"]);
}

#[test]
fn what_is_not_gherkin_is_refused_by_place() {
    let feature = "Feature: x\n  Scenario: y\n    Given a mailbox\n    Oops\n";
    assert_refused(play_feature(feature), &["own.feature:4:5: is not Gherkin", "Oops"]);
}

#[test]
fn an_unknown_step_is_refused_by_place() {
    let feature = "Feature: x\n  Scenario: y\n    When the product does a somersault\n";
    assert_refused(play_feature(feature), &["own.feature:3", "somersault", "no such step"]);
}

#[test]
fn a_mistyped_step_gets_the_nearest_one() {
    let feature = "Feature: x\n  Scenario: y\n    When the product checks it's inbox\n";
    assert_refused(play_feature(feature), &["did you mean: When the product checks its inbox"]);
    let feature = "Feature: x\n  Scenario: y\n    Given the product checks its inbox\n";
    assert_refused(play_feature(feature), &["did you mean: When the product checks its inbox"]);
}

#[test]
fn a_scenario_without_steps_is_refused() {
    assert_refused(play_feature("Feature: x\n  Scenario: empty\n"), &["own.feature:2", "has no steps"]);
}

#[test]
fn examples_without_rows_are_refused() {
    let feature = "Feature: x\n  Scenario Outline: y\n    When the product checks its inbox\n    Examples:\n      | a |\n";
    assert_refused(play_feature(feature), &["own.feature:4:1", "no rows"]);
}

#[test]
fn an_outline_without_examples_is_refused() {
    let feature = "Feature: x\n  Scenario Outline: y\n    When the product checks its inbox\n";
    assert_refused(play_feature(feature), &["own.feature:2:1", "this outline has no examples"]);
}

/// Headers that nobody names are there in any send.
#[test]
fn a_step_that_lacks_its_table_is_refused_and_so_is_a_table_that_no_step_looks_at() {
    let sent = |below: &str| {
        let given = "Given a mailbox for the product and another for an independent counterpart";
        let when = "When the product sends a message of 10 bytes to the counterpart";
        play_feature(&format!("Feature: x\n  Scenario: y\n    {given}\n    {when}\n    {below}\n"))
    };
    let headers = "Then the message was sent with these headers";
    let accepted = "Then MESH accepts the message and gives it a message ID";
    assert_refused(sent(headers), &["own.feature:5", "it lacks the table below it"]);
    assert_refused(
        sent(&format!("{accepted}\n      | Mex-To |")),
        &["own.feature:5", "nothing looks at the table"],
    );
    let text = format!("{accepted}\n      \"\"\"\n      202\n      \"\"\"");
    assert_refused(sent(&text), &["own.feature:5", "nothing looks at the text"]);
    let (outcome, _) = sent(&format!("{headers}\n      | Mex-To |"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn a_step_out_of_order_is_an_error_not_a_failure_and_the_rest_is_not_run() {
    let feature = "Feature: x\n  Scenario: y\n    Then MESH accepts the message and gives it a message ID\n    When the product checks its inbox\n";
    let (outcome, folder) = play_feature(feature);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let bundle = bundle(&folder);
    assert_eq!(bundle.fault()["what"], "this step needs a send before it, and there was none");
    assert_eq!(bundle.summary()["counts"]["error"], 1);
}

#[test]
fn outlines_rules_and_backgrounds_are_played() {
    let feature = "Feature: x
  Background:
    Given a mailbox for the product and another for an independent counterpart
  Rule: sizes
    Background:
      Given the product has validated its mailbox within the last 24 hours
    Scenario Outline: send <size>
      When the product sends a message of <size> bytes to the counterpart
      Then MESH accepts the message and gives it a message ID
      When the counterpart collects the message
      Then the payload that arrived is the payload that was sent
      Examples:
        | size    |
        | 1       |
        | 255     |
        | 2000000 |
";
    let (outcome, folder) = play_feature(feature);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let summary = bundle(&folder).summary();
    assert_eq!(summary["counts"]["passed"], 3);
    assert_eq!(summary["cases"][2]["name"], "send 2000000");
}

#[test]
fn a_tag_that_begins_with_retry_repeats_nothing() {
    let feature = "Feature: x
  @retry-policy
  Scenario: y
    Given the product has validated its mailbox within the last 24 hours
    Then MESH accepts the message and gives it a message ID
";
    let (outcome, folder) = play_feature(feature);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert_eq!(bundle(&folder).summary()["cases"][0]["exchanges"], 1, "one handshake, not one an attempt");
}

#[test]
fn a_secret_in_a_pack_is_found_and_there_is_no_bundle() {
    let secret = "s3cret-in-the-pack";
    let feature = format!(
        "Feature: x\n  # {secret}\n  Scenario: y\n    Given a mailbox for the product and another for an independent counterpart\n"
    );
    let pack = pack(&feature);
    let endpoint = support::Endpoint::start();
    let mut config = endpoint.config();
    config.set("shared_key", secret);
    let file = config.write();
    let bundle = endpoint.folder.path().join("bundle.zip");
    let arguments = [
        "run",
        "--config",
        file.to_str().unwrap(),
        "--pack",
        pack.path().to_str().unwrap(),
        "--bundle",
        bundle.to_str().unwrap(),
    ];
    let outcome = witness(&arguments);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let told = "own.feature:2: the secret endpoint.shared_key is in it";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("playing"), "told before anything is played: {outcome:?}");
    assert!(!format!("{outcome:?}").contains(secret), "the message does not repeat it");
    assert!(!bundle.exists());
    // Neither in what people say.
    let said =
        format!("- {{case: \"801\", name: N, role: R, date: 2026-01-01, statement: It is\n   {secret}}}\n");
    let known = format!(
        "- {{case: \"705\", reason: R, reference: T, owner: O, expires: 2999-01-01}}\n- {{case: \"704\", reason: {secret}, reference: T, owner: O, expires: 2999-01-01}}\n"
    );
    for (option, list) in [("--attestations", said), ("--deviations", known)] {
        let path = endpoint.folder.path().join("list.yaml");
        fs::write(&path, list).unwrap();
        let listed = [option, path.to_str().unwrap()];
        let outcome = witness(&[&arguments[..3], &arguments[5..], &listed].concat());
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        let told = "list.yaml:2: the secret endpoint.shared_key is in it";
        assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
        assert!(!outcome.stdout.contains("playing") && !bundle.exists(), "{outcome:?}");
    }
}

#[test]
fn a_bundle_that_cannot_be_written_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("bundle.zip");
    let outcome = witness(&["run", "--bundle", below.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("there is no bundle"), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("playing"), "told before anything is played: {outcome:?}");
}

/// Evidence, a configuration, a key: nobody gets it back.
#[test]
fn what_is_there_is_never_replaced() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("key.pem"), "a private key").unwrap();
    let mut taken = vec![path("key.pem")];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("key.pem", path("link.zip")).unwrap();
        taken.push(path("link.zip"));
    }
    for place in &taken {
        let outcome = witness(&["run", "--tags", "@case-201", "--bundle", place]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        let told = format!("{place}: is there already, and nothing is written over: name another file");
        assert!(outcome.stderr.contains(&told), "{}", outcome.stderr);
        assert!(!outcome.stdout.contains("playing"), "told before anything is played: {outcome:?}");
    }
    assert_eq!(fs::read_to_string(path("key.pem")).unwrap(), "a private key");
    // A folder is no file: that is the call's fault, and no disk's.
    let outcome = witness(&["run", "--tags", "@case-201", "--bundle", folder.path().to_str().unwrap()]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("is a folder: give the name of a file"), "{}", outcome.stderr);
}

/// A run may take hours, and so may another that was given the same name.
#[cfg(unix)]
#[test]
fn a_file_that_appears_while_a_run_goes_on_is_left_and_the_bundle_is_beside_it() {
    let (called, calls) = std::sync::mpsc::channel();
    let server = Server::start(move |mut stream| {
        called.send(()).unwrap();
        let mut buffer = [0; 65536];
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    });
    let folder = TempDir::new().unwrap();
    let file = Config::new(&server.url, folder.path()).write();
    let path = |name: &str| folder.path().join(name);
    let mut run = program();
    run.args(["run", "--config", file.to_str().unwrap(), "--bundle", path("bundle.zip").to_str().unwrap()]);
    let child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    calls.recv_timeout(Duration::from_secs(60)).expect("the run makes a call");
    fs::write(path("bundle.zip"), "of another run").unwrap();
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let outcome = Outcome::from(child.wait_with_output().unwrap());
    assert_eq!(fs::read_to_string(path("bundle.zip")).unwrap(), "of another run");
    let beside = path("bundle-2.zip");
    assert_eq!(Bundle::open(&beside).summary()["verdict"], "cut short");
    assert!(outcome.stderr.contains("has appeared while the run went on"), "{outcome:?}");
    assert!(outcome.stdout.contains("bundle-2.zip"), "{outcome:?}");
}

/// Bundles are unpacked on file systems that ignore case, too.
#[test]
fn feature_files_of_one_name_have_a_place_each() {
    let folder = TempDir::new().unwrap();
    let feature = "Feature: f\n  Scenario: s\n    Given the product has validated its mailbox within the last 24 hours\n";
    let mut arguments = Vec::new();
    for name in
        ["a/checks/send.feature", "b/checks/send.feature", "c/checks/Send.feature", "d/Checks/send.feature"]
    {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, feature).unwrap();
        arguments.extend(["--pack".to_owned(), path.parent().unwrap().to_str().unwrap().to_owned()]);
    }
    let (outcome, folder) = play(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bundle = bundle(&folder);
    let places: Vec<&String> = bundle.files.keys().filter(|name| name.ends_with(".feature")).collect();
    assert_eq!(
        places,
        [
            "data/pack/2-checks-send.feature",
            "data/pack/3-checks-Send.feature",
            "data/pack/4-Checks-send.feature",
            "data/pack/checks/send.feature",
        ]
    );
}

/// A run is not played of which there would be no bundle.
#[test]
fn a_feature_file_that_no_bundle_can_hold_is_refused() {
    let folder = TempDir::new().unwrap();
    let feature = "Feature: f\n  Scenario: s\n    Given the product has validated its mailbox within the last 24 hours\n";
    let file = folder.path().join("con.feature");
    fs::write(&file, feature).unwrap();
    assert_refused(play(&["--pack", file.to_str().unwrap()]), &["con.feature", "device", "rename it"]);
}

/// A pack may be somebody else's.
#[test]
fn a_title_does_nothing_to_a_terminal() {
    let own = "Feature: f\u{1b}[2J\n  Scenario: a\u{1b}[31m\u{202e}b\n    Given a mailbox for the product and another for an independent counterpart\n";
    let (outcome, _folder) = play_feature(own);
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!said.contains(['\u{1b}', '\u{202e}']) && said.contains("a\\u{1b}[31m\\u{202e}b"), "{outcome:?}");
}

#[test]
fn a_scenario_in_which_nobody_calls_anybody_is_not_green() {
    let own = "Feature: f\n  Scenario: s\n    Given a mailbox for the product and another for an independent counterpart\n";
    let (outcome, folder) = play_feature(own);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stdout.contains("nothing was measured"), "{}", outcome.stdout);
    let bundle = bundle(&folder);
    assert_eq!(bundle.summary()["cases"][0]["outcome"], "not run");
    assert_eq!(bundle.summary()["verdict"], "incomplete");
}

/// `run --format json > summary.json` on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_said_and_not_green() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = program().args(["steps", "--format", "json"]).stdout(full()).output().unwrap();
    assert_eq!(ended.status.code(), Some(3));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("standard output cannot be written") && said.contains("No space left"), "{said}");
}

/// Ctrl-C, the signal of service managers, and a terminal that is closed: the run says so, exits with neither
/// 0 nor 1, and the bundle that it leaves is good and marked.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_a_bundle_that_is_marked() {
    // The last only where a program can know that it is not to outlive its terminal: under nohup these tests are.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ends = ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 0);
    for signal in ["INT", "TERM"].into_iter().chain(ends.then_some("HUP")) {
        let (called, calls) = std::sync::mpsc::channel();
        let server = Server::start(move |mut stream| {
            called.send(()).unwrap();
            let mut buffer = [0; 65536];
            while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
        });
        let folder = TempDir::new().unwrap();
        let config = Config::new(&server.url, folder.path());
        let (file, path) = (config.write(), folder.path().join("bundle.zip"));
        let mut run = program();
        run.args(["run", "--config", file.to_str().unwrap(), "--bundle", path.to_str().unwrap()]);
        let child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        calls.recv_timeout(Duration::from_secs(60)).expect("the run makes a call");
        let killed = std::process::Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        let outcome = Outcome::from(child.wait_with_output().unwrap());
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        assert!(outcome.stdout.contains("CUT SHORT"), "{outcome:?}");
        let bundle = Bundle::open(&path);
        let summary = bundle.summary();
        assert_eq!(summary["verdict"], "cut short");
        assert!(summary["cut_short"].is_string());
        assert_eq!(bundle.summary()["counts"]["not_run"], 16);
        assert!(bundle.text("data/report.html").contains("cut short"));
        let messages = bundle.text("data/run/messages.ndjson");
        assert!(!messages.contains("{\"testRunFinished\":") && messages.contains("{\"testCaseStarted\":"));
        assert!(!messages.contains("{\"testCaseFinished\":") && messages.contains("\"PENDING\""));
        let verified = witness(&["verify", path.to_str().unwrap()]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
        assert!(verified.stdout.contains("verdict cut short, cut short"), "{verified:?}");
    }
}

/// `run | head -1`: the reader goes, the bundle stays.
#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_costs_no_bundle() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.zip");
    let mut run = program();
    let mut child = run
        .args(["run", "--tags", "@case-201", "--bundle"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let outcome = Outcome::from(child.wait_with_output().unwrap());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(witness(&["verify", path.to_str().unwrap()]).code, Some(0));
}

#[test]
fn two_runs_differ_only_where_they_must() {
    let shape = || {
        // Two scenarios of one case side by side could not be told apart.
        let (_, folder) = play(&["--concurrency", "1", "--tags", "not @case-601"]);
        let bundle = bundle(&folder);
        let har: serde_json::Value = serde_json::from_slice(&bundle.files["data/run/exchanges.har"]).unwrap();
        let entries = har["log"]["entries"].as_array().unwrap();
        let calls: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} {} {}", entry["_case"], entry["_actor"], entry["_operation"]))
            .collect();
        (bundle.files.keys().cloned().collect::<Vec<_>>(), calls)
    };
    let first = shape();
    assert!(first.1.len() > 20);
    assert_eq!(first, shape());
}

#[test]
fn a_wrong_call_is_2_and_help_is_0() {
    assert_eq!(witness(&["run", "--nonsense"]).code, Some(2));
    assert_eq!(witness(&[]).code, Some(2));
    assert_eq!(witness(&["run", "--concurrency", "0"]).code, Some(2));
    let help = witness(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("Exit codes"));
    eventually("version", || witness(&["--version"]).stdout.starts_with("mesh-witness "));
}

#[test]
fn check_says_whether_anybody_is_there_with_tls_and_without() {
    for endpoint in [support::Endpoint::start(), support::Endpoint::start_plain()] {
        let file = endpoint.config().write();
        let outcome = witness(&["check", "--config", file.to_str().unwrap()]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.contains("_ping: answers 200"), "{}", outcome.stdout);
        let mut config = endpoint.config();
        let (scheme, _) = endpoint.url.split_once(':').unwrap();
        config.set("url", &format!("{scheme}://127.0.0.1:1"));
        let outcome = witness(&["check", "--config", config.write().to_str().unwrap()]);
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        assert!(outcome.stderr.contains("nobody answers at http"), "{outcome:?}");
        assert!(outcome.stderr.contains("to mend   Check that the endpoint is up"), "{outcome:?}");
    }
}

/// Each is told as a run would tell it.
#[test]
fn check_says_what_to_mend_where_tls_fails() {
    let (endpoint, other) = (support::Endpoint::start(), support::Endpoint::start());
    let strange = |name: &str| other.folder.path().join(name).display().to_string();
    let mut config = endpoint.config();
    config.set("ca_file", &strange("ca.pem"));
    let outcome = witness(&["check", "--config", config.write().to_str().unwrap()]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("is not from the authority in endpoint.ca_file"), "{outcome:?}");
    let mut config = endpoint.config();
    config.set("client_certificate_file", &strange("PRODUCT.pem"));
    config.set("client_key_file", &strange("PRODUCT-key.pem"));
    let outcome = witness(&["check", "--config", config.write().to_str().unwrap()]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("refuses the client certificate"), "{outcome:?}");
    assert!(outcome.stderr.contains("to mend   Each environment has its own certificates"), "{outcome:?}");
}

/// `run` takes a configuration without an endpoint; whoever is told to check it first must not be told that
/// it is wrong.
#[test]
fn check_takes_what_run_takes_and_looks_for_the_program_of_a_driver() {
    let folder = TempDir::new().unwrap();
    let check = |command: &str| {
        let file = folder.path().join("mesh-witness.yaml");
        let text = format!("product: {{name: Example, version: \"1\", driver: {{command: [{command}]}}}}\n");
        std::fs::write(&file, text).unwrap();
        witness(&["check", "--config", file.to_str().unwrap()])
    };
    let own = std::env::current_exe().unwrap();
    let outcome = check(&format!("'{}'", own.display()));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("mesh-witness.yaml: is right"), "{outcome:?}");
    assert!(outcome.stdout.contains("endpoint: none, so a run brings its own: practice"), "{outcome:?}");
    let outcome = check("./nonesuch.sh");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
    assert!(
        outcome.stderr.contains("yaml:1: product.driver.command: ./nonesuch.sh: there is no such program"),
        "{outcome:?}"
    );
}
