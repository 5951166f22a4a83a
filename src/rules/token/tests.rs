use aws_lc_rs::hmac;
use chrono::{TimeDelta, TimeZone};
use proptest::prelude::*;

use super::*;
use crate::protocol::{Credentials, NonceCount, Token};

const PASSWORD: &str = "Pa55word-of-mine";
const KEY: &str = "TheSharedKey";
const NONCE: &str = "1c820cd4-be3e-43ff-807f-e65362892722";

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 14, 30, 20).unwrap()
}

fn credentials() -> Credentials {
    Credentials {
        mailbox: MailboxId::parse("X26HC005").unwrap(),
        password: Password::new(PASSWORD),
        shared_key: SharedKey::new(KEY),
    }
}

fn token_at(time: DateTime<Utc>) -> String {
    Token::build(&credentials(), NONCE.parse().unwrap(), NonceCount::new(0), time).to_string()
}

/// A token whose fields are written thus, with the hash that they give.
fn token_of(mailbox: &str, nonce: &str, count: &str, timestamp: &str) -> String {
    let text = format!("{mailbox}:{nonce}:{count}:{PASSWORD}:{timestamp}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()), text.as_bytes());
    let hash: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("NHSMESH {mailbox}:{nonce}:{count}:{timestamp}:{hash}")
}

fn explained(value: &str, made_at: Option<DateTime<Utc>>) -> Vec<TokenPart> {
    let Credentials { mailbox, password, shared_key } = credentials();
    explain_token(
        value,
        &Against {
            mailbox: Some(&mailbox),
            secrets: Some((&password, &shared_key)),
            other_passwords: &[],
            now: now(),
            made_at,
        },
    )
}

/// The only part that is not right.
fn fault(value: &str) -> TokenPart {
    only(explained(value, None))
}

fn only(parts: Vec<TokenPart>) -> TokenPart {
    let mut faults = parts.into_iter().filter(|part| part.standing != Standing::Right);
    let first = faults.next().expect("there is a fault");
    let others: Vec<TokenPart> = faults.collect();
    assert_eq!(others, [], "beside {first:?}");
    first
}

fn named(part: &TokenPart) -> (&'static str, Standing) {
    (part.name, part.standing)
}

#[test]
fn a_good_token_is_right_in_every_part() {
    let parts = explained(&token_at(now()), None);
    assert_eq!(standing_of(&parts), Standing::Right);
    let names: Vec<&str> = parts.iter().map(|part| part.name).collect();
    assert_eq!(names, ["scheme", "mailbox", "nonce", "count", "timestamp", "hash"]);
}

#[test]
fn what_is_wrong_around_the_fields_is_named_and_the_fields_are_judged_all_the_same() {
    let good = token_at(now());
    for (value, name, what) in [
        (good.replace("NHSMESH", "nhsmesh"), "scheme", "not in upper case"),
        (good.replace("NHSMESH ", "NHSMESH:"), "scheme", "followed by a colon"),
        (good.replace("NHSMESH ", "NHSMESH"), "scheme", "followed by nothing"),
        (good.replace("NHSMESH ", "NHSMESH  "), "scheme", "more than one blank"),
        (good.replace("NHSMESH ", "NHSMESH\t"), "scheme", "a tab"),
        (good.replace("NHSMESH ", ""), "scheme", "missing"),
        (good.replace("NHSMESH", "Bearer"), "scheme", "Bearer, another scheme"),
        (good.replace("NHSMESH", "Secretive"), "scheme", "another word"),
        (format!("authorization: {good}"), "header", "begins with the header's name"),
        (format!("Authorization:{good}"), "header", "begins with the header's name"),
        (format!("\"{good}\""), "header", "quotation marks"),
    ] {
        let fault = fault(&value);
        assert_eq!(named(&fault), (name, Standing::Wrong), "{value}");
        assert!(fault.what.contains(what), "{fault:?}");
        assert!(fault.remedy.is_some(), "{fault:?}");
    }
}

#[test]
fn each_field_is_judged_by_itself() {
    let time = "202611211430";
    for (value, name, what) in [
        (token_of("x26hc005", NONCE, "0", time), "mailbox", "lower-case"),
        (token_of("X26HC006", NONCE, "0", time), "mailbox", "another mailbox's"),
        (token_of("X26 HC005", NONCE, "0", time), "mailbox", "no mailbox ID"),
        (token_of("X26HC005", "12345", "0", time), "nonce", "no GUID: it has 5 characters"),
        (token_of("X26HC005", "", "0", time), "nonce", "empty"),
        (token_of("X26HC005", &format!("{{{NONCE}}}"), "0", time), "nonce", "something around it"),
        (token_of("X26HC005", NONCE, "", time), "count", "empty"),
        (token_of("X26HC005", NONCE, "one", time), "count", "no number"),
        (token_of("X26HC005", NONCE, "-1", time), "count", "no number"),
        (token_of("X26HC005", NONCE, "0", "20261121143020"), "timestamp", "seconds"),
        (token_of("X26HC005", NONCE, "0", "202621111430"), "timestamp", "month and day are swapped"),
        (token_of("X26HC005", NONCE, "0", "202613321430"), "timestamp", "no such date"),
        (token_of("X26HC005", NONCE, "0", "1795271420"), "timestamp", "since 1970"),
        (token_of("X26HC005", NONCE, "0", "1795271420000"), "timestamp", "milliseconds"),
        (token_of("X26HC005", NONCE, "0", "20261121"), "timestamp", "without a time"),
        (token_of("X26HC005", NONCE, "0", "2026-11-21 1430"), "timestamp", "between the digits"),
        (token_of("X26HC005", NONCE, "0", ""), "timestamp", "empty"),
    ] {
        let fault = fault(&value);
        assert_eq!(named(&fault), (name, Standing::Wrong), "{value}");
        assert!(fault.what.contains(what), "{fault:?}");
    }
}

#[test]
fn fields_that_are_missing_too_many_or_in_another_order_are_found() {
    let good = token_at(now());
    let timestamp = TokenTimestampText(now()).to_string();
    for (value, what, of_hash) in [
        (good.replace(":0:", ":"), "4 fields: the nonce count is missing", Standing::Unknown),
        (good.replace(&format!("{NONCE}:"), ""), "4 fields: the nonce is missing", Standing::Unknown),
        (good.replace("X26HC005:", ""), "4 fields: the mailbox ID is missing", Standing::Unknown),
        (good.replace(&format!("{timestamp}:"), ""), "4 fields: the timestamp is missing", Standing::Unknown),
        (good.rsplit_once(':').unwrap().0.to_owned(), "4 fields: the hash is missing", Standing::Unknown),
        (format!("{good}:x"), "6 fields: field 6 is too many", Standing::Right),
        ("NHSMESH a:b".to_owned(), "2 fields", Standing::Unknown),
        ("NHSMESH WDI2SEMwMDU=".to_owned(), "no colon", Standing::Unknown),
        (
            good.replace(&format!("0:{timestamp}"), &format!("{timestamp}:0")),
            "not in their order",
            Standing::Right,
        ),
    ] {
        let parts = explained(&value, None);
        let fields = parts.iter().find(|part| part.name == "fields").unwrap_or_else(|| panic!("{parts:?}"));
        assert!(fields.what.contains(what), "{fields:?}");
        assert_eq!(parts.last().map(named), Some(("hash", of_hash)), "{parts:?}");
        assert_eq!(standing_of(&parts), Standing::Wrong);
    }
    let parts = explained(&token_of("X26HC005", NONCE, "0", "2026-11-21T14:30:20Z"), None);
    let wrong: Vec<&str> =
        parts.iter().filter(|part| part.standing == Standing::Wrong).map(|part| part.name).collect();
    assert_eq!(wrong, ["fields", "timestamp"], "the hash is of what is written: {parts:?}");
}

/// The text of a token's time.
struct TokenTimestampText(DateTime<Utc>);

impl std::fmt::Display for TokenTimestampText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        crate::protocol::TokenTimestamp::at(self.0).fmt(f)
    }
}

#[test]
fn a_time_that_is_ahead_is_local_time_or_a_fast_clock() {
    let ahead = |minutes| explained(&token_at(now() + TimeDelta::minutes(minutes)), None);
    assert_eq!(standing_of(&ahead(4)), Standing::Right);
    for (minutes, standing, what) in [
        (60, Standing::Wrong, "British Summer Time"),
        (61, Standing::Wrong, "British Summer Time"),
        (40, Standing::Doubtful, "some minutes from UTC"),
        (90, Standing::Doubtful, "some minutes from UTC"),
        (120, Standing::Wrong, "another time zone"),
        (330, Standing::Wrong, "outside the two hours"),
    ] {
        let fault = only(ahead(minutes));
        assert_eq!(named(&fault), ("timestamp", standing), "{minutes}");
        assert!(fault.what.contains(what), "{fault:?}");
    }
    // Made twenty minutes ago, an hour ahead.
    assert!(only(ahead(40)).remedy.unwrap().contains("British Summer Time"));
}

#[test]
fn a_time_that_is_behind_may_be_an_old_token_unless_it_is_said_when_it_was_made() {
    let at = |minutes| token_at(now() - TimeDelta::minutes(minutes));
    let behind = |minutes| only(explained(&at(minutes), None));
    assert_eq!(named(&behind(60)), ("timestamp", Standing::Doubtful));
    assert_eq!(named(&behind(120)), ("timestamp", Standing::Doubtful));
    assert_eq!(named(&behind(121)), ("timestamp", Standing::Wrong));
    assert!(behind(720).remedy.unwrap().contains("HH is the hour of 24"));
    let told = |minutes, made_at| explained(&at(minutes), Some(made_at));
    assert_eq!(standing_of(&told(7200, now() - TimeDelta::minutes(7200))), Standing::Right);
    let zone = only(told(300, now()));
    assert_eq!(named(&zone), ("timestamp", Standing::Wrong));
    assert!(zone.what.contains("another time zone"), "{zone:?}");
}

#[test]
fn the_month_in_the_minutes_place_is_guessed() {
    // 14:30 in November, written with MM.
    let fault = fault(&token_of("X26HC005", NONCE, "0", "202611211411"));
    assert!(fault.remedy.unwrap().contains("MM is the month"));
}

#[test]
fn a_wrong_hash_is_told_with_what_was_done() {
    let good = token_at(now());
    let (start, hash) = good.rsplit_once(':').unwrap();
    let shouted = fault(&format!("{start}:{}", hash.to_uppercase()));
    assert_eq!(named(&shouted), ("hash", Standing::Wrong));
    assert!(shouted.what.contains("upper-case digits"), "{shouted:?}");
    let swapped =
        Credentials { password: Password::new(KEY), shared_key: SharedKey::new(PASSWORD), ..credentials() };
    let swapped = Token::build(&swapped, NONCE.parse().unwrap(), NonceCount::new(0), now()).to_string();
    assert_eq!(fault(&swapped).what, "the password and the shared key are swapped");
    let other = Credentials { password: Password::new("quite another"), ..credentials() };
    let other = Token::build(&other, NONCE.parse().unwrap(), NonceCount::new(0), now()).to_string();
    assert!(fault(&other).what.contains("none of the known mistakes"), "{other}");
    assert_eq!(fault(&format!("{start}:y")).what, "it has 1 character");
    assert_eq!(fault(&format!("{start}:")).what, "it has 0 characters");
}

#[test]
fn without_the_secrets_a_token_is_never_called_good() {
    let against = Against { mailbox: None, secrets: None, other_passwords: &[], now: now(), made_at: None };
    let parts = explain_token(&token_at(now()), &against);
    assert_eq!(named(&only(parts)), ("hash", Standing::Unknown));
    let parts = explain_token(&token_at(now()).replace(":0:", ":x:"), &against);
    assert_eq!(standing_of(&parts), Standing::Wrong);
}

#[test]
fn a_hash_that_was_taken_out_is_not_judged() {
    let good = token_at(now());
    let (start, _) = good.rsplit_once(':').unwrap();
    for mark in ["[hash redacted]", "***", "<hidden>", "xxxxxxxx", "…", "810c****************e877"] {
        let parts = explained(&format!("{start}:{mark}"), None);
        assert_eq!(named(&only(parts)), ("hash", Standing::Unknown), "{mark}");
    }
    let (last, _) = good.split_at(good.len() - 1);
    assert_eq!(named(&fault(&format!("{last}*"))), ("hash", Standing::Wrong));
}

#[test]
fn a_secret_in_the_header_is_an_alarm_and_is_not_repeated() {
    let good = token_at(now());
    for secret in [PASSWORD, KEY] {
        let six = good.replace(":0:", &format!(":0:{secret}:"));
        for value in [six, good.replace("X26HC005", secret), good.replace(NONCE, secret)] {
            let parts = explained(&value, None);
            assert!(parts.iter().any(|part| part.what.contains("itself stands in the header")), "{parts:?}");
            let shown = format!("{parts:?}").to_lowercase();
            assert!(!shown.contains(&secret.to_lowercase()), "{shown}");
        }
    }
}

#[test]
fn nothing_at_all_is_no_token() {
    for value in
        ["", " ", "\r\n", "NHSMESH", "NHSMESH ", "authorization:", "\"\"", ":", "::::", "NHSMESH ::::"]
    {
        let parts = explained(value, None);
        assert_eq!(standing_of(&parts), Standing::Wrong, "{value:?}: {parts:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_text_stops_it_and_none_is_good(text in "\\PC{0,150}", start in 0..3) {
        let value = match start {
            0 => text,
            1 => format!("NHSMESH {text}"),
            _ => format!("{}{text}", token_of("X26HC005", NONCE, "0", "202611211430")),
        };
        let parts = explained(&value, None);
        let is_token = value.trim() == token_of("X26HC005", NONCE, "0", "202611211430");
        prop_assert_eq!(standing_of(&parts) == Standing::Right, is_token);
    }

    /// What is called right is what the endpoint takes.
    #[test]
    fn it_agrees_with_the_endpoint(minutes in -200i64..200, byte in 0usize..130, other in "[ -~]") {
        let mut value = token_at(now() + TimeDelta::minutes(minutes));
        if let Some(range) = (byte < value.len()).then_some(byte..=byte) {
            value.replace_range(range, &other);
        }
        let standing = standing_of(&explained(&value, None));
        let taken = Token::parse(&value)
            .ok()
            .is_some_and(|token| crate::protocol::check_token(&token, &credentials(), now()).is_ok());
        if matches!(standing, Standing::Right | Standing::Doubtful) {
            prop_assert!(taken, "{}", value);
        }
        if !taken {
            prop_assert_eq!(standing, Standing::Wrong);
        }
    }

    #[test]
    fn neither_a_secret_nor_a_hash_is_told(cut in 0usize..200, insert in "[ -~]{0,3}", minutes in -90i64..90) {
        let mut value = token_at(now() + TimeDelta::minutes(minutes));
        let hash = value.rsplit(':').next().unwrap_or_default().to_owned();
        value.insert_str(cut.min(value.len()), &insert);
        let told = format!("{:?}", explained(&value, None));
        for secret in [PASSWORD, KEY, &hash, &hash[..32], &hash[32..]] {
            prop_assert!(!told.contains(secret), "{}", told);
        }
    }
}
