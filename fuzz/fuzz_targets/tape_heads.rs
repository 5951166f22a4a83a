//! What is recorded: no token's hash and no secret survives, wherever in a head or a body it stands.
#![no_main]

use std::sync::LazyLock;

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use mesh_witness::{
    protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token},
    tape::{Header, Redactor, RequestHead, ResponseHead, Secret},
};
use uuid::Uuid;

const PASSWORD: &str = "hunter2/hunter&2";
const KEY: &str = "Back<Bone>+1";

/// Made once: preparing the search takes longer than searching.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
    Redactor::new(&[Secret::new("password", PASSWORD), Secret::new("key", KEY)], &[credentials()])
});

// The first byte says what is hidden; `|` in the rest, where.
fuzz_target!(|input: &[u8]| {
    let Some((choice, around)) = input.split_first() else { return };
    let place = around.iter().position(|byte| *byte == b'|').unwrap_or(around.len());
    let (before, after) = (&around[..place], around.get(place + 1..).unwrap_or_default());
    let redactor = &*REDACTOR;
    let at = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
    let token = Token::build(&credentials(), Uuid::from_u128(7), NonceCount::new(0), at);
    let text = token.to_string();
    let inserted = match choice % 4 {
        0 => text.as_str(),
        1 => PASSWORD,
        2 => KEY,
        _ => "",
    };
    let raw = [before, inserted.as_bytes(), after].concat();

    // The fuzzer learns the hash and writes it down by itself; alone it is a word like any other.
    let around = [before, b"|", after].concat();
    if String::from_utf8_lossy(&around).contains(token.identity()) {
        return;
    }

    let clean = |what: &str, shown: &str| {
        assert!(!shown.contains(token.identity()), "{what}: the hash is in {shown:?}");
        assert_eq!(redactor.secrets().found_in(shown.as_bytes()), Vec::<&str>::new(), "{what}: {shown:?}");
    };
    clean("text", &redactor.text(&String::from_utf8_lossy(&raw)));
    clean("bytes", &String::from_utf8_lossy(&redactor.bytes(&raw)));
    let (head, record) = redactor.request_head(&raw);
    clean("request", &shown(&head.line(), &head.headers));
    clean("token", &format!("{record:?}"));
    assert_eq!(head.size, raw.len());
    let head = redactor.response_head(&raw);
    clean("response", &shown(&head.line(), &head.headers));
    assert_eq!(head.size, raw.len());

    // What is kept can be shown anywhere: no control characters, whatever came.
    for line in [RequestHead::read(&raw).line(), ResponseHead::read(&raw).line()] {
        assert!(!line.contains(|character: char| character.is_control() && character != '\t'));
    }
});

fn credentials() -> Credentials {
    Credentials {
        mailbox: MailboxId::parse("X26ABC1").expect("a mailbox ID"),
        password: Password::new(PASSWORD),
        shared_key: SharedKey::new(KEY),
    }
}

fn shown(line: &str, headers: &[Header]) -> String {
    headers.iter().fold(line.to_owned(), |text, Header { name, value }| format!("{text}\n{name}: {value}"))
}
