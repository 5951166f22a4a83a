//! Takes secrets out of what is recorded, before anything else sees it.

use std::{collections::HashMap, ops::Range, sync::Arc};

use super::{
    HashCheck, RequestHead, ResponseHead, Secret, SecretSet, TokenFault, TokenRecord,
    reading::Reading,
    secrets::{MARK, base64_forms, blotted},
};
use crate::protocol::{Credentials, MailboxId, Password, SCHEME, SharedKey, Token};

/// Knows the configured secrets, masks them wherever they stand, and masks the hash of every token.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    secrets: SecretSet,
    keyring: Keyring,
}

/// Whose token hashes can be recomputed.
#[derive(Debug)]
enum Keyring {
    Each(HashMap<MailboxId, Credentials>),
    Common { password: Password, shared_key: SharedKey },
}

impl Default for Keyring {
    fn default() -> Self {
        Self::Each(HashMap::new())
    }
}

impl Keyring {
    fn credentials(&self, mailbox: &MailboxId) -> Option<Credentials> {
        match self {
            Self::Each(credentials) => credentials.get(mailbox).cloned(),
            Self::Common { password, shared_key } => Some(Credentials {
                mailbox: mailbox.clone(),
                password: password.clone(),
                shared_key: shared_key.clone(),
            }),
        }
    }
}

/// What stands where a token's hash stood.
const HASH_MARK: &[u8] = b"[hash redacted]";

impl Redactor {
    /// A redactor for these secrets. The credentials serve to recompute token hashes.
    #[must_use]
    pub fn new(secrets: &[Secret], credentials: &[Credentials]) -> Self {
        let credentials = credentials.iter().map(|one| (one.mailbox.clone(), one.clone())).collect();
        Self::with(secrets, Keyring::Each(credentials))
    }

    /// A redactor for an endpoint on which every mailbox has the same password.
    #[must_use]
    pub fn with_common_password(secrets: &[Secret], password: Password, shared_key: SharedKey) -> Self {
        Self::with(secrets, Keyring::Common { password, shared_key })
    }

    fn with(secrets: &[Secret], keyring: Keyring) -> Self {
        Self { inner: Arc::new(Inner { secrets: SecretSet::new(secrets), keyring }) }
    }

    /// The secrets, to look for in what was written.
    #[must_use]
    pub fn secrets(&self) -> &SecretSet {
        &self.inner.secrets
    }

    /// Text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// Bytes without secrets.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        mask_token_hashes(self.inner.secrets.masked(bytes))
    }

    /// What a program has put out as it may be kept: without secrets, and without any private key. Of what was `cut`,
    /// a secret that it breaks off in is masked, too.
    #[must_use]
    pub fn output(&self, bytes: &[u8], cut: bool) -> Vec<u8> {
        let secrets = &self.inner.secrets;
        let masked = if cut { secrets.masked_beginning(bytes) } else { secrets.masked(bytes) };
        mask_private_keys(&mask_token_hashes(masked))
    }

    /// A request's head as it may be kept, and what its token said.
    #[must_use]
    pub fn request_head(&self, raw: &[u8]) -> (RequestHead, Option<TokenRecord>) {
        let token = RequestHead::read(raw).header("authorization").and_then(|value| self.token(value));
        (self.cleaned(raw, RequestHead::read, |head| (&mut head.headers, &mut head.size)), token)
    }

    /// What is wrong with the form of the token in a request's raw head. To be asked together with
    /// [`request_head`](Self::request_head), while the whole header is still there.
    #[must_use]
    pub fn token_fault(&self, raw: &[u8]) -> Option<TokenFault> {
        let head = RequestHead::read(raw);
        let value = head.header("authorization")?;
        let is_right = |token: &Token| {
            let credentials = self.inner.keyring.credentials(token.mailbox());
            credentials.is_some_and(|credentials| token.hash_matches(&credentials))
        };
        TokenFault::of(value, is_right)
    }

    /// A response's head as it may be kept.
    #[must_use]
    pub fn response_head(&self, raw: &[u8]) -> ResponseHead {
        self.cleaned(raw, ResponseHead::read, |head| (&mut head.headers, &mut head.size))
    }

    fn cleaned<H>(
        &self,
        raw: &[u8],
        read: fn(&[u8]) -> H,
        parts: fn(&mut H) -> (&mut Vec<super::Header>, &mut usize),
    ) -> H {
        // Line by line: what ends one header is not of the next.
        let lines = raw.split_inclusive(|byte| *byte == b'\n').map(|line| {
            let text = line.trim_ascii_end();
            [self.bytes(text).as_slice(), &line[text.len()..]].concat()
        });
        let mut head = read(&lines.collect::<Vec<_>>().concat());
        let (headers, size) = parts(&mut head);
        for header in headers.iter_mut().filter(|header| header.name.eq_ignore_ascii_case("authorization")) {
            header.value = mask_authorization(&header.value);
        }
        *size = raw.len();
        head
    }

    fn token(&self, value: &str) -> Option<TokenRecord> {
        let token = Token::parse(value).ok()?;
        let hash = match self.inner.keyring.credentials(token.mailbox()) {
            Some(credentials) if token.hash_matches(&credentials) => HashCheck::Matches,
            Some(_) => HashCheck::Differs,
            None => HashCheck::Unknown,
        };
        Some(TokenRecord {
            mailbox: token.mailbox().to_string(),
            nonce: token.nonce().to_owned(),
            nonce_count: token.count().to_owned(),
            timestamp: token.timestamp().to_string(),
            hash,
        })
    }
}

/// The first four fields of a token stay, so that a reviewer can match it to server logs; whatever
/// follows the fourth colon, and any other kind of authorisation, goes.
fn mask_authorization(value: &str) -> String {
    let fields: Vec<&str> = value.splitn(5, ':').collect();
    match fields.as_slice() {
        [scheme_and_mailbox, nonce, count, timestamp, _] if value.starts_with(SCHEME) => {
            let mark = String::from_utf8_lossy(HASH_MARK);
            format!("{scheme_and_mailbox}:{nonce}:{count}:{timestamp}:{mark}")
        }
        _ => "[redacted]".to_owned(),
    }
}

/// Masks the hash of a token anywhere, such as in the body of an endpoint that echoes its request, however it is
/// written down there.
fn mask_token_hashes(bytes: Vec<u8>) -> Vec<u8> {
    let mut places = token_hashes(&bytes, false);
    if let Some(reading) = Reading::of(&bytes) {
        places.extend(token_hashes(&reading.bytes, true).into_iter().map(|hash| reading.source(hash)));
    }
    if places.is_empty() { bytes } else { blotted(&bytes, places, HASH_MARK) }
}

/// Where hashes of tokens stand. Where lines were joined, what follows may be of the next one: only what has the form
/// of a token to the letter is one there.
fn token_hashes(bytes: &[u8], is_joined: bool) -> Vec<Range<usize>> {
    let scheme = SCHEME.as_bytes();
    let find = |from: usize| {
        let at = bytes.get(from..)?.windows(scheme.len()).position(|at| at.eq_ignore_ascii_case(scheme))?;
        Some(from + at)
    };
    let mut hashes = Vec::new();
    let mut found = find(0);
    while let Some(at) = found {
        // What follows up to the next scheme word: its colons are not this token's. To look no
        // further also keeps the time in proportion to the length.
        found = find(at + scheme.len());
        let rest = &bytes[at..found.unwrap_or(bytes.len())];
        let line = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n' | b'"' | b'<'));
        let token = &rest[..line.unwrap_or(rest.len())];
        let Some((colon, _)) = token.iter().enumerate().filter(|(_, byte)| **byte == b':').nth(3) else {
            continue;
        };
        let fields = token[scheme.len()..colon].trim_ascii_start();
        let is_hash = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte);
        let rest = &token[colon + 1..];
        let length = if is_joined {
            let is_whole =
                !fields.contains(&b' ') && rest.len() >= 64 && rest[..64].iter().all(u8::is_ascii_hexdigit);
            if is_whole { 64 } else { 0 }
        } else {
            rest.iter().take_while(is_hash).count()
        };
        if length >= SHORTEST_HASH {
            hashes.push(at + colon + 1..at + colon + 1 + length);
        }
    }
    hashes
}

/// Masks what stands between the lines that begin and end a private key in PEM, or follows the first, and the same
/// where the whole file is in base64.
fn mask_private_keys(bytes: &[u8]) -> Vec<u8> {
    let find = |from: usize, text: &[u8]| {
        Some(from + bytes.get(from..)?.windows(text.len()).position(|at| at == text)?)
    };
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = find(from, BEGIN) {
        from = at + BEGIN.len();
        let Some(label) = find(from, b"-----").filter(|end| bytes[from..*end].ends_with(KEY)) else {
            continue;
        };
        from = find(label + 5, b"-----END").unwrap_or(bytes.len());
        places.push(label + 5..from);
    }
    for form in base64_forms(&[KEY, b"-----"].concat()) {
        from = 0;
        while let Some(at) = find(from, &form) {
            let start = at + form.len();
            let goes_on = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/=_-\r\n\\".contains(byte);
            from = start + bytes[start..].iter().take_while(goes_on).count();
            places.push(start..from);
        }
    }
    blotted(bytes, places, MARK)
}

/// What is shorter is no hash of anybody, such as the word in "timestamp:hash".
const SHORTEST_HASH: usize = 16;

/// How what is in PEM begins.
const BEGIN: &[u8] = b"-----BEGIN ";
/// How the label of a private key of whatever kind ends.
const KEY: &[u8] = b"PRIVATE KEY";

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::NonceCount;

    fn credentials() -> Credentials {
        Credentials {
            mailbox: MailboxId::parse("X26ABC1").unwrap(),
            password: Password::new("hunter2hunter2"),
            shared_key: SharedKey::new("BackBone"),
        }
    }

    fn redactor() -> Redactor {
        let secrets = [Secret::new("password", "hunter2hunter2"), Secret::new("shared_key", "BackBone")];
        Redactor::new(&secrets, &[credentials()])
    }

    #[test]
    fn a_private_key_is_not_kept_of_what_a_program_puts_out() {
        for (text, kept) in [
            (
                "a\n-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----\nb",
                "a\n-----BEGIN EC PRIVATE KEY-----[redacted]-----END EC PRIVATE KEY-----\nb",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMHc=", "-----BEGIN PRIVATE KEY-----[redacted]"),
            (
                "a LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1IYz0KLS0tLS1FTkQg\nUFJJVkFURSBLRVktLS0tLQo= b",
                "a LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t[redacted] b",
            ),
            ("-----BEGIN CERTIFICATE-----\nMHc=\n-----END CERTIFICATE-----", ""),
            ("-----BEGIN ", ""),
            ("BackBon", ""),
        ] {
            let kept = if kept.is_empty() { text } else { kept };
            assert_eq!(String::from_utf8(redactor().output(text.as_bytes(), false)).unwrap(), kept);
        }
        assert_eq!(redactor().output(b"BackBon", true), b"[redacted]");
    }

    fn head(token: &str, more: &str) -> Vec<u8> {
        format!("GET /messageexchange/X26ABC1 HTTP/1.1\r\nAuthorization: {token}\r\n{more}\r\n").into_bytes()
    }

    fn token(credentials: &Credentials) -> Token {
        Token::build(credentials, uuid::Uuid::nil(), NonceCount::new(3), Utc::now())
    }

    #[test]
    fn a_token_keeps_four_fields_and_is_recomputed() {
        let right = token(&credentials());
        let (head, record) = redactor().request_head(&head(&right.to_string(), ""));
        let shown = head.header("authorization").unwrap();
        let expected =
            format!("NHSMESH X26ABC1:{}:3:{}:[hash redacted]", uuid::Uuid::nil(), right.timestamp());
        assert_eq!(shown, expected);
        assert_eq!(record.unwrap().hash, HashCheck::Matches);
    }

    #[test]
    fn a_wrong_hash_is_told_from_a_right_one() {
        let wrong = Credentials { password: Password::new("x"), ..credentials() };
        let hash = |token: &Token| redactor().request_head(&head(&token.to_string(), "")).1.unwrap().hash;
        assert_eq!(hash(&token(&wrong)), HashCheck::Differs);
        let other = Credentials { mailbox: MailboxId::parse("X26ABC9").unwrap(), ..credentials() };
        assert_eq!(hash(&token(&other)), HashCheck::Unknown);
    }

    #[test]
    fn secrets_go_from_headers_and_bodies() {
        let raw = head("Basic aHVudGVyMmh1bnRlcjI=", "X-Echo: hunter2hunter2\r\n");
        let (head, record) = redactor().request_head(&raw);
        assert_eq!(head.header("authorization"), Some("[redacted]"));
        assert_eq!(head.header("x-echo"), Some("[redacted]"));
        assert_eq!((record, head.size), (None, raw.len()));
        assert_eq!(redactor().text(r#"{"key": "BackBone"}"#), r#"{"key": "[redacted]"}"#);
    }

    #[test]
    fn an_echoed_token_loses_its_hash() {
        let token = token(&credentials());
        for body in [
            format!("you sent {token}, thanks"),
            format!(r#"{{"authorization": "{token}"}}"#),
            format!("nhs NHSMESH {token}"),
            token.to_string().replace(' ', "%20").replace(':', "%3A"),
            token.to_string().replace(' ', "+").replace(':', "%3a"),
            token.to_string().replace(' ', r"\u0020").replace(':', r"\u003a"),
            token.to_string().replace(':', "&#58;"),
            token.to_string().replace(':', ":\r\n    "),
        ] {
            let shown = redactor().text(&body);
            assert!(!shown.contains(token.identity()), "{shown}");
            assert!(shown.contains("[hash redacted]"), "{shown}");
        }
    }

    /// Found by the fuzz target `tape_heads`.
    #[test]
    fn colons_before_a_token_do_not_hide_it() {
        let token = token(&credentials());
        for before in ["NHSMESH: ", "NHSMESH NHSMESH a:b:c ", "scheme NHSMESH, at 12:30: "] {
            let shown = redactor().text(&format!("{before}{token}"));
            assert!(!shown.contains(token.identity()), "{shown}");
        }
    }

    #[test]
    fn what_follows_a_token_or_a_secret_on_the_next_line_stays() {
        let token = token(&credentials()).to_string();
        for hash in [&token[..], &token[..token.len() - 20], &format!("{token}ab")] {
            let text = redactor().text(&format!("{hash}\r\naccept: a\r\nb: c"));
            assert!(text.ends_with(":[hash redacted]\r\naccept: a\r\nb: c"), "{text}");
        }
        let (head, _) = redactor().request_head(&head(&token, "Accept: a\r\nX: hunter2\r\nhunter2: b\r\n"));
        let names: Vec<&str> = head.headers.iter().map(|header| header.name.as_str()).collect();
        assert_eq!(names, ["Authorization", "Accept", "X", "hunter2"]);
    }

    #[test]
    fn what_is_no_token_stays_as_it_is() {
        for text in [
            "NHSMESH: at 12:30:15:\nstatus: 200",
            "NHSMESH\na: b\nc: d\ne: f\ng: h",
            "NHSMESH a:b:c:d: 200",
            "Write NHSMESH mailbox:nonce:count:timestamp:hash, please",
        ] {
            assert_eq!(redactor().text(text), text);
        }
    }

    #[test]
    fn a_body_full_of_scheme_words_takes_no_longer_than_another() {
        let body = SCHEME.repeat(100_000);
        let started = std::time::Instant::now();
        assert_eq!(redactor().text(&body), body);
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn no_hash_survives_whatever_stands_around_it(before in "[ -~]{0,40}", after in "[ -~]{0,40}", malformed in 0..4) {
            let token = token(&credentials());
            let value = match malformed {
                0 => token.to_string(),
                1 => token.to_string().replace("NHSMESH ", "nhsmesh "),
                2 => token.to_string().replace(":3:", ":::"),
                _ => token.to_string().replace("NHSMESH ", ""),
            };
            let (head, _) = redactor().request_head(&head(&value, ""));
            let shown = format!("{head:?}");
            prop_assert!(!shown.contains(token.identity()));
            if malformed == 0 {
                let shown = redactor().text(&format!("{before}{value}{after}"));
                let at = format!(":{}", token.identity());
                prop_assert!(!shown.contains(&at), "{}", shown);
            }
        }
    }
}
