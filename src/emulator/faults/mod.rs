//! An endpoint that is wrong in one way, on purpose: so that tests can see every scenario which judges
//! endpoints fail. For tests only: the program has no way to switch a fault on.
//!
//! A fault is a line in a table: its name, what it does, and its effect. Effects are few and are applied
//! around the routes, which know nothing of them: who is let in, what the routes are asked, what is
//! answered, and how connections are made.

mod answers;
mod requests;
mod tls;
mod tokens;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use super::{
    Clock, Mailroom, Refusal,
    routes::{Reply, ReplyBody},
};
use crate::protocol::{ApiVersion, Operation, Token};

pub use tls::TlsFault;
pub(super) use tls::{AnyAuthority, agrees_to_old_version};

/// One way of being wrong.
#[derive(Clone, Copy)]
pub struct Fault {
    /// Its name, of words joined by hyphens.
    pub name: &'static str,
    /// What it does, in a few words.
    pub what: &'static str,
    effect: Effect,
}

/// The ways in which an endpoint is wrong. None by default.
#[derive(Debug, Clone, Default)]
pub struct Faults(Vec<Fault>);

#[derive(Clone, Copy)]
enum Effect {
    /// Lets a call in all the same.
    LetsIn(fn(&Refusal, &Parts, DateTime<Utc>) -> bool),
    /// Refuses a call that is good.
    Refuses(fn(&Token, DateTime<Utc>) -> bool),
    /// Changes what the routes are asked of these operations; of all, when there are none.
    Request(&'static [&'static str], fn(&mut Operation, &mut Parts, &Mailroom)),
    /// Answers an operation in place of the routes.
    Instead(&'static str, fn(&Operation, &Parts, &Mailroom, DateTime<Utc>) -> Option<Reply>),
    /// Does something after the routes have answered an operation.
    After(&'static str, fn(&Operation, &Reply, &Mailroom)),
    /// Another status of an operation (of any, when it is empty).
    Status(&'static str, u16, u16),
    /// Another value of a header of an operation's answers below 300; none leaves it out.
    Header(&'static str, &'static str, Option<&'static str>),
    /// Another value of a header that is there; none leaves it out.
    Altered(&'static str, &'static str, fn(&str) -> Option<String>),
    /// Another body of an operation's answers that are JSON.
    Json(&'static str, fn(&mut Value)),
    /// Another body of an operation's answers with this status.
    Body(&'static str, u16, fn(Vec<u8>) -> Vec<u8>),
    /// Another status of what is no operation.
    Elsewhere(u16),
    /// Other connections.
    Tls(TlsFault),
}

impl Fault {
    /// Every fault there is.
    #[must_use]
    pub fn all() -> Vec<Self> {
        [
            tokens::FAULTS,
            requests::sending::FAULTS,
            requests::receiving::FAULTS,
            requests::effects::FAULTS,
            answers::statuses::FAULTS,
            answers::headers::FAULTS,
            answers::contents::FAULTS,
            answers::sending::FAULTS,
            answers::inbox::FAULTS,
            answers::errors::FAULTS,
            answers::tracking::FAULTS,
            answers::lookups::FAULTS,
            tls::FAULTS,
        ]
        .concat()
    }

    /// Whether it can make a difference to a call of this operation (`""` for none of the API's) that a
    /// right endpoint answers with this status. Calls for which it cannot are played alike with it and
    /// without it.
    #[must_use]
    pub fn can_touch(&self, operation: &str, status: u16) -> bool {
        let of = |name: &str| !operation.is_empty() && (name.is_empty() || name == operation);
        match self.effect {
            Effect::LetsIn(_) => status == 403,
            Effect::Refuses(_) => status != 403,
            Effect::Request(names, _) => status != 403 && (names.is_empty() || names.contains(&operation)),
            Effect::Instead(name, _) => status != 403 && name == operation,
            Effect::After(name, _) => of(name),
            Effect::Status(name, from, _) => of(name) && status == from,
            Effect::Body(name, from, _) => of(name) && status == from,
            Effect::Header(name, ..) => of(name) && (200..300).contains(&status),
            Effect::Altered(name, ..) | Effect::Json(name, _) => of(name),
            Effect::Elsewhere(_) => operation.is_empty() && status == 404,
            Effect::Tls(_) => true,
        }
    }

    /// Whether it shows in connections alone, and so over TLS only.
    #[must_use]
    pub fn is_of_tls(&self) -> bool {
        matches!(self.effect, Effect::Tls(_)) || self.name == "other-certificate-taken"
    }
}

impl Faults {
    /// An endpoint that is wrong in these ways.
    #[must_use]
    pub fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// Whether the endpoint is right in every way, as it is but in tests.
    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether connections are wrong in this way.
    pub(super) fn has_tls(&self, wanted: TlsFault) -> bool {
        self.0.iter().any(|fault| matches!(fault.effect, Effect::Tls(tls) if tls == wanted))
    }

    /// Who is let in.
    pub(super) fn admitted(
        &self,
        admitted: Option<Result<(), Refusal>>,
        parts: &Parts,
        clock: &Clock,
    ) -> Option<Result<(), Refusal>> {
        self.0.iter().fold(admitted, |admitted, fault| match (fault.effect, admitted) {
            (Effect::LetsIn(lets_in), Some(Err(refusal))) if lets_in(&refusal, parts, clock.now()) => {
                Some(Ok(()))
            }
            (Effect::Refuses(refuses), Some(Ok(())))
                if token(parts).is_some_and(|token| refuses(&token, clock.now())) =>
            {
                Some(Err(Refusal::Replayed))
            }
            (_, admitted) => admitted,
        })
    }

    /// What the routes are asked, or what is answered in their place.
    pub(super) fn asked(
        &self,
        operation: &mut Operation,
        parts: &mut Parts,
        mailroom: &Mailroom,
        now: DateTime<Utc>,
    ) -> Option<Reply> {
        for fault in &self.0 {
            match fault.effect {
                Effect::Request(names, change) if names.is_empty() || names.contains(&operation.name()) => {
                    change(operation, parts, mailroom);
                }
                Effect::Instead(name, answer) if name == operation.name() => {
                    if let Some(reply) = answer(operation, parts, mailroom, now) {
                        return Some(reply);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// What is answered to a call of nothing in the API.
    pub(super) fn elsewhere(&self, mut reply: Reply) -> Reply {
        for fault in &self.0 {
            if let Effect::Elsewhere(status) = fault.effect {
                reply.status = StatusCode::from_u16(status).unwrap_or(reply.status);
            }
        }
        reply
    }

    /// What is answered.
    pub(super) async fn answered(&self, operation: &Operation, reply: Reply, mailroom: &Mailroom) -> Reply {
        let mut reply = reply;
        for fault in &self.0 {
            reply = fault.answered(operation, reply, mailroom).await;
        }
        reply
    }
}

impl Fault {
    async fn answered(&self, operation: &Operation, mut reply: Reply, mailroom: &Mailroom) -> Reply {
        let of = |name: &str| name.is_empty() || name == operation.name();
        match self.effect {
            Effect::After(name, act) if of(name) => act(operation, &reply, mailroom),
            Effect::Status(name, from, to) if of(name) && reply.status == from => {
                reply.status = StatusCode::from_u16(to).unwrap_or(reply.status);
                if to == 204 {
                    reply = with_body(reply, Vec::new());
                }
            }
            Effect::Header(name, header, value) if of(name) && reply.status.is_success() => match value {
                Some(value) => {
                    reply.headers.insert(header, HeaderValue::from_static(value));
                }
                None => {
                    reply.headers.remove(header);
                }
            },
            Effect::Altered(name, header, alter) if of(name) => {
                let altered = reply.headers.get(header).and_then(|value| value.to_str().ok()).map(alter);
                match altered {
                    Some(Some(value)) => reply = reply.with(HeaderName::from_static(header), &value),
                    Some(None) => {
                        reply.headers.remove(header);
                    }
                    None => {}
                }
            }
            Effect::Json(name, change) if of(name) => {
                let (read, body) = taken(reply).await;
                return match serde_json::from_slice(&body) {
                    Ok(mut value) => {
                        change(&mut value);
                        with_body(read, value.to_string().into_bytes())
                    }
                    Err(_) => with_body(read, body),
                };
            }
            Effect::Body(name, status, change) if of(name) && reply.status == status => {
                let (read, body) = taken(reply).await;
                return with_body(read, change(body));
            }
            _ => {}
        }
        reply
    }
}

/// A reply's body, and the reply without it.
async fn taken(mut reply: Reply) -> (Reply, Vec<u8>) {
    let body = std::mem::replace(&mut reply.body, full(Vec::new()));
    // A body of the mailroom's own never breaks off.
    let bytes = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    (reply, bytes)
}

fn with_body(mut reply: Reply, bytes: Vec<u8>) -> Reply {
    if reply.headers.contains_key(header::CONTENT_LENGTH) {
        reply.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    reply.body = full(bytes);
    reply
}

fn full(bytes: Vec<u8>) -> ReplyBody {
    Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync()
}

fn token(parts: &Parts) -> Option<Token> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    Token::parse(value).ok()
}

fn version(parts: &Parts) -> ApiVersion {
    ApiVersion::from_accept(parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()))
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_enough_faults_and_each_has_a_name_of_its_own() {
        let faults = Fault::all();
        let names: BTreeSet<&str> = faults.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), faults.len());
        assert!(faults.len() >= 60, "{}", faults.len());
    }
}
