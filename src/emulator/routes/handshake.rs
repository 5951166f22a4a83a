//! "Validate a mailbox (Handshake)".

use http::{Method, StatusCode, header::ALLOW};
use serde_json::json;

use super::{Ask, Reply};
use crate::{
    emulator::switches::{HandshakeBody, HandshakeMethods, Reading},
    protocol::{
        ApiVersion, MailboxId, ValidationError,
        headers::{MEX_CLIENT_VERSION, MEX_OS_NAME, MEX_OS_VERSION},
        sandbox,
    },
};

/// 200, if the client says what it is (OpenAPI, required headers of the operation).
pub fn validate(ask: Ask<'_>, mailbox: &MailboxId) -> Reply {
    if ask.parts.method == Method::GET && ask.switches.handshake_methods == HandshakeMethods::Post {
        let reply = Reply::empty(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW, "POST");
        return reply.noting("a handshake is a POST");
    }
    let needed = [MEX_CLIENT_VERSION, MEX_OS_NAME, MEX_OS_VERSION];
    if ask.switches.reading == Reading::Sandbox
        && let Err(refused) = sandbox::handshake(&ask.parts.headers, &needed)
    {
        return ask.tell(&refused);
    }
    for name in needed {
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
