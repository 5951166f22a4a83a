//! A product that is asked by an HTTP call.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
};

use crate::{Rig, support::Server, the_file};

/// The bytes of one request, with its body.
pub fn request(stream: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if count == 0 { return text } else { continue }
        };
        let length = head.to_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length: ").map(|value| value.trim().parse::<usize>().unwrap())
        });
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

#[test]
fn the_hook_is_told_what_to_do_and_no_secret() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let hook = Server::start(move |mut stream| {
        sink.lock().unwrap().push(request(&mut stream));
        let _ = stream
            .write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 7\r\nConnection: close\r\n\r\nlater\x1b[");
    });
    let rig = Rig::empty();
    let driver = format!("{{webhook: {{url: \"{}/hook\", timeout: 30s}}}}", hook.url);
    let lines = "emulator: {shared_key: th1s-is-a-key-of-mine, folder: settings}\n";
    let outcome = rig.play_with(&driver, lines, &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let heard = heard.lock().unwrap().concat();
    assert!(
        heard.starts_with("POST /hook HTTP/1.1\r\n") && heard.contains("\"action\":\"handshake\""),
        "{heard}"
    );
    assert!(
        heard.contains("\"mailbox_id\":\"X26P0001\"") && heard.contains("\"url\":\"https://127.0.0.1:"),
        "{heard}"
    );
    assert!(!heard.contains("th1s-is-a-key-of-mine") && !heard.contains("password"), "{heard}");
    let bundle = rig.read();
    let fault = bundle.fault();
    assert!(fault["seen"].as_str().unwrap().starts_with("the hook answered 503"), "{fault}");
    assert!(the_file(&bundle, "-handshake.txt").contains("later"), "what it answered is kept");
    bundle.assert_lacks("th1s-is-a-key-of-mine");
    // Whoever sets the product up finds everything in one file, which is nobody else's to read.
    let settings = rig.folder.path().join("settings/product.env");
    assert!(std::fs::read_to_string(&settings).unwrap().contains("MESH_SHARED_KEY=th1s-is-a-key-of-mine\n"));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(settings).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_hook_that_is_not_there_is_a_fault_of_the_configuration() {
    let rig = Rig::empty();
    let outcome = rig.play("{webhook: {url: \"http://127.0.0.1:1/hook\"}}", &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let fault = rig.read().fault();
    assert!(fault["what"].as_str().unwrap().contains("cannot be reached"), "{fault}");
}

#[test]
fn a_hook_that_never_answers_is_not_waited_for() {
    let hook = Server::silent();
    let rig = Rig::empty();
    let outcome =
        rig.play(&format!("{{webhook: {{url: \"{}\", timeout: 1s}}}}", hook.url), &["--tags", "@case-201"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(rig.read().fault()["seen"].as_str().unwrap().contains("within its time limit of 1 s"));
}
