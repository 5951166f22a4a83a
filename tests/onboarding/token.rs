//! `mesh-witness token`, as a supplier's engineer calls it.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
};

use chrono::{TimeDelta, Utc};
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use tempfile::TempDir;

use crate::{
    golden,
    support::{Endpoint, Outcome, PASSWORD, SHARED_KEY, program},
};

const NONCE: &str = "1c820cd4-be3e-43ff-807f-e65362892722";

/// The program with the mailbox's secrets in its environment.
fn knowing(arguments: &[&str]) -> Command {
    let mut command = without_secrets(arguments);
    command.env("MESH_MAILBOX_PASSWORD", PASSWORD).env("MESH_SHARED_KEY", SHARED_KEY);
    command
}

fn without_secrets(arguments: &[&str]) -> Command {
    let mut command = program();
    command.env_remove("MESH_MAILBOX_ID").env_remove("MESH_MAILBOX_PASSWORD");
    command.arg("token").args(arguments);
    command
}

fn done(mut command: Command) -> Outcome {
    command.output().unwrap().into()
}

fn told(mut command: Command, input: &str) -> Outcome {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever does not read what it is told may be gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

fn credentials(mailbox: &str) -> Credentials {
    Credentials {
        mailbox: MailboxId::parse(mailbox).unwrap(),
        password: Password::new(PASSWORD),
        shared_key: SharedKey::new(SHARED_KEY),
    }
}

/// A token made now, by others.
fn token_of(credentials: &Credentials) -> String {
    Token::build(credentials, NONCE.parse().unwrap(), NonceCount::new(3), Utc::now()).to_string()
}

fn explained(value: &str) -> Outcome {
    done(knowing(&["--mailbox", "X26HC005", "--explain", value]))
}

/// No secret and no whole hash is in what was said.
fn assert_secret(outcome: &Outcome, token: &str) {
    let hash = token.rsplit(':').next().unwrap();
    let said = format!("{}{}", outcome.stdout, outcome.stderr).to_lowercase();
    for secret in [PASSWORD, SHARED_KEY, hash] {
        assert!(!said.contains(&secret.to_lowercase()), "{secret} in {said}");
    }
}

#[test]
fn a_token_is_the_one_that_openssl_computes() {
    let mut command = program();
    command.env("MESH_MAILBOX_PASSWORD", "password").env("MESH_SHARED_KEY", "TestKey");
    command.args([
        "token",
        "--mailbox",
        "X26HC005",
        "--nonce",
        NONCE,
        "--count",
        "1",
        "--at",
        "202006041718",
    ]);
    let outcome = done(command);
    // The second line of token_vectors.txt.
    let hash = "e1a17dafd440d9d1984668601bed60e754709298988fe5e67c44867551e139b1";
    let value = format!("NHSMESH X26HC005:{NONCE}:1:202006041718:{hash}\n");
    assert_eq!((outcome.code, outcome.stdout), (Some(0), value));
    assert_eq!(
        outcome.stderr,
        "note: whoever has this token can speak for X26HC005 in one request, from 2020-06-04 15:18 UTC to \
         2020-06-04 19:18 UTC: keep it out of logs and tickets, and make a new one for the next request\n"
    );
}

#[test]
fn the_endpoint_takes_what_is_made_once() {
    let endpoint = Endpoint::start_plain();
    let config = endpoint.config().write();
    let line = done(without_secrets(&["--config", config.to_str().unwrap(), "--header"])).stdout;
    let line = line.strip_suffix('\n').unwrap();
    assert!(line.starts_with("Authorization: NHSMESH PRODUCT:"), "{line}");
    let status = || {
        let mut stream = TcpStream::connect(endpoint.url.trim_start_matches("http://")).unwrap();
        write!(
            stream,
            "GET /messageexchange/PRODUCT/inbox HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{line}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(status(), "HTTP/1.1 200 OK");
    assert_eq!(status(), "HTTP/1.1 403 Forbidden");
}

#[test]
fn no_two_tokens_are_the_same() {
    let make = || done(knowing(&["--mailbox", "X26HC005"])).stdout;
    assert_ne!(make(), make());
}

#[test]
fn what_is_made_is_explained_as_good() {
    for more in [vec![], vec!["--header"]] {
        let made = done(knowing(&[vec!["--mailbox", "x26hc005"], more.clone()].concat())).stdout;
        let ask = [vec!["--mailbox", "X26HC005", "--explain", made.trim()], more.clone()].concat();
        let outcome = done(knowing(&ask));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(outcome.stderr, "");
        assert_secret(&outcome, made.trim());
        let ask = [vec!["--explain", "-"], more].concat();
        assert_eq!(told(knowing(&ask), &made).code, Some(0));
    }
}

#[test]
fn secrets_come_from_a_configuration_the_environment_files_or_standard_input() {
    let endpoint = Endpoint::start_plain();
    let folder = TempDir::new().unwrap();
    let mut config = endpoint.config();
    config.counterpart_password = "quite-an0ther".to_owned();
    let config = config.write();
    let config = config.to_str().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let (password, key) = (file("password", &format!("{PASSWORD}\r\n")), file("key", SHARED_KEY));
    let fixed = ["--nonce", NONCE, "--at", "2026-11-21T14:30:59Z"];
    let line = |mailbox: &str, password: &str| {
        let credentials = Credentials { password: Password::new(password), ..credentials(mailbox) };
        let at = "2026-11-21T14:30:00Z".parse().unwrap();
        format!("{}\n", Token::build(&credentials, NONCE.parse().unwrap(), NonceCount::new(0), at))
    };
    for (arguments, expected) in [
        (vec!["--config", config], line("PRODUCT", PASSWORD)),
        (vec!["--config", config, "--mailbox", "product"], line("PRODUCT", PASSWORD)),
        (vec!["--config", config, "--mailbox", "counterpart"], line("COUNTERPART", "quite-an0ther")),
        (vec!["--config", config, "--mailbox", "Counterpart"], line("COUNTERPART", "quite-an0ther")),
        (
            vec!["--mailbox", "A1", "--password-file", &password, "--shared-key-file", &key],
            line("A1", PASSWORD),
        ),
    ] {
        let outcome = done(without_secrets(&[&arguments[..], &fixed].concat()));
        assert_eq!(outcome.stdout, expected, "{arguments:?}: {outcome:?}");
    }
    let piped =
        [&["--mailbox", "A1", "--password-file", "-", "--shared-key-file", &key], &fixed[..]].concat();
    assert_eq!(told(without_secrets(&piped), &format!("{PASSWORD}\n")).stdout, line("A1", PASSWORD));
    let outcome = told(without_secrets(&piped), &format!(" {PASSWORD}\n"));
    assert!(
        outcome.stderr.starts_with("warning: --password-file: begins or ends with a blank"),
        "{outcome:?}"
    );
    // As a driver's program is given them.
    let mut driven = knowing(&fixed);
    driven.env("MESH_MAILBOX_ID", "A1");
    assert_eq!(done(driven).stdout, line("A1", PASSWORD));

    // Of a rehearsal, which names no endpoint.
    let text = format!(
        "mailboxes:\n  product: {{id: P1, password: {PASSWORD}}}\n  counterpart: {{id: C1, password: another-one}}\n\
         emulator: {{shared_key: {SHARED_KEY}}}\n\
         product: {{name: a, version: b, driver: {{command: [./drive.sh]}}}}\n"
    );
    let rehearsal = file("rehearsal.yaml", &text);
    let outcome = done(without_secrets(&[&["--config", rehearsal.as_str()], &fixed[..]].concat()));
    assert_eq!(outcome.stdout, line("P1", PASSWORD), "{outcome:?}");
    let bare = file("bare.yaml", "product: {name: a, version: b, driver: {command: [./drive.sh]}}\n");
    let outcome = done(without_secrets(&["--config", &bare]));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("bare.yaml: names no endpoint"), "{outcome:?}");
}

#[test]
fn a_wrong_call_is_told_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let (empty, long) = (file("empty", "\n"), file("long", "a\nb\n"));
    let endpoint = Endpoint::start_plain();
    let config = endpoint.config().write();
    let config = config.to_str().unwrap();
    for (arguments, said) in [
        (
            vec![],
            "the mailbox's password is not known: set MESH_MAILBOX_PASSWORD or give --password-file FILE",
        ),
        (vec!["--mailbox", "a:b"], "--mailbox: a mailbox ID has the character ':'"),
        (vec!["--mailbox", "A", "--password-file", &empty], "--password-file: "),
        (vec!["--mailbox", "A", "--password-file", &long], "has more than one line"),
        (vec!["--mailbox", "A", "--password-file", "/nowhere/at/all"], "cannot be read"),
        (
            vec!["--mailbox", "A", "--password-file", "-", "--shared-key-file", "-"],
            "standard input cannot be read twice",
        ),
        (vec!["--explain", "-", "--password-file", "-"], "standard input cannot be read twice"),
        (vec!["--config", config, "--password-file", &long], "cannot be used with"),
        (vec!["--config", config, "--mailbox", "X26"], "--mailbox: is none of the configuration's"),
        (vec!["--config", "/nowhere/at/all"], "does not exist"),
        (vec!["--config", config, "--at", "noon"], "--at: is no time: write it in UTC"),
        (vec!["--config", config, "--at", "202613321430"], "--at: is no time"),
        (vec!["--config", config, "--nonce", "1"], "--nonce"),
        (vec!["--config", config, "--count", "x"], "--count"),
        (vec!["--config", config, "--format", "json"], "--explain"),
        (vec!["--config", config, "--explain", "x", "--nonce", NONCE], "cannot be used with"),
        (vec!["--config", config, "--explain", "x", "--header"], "--header: the line does not begin with"),
    ] {
        let outcome = done(without_secrets(&arguments));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(said), "{arguments:?}: {outcome:?}");
    }
}

#[test]
fn without_secrets_a_token_is_not_called_good() {
    let good = token_of(&credentials("X26HC005"));
    let mut no_key = knowing(&["--explain", &good]);
    no_key.env_remove("MESH_SHARED_KEY");
    let outcome = done(no_key);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stdout.contains("hash       unknown"), "{outcome:?}");
    assert!(
        outcome.stderr.starts_with("error: the shared key is not known: set MESH_SHARED_KEY"),
        "{outcome:?}"
    );
    let (start, _) = good.rsplit_once(':').unwrap();
    let outcome = done(knowing(&["--explain", &format!("{start}:[hash redacted]")]));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("whoever wrote the token down took it out"), "{outcome:?}");
    // What can be seen without them is wrong all the same.
    let outcome = done(without_secrets(&["--explain", &good.replace("NHSMESH", "Bearer")]));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
}

#[test]
fn what_is_wrong_with_a_token_is_named() {
    let right = credentials("X26HC005");
    let good = token_of(&right);
    let (start, hash) = good.rsplit_once(':').unwrap();
    let at = |off| {
        let time = Utc::now() + off;
        Token::build(&right, NONCE.parse().unwrap(), NonceCount::new(0), time).to_string()
    };
    let made = |password: &str, key: &str| {
        let (password, shared_key) = (Password::new(password), SharedKey::new(key));
        token_of(&Credentials { password, shared_key, ..credentials("X26HC005") })
    };
    for (value, named) in [
        (format!("authorization: {good}"), "the OpenAPI's own example has it there by mistake"),
        (good.replace("NHSMESH", "NHSmesh"), "NHSMESH is not in upper case"),
        (good.replace(":3:", ":"), "there are 4 fields: the nonce count is missing"),
        (good.replace("X26HC005", "x26hc005"), "it has lower-case letters"),
        (good.replace(NONCE, "17"), "it is no GUID: it has 2 characters"),
        (good.replace(":3:", ":three:"), "it is no number of 1 to 10 digits"),
        (at(TimeDelta::hours(1)), "British Summer Time"),
        (at(TimeDelta::hours(-5)), "it is outside the two hours that MESH allows"),
        (made(SHARED_KEY, PASSWORD), "the password and the shared key are swapped"),
        (made(PASSWORD, &format!("{SHARED_KEY}\n")), "the shared key has a line end behind it"),
        (made(&format!("{PASSWORD}\n"), SHARED_KEY), "the password has a line end behind it"),
        (format!("{start}:{}", hash.to_uppercase()), "it is written with upper-case digits"),
        (made("x", "y"), "none of the known mistakes gives it"),
        (good.replace(":3:", &format!(":{PASSWORD}:")), "the password itself stands in the header"),
        (String::new(), "there is nothing in it"),
    ] {
        let outcome = explained(&value);
        assert_eq!(outcome.code, Some(1), "{named}: {outcome:?}");
        assert!(outcome.stdout.contains(named), "{named}: {outcome:?}");
        if !value.is_empty() {
            assert_secret(&outcome, &value);
        }
    }
}

#[test]
fn a_configuration_tells_whose_password_was_used_and_whose_token_it_is() {
    let endpoint = Endpoint::start_plain();
    let mut config = endpoint.config();
    config.counterpart_password = "quite-an0ther".to_owned();
    let config = config.write();
    let explained = |value: &str, more: &[&str]| {
        let ask = ["--config", config.to_str().unwrap(), "--explain", value];
        done(without_secrets(&[&ask[..], more].concat()))
    };
    let other = |mailbox| Credentials { password: Password::new("quite-an0ther"), ..credentials(mailbox) };
    assert_eq!(explained(&token_of(&credentials("PRODUCT")), &[]).code, Some(0));
    let counterparts = token_of(&other("COUNTERPART"));
    assert_eq!(explained(&counterparts, &[]).code, Some(0));
    let outcome = explained(&counterparts, &["--mailbox", "product"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stdout.contains("it is another mailbox's"), "{outcome:?}");
    let outcome = explained(&token_of(&other("PRODUCT")), &[]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stdout.contains("the password is that of mailboxes.counterpart"), "{outcome:?}");
}

/// What people read, and what programs do: of a product with four things wrong at once.
#[test]
fn an_explanation_is_as_it_is() {
    let wrong = Credentials {
        mailbox: MailboxId::parse("X26HC005").unwrap(),
        password: Password::new(SHARED_KEY),
        shared_key: SharedKey::new(PASSWORD),
    };
    let at = "2026-07-21T15:30:00Z".parse().unwrap();
    let value = Token::build(&wrong, NONCE.parse().unwrap(), NonceCount::new(0), at).to_string();
    let value = format!("authorization: {}", value.replace("NHSMESH", "nhsmesh"));
    let ask = ["--mailbox", "X26HC005", "--at", "202607211430", "--explain", &value];
    let outcome = done(knowing(&ask));
    assert_eq!(outcome.code, Some(1));
    assert_secret(&outcome, &value);
    golden!("token_wrong", outcome.stdout);
    let outcome = done(knowing(&[&ask[..], &["--format", "json"]].concat()));
    assert_eq!(outcome.code, Some(1));
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(document["verdict"], "wrong");
    let standings: Vec<(&str, &str)> = document["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["part"].as_str().unwrap(), part["standing"].as_str().unwrap()))
        .collect();
    assert_eq!(
        standings,
        [
            ("header", "wrong"),
            ("scheme", "wrong"),
            ("mailbox", "right"),
            ("nonce", "right"),
            ("count", "right"),
            ("timestamp", "wrong"),
            ("hash", "wrong"),
        ]
    );
    let now = document["now"].as_str().unwrap().to_owned();
    golden!("token_wrong_json", outcome.stdout.replace(&now, "NOW"));
    let right =
        Credentials { password: Password::new(PASSWORD), shared_key: SharedKey::new(SHARED_KEY), ..wrong };
    let good = Token::build(&right, NONCE.parse().unwrap(), NonceCount::new(0), at).to_string();
    let outcome = done(knowing(&["--mailbox", "X26HC005", "--at", "202607211530", "--explain", &good]));
    assert_eq!(outcome.code, Some(0));
    golden!("token_good", outcome.stdout);
}
