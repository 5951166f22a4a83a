//! What a token's hash was made of, when it is not what the specification says.
//!
//! A hash cannot be read backwards. But whoever knows the password and the shared key can make it in each of the ways in
//! which products have made it wrongly, alone and two at a time, and see which of them gives the same: that is certain then.

mod given;
mod recipe;
mod words;

use super::{MailboxId, Password, SharedKey};
use given::Given;
use recipe::{Change, Recipe};

/// One way in which a hash was made otherwise than the OpenAPI says ("MESH Authorization header").
/// Holds nothing of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashMistake {
    /// In upper case, or in both.
    UpperCase,
    /// With a hyphen after each byte.
    Hyphens,
    /// The bytes in base64.
    Base64,
    /// The hexadecimal digits in base64.
    Base64OfHex,
    /// Only so many of the digits.
    CutShort(usize),
    /// A plain SHA-256: the key does not come in.
    NotKeyed,
    /// A plain SHA-256 of the key and the text.
    KeyInFront,
    /// A plain SHA-256 of the text and the key.
    KeyBehind,
    /// An HMAC with this function in SHA-256's place.
    OtherFunction(&'static str),
    /// In the order of the header: the timestamp before the password.
    HeaderOrder,
    /// In this order.
    OtherOrder(String),
    /// Without the password.
    PasswordLeftOut,
    /// Without the nonce count.
    CountLeftOut,
    /// Without colons in between.
    NoColons,
    /// With this in the colons' place.
    OtherSeparator(char),
    /// With the scheme word in front.
    Scheme,
    /// With a line end behind.
    LineEnd,
    /// The password is the key, and the key is in the text.
    Swapped,
    /// The shared key is in the text, too, in the password's place.
    KeyForPassword,
    /// The password is the HMAC's key, too.
    PasswordForKey,
    /// The password is another mailbox's, by the name given for it.
    PasswordOf(String),
    /// The password is not quite what it should be.
    Password(Slip),
    /// The shared key is not quite what it should be.
    SharedKey(Slip),
    /// The mailbox ID is in another case than in the header.
    MailboxCase,
    /// The mailbox ID is the expected one, and the header's is another.
    OtherMailbox,
    /// The nonce is written in another way than in the header.
    NonceForm,
    /// The nonce count is this, and the header's is another.
    Count(String),
    /// The time is so many minutes ahead of the header's.
    Time(i64),
    /// The time has seconds, and the header's has none.
    TimeWithSeconds,
    /// The time has no seconds, and the header's has some.
    TimeWithoutSeconds,
}

/// How a secret on its way into a program became another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// A line end behind it.
    LineEnd,
    /// A blank in front or behind.
    Blank,
    /// Its own blanks at the ends are gone.
    Trimmed,
    /// In quotation marks.
    Quoted,
    /// Its own quotation marks are gone.
    Unquoted,
    /// In upper case.
    UpperCase,
    /// In lower case.
    LowerCase,
    /// Nothing in its place.
    Empty,
    /// In ISO 8859-1, not UTF-8.
    Latin1,
    /// In base64.
    Base64,
    /// Taken for base64, and decoded.
    FromBase64,
    /// Taken for hexadecimal, and decoded.
    FromHex,
    /// Its SHA-256 in its place.
    Hashed,
}

/// What a hash should be of.
#[derive(Debug, Clone, Copy)]
pub struct HashOf<'a> {
    /// Mailbox, nonce, count and timestamp, as they stand in the header, right or wrong.
    pub fields: [&'a str; 4],
    /// The mailbox's password.
    pub password: &'a Password,
    /// The environment's shared key.
    pub shared_key: &'a SharedKey,
    /// The mailbox that it should be for, where that is known.
    pub mailbox: Option<&'a MailboxId>,
    /// Passwords of other mailboxes, each with a name that may be told.
    pub other_passwords: &'a [(String, Password)],
}

/// What is longer is no token, and would be hashed thousands of times. In bytes, all four together.
const LONGEST_FIELDS: usize = 1024;

/// How `given` was made: no mistake when it is right, `None` when it was made in none of the known ways.
#[must_use]
pub fn hash_mistakes(of: &HashOf<'_>, given: &str) -> Option<Vec<HashMistake>> {
    let right = Recipe::right(of);
    let readings: Vec<(Given, Recipe)> = Given::readings(given)
        .into_iter()
        .map(|given| {
            let base = right.with(given.function);
            (given, base)
        })
        .collect();
    if let Some((given, _)) = readings.iter().find(|(given, base)| given.is_of(base)) {
        return Some(given.mistakes.clone());
    }
    if of.fields.iter().map(|field| field.len()).sum::<usize>() > LONGEST_FIELDS {
        return None;
    }
    let changes = recipe::changes(of, &right);
    readings.iter().find_map(|(given, base)| {
        let found = search(base, &changes, given)?;
        Some(given.mistakes.iter().cloned().chain(found).collect())
    })
}

/// The fewest changes that make it, two at most.
fn search(base: &Recipe, changes: &[Change], given: &Given) -> Option<Vec<HashMistake>> {
    let makes = |applied: &[&Change]| {
        let mut recipe = base.clone();
        applied.iter().for_each(|change| (change.apply)(&mut recipe));
        given.is_of(&recipe)
    };
    if let Some(one) = changes.iter().find(|one| makes(&[one])) {
        return Some(vec![one.mistake.clone()]);
    }
    let frequent: Vec<&Change> = changes.iter().filter(|change| !change.is_rare).collect();
    frequent.iter().enumerate().find_map(|(place, first)| {
        let others = frequent.get(place + 1..)?.iter();
        let mut others = others.filter(|second| second.part != first.part);
        let second = others.find(|second| makes(&[first, second]))?;
        Some(vec![first.mistake.clone(), second.mistake.clone()])
    })
}

#[cfg(test)]
mod tests;
