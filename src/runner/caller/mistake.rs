//! Tokens that are wrong in a way that has a name, and tokens that are right in an unusual way.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;
use uuid::Uuid;

use crate::protocol::{Credentials, SCHEME};

/// How a token differs from the ordinary. Everything that is not named is right: the hash is over the
/// fields as they stand, so that an endpoint can only object to what is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// There is no `Authorization` header.
    LeftOut,
    /// Two such headers, each good by itself.
    SentTwice,
    /// No scheme word.
    NoScheme,
    /// `nhsmesh`.
    LowerCaseScheme,
    /// `Bearer`.
    OtherScheme,
    /// Two spaces after the scheme.
    TwoSpaces,
    /// No count, so four fields.
    NoCount,
    /// A sixth field.
    SixthField,
    /// The mailbox ID in lower case.
    LowerCaseMailbox,
    /// A good token of the other mailbox.
    OtherMailbox,
    /// A nonce that is a word.
    NonceIsNoGuid,
    /// An empty nonce.
    NoNonce,
    /// A count that is a word.
    CountIsNoNumber,
    /// A count of -1.
    NegativeCount,
    /// A timestamp with seconds, 14 digits.
    TimestampWithSeconds,
    /// A timestamp as ISO 8601 has it, without colons.
    TimestampWithDashes,
    /// A thirteenth month.
    NoSuchMonth,
    /// The hash is made with another password.
    OtherPassword,
    /// The hash is made with another shared key.
    OtherSharedKey,
    /// The password is not in the hash.
    PasswordLeftOut,
    /// The hash is over the fields in the order of the header.
    HeaderOrder,
    /// The hash is in upper case.
    UpperCaseHash,
    /// The hash lacks its last digit.
    ShortHash,
    /// The hash is over another minute than the timestamp says.
    OtherMinute,
    /// The last token that this mailbox sent, once more.
    UsedBefore,
    /// The nonce of the last token, the count one higher.
    CountedUp,
    /// So many minutes behind (negative) or ahead of now.
    Aged(i32),
}

/// Why a phrase names no mistake.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is nothing that a token can be told to be; it can be: {names}", names = Mistake::phrases())]
pub struct MistakeError(String);

const PHRASES: [(&str, Mistake); 26] = [
    ("left out", Mistake::LeftOut),
    ("sent in two headers", Mistake::SentTwice),
    ("without a scheme", Mistake::NoScheme),
    ("with the scheme in lower case", Mistake::LowerCaseScheme),
    ("with the scheme Bearer", Mistake::OtherScheme),
    ("with two spaces after the scheme", Mistake::TwoSpaces),
    ("without a nonce count", Mistake::NoCount),
    ("with a sixth field", Mistake::SixthField),
    ("with the mailbox ID in lower case", Mistake::LowerCaseMailbox),
    ("for another mailbox", Mistake::OtherMailbox),
    ("with a nonce that is no GUID", Mistake::NonceIsNoGuid),
    ("without a nonce", Mistake::NoNonce),
    ("with a nonce count that is no number", Mistake::CountIsNoNumber),
    ("with a nonce count below zero", Mistake::NegativeCount),
    ("with a timestamp to the second", Mistake::TimestampWithSeconds),
    ("with a timestamp with dashes", Mistake::TimestampWithDashes),
    ("with a timestamp in a thirteenth month", Mistake::NoSuchMonth),
    ("made with another password", Mistake::OtherPassword),
    ("made with another shared key", Mistake::OtherSharedKey),
    ("made without the password", Mistake::PasswordLeftOut),
    ("hashed in the order of the header", Mistake::HeaderOrder),
    ("with the hash in upper case", Mistake::UpperCaseHash),
    ("with a hash one digit short", Mistake::ShortHash),
    ("with a hash over another minute", Mistake::OtherMinute),
    ("one that was used before", Mistake::UsedBefore),
    ("of the same nonce with the next count", Mistake::CountedUp),
];

impl FromStr for Mistake {
    type Err = MistakeError;

    /// Reads the phrase of a step, such as `left out` or `130 minutes old`.
    fn from_str(text: &str) -> Result<Self, MistakeError> {
        let named = PHRASES.iter().find(|(phrase, _)| *phrase == text).map(|(_, mistake)| *mistake);
        let aged = || {
            let (count, rest) = text.split_once(' ')?;
            let count: i32 = count.parse().ok().filter(|count| (0..100_000).contains(count))?;
            match rest {
                "minutes old" => Some(Self::Aged(-count)),
                "minutes ahead" => Some(Self::Aged(count)),
                _ => None,
            }
        };
        named.or_else(aged).ok_or_else(|| MistakeError(text.to_owned()))
    }
}

impl Mistake {
    fn phrases() -> String {
        let named = PHRASES.iter().map(|(phrase, _)| *phrase);
        named.chain(["30 minutes old", "30 minutes ahead"]).collect::<Vec<_>>().join("; ")
    }
}

/// What a side has sent so far in the way of tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    nonce: Uuid,
    count: u32,
    last: Option<String>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { nonce: Uuid::new_v4(), count: 0, last: None }
    }
}

/// The fields of a token as text, the first with its space.
#[derive(Clone)]
struct Fields {
    scheme: String,
    mailbox: String,
    nonce: String,
    count: String,
    timestamp: String,
}

impl Fields {
    fn value(&self, hash: &str) -> String {
        let Self { scheme, mailbox, nonce, count, timestamp } = self;
        format!("{scheme}{mailbox}:{nonce}:{count}:{timestamp}:{hash}")
    }

    fn hashed(&self, password: &str) -> String {
        let Self { mailbox, nonce, count, timestamp, .. } = self;
        format!("{mailbox}:{nonce}:{count}:{password}:{timestamp}")
    }
}

impl Tokens {
    /// The values of the `Authorization` headers of the next call: mostly one.
    pub fn next(
        &mut self,
        own: &Credentials,
        other: &Credentials,
        mistake: Option<Mistake>,
        now: DateTime<Utc>,
    ) -> Vec<String> {
        let values = match mistake {
            Some(Mistake::LeftOut) => return Vec::new(),
            Some(Mistake::UsedBefore) => return self.last.iter().cloned().collect(),
            Some(Mistake::SentTwice) => {
                vec![self.one(own, other, None, now), self.one(own, other, None, now)]
            }
            mistake => vec![self.one(own, other, mistake, now)],
        };
        self.last = values.last().cloned();
        values
    }

    fn one(
        &mut self,
        own: &Credentials,
        other: &Credentials,
        mistake: Option<Mistake>,
        now: DateTime<Utc>,
    ) -> String {
        if mistake == Some(Mistake::CountedUp) {
            self.count += 1;
        } else {
            (self.nonce, self.count) = (Uuid::new_v4(), 0);
        }
        let credentials = if mistake == Some(Mistake::OtherMailbox) { other } else { own };
        let fields = self.fields(credentials, mistake, now);
        let password = credentials.password.expose();
        let sign = |text: String| credentials.shared_key.sign(&text);
        let hash = match mistake {
            Some(Mistake::OtherPassword) => sign(fields.hashed("another password")),
            Some(Mistake::OtherSharedKey) => {
                crate::protocol::SharedKey::new("another key").sign(&fields.hashed(password))
            }
            Some(Mistake::PasswordLeftOut) => {
                let Fields { mailbox, nonce, count, timestamp, .. } = &fields;
                sign(format!("{mailbox}:{nonce}:{count}:{timestamp}"))
            }
            Some(Mistake::HeaderOrder) => {
                let Fields { mailbox, nonce, count, timestamp, .. } = &fields;
                sign(format!("{mailbox}:{nonce}:{count}:{timestamp}:{password}"))
            }
            Some(Mistake::OtherMinute) => {
                let timestamp = minute(now - TimeDelta::minutes(1));
                sign(Fields { timestamp, ..fields.clone() }.hashed(password))
            }
            Some(Mistake::UpperCaseHash) => sign(fields.hashed(password)).to_ascii_uppercase(),
            Some(Mistake::ShortHash) => {
                let mut hash = sign(fields.hashed(password));
                hash.pop();
                hash
            }
            _ => sign(fields.hashed(password)),
        };
        match mistake {
            Some(Mistake::NoCount) => {
                let Fields { scheme, mailbox, nonce, timestamp, .. } = &fields;
                format!("{scheme}{mailbox}:{nonce}:{timestamp}:{hash}")
            }
            Some(Mistake::SixthField) => format!("{}:0", fields.value(&hash)),
            _ => fields.value(&hash),
        }
    }

    fn fields(&self, credentials: &Credentials, mistake: Option<Mistake>, now: DateTime<Utc>) -> Fields {
        let mut fields = Fields {
            scheme: format!("{SCHEME} "),
            mailbox: credentials.mailbox.to_string(),
            nonce: self.nonce.to_string(),
            count: self.count.to_string(),
            timestamp: minute(now),
        };
        match mistake {
            Some(Mistake::NoScheme) => fields.scheme = "".to_owned(),
            Some(Mistake::LowerCaseScheme) => fields.scheme = "nhsmesh ".to_owned(),
            Some(Mistake::OtherScheme) => fields.scheme = "Bearer ".to_owned(),
            Some(Mistake::TwoSpaces) => fields.scheme = "NHSMESH  ".to_owned(),
            Some(Mistake::LowerCaseMailbox) => fields.mailbox = fields.mailbox.to_ascii_lowercase(),
            Some(Mistake::NonceIsNoGuid) => fields.nonce = "once".to_owned(),
            Some(Mistake::NoNonce) => fields.nonce = String::new(),
            Some(Mistake::CountIsNoNumber) => fields.count = "one".to_owned(),
            Some(Mistake::NegativeCount) => fields.count = "-1".to_owned(),
            Some(Mistake::TimestampWithSeconds) => fields.timestamp = now.format("%Y%m%d%H%M%S").to_string(),
            Some(Mistake::TimestampWithDashes) => fields.timestamp = now.format("%Y-%m-%dT%H%M").to_string(),
            Some(Mistake::NoSuchMonth) => fields.timestamp = now.format("%Y13%d%H%M").to_string(),
            Some(Mistake::Aged(minutes)) => {
                fields.timestamp = minute(now + TimeDelta::minutes(minutes.into()))
            }
            _ => {}
        }
        fields
    }
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y%m%d%H%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{MailboxId, Password, SharedKey, Token, TokenError, TokenRefusal, check_token};

    fn credentials(id: &str) -> Credentials {
        Credentials {
            mailbox: MailboxId::parse(id).unwrap(),
            password: Password::new("password"),
            shared_key: SharedKey::new("TestKey"),
        }
    }

    fn value(phrase: &str) -> String {
        let (own, other) = (credentials("A"), credentials("B"));
        let mistake = phrase.parse().ok();
        Tokens::default().next(&own, &other, mistake, Utc::now()).pop().unwrap()
    }

    #[test]
    fn a_token_without_a_mistake_is_good() {
        for phrase in ["", "of the same nonce with the next count", "119 minutes old", "119 minutes ahead"] {
            let token = Token::parse(&value(phrase)).unwrap();
            assert_eq!(check_token(&token, &credentials("A"), Utc::now()), Ok(()), "{phrase}");
        }
    }

    #[test]
    fn each_mistake_is_the_one_that_is_named_and_no_other() {
        for (phrase, error) in [
            ("without a scheme", TokenError::Scheme),
            ("with the scheme in lower case", TokenError::Scheme),
            ("with the scheme Bearer", TokenError::Scheme),
            ("without a nonce count", TokenError::Fields(4)),
            ("with a sixth field", TokenError::Fields(6)),
            ("with the mailbox ID in lower case", TokenError::Mailbox(crate::protocol::IdError::LowerCase)),
            ("with a nonce that is no GUID", TokenError::Nonce),
            ("without a nonce", TokenError::Nonce),
            ("with a nonce count that is no number", TokenError::Count),
            ("with a nonce count below zero", TokenError::Count),
            ("with a timestamp to the second", TokenError::Timestamp),
            ("with a timestamp with dashes", TokenError::Timestamp),
            ("with a timestamp in a thirteenth month", TokenError::Timestamp),
            ("with a hash one digit short", TokenError::Hash),
        ] {
            assert_eq!(Token::parse(&value(phrase)).unwrap_err(), error, "{phrase}");
        }
        for (phrase, refusal) in [
            ("for another mailbox", TokenRefusal::OtherMailbox),
            ("made with another password", TokenRefusal::WrongHash),
            ("made with another shared key", TokenRefusal::WrongHash),
            ("made without the password", TokenRefusal::WrongHash),
            ("hashed in the order of the header", TokenRefusal::WrongHash),
            ("with the hash in upper case", TokenRefusal::WrongHash),
            ("with a hash over another minute", TokenRefusal::WrongHash),
            ("125 minutes old", TokenRefusal::OutsideWindow),
            ("125 minutes ahead", TokenRefusal::OutsideWindow),
        ] {
            let token = Token::parse(&value(phrase)).unwrap();
            assert_eq!(check_token(&token, &credentials("A"), Utc::now()), Err(refusal), "{phrase}");
        }
    }

    #[test]
    fn what_is_no_mistake_is_said_with_what_there_is() {
        let error = "upside down".parse::<Mistake>().unwrap_err().to_string();
        assert!(error.contains("upside down") && error.contains("left out"), "{error}");
    }
}
