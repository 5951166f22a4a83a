//! Bodies on their way in, to wherever they are kept.

use std::io;

use bytes::Bytes;
use http::StatusCode;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Ask, Reply, upload::Upload};
use crate::{
    emulator::mailroom::{BodyError, BodyWriter, StoredBody},
    protocol::ValidationError,
};

/// Takes a body in, or says what to answer instead. The OpenAPI names no status for any of these.
///
/// Disks and decompression keep no worker of the runtime busy: pieces are collected, and written
/// elsewhere while more come.
pub async fn receive(ask: Ask<'_>, body: &mut Upload, writer: BodyWriter) -> Result<StoredBody, Reply> {
    let mut desk = Desk { writer: Some(Writer::Here(Box::new(writer))), pieces: Vec::new(), bytes: 0 };
    loop {
        match body.next().await {
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

    /// Writes what was collected: here, if that is done at once; elsewhere, without waiting, if not.
    async fn write(&mut self) -> Result<(), BodyError> {
        let (bytes, pieces) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.pieces));
        let Some(writer) = self.writer.take() else {
            return Err(BodyError::Unwritable(io::ErrorKind::Other));
        };
        let mut writer = writer.here().await?;
        if writer.takes_long(bytes) {
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
        if !writer.takes_long(0) {
            return writer.finish();
        }
        let done = spawn_blocking(move || writer.finish()).await;
        done.unwrap_or_else(|error| Err(io::Error::other(error).into()))
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
        BodyError::Full | BodyError::Unwritable(_) | BodyError::NoFile(_) => no_room(ask, error),
        BodyError::NotGzip => Reply::invalid(&ValidationError::new("header", "content-encoding", error)),
    }
}
