//! Who is let in that must not be, and the other way about.

use chrono::TimeDelta;
use http::header::AUTHORIZATION;

use super::{Effect, Fault, token};
use crate::{
    emulator::Refusal,
    protocol::{TokenError, TokenRefusal, TokenTimestamp},
};

const fn lets_in(
    name: &'static str,
    what: &'static str,
    which: fn(&Refusal, &http::request::Parts, chrono::DateTime<chrono::Utc>) -> bool,
) -> Fault {
    Fault { name, what, effect: Effect::LetsIn(which) }
}

const fn refuses(
    name: &'static str,
    what: &'static str,
    which: fn(&crate::protocol::Token, chrono::DateTime<chrono::Utc>) -> bool,
) -> Fault {
    Fault { name, what, effect: Effect::Refuses(which) }
}

macro_rules! refused {
    ($pattern:pat) => {
        |refusal, _, _| matches!(refusal, $pattern)
    };
}

pub(super) const FAULTS: &[Fault] = &[
    lets_in("no-token-taken", "a call without a token is let in", |refusal, parts, _| {
        *refusal == Refusal::NotOneHeader && !parts.headers.contains_key(AUTHORIZATION)
    }),
    lets_in("two-tokens-taken", "a call with two tokens is let in", |refusal, parts, _| {
        *refusal == Refusal::NotOneHeader && parts.headers.contains_key(AUTHORIZATION)
    }),
    lets_in(
        "scheme-unchecked",
        "the scheme word makes no difference",
        refused!(Refusal::Malformed(TokenError::Scheme)),
    ),
    lets_in(
        "fields-unchecked",
        "the number of fields makes no difference",
        refused!(Refusal::Malformed(TokenError::Fields(_))),
    ),
    lets_in(
        "mailbox-case-unchecked",
        "a token may have the mailbox ID in lower case",
        refused!(Refusal::Malformed(TokenError::Mailbox(_))),
    ),
    lets_in("nonce-unchecked", "a nonce may be anything", refused!(Refusal::Malformed(TokenError::Nonce))),
    lets_in(
        "count-unchecked",
        "a nonce count may be anything",
        refused!(Refusal::Malformed(TokenError::Count)),
    ),
    lets_in(
        "timestamp-unchecked",
        "a timestamp may be anything",
        refused!(Refusal::Malformed(TokenError::Timestamp)),
    ),
    lets_in("hash-form-unchecked", "a hash may be cut short", refused!(Refusal::Malformed(TokenError::Hash))),
    lets_in(
        "hash-unchecked",
        "the hash makes no difference",
        refused!(Refusal::Token(TokenRefusal::WrongHash)),
    ),
    lets_in("old-token-taken", "a token may be of any age", |refusal, parts, now| {
        *refusal == Refusal::Token(TokenRefusal::OutsideWindow)
            && token(parts).is_some_and(|token| token.timestamp() < TokenTimestamp::at(now))
    }),
    lets_in("future-token-taken", "a token may be of any time to come", |refusal, parts, now| {
        *refusal == Refusal::Token(TokenRefusal::OutsideWindow)
            && token(parts).is_some_and(|token| token.timestamp() > TokenTimestamp::at(now))
    }),
    lets_in("replay-taken", "a token may be used again", refused!(Refusal::Replayed)),
    lets_in(
        "other-mailbox-taken",
        "a token of another mailbox will do",
        refused!(Refusal::Token(TokenRefusal::OtherMailbox)),
    ),
    lets_in(
        "unknown-mailbox-taken",
        "a mailbox that nobody has is let in",
        refused!(Refusal::UnknownMailbox),
    ),
    lets_in("disabled-mailbox-taken", "a disabled mailbox is let in", refused!(Refusal::Disabled)),
    lets_in(
        "other-certificate-taken",
        "the certificate of another mailbox will do",
        refused!(Refusal::OtherCertificate),
    ),
    refuses("next-count-refused", "a nonce is good for one call, whatever its count", |token, _| {
        token.count() != "0"
    }),
    refuses("hour-old-refused", "a token more than an hour old is refused", |token, now| {
        token.timestamp().time() < now - TimeDelta::minutes(61)
    }),
    refuses("hour-ahead-refused", "a token more than an hour ahead is refused", |token, now| {
        token.timestamp().time() > now + TimeDelta::minutes(61)
    }),
];
