//! Each thing that can be wrong with an account, a configuration or an endpoint has its own clear
//! message, its own exit code, and a bundle that says what happened.

mod support;

use std::{net::TcpListener, time::Duration};

use chrono::TimeDelta;
use mesh_witness::emulator::Pki;
use support::{Bundle, Config, Endpoint, Outcome, PASSWORD, SHARED_KEY, Server, play};
use tempfile::TempDir;

/// The cases whose evidence is sent in before anything is witnessed.
const FIRST_FOUR: &[&str] = &["--tags", "@case-201 or @case-202 or @case-401 or @case-402"];

/// The run ended as it should, said so on the terminal and in the bundle, and showed no secret.
fn assert_fault((outcome, bundle): (Outcome, Bundle), code: i32, kind: &str, says: &str) -> Bundle {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    let fault = bundle.fault();
    assert_eq!(fault["kind"], kind, "{fault}");
    let what = fault["what"].as_str().unwrap();
    assert!(what.contains(says), "{what}");
    assert!(!fault["remedy"].as_str().unwrap().is_empty());
    assert!(outcome.stdout.contains(what), "the terminal says it too: {}", outcome.stdout);
    assert!(bundle.text("data/report.html").contains("report"), "there is a report");
    let passed = bundle.outcomes().iter().filter(|(_, outcome)| outcome == "passed").count();
    assert_eq!(passed, 0, "{:?}", bundle.outcomes());
    for secret in [PASSWORD, SHARED_KEY] {
        bundle.assert_lacks(secret);
        assert!(!format!("{outcome:?}").contains(secret));
    }
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    bundle
}

#[test]
fn the_right_configuration_passes() {
    let (outcome, bundle) = play(&Endpoint::start().config(), FIRST_FOUR);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let expected = ["201", "202", "401", "402"].map(|case| (case.to_owned(), "passed".to_owned()));
    assert_eq!(bundle.outcomes(), expected);
    for secret in [PASSWORD, SHARED_KEY] {
        bundle.assert_lacks(secret);
    }
}

#[test]
fn a_mailbox_is_validated_once_a_run_not_once_a_case() {
    let (_, bundle) = play(&Endpoint::start().config(), FIRST_FOUR);
    let har: serde_json::Value = serde_json::from_slice(&bundle.files["data/run/exchanges.har"]).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    let handshakes = entries.iter().filter(|entry| entry["_operation"] == "handshake").count();
    assert_eq!(handshakes, 2, "one for each mailbox");
}

#[test]
fn a_wrong_password_is_told_from_a_wrong_shared_key() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.product_password = "not-the-right-one".to_owned();
    let bundle = assert_fault(
        play(&config, FIRST_FOUR),
        1,
        "product",
        "while it accepts another mailbox with the same shared key",
    );
    bundle.assert_lacks("not-the-right-one");

    let mut config = endpoint.config();
    config.set("shared_key", "not-the-right-key");
    let bundle = assert_fault(play(&config, FIRST_FOUR), 1, "product", "of the other mailbox alike");
    bundle.assert_lacks("not-the-right-key");
}

#[test]
fn a_refused_mailbox_is_not_tried_again_for_every_case() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.product_password = "not-the-right-one".to_owned();
    let (_, bundle) = play(&config, FIRST_FOUR);
    let outcomes: Vec<String> = bundle.outcomes().into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, ["failed", "not run", "not run", "not run"]);
}

#[test]
fn a_wrong_password_of_the_counterpart_is_not_held_against_the_product() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.counterpart_password = "not-the-right-one".to_owned();
    let (outcome, bundle) = play(&config, FIRST_FOUR);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert_eq!(bundle.fault()["kind"], "configuration");
}

#[test]
fn a_clock_three_hours_off_is_named() {
    for (hours, says) in [(3, "behind the endpoint's"), (-3, "ahead of the endpoint's")] {
        let endpoint = Endpoint::start();
        endpoint.move_clock(TimeDelta::hours(hours));
        assert_fault(play(&endpoint.config(), FIRST_FOUR), 1, "product", says);
    }
}

#[test]
fn a_wrong_authority_is_a_wrong_configuration() {
    let endpoint = Endpoint::start();
    let other = TempDir::new().unwrap();
    Pki::new().unwrap().write_to(other.path(), &[]).unwrap();
    let mut config = endpoint.config();
    config.set("ca_file", other.path().join("ca.pem").to_str().unwrap());
    assert_fault(
        play(&config, FIRST_FOUR),
        2,
        "configuration",
        "is not from the authority in endpoint.ca_file",
    );
}

#[test]
fn no_client_certificate_is_a_wrong_configuration() {
    let endpoint = Endpoint::start();
    let mut config = endpoint.config();
    config.unset("client_certificate_file");
    config.unset("client_key_file");
    assert_fault(
        play(&config, FIRST_FOUR),
        2,
        "configuration",
        "requires a client certificate and none was presented",
    );
}

#[test]
fn a_client_certificate_of_another_authority_is_a_wrong_configuration() {
    let endpoint = Endpoint::start();
    let other = TempDir::new().unwrap();
    let mailbox = mesh_witness::protocol::MailboxId::parse("PRODUCT").unwrap();
    Pki::new().unwrap().write_to(other.path(), &[mailbox]).unwrap();
    let mut config = endpoint.config();
    config.set("client_certificate_file", other.path().join("PRODUCT.pem").to_str().unwrap());
    config.set("client_key_file", other.path().join("PRODUCT-key.pem").to_str().unwrap());
    assert_fault(play(&config, FIRST_FOUR), 2, "configuration", "refuses the client certificate");
}

#[test]
fn an_endpoint_that_is_down_is_at_fault() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = TempDir::new().unwrap();
    let config = Config::new(&format!("http://127.0.0.1:{port}"), folder.path());
    let (outcome, bundle) = play(&config, FIRST_FOUR);
    assert!(!outcome.stdout.contains("seen only in"), "nothing was seen at all: {outcome:?}");
    let bundle = assert_fault((outcome, bundle), 3, "endpoint", "nobody answers at");
    assert_eq!(bundle.summary()["rules"], serde_json::json!([]), "rules have nothing to look at");
}

#[test]
fn an_endpoint_that_answers_a_web_page_is_at_fault() {
    let page = "<!doctype html><title>Welcome</title>";
    for status in ["200 OK", "404 Not Found", "403 Forbidden", "502 Bad Gateway"] {
        let response = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        );
        let server = Server::answering(response.into_bytes());
        let folder = TempDir::new().unwrap();
        assert_fault(
            play(&Config::new(&server.url, folder.path()), FIRST_FOUR),
            3,
            "endpoint",
            "is not MESH",
        );
    }
}

#[test]
fn an_endpoint_that_hangs_is_at_fault_and_holds_nobody_up() {
    let server = Server::silent();
    let folder = TempDir::new().unwrap();
    let mut config = Config::new(&server.url, folder.path());
    config.response_seconds = 1;
    assert_fault(play(&config, FIRST_FOUR), 3, "endpoint", "did not answer in time");
}

#[test]
fn an_endpoint_that_drips_is_at_fault() {
    let server = Server::start(|mut stream| {
        use std::io::Write;
        while stream.write_all(b"H").is_ok() {
            std::thread::sleep(Duration::from_millis(300));
        }
    });
    let folder = TempDir::new().unwrap();
    let mut config = Config::new(&server.url, folder.path());
    config.response_seconds = 1;
    let (outcome, bundle) = play(&config, FIRST_FOUR);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert_eq!(bundle.fault()["kind"], "endpoint");
}

#[test]
fn an_endpoint_that_talks_no_http_or_hangs_up_is_at_fault() {
    let folder = TempDir::new().unwrap();
    let server = Server::answering(b"220 ready for mail\r\n".to_vec());
    assert_fault(
        play(&Config::new(&server.url, folder.path()), FIRST_FOUR),
        3,
        "endpoint",
        "does not speak HTTP",
    );
    let server = Server::start(drop);
    assert_fault(
        play(&Config::new(&server.url, folder.path()), FIRST_FOUR),
        3,
        "endpoint",
        "closed the connection",
    );
}

#[test]
fn an_endpoint_that_fails_is_at_fault() {
    let server = Server::answering(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec());
    let folder = TempDir::new().unwrap();
    assert_fault(
        play(&Config::new(&server.url, folder.path()), FIRST_FOUR),
        3,
        "endpoint",
        "failed with 503",
    );
}

#[test]
fn plain_http_on_loopback_is_played_with_a_warning() {
    let (outcome, bundle) = play(&Endpoint::start_plain().config(), FIRST_FOUR);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("plain HTTP"), "{}", outcome.stderr);
    assert!(bundle.text("data/report.html").contains("plain HTTP"));
}

/// Our emulator standing alone is configured like any endpoint, and must not pass for evidence.
#[test]
fn an_emulator_behind_a_configuration_is_still_named_one() {
    let endpoint = Endpoint::start();
    let (_, bundle) = play(&endpoint.config(), FIRST_FOUR);
    assert_eq!(bundle.summary()["environment"]["emulated"], true);
    assert_eq!(bundle.summary()["evidence"], false);
    assert!(bundle.text("data/report.html").contains("EMULATED: practice, not evidence"));
    let warnings = bundle.summary()["warnings"].to_string();
    assert!(warnings.contains("is on this machine"), "{warnings}");
}

#[test]
fn hostile_answers_end_in_a_report_that_is_safe() {
    let long = "x".repeat(1_000_000);
    let response = [
        format!("HTTP/1.1 403 <script>window.pwned=1</script>\r\nx-long: {long}\r\nx-script: <script>window.pwned=1</script>\r\n").into_bytes(),
        b"x-bytes: \xff\xfe\r\ncontent-type: application/json\r\ncontent-length: 38\r\n\r\n".to_vec(),
        b"<script>window.pwned=1</script>]]>\x00\x1b[2J".to_vec(),
    ];
    let server = Server::answering(response.concat());
    let folder = TempDir::new().unwrap();
    let (outcome, bundle) = play(&Config::new(&server.url, folder.path()), FIRST_FOUR);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(
        !outcome.stdout.contains('\x1b') && !outcome.stderr.contains('\x1b'),
        "nothing reaches the terminal raw"
    );
    let report = bundle.text("data/report.html");
    assert!(!report.contains("<script>window"), "nothing runs");
    assert!(
        report.contains("&#60;script&#62;window") || report.contains("&lt;script&gt;window"),
        "but it is shown"
    );
    assert!(report.len() < 1_000_000, "and a long value is cut: {}", report.len());
}

/// A send that was cut off may have been accepted all the same: repeating it could deliver twice.
#[test]
fn a_send_is_never_repeated() {
    use std::{
        io::{Read, Write},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };
    let sends = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sends);
    let server = Server::start(move |mut stream| {
        let mut buffer = [0; 65536];
        while let Ok(count) = stream.read(&mut buffer) {
            if count == 0 {
                break;
            }
            if String::from_utf8_lossy(&buffer[..count]).contains("/outbox HTTP/1.1") {
                counted.fetch_add(1, Ordering::SeqCst);
                break;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let folder = TempDir::new().unwrap();
    let (outcome, bundle) = play(&Config::new(&server.url, folder.path()), &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(bundle.fault()["what"].as_str().unwrap().contains("closed the connection"));
    assert_eq!(sends.load(Ordering::SeqCst), 1);
}

/// Each part of a poll cycle is judged by the step that speaks of it.
#[test]
fn a_poll_cycle_is_judged_step_by_step() {
    use std::io::{Read, Write};
    let page = r#"{"messages":["M1"]}"#;
    for (broken, answer, failing) in [
        ("GET /messageexchange/PRODUCT/inbox HTTP", r#"200 {"messages":[]}"#, "the inbox listed the message"),
        ("GET /messageexchange/PRODUCT/inbox/M1 ", "404 {}", "the download gave the payload that was sent"),
        (
            "GET /messageexchange/PRODUCT/inbox/M1 ",
            "200 other",
            "the download gave the payload that was sent",
        ),
        ("PUT ", "403 {}", "the acknowledgement came directly after the download"),
    ] {
        let payload = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let server = Server::start(move |mut stream| {
            let mut buffer = vec![0; 1 << 20];
            while let Ok(count) = stream.read(&mut buffer) {
                let head = String::from_utf8_lossy(&buffer[..count]).into_owned();
                if count == 0 {
                    break;
                }
                if head.contains("/outbox HTTP") {
                    let mut body = buffer[head.find("\r\n\r\n").unwrap() + 4..count].to_vec();
                    while body.len() < 4096 {
                        let more = stream.read(&mut buffer).unwrap();
                        body.extend_from_slice(&buffer[..more]);
                    }
                    *payload.lock().unwrap() = body;
                }
                let (status, body) = match head.as_str() {
                    head if head.starts_with(broken) => {
                        answer.split_once(' ').map(|(s, b)| (s, b.as_bytes().to_vec())).unwrap()
                    }
                    head if head.contains("/outbox HTTP") => ("202", br#"{"message_id":"M1"}"#.to_vec()),
                    head if head.contains("/inbox HTTP") => ("200", page.as_bytes().to_vec()),
                    head if head.contains("/inbox/M1 HTTP") => ("200", payload.lock().unwrap().clone()),
                    _ => ("200", Vec::new()),
                };
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                if stream.write_all(&[head.into_bytes(), body].concat()).is_err() {
                    break;
                }
            }
        });
        let folder = TempDir::new().unwrap();
        let (outcome, _) = play(&Config::new(&server.url, folder.path()), &["--tags", "@case-401"]);
        assert_ne!(outcome.code, Some(0));
        assert!(outcome.stdout.contains(failing), "{broken} {answer}: {}", outcome.stdout);
    }
}
