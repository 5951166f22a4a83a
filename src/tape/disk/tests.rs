use proptest::prelude::*;

use super::*;
use crate::tape::{
    Actor, BodyRecord, BodyRecorder, FailureKind, Redactor, RequestRecord, ResponseRecord, ScenarioNumber,
    TimingRecord, TokenFault, TransportFailure, Vantage,
};

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00.123456Z".parse().unwrap()
}

fn made() -> Exchange {
    let redactor = Redactor::default();
    let raw = b"GET /messageexchange/X26ABC1/inbox?x=1 HTTP/1.1\r\nAccept: a\r\n\r\n";
    let mut body = BodyRecorder::new(false);
    body.update(&[0xff, 0, 1]);
    Exchange {
        relay: None,
        scenario: ScenarioNumber(3),
        actor: Actor::Product,
        vantage: Vantage::Proxy,
        origin: "https://localhost".to_owned(),
        peer: Some("127.0.0.1:1".parse().unwrap()),
        operation: Operation::called("GET", "/messageexchange/X26ABC1/inbox"),
        request: RequestRecord { head: redactor.request_head(raw).0, body: BodyRecord::empty() },
        response: Some(ResponseRecord {
            head: redactor.response_head(b"HTTP/1.1 200 OK\r\n\r\n"),
            body: body.finish(&redactor),
        }),
        failure: Some(TransportFailure { kind: FailureKind::TimedOut, detail: "x".to_owned() }),
        started_at: now(),
        timings: TimingRecord { wait: std::time::Duration::from_micros(1234), ..TimingRecord::default() },
        tls: None,
        token: None,
        token_fault: Some(TokenFault::Nonce),
    }
}

fn line() -> String {
    serde_json::to_string(&made()).unwrap()
}

const OPENING: &str = r#"{"mesh_witness_tape":1,"tool_version":"0.1.0","opened_at":"2026-11-21T12:00:00Z"}"#;

fn read(text: &str) -> Result<TapeRecording, TapeError> {
    read_tape_lines(text.as_bytes(), &TapeLimits::default())
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new/tape");
    let mut writer = TapeWriter::open(&place, now()).unwrap();
    writer.append(&made()).unwrap();
    writer.append(&made()).unwrap();
    drop(writer);
    for path in [place.clone(), place.join(TAPE_FILE)] {
        let recording = read_tape(&path, &TapeLimits::default()).unwrap();
        let numbers: Vec<usize> = recording.exchanges.iter().map(|(line, _)| *line).collect();
        assert_eq!((numbers, recording.torn), (vec![2, 3], vec![]));
        assert_eq!(format!("{:?}", recording.exchanges[0].1), format!("{:?}", made()));
    }
}

#[cfg(unix)]
#[test]
fn two_recordings_at_once_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let first = TapeWriter::open(folder.path(), now()).unwrap();
    let error = TapeWriter::open(folder.path(), now()).unwrap_err();
    assert_eq!(error.to_string(), "another recording is being written to it");
    drop(first);
    TapeWriter::open(folder.path(), now()).unwrap();
    let text = fs::read_to_string(folder.path().join(TAPE_FILE)).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_a_tape() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    TapeWriter::open(folder.path(), now()).unwrap();
    let mode = folder.path().join(TAPE_FILE).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_torn_last_line_costs_one_exchange_and_the_tape_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = TapeWriter::open(folder.path(), now()).unwrap();
    writer.append(&made()).unwrap();
    drop(writer);
    let file = folder.path().join(TAPE_FILE);
    let text = fs::read_to_string(&file).unwrap() + line().get(..100).unwrap();
    fs::write(&file, &text).unwrap();
    let recording = read_tape(folder.path(), &TapeLimits::default()).unwrap();
    assert_eq!((recording.exchanges.len(), recording.torn), (1, vec![3]));
    let mut writer = TapeWriter::open(folder.path(), now()).unwrap();
    writer.append(&made()).unwrap();
    let recording = read_tape(folder.path(), &TapeLimits::default()).unwrap();
    assert_eq!((recording.exchanges.len(), recording.torn), (2, vec![3]));
}

#[test]
fn a_whole_last_line_needs_no_line_break() {
    let recording = read(&format!("{OPENING}\n{}", line())).unwrap();
    assert_eq!((recording.exchanges.len(), recording.torn), (1, vec![]));
}

#[test]
fn damage_is_told_by_its_line_and_shows_nothing_of_it() {
    let error = |text: &str| read(text).unwrap_err().to_string();
    let damaged = error(&format!("{OPENING}\n{}\n{{\"hunter2\": 1}}\n{}\n", line(), line()));
    assert!(damaged.starts_with("line 3, column ") && !damaged.contains("hunter2"), "{damaged}");
    assert!(error(&format!("{OPENING}\nnonsense\n")).starts_with("line 2, column "));
    assert!(error("").contains("not the beginning of a tape"));
    assert!(error(&line()).contains("not the beginning of a tape"));
    assert!(error(&OPENING.replace(":1,", ":2,")).contains("version 2"));
    let late = line().replace("2026-11-21", "+99999-11-21");
    assert!(error(&format!("{OPENING}\n{late}\n")).starts_with("line 2, column 0"));
    assert!(
        read_tape(Path::new("/nonesuch"), &TapeLimits::default())
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
}

#[test]
fn limits_hold() {
    let text = format!("{OPENING}\n{}\n{}\n", line(), line());
    let within = |limits| read_tape_lines(text.as_bytes(), &limits);
    assert!(within(TapeLimits { line: line().len() + 1, exchanges: 2 }).is_ok());
    let long = within(TapeLimits { line: line().len(), exchanges: 2 });
    assert!(matches!(long, Err(TapeError::TooLarge { line: 2, .. })));
    let many = within(TapeLimits { exchanges: 1, ..TapeLimits::default() });
    assert!(matches!(many, Err(TapeError::TooLarge { line: 3, .. })));
}

proptest! {
    #[test]
    fn no_bytes_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..2000, byte: u8) {
        let _ = read_tape_lines(bytes.as_slice(), &TapeLimits::default());
        let mut text = format!("{OPENING}\n{}\n", line()).into_bytes();
        let place = at % text.len();
        text[place] = byte;
        if let Ok(recording) = read_tape_lines(text.as_slice(), &TapeLimits::default()) {
            let _ = crate::rules::traffic::judge_numbered(&recording.exchanges, &crate::rules::traffic::Context::default());
        }
    }
}
