//! Headers of a send: what is taken keeps the OpenAPI's limits, and reads back as it was taken.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use mesh_witness::protocol::{ContentEncoding, MailboxId, SendHeaders, SendRules, headers};

fuzz_target!(|lines: &[u8]| {
    let sender = MailboxId::parse("X26ABC1").expect("a mailbox ID");
    let mut given = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(60) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value))
        {
            given.append(name, value);
        }
    }
    for rules in [SendRules::default(), SendRules::spec(), SendRules::sandbox()] {
        check(&given, &sender, rules);
    }
});

fn check(given: &HeaderMap, sender: &MailboxId, rules: SendRules) {
    let Ok(parsed) = SendHeaders::parse(given, sender, rules) else { return };

    assert!((1..=100).contains(&parsed.to.len()));
    assert!((1..=300).contains(&parsed.workflow.as_str().len()));
    assert!(parsed.chunk_range.index() <= parsed.chunk_range.total());
    for (name, value) in &parsed.passed_through {
        assert!((1..=500).contains(&value.len()), "{name}");
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name} can be handed on: {value:?}");
    }

    let mut again = HeaderMap::new();
    let mut insert = |name, value: &str| {
        again.insert(name, HeaderValue::from_str(value).expect("what was taken can be sent on"));
    };
    insert(headers::MEX_TO, &parsed.to);
    insert(headers::MEX_WORKFLOW_ID, parsed.workflow.as_str());
    insert(headers::MEX_CHUNK_RANGE, &parsed.chunk_range.to_string());
    if parsed.encoding == ContentEncoding::Gzip {
        insert(http::header::CONTENT_ENCODING, "gzip");
    }
    if let Some(content_type) = &parsed.content_type {
        insert(http::header::CONTENT_TYPE, content_type);
    }
    for (name, value) in &parsed.passed_through {
        insert(name.clone(), value);
    }
    assert_eq!(SendHeaders::parse(&again, sender, rules), Ok(parsed));
}
