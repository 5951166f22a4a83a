//! HTTP in, HTTP out: each call is read, let in or refused, and handed to the mailroom.

mod admin;
mod call;
mod chunk;
mod directory;
mod download;
mod elsewhere;
mod handshake;
mod inbox;
mod outbox;
mod receive;
mod refusals;
mod reply;
mod rich;
mod sandbox_headers;
mod sandbox_paths;
mod upload;
mod well_formed;

use std::{borrow::Cow, sync::Arc};

use chrono::{DateTime, Utc};
use http::{HeaderValue, Request, StatusCode, request::Parts};
use hyper::body::Incoming;
use serde_json::json;

use super::{
    Clock, Deed, Faults, Mailroom, Provocations, Refusal, Switches, authentication::Guard, switches,
    timestamps::in_digits,
};
use crate::protocol::{ApiVersion, MessageId, Operation, PathError, ValidationError};

use call::Meant;
use elsewhere::no_operation;
use upload::Upload;

pub use call::{Call, TokenOutcome, Watcher};
pub use reply::{Reply, ReplyBody, SERVER};

/// A path that reads like a mailbox's.
const DEEP_PING: &str = "/messageexchange/deepping";

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
    /// What makes it hard for a product, where a scenario may arm that.
    pub provocations: Option<Provocations>,
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
        let (mut parts, body) = request.into_parts();
        let mut body = Upload::new(body, &parts);
        let called = self.watcher.is_some().then(|| called(&parts));
        let path = match self.switches.reading {
            switches::Reading::OpenApi => Cow::Borrowed(parts.uri.path()),
            switches::Reading::Sandbox => Cow::Owned(sandbox_paths::normalised(parts.uri.path())),
        };
        let operation = match path.as_ref() {
            DEEP_PING => Err(PathError::NoOperation),
            path => Operation::read(&parts.method, path),
        };
        let meant = match operation {
            Err(PathError::Part(_)) if called.is_some() => Meant::by(&parts.method, &path),
            _ => Meant::default(),
        };
        let mut token = TokenOutcome::NotAsked;
        let flaw = well_formed::flaw(&parts);
        let deed = self.provocations.as_ref().zip(operation.as_ref().ok()).filter(|_| flaw.is_none());
        let deed = deed.and_then(|(provocations, operation)| provocations.meet(operation));
        let reply = match (&operation, flaw) {
            (_, Some(why)) => Reply::empty(StatusCode::BAD_REQUEST).noting(why),
            (Ok(operation), _) => {
                let reply = match deed.and_then(|deed| deed.before(operation)) {
                    Some(reply) => reply,
                    None => self.operate(operation, &mut parts, &mut body, peer, deed, &mut token).await,
                };
                self.faults.answered(operation, reply, &self.mailroom).await
            }
            (Err(PathError::Part("mailbox_id")), _) => self.no_mailbox(&parts, &mut token),
            (Err(PathError::Part(name)), _)
                if self.switches.extras == switches::Extras::Missing
                    || self.switches.unlisted == switches::Unlisted::BadRequest =>
            {
                self.malformed(name, &parts, &path, peer, &mut token)
            }
            (Err(error), _) => match self.extra(&parts, &mut body, peer).await {
                Some(reply) => reply,
                None if self.switches.extras == switches::Extras::Served => {
                    self.sandbox_only(*error, &parts, &path, peer, &mut token)
                }
                None => self.faults.elsewhere(no_operation()),
            },
        };
        let operation = operation.ok();
        // Whoever waits to be asked for a body gets the answer instead of being asked (RFC 9110, 10.1.1).
        let unasked = body.is_held_back();
        if !unasked {
            // A client that is still sending would not see an answer on a connection that is closed on it.
            body.drain().await;
        }
        let reply = match deed {
            Some(deed) => deed.after(reply).await,
            None => reply,
        };
        let now = self.clock.now();
        self.tell(called, operation.as_ref().ok_or(meant), &reply, token, now);
        let mut response = reply.into_response(now, self.clock.told_moved_by());
        if unasked {
            response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(deed) = deed {
            deed.mark(&mut response);
        }
        response
    }

    /// Tells whoever watches of what the library underneath could not read, and has answered by itself.
    pub fn tell_unread(&self, error: &hyper::Error) {
        if let Some(watcher) = &self.watcher {
            watcher(&Call::unread(error, self.clock.now()));
        }
    }

    /// Tells whoever watches of a connection that came to no call.
    pub fn tell_unopened(&self, why: String) {
        if let Some(watcher) = &self.watcher {
            watcher(&Call::unopened(why, self.clock.now()));
        }
    }

    /// Tells whoever watches.
    fn tell(
        &self,
        called: Option<String>,
        operation: Result<&Operation, Meant>,
        reply: &Reply,
        token: TokenOutcome,
        at: DateTime<Utc>,
    ) {
        let (Some(watcher), Some(request)) = (&self.watcher, called) else { return };
        let meant = operation.map_or_else(|meant| meant, Meant::of);
        watcher(&Call {
            at,
            request,
            mailbox: meant.mailbox,
            operation: meant.operation,
            message: meant.message.or_else(|| reply.message.clone()),
            status: Some(reply.status),
            token,
            note: reply.note.clone(),
        });
    }

    async fn operate(
        &self,
        operation: &Operation,
        parts: &mut Parts,
        body: &mut Upload,
        peer: &Peer,
        deed: Option<Deed>,
        token: &mut TokenOutcome,
    ) -> Reply {
        let admitted = match operation.mailbox() {
            Some(mailbox) => Some(self.guard.admit(mailbox, &parts.headers, peer, &self.mailroom)),
            None if *operation == Operation::Ping => None,
            None if self.switches.lookup_token == switches::LookupToken::NotNeeded => None,
            None => Some(self.guard.admit_anybody(&parts.headers, peer, &self.mailroom)),
        };
        if let Some(reply) = self.not_let_in(admitted, parts, token) {
            return reply;
        }
        let mut asked = Cow::Borrowed(operation);
        if !self.faults.are_none()
            && let Some(reply) = self.faults.asked(asked.to_mut(), parts, &self.mailroom, self.clock.now())
        {
            return reply;
        }
        let read = refusals::version(&self.switches, parts);
        let version = *read.as_ref().unwrap_or(&ApiVersion::V1);
        if let Some(reply) = deed.and_then(|deed| deed.instead(operation, version)) {
            return reply;
        }
        match read {
            Err(refused) if takes_versions(&asked) => refusals::tell(&refused, version),
            _ => self.ask(parts, version).route(&asked, body).await,
        }
    }

    /// The answer to whoever is not let in.
    fn not_let_in(
        &self,
        admitted: Option<Result<(), Refusal>>,
        parts: &Parts,
        token: &mut TokenOutcome,
    ) -> Option<Reply> {
        match self.faults.admitted(admitted, parts, &self.clock)? {
            Ok(()) => {
                *token = TokenOutcome::Accepted;
                None
            }
            Err(refusal) => {
                *token = TokenOutcome::Refused(refusal.clone());
                let version = refusals::version(&self.switches, parts);
                Some(refusals::forbidden(&self.switches, version.unwrap_or(ApiVersion::V1), &refusal))
            }
        }
    }

    fn ask<'a>(&'a self, parts: &'a Parts, version: ApiVersion) -> Ask<'a> {
        let (mailroom, switches, now) = (&self.mailroom, &self.switches, self.clock.now());
        Ask { mailroom, switches, parts, version, now }
    }
}

impl Ask<'_> {
    async fn route(self, operation: &Operation, body: &mut Upload) -> Reply {
        match operation {
            Operation::Ping => running(self.switches),
            Operation::Handshake(mailbox) => handshake::validate(self, mailbox),
            Operation::GetMessage(mailbox, id) if self.is_rich(id) => {
                self.durably(|| rich::inbox(self, mailbox)).await
            }
            Operation::GetMessage(mailbox, id) => download::get(self, mailbox, id, None).await,
            Operation::GetChunk(mailbox, id, chunk) => download::get(self, mailbox, id, Some(*chunk)).await,
            Operation::SendMessage(mailbox) => outbox::send(self, mailbox, body).await,
            Operation::SendChunk(mailbox, id, number) => chunk::send(self, mailbox, id, *number, body).await,
            Operation::CheckInbox(mailbox) => self.durably(|| inbox::list(self, mailbox)).await,
            Operation::CountMessages(mailbox) => self.durably(|| inbox::count(self, mailbox)).await,
            Operation::HeadMessage(mailbox, id) => self.durably(|| download::head(self, mailbox, id)).await,
            Operation::Acknowledge(mailbox, id) => {
                self.durably(|| inbox::acknowledge(self, mailbox, id)).await
            }
            Operation::TrackMessage(mailbox) => self.durably(|| directory::track(self, mailbox)).await,
            Operation::TrackLocalId(mailbox, id) => {
                self.durably(|| directory::track_local_id(self, mailbox, id)).await
            }
            Operation::LookUpEndpoint(ods_code, workflow) => directory::look_up(self, ods_code, workflow),
            Operation::SearchWorkflow(workflow) => directory::search(self, workflow),
        }
    }

    /// A reply, when all that it tells is durable. It may be asked for again.
    async fn durably(self, answer: impl Fn() -> Reply) -> Reply {
        match self.mailroom.durably_at_last(|_| answer()).await {
            Ok(reply) => reply,
            Err(unstored) => receive::no_room(self, unstored),
        }
    }

    /// Whether this is no message but a list: message IDs are in upper case where there are such lists.
    fn is_rich(self, id: &MessageId) -> bool {
        self.switches.extras == switches::Extras::Served && id.as_str() == "rich"
    }

    /// The version by which the bodies of sends, counts and lookups are labelled.
    fn label(self) -> ApiVersion {
        match self.switches.media_types {
            switches::MediaTypes::Versioned => self.version,
            switches::MediaTypes::PlainForSome => ApiVersion::V1,
        }
    }

    /// An identifier that nobody asks for again.
    fn internal_id(self) -> String {
        match self.switches.message_ids {
            switches::MessageIds::Timed => in_digits(self.now),
            switches::MessageIds::Hexadecimal => uuid::Uuid::new_v4().simple().to_string(),
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

/// Whether the shape of an answer is chosen by `Accept` (mesh-sandbox 1.0.137).
fn takes_versions(operation: &Operation) -> bool {
    let rich = matches!(operation, Operation::GetMessage(_, id) if id.as_str() == "rich");
    !rich && !matches!(operation, Operation::HeadMessage(..) | Operation::TrackLocalId(..) | Operation::Ping)
}

fn running(switches: &Switches) -> Reply {
    let body = match switches.extras {
        switches::Extras::Missing => {
            json!({ "service": "mesh-witness emulator", "status": "running", "outcome": "Yes" })
        }
        switches::Extras::Served => {
            json!({ "env": "local", "build_label": "latest", "status": "running", "outcome": "Yes" })
        }
    };
    Reply::json(StatusCode::OK, ApiVersion::V1, &body)
}

/// Method and target as called.
fn called(parts: &Parts) -> String {
    match parts.uri.path_and_query() {
        // By far the most, and without the formatting machinery.
        Some(target) if parts.uri.authority().is_none() => {
            [parts.method.as_str(), " ", target.as_str()].concat()
        }
        _ => format!("{} {}", parts.method, parts.uri),
    }
}

/// The first line of a header.
fn header<'a>(parts: &'a Parts, name: &http::HeaderName) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// A header that is a list: several lines of it are one (RFC 9110, 5.3).
fn list<'a>(parts: &'a Parts, name: &http::HeaderName) -> Option<Cow<'a, str>> {
    let mut lines = parts.headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let first = lines.next()?;
    Some(match lines.next() {
        None => Cow::Borrowed(first),
        Some(second) => {
            let lines: Vec<&str> = [first, second].into_iter().chain(lines).collect();
            Cow::Owned(lines.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_shown_as_it_was_called() {
        for target in
            ["/messageexchange/A/inbox?max_results=10", "/", "*", "http://host:80/path?query", "host:80"]
        {
            let (parts, ()) = Request::get(target).body(()).unwrap().into_parts();
            assert_eq!(called(&parts), format!("GET {target}"));
        }
    }
}
