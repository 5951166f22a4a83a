//! Tokens: what is read is written the same, and of all texts only the token itself is good.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token, check_token};
use uuid::Uuid;

fuzz_target!(|text: &str| {
    let Ok(token) = Token::parse(text) else { return };
    assert_eq!(token.to_string(), text, "a token is kept as it was written");
    assert_eq!(Token::parse(&token.to_string()).as_ref(), Ok(&token));
    // With its colon: a mailbox ID may happen to hold the same digits.
    let hash = format!(":{}", token.identity());
    assert!(!format!("{token:?}").contains(&hash), "Debug shows no hash");

    let credentials = Credentials {
        mailbox: token.mailbox().clone(),
        password: Password::new("password"),
        shared_key: SharedKey::new("TestKey"),
    };
    let now = token.timestamp().time();
    let right = rebuilt(&token, &credentials);
    let good = check_token(&token, &credentials, now).is_ok();
    // The nonce may be written in several ways, so only a token in our own writing can be compared.
    if right.nonce() == token.nonce() && right.count() == token.count() {
        assert_eq!(good, right == token, "exactly the token that the credentials make is good");
    }
    for wrong in [
        Credentials { password: Password::new("Password"), ..credentials.clone() },
        Credentials { shared_key: SharedKey::new("testKey"), ..credentials.clone() },
        Credentials { mailbox: other(token.mailbox()), ..credentials },
    ] {
        assert!(!good || check_token(&token, &wrong, now).is_err(), "good for nobody else");
    }
    // Two hours and a minute on, and as long before, no token is good.
    for minutes in [-121, 121] {
        if let Some(then) = DateTime::from_timestamp(now.timestamp() + minutes * 60, 0) {
            assert!(!token.timestamp().is_within_window(then));
        }
    }
});

fn rebuilt(token: &Token, credentials: &Credentials) -> Token {
    let nonce = Uuid::try_parse(token.nonce()).expect("a token's nonce is a GUID");
    let count = token.count().parse().unwrap_or(u32::MAX);
    Token::build(credentials, nonce, NonceCount::new(count), token.timestamp().time())
}

fn other(mailbox: &MailboxId) -> MailboxId {
    let other = if mailbox.as_str() == "OTHER" { "ANOTHER" } else { "OTHER" };
    MailboxId::parse(other).expect("a mailbox ID")
}
