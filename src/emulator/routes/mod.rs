//! HTTP in, HTTP out: each call is read, let in or refused, and handed to the mailroom.

mod download;
mod handshake;
mod inbox;
mod outbox;
mod reply;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::{Request, StatusCode, request::Parts};
use hyper::body::Incoming;
use serde_json::json;

use super::{Clock, Mailroom, authentication::Guard};
use crate::protocol::{ApiVersion, Operation};

pub use reply::{Reply, ReplyBody, SERVER};

/// What was answered, for whoever watches the endpoint.
#[derive(Debug, Clone)]
pub struct Call {
    /// When, by the endpoint's clock.
    pub at: DateTime<Utc>,
    /// Method and target as called. Holds no secret: tokens travel in headers.
    pub request: String,
    /// What was answered.
    pub status: StatusCode,
    /// Why a call was refused: what a real endpoint keeps to itself.
    pub note: Option<String>,
}

/// Told of every call.
pub type Watcher = Arc<dyn Fn(&Call) + Send + Sync>;

/// Everything that answering takes.
pub struct Routes {
    pub mailroom: Arc<Mailroom>,
    pub guard: Guard,
    pub clock: Clock,
    pub watcher: Option<Watcher>,
}

impl Routes {
    /// Answers one call. `common_name` is that of the client's certificate.
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        common_name: Option<&str>,
    ) -> http::Response<ReplyBody> {
        let (parts, mut body) = request.into_parts();
        let line = format!("{} {}", parts.method, parts.uri);
        let reply = self.route(&parts, &mut body, common_name).await;
        // A client that is still sending would not see an answer on a connection that is closed on it.
        outbox::drain(body).await;
        if let Some(watcher) = &self.watcher {
            let note = reply.note.clone();
            watcher(&Call { at: self.clock.now(), request: line, status: reply.status, note });
        }
        reply.into_response(self.clock.now())
    }

    async fn route(&self, parts: &Parts, body: &mut Incoming, common_name: Option<&str>) -> Reply {
        let version = ApiVersion::from_accept(header(parts, &http::header::ACCEPT));
        let Some(operation) = Operation::of(&parts.method, parts.uri.path()) else {
            return Reply::empty(StatusCode::NOT_FOUND).noting("no operation of the MESH API");
        };
        if let Some(mailbox) = operation.mailbox()
            && let Err(refusal) = self.guard.admit(mailbox, &parts.headers, common_name, &self.mailroom)
        {
            return Reply::empty(StatusCode::FORBIDDEN).noting(refusal);
        }
        match operation {
            Operation::Ping => {
                Reply::json(StatusCode::OK, ApiVersion::V1, &json!({ "service": "mesh-witness emulator" }))
            }
            Operation::Handshake(_) => handshake::validate(parts),
            Operation::CheckInbox(mailbox) => inbox::list(&self.mailroom, &mailbox, parts, version),
            Operation::CountMessages(mailbox) => {
                inbox::count(&self.mailroom, &mailbox, version, self.clock.now())
            }
            Operation::GetMessage(mailbox, id) => {
                download::get(&self.mailroom, &mailbox, &id, None, parts, version)
            }
            Operation::GetChunk(mailbox, id, chunk) => {
                download::get(&self.mailroom, &mailbox, &id, Some(chunk), parts, version)
            }
            Operation::HeadMessage(mailbox, id) => download::head(&self.mailroom, &mailbox, &id, version),
            Operation::Acknowledge(mailbox, id) => inbox::acknowledge(&self.mailroom, &mailbox, id, version),
            Operation::SendMessage(mailbox) => {
                outbox::send(&self.mailroom, &mailbox, parts, body, version).await
            }
            // Sends of more than one chunk are refused with code 19, so there is no message to add to.
            Operation::SendChunk(..) => Reply::empty(StatusCode::NOT_FOUND).noting("no such chunked message"),
        }
    }
}

fn header<'a>(parts: &'a Parts, name: &http::HeaderName) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}
