//! A request's body as it comes, within bounds of size and time.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Version, header::EXPECT, request::Parts};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout};

use crate::protocol::LARGEST_REQUEST;

/// How long a body may stand still.
const STALL: Duration = Duration::from_secs(30);
/// Bytes that must come in a second, on average after that time: a body that comes byte by byte is one that stands still.
const LEAST_RATE: u64 = 1024;
/// How much of a body is read only to let the client finish: what a good one may send.
const DRAINED_BYTES: u64 = LARGEST_REQUEST;
/// How long the body of an admin call may be.
const SMALL_BYTES: usize = 64 * 1024;

/// A request's body on its way in.
pub struct Upload<B = Incoming> {
    body: B,
    /// The client waits with it until it is asked to send, which the first attempt at reading does.
    held_back: bool,
    stood_still: bool,
    stall: Duration,
    /// When it was first waited for.
    began: Option<Instant>,
    bytes: u64,
}

impl<B: Body<Data = Bytes> + Unpin> Upload<B> {
    pub fn new(body: B, parts: &Parts) -> Self {
        let waits = |expected: &HeaderValue| expected.as_bytes().eq_ignore_ascii_case(b"100-continue");
        // HTTP/1.0 knows no such expectation (RFC 9110, 10.1.1).
        let waits = parts.version >= Version::HTTP_11 && parts.headers.get(EXPECT).is_some_and(waits);
        let held_back = waits && !body.is_end_stream();
        Self { body, held_back, stood_still: false, stall: STALL, began: None, bytes: 0 }
    }

    /// Whether the client still waits to be asked for it.
    pub fn is_held_back(&self) -> bool {
        self.held_back
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// Why there is none: it broke off, or it came too slowly.
    pub async fn next(&mut self) -> Result<Option<Bytes>, &'static str> {
        self.held_back = false;
        loop {
            // What is there already needs no timer.
            let frame = match self.body.frame().now_or_never() {
                Some(frame) => Ok(frame),
                None => timeout(self.patience(), self.body.frame()).await,
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
                        self.bytes += piece.len() as u64;
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// How long the next piece may take.
    fn patience(&mut self) -> Duration {
        let began = *self.began.get_or_insert_with(Instant::now);
        let until = began + self.stall + Duration::from_secs(self.bytes / LEAST_RATE);
        self.stall.min(until.saturating_duration_since(Instant::now()))
    }

    /// The whole of a small body.
    ///
    /// # Errors
    /// When it is long, breaks off or comes too slowly.
    pub async fn small(&mut self) -> Result<Vec<u8>, &'static str> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
            if whole.len() > SMALL_BYTES {
                return Err("the body is longer than 64 KiB");
            }
        }
        Ok(whole)
    }

    /// Reads what is left of a body, within bounds, and forgets it. One that stood still is not waited for again.
    pub async fn drain(mut self) {
        let mut drained = 0;
        while drained < DRAINED_BYTES && !self.body.is_end_stream() && !self.stood_still {
            match self.next().await {
                Ok(Some(piece)) => drained += piece.len() as u64,
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};
    use http::Request;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use tokio::time::sleep;

    use super::*;

    fn parts(version: Version, expect: &str) -> Parts {
        Request::put("/").version(version).header(EXPECT, expect).body(()).unwrap().into_parts().0
    }

    #[tokio::test]
    async fn a_body_that_stood_still_is_not_waited_for_again() {
        let silent = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let mut body = Upload::new(silent, &parts(Version::HTTP_11, ""));
        body.stall = Duration::from_millis(10);
        assert_eq!(body.small().await, Err("the body stood still"));
        body.stall = Duration::from_secs(60);
        timeout(Duration::from_secs(5), body.drain()).await.unwrap();
    }

    /// Pieces of so many bytes, the first at once and the others this long after each other.
    fn coming(pieces: &[usize], every: Duration) -> Upload<impl Body<Data = Bytes> + Unpin + use<>> {
        let pieces: Vec<_> = pieces.iter().map(|bytes| Bytes::from(vec![b'x'; *bytes])).collect();
        let frames = stream::iter(pieces.into_iter().enumerate()).then(move |(index, piece)| async move {
            sleep(if index == 0 { Duration::ZERO } else { every }).await;
            Ok::<_, Infallible>(Frame::data(piece))
        });
        let mut body = Upload::new(StreamBody::new(Box::pin(frames)), &parts(Version::HTTP_11, ""));
        body.stall = Duration::from_millis(500);
        body
    }

    #[tokio::test]
    async fn a_body_that_comes_byte_by_byte_stands_still() {
        let mut slow = coming(&[1; 100], Duration::from_millis(50));
        assert_eq!(slow.small().await, Err("the body stood still"));
        // Before the last has come.
        assert!(slow.bytes < 50, "{}", slow.bytes);
        let mut fast_enough = coming(&[[4096].as_slice(), &[1; 15]].concat(), Duration::from_millis(50));
        assert_eq!(fast_enough.small().await.unwrap().len(), 4096 + 15);
    }

    #[tokio::test]
    async fn a_body_is_held_back_until_it_is_read_if_the_client_says_so() {
        let body = |version, expect| Upload::new(Full::from("body"), &parts(version, expect));
        let mut held = body(Version::HTTP_11, "100-Continue");
        assert!(held.is_held_back());
        assert_eq!(held.small().await.unwrap(), b"body");
        assert!(!held.is_held_back());
        assert!(!body(Version::HTTP_11, "200-ok").is_held_back());
        assert!(!body(Version::HTTP_10, "100-continue").is_held_back());
        let none = Upload::new(Full::from(""), &parts(Version::HTTP_11, "100-continue"));
        assert!(!none.is_held_back());
    }
}
