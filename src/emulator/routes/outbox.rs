//! "Send message".

use std::time::Duration;

use http::{StatusCode, request::Parts};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::Reply;
use crate::{
    emulator::mailroom::{BodyError, BodyWriter, Mailroom, StoredBody},
    protocol::{
        ApiVersion, ErrorCode, MailboxId, MeshError, SendHeaders, SendRefusal, Sent, ValidationError,
    },
};

/// How long a body may stand still.
const STALL: Duration = Duration::from_secs(30);
/// How much of a body is read only to let the client finish.
const DRAINED_BYTES: usize = 100_000_000;

pub async fn send(
    mailroom: &Mailroom,
    sender: &MailboxId,
    parts: &Parts,
    body: &mut Incoming,
    version: ApiVersion,
) -> Reply {
    let headers = match SendHeaders::parse(&parts.headers, sender) {
        Ok(headers) => headers,
        Err(SendRefusal::Invalid(error)) => return Reply::invalid(&error),
        Err(SendRefusal::Code(code)) => {
            return Reply::mesh_error(
                StatusCode::BAD_REQUEST,
                version,
                &MeshError { code, message_id: None },
            );
        }
    };
    let stored = match receive(body, mailroom.body_writer(&headers)).await {
        Ok(stored) => stored,
        Err(error) => return unreceived(error),
    };
    match mailroom.send(sender, headers, stored) {
        Ok(message_id) => Reply::json(StatusCode::ACCEPTED, version, &Sent { message_id }.body(version)),
        Err(error) => Reply::mesh_error(status(error.code), version, &error),
    }
}

/// 417 for what is wrong with the message rather than the call (OpenAPI, "Send message"; pack case 702).
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::UnregisteredTo | ErrorCode::DataFileMissing | ErrorCode::ChunkingNotSupported => {
            StatusCode::EXPECTATION_FAILED
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

enum Unreceived {
    Refused(BodyError),
    Broken(&'static str),
}

async fn receive(body: &mut Incoming, mut writer: BodyWriter) -> Result<StoredBody, Unreceived> {
    loop {
        let frame =
            timeout(STALL, body.frame()).await.map_err(|_| Unreceived::Broken("the body stood still"))?;
        match frame {
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    writer.write(piece).map_err(Unreceived::Refused)?;
                }
            }
            Some(Err(_)) => return Err(Unreceived::Broken("the body broke off")),
            None => return writer.finish().map_err(Unreceived::Refused),
        }
    }
}

/// The OpenAPI names no status for any of these.
fn unreceived(error: Unreceived) -> Reply {
    match error {
        Unreceived::Refused(BodyError::TooLarge) => {
            Reply::empty(StatusCode::PAYLOAD_TOO_LARGE).noting(BodyError::TooLarge)
        }
        Unreceived::Refused(BodyError::Full) => {
            Reply::empty(StatusCode::INSUFFICIENT_STORAGE).noting(BodyError::Full)
        }
        Unreceived::Refused(BodyError::NotGzip) => {
            Reply::invalid(&ValidationError::new("header", "content-encoding", BodyError::NotGzip))
        }
        Unreceived::Broken(why) => Reply::empty(StatusCode::BAD_REQUEST).noting(why),
    }
}

/// Reads what is left of a body, within bounds, and forgets it.
pub async fn drain(mut body: Incoming) {
    let mut drained = 0;
    while drained < DRAINED_BYTES {
        match timeout(STALL, body.frame()).await {
            Ok(Some(Ok(frame))) => drained += frame.data_ref().map_or(0, bytes::Bytes::len),
            _ => break,
        }
    }
}
