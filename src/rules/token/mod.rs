//! A token that a product made, field by field: what is right, what is wrong, and what was done instead.
//!
//! Never says a password, a key or a hash; of what is no field as it should be, only what it looks like.

mod fields;
mod hash;
mod scheme;
mod time;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    protocol::{IdError, MailboxId, Password, SharedKey},
    tape::TokenFault,
};
use fields::{Arranged, Kind};

pub use scheme::header_value;

/// The document that demands all of it.
pub const TOKEN_SOURCE: &str = "OpenAPI, MESH Authorization header";

/// What a token is held against.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// The mailbox that it should be for, where that is known.
    pub mailbox: Option<&'a MailboxId>,
    /// The mailbox's password and the environment's shared key, where they are known.
    pub secrets: Option<(&'a Password, &'a SharedKey)>,
    /// Passwords of other mailboxes, each with a name that may be told.
    pub other_passwords: &'a [(String, Password)],
    /// The time.
    pub now: DateTime<Utc>,
    /// When the token was made, where that is known; otherwise it may have been made before `now`.
    pub made_at: Option<DateTime<Utc>>,
}

/// What there is to say of one part of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPart {
    /// Which: `header`, `scheme`, `fields`, `mailbox`, `nonce`, `count`, `timestamp`, `hash`.
    pub name: &'static str,
    /// What came of it.
    pub standing: Standing,
    /// What it is, or what is wrong with it.
    pub what: String,
    /// What it should be.
    pub expected: Option<String>,
    /// What it is instead.
    pub seen: Option<String>,
    /// How to mend it.
    pub remedy: Option<String>,
}

/// What came of a part, or of all, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As it must be.
    Right,
    /// It may be right; somebody should look.
    Doubtful,
    /// It could not be looked at.
    Unknown,
    /// Not as it must be.
    Wrong,
}

/// Says of each part of an `Authorization` header's value what is right or wrong with it. Whether the token was used
/// before, only the endpoint knows.
#[must_use]
pub fn explain_token(value: &str, against: &Against<'_>) -> Vec<TokenPart> {
    let value = value.trim_matches([' ', '\t', '\r', '\n']);
    if value.is_empty() {
        let part = TokenPart::wrong("header", "there is nothing in it", TokenFault::Scheme.demand());
        return vec![part.mend("Give the header's value: NHSMESH mailbox:nonce:count:timestamp:hash.")];
    }
    let (mut parts, value) = scheme::wrapping(value);
    let (scheme, rest) = scheme::scheme(value);
    parts.push(scheme);
    let given: Vec<&str> = rest.split(':').collect();
    parts.extend(laid_open(rest, against));
    let Arranged { slots, problem } = fields::arrange(&given);
    parts.extend(problem);
    let [mailbox, nonce, count, timestamp, hash] = &slots;
    parts.extend(mailbox.as_deref().map(|text| against.mailbox(text)));
    parts.extend(nonce.as_deref().map(|text| against.nonce(text)));
    parts.extend(count.as_deref().map(|text| against.count(text)));
    parts.extend(timestamp.as_deref().map(|text| time::timestamp(text, against)));
    parts.push(match (mailbox, nonce, count, timestamp, hash) {
        (Some(mailbox), Some(nonce), Some(count), Some(timestamp), Some(hash)) => {
            hash::hash([mailbox, nonce, count, timestamp], hash, against)
        }
        _ => TokenPart::unknown("hash", "it can be made again only when all fields are there"),
    });
    parts
}

/// The worst of all.
#[must_use]
pub fn standing_of(parts: &[TokenPart]) -> Standing {
    parts.iter().map(|part| part.standing).max().unwrap_or(Standing::Unknown)
}

impl Standing {
    /// The word for it, for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Doubtful => "doubtful",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
        }
    }
}

impl TokenPart {
    fn of(name: &'static str, standing: Standing, what: impl Into<String>) -> Self {
        Self { name, standing, what: what.into(), expected: None, seen: None, remedy: None }
    }

    fn right(name: &'static str, what: impl Into<String>) -> Self {
        Self::of(name, Standing::Right, what)
    }

    fn unknown(name: &'static str, what: impl Into<String>) -> Self {
        Self::of(name, Standing::Unknown, what)
    }

    fn wrong(name: &'static str, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..Self::of(name, Standing::Wrong, what) }
    }

    fn seen(self, seen: impl Into<String>) -> Self {
        Self { seen: Some(seen.into()), ..self }
    }

    fn mend(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// The shortest secret that is looked for in the header: others are met by chance.
const SHORTEST_SECRET: usize = 4;

/// A secret that stands in the header itself: whoever sees a request has it.
fn laid_open(fields: &str, against: &Against<'_>) -> Option<TokenPart> {
    let (password, key) = against.secrets?;
    let fields = format!(":{fields}:");
    let is = |secret: &str| secret.len() >= SHORTEST_SECRET && fields.contains(&format!(":{secret}:"));
    let which = match (is(password.expose()), is(key.expose())) {
        (true, _) => "the password",
        (_, true) => "the shared key",
        _ => return None,
    };
    let what = format!("{which} itself stands in the header, for everybody to read");
    let part = TokenPart::wrong("header", what, "mailbox, nonce, count, timestamp and hash, and no secret");
    Some(part.mend(format!(
        "Take {which} out: it goes into the hash only. If such a request has left your machine, have {which} changed."
    )))
}

/// The fields whose value may be told when it is well-formed.
impl Against<'_> {
    fn mailbox(&self, text: &str) -> TokenPart {
        let name = "mailbox";
        let other = self.mailbox.filter(|expected| !expected.as_str().eq_ignore_ascii_case(text));
        match (MailboxId::parse(text), other) {
            (Ok(_), None) => TokenPart::right(name, self.shown(Kind::Mailbox, text)),
            (Ok(_) | Err(IdError::LowerCase), Some(expected)) => TokenPart::wrong(
                name,
                "it is another mailbox's",
                expected.as_str(),
            )
            .seen(self.shown(Kind::Mailbox, text))
            .mend("Make the token for the mailbox whose password it has, which is also the one in the path."),
            (Err(IdError::LowerCase), None) => {
                let demand = TokenFault::LowerCaseMailbox.demand();
                TokenPart::wrong(name, "it has lower-case letters", demand)
                    .seen(self.shown(Kind::Mailbox, text))
                    .mend("Write the mailbox ID in upper case, in the hash too.")
            }
            (Err(error), _) => TokenPart::wrong(
                name,
                format!("it is no mailbox ID: it {error}"),
                TokenFault::Mailbox.demand(),
            )
            .mend("Put the mailbox ID directly behind NHSMESH and one blank."),
        }
    }

    fn nonce(&self, text: &str) -> TokenPart {
        let name = "nonce";
        if matches!(text.len(), 32 | 36) && Uuid::try_parse(text).is_ok() {
            return TokenPart::right(name, format!("{}, a GUID", self.shown(Kind::Nonce, text)));
        }
        let what = match text {
            "" => "it is empty".to_owned(),
            _ if Uuid::try_parse(text).is_ok() => "it is a GUID with something around it".to_owned(),
            _ => format!("it is no GUID: it has {}", characters(text)),
        };
        TokenPart::wrong(name, what, TokenFault::Nonce.demand()).mend(
            "Make a random GUID with your language's library and write it as 8-4-4-4-12 hexadecimal digits.",
        )
    }

    fn count(&self, text: &str) -> TokenPart {
        let name = "count";
        if Kind::Count.is_like(text) {
            return TokenPart::right(name, self.shown(Kind::Count, text));
        }
        let what = if text.is_empty() {
            "it is empty".to_owned()
        } else {
            format!("it is no number of 1 to 10 digits: it has {}", characters(text))
        };
        TokenPart::wrong(name, what, TokenFault::Count.demand())
            .mend("Count how often the nonce has been used: 0 for a new one, and one more each time.")
    }

    /// A field that looks as it should; what else stands there may be anything, a secret too.
    fn shown(&self, kind: Kind, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let holds =
            |secret: &str| secret.len() >= SHORTEST_SECRET && lower.contains(&secret.to_ascii_lowercase());
        let is_secret =
            |(password, key): (&Password, &SharedKey)| holds(password.expose()) || holds(key.expose());
        if self.secrets.is_some_and(is_secret) || !kind.is_like(text) {
            format!("not shown: {}", characters(text))
        } else {
            text.to_owned()
        }
    }
}

/// How many characters, so that nothing of them is told.
fn characters(text: &str) -> String {
    match text.chars().count() {
        1 => "1 character".to_owned(),
        count => format!("{count} characters"),
    }
}

#[cfg(test)]
mod tests;
