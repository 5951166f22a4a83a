//! Which field is which, also where one is missing, too many, or in another place.

use std::array;

use uuid::Uuid;

use super::{TokenPart, characters};
use crate::{protocol::MailboxId, tape::TokenFault};

/// The fields, in the order of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mailbox,
    Nonce,
    Count,
    Timestamp,
    Hash,
}

/// The fields in their places, as far as that can be told.
pub(super) struct Arranged {
    pub slots: [Option<String>; 5],
    /// What is wrong with their number or order.
    pub problem: Option<TokenPart>,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Mailbox, Self::Nonce, Self::Count, Self::Timestamp, Self::Hash];

    fn name(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox ID",
            Self::Nonce => "nonce",
            Self::Count => "nonce count",
            Self::Timestamp => "timestamp",
            Self::Hash => "hash",
        }
    }

    /// Whether a text looks like it, right or a little wrong; never like two of them.
    pub fn is_like(self, text: &str) -> bool {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let is_nonce = Uuid::try_parse(text).is_ok();
        let is_count = digits && (1..=10).contains(&text.len());
        let is_time = digits && (12..=14).contains(&text.len()) || is_dated(text);
        let of_hash = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
        let is_hash = text.len() >= 40 && text.bytes().all(of_hash) && !is_nonce;
        match self {
            Self::Nonce => is_nonce,
            Self::Count => is_count,
            Self::Timestamp => is_time,
            Self::Hash => is_hash,
            Self::Mailbox => {
                let is_id = MailboxId::parse(&text.to_ascii_uppercase()).is_ok();
                is_id && !(is_nonce || is_count || is_time || is_hash)
            }
        }
    }
}

/// Whether it begins as a date does that is written with hyphens.
fn is_dated(text: &str) -> bool {
    let date = text.as_bytes().get(..10);
    date.is_some_and(|date| {
        date.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    })
}

/// Puts what stands between the colons in its places.
pub(super) fn arrange(given: &[&str]) -> Arranged {
    if let [mailbox, nonce, count, timestamp, hash] = given {
        return five([mailbox, nonce, count, timestamp, hash]);
    }
    let wrong = |what: String| {
        TokenPart::wrong("fields", what, TokenFault::Fields.demand())
            .mend("Join mailbox:nonce:count:timestamp:hash with four colons.")
    };
    let found = |slots, what| Arranged { slots, problem: Some(wrong(what)) };
    let number = match given.len() {
        1 => "there is no colon in it, so there is one field".to_owned(),
        number => format!("there are {number} fields"),
    };
    if let Some(slots) = with_time_of_colons(given) {
        return found(slots, "the timestamp is written with colons".to_owned());
    }
    if let Some((missing, slots)) = one_missing(given) {
        return found(slots, format!("{number}: the {} is missing", missing.name()));
    }
    if let Some((place, slots)) = one_too_many(given) {
        let extra = given.get(place).copied().unwrap_or_default();
        let what = format!("{number}: field {} is too many, which has {}", place + 1, characters(extra));
        return found(slots, what);
    }
    found(array::from_fn(|_| None), number)
}

fn five(given: [&str; 5]) -> Arranged {
    let own = |slots: [&str; 5]| slots.map(|text| Some(text.to_owned()));
    let is_in_place = Kind::ALL.iter().zip(given).all(|(kind, text)| kind.is_like(text));
    let places = Kind::ALL.map(|kind| given.into_iter().find(|text| kind.is_like(text)));
    match places {
        // Each is there, and not all where they belong.
        [Some(mailbox), Some(nonce), Some(count), Some(timestamp), Some(hash)] if !is_in_place => {
            let order: Vec<&str> = given
                .into_iter()
                .filter_map(|text| Kind::ALL.into_iter().find(|kind| kind.is_like(text)))
                .map(Kind::name)
                .collect();
            let part = TokenPart::wrong(
                "fields",
                "they are not in their order",
                "mailbox ID, nonce, nonce count, timestamp, hash",
            );
            let part = part.seen(order.join(", ")).mend("Write the fields in this order.");
            Arranged { slots: own([mailbox, nonce, count, timestamp, hash]), problem: Some(part) }
        }
        _ => Arranged { slots: own(given), problem: None },
    }
}

type Slots = [Option<String>; 5];

/// A time such as `2026-11-21T12:00:30Z`, which falls apart at its colons.
fn with_time_of_colons(given: &[&str]) -> Option<Slots> {
    let [mailbox, nonce, count, time @ .., hash] = given else { return None };
    let is_time = time.len() > 1 && time.first().is_some_and(|first| is_dated(first));
    let time = time.join(":");
    is_time.then(|| [mailbox, nonce, count, time.as_str(), hash].map(|text| Some(text.to_owned())))
}

fn one_missing(given: &[&str]) -> Option<(Kind, Slots)> {
    if given.len() + 1 != Kind::ALL.len() {
        return None;
    }
    Kind::ALL.into_iter().find_map(|missing| {
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != missing);
        let fits = kinds.zip(given).all(|(kind, text)| kind.is_like(text));
        let mut texts = given.iter();
        let slots = Kind::ALL
            .map(|kind| if kind == missing { None } else { texts.next().map(|text| (*text).to_owned()) });
        fits.then_some((missing, slots))
    })
}

fn one_too_many(given: &[&str]) -> Option<(usize, Slots)> {
    if given.len() != Kind::ALL.len() + 1 {
        return None;
    }
    (0..given.len()).find_map(|extra| {
        let others = || given.iter().enumerate().filter(|(place, _)| *place != extra).map(|(_, text)| *text);
        let fits = Kind::ALL.into_iter().zip(others()).all(|(kind, text)| kind.is_like(text));
        let mut texts = others();
        fits.then(|| (extra, Kind::ALL.map(|_| texts.next().map(ToOwned::to_owned))))
    })
}
