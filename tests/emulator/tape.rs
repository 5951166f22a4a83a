//! `emulate --tape`: what clients did can be judged afterwards.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
};

use mesh_witness::tape::{TapeLimits, Vantage, read_tape};

#[test]
#[cfg(unix)]
fn what_clients_did_is_on_the_tape_and_no_secret_is() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape");
    let mut emulator = Command::new(env!("CARGO_BIN_EXE_mesh-witness"))
        .args([
            "emulate",
            "--plain-http",
            "--listen",
            "127.0.0.1:0",
            "--shared-key",
            "a-k3y-of-its-own",
            "--tape",
        ])
        .arg(&tape)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(emulator.stdout.take().unwrap()).lines();
    let line = lines.find(|line| line.as_ref().unwrap().starts_with("listening on ")).unwrap().unwrap();
    let mut stream = TcpStream::connect(line.trim_start_matches("listening on http://")).unwrap();
    // Cut anywhere, and two calls on one connection.
    for piece in
        ["GET /messageexchange/X26ABC1/inb", "ox HTTP/1.1\r\nHost: a\r\nX-Echo: a-k3y-of-its-own\r\n", "\r\n"]
    {
        stream.write_all(piece.as_bytes()).unwrap();
    }
    stream.write_all(b"GET /messageexchange/_ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("HTTP/1.1 200"), "{answer}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&emulator), rustix::process::Signal::TERM)
        .unwrap();
    assert!(emulator.wait().unwrap().success());
    let recording = read_tape(&tape.join("tape.ndjson"), &TapeLimits::default()).unwrap();
    let seen: Vec<_> = recording
        .exchanges
        .iter()
        .map(|(_, one)| (one.request.head.target.as_str(), one.status(), one.vantage, one.failure.is_some()))
        .collect();
    let by = Vantage::Endpoint;
    let expected = [
        ("/messageexchange/X26ABC1/inbox", Some(403), by, false),
        ("/messageexchange/_ping", Some(200), by, false),
    ];
    assert_eq!(seen, expected);
    let text = std::fs::read_to_string(tape.join("tape.ndjson")).unwrap();
    assert!(!text.contains("a-k3y-of-its-own") && text.contains("the emulator was ended"), "{text}");
}
