//! Whether an endpoint answers as MESH does, where the endpoint is what is under test. Judged on single
//! exchanges; what is expected comes from the scenario.

mod shape;

use serde_json::Value;

use super::{Fault, FaultKind};
use crate::{
    protocol::{ApiVersion, Operation},
    tape::{Exchange, FailureKind, Sha256, printable},
};

pub use shape::Shape;

/// Longest part of a body that is quoted, in characters.
const QUOTED: usize = 300;

/// Which message ID an error must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// This one.
    This(&'a str),
    /// Any.
    Any,
    /// None.
    None,
    /// Sources disagree.
    Either,
}

/// The answer is not as it must be.
#[must_use]
pub fn wrong(exchange: &Exchange, what: &str, expected: impl Into<String>, seen: impl Into<String>) -> Fault {
    let remedy = "Compare the exchange with the source. If the endpoint is yours, mend it; if not, give the exchange and its time to whoever runs it.";
    Fault::new(FaultKind::EndpointUnderTest, format!("{}: {what}", called(exchange)), remedy)
        .comparing(expected, seen)
        .from_source(source(exchange))
}

/// The answer has this status.
///
/// # Errors
/// When it has another; so for every judgement here.
pub fn status(exchange: &Exchange, expected: u16) -> Result<(), Fault> {
    match exchange.status() {
        Some(seen) if seen == expected => Ok(()),
        _ => Err(wrong(exchange, "the status is another", expected.to_string(), answer(exchange))),
    }
}

/// The answer has a body of this shape, and the media type of JSON, of the version where the body has one.
///
/// # Errors
/// What is wrong with it.
pub fn shape(exchange: &Exchange, name: &str) -> Result<Value, Fault> {
    let Some(shape) = Shape::named(name) else {
        let remedy = "Name a shape as the built-in scenarios do, such as \"inbox v2\".";
        return Err(Fault::new(FaultKind::Configuration, format!("there is no shape {name:?}"), remedy));
    };
    let value = json(exchange)?;
    match shape.check(&value) {
        Ok(()) => Ok(value),
        Err(complaints) => {
            let seen = format!("{}: {}", complaints.join("; "), quoted(exchange));
            Err(wrong(exchange, &format!("the body is not as {name} has it"), shape.in_words(), seen))
        }
    }
}

/// The answer's body is of the media type of the version that was asked for. An answer of v1 is
/// `application/json` or names the version; unless `exact`, an answer of v2 may be the former as well.
///
/// # Errors
/// When it is another.
pub fn media_type(exchange: &Exchange, exact: bool) -> Result<(), Fault> {
    let version = ApiVersion::from_accept(exchange.request.head.header("accept"));
    let right: &[&str] = match version {
        ApiVersion::V1 => &["application/json", "application/vnd.mesh.v1+json"],
        ApiVersion::V2 if exact => &["application/vnd.mesh.v2+json"],
        ApiVersion::V2 => &["application/vnd.mesh.v2+json", "application/json"],
    };
    let seen = header(exchange, "content-type").unwrap_or("nothing");
    let essence = seen.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if right.contains(&essence.as_str()) {
        return Ok(());
    }
    Err(wrong(exchange, "the media type is another", right.join(" or "), seen))
}

/// An error of MESH: status, code, and which message it names, in the shape of the version asked for.
///
/// # Errors
/// What is wrong with it.
pub fn error(exchange: &Exchange, expected: u16, code: &str, named: Named<'_>) -> Result<(), Fault> {
    status(exchange, expected)?;
    let said = says(exchange, code, named);
    // What the OpenAPI gives no body is no fault by the OpenAPI.
    said.map_err(|fault| if matches!(expected, 404 | 410) { fault.from_source(BODILESS) } else { fault })
}

/// Where it is known from that a refusal of a download says why.
const BODILESS: &str =
    "As integration was seen to answer, and mesh-sandbox does; the OpenAPI gives this status no body";

/// The body is an error of MESH in the shape of the version asked for, with this code.
fn says(exchange: &Exchange, code: &str, named: Named<'_>) -> Result<(), Fault> {
    let version = ApiVersion::from_accept(exchange.request.head.header("accept"));
    let (name, code_at, id_at) = match version {
        ApiVersion::V1 => ("error v1", "/errorCode", "/messageID"),
        ApiVersion::V2 => ("error v2", "/detail/0/code", "/message_id"),
    };
    let body = shape(exchange, name)?;
    let seen = body.pointer(code_at).and_then(Value::as_str).unwrap_or_default();
    if seen != code {
        return Err(wrong(exchange, "the error code is another", code, quoted(exchange)));
    }
    let id = body.pointer(id_at).and_then(Value::as_str).filter(|id| !id.is_empty());
    let (right, expected) = match named {
        Named::Either => (true, String::new()),
        Named::None => (id.is_none(), "no message ID".to_owned()),
        Named::Any => (id.is_some(), "a message ID".to_owned()),
        Named::This(this) => (id == Some(this), format!("the message ID {this}")),
    };
    if right {
        Ok(())
    } else {
        Err(wrong(exchange, "the error names the wrong message", expected, quoted(exchange)))
    }
}

/// A validation error of a part of the request: `header`, `query` or `path`, and its name in lower case;
/// where what the endpoint calls it is known.
///
/// # Errors
/// What is wrong with it.
pub fn validation(exchange: &Exchange, part: Option<(&str, &str)>) -> Result<(), Fault> {
    status(exchange, 400)?;
    let body = shape(exchange, "validation error")?;
    let Some((place, name)) = part else { return Ok(()) };
    let texts = body.pointer("/detail/0/loc").and_then(Value::as_array).into_iter().flatten();
    let loc: Vec<&str> = texts.filter_map(Value::as_str).collect();
    if loc == [place, name] {
        return Ok(());
    }
    Err(wrong(exchange, "the error is about another part", format!("{place} {name}"), quoted(exchange)))
}

/// The answer has no body.
///
/// # Errors
/// When it has one.
pub fn no_body(exchange: &Exchange) -> Result<(), Fault> {
    match exchange.response.as_ref().map(|response| response.body.size) {
        Some(0) => Ok(()),
        _ => Err(wrong(exchange, "the answer has a body", "no body", quoted(exchange))),
    }
}

/// The header has this value; `None` for no such header.
///
/// # Errors
/// When it has another.
pub fn header_is(exchange: &Exchange, name: &str, expected: Option<&str>) -> Result<(), Fault> {
    let seen = header(exchange, name);
    if seen == expected {
        return Ok(());
    }
    let shown =
        |value: Option<&str>| value.map_or_else(|| format!("no {name}"), |value| format!("{name}: {value}"));
    Err(wrong(exchange, &format!("the header {name} is not as it must be"), shown(expected), shown(seen)))
}

/// The header is there and not empty.
///
/// # Errors
/// When it is not.
pub fn has_header(exchange: &Exchange, name: &str) -> Result<(), Fault> {
    match header(exchange, name) {
        Some(value) if !value.is_empty() => Ok(()),
        _ => Err(wrong(exchange, &format!("the header {name} is missing"), name, format!("no {name}"))),
    }
}

/// A field of the body, by JSON pointer, has this text, number or truth value; `nothing` for no such
/// field, or `null`.
///
/// # Errors
/// When it has another.
pub fn field_is(exchange: &Exchange, pointer: &str, expected: &str) -> Result<(), Fault> {
    let body = json(exchange)?;
    let seen = match body.pointer(pointer) {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if seen == expected {
        return Ok(());
    }
    let shown = |value: &str| {
        format!("{pointer} {}", printable(value.chars().take(QUOTED).collect::<String>().as_bytes()))
    };
    Err(wrong(exchange, &format!("{pointer} is another"), shown(expected), shown(&seen)))
}

/// The content of the answer, decoded where it is compressed, is this.
///
/// # Errors
/// When it is not, or cannot be decoded.
pub fn content_is(exchange: &Exchange, expected: Sha256) -> Result<(), Fault> {
    let body = exchange.response.as_ref().map(|response| &response.body);
    let seen = body.and_then(|body| body.content_sha256());
    if seen == Some(expected) {
        return Ok(());
    }
    let size = body.map(|body| body.size).unwrap_or_default();
    let seen = seen
        .map_or("a body that cannot be decoded".to_owned(), |seen| format!("SHA-256 {seen}, {size} bytes"));
    Err(wrong(exchange, "the content is not what was sent", format!("SHA-256 {expected}"), seen))
}

/// The message IDs of an inbox page.
///
/// # Errors
/// When it is none.
pub fn listed(exchange: &Exchange) -> Result<Vec<String>, Fault> {
    status(exchange, 200)?;
    let body = json(exchange)?;
    let Some(messages) = body.pointer("/messages").and_then(Value::as_array) else {
        return Err(wrong(exchange, "the answer lists no messages", "messages", quoted(exchange)));
    };
    Ok(messages.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Where the next page is.
///
/// # Errors
/// When the answer does not say.
pub fn next_link(exchange: &Exchange) -> Result<String, Fault> {
    let body = json(exchange)?;
    let link = body.pointer("/links/next").and_then(Value::as_str).map(str::to_owned);
    link.ok_or_else(|| {
        wrong(exchange, "the page does not say where the next one is", "links.next", quoted(exchange))
    })
}

/// A link is a path of this mailbox's inbox.
///
/// # Errors
/// When it leads elsewhere.
pub fn leads_to(exchange: &Exchange, link: &str, path: &str) -> Result<(), Fault> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '{' | '}');
    if link.split('?').next() == Some(path) && !link.contains(odd) {
        return Ok(());
    }
    Err(wrong(
        exchange,
        "links.next does not lead to the inbox",
        format!("{path}?…"),
        printable(link.as_bytes()),
    ))
}

/// A send was accepted, and nobody can tell which message it is.
#[must_use]
pub fn without_id(exchange: &Exchange) -> Fault {
    wrong(exchange, "the message was accepted without a message ID", "a message ID", quoted(exchange))
}

/// Whether TLS refused the client for its certificate.
#[must_use]
pub fn tls_refused(exchange: &Exchange) -> bool {
    exchange.failure.as_ref().is_some_and(|failure| {
        matches!(
            failure.kind,
            FailureKind::ClientCertificateRequired | FailureKind::ClientCertificateRefused | FailureKind::Tls
        )
    })
}

/// The connection was refused for the client's certificate, by TLS, or by 400 as on HSCN.
///
/// # Errors
/// When it was let in.
pub fn certificate_refused(exchange: &Exchange) -> Result<(), Fault> {
    if tls_refused(exchange) || exchange.status() == Some(400) {
        return Ok(());
    }
    Err(wrong(exchange, "the client certificate makes no difference", "refused by TLS", answer(exchange)))
}

/// The old version of TLS was refused.
///
/// # Errors
/// When it was agreed to.
pub fn old_tls_refused(exchange: &Exchange) -> Result<(), Fault> {
    match &exchange.tls {
        None => Ok(()),
        Some(tls) => Err(Fault {
            source: Some("Spine, supported TLS versions; RFC 8996".to_owned()),
            ..wrong(
                exchange,
                "an old version of TLS is agreed to",
                "an alert",
                format!("a ServerHello: {}", tls.version),
            )
        }),
    }
}

/// A header of the answer.
#[must_use]
pub fn header<'a>(exchange: &'a Exchange, name: &str) -> Option<&'a str> {
    exchange.response.as_ref().and_then(|response| response.head.header(name))
}

fn json(exchange: &Exchange) -> Result<Value, Fault> {
    let body =
        exchange.response.as_ref().and_then(|response| response.body.kept.as_deref()).unwrap_or_default();
    serde_json::from_slice(body).map_err(|error| {
        wrong(exchange, "the body is not JSON", "JSON", format!("{}: {error}", quoted(exchange)))
    })
}

fn answer(exchange: &Exchange) -> String {
    match (&exchange.response, &exchange.failure) {
        (Some(response), _) => format!("{} {}", response.head.line(), quoted(exchange)).trim().to_owned(),
        (None, Some(failure)) => failure.to_string(),
        (None, None) => "no answer".to_owned(),
    }
}

/// The body, as far as it fits in a line.
fn quoted(exchange: &Exchange) -> String {
    let text = exchange.response.as_ref().and_then(|response| response.body.text());
    match text {
        Some(text) => text.chars().take(QUOTED).collect::<String>().replace('\n', " "),
        None => String::new(),
    }
}

fn called(exchange: &Exchange) -> String {
    match &exchange.operation {
        Some(operation) => operation.name().to_owned(),
        None => format!("{} {}", exchange.request.head.method, exchange.request.head.target),
    }
}

/// The operation of the OpenAPI, and what refuses a call before any.
fn source(exchange: &Exchange) -> &'static str {
    match &exchange.operation {
        _ if exchange.status() == Some(403) => "OpenAPI: MESH Authorization header",
        Some(Operation::Handshake(_)) => "OpenAPI: Validate a mailbox (Handshake)",
        Some(Operation::CheckInbox(_)) => "OpenAPI: Check an inbox",
        Some(Operation::GetMessage(..)) => "OpenAPI: Get Message",
        Some(Operation::HeadMessage(..)) => "OpenAPI: Head Message",
        Some(Operation::GetChunk(..)) => "OpenAPI: Get Message chunk",
        Some(Operation::Acknowledge(..)) => "OpenAPI: Acknowledge message",
        Some(Operation::CountMessages(_)) => "OpenAPI: Check an inbox count (deprecated)",
        Some(Operation::SendMessage(_)) => "OpenAPI: Send message",
        Some(Operation::SendChunk(..)) => "OpenAPI: Send chunked message",
        Some(Operation::TrackMessage(_)) => "OpenAPI: Track outbox",
        Some(Operation::TrackLocalId(..)) => "OpenAPI: Track outbox (deprecated)",
        Some(Operation::LookUpEndpoint(..)) => "OpenAPI: Look up MESH address",
        Some(Operation::SearchWorkflow(_)) => "OpenAPI: Lookup by workflow",
        Some(Operation::Ping) | None => "OpenAPI",
    }
}
