use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use super::*;

const NONCE: &str = "1c820cd4-be3e-43ff-807f-e65362892722";
const START: &str = "X26HC005:1c820cd4-be3e-43ff-807f-e65362892722:0:";
const TIME: &str = "202006041718";

fn keyed(key: &str, text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn plain(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn found_with(password: &str, key: &str, given: &str) -> Option<Vec<HashMistake>> {
    let others = [("mailboxes.counterpart".to_owned(), Password::new("another"))];
    hash_mistakes(
        &HashOf {
            fields: ["X26HC005", NONCE, "0", TIME],
            password: &Password::new(password),
            shared_key: &SharedKey::new(key),
            mailbox: Some(&MailboxId::parse("X26HC005").unwrap()),
            other_passwords: &others,
        },
        given,
    )
}

fn found(given: &str) -> Option<Vec<HashMistake>> {
    found_with("Pa55word", "TestKey", given)
}

/// The hash over this text, with the right key.
fn over(text: &str) -> String {
    hex(&keyed("TestKey", text))
}

#[test]
fn the_right_hash_has_no_mistake() {
    assert_eq!(found(&over(&format!("{START}Pa55word:{TIME}"))), Some(vec![]));
    // A line of token_vectors.txt, which openssl computed.
    let vector = "810c161424ec5ad29a5c12afb797d6d96b418665e9993492ce469a2ea256e877";
    assert_eq!(found_with("password", "TestKey", vector), Some(vec![]));
}

#[test]
fn each_mistake_alone_is_named() {
    use HashMistake as M;
    let right = format!("{START}Pa55word:{TIME}");
    let bytes = keyed("TestKey", &right);
    let digits = hex(&bytes);
    let hyphens: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let sha512 = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, b"TestKey"), right.as_bytes());
    let sha1 = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"TestKey"), right.as_bytes());
    for (given, mistake) in [
        (digits.to_uppercase(), M::UpperCase),
        (hyphens.join("-"), M::Hyphens),
        (STANDARD.encode(&bytes), M::Base64),
        (STANDARD.encode(&digits), M::Base64OfHex),
        (digits[..32].to_owned(), M::CutShort(32)),
        (hex(sha512.as_ref()), M::OtherFunction("SHA-512")),
        (hex(sha1.as_ref()), M::OtherFunction("SHA-1")),
        (plain(&right), M::NotKeyed),
        (plain(&format!("TestKey{right}")), M::KeyInFront),
        (plain(&format!("{right}TestKey")), M::KeyBehind),
        (over(&format!("{START}{TIME}:Pa55word")), M::HeaderOrder),
        (
            over(&format!("Pa55word:{START}{TIME}")),
            M::OtherOrder("password:mailbox:nonce:count:timestamp".into()),
        ),
        (over(&format!("{START}{TIME}")), M::PasswordLeftOut),
        (over(&format!("X26HC005:{NONCE}:Pa55word:{TIME}")), M::CountLeftOut),
        (over(&right.replace(':', "")), M::NoColons),
        (over(&right.replace(':', "|")), M::OtherSeparator('|')),
        (over(&format!("NHSMESH {right}")), M::Scheme),
        (over(&format!("{right}\n")), M::LineEnd),
        (hex(&keyed("Pa55word", &format!("{START}TestKey:{TIME}"))), M::Swapped),
        (over(&format!("{START}TestKey:{TIME}")), M::KeyForPassword),
        (hex(&keyed("Pa55word", &right)), M::PasswordForKey),
        (over(&format!("{START}another:{TIME}")), M::PasswordOf("mailboxes.counterpart".into())),
        (over(&right.replace("X26HC005", "x26hc005")), M::MailboxCase),
        (over(&right.replace(NONCE, &NONCE.replace('-', ""))), M::NonceForm),
        (over(&right.replace(NONCE, &NONCE.to_uppercase())), M::NonceForm),
        (over(&right.replace(":0:", ":1:")), M::Count("1".into())),
        (over(&right.replace(":0:", ":417:")), M::Count("417".into())),
        (over(&right.replace(":0:", ":00000000:")), M::Count("00000000".into())),
        (over(&right.replace(TIME, "202006041818")), M::Time(60)),
        (over(&right.replace(TIME, "202006041148")), M::Time(-330)),
        (over(&right.replace(TIME, "202006041719")), M::Time(1)),
        (over(&format!("{right}59")), M::TimeWithSeconds),
    ] {
        assert_eq!(found(&given), Some(vec![mistake.clone()]), "{mistake:?}");
    }
}

#[test]
fn each_slip_of_a_secret_is_named() {
    use Slip as S;
    let of_password = |password: &str, used: &str| {
        let given = over(&format!("{START}{used}:{TIME}"));
        found_with(password, "TestKey", &given).unwrap()
    };
    let of_key = |key: &str, used: &str| {
        let given = hex(&keyed(used, &format!("{START}Pa55word:{TIME}")));
        found_with("Pa55word", key, &given).unwrap()
    };
    for (secret, used, slip) in [
        ("Secret1", "Secret1\n", S::LineEnd),
        ("Secret1", "Secret1\r\n", S::LineEnd),
        ("Secret1", "Secret1 ", S::Blank),
        (" Secret1", "Secret1", S::Trimmed),
        ("Secret1", "\"Secret1\"", S::Quoted),
        ("'Secret1'", "Secret1", S::Unquoted),
        ("Secret1", "SECRET1", S::UpperCase),
        ("Secret1", "secret1", S::LowerCase),
        ("Secret1", "", S::Empty),
        ("Secret1", "U2VjcmV0MQ==", S::Base64),
        ("U2VjcmV0MQ==", "Secret1", S::FromBase64),
        ("53656372657431", "Secret1", S::FromHex),
        ("Secret1", &plain("Secret1"), S::Hashed),
    ] {
        assert_eq!(of_password(secret, used), [HashMistake::Password(slip)], "{slip:?}");
        assert_eq!(of_key(secret, used), [HashMistake::SharedKey(slip)], "{slip:?}");
    }
    let text = [START.as_bytes(), b"pound\xa3:", TIME.as_bytes()].concat();
    let given = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"TestKey"), &text);
    let latin1 = found_with("pound£", "TestKey", &hex(given.as_ref()));
    assert_eq!(latin1, Some(vec![HashMistake::Password(S::Latin1)]));
}

#[test]
fn two_mistakes_at_once_are_named() {
    use HashMistake as M;
    let swapped = keyed("Pa55word\n", &format!("{START}TestKey:{TIME}"));
    let slip = M::Password(Slip::LineEnd);
    assert_eq!(found(&hex(&swapped)), Some(vec![slip, M::Swapped]));
    let header = plain(&format!("{START}{TIME}:Pa55word"));
    assert_eq!(found(&header), Some(vec![M::NotKeyed, M::HeaderOrder]));
    let written = STANDARD.encode(keyed("TestKey", &format!("{START}{TIME}:Pa55word")));
    assert_eq!(found(&written), Some(vec![M::Base64, M::HeaderOrder]));
}

#[test]
fn another_mailbox_in_the_header_is_named() {
    let given = over(&format!("{START}Pa55word:{TIME}"));
    let mistakes = hash_mistakes(
        &HashOf {
            fields: ["X26HC006", NONCE, "0", TIME],
            password: &Password::new("Pa55word"),
            shared_key: &SharedKey::new("TestKey"),
            mailbox: Some(&MailboxId::parse("X26HC005").unwrap()),
            other_passwords: &[],
        },
        &given,
    );
    assert_eq!(mistakes, Some(vec![HashMistake::OtherMailbox]));
}

#[test]
fn a_hash_of_something_else_is_not_explained() {
    for given in ["", "x", &"0".repeat(64), &plain("anything"), &"f".repeat(500), "0000000000000000"] {
        assert_eq!(found(given), None, "{given}");
    }
}

#[test]
fn fields_without_end_are_not_hashed_without_end() {
    let long = "9".repeat(1_000_000);
    let of = HashOf {
        fields: ["X26HC005", NONCE, &long, TIME],
        password: &Password::new("Pa55word"),
        shared_key: &SharedKey::new("TestKey"),
        mailbox: None,
        other_passwords: &[],
    };
    // What the search would find of fields that are as long as fields are.
    assert_eq!(hash_mistakes(&of, &over(&format!("X26HC005:{NONCE}:{long}:{TIME}"))), None);
    assert!(found(&over(&format!("X26HC005:{NONCE}:0:{TIME}"))).is_some());
    let right = over(&format!("X26HC005:{NONCE}:{long}:Pa55word:{TIME}"));
    assert_eq!(hash_mistakes(&of, &right), Some(vec![]));
}

/// Where password and key are the same, or empty, to swap them is no mistake.
#[test]
fn what_changes_nothing_is_no_mistake() {
    let given = hex(&keyed("same", &format!("{START}same:{TIME}")));
    assert_eq!(found_with("same", "same", &given), Some(vec![]));
    let upper = given.to_uppercase();
    assert_eq!(found_with("same", "same", &upper), Some(vec![HashMistake::UpperCase]));
}

#[test]
fn words_hold_nothing_of_a_secret() {
    let given = hex(&keyed("Pa55word\n", &format!("{START}TestKey:{TIME}")));
    for mistake in found(&given).unwrap() {
        let words = format!("{mistake:?} {} {}", mistake.what(), mistake.remedy());
        assert!(!words.contains("Pa55word") && !words.contains("TestKey"), "{words}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn no_fields_and_no_hash_stop_it(
        fields in prop::array::uniform4("\\PC{0,20}"), password in "\\PC{0,12}", key in "\\PC{0,12}",
        given in "[0-9a-zA-Z+/=-]{0,130}",
    ) {
        let fields = [&fields[0], &fields[1], &fields[2], &fields[3]].map(String::as_str);
        let (password, shared_key) = (Password::new(password), SharedKey::new(key));
        let of = HashOf { fields, password: &password, shared_key: &shared_key, mailbox: None, other_passwords: &[] };
        prop_assert_eq!(hash_mistakes(&of, &given), None);
        let right = crate::protocol::hash_mistake::recipe::Recipe::right(&of).make();
        prop_assert_eq!(hash_mistakes(&of, &hex(&right)), Some(vec![]));
    }
}
