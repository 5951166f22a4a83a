//! Refusals, with the bodies that the profile gives them.

use http::{StatusCode, header::ACCEPT, request::Parts};

use super::{Ask, Reply, header, list};
use crate::{
    emulator::{
        Refusal, Switches,
        mailroom::Unavailable,
        switches::{Reading, Refusals},
    },
    protocol::{
        ApiVersion, ErrorCode, MeshError, MessageId, TokenRefusal,
        sandbox::{self, Refused, Told},
    },
};

/// The version that a caller asks for. mesh-sandbox reads the first line of the header alone.
pub fn version(switches: &Switches, parts: &Parts) -> Result<ApiVersion, Refused> {
    match switches.reading {
        Reading::OpenApi => Ok(ApiVersion::from_accept(list(parts, &ACCEPT).as_deref())),
        Reading::Sandbox => sandbox::version(header(parts, &ACCEPT)),
    }
}

/// A refusal as mesh-sandbox tells it.
pub fn tell(refused: &Refused, version: ApiVersion) -> Reply {
    let (label, body) = refused.body(version);
    let note = match &refused.told {
        Told::Nothing => "an internal error, as mesh-sandbox calls it".to_owned(),
        Told::Words(words) => (*words).to_owned(),
        Told::Code(_, code, words) => format!("{code} {words}"),
        Told::Flaws(_) => body["detail"].to_string(),
    };
    let reply = Reply::json(refused.status, label, &body).noting(note);
    match &refused.message_id {
        Some(id) => reply.about(id.clone()),
        None => reply,
    }
}

/// The answer to whoever is not let in. A real endpoint does not say why; mesh-sandbox does.
pub fn forbidden(switches: &Switches, version: ApiVersion, refusal: &Refusal) -> Reply {
    if switches.refusals == Refusals::OpenApi {
        return Reply::empty(StatusCode::FORBIDDEN).noting(refusal);
    }
    let told = match refusal {
        Refusal::UnknownMailbox => Refused::code(StatusCode::FORBIDDEN, ErrorCode::NoMailbox),
        Refusal::Token(TokenRefusal::OtherMailbox) => words("Mailbox id does not match token"),
        Refusal::NotOneHeader | Refusal::NoToken | Refusal::Malformed(_) => {
            words("Error reading from Authorization header")
        }
        Refusal::Token(_) | Refusal::Replayed => words("Invalid Authentication Token"),
        Refusal::Disabled | Refusal::OtherCertificate => words("Forbidden"),
    };
    tell(&told, version).noting(refusal)
}

/// The answer to whoever asks for a message that cannot be had.
pub fn unavailable(ask: Ask<'_>, why: Unavailable, id: &MessageId) -> Reply {
    match (ask.switches.refusals, why) {
        (Refusals::Sandbox, Unavailable::Missing) => {
            ask.tell(&Refused::code(StatusCode::NOT_FOUND, ErrorCode::MessageDoesNotExist))
        }
        (Refusals::Sandbox, Unavailable::Gone) => {
            let words = "Message no longer available for download";
            ask.tell(&Refused::new(StatusCode::GONE, Told::Code("SEND", "Message already accepted", words)))
        }
        (Refusals::Sandbox, Unavailable::Foreign) => ask.tell(&words("Forbidden")),
        (_, Unavailable::Missing) => does_not_exist(StatusCode::NOT_FOUND, id, ask.version),
        (_, Unavailable::Gone) => does_not_exist(StatusCode::GONE, id, ask.version),
        (_, Unavailable::Foreign) => {
            Reply::empty(StatusCode::FORBIDDEN).noting("the message is another mailbox's")
        }
    }
}

impl Ask<'_> {
    /// A refusal as mesh-sandbox tells it.
    pub fn tell(self, refused: &Refused) -> Reply {
        tell(refused, self.version)
    }

    /// A status without a body of its own, which mesh-sandbox gives these words.
    pub fn bare(self, status: StatusCode, words: &'static str, note: &str) -> Reply {
        match self.switches.refusals {
            Refusals::OpenApi => Reply::empty(status).noting(note),
            Refusals::Sandbox => self.tell(&Refused::words(status, words)).noting(note),
        }
    }
}

fn does_not_exist(status: StatusCode, id: &MessageId, version: ApiVersion) -> Reply {
    let error = MeshError { code: ErrorCode::MessageDoesNotExist, message_id: Some(id.clone()) };
    Reply::mesh_error(status, version, &error)
}

fn words(words: &'static str) -> Refused {
    Refused::words(StatusCode::FORBIDDEN, words)
}
