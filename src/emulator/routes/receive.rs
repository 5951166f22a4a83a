//! Bodies on their way in, within bounds of size and time.

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{StatusCode, Version, header::EXPECT, request::Parts};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

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

/// A request's body on its way in.
pub struct Upload<B = Incoming> {
    body: B,
    /// The client waits with it until it is asked to send, which the first attempt at reading does.
    held_back: bool,
    stood_still: bool,
    stall: Duration,
}

impl<B: Body<Data = Bytes> + Unpin> Upload<B> {
    pub fn new(body: B, parts: &Parts) -> Self {
        let waits = |expected: &http::HeaderValue| expected.as_bytes().eq_ignore_ascii_case(b"100-continue");
        // HTTP/1.0 knows no such expectation (RFC 9110, 10.1.1).
        let waits = parts.version >= Version::HTTP_11 && parts.headers.get(EXPECT).is_some_and(waits);
        Self { held_back: waits && !body.is_end_stream(), body, stood_still: false, stall: STALL }
    }

    /// Whether the client still waits to be asked for it.
    pub fn is_held_back(&self) -> bool {
        self.held_back
    }

    async fn frame(&mut self) -> Result<Option<Bytes>, &'static str> {
        self.held_back = false;
        loop {
            // What is there already needs no timer.
            let frame = match self.body.frame().now_or_never() {
                Some(frame) => Ok(frame),
                None => timeout(self.stall, self.body.frame()).await,
            };
            match frame {
                Err(_) => {
                    self.stood_still = true;
                    return Err("the body stood still");
                }
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
}

/// Takes a body in, or says what to answer instead. The OpenAPI names no status for any of these.
///
/// Disks and decompression keep no worker of the runtime busy: pieces are collected, and written
/// elsewhere while more come.
pub async fn receive(ask: Ask<'_>, body: &mut Upload, writer: BodyWriter) -> Result<StoredBody, Reply> {
    let mut desk = Desk { writer: Some(Writer::Here(Box::new(writer))), pieces: Vec::new(), bytes: 0 };
    loop {
        match body.frame().await {
            Ok(Some(piece)) => desk.take(piece).await.map_err(|error| refusal(ask, error))?,
            Ok(None) => return desk.finish().await.map_err(|error| refusal(ask, error)),
            Err(why) => return Err(Reply::empty(StatusCode::BAD_REQUEST).noting(why)),
        }
    }
}

/// How many bytes are collected before they are written.
const COLLECTED: u64 = 1 << 20;

/// A body between the wire and the disk: at most what is being written, and as much again.
struct Desk {
    /// `None` after it has failed.
    writer: Option<Writer>,
    pieces: Vec<Bytes>,
    bytes: u64,
}

/// Where the writer is.
enum Writer {
    Here(Box<BodyWriter>),
    Writing(JoinHandle<Result<Box<BodyWriter>, BodyError>>),
}

impl Writer {
    async fn here(self) -> Result<Box<BodyWriter>, BodyError> {
        match self {
            Self::Here(writer) => Ok(writer),
            Self::Writing(job) => job.await.unwrap_or_else(|error| Err(io::Error::other(error).into())),
        }
    }
}

impl Desk {
    async fn take(&mut self, piece: Bytes) -> Result<(), BodyError> {
        self.bytes += piece.len() as u64;
        self.pieces.push(piece);
        if self.bytes >= COLLECTED { self.write().await } else { Ok(()) }
    }

    /// Writes what was collected: here, if it goes to memory; elsewhere, without waiting, if to disk.
    async fn write(&mut self) -> Result<(), BodyError> {
        let (bytes, pieces) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.pieces));
        let Some(writer) = self.writer.take() else {
            return Err(BodyError::Unwritable(io::ErrorKind::Other));
        };
        let mut writer = writer.here().await?;
        if writer.goes_to_disk(bytes) {
            self.writer = Some(Writer::Writing(spawn_blocking(move || {
                writer.write(pieces)?;
                Ok(writer)
            })));
        } else {
            writer.write(pieces)?;
            self.writer = Some(Writer::Here(writer));
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<StoredBody, BodyError> {
        self.write().await?;
        let Some(writer) = self.writer else { return Err(BodyError::Unwritable(io::ErrorKind::Other)) };
        let writer = writer.here().await?;
        if !writer.goes_to_disk(0) {
            return writer.finish();
        }
        let done = spawn_blocking(move || writer.finish()).await;
        done.unwrap_or_else(|error| Err(io::Error::other(error).into()))
    }
}

/// The whole of a small body.
pub async fn small<B: Body<Data = Bytes> + Unpin>(body: &mut Upload<B>) -> Result<Vec<u8>, &'static str> {
    let mut whole = Vec::new();
    while let Some(piece) = body.frame().await? {
        whole.extend_from_slice(&piece);
        if whole.len() > SMALL_BYTES {
            return Err("the body is longer than 64 KiB");
        }
    }
    Ok(whole)
}

/// Reads what is left of a body, within bounds, and forgets it. One that stood still is not waited for again.
pub async fn drain<B: Body<Data = Bytes> + Unpin>(mut body: Upload<B>) {
    let mut drained = 0;
    while drained < DRAINED_BYTES && !body.body.is_end_stream() && !body.stood_still {
        match body.frame().await {
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

/// The answer when the disk does not take something.
pub fn no_room(ask: Ask<'_>, why: impl ToString) -> Reply {
    ask.unlisted(full(why), "body", "payload")
}

/// The same to a call that is none of MESH's.
pub fn full(why: impl ToString) -> Reply {
    Reply::empty(StatusCode::INSUFFICIENT_STORAGE).noting(why)
}

fn refusal(ask: Ask<'_>, error: BodyError) -> Reply {
    match error {
        BodyError::TooLarge => too_large(ask),
        BodyError::Full | BodyError::Unwritable(_) => no_room(ask, error),
        BodyError::NotGzip => Reply::invalid(&ValidationError::new("header", "content-encoding", error)),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http::Request;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    fn parts(version: Version, expect: &str) -> Parts {
        Request::put("/").version(version).header(EXPECT, expect).body(()).unwrap().into_parts().0
    }

    #[tokio::test]
    async fn a_body_that_stood_still_is_not_waited_for_again() {
        let silent = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let mut body = Upload::new(silent, &parts(Version::HTTP_11, ""));
        body.stall = Duration::from_millis(10);
        assert_eq!(small(&mut body).await, Err("the body stood still"));
        body.stall = Duration::from_secs(60);
        timeout(Duration::from_secs(5), drain(body)).await.unwrap();
    }

    #[tokio::test]
    async fn a_body_is_held_back_until_it_is_read_if_the_client_says_so() {
        let body = |version, expect| Upload::new(Full::from("body"), &parts(version, expect));
        let mut held = body(Version::HTTP_11, "100-Continue");
        assert!(held.is_held_back());
        assert_eq!(small(&mut held).await.unwrap(), b"body");
        assert!(!held.is_held_back());
        assert!(!body(Version::HTTP_11, "200-ok").is_held_back());
        assert!(!body(Version::HTTP_10, "100-continue").is_held_back());
        let none = Upload::new(Full::from(""), &parts(Version::HTTP_11, "100-continue"));
        assert!(!none.is_held_back());
    }
}
