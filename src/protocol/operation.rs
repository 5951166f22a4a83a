//! Which operation of the API a request calls.

use std::num::NonZeroU32;

use http::Method;
use thiserror::Error;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{LocalId, MailboxId, MessageId, OdsCode, WorkflowId};

/// What a path segment carries as it is; the rest of a free text is percent-encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// An operation, with what its path says. Named as in the OpenAPI's summaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `POST /messageexchange/{mailbox}`, or GET, which the OpenAPI's own example uses.
    Handshake(MailboxId),
    /// `GET /messageexchange/{mailbox}/inbox`
    CheckInbox(MailboxId),
    /// `GET /messageexchange/{mailbox}/inbox/{message}`
    GetMessage(MailboxId, MessageId),
    /// `HEAD /messageexchange/{mailbox}/inbox/{message}`
    HeadMessage(MailboxId, MessageId),
    /// `GET /messageexchange/{mailbox}/inbox/{message}/{chunk}`
    GetChunk(MailboxId, MessageId, NonZeroU32),
    /// `PUT /messageexchange/{mailbox}/inbox/{message}/status/acknowledged`
    Acknowledge(MailboxId, MessageId),
    /// `GET /messageexchange/{mailbox}/count`
    CountMessages(MailboxId),
    /// `POST /messageexchange/{mailbox}/outbox`
    SendMessage(MailboxId),
    /// `POST /messageexchange/{mailbox}/outbox/{message}/{chunk}`
    SendChunk(MailboxId, MessageId, NonZeroU32),
    /// `GET /messageexchange/{mailbox}/outbox/tracking?messageID=`
    TrackMessage(MailboxId),
    /// `GET /messageexchange/{mailbox}/outbox/tracking/{local_id}`
    TrackLocalId(MailboxId, LocalId),
    /// `GET /messageexchange/endpointlookup/{ods_code}/{workflow}`
    LookUpEndpoint(OdsCode, WorkflowId),
    /// `GET /messageexchange/workflowsearch/{workflow}`
    SearchWorkflow(WorkflowId),
    /// `GET /messageexchange/_ping`: no mailbox, no token; is anybody there?
    Ping,
}

/// Why a request calls no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathError {
    /// Method and path are none of the API's.
    #[error("no operation of the MESH API")]
    NoOperation,
    /// They are, but for this path parameter, named as in the OpenAPI.
    #[error("{0} is malformed")]
    Part(&'static str),
}

/// The path of a request's target, without the query. A target may be a whole URL (RFC 9112 §3.2.2): every server must
/// take that, and some clients of proxies send it.
#[must_use]
pub fn path_of(target: &str) -> &str {
    let target = target.split('?').next().unwrap_or_default();
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(scheme)));
    let Some(rest) = scheme.map(|scheme| &target[scheme.len()..]) else { return target };
    rest.find('/').map_or("/", |path| &rest[path..])
}

impl Operation {
    /// Finds the operation that a request line calls, whose target may have a query or be a whole URL; `None` when it
    /// calls none.
    #[must_use]
    pub fn called(method: &str, target: &str) -> Option<Self> {
        Self::of(&Method::from_bytes(method.as_bytes()).ok()?, path_of(target))
    }

    /// Finds the operation; `None` when method and path are none of the API's.
    ///
    /// `path` is the path as it stands in the request line, without query. Mailbox and message IDs
    /// need no percent-encoding, so none is undone there; local IDs, workflow IDs and ODS codes are
    /// free text, and it is.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        Self::read(method, path).ok()
    }

    /// Finds the operation, or says whether the path is none of the API's or only a part of it is
    /// not what it must be.
    ///
    /// # Errors
    /// [`PathError`].
    pub fn read(method: &Method, path: &str) -> Result<Self, PathError> {
        let rest = path.strip_prefix("/messageexchange/").ok_or(PathError::NoOperation)?;
        // No operation has more.
        let mut segments = [""; 5];
        let mut count = 0;
        for segment in rest.split('/') {
            *segments.get_mut(count).ok_or(PathError::NoOperation)? = segment;
            count += 1;
        }
        let part = |place: usize| segments[place];
        let mailbox = || MailboxId::parse(part(0)).map_err(|_| PathError::Part("mailbox_id"));
        let message = || MessageId::parse(part(2)).map_err(|_| PathError::Part("message_id"));
        let chunk = || chunk_number(part(3)).ok_or(PathError::Part("chunk_number"));
        let operation = match (method.as_str(), &segments[1..count]) {
            ("GET", []) if segments[0] == "_ping" => Self::Ping,
            ("GET", [ods_code, workflow]) if segments[0] == "endpointlookup" => Self::LookUpEndpoint(
                free(ods_code, "ods_code", OdsCode::parse)?,
                free(workflow, "workflow_id", WorkflowId::parse)?,
            ),
            ("GET", [workflow]) if segments[0] == "workflowsearch" => {
                Self::SearchWorkflow(free(workflow, "workflow_id", WorkflowId::parse)?)
            }
            ("GET", ["outbox", "tracking"]) => Self::TrackMessage(mailbox()?),
            ("GET", ["outbox", "tracking", local_id]) => {
                Self::TrackLocalId(mailbox()?, free(local_id, "local_id", LocalId::parse)?)
            }
            ("POST" | "GET", []) => Self::Handshake(mailbox()?),
            ("GET", ["inbox"]) => Self::CheckInbox(mailbox()?),
            ("GET", ["count"]) => Self::CountMessages(mailbox()?),
            ("GET", ["inbox", _]) => Self::GetMessage(mailbox()?, message()?),
            ("HEAD", ["inbox", _]) => Self::HeadMessage(mailbox()?, message()?),
            ("GET", ["inbox", _, _]) => Self::GetChunk(mailbox()?, message()?, chunk()?),
            ("PUT", ["inbox", _, "status", "acknowledged"]) => Self::Acknowledge(mailbox()?, message()?),
            ("POST", ["outbox"]) => Self::SendMessage(mailbox()?),
            ("POST", ["outbox", _, _]) => Self::SendChunk(mailbox()?, message()?, chunk()?),
            _ => return Err(PathError::NoOperation),
        };
        Ok(operation)
    }

    /// The operation of a path with malformed parts, with `1` in the place of each of them, and the names of those;
    /// `None` when method and path are none of the API's whatever the parts are.
    #[must_use]
    pub fn meant(method: &Method, path: &str) -> Option<(Self, Vec<&'static str>)> {
        let mut segments: Vec<&str> = path.split('/').collect();
        let mut malformed = Vec::new();
        loop {
            let name = match Self::read(method, &segments.join("/")) {
                Ok(operation) => return Some((operation, malformed)),
                Err(PathError::Part(name)) if !malformed.contains(&name) => name,
                Err(_) => return None,
            };
            // Behind the empty one and `messageexchange`.
            let place = match name {
                "mailbox_id" => 2,
                "ods_code" => 3,
                "message_id" => 4,
                "workflow_id" => segments.len() - 1,
                _ => 5,
            };
            *segments.get_mut(place)? = "1";
            malformed.push(name);
        }
    }

    /// The mailbox whose token the call needs; `None` for calls without one.
    #[must_use]
    pub fn mailbox(&self) -> Option<&MailboxId> {
        match self {
            Self::Handshake(mailbox)
            | Self::CheckInbox(mailbox)
            | Self::GetMessage(mailbox, _)
            | Self::HeadMessage(mailbox, _)
            | Self::GetChunk(mailbox, _, _)
            | Self::Acknowledge(mailbox, _)
            | Self::CountMessages(mailbox)
            | Self::SendMessage(mailbox)
            | Self::SendChunk(mailbox, _, _)
            | Self::TrackMessage(mailbox)
            | Self::TrackLocalId(mailbox, _) => Some(mailbox),
            Self::LookUpEndpoint(..) | Self::SearchWorkflow(_) | Self::Ping => None,
        }
    }

    /// The message that the path names.
    #[must_use]
    pub fn message(&self) -> Option<&MessageId> {
        match self {
            Self::GetMessage(_, message)
            | Self::HeadMessage(_, message)
            | Self::GetChunk(_, message, _)
            | Self::Acknowledge(_, message)
            | Self::SendChunk(_, message, _) => Some(message),
            _ => None,
        }
    }

    /// The request line's method and path.
    #[must_use]
    pub fn request(&self) -> (Method, String) {
        let of = |mailbox: &MailboxId, rest: String| format!("/messageexchange/{mailbox}{rest}");
        let free = |text| utf8_percent_encode(text, ENCODED);
        match self {
            Self::Handshake(mailbox) => (Method::POST, of(mailbox, String::new())),
            Self::CheckInbox(mailbox) => (Method::GET, of(mailbox, "/inbox".to_owned())),
            Self::GetMessage(mailbox, id) => (Method::GET, of(mailbox, format!("/inbox/{id}"))),
            Self::HeadMessage(mailbox, id) => (Method::HEAD, of(mailbox, format!("/inbox/{id}"))),
            Self::GetChunk(mailbox, id, chunk) => (Method::GET, of(mailbox, format!("/inbox/{id}/{chunk}"))),
            Self::Acknowledge(mailbox, id) => {
                (Method::PUT, of(mailbox, format!("/inbox/{id}/status/acknowledged")))
            }
            Self::CountMessages(mailbox) => (Method::GET, of(mailbox, "/count".to_owned())),
            Self::SendMessage(mailbox) => (Method::POST, of(mailbox, "/outbox".to_owned())),
            Self::SendChunk(mailbox, id, chunk) => {
                (Method::POST, of(mailbox, format!("/outbox/{id}/{chunk}")))
            }
            Self::TrackMessage(mailbox) => (Method::GET, of(mailbox, "/outbox/tracking".to_owned())),
            Self::TrackLocalId(mailbox, local_id) => {
                (Method::GET, of(mailbox, format!("/outbox/tracking/{}", free(local_id.as_str()))))
            }
            Self::LookUpEndpoint(ods_code, workflow) => {
                let (ods_code, workflow) = (free(ods_code.as_str()), free(workflow.as_str()));
                (Method::GET, format!("/messageexchange/endpointlookup/{ods_code}/{workflow}"))
            }
            Self::SearchWorkflow(workflow) => {
                (Method::GET, format!("/messageexchange/workflowsearch/{}", free(workflow.as_str())))
            }
            Self::Ping => (Method::GET, "/messageexchange/_ping".to_owned()),
        }
    }

    /// A name for people, in MESH's words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Handshake(_) => "handshake",
            Self::CheckInbox(_) => "check inbox",
            Self::GetMessage(..) => "download message",
            Self::HeadMessage(..) => "head message",
            Self::GetChunk(..) => "download chunk",
            Self::Acknowledge(..) => "acknowledge message",
            Self::CountMessages(_) => "count messages",
            Self::SendMessage(_) => "send message",
            Self::SendChunk(..) => "send chunk",
            Self::TrackMessage(_) => "track message",
            Self::TrackLocalId(..) => "track local ID",
            Self::LookUpEndpoint(..) => "look up endpoint",
            Self::SearchWorkflow(_) => "search workflow",
            Self::Ping => "ping",
        }
    }
}

/// Digits only, no leading zero: Rust would read `+2` and `02` as well, and one chunk would have many paths.
fn chunk_number(text: &str) -> Option<NonZeroU32> {
    text.parse().ok().filter(|_| text.starts_with(|first| matches!(first, '1'..='9')))
}

/// A path parameter that is free text, percent-encoded.
fn free<T, E>(text: &str, name: &'static str, parse: fn(&str) -> Result<T, E>) -> Result<T, PathError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| PathError::Part(name))?;
    parse(&text).map_err(|_| PathError::Part(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_operation_is_found_again_by_its_own_request_line() {
        let mailbox = MailboxId::parse("X26HC005").unwrap();
        let message = MessageId::parse("20200529155357895317_3573F8").unwrap();
        let workflow = WorkflowId::parse("A WORKFLOW/1").unwrap();
        let two = NonZeroU32::new(2).unwrap();
        for operation in [
            Operation::Handshake(mailbox.clone()),
            Operation::CheckInbox(mailbox.clone()),
            Operation::GetMessage(mailbox.clone(), message.clone()),
            Operation::HeadMessage(mailbox.clone(), message.clone()),
            Operation::GetChunk(mailbox.clone(), message.clone(), two),
            Operation::Acknowledge(mailbox.clone(), message.clone()),
            Operation::CountMessages(mailbox.clone()),
            Operation::SendMessage(mailbox.clone()),
            Operation::SendChunk(mailbox.clone(), message, two),
            Operation::TrackMessage(mailbox.clone()),
            Operation::TrackLocalId(mailbox, LocalId::parse("a/b c?d%").unwrap()),
            Operation::LookUpEndpoint(OdsCode::parse("X26").unwrap(), workflow.clone()),
            Operation::SearchWorkflow(workflow),
            Operation::Ping,
        ] {
            let (method, path) = operation.request();
            assert_eq!(Operation::of(&method, &path), Some(operation));
        }
    }

    #[test]
    fn a_target_may_be_a_whole_url() {
        for (target, path) in [
            ("/messageexchange/A/inbox?x=http://b/c", "/messageexchange/A/inbox"),
            ("https://user@mesh.example:443/messageexchange/A/inbox?x", "/messageexchange/A/inbox"),
            ("HTTP://mesh.example/messageexchange/A", "/messageexchange/A"),
            ("http://mesh.example", "/"),
            ("*", "*"),
            ("mesh.example:443", "mesh.example:443"),
        ] {
            assert_eq!(path_of(target), path);
        }
    }

    #[test]
    fn a_request_line_calls_an_operation_with_a_query_and_as_a_url() {
        for target in
            ["/messageexchange/A/inbox?max_results=1", "https://mesh.example/messageexchange/A/inbox"]
        {
            assert!(matches!(Operation::called("GET", target), Some(Operation::CheckInbox(_))), "{target}");
        }
        for (method, target) in [("get", "/messageexchange/A/inbox"), ("G T", "/messageexchange/A"), ("", "")]
        {
            assert_eq!(Operation::called(method, target), None, "{method} {target}");
        }
    }

    #[test]
    fn a_handshake_may_be_a_get() {
        assert!(matches!(
            Operation::of(&Method::GET, "/messageexchange/X26HC005"),
            Some(Operation::Handshake(_))
        ));
    }

    #[test]
    fn what_is_not_in_the_api_is_no_operation() {
        for (method, path) in [
            (Method::GET, "/"),
            (Method::GET, "/messageexchange"),
            (Method::GET, "/messageexchange/"),
            (Method::GET, "/messageexchange/x26hc005/inbox"),
            (Method::DELETE, "/messageexchange/X26HC005"),
            (Method::GET, "/messageexchange/X26HC005/inbox/"),
            (Method::GET, "/messageexchange/X26HC005/inbox/A/0"),
            // Found by the fuzz target `request_path`.
            (Method::GET, "/messageexchange/X26HC005/inbox/A/+2"),
            (Method::GET, "/messageexchange/X26HC005/inbox/A/02"),
            (Method::PUT, "/messageexchange/X26HC005/inbox/A/status/read"),
            (Method::GET, "/messageexchange/X26HC005/inbox/A%2FB"),
            (Method::GET, "/messageexchange/X26HC005/outbox/tracking/%0A"),
            (Method::GET, "/messageexchange/endpointlookup/X26"),
            (Method::GET, "/messageexchange/workflowsearch/"),
        ] {
            assert_eq!(Operation::of(&method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn a_malformed_part_is_told_from_a_path_that_is_none() {
        let read = |method, path| Operation::read(&method, path).unwrap_err();
        assert_eq!(read(Method::GET, "/messageexchange/A/inbox/%26"), PathError::Part("message_id"));
        assert_eq!(read(Method::GET, "/messageexchange/A/inbox/B/0"), PathError::Part("chunk_number"));
        assert_eq!(read(Method::GET, "/messageexchange/a/inbox"), PathError::Part("mailbox_id"));
        assert_eq!(read(Method::GET, "/messageexchange/workflowsearch/%FF"), PathError::Part("workflow_id"));
        assert_eq!(read(Method::GET, "/messageexchange/A/nonsense"), PathError::NoOperation);
    }

    proptest! {
        #[test]
        fn no_path_stops_the_parser(path in "\\PC{0,100}") {
            let _ = Operation::of(&Method::GET, &path);
            let _ = Operation::of(&Method::POST, &format!("/messageexchange/{path}"));
        }
    }
}
