//! "Send message".

use http::{StatusCode, header::CONTENT_ENCODING};

use super::{
    Ask, Reply,
    receive::{no_room, receive},
    upload::Upload,
};
use crate::{
    emulator::switches::{OtherEncoding, Reading, Refusals, Unlisted},
    protocol::{
        ErrorCode, MailboxId, MeshError, SendHeaders, SendRefusal, Sent, ValidationError,
        headers::{MEX_FROM, MEX_MESSAGE_TYPE, MEX_TO, MEX_VERSION},
        sandbox::{self, Refused},
    },
};

pub async fn send(ask: Ask<'_>, sender: &MailboxId, body: &mut Upload) -> Reply {
    let read = match ask.switches.reading {
        Reading::OpenApi => SendHeaders::parse(&ask.parts.headers, sender, ask.switches.send)
            .map_err(|refusal| refused(ask, refusal)),
        Reading::Sandbox => sandbox::send_headers(&ask.parts.headers).map_err(|refused| ask.tell(&refused)),
    };
    let headers = match read {
        Ok(headers) => headers,
        Err(reply) => return reply,
    };
    let stored = match receive(ask, body, ask.mailroom.body_writer(headers.encoding)).await {
        Ok(stored) => stored,
        Err(reply) => return reply,
    };
    match ask.mailroom.durably(|mailroom| mailroom.send(sender, headers, stored)).await {
        Ok(Ok(message_id)) => accepted(ask, message_id),
        Ok(Err(error)) => coded(ask, error),
        Err(unstored) => no_room(ask, unstored),
    }
}

pub fn accepted(ask: Ask<'_>, message_id: crate::protocol::MessageId) -> Reply {
    let sent = Sent { message_id };
    Reply::json(StatusCode::ACCEPTED, ask.label(), &sent.body(ask.version)).about(sent.message_id)
}

/// The answer to headers that are refused.
pub fn refused(ask: Ask<'_>, refusal: SendRefusal) -> Reply {
    match refusal {
        SendRefusal::Code(code) => coded(ask, MeshError { code, message_id: None }),
        SendRefusal::Invalid(error) => {
            let of_encoding = error.loc.last().is_some_and(|name| name == CONTENT_ENCODING.as_str());
            let reply = Reply::invalid(&error);
            match ask.switches.other_encoding {
                OtherEncoding::Unprocessable if of_encoding => {
                    Reply { status: StatusCode::UNPROCESSABLE_ENTITY, ..reply }
                }
                _ => reply,
            }
        }
    }
}

pub fn coded(ask: Ask<'_>, error: MeshError) -> Reply {
    let status = status(error.code);
    if status == StatusCode::BAD_REQUEST && ask.switches.unlisted == Unlisted::BadRequest {
        return Reply::invalid(&as_validation(error.code));
    }
    let reply = match ask.switches.refusals {
        Refusals::OpenApi => Reply::mesh_error(status, ask.version, &error),
        Refusals::Sandbox => {
            let told = Refused::code(status, error.code);
            ask.tell(&Refused { message_id: error.message_id.clone(), ..told })
        }
    };
    match error.message_id {
        Some(id) => reply.about(id),
        None => reply,
    }
}

/// To the letter, a 400 has the body of a validation error; codes are for 417 (OpenAPI, responses of
/// "Send message").
fn as_validation(code: ErrorCode) -> ValidationError {
    let header = match code {
        ErrorCode::InvalidFrom => MEX_FROM,
        ErrorCode::MissingTo => MEX_TO,
        ErrorCode::InvalidVersion => MEX_VERSION,
        _ => MEX_MESSAGE_TYPE,
    };
    let name = if code == ErrorCode::MalformedHeaders { "mex-*" } else { header.as_str() };
    ValidationError::new("header", name, format!("{} {}", code.as_str(), code.description()))
}

/// 400 for what is wrong with the call, 417 for what is wrong with the message (OpenAPI, "Send
/// message"; pack case 702; the specification of 2021 for restricted workflows).
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::MalformedHeaders
        | ErrorCode::InvalidFrom
        | ErrorCode::MissingTo
        | ErrorCode::InvalidVersion
        | ErrorCode::InvalidMessageType => StatusCode::BAD_REQUEST,
        _ => StatusCode::EXPECTATION_FAILED,
    }
}
