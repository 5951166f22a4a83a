//! The token in the `Authorization` header: `NHSMESH mailbox:nonce:count:timestamp:hash`
//! (OpenAPI, "MESH Authorization header").

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use thiserror::Error;
use uuid::Uuid;

use super::{Credentials, IdError, MailboxId, Password, SharedKey};

/// The scheme word, in exactly this case; one space follows it.
pub const SCHEME: &str = "NHSMESH";

/// Digits of a SHA-256 in hexadecimal.
const HASH_LENGTH: usize = 64;

/// A token as it stands in a header. Well-formed; whether it is *right* says [`check_token`].
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
///
/// let credentials = Credentials {
///     mailbox: MailboxId::parse("X26HC005")?,
///     password: Password::new("password"),
///     shared_key: SharedKey::new("TestKey"),
/// };
/// let at = Utc.with_ymd_and_hms(2020, 6, 4, 17, 18, 59).unwrap();
/// let nonce = uuid::uuid!("1c820cd4-be3e-43ff-807f-e65362892722");
/// let header = Token::build(&credentials, nonce, NonceCount::new(0), at).to_string();
/// assert!(header.starts_with("NHSMESH X26HC005:1c820cd4-be3e-43ff-807f-e65362892722:0:202006041718:"));
/// # Ok::<(), mesh_witness::protocol::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    mailbox: MailboxId,
    timestamp: TokenTimestamp,
    /// All five fields as written, joined by colons: the hash is over the text.
    fields: String,
}

/// How often a nonce has been used, as a client counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceCount(u32);

/// The token's time, UTC, to the minute (`yyyyMMddHHmm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenTimestamp(DateTime<Utc>);

/// Why a header value is not a token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// The scheme word is missing, misspelt, in another case, or not followed by one space.
    #[error("must start with \"NHSMESH\" in upper case and one space")]
    Scheme,
    /// Not five fields.
    #[error("must have five fields joined by colons after the scheme; this has {0}")]
    Fields(usize),
    /// The first field is not a mailbox ID.
    #[error("mailbox ID {0}")]
    Mailbox(#[from] IdError),
    /// The second field is not a GUID.
    #[error("nonce must be a GUID")]
    Nonce,
    /// The third field is not a count.
    #[error("nonce count must be a number of 1 to 10 digits")]
    Count,
    /// The fourth field is not a time.
    #[error("timestamp must be a UTC date and time as yyyyMMddHHmm")]
    Timestamp,
    /// The fifth field is not a SHA-256 in hexadecimal.
    #[error("hash must be 64 hexadecimal digits")]
    Hash,
}

/// Why a well-formed token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenRefusal {
    /// The token speaks for another mailbox than the path.
    #[error("the token's mailbox is not the mailbox of the path")]
    OtherMailbox,
    /// More than two hours from the endpoint's time.
    #[error("the token's timestamp is more than two hours from the endpoint's clock")]
    OutsideWindow,
    /// The recomputed hash differs: password, shared key or text is not what it should be.
    #[error("the token's hash does not match")]
    WrongHash,
}

impl Token {
    /// Makes the token for one request.
    #[must_use]
    pub fn build(credentials: &Credentials, nonce: Uuid, count: NonceCount, now: DateTime<Utc>) -> Self {
        let Credentials { mailbox, password, shared_key } = credentials;
        let timestamp = TokenTimestamp::at(now);
        let (before, time) = (format!("{mailbox}:{nonce}:{}:", count.0), timestamp.to_string());
        let hash = hash(shared_key, [&before, password.expose(), ":", &time]).map(char::from);
        let fields = [before, time, ":".to_owned(), hash.iter().collect()].concat();
        Self { mailbox: mailbox.clone(), timestamp, fields }
    }

    /// Reads the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`TokenError`] names a part that is malformed: of several the first, but for the nonce, which comes before the
    /// mailbox. It never repeats any of the value.
    pub fn parse(value: &str) -> Result<Self, TokenError> {
        let fields = value.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(' '));
        let fields = fields.ok_or(TokenError::Scheme)?;
        let [mailbox, nonce, count, timestamp, hash] = five(fields).map_err(TokenError::Fields)?;
        let is_guid = matches!(nonce.len(), 32 | 36) && Uuid::try_parse(nonce).is_ok();
        if !is_guid {
            return Err(TokenError::Nonce);
        }
        let mailbox = MailboxId::parse(mailbox)?;
        let is_count = (1..=10).contains(&count.len()) && count.bytes().all(|b| b.is_ascii_digit());
        if !is_count {
            return Err(TokenError::Count);
        }
        let timestamp = TokenTimestamp::parse(timestamp)?;
        let is_hex =
            hash.len() == HASH_LENGTH && hash.bytes().fold(true, |all, b| all & b.is_ascii_hexdigit());
        if is_hex {
            Ok(Self { mailbox, timestamp, fields: fields.to_owned() })
        } else {
            Err(TokenError::Hash)
        }
    }

    /// The mailbox that the token speaks for.
    #[must_use]
    pub fn mailbox(&self) -> &MailboxId {
        &self.mailbox
    }

    /// The nonce, as written.
    #[must_use]
    pub fn nonce(&self) -> &str {
        self.field(1)
    }

    /// How often the nonce has been used, as written.
    #[must_use]
    pub fn count(&self) -> &str {
        self.field(2)
    }

    /// The token's time.
    #[must_use]
    pub fn timestamp(&self) -> TokenTimestamp {
        self.timestamp
    }

    /// What tells this token from every other one: its hash, a MAC over all its fields.
    #[must_use]
    pub fn identity(&self) -> &str {
        self.signed_and_hash().1
    }

    fn field(&self, place: usize) -> &str {
        five(&self.fields).map_or("", |fields| fields[place])
    }

    /// All in front of the hash, with the last colon, and the hash.
    fn signed_and_hash(&self) -> (&str, &str) {
        self.fields.split_at(self.fields.len() - HASH_LENGTH)
    }

    /// Whether the hash is the one that these credentials give, compared in constant time.
    ///
    /// Exact, so lower case, as NHS England's own validator of authorisation headers compares.
    #[must_use]
    pub fn hash_matches(&self, credentials: &Credentials) -> bool {
        self.hash_is_of(&credentials.password, &credentials.shared_key)
    }

    fn hash_is_of(&self, password: &Password, shared_key: &SharedKey) -> bool {
        let (signed, given) = self.signed_and_hash();
        let (before, timestamp) = signed.split_at(signed.len() - "yyyyMMddHHmm:".len());
        let timestamp = timestamp.trim_end_matches(':');
        let expected = hash(shared_key, [before, password.expose(), ":", timestamp]);
        constant_time::verify_slices_are_equal(&expected, given.as_bytes()).is_ok()
    }

    /// As [`check_token`], for whoever has the parts of the credentials in different places.
    ///
    /// # Errors
    /// As [`check_token`].
    pub fn check(
        &self,
        mailbox: &MailboxId,
        password: &Password,
        shared_key: &SharedKey,
        now: DateTime<Utc>,
    ) -> Result<(), TokenRefusal> {
        if self.mailbox != *mailbox {
            return Err(TokenRefusal::OtherMailbox);
        }
        if !self.hash_is_of(password, shared_key) {
            return Err(TokenRefusal::WrongHash);
        }
        if !self.timestamp.is_within_window(now) {
            return Err(TokenRefusal::OutsideWindow);
        }
        Ok(())
    }

    /// The same token with its hash in lower case, for an endpoint that takes either.
    #[must_use]
    pub fn with_lower_case_hash(self) -> Self {
        let (signed, hash) = self.signed_and_hash();
        let fields = [signed, &hash.to_ascii_lowercase()].concat();
        Self { fields, ..self }
    }
}

/// Five fields between colons, or how many there are. By hand: every request comes by here.
fn five(text: &str) -> Result<[&str; 5], usize> {
    let (mut colons, mut count) = ([0; 4], 0);
    for (at, byte) in text.bytes().enumerate() {
        if byte == b':' {
            if let Some(colon) = colons.get_mut(count) {
                *colon = at;
            }
            count += 1;
        }
    }
    if count != colons.len() {
        return Err(count + 1);
    }
    let [first, second, third, fourth] = colons;
    let places = [0..first, first + 1..second, second + 1..third, third + 1..fourth, fourth + 1..text.len()];
    Ok(places.map(|place| text.get(place).unwrap_or_default()))
}

/// Whether a hash is that of mailbox, nonce, count and timestamp as they are written, whatever they
/// are; compared in constant time. For an endpoint that does not ask for well-formed fields.
#[must_use]
pub fn hash_matches(credentials: &Credentials, fields: [&str; 4], given: &str) -> bool {
    let [mailbox, nonce, count, timestamp] = fields;
    let parts = [mailbox, ":", nonce, ":", count, ":", credentials.password.expose(), ":", timestamp];
    let expected = hash(&credentials.shared_key, parts);
    constant_time::verify_slices_are_equal(&expected, given.as_bytes()).is_ok()
}

/// The HMAC-SHA256, in hexadecimal, over mailbox, nonce, count, password and timestamp, joined by colons; here in
/// whatever parts they come.
fn hash<const N: usize>(shared_key: &SharedKey, parts: [&str; N]) -> [u8; HASH_LENGTH] {
    let mut mac = hmac::Context::with_key(shared_key.hmac());
    parts.iter().for_each(|part| mac.update(part.as_bytes()));
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hash = [0; HASH_LENGTH];
    // Every request comes by here, so the digits are written without the formatting machinery.
    for (pair, byte) in hash.chunks_exact_mut(2).zip(mac.sign().as_ref()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
    hash
}

/// Checks a token in full, but for whether it was used before, which only the endpoint knows.
///
/// `credentials` are those of the mailbox in the path. The window is two hours either way
/// (OpenAPI: "not within 2 hours of the server time").
///
/// # Errors
/// [`TokenRefusal`] says why; MESH answers each of them 403.
pub fn check_token(token: &Token, credentials: &Credentials, now: DateTime<Utc>) -> Result<(), TokenRefusal> {
    let Credentials { mailbox, password, shared_key } = credentials;
    token.check(mailbox, password, shared_key, now)
}

impl NonceCount {
    /// A count as a client writes it.
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self(count)
    }
}

impl TokenTimestamp {
    /// How far a token's time may be from the endpoint's.
    pub const WINDOW: TimeDelta = TimeDelta::hours(2);

    /// The minute that `time` lies in.
    #[must_use]
    pub fn at(time: DateTime<Utc>) -> Self {
        let seconds = time.timestamp();
        let minute = DateTime::from_timestamp(seconds - seconds.rem_euclid(60), 0);
        Self(minute.unwrap_or(time))
    }

    /// Reads a time as it stands in a token.
    ///
    /// # Errors
    /// [`TokenError::Timestamp`] when it is none.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TokenError::Timestamp);
        }
        // Read by hand: every request comes by here, and a format string takes ten times as long.
        let number = |range| text.get(range).and_then(|digits: &str| digits.parse().ok()).unwrap_or(0);
        let year = text.get(..4).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        NaiveDate::from_ymd_opt(year, number(4..6), number(6..8))
            .and_then(|date| date.and_hms_opt(number(8..10), number(10..12), 0))
            .map(|time| Self(time.and_utc()))
            .ok_or(TokenError::Timestamp)
    }

    /// Whether the time lies within two hours of `now`, counted in whole minutes.
    #[must_use]
    pub fn is_within_window(self, now: DateTime<Utc>) -> bool {
        let minutes = |time: DateTime<Utc>| time.timestamp().div_euclid(60);
        (minutes(now) - minutes(self.0)).abs() <= Self::WINDOW.num_minutes()
    }

    /// The start of the minute.
    #[must_use]
    pub fn time(self) -> DateTime<Utc> {
        self.0
    }
}

impl fmt::Display for TokenTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(time) = self;
        let of_two = [time.month(), time.day(), time.hour(), time.minute()];
        // As one number: every request comes by here, and each that is formatted costs as much as this.
        let number = of_two.iter().fold(i64::from(time.year()), |number, two| number * 100 + i64::from(*two));
        write!(f, "{number:012}")
    }
}

/// The header's value, hash and all: for the wire only.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME} {}", self.fields)
    }
}

/// Without the hash, which would let whoever reads a log use an unused token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}…)", self.signed_and_hash().0)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn credentials(mailbox: &str, password: &str, key: &str) -> Credentials {
        Credentials {
            mailbox: MailboxId::parse(mailbox).unwrap(),
            password: Password::new(password),
            shared_key: SharedKey::new(key),
        }
    }

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 30).unwrap()
    }

    /// Each vector is one line of
    /// `printf '%s' 'MAILBOX:NONCE:COUNT:PASSWORD:TIMESTAMP' | openssl dgst -sha256 -hmac 'KEY'`.
    #[test]
    fn tokens_are_those_that_openssl_computes() {
        let vectors = include_str!("token_vectors.txt");
        let mut seen = 0;
        for line in vectors.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let fields: Vec<&str> = line.split('|').collect();
            let &[mailbox, nonce, count, password, timestamp, key, hash] = fields.as_slice() else {
                panic!("seven fields in {line:?}");
            };
            let credentials = credentials(mailbox, password, key);
            let time = TokenTimestamp::parse(timestamp).unwrap();
            let count = NonceCount::new(count.parse().unwrap());
            let token = Token::build(&credentials, nonce.parse().unwrap(), count, time.0);
            assert_eq!(token.identity(), hash, "{line}");
            assert!(token.hash_matches(&credentials));
            seen += 1;
        }
        assert_eq!(seen, 6);
    }

    #[test]
    fn the_window_is_two_hours_either_way() {
        let credentials = credentials("X26HC005", "p", "k");
        let at = |minutes| {
            let time = noon() + TimeDelta::minutes(minutes);
            let token = Token::build(&credentials, Uuid::nil(), NonceCount::new(0), time);
            check_token(&token, &credentials, noon())
        };
        assert_eq!(at(0), Ok(()));
        assert_eq!(at(120), Ok(()));
        assert_eq!(at(-120), Ok(()));
        assert_eq!(at(121), Err(TokenRefusal::OutsideWindow));
        assert_eq!(at(-121), Err(TokenRefusal::OutsideWindow));
    }

    #[test]
    fn each_wrong_secret_and_a_foreign_mailbox_are_refused() {
        let right = credentials("X26HC005", "p", "k");
        let check = |other: &Credentials| {
            let token = Token::build(other, Uuid::nil(), NonceCount::new(0), noon());
            check_token(&token, &right, noon())
        };
        assert_eq!(check(&right), Ok(()));
        assert_eq!(check(&credentials("X26HC005", "q", "k")), Err(TokenRefusal::WrongHash));
        assert_eq!(check(&credentials("X26HC005", "p", "l")), Err(TokenRefusal::WrongHash));
        assert_eq!(check(&credentials("X26HC006", "p", "k")), Err(TokenRefusal::OtherMailbox));
    }

    #[test]
    fn each_malformed_part_is_named() {
        let good = Token::build(&credentials("X26HC005", "p", "k"), Uuid::nil(), NonceCount::new(0), noon());
        let good = good.to_string();
        let hash = good.rsplit(':').next().unwrap().to_owned();
        let cases = [
            (good.replace("NHSMESH ", ""), TokenError::Scheme),
            (good.replace("NHSMESH", "nhsmesh"), TokenError::Scheme),
            (good.replace("NHSMESH ", "NHSMESH:"), TokenError::Scheme),
            (good.replace("NHSMESH ", "NHSMESH  "), TokenError::Mailbox(IdError::Character(' '))),
            (format!("{good}:x"), TokenError::Fields(6)),
            (good.replace(":0:", ":"), TokenError::Fields(4)),
            (good.replace("X26HC005", "x26hc005"), TokenError::Mailbox(IdError::LowerCase)),
            (good.replace("00000000-0000-0000-0000-000000000000", "1"), TokenError::Nonce),
            (good.replace(":0:", ":-1:"), TokenError::Count),
            (good.replace(":0:", "::"), TokenError::Count),
            (good.replace("202611211200", "20261121120030"), TokenError::Timestamp),
            (good.replace("202611211200", "202613211200"), TokenError::Timestamp),
            (good.replace("202611211200", "2026-11-2112"), TokenError::Timestamp),
            (good.replace(&hash, &hash[1..]), TokenError::Hash),
            (good.replace(&hash, &"g".repeat(64)), TokenError::Hash),
            (format!("authorization: {good}"), TokenError::Scheme),
        ];
        for (value, expected) in cases {
            assert_eq!(Token::parse(&value), Err(expected), "{value}");
        }
    }

    #[test]
    fn an_upper_case_hash_is_not_exact() {
        let credentials = credentials("X26HC005", "p", "k");
        let token = Token::build(&credentials, Uuid::nil(), NonceCount::new(0), noon());
        let fields = [token.signed_and_hash().0, &token.identity().to_uppercase()].concat();
        let shouted = Token { fields, ..token };
        assert!(!shouted.hash_matches(&credentials));
        assert!(shouted.with_lower_case_hash().hash_matches(&credentials));
    }

    #[test]
    fn debug_keeps_the_hash_to_itself() {
        let token = Token::build(&credentials("X26HC005", "p", "k"), Uuid::nil(), NonceCount::new(0), noon());
        assert!(!format!("{token:?}").contains(token.identity()));
    }

    #[test]
    fn a_timestamp_is_a_minute_that_exists() {
        for right in ["000001010000", "202402292359", "999912312359"] {
            assert_eq!(TokenTimestamp::parse(right).map(|at| at.to_string()).as_deref(), Ok(right));
        }
        for wrong in
            ["202302290000", "202400010000", "202401320000", "202401012400", "202401010060", "+20240101000"]
        {
            assert_eq!(TokenTimestamp::parse(wrong), Err(TokenError::Timestamp), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back_and_checks(
            mailbox in "[A-Z0-9]{1,20}", password in "\\PC{0,40}", key in "\\PC{0,40}",
            count in 0u32.., nonce in any::<u128>(), minutes in 0i64..50_000_000,
        ) {
            let credentials = credentials(&mailbox, &password, &key);
            let now = DateTime::from_timestamp(minutes * 60, 0).unwrap();
            let token = Token::build(&credentials, Uuid::from_u128(nonce), NonceCount::new(count), now);
            let read = Token::parse(&token.to_string()).unwrap();
            prop_assert_eq!(&read, &token);
            prop_assert_eq!(check_token(&read, &credentials, now), Ok(()));
        }

        #[test]
        fn no_text_stops_the_parser(text in "\\PC{0,200}") {
            let _ = Token::parse(&text);
            let _ = Token::parse(&format!("NHSMESH {text}"));
        }
    }
}
