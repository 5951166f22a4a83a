use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    protocol::{Credentials, MailboxId, NonceCount, Operation, Password, SharedKey, Token},
    tape::{Decoded, HashCheck, Secret, Sha256, TokenFault, Vantage},
};

fn read(text: &str) -> Har {
    read_har_bytes(text.as_bytes(), &Redactor::default(), &HarLimits::default()).unwrap()
}

fn only(text: &str) -> Exchange {
    let mut har = read(text);
    assert_eq!(har.entries.len(), 1, "{:?}", har.left_out);
    har.entries.remove(0).exchange
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judge/hars/", $name))
    };
}

/// An entry with these fields of request and response.
fn entry(request: &str, response: &str) -> String {
    format!(
        r#"{{"log":{{"entries":[{{"startedDateTime":"2026-11-21T12:00:00Z","request":{{"method":"POST","url":"https://h/messageexchange/X26ABC1/outbox",{request}}},"response":{{"status":202,{response}}}}}]}}}}"#
    )
}

#[test]
fn a_browsers_har_is_read() {
    let exchange = only(file!("firefox.har"));
    assert_eq!(exchange.vantage, Vantage::Foreign);
    assert_eq!(exchange.origin, "https://msg.example.nhs.uk");
    assert!(matches!(exchange.operation, Some(Operation::Handshake(_))));
    assert_eq!(exchange.started_at.to_rfc3339(), "2026-07-01T12:00:00.100+00:00");
    assert_eq!(exchange.timings.tls, Some(Duration::from_millis(12)));
    assert_eq!(exchange.timings.total(), Duration::from_millis(51));
    let token = exchange.token.as_ref().unwrap();
    assert_eq!((token.nonce_count.as_str(), token.hash), ("1", HashCheck::Unknown));
    assert!(!format!("{exchange:?}").contains("0123456789abcdef0123"));
}

#[test]
fn pseudo_headers_go_and_no_response_is_a_failure() {
    let har = read(file!("chromium-sanitised.har"));
    assert_eq!(har.creator, "WebInspector 537.36");
    let [first, second] = har.entries.as_slice() else { panic!("two entries") };
    assert_eq!(first.exchange.request.head.line(), "GET /messageexchange/X26ABC1/inbox h2");
    assert_eq!(first.exchange.request.head.headers.len(), 1);
    assert!(first.exchange.token.is_none() && first.exchange.token_fault.is_none());
    assert!(second.exchange.response.is_none() && second.exchange.failure.is_some());
}

#[test]
fn base64_is_decoded_and_a_hidden_hash_is_no_fault() {
    let exchange = only(file!("mitmproxy.har"));
    let reply = exchange.response.as_ref().unwrap().body.text().unwrap();
    assert_eq!(reply, r#"{"message_id":"20261121120000000000_ABCDEF"}"#);
    assert_eq!(exchange.request.body.text().as_deref(), Some("hello"));
    assert_eq!(exchange.request.body.decoded, None);
    assert_eq!(exchange.token_fault, Some(TokenFault::Withheld));
    assert_eq!(exchange.token.unwrap().nonce_count, "2");
}

#[test]
fn what_cannot_be_read_is_left_out_by_number() {
    let har = read(file!("charles.har"));
    assert_eq!(har.entries.len(), 1);
    assert_eq!(har.left_out, [(2, "it has no time"), (3, "it is no entry of a HAR")]);
    let exchange = &har.entries[0].exchange;
    assert_eq!((exchange.status(), exchange.token_fault), (Some(200), Some(TokenFault::LowerCaseMailbox)));
}

#[test]
fn a_byte_order_mark_and_seven_decimals_are_read() {
    let exchange = only(file!("fiddler.har"));
    assert_eq!(exchange.origin, "https://msg.example.nhs.uk:443");
    assert_eq!(exchange.request.head.target, "/messageexchange/X26ABC1/inbox?max_results=10");
    assert_eq!(exchange.started_at.timestamp_subsec_micros(), 123_456);
}

#[test]
fn tokens_are_recomputed_where_the_credentials_are_known() {
    let credentials = Credentials {
        mailbox: MailboxId::parse("X26ABC1").unwrap(),
        password: Password::new("hunter2hunter2"),
        shared_key: SharedKey::new("BackBone"),
    };
    let at = "2026-11-21T12:00:00Z".parse().unwrap();
    let token = Token::build(&credentials, uuid::Uuid::nil(), NonceCount::new(0), at).to_string();
    let redactor = Redactor::new(&[Secret::new("password", "hunter2hunter2")], &[credentials]);
    let hash = |token: &str, more: &str| {
        let text = entry(
            &format!(
                r#""headers":[{{"name":"authorization","value":"{token}"}},{{"name":"X","value":"{more}"}}]"#
            ),
            r#""headers":[]"#,
        );
        let har = read_har_bytes(text.as_bytes(), &redactor, &HarLimits::default()).unwrap();
        let shown = format!("{har:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(&token[token.len() - 64..]), "{shown}");
        har.entries[0].exchange.token.as_ref().unwrap().hash
    };
    assert_eq!(hash(&token, "hunter2hunter2"), HashCheck::Matches);
    assert_eq!(hash(&token.replace(":0:", ":1:"), ""), HashCheck::Differs);
}

#[test]
fn a_body_is_whole_or_it_is_not_there() {
    let body = |post: &str, headers: &str| {
        only(&entry(&format!(r#"{post}"headers":[{headers}]"#), r#""headers":[]"#)).request.body
    };
    let gzip = r#"{"name":"Content-Encoding","value":"gzip"}"#;
    assert_eq!(body(r#""bodySize":5,"postData":{"text":"hello"},"#, "").text().as_deref(), Some("hello"));
    assert_eq!(body(r#""bodySize":-1,"postData":{"text":"hello"},"#, "").size, 5);
    // Cut short, or binary that was written as text.
    let cut = body(r#""bodySize":500,"postData":{"text":"hello"},"#, "");
    assert_eq!((cut.size, cut.kept), (500, None));
    let missing = body(r#""bodySize":500,"#, "");
    assert_eq!((missing.size, missing.kept), (500, None));
    assert_eq!(body("", "").kept, None);
    assert!(body(r#""bodySize":0,"#, "").kept.is_some());
    assert_eq!(
        body(r#""postData":{"text":"aGVsbG8=","encoding":"base64"},"#, "").text().as_deref(),
        Some("hello")
    );
    // JSON that is whole was not cut.
    assert!(body(r#""bodySize":500,"postData":{"text":"{}"},"#, "").kept.is_some());
    // gzip as it was on the wire, and as the program decompressed it.
    let zipped =
        body(r#""postData":{"text":"H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==","encoding":"base64"},"#, gzip);
    assert!(zipped.decoded.is_some());
    assert_eq!(body(r#""bodySize":25,"postData":{"text":"hello"},"#, gzip).decoded, None);
}

#[test]
fn a_withheld_token_is_told_from_a_malformed_one() {
    let fault = |value: &str| {
        only(&entry(
            &format!(r#""headers":[{{"name":"Authorization","value":"{value}"}}]"#),
            r#""headers":[]"#,
        ))
        .token_fault
    };
    for hidden in [
        "[redacted]",
        "***",
        "REMOVED",
        "NHSMESH ********",
        "NHSMESH A:b:1:202611211200:XXXX",
        "NHSMESH A:b:1:202611211200:",
        "<hidden>",
        "",
    ] {
        assert_eq!(fault(hidden), Some(TokenFault::Withheld), "{hidden}");
    }
    for wrong in ["nhsmesh A:b:1:202611211200:abc", "Basic abc", "NHSMESH A:b"] {
        assert!(!matches!(fault(wrong), None | Some(TokenFault::Withheld)), "{wrong}");
    }
}

#[test]
fn what_is_no_har_is_told_without_its_content() {
    let error = |text: &str| {
        read_har_bytes(text.as_bytes(), &Redactor::default(), &HarLimits::default()).unwrap_err().to_string()
    };
    assert!(error("{\n  nonsense").starts_with("line 2, column "));
    for text in [r#"{"log":{}}"#, r#"{}"#, r#"{"log":{"entries":"hunter2"}}"#, r#""hunter2""#, "[1]"] {
        let error = error(text);
        assert!(error.contains("no HAR") && !error.contains("hunter2"), "{error}");
    }
    let limits = HarLimits { bytes: 1 << 20, entries: 0 };
    let many = read_har_bytes(file!("fiddler.har").as_bytes(), &Redactor::default(), &limits);
    assert!(matches!(many, Err(HarError::TooMany(0))));
    let limits = HarLimits { bytes: 10, entries: 1 };
    assert!(matches!(read_har_bytes(&[b' '; 11], &Redactor::default(), &limits), Err(HarError::TooLarge(_))));
}

#[test]
fn extreme_numbers_overflow_nothing() {
    for number in ["1e308", "-1e308", "-1", "\"NaN\"", "null", "99999999999999999999"] {
        let text = format!(
            r#"{{"log":{{"entries":[{{"startedDateTime":"2999-12-31T23:59:59Z","time":{number},"timings":{{"send":{number},"wait":{number},"receive":{number},"blocked":{number},"dns":{number},"connect":{number},"ssl":{number}}},"request":{{"method":"GET","url":"https://h/messageexchange/A/inbox","bodySize":{number}}},"response":{{"status":{number},"bodySize":{number},"content":{{"size":{number}}}}}}}]}}}}"#
        );
        let exchange = only(&text);
        let _ = exchange.ended_at();
    }
    for time in ["+262142-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        let text = entry(r#""headers":[]"#, r#""headers":[]"#).replace("2026-11-21T12:00:00Z", time);
        assert_eq!(read(&text).left_out, [(1, "it has no time")]);
    }
}

/// The same call with these timings, at this time.
fn timed(start: &str, timings: &str, time: &str) -> Exchange {
    only(&format!(
        r#"{{"log":{{"entries":[{{"startedDateTime":"{start}","time":{time},"timings":{timings},"request":{{"method":"GET","url":"https://h/messageexchange/A/inbox"}},"response":{{"status":200}}}}]}}}}"#
    ))
}

/// HAR 1.2 counts all phases from the time of the entry.
#[test]
fn a_call_begins_when_it_no_longer_waits_for_a_connection() {
    let all = r#"{"blocked":4050,"dns":20,"connect":30,"ssl":10,"send":1,"wait":100,"receive":2}"#;
    let exchange = timed("2026-11-21T12:00:00.500Z", all, "4203");
    assert_eq!(exchange.started_at.to_rfc3339(), "2026-11-21T12:00:04.550+00:00");
    let timings = exchange.timings;
    assert_eq!(
        (timings.connect, timings.tls),
        (Some(Duration::from_millis(40)), Some(Duration::from_millis(10)))
    );
    assert_eq!(timings.total(), Duration::from_millis(153));
    // What does not apply is -1.
    let none = r#"{"blocked":-1,"dns":-1,"connect":-1,"ssl":-1,"send":0,"wait":100,"receive":0}"#;
    let exchange = timed("2026-11-21T12:00:00.500Z", none, "100");
    assert_eq!(exchange.started_at.to_rfc3339(), "2026-11-21T12:00:00.500+00:00");
    assert_eq!((exchange.timings.connect, exchange.timings.total()), (None, Duration::from_millis(100)));
    // The total has all of it.
    let exchange = timed("2026-11-21T12:00:00.500Z", r#"{"blocked":60}"#, "100");
    assert_eq!(exchange.timings.total(), Duration::from_millis(40));
    // A time in whole seconds stays one.
    let exchange = timed("2026-11-21T12:00:00Z", all, "4203");
    assert_eq!(exchange.started_at.to_rfc3339(), "2026-11-21T12:00:04+00:00");
    assert_eq!(exchange.timings.setup(), Duration::from_millis(100));
}

#[test]
fn a_time_without_a_zone_is_told_from_none() {
    let text = entry(r#""headers":[]"#, r#""headers":[]"#);
    for time in ["2026-11-21T12:00:00", "2026-11-21T12:00:00.123"] {
        let left_out = read(&text.replace("2026-11-21T12:00:00Z", time)).left_out;
        assert!(left_out[0].1.contains("no time zone"), "{left_out:?}");
    }
}

/// mitmproxy writes each byte of a body that is no text as half a character.
#[test]
fn halves_of_characters_are_read_and_bodies_with_them_are_missing() {
    let with = |text: &str| {
        entry(&format!(r#""postData":{{"text":"{text}"}},"headers":[]"#), r#""comment":"x","headers":[]"#)
    };
    let har = read(&with(r"a\udc80b"));
    assert_eq!((har.mended, har.entries.len()), (1, 1));
    assert_eq!(har.entries[0].exchange.request.body.kept, None);
    assert_eq!(read(&with(r"a\ud83d\ude00b")).mended, 0);
    assert_eq!(only(&with("a\u{fffd}b")).request.body.kept, None);
    assert_eq!(read(&with("ab").replace("\"x\"", r#""\udc80""#)).mended, 1);
    // Other mistakes stay.
    let broken = with(r"a\udc80b").replace("]}}", "");
    let read = read_har_bytes(broken.as_bytes(), &Redactor::default(), &HarLimits::default());
    assert!(matches!(read, Err(HarError::Json { line: 1, .. })), "{read:?}");
}

#[test]
fn a_har_in_utf_16_is_told_so() {
    for mark in ["\u{feff}", ""] {
        let text = format!("{mark}{{}}");
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            let read = read_har_bytes(&bytes, &Redactor::default(), &HarLimits::default());
            assert!(matches!(read, Err(HarError::Utf16)), "{read:?}");
        }
    }
}

/// A call with this body, in a HAR in which it stands between other fields.
fn with_body(post: &str, before: &str, after: &str) -> String {
    let gzip = r#"{"name":"Content-Encoding","value":"gzip"}"#;
    format!(
        r#"{{"log":{{{before}"entries":[{{"startedDateTime":"2026-11-21T12:00:00Z","request":{{"postData":{post},"method":"POST","url":"https://h/messageexchange/X26ABC1/outbox","headers":[{gzip}]}},"response":{{"status":202}}}}]{after}}}}}"#
    )
}

/// Longer than what is held of any text.
const LONG: usize = 3_000_000;

/// As a body in base64 is written by some programs: each stroke escaped, its encoding behind it, and headers after all.
#[test]
fn a_long_body_is_told_by_what_it_is_and_not_kept() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bytes: Vec<u8> = (0..LONG).map(|at| (at * at / 7) as u8).collect();
    let zipped = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        std::io::Write::write_all(&mut encoder, &bytes).unwrap();
        encoder.finish().unwrap()
    };
    for (sent, decoded) in [(&bytes, false), (&zipped, true)] {
        let text = STANDARD.encode(sent).replace('/', r"\/");
        let post = format!(r#"{{"text":"{text}","comment":"{text}","encoding":"base64"}}"#);
        let body = only(&with_body(&post, "", "")).request.body;
        assert_eq!((body.size, body.sha256, body.kept.as_ref()), (sent.len() as u64, Sha256::of(sent), None));
        let whole = Decoded::Whole { size: LONG as u64, sha256: Sha256::of(&bytes) };
        assert_eq!(body.decoded, decoded.then_some(whole));
    }
    // Not base64 after all.
    let post = format!(r#"{{"text":"{}*","encoding":"base64"}}"#, "YQ==".repeat(LONG / 4));
    assert_eq!(only(&with_body(&post, "", "")).request.body.size, 0);
}

#[test]
fn a_long_text_is_a_body_unless_it_is_cut_or_was_no_text() {
    let text = "é\\n\\u00e9".repeat(LONG / 8);
    let said = "é\né".repeat(LONG / 8);
    let body = |post: String| only(&entry(&format!("{post},\"headers\":[]"), r#""headers":[]"#)).request.body;
    let whole = body(format!(r#""postData":{{"text":"{text}"}}"#));
    assert_eq!((whole.size, whole.sha256), (said.len() as u64, Sha256::of(said.as_bytes())));
    let cut = body(format!(r#""bodySize":9000000,"postData":{{"text":"{text}"}}"#));
    assert_eq!((cut.size, cut.sha256), (9_000_000, Sha256::of(b"")));
    // JSON that is whole was not cut.
    let json = body(format!(r#""bodySize":9000000,"postData":{{"text":"[\"{}\"]"}}"#, "a".repeat(LONG)));
    assert_eq!(json.size, LONG as u64 + 4);
    let halves = r"a\udc80".repeat(LONG / 7);
    let read = read(&entry(&format!(r#""postData":{{"text":"{halves}"}},"headers":[]"#), r#""headers":[]"#));
    assert_eq!(read.mended, LONG / 7);
    let lossy = &read.entries[0].exchange.request.body;
    assert_eq!((lossy.size, lossy.sha256), ((LONG / 7 * 4) as u64, Sha256::of(b"")));
}

#[test]
fn what_is_wrong_behind_a_long_text_is_told_by_line_and_column_of_the_file() {
    let text = with_body(&format!(r#"{{"text":"{}"}}"#, "YQ==".repeat(LONG / 4)), "", ",\n 1");
    let read = read_har_bytes(text.as_bytes(), &Redactor::default(), &HarLimits::default());
    assert!(matches!(read, Err(HarError::Json { line: 2, column: 2 })), "{read:?}");
    let text = text.replace('\n', "");
    let read = read_har_bytes(text.as_bytes(), &Redactor::default(), &HarLimits::default());
    let Err(HarError::Json { line: 1, column }) = read else { panic!("{read:?}") };
    assert_eq!(column, text.len() - 2);
}

/// JSON has no order, and of what is there twice the last counts.
#[test]
fn who_made_it_may_stand_behind_the_entries() {
    let ours = r#""creator":{"name":"mesh-witness","version":"1"}"#;
    let other = r#""creator":{"name":"Fiddler"}"#;
    for (before, after, is_ours) in [
        (format!("{ours},"), String::new(), true),
        (String::new(), format!(",{ours}"), true),
        (format!("{other},"), format!(",{ours}"), true),
        (format!("{ours},"), format!(",{other}"), false),
        (r#""entries":[1,2],"#.to_owned(), format!(r#","pages":[{{"a":[]}}],{other}"#), false),
    ] {
        let text = with_body("{}", &before, &after).replace("\"request\"", "\"_number\":7,\"request\"");
        let har = read(&text);
        let number = if is_ours { 7 } else { 1 };
        assert_eq!((har.is_ours, har.entries[0].number, har.left_out.len()), (is_ours, number, 0), "{text}");
    }
    let twice = with_body("{}", "", r#","entries":{}"#);
    let read = read_har_bytes(twice.as_bytes(), &Redactor::default(), &HarLimits::default());
    assert!(matches!(read, Err(HarError::NotHar)), "{read:?}");
}

#[test]
fn a_file_reads_as_its_bytes_do() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text = with_body(&format!(r#"{{"text":"{}","encoding":"base64"}}"#, "YWI="), "", "");
    let long = with_body(&format!(r#"{{"text":"{}","encoding":"base64"}}"#, "YWJj".repeat(LONG / 4)), "", "");
    for text in [text, format!("\u{feff}{long}")] {
        file.as_file_mut().set_len(0).unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let har = read_har(file.path(), &Redactor::default(), &HarLimits::default()).unwrap();
        assert_eq!(format!("{har:?}"), format!("{:?}", read(&text)));
        assert!(har.entries[0].exchange.request.body.size > 0);
    }
}

proptest! {
    #[test]
    fn no_har_stops_the_reader(file in 0usize..5, at: prop::sample::Index, with in "[\"{}\\[\\]:,0-9a-zA-Z\\\\ -]{0,6}", cut in 0usize..12) {
        let files = [file!("firefox.har"), file!("chromium-sanitised.har"), file!("mitmproxy.har"), file!("charles.har"), file!("fiddler.har")];
        let mut bytes = files[file].as_bytes().to_vec();
        let place = at.index(bytes.len());
        let end = (place + cut).min(bytes.len());
        bytes.splice(place..end, with.into_bytes());
        if let Ok(har) = read_har_bytes(&bytes, &Redactor::default(), &HarLimits::default()) {
            let exchanges: Vec<_> = har.entries.into_iter().map(|entry| (entry.number, std::sync::Arc::new(entry.exchange))).collect();
            let results = crate::rules::traffic::judge_numbered(&exchanges, &crate::rules::traffic::Context::default());
            prop_assert!(!results.is_empty());
        }
    }
}
