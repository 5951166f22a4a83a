//! The product's token: right, or wrong in one way.

use aws_lc_rs::{digest, hmac};
use chrono::{TimeDelta, Utc};
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use uuid::Uuid;

use super::acting::{has, told};

/// Makes a product's tokens, one for each call.
pub struct Tokens {
    credentials: Credentials,
    nonce: Uuid,
    made: u32,
    first: Option<String>,
}

impl Tokens {
    pub fn new() -> Self {
        let credentials = Credentials {
            mailbox: MailboxId::parse(&told("MESH_MAILBOX_ID")).unwrap(),
            password: Password::new(told("MESH_MAILBOX_PASSWORD")),
            shared_key: SharedKey::new(told("MESH_SHARED_KEY")),
        };
        Self { credentials, nonce: Uuid::new_v4(), made: 0, first: None }
    }

    /// The value of the header; `None` for a product that sends none.
    pub fn next(&mut self) -> Option<String> {
        let made = self.made;
        self.made += 1;
        let count = if has("count-falls") { 100 - made } else { made };
        let now = Utc::now() + off();
        let right = Token::build(&self.credentials, self.nonce, NonceCount::new(count), now).to_string();
        if has("token-used-twice") && made == 2 {
            return self.first.clone();
        }
        self.first.get_or_insert_with(|| right.clone());
        (!has("no-token")).then(|| self.wrong(right))
    }

    /// The token as a wrong product writes it.
    fn wrong(&self, right: String) -> String {
        let Some((start, hash)) = right.rsplit_once(':') else { return right };
        let fields: Vec<&str> = start.trim_start_matches("NHSMESH ").split(':').collect();
        let [mailbox, nonce, count, time] = fields[..] else { return right };
        let (password, key) = (told("MESH_MAILBOX_PASSWORD"), told("MESH_SHARED_KEY"));
        let text = format!("{mailbox}:{nonce}:{count}:{password}:{time}");
        let with = |mailbox: &str, nonce: &str, count: &str| {
            let text = format!("{mailbox}:{nonce}:{count}:{password}:{time}");
            format!("NHSMESH {mailbox}:{nonce}:{count}:{time}:{}", keyed(&key, &text))
        };
        match () {
            () if has("no-scheme") => right.trim_start_matches("NHSMESH ").to_owned(),
            () if has("two-blanks") => right.replacen(' ', "  ", 1),
            () if has("mailbox-in-lower-case") => with(&mailbox.to_lowercase(), nonce, count),
            () if has("nonce-of-its-own") => with(mailbox, "nonce-1", count),
            () if has("count-in-words") => with(mailbox, nonce, "one"),
            () if has("another-mailboxs-token") => with("X26OTHER9", nonce, count),
            () if has("hash-without-key") => {
                format!("{start}:{}", hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()))
            }
            () if has("hash-in-header-order") => {
                format!("{start}:{}", keyed(&key, &format!("{mailbox}:{nonce}:{count}:{time}:{password}")))
            }
            () if has("hash-keyed-with-password") => {
                format!("{start}:{}", keyed(&password, &format!("{mailbox}:{nonce}:{count}:{key}:{time}")))
            }
            () if has("hash-in-upper-case") => format!("{start}:{}", hash.to_uppercase()),
            () => right,
        }
    }
}

/// How far the product's clock is off.
fn off() -> TimeDelta {
    match () {
        () if has("british-summer-time") => TimeDelta::hours(1),
        () if has("new-york-time") => TimeDelta::hours(-5),
        () if has("clock-of-last-week") => TimeDelta::days(-7),
        () if has("clock-some-minutes-slow") => TimeDelta::minutes(-20),
        () => TimeDelta::zero(),
    }
}

fn keyed(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hex(hmac::sign(&key, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
