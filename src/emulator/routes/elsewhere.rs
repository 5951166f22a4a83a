//! Calls that are no operation of the API: on a path with a malformed part, on what only mesh-sandbox or only a test
//! endpoint has, or on nothing at all.

use std::borrow::Cow;

use http::{Method, StatusCode, header::ORIGIN, request::Parts};

use super::{
    DEEP_PING, Peer, Reply, Routes, TokenOutcome, admin, directory, refusals, rich, running, sandbox_paths,
    upload::Upload,
};
use crate::{
    emulator::{Refusal, switches},
    protocol::{ApiVersion, MailboxId, PathError, ValidationError},
};

impl Routes {
    /// A part of the path is not what it must be: told only to whoever the mailbox of the path lets in.
    pub(super) fn malformed(
        &self,
        name: &str,
        parts: &Parts,
        path: &str,
        peer: &Peer,
        token: &mut TokenOutcome,
    ) -> Reply {
        let mailbox = sandbox_paths::mailbox(path).and_then(|mailbox| MailboxId::parse(mailbox).ok());
        let admitted =
            mailbox.map(|mailbox| self.guard.admit(&mailbox, &parts.headers, peer, &self.mailroom));
        if let Some(reply) = self.not_let_in(admitted, parts, token) {
            return reply;
        }
        match self.switches.unlisted {
            switches::Unlisted::BadRequest => {
                Reply::invalid(&ValidationError::new("path", name, "is malformed"))
            }
            switches::Unlisted::Answered => {
                let reply = Reply::empty(StatusCode::NOT_FOUND);
                self.faults.elsewhere(reply.noting(format_args!("path {name}: is malformed")))
            }
        }
    }

    /// The mailbox of the path is none that could be registered: 403, which the OpenAPI lists for every
    /// operation on a mailbox.
    pub(super) fn no_mailbox(&self, parts: &Parts, token: &mut TokenOutcome) -> Reply {
        let version = refusals::version(&self.switches, parts);
        *token = TokenOutcome::Refused(Refusal::UnknownMailbox);
        refusals::forbidden(&self.switches, version.unwrap_or(ApiVersion::V1), &Refusal::UnknownMailbox)
    }

    /// What only mesh-sandbox answers, and how it answers what nobody knows.
    pub(super) fn sandbox_only(
        &self,
        error: PathError,
        parts: &Parts,
        path: &str,
        peer: &Peer,
        token: &mut TokenOutcome,
    ) -> Reply {
        let version = refusals::version(&self.switches, parts);
        let ask = self.ask(parts, *version.as_ref().unwrap_or(&ApiVersion::V1));
        if let Some(reply) = sandbox_paths::without_slash(&parts.uri, path) {
            return reply;
        }
        if let PathError::Part(name @ ("ods_code" | "workflow_id")) = error {
            return match &version {
                Err(refused) => ask.tell(refused),
                Ok(_) => directory::nothing_found(ask, path, name),
            };
        }
        let mailbox = sandbox_paths::mailbox(path).and_then(|mailbox| MailboxId::parse(mailbox).ok());
        let rest = path.splitn(4, '/').nth(3).unwrap_or_default();
        let own = matches!((parts.method.as_str(), rest), ("POST", "update") | ("GET", "outbox/rich"));
        let Some(mailbox) = mailbox.filter(|_| own || matches!(error, PathError::Part(_))) else {
            return sandbox_paths::unknown(&parts.method, path);
        };
        if let Err(refusal) = self.guard.admit(&mailbox, &parts.headers, peer, &self.mailroom) {
            *token = TokenOutcome::Refused(refusal.clone());
            return refusals::forbidden(ask.switches, ask.version, &refusal);
        }
        *token = TokenOutcome::Accepted;
        match (error, rest) {
            (PathError::Part(name), _) => {
                // What one accepts is looked at before what the path says, where it is looked at.
                let looked_at = name != "local_id" && parts.method != Method::HEAD;
                if let Some(refused) = version.err().filter(|_| looked_at) {
                    return ask.tell(&refused);
                }
                ask.tell(&sandbox_paths::malformed(&parts.method, path, &parts.headers, name))
            }
            (_, "update") => Reply::empty(StatusCode::OK),
            _ => rich::outbox(ask, &mailbox),
        }
    }

    /// What is not an operation of the API: health, and what only a test endpoint has.
    pub(super) async fn extra(&self, parts: &Parts, body: &mut Upload, peer: &Peer) -> Option<Reply> {
        let path = parts.uri.path();
        let health = matches!(path, "/health" | "/healthcheck" | "/_status" | "/_ping" | DEEP_PING);
        if parts.method == Method::GET && health {
            return Some(running(&self.switches));
        }
        let admin = path.strip_prefix("/messageexchange/admin/").or_else(|| path.strip_prefix("/admin/"));
        let details = || match self.switches.extras {
            switches::Extras::Served => {
                Some(path.strip_prefix("/messageexchange/")?).filter(|rest| rest.starts_with("mailbox/"))
            }
            switches::Extras::Missing => None,
        };
        let path = admin.or_else(details).filter(|_| self.admin && peer.on_loopback)?;
        if parts.headers.contains_key(ORIGIN) {
            return Some(admin::from_a_page());
        }
        let path = match self.switches.reading {
            switches::Reading::OpenApi => Cow::Borrowed(path),
            switches::Reading::Sandbox => sandbox_paths::decoded(path),
        };
        let reply = admin::answer(&self.mailroom, &self.clock, &parts.method, &path, body).await?;
        if self.switches.refusals == switches::Refusals::OpenApi {
            return Some(reply);
        }
        let version = refusals::version(&self.switches, parts);
        Some(admin::as_sandbox(reply, &path, version.unwrap_or(ApiVersion::V1)))
    }
}

pub(super) fn no_operation() -> Reply {
    Reply::empty(StatusCode::NOT_FOUND).noting("no operation of the MESH API")
}
