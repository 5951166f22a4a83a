//! A product that a program drives.

use std::fs;

use mesh_witness::{emulator::Pki, protocol::MailboxId};
use tempfile::TempDir;

use crate::{Rig, acting, support::eventually, the_file};

#[test]
fn a_product_that_does_as_it_should_passes_the_whole_pack() {
    let rig = Rig::empty();
    let outcome = rig.play(&acting::driver(&[]), &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bundle = rig.read();
    for (case, outcome) in bundle.outcomes() {
        let expected = if case.starts_with('8') { "not run" } else { "passed" };
        assert_eq!(outcome, expected, "case {case}");
    }
    let summary = bundle.summary();
    let found = summary["rules"].as_array().unwrap().iter().filter(|rule| rule["findings_in_all"] != 0);
    assert_eq!(found.map(|rule| rule["id"].to_string()).collect::<Vec<_>>(), [] as [String; 0]);
    assert_eq!(summary["rule_counts"]["held"], 30, "{}", summary["rule_counts"]);
    let text = the_file(&bundle, "201-02-send.txt");
    assert!(text.contains("exit code 0") && text.contains("MESH_RECIPIENT_ID=X26C0001"), "{text}");
    assert!(!text.contains("MESH_SHARED_KEY") && !text.contains("MESH_MAILBOX_PASSWORD"), "{text}");
    let har = bundle.text("data/run/exchanges.har");
    let handshakes = har.matches("\"POST\"").count();
    assert!(handshakes > 0);
    let report = bundle.text("data/report.html");
    assert!(report.contains("data/product/"), "the report says where the program's output is");
    assert!(
        bundle.text("data/README.txt").contains("practice"),
        "what was played on the emulator is practice"
    );
}

/// Quirk, cases to play, the outcome of the first that fails, what is said.
const QUIRKS: [(&str, &str, &str); 33] = [
    ("sends-twice", "@case-201", "the product sent the message more than once, and each was accepted"),
    ("sends-a-copy", "@case-201", "the product sent the message to somebody else as well"),
    (
        "workflow-of-its-own",
        "@case-201",
        "the product sent the message with another workflow id than it was asked to",
    ),
    (
        "workflow-of-its-own",
        "@case-502",
        "the product sent the message with another workflow id than it was asked to",
    ),
    ("downloads-twice", "@case-401", "the message was downloaded more than once before it was acknowledged"),
    ("downloads-twice", "@case-501", "chunks were not downloaded in order, each once"),
    ("mixes-up-labels", "@case-201", "the label of mex-subject in mex-localid, and another in its place"),
    ("counts-chunks-from-zero", "@case-502", "the chunks are not numbered one after the other"),
    ("acknowledges-unread", "@case-401", "the message was acknowledged before it was downloaded"),
    ("acknowledges-unread", "@case-501", "the message was acknowledged before it was downloaded"),
    ("acknowledges-unread", "@case-703", "the message was acknowledged before it was downloaded"),
    ("takes-nothing", "@case-501", "the message was not downloaded in all its chunks"),
    ("takes-nothing", "@case-702", "and the product did not download it"),
    ("takes-nothing", "@case-703", "and the product did not download it"),
    ("looks-for-another-workflow", "@case-401", "leaves the message out by its workflow_filter"),
    ("looks-for-another-workflow", "@case-703", "leaves the message out by its workflow_filter"),
    ("insists-on-its-recipient", "@case-702", "the product repeats a call that was refused for good"),
    ("keeps-refusals", "@case-704", "the product keeps the answer to a refused download"),
    ("keeps-refusals", "@case-705", "the product keeps the answer to a refused download"),
    ("keeps-text", "@case-401", "is not what was sent"),
    ("converts-line-ends", "@case-201", "the product sent something else than it was asked to send"),
    ("converts-line-ends", "@case-401", "is not what was sent"),
    ("strips-white-space", "@case-401 or @case-402 or @case-501", "is not what was sent"),
    ("strips-the-byte-order-mark", "@case-401 or @case-402 or @case-501", "is not what was sent"),
    ("strips-the-byte-order-mark", "@case-201 or @case-202", "the product sent something else"),
    ("loses-compressed", "@case-401 or @case-402", "the product does not hold message"),
    ("loses-chunked", "@case-401 or @case-501", "the product does not hold message"),
    ("loses-every-second", "@case-601", "the product does not hold 300 of 600 messages"),
    ("labels-as-the-one-before", "@case-201 or @case-202", "with the local id of another message"),
    (
        "looks-at-headers-first insists-on-headers",
        "@case-704",
        "the product repeats a call that was refused for good",
    ),
    ("always-fails", "@case-201", "the product believes that it failed, and by the wire it succeeded"),
    (
        "takes-no-for-yes",
        "@case-701",
        "the product believes that it succeeded, and check inbox was answered 403",
    ),
    (
        "takes-no-for-yes",
        "@case-702",
        "the product believes that it succeeded, and send message was answered 417",
    ),
];

#[test]
fn a_product_that_does_otherwise_is_told_what() {
    for (quirk, tag, what) in QUIRKS {
        let rig = Rig::empty();
        let words: Vec<&str> = quirk.split_whitespace().collect();
        let outcome = rig.play(&acting::driver(&words), &["--tags", tag]);
        assert_eq!(outcome.code, Some(1), "{quirk}: {outcome:?}");
        let fault = rig.read().fault();
        assert!(fault["what"].as_str().unwrap().to_lowercase().contains(what), "{quirk}: {fault}");
        assert_eq!(fault["kind"], "product", "{quirk}");
    }
}

/// What was stored wrongly at the first download is no answer to the second, which was refused.
#[test]
fn a_product_that_alters_what_it_stores_is_not_accused_of_more() {
    let rig = Rig::empty();
    let outcome = rig.play(&acting::driver(&["keeps-text"]), &["--tags", "@case-705"]);
    assert!(!outcome.stdout.contains("refused download"), "{outcome:?}");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

/// Pages of another length than the pack's are no fault of anybody's; only full ones show what case 601 is about.
#[test]
fn a_product_may_ask_for_pages_of_another_length() {
    for (quirk, code, outcome, says) in [
        (
            "takes-small-pages",
            0,
            "warning",
            "pages of 300 messages, and the pack's case is about pages of 500",
        ),
        ("takes-large-pages", 3, "not run", "pages of 5000 messages (max_results), which 600 do not fill"),
    ] {
        let rig = Rig::empty();
        let played = rig.play(&acting::driver(&[quirk]), &["--tags", "@case-601"]);
        assert_eq!(played.code, Some(code), "{quirk}: {played:?}");
        let bundle = rig.read();
        assert_eq!(bundle.outcomes()[0].1, outcome, "{quirk}");
        assert!(bundle.text("data/report.html").replace("&#39;", "'").contains(says), "{quirk}");
    }
}

/// One that shows something and then does not is another matter: it is among the quirks above.
#[test]
fn a_product_that_shows_nothing_of_what_it_holds_has_a_warning() {
    let rig = Rig::empty();
    let outcome = rig.play(&acting::driver(&["keeps-nothing"]), &["--tags", "@case-401 or @case-402"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for (case, outcome) in rig.read().outcomes() {
        assert_eq!(outcome, "warning", "{case}");
    }
}

#[test]
fn a_product_may_look_at_headers_before_it_downloads() {
    let rig = Rig::empty();
    let outcome =
        rig.play(&acting::driver(&["looks-at-headers-first"]), &["--tags", "@case-704 or @case-705"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for (case, outcome) in rig.read().outcomes() {
        assert_eq!(outcome, "passed", "{case}");
    }
}

/// A report has headers and no content.
#[test]
fn a_product_may_read_reports_by_their_headers_alone() {
    let rig = Rig::empty();
    let driver = acting::driver(&["reads-reports-by-their-headers"]);
    let outcome = rig.play(&driver, &["--tags", "@case-702 or @case-703"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bundle = rig.read();
    for (case, outcome) in bundle.outcomes() {
        assert_eq!(outcome, "passed", "{case}");
    }
    let rules = bundle.summary()["rules"].as_array().unwrap().clone();
    assert!(
        rules.iter().all(|rule| rule["verdict"] != "broken" && rule["verdict"] != "warning"),
        "{rules:#?}"
    );
}

#[test]
fn a_product_that_looks_again_after_each_message_works_no_page_off() {
    let rig = Rig::empty();
    let outcome = rig.play(&acting::driver(&["looks-after-each-message"]), &["--tags", "@case-601"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bundle = rig.read();
    assert_eq!(bundle.outcomes()[0].1, "warning");
    assert!(bundle.text("data/report.html").contains("599 of 600 pages left unfinished"));
}

#[test]
fn a_program_that_exits_well_and_does_nothing_fails() {
    let rig = Rig::empty();
    rig.file("idle.sh", "#!/bin/sh\necho \"action $1\"; echo here >&2; env | cut -d= -f1 | sort\n", 0o755);
    let outcome = rig.play("{command: [./idle.sh]}", &["--tags", "@case-201 or @case-401"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let bundle = rig.read();
    let fault = bundle.fault();
    assert_eq!(fault["what"], "the product was asked to validate its mailbox, and made no call");
    assert!(fault["seen"].as_str().unwrap().starts_with("exit code 0 after"), "{fault}");
    // The second is not asked again.
    assert_eq!(bundle.outcomes()[1].1, "not run");
    let text = the_file(&bundle, "-handshake.txt");
    assert!(text.contains("action handshake") && text.contains("here"), "{text}");
    let output = text.split("--- standard output").nth(1).unwrap();
    let names: Vec<&str> = output.lines().filter(|line| !line.is_empty() && !line.contains(' ')).collect();
    for name in ["MESH_URL", "MESH_CA_FILE", "MESH_CLIENT_CERT", "MESH_CLIENT_KEY", "MESH_SHARED_KEY", "PATH"]
    {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let others: Vec<&&str> =
        names.iter().filter(|name| name.starts_with("CARGO") || name.starts_with("NEXTEST")).collect();
    assert!(others.is_empty(), "our own environment is not handed on: {others:?}");
}

#[test]
fn what_the_program_prints_of_secrets_is_not_kept() {
    let rig = Rig::empty();
    rig.file("leak.sh", "#!/bin/sh\necho \"it is $MESH_SHARED_KEY and $MESH_MAILBOX_PASSWORD\"\nhead -c 200000 /dev/zero | tr '\\0' x\n", 0o755);
    let lines = "emulator: {shared_key: th1s-is-a-key-of-mine}\n";
    let outcome = rig.play_with("{command: [./leak.sh]}", lines, &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let bundle = rig.read();
    bundle.assert_lacks("th1s-is-a-key-of-mine");
    let text = the_file(&bundle, "-handshake.txt");
    assert!(
        text.contains("it is [") && text.contains("the first 65536 here") && text.len() < 80_000,
        "{} bytes",
        text.len()
    );
}

/// Where what is kept ends, and in the shape in which programs print keys.
#[test]
fn neither_half_a_secret_nor_a_private_key_is_kept() {
    let rig = Rig::empty();
    let script = "#!/bin/sh\nhead -c 65528 /dev/zero | tr '\\0' x\necho $MESH_SHARED_KEY\ncat \"$MESH_CLIENT_KEY\" >&2\n";
    rig.file("leak.sh", script, 0o755);
    let lines = "emulator: {shared_key: th1s-is-a-key-of-mine}\n";
    let outcome = rig.play_with("{command: [./leak.sh]}", lines, &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let bundle = rig.read();
    bundle.assert_lacks("th1s-is-");
    let text = the_file(&bundle, "-handshake.txt");
    assert!(
        text.contains("PRIVATE KEY-----[redacted]-----END"),
        "{}",
        &text[text.len().saturating_sub(500)..]
    );
}

#[test]
fn a_program_that_cannot_be_started_is_a_fault_of_the_configuration() {
    let rig = Rig::empty();
    rig.file("plain.txt", "no program", 0o644);
    rig.file("windows.sh", "#!/bin/sh\r\nexit 0\r\n", 0o755);
    rig.file("strange.sh", "#! /no/such/shell -e\nexit 0\n", 0o755);
    for (command, what) in [
        ("[./nothing.sh]", "./nothing.sh: there is no such program"),
        ("[no-such-program-anywhere]", "no-such-program-anywhere: there is no such program"),
        ("[./plain.txt]", "./plain.txt: is not executable"),
        ("[./windows.sh]", "save the file with the line ends of this system: \\r is Windows'"),
        ("[./strange.sh]", "./strange.sh: its first line asks for \"/no/such/shell\", which is not there"),
    ] {
        let outcome = rig.play(&format!("{{command: {command}}}"), &["--tags", "@case-201"]);
        assert_eq!(outcome.code, Some(2), "{command}: {outcome:?}");
        assert!(outcome.stderr.contains(what), "{outcome:?}");
        let place = "mesh-witness.yaml:4: product.driver.command: ";
        assert!(outcome.stderr.contains(place), "{outcome:?}");
        assert!(!rig.bundle().exists());
    }
}

#[test]
fn a_program_that_does_not_end_is_ended_with_all_that_it_has_started() {
    let rig = Rig::empty();
    let mark = rig.folder.path().join("child");
    // The child would live for an hour, and holds the output open.
    let script = format!("#!/bin/sh\nsleep 3600 &\necho $! >{}\nwait\n", mark.display());
    rig.file("stuck.sh", &script, 0o755);
    let outcome = rig.play("{command: [./stuck.sh], timeout: 1s}", &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let fault = rig.read().fault();
    assert!(fault["seen"].as_str().unwrap().contains("time limit of 1 s"), "{fault}");
    let child = fs::read_to_string(&mark).unwrap();
    let process = format!("/proc/{}/stat", child.trim());
    // Gone, or dead and not yet collected by whoever inherited it.
    eventually("the child is ended", || {
        fs::read_to_string(&process).map_or(true, |stat| stat.contains(") Z "))
    });
}

/// A handshake of TLS that fails is no call, and the product itself may only have said "bad certificate".
#[test]
fn a_product_that_tls_keeps_away_is_told_why() {
    let folder = TempDir::new().unwrap();
    for (authority, quirks, why) in [
        (
            "A stranger's CA",
            &["MESH_CLIENT_CERT=X26P0001.pem", "MESH_CLIENT_KEY=X26P0001-key.pem"][..],
            "is from another authority",
        ),
        (
            "mesh-witness emulator CA",
            &["MESH_CLIENT_CERT=X26P0001.pem", "MESH_CLIENT_KEY=X26P0001-key.pem"],
            "is from an earlier start",
        ),
        ("A stranger's CA", &["MESH_CA_FILE=ca.pem"], "the client refused the endpoint's certificate"),
    ] {
        let shown = folder.path().join(authority);
        let pki = Pki::named(authority, "localhost", vec!["localhost".to_owned()]).unwrap();
        pki.write_to(&shown, &[MailboxId::parse("X26P0001").unwrap()]).unwrap();
        let placed: Vec<String> =
            quirks.iter().map(|quirk| quirk.replacen('=', &format!("={}/", shown.display()), 1)).collect();
        let driver = acting::driver(&placed.iter().map(String::as_str).collect::<Vec<_>>());
        let rig = Rig::empty();
        let outcome = rig.play(&driver, &["--tags", "@case-201"]);
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let fault = rig.read().fault();
        assert!(fault["what"].as_str().unwrap().ends_with("made no call"), "{fault}");
        assert!(fault["seen"].as_str().unwrap().contains(why), "{why}: {fault}");
    }
}
