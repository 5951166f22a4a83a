//! `mesh-witness judge`, as a person or a script calls it.

#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use mesh_witness::{
    protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token},
    tape::{EndFacts, HarLimits, HostRule, Mark, RecordingFacts, Redactor, TAPE_FILE, TapeWriter, read_har},
};
use serde_json::Value;

fn judge(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mesh-witness"));
    command.arg("judge").args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn har(name: &str) -> String {
    format!("{}/tests/judge/hars/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A bundle of the witness pack, played on the embedded endpoint.
fn bundle(folder: &Path) -> PathBuf {
    let bundle = folder.join("bundle.zip");
    let run =
        Command::new(env!("CARGO_BIN_EXE_mesh-witness")).arg("run").arg("--bundle").arg(&bundle).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", out(&run));
    bundle
}

fn unpack(bundle: &Path, folder: &Path) {
    zip::ZipArchive::new(fs::File::open(bundle).unwrap()).unwrap().extract(folder).unwrap();
}

/// Verdicts by rule.
fn verdicts(output: &Output) -> Vec<(String, String)> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rules = document["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| (rule["id"].as_str().unwrap().to_owned(), rule["verdict"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn the_reference_client_gives_no_finding_whatever_form_its_traffic_has() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path());
    let of_bundle = judge(&[bundle.to_str().unwrap(), "--format", "json"]);
    assert_eq!(of_bundle.status.code(), Some(0), "{}", out(&of_bundle));
    let found = verdicts(&of_bundle);
    let expected = |(_, verdict): &(String, String)| verdict == "held" || verdict == "not_applicable";
    assert!(found.iter().all(expected), "{found:?}");
    for must in [
        "token-hash",
        "client-certificate",
        "inbox-after-send",
        "acknowledge-after-download",
        "gzip-declared",
    ] {
        assert!(found.contains(&(must.to_owned(), "held".to_owned())), "{must}");
    }
    // The folder that it was unpacked into, its HAR, and a tape with the same exchanges.
    let unpacked = folder.path().join("unpacked");
    unpack(&bundle, &unpacked);
    let wire = unpacked.join("data/run/exchanges.har");
    let tape = folder.path().join("tape");
    let mut writer = TapeWriter::open(&tape, chrono::Utc::now()).unwrap();
    for entry in read_har(&wire, &Redactor::default(), &HarLimits::default()).unwrap().entries {
        writer.append(&entry.exchange).unwrap();
    }
    let of_folder = judge(&[unpacked.to_str().unwrap(), "--format", "json"]);
    assert_eq!(verdicts(&of_folder), found);
    for form in [wire, tape] {
        let mut found = found.clone();
        // That the run asked for such small chunks stands in the bundle only.
        let small = found.iter_mut().filter(|(rule, _)| rule == "chunk-size");
        small.for_each(|(_, is)| *is = "warning".to_owned());
        let judged = judge(&[form.to_str().unwrap(), "--format", "json"]);
        assert_eq!(verdicts(&judged), found, "{}", form.display());
    }
}

#[test]
fn a_damaged_bundle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path());
    let mut bytes = fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let judged = judge(&[bundle.to_str().unwrap()]);
    assert_eq!(judged.status.code(), Some(2));
    assert!(err(&judged).contains("not whole"), "{}", err(&judged));
}

#[test]
fn findings_tell_what_where_and_how_to_mend_it_worst_first() {
    let judged = judge(&[&har("firefox.har")]);
    assert_eq!(judged.status.code(), Some(1), "{}", out(&judged));
    let text = out(&judged);
    for part in [
        "source    har by Firefox 133.0, 1 exchanges",
        "FAILED  token-timestamp (MUST)",
        "2026-07-01T12:00:00Z  X26ABC1  exchange 1",
        "British Summer Time",
        "expected  202607011200",
        "seen      202607011300, which is 1 h 0 min ahead of UTC",
        "to mend   Take the time in UTC, not local time",
        "source    OpenAPI, MESH Authorization header",
        "NOT JUDGED",
        "a HAR says nothing of TLS",
        "FAILED: 1 rules broken",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.find("FAILED  token-timestamp") < text.find("HELD"));
}

#[test]
fn what_a_har_does_not_show_is_not_applicable() {
    let judged = judge(&[&har("chromium-sanitised.har"), "--format", "json"]);
    let found = verdicts(&judged);
    for rule in ["token-form", "token-hash", "token-timestamp", "token-repeated", "client-certificate"] {
        assert!(found.contains(&(rule.to_owned(), "not_applicable".to_owned())), "{rule} {found:?}");
    }
    assert_eq!(judged.status.code(), Some(0), "{}", out(&judged));
}

#[test]
fn other_programs_hars_are_read() {
    let judged = judge(&[&har("mitmproxy.har")]);
    assert!(out(&judged).contains("mitmproxy 11.0.2"), "{}", out(&judged));
    let judged = judge(&[&har("fiddler.har")]);
    assert_eq!(judged.status.code(), Some(0), "{}", out(&judged));
    // Recorded by Playwright in Chromium, against our own endpoint: a good day, but for a local ID.
    let judged = judge(&[&har("playwright.har"), "--format", "json"]);
    assert_eq!(judged.status.code(), Some(0), "{}", out(&judged));
    let found = verdicts(&judged);
    let odd: Vec<&str> =
        found.iter().filter(|(_, is)| is == "warning").map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(odd, ["patient-in-headers"]);
    assert!(!out(&judged).contains("9434765919"));
    for rule in ["inbox-after-send", "acknowledge-after-download", "handshake-first"] {
        assert!(found.contains(&(rule.to_owned(), "held".to_owned())), "{rule}");
    }
    let judged = judge(&[&har("charles.har")]);
    assert_eq!(judged.status.code(), Some(1));
    let text = out(&judged);
    assert!(text.contains("entry 2 was left out: it has no time"), "{text}");
    assert!(text.contains("a mailbox ID with lower-case letters"), "{text}");
}

#[test]
fn no_secret_of_a_har_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.har");
    let text = fs::read_to_string(har("charles.har")).unwrap();
    let hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let text = text
        .replace("X26ABC1/inbox", "X26ABC1/outbox")
        .replace(&format!(":{hash}"), &format!(":{hash}:{hash}"));
    fs::write(&path, text).unwrap();
    for format in ["text", "json"] {
        let judged = judge(&[path.to_str().unwrap(), "--format", format]);
        let all = out(&judged) + &err(&judged);
        assert!(!all.contains("0123456789abcdef01") && !all.contains("1c820cd4"), "{all}");
    }
}

#[test]
fn with_the_configuration_tokens_are_recomputed() {
    let endpoint = support::Endpoint::start();
    let configuration = endpoint.config().write();
    let credentials = Credentials {
        mailbox: MailboxId::parse("PRODUCT").unwrap(),
        password: Password::new(support::PASSWORD),
        shared_key: SharedKey::new(support::SHARED_KEY),
    };
    let at = "2026-11-21T12:00:00Z".parse().unwrap();
    let token = Token::build(&credentials, uuid::Uuid::new_v4(), NonceCount::new(1), at).to_string();
    let har_of = |token: &str| {
        format!(
            r#"{{"log":{{"creator":{{"name":"x"}},"entries":[{{"startedDateTime":"2026-11-21T12:00:03Z","request":{{"method":"GET","url":"{}/messageexchange/PRODUCT/inbox","headers":[{{"name":"Authorization","value":"{token}"}},{{"name":"Accept","value":"{}"}}]}},"response":{{"status":200}}}}]}}}}"#,
            endpoint.url,
            support::PASSWORD
        )
    };
    let path = endpoint.folder.path().join("x.har");
    for (token, verdict) in [(token.clone(), "held"), (token.replace(":1:", ":2:"), "broken")] {
        fs::write(&path, har_of(&token)).unwrap();
        let judged =
            judge(&[path.to_str().unwrap(), "--config", configuration.to_str().unwrap(), "--format", "json"]);
        assert!(
            verdicts(&judged).contains(&("token-hash".to_owned(), verdict.to_owned())),
            "{}{}",
            out(&judged),
            err(&judged)
        );
        assert!(!out(&judged).contains(support::PASSWORD));
        // Without it, that is said.
        let judged = judge(&[path.to_str().unwrap()]);
        assert!(out(&judged).contains("--config FILE names them"), "{}", out(&judged));
    }
}

#[test]
fn what_cannot_be_judged_is_exit_code_2_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (path, why) in [
        (file("text.txt", b"hello"), "none of the forms that can be judged"),
        (file("empty", b""), "none of the forms"),
        (file("bad.har", b"{\n  nonsense"), "line 2, column"),
        (file("json.har", b"{}"), "no HAR"),
        (file("none.har", br#"{"log":{"entries":[]}}"#), "nothing to judge"),
        (file("x.zip", b"PK\x03\x04"), "not whole"),
        ("/nonesuch".to_owned(), "cannot be read"),
        (folder.path().to_str().unwrap().to_owned(), "neither a tape.ndjson nor a bagit.txt"),
        ("/dev/null".to_owned(), "neither a file nor a folder"),
    ] {
        let judged = judge(&[&path]);
        assert_eq!(judged.status.code(), Some(2), "{path}");
        assert!(err(&judged).contains(why) && err(&judged).contains(&path), "{path}: {}", err(&judged));
        assert_eq!(out(&judged), "");
    }
    let utf_16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let judged = judge(&[&file("u16.har", &utf_16)]);
    assert_eq!(judged.status.code(), Some(2));
    assert!(err(&judged).contains("save it as UTF-8"), "{}", err(&judged));
    // Why nothing is left.
    let text = fs::read_to_string(har("fiddler.har")).unwrap().replace("4567+00:00", "");
    let judged = judge(&[&file("zone.har", text.as_bytes())]);
    assert_eq!(judged.status.code(), Some(2));
    assert!(err(&judged).contains("entry 1 was left out: its time has no time zone"), "{}", err(&judged));
    let text = text.replace("123\"", "123Z\"").replace("/messageexchange/", "//messageexchange/");
    let judged = judge(&[&file("stroke.har", text.as_bytes())]);
    assert_eq!(judged.status.code(), Some(2));
    assert!(err(&judged).contains("1 calls, the first of them exchange 1, have"), "{}", err(&judged));
    let other = judge(&[&har("firefox.har"), "--mailbox", "X26ABC9"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(err(&other).contains("no call of X26ABC9"), "{}", err(&other));
    assert_eq!(judge(&[&har("firefox.har"), "--mailbox", "a b"]).status.code(), Some(2));
    assert_eq!(judge(&[&har("firefox.har"), "--mailbox", "x26abc1"]).status.code(), Some(1));
}

/// Ended, and started again on the same tape three days later.
#[test]
fn a_tape_that_goes_on_after_it_was_ended_is_judged_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let read =
        read_har(Path::new(&har("playwright.har")), &Redactor::default(), &HarLimits::default()).unwrap();
    let now = chrono::Utc::now();
    let mark = RecordingFacts {
        environment: "INT".to_owned(),
        endpoint: "https://localhost".to_owned(),
        listen: "127.0.0.1:1".parse().unwrap(),
        product: "P".to_owned(),
        supplier: "S".to_owned(),
        host: HostRule::AsSent,
        product_certificate_required: false,
    };
    for days in [0, 3] {
        let mut writer = TapeWriter::open(folder.path(), now).unwrap();
        writer.mark(&Mark::Recording(mark.clone())).unwrap();
        for entry in &read.entries {
            let mut exchange = entry.exchange.clone();
            exchange.started_at += chrono::TimeDelta::days(days);
            writer.append(&exchange).unwrap();
        }
        let end = EndFacts { at: now, reason: "x".to_owned(), connections: 0, exchanges: 0, broken_off: 0 };
        writer.mark(&Mark::End(end)).unwrap();
    }
    let tape = folder.path().to_str().unwrap();
    let judged = judge(&[tape, "--format", "json"]);
    let found = verdicts(&judged);
    for rule in ["polling-daily", "handshake-daily"] {
        assert!(found.contains(&(rule.to_owned(), "not_applicable".to_owned())), "{rule} {found:?}");
    }
    let goes_on = format!("goes on from line {}", read.entries.len() + 5);
    assert!(out(&judge(&[tape])).contains(&goes_on), "{}", out(&judge(&[tape])));
}

#[test]
fn a_tape_that_was_cut_off_is_judged_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let entries = read_har(Path::new(&har("firefox.har")), &Redactor::default(), &HarLimits::default())
        .unwrap()
        .entries;
    let mut writer = TapeWriter::open(folder.path(), chrono::Utc::now()).unwrap();
    writer.append(&entries[0].exchange).unwrap();
    let tape = folder.path().join(TAPE_FILE);
    let text = fs::read_to_string(&tape).unwrap();
    fs::write(&tape, text + "{\"scenario\":").unwrap();
    let judged = judge(&[folder.path().to_str().unwrap()]);
    assert_eq!(judged.status.code(), Some(1), "{}", err(&judged));
    assert!(out(&judged).contains("line 3 was torn"), "{}", out(&judged));
    assert!(out(&judged).contains("X26ABC1  line 2"), "{}", out(&judged));
}
