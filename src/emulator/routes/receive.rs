//! Bodies on their way in, within bounds of size and time.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{Ask, Reply};
use crate::{
    emulator::mailroom::{BodyError, BodyWriter, StoredBody},
    protocol::ValidationError,
};

/// How long a body may stand still.
const STALL: Duration = Duration::from_secs(30);
/// How much of a body is read only to let the client finish.
const DRAINED_BYTES: usize = 100_000_000;
/// How long the body of an admin call may be.
const SMALL_BYTES: usize = 64 * 1024;

/// Takes a body in, or says what to answer instead. The OpenAPI names no status for any of these.
pub async fn receive(ask: Ask<'_>, body: &mut Incoming, mut writer: BodyWriter) -> Result<StoredBody, Reply> {
    loop {
        match frame(body).await {
            Ok(Some(piece)) => writer.write(piece).map_err(|error| refusal(ask, error))?,
            Ok(None) => return writer.finish().map_err(|error| refusal(ask, error)),
            Err(why) => return Err(Reply::empty(StatusCode::BAD_REQUEST).noting(why)),
        }
    }
}

/// The whole of a small body.
pub async fn small(body: &mut Incoming) -> Result<Vec<u8>, &'static str> {
    let mut whole = Vec::new();
    while let Some(piece) = frame(body).await? {
        whole.extend_from_slice(&piece);
        if whole.len() > SMALL_BYTES {
            return Err("the body is longer than 64 KiB");
        }
    }
    Ok(whole)
}

/// Reads what is left of a body, within bounds, and forgets it.
pub async fn drain(mut body: Incoming) {
    let mut drained = 0;
    while drained < DRAINED_BYTES {
        match frame(&mut body).await {
            Ok(Some(piece)) => drained += piece.len(),
            _ => break,
        }
    }
}

/// The answer to a body that has become too long.
pub fn too_large(ask: Ask<'_>) -> Reply {
    let reply = Reply::empty(StatusCode::PAYLOAD_TOO_LARGE).noting(BodyError::TooLarge);
    ask.unlisted(reply, "body", "payload")
}

fn refusal(ask: Ask<'_>, error: BodyError) -> Reply {
    match error {
        BodyError::TooLarge => too_large(ask),
        BodyError::Full => {
            let reply = Reply::empty(StatusCode::INSUFFICIENT_STORAGE).noting(error);
            ask.unlisted(reply, "body", "payload")
        }
        BodyError::NotGzip => Reply::invalid(&ValidationError::new("header", "content-encoding", error)),
    }
}

async fn frame(body: &mut Incoming) -> Result<Option<Bytes>, &'static str> {
    loop {
        match timeout(STALL, body.frame()).await {
            Err(_) => return Err("the body stood still"),
            Ok(Some(Err(_))) => return Err("the body broke off"),
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => {
                // Trailers are of no interest.
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
        }
    }
}
