//! Whether the endpoint answered as an operation has it.

use std::sync::Arc;

use super::{Fault, FaultKind, diagnose, diagnosis::is_markup};
use crate::{
    protocol::{ApiVersion, Listed, MessageId, Sent},
    tape::{Decoded, Exchange},
};

/// The handshake was accepted: 200.
///
/// # Errors
/// Why not, and whose fault that is.
pub fn handshake_accepted(exchange: &Exchange, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    status(exchange, 200, "OpenAPI: Validate a mailbox (Handshake)", tape)
}

/// The message was accepted: 202 with a message ID.
///
/// # Errors
/// Why not, and whose fault that is.
pub fn message_accepted(exchange: &Exchange, tape: &[Arc<Exchange>]) -> Result<MessageId, Fault> {
    const SOURCE: &str = "OpenAPI: Send message";
    status(exchange, 202, SOURCE, tape)?;
    let version = ApiVersion::from_accept(exchange.request.head.header("accept"));
    let sent = Sent::read(body(exchange), version)
        .map_err(|why| unreadable(exchange, "an accepted send", &why, SOURCE))?;
    Ok(sent.message_id)
}

/// The inbox was listed: 200 with a list of messages.
///
/// # Errors
/// Why not, and whose fault that is.
pub fn inbox_listed(exchange: &Exchange, tape: &[Arc<Exchange>]) -> Result<Listed, Fault> {
    const SOURCE: &str = "OpenAPI: Check an inbox";
    status(exchange, 200, SOURCE, tape)?;
    Listed::read(body(exchange)).map_err(|why| unreadable(exchange, "an inbox check", &why, SOURCE))
}

/// The message was downloaded whole: 200, and a body that can be decoded.
///
/// # Errors
/// Why not, and whose fault that is.
pub fn downloaded(exchange: &Exchange, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    const SOURCE: &str = "OpenAPI: Get Message";
    status(exchange, 200, SOURCE, tape)?;
    match &exchange.response {
        Some(response) if response.body.decoded == Some(Decoded::Broken) => {
            Err(unreadable(exchange, "a download", "says that it is gzip and is not", SOURCE))
        }
        _ => Ok(()),
    }
}

/// The acknowledgement was accepted: 200.
///
/// # Errors
/// Why not, and whose fault that is.
pub fn acknowledged(exchange: &Exchange, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    status(exchange, 200, "OpenAPI: Acknowledge message", tape)
}

fn status(exchange: &Exchange, expected: u16, source: &str, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    if exchange.failure.is_none() && exchange.status() == Some(expected) && !is_markup(exchange) {
        return Ok(());
    }
    Err(diagnose(exchange, &expected.to_string(), source, tape))
}

fn body(exchange: &Exchange) -> &[u8] {
    exchange.response.as_ref().and_then(|response| response.body.kept.as_deref()).unwrap_or_default()
}

fn unreadable(exchange: &Exchange, what: &str, why: &str, source: &str) -> Fault {
    Fault::new(
        FaultKind::Endpoint,
        format!("the endpoint at {} answered {what} with a body that {why}", exchange.origin),
        "Check endpoint.url, and whether something in between changes answers; otherwise tell whoever runs the endpoint.",
    )
    .from_source(source)
}
