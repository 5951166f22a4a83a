//! HTTP in, HTTP out: each call is read, let in or refused, and handed to the mailroom.

mod admin;
mod call;
mod chunk;
mod directory;
mod download;
mod handshake;
mod inbox;
mod outbox;
mod receive;
mod reply;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::{Method, Request, StatusCode, request::Parts};
use hyper::body::Incoming;
use serde_json::json;

use super::{Clock, Faults, Mailroom, Switches, authentication::Guard, switches};
use crate::protocol::{ApiVersion, Operation, PathError, ValidationError};

pub use call::{Call, TokenOutcome, Watcher};
pub use reply::{Reply, ReplyBody, SERVER};

/// Everything that answering takes.
pub struct Routes {
    pub mailroom: Arc<Mailroom>,
    pub guard: Guard,
    pub clock: Clock,
    pub switches: Switches,
    pub watcher: Option<Watcher>,
    /// Whether callers on this machine may use the routes that are not MESH's.
    pub admin: bool,
    /// What is wrong on purpose.
    pub faults: Faults,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// The common name of the client's certificate.
    pub common_name: Option<Arc<str>>,
    /// Whether it is on this machine.
    pub on_loopback: bool,
}

/// A call that was let in, and where it is answered.
#[derive(Clone, Copy)]
struct Ask<'a> {
    mailroom: &'a Mailroom,
    switches: &'a Switches,
    parts: &'a Parts,
    version: ApiVersion,
    now: DateTime<Utc>,
}

impl Routes {
    /// Answers one call.
    pub async fn answer(&self, request: Request<Incoming>, peer: &Peer) -> http::Response<ReplyBody> {
        let (mut parts, mut body) = request.into_parts();
        let called = format!("{} {}", parts.method, parts.uri);
        let operation = Operation::read(&parts.method, parts.uri.path());
        let mut token = TokenOutcome::NotAsked;
        let reply = match &operation {
            Ok(operation) => {
                let reply = self.operate(operation, &mut parts, &mut body, peer, &mut token).await;
                self.faults.answered(operation, reply, &self.mailroom).await
            }
            Err(PathError::Part(name)) if self.switches.unlisted == switches::Unlisted::BadRequest => {
                Reply::invalid(&ValidationError::new("path", name, "is malformed"))
            }
            Err(_) => self.faults.elsewhere(self.extra(&parts, &mut body, peer).await),
        };
        let operation = operation.ok();
        // A client that is still sending would not see an answer on a connection that is closed on it.
        receive::drain(body).await;
        if let Some(watcher) = &self.watcher {
            let message = operation.as_ref().and_then(Operation::message).cloned();
            watcher(&Call {
                at: self.clock.now(),
                request: called,
                mailbox: operation.as_ref().and_then(Operation::mailbox).cloned(),
                operation: operation.as_ref().map(Operation::name),
                message: message.or_else(|| reply.message.clone()),
                status: reply.status,
                token,
                note: reply.note.clone(),
            });
        }
        reply.into_response(&self.clock)
    }

    async fn operate(
        &self,
        operation: &Operation,
        parts: &mut Parts,
        body: &mut Incoming,
        peer: &Peer,
        token: &mut TokenOutcome,
    ) -> Reply {
        let admitted = match operation.mailbox() {
            Some(mailbox) => Some(self.guard.admit(mailbox, &parts.headers, peer, &self.mailroom)),
            None if *operation == Operation::Ping => None,
            None if self.switches.lookup_token == switches::LookupToken::NotNeeded => None,
            None => Some(self.guard.admit_anybody(&parts.headers, peer, &self.mailroom)),
        };
        match self.faults.admitted(admitted, parts, self.clock.now()) {
            None => {}
            Some(Ok(())) => *token = TokenOutcome::Accepted,
            Some(Err(refusal)) => {
                *token = TokenOutcome::Refused(refusal.clone());
                return Reply::empty(StatusCode::FORBIDDEN).noting(refusal);
            }
        }
        let (now, mut operation) = (self.clock.now(), operation.clone());
        if let Some(reply) = self.faults.asked(&mut operation, parts, &self.mailroom, now) {
            return reply;
        }
        let version = ApiVersion::from_accept(header(parts, &http::header::ACCEPT));
        let ask = Ask { mailroom: &self.mailroom, switches: &self.switches, parts, version, now };
        ask.route(&operation, body).await
    }

    /// What is not an operation of the API: health, and what only a test endpoint has.
    async fn extra(&self, parts: &Parts, body: &mut Incoming, peer: &Peer) -> Reply {
        let path = parts.uri.path();
        if parts.method == Method::GET && matches!(path, "/health" | "/healthcheck" | "/_status" | "/_ping") {
            return running();
        }
        let admin = path.strip_prefix("/messageexchange/admin/").or_else(|| path.strip_prefix("/admin/"));
        match admin {
            Some(path) if self.admin && peer.on_loopback => {
                admin::answer(&self.mailroom, &self.clock, &parts.method, path, body).await
            }
            _ => Reply::empty(StatusCode::NOT_FOUND).noting("no operation of the MESH API"),
        }
    }
}

impl Ask<'_> {
    async fn route(self, operation: &Operation, body: &mut Incoming) -> Reply {
        match operation {
            Operation::Ping => running(),
            Operation::Handshake(mailbox) => handshake::validate(self, mailbox),
            Operation::CheckInbox(mailbox) => inbox::list(self, mailbox),
            Operation::CountMessages(mailbox) => inbox::count(self, mailbox),
            Operation::GetMessage(mailbox, id) => download::get(self, mailbox, id, None),
            Operation::GetChunk(mailbox, id, chunk) => download::get(self, mailbox, id, Some(*chunk)),
            Operation::HeadMessage(mailbox, id) => download::head(self, mailbox, id),
            Operation::Acknowledge(mailbox, id) => inbox::acknowledge(self, mailbox, id),
            Operation::SendMessage(mailbox) => outbox::send(self, mailbox, body).await,
            Operation::SendChunk(mailbox, id, number) => chunk::send(self, mailbox, id, *number, body).await,
            Operation::TrackMessage(mailbox) => directory::track(self, mailbox),
            Operation::TrackLocalId(mailbox, id) => directory::track_local_id(self, mailbox, id),
            Operation::LookUpEndpoint(ods_code, workflow) => directory::look_up(self, ods_code, workflow),
            Operation::SearchWorkflow(workflow) => directory::search(self, workflow),
        }
    }

    /// A status that the OpenAPI does not list for the operation, or 400 in its stead.
    fn unlisted(self, reply: Reply, place: &str, name: &str) -> Reply {
        match self.switches.unlisted {
            switches::Unlisted::Answered => reply,
            switches::Unlisted::BadRequest => {
                let why = reply.note.unwrap_or_else(|| "cannot be served".to_owned());
                Reply::invalid(&ValidationError::new(place, name, why))
            }
        }
    }
}

fn running() -> Reply {
    let body = json!({ "service": "mesh-witness emulator", "status": "running", "outcome": "Yes" });
    Reply::json(StatusCode::OK, ApiVersion::V1, &body)
}

fn header<'a>(parts: &'a Parts, name: &http::HeaderName) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}
