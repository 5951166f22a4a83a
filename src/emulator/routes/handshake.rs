//! "Validate a mailbox".

use http::{Method, StatusCode, header::ALLOW};
use serde_json::json;

use super::{Ask, Reply};
use crate::{
    emulator::switches::{HandshakeBody, HandshakeMethods},
    protocol::{
        ApiVersion, MailboxId, ValidationError,
        headers::{MEX_CLIENT_VERSION, MEX_OS_NAME, MEX_OS_VERSION},
    },
};

/// 200, if the client says what it is (OpenAPI, required headers of the operation).
pub fn validate(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    if ask.parts.method == Method::GET && ask.switches.handshake_methods == HandshakeMethods::Post {
        let reply = Reply::empty(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW, "POST");
        return reply.noting("a handshake is a POST");
    }
    for name in [MEX_CLIENT_VERSION, MEX_OS_NAME, MEX_OS_VERSION] {
        if !ask.parts.headers.contains_key(&name) {
            return Reply::invalid(&ValidationError::missing("header", name.as_str()));
        }
    }
    match (ask.version, ask.switches.handshake_body) {
        (ApiVersion::V1, HandshakeBody::MailboxId) => {
            Reply::json(StatusCode::OK, ask.version, &json!({ "mailboxId": mailbox.as_str() }))
        }
        _ => Reply::empty(StatusCode::OK),
    }
}
