//! A connection that ends in the middle of a body.

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::header;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame};

use super::{Reply, ReplyBody};

/// How long the connection is left open after the half, so that it is sent before the end.
const LAST_BYTES: Duration = Duration::from_millis(50);

/// The same reply, of whose body only the first half comes before the connection ends. One without a body,
/// and one whose length nobody knows, stays whole.
pub(super) fn in_half(reply: Reply) -> Result<Reply, Reply> {
    let told = reply.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let known = told.and_then(|told| told.parse().ok()).or_else(|| reply.body.size_hint().exact());
    let Some(whole) = known.filter(|whole: &u64| *whole > 0) else { return Err(reply) };
    let half = usize::try_from(whole / 2).unwrap_or(usize::MAX);
    let reply = reply.with(header::CONTENT_LENGTH, &whole.to_string());
    Ok(Reply { body: cut_after(reply.body, half), ..reply })
}

fn cut_after(body: ReplyBody, bytes: usize) -> ReplyBody {
    let pieces = stream::unfold(Some((body, bytes)), |state| async move {
        let (mut body, left) = state?;
        let piece = if left == 0 { Bytes::new() } else { next(&mut body).await };
        if piece.is_empty() {
            tokio::time::sleep(LAST_BYTES).await;
            return Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None));
        }
        let piece = piece.slice(..piece.len().min(left));
        let left = left - piece.len();
        Some((Ok(Frame::data(piece)), Some((body, left))))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// What comes next; nothing at the end.
async fn next(body: &mut ReplyBody) -> Bytes {
    loop {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return data,
                _ => {}
            },
            _ => return Bytes::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use http_body_util::Full;

    use super::*;

    fn reply(content: &'static [u8]) -> Reply {
        let body = Full::new(Bytes::from_static(content)).map_err(|never| match never {}).boxed_unsync();
        let reply = Reply::empty(StatusCode::OK).with(header::CONTENT_LENGTH, &content.len().to_string());
        Reply { body, ..reply }
    }

    async fn come(reply: Reply) -> (Vec<u8>, bool) {
        let (mut body, mut come) = (reply.body, Vec::new());
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => come.extend(frame.into_data().unwrap()),
                Err(_) => return (come, false),
            }
        }
        (come, true)
    }

    #[tokio::test]
    async fn half_of_the_body_comes_and_then_the_connection_ends() {
        let cut = |content| in_half(reply(content)).unwrap_or_else(|_| panic!("it is not cut"));
        assert_eq!(come(cut(b"0123456789")).await, (b"01234".to_vec(), false));
        assert_eq!(come(cut(b"0")).await, (Vec::new(), false));
    }

    #[tokio::test]
    async fn a_body_whose_length_no_header_says_is_cut_as_well_and_says_how_long_it_would_be() {
        let Ok(cut) = in_half(reply(b"0123456789").without(&header::CONTENT_LENGTH)) else {
            panic!("it is not cut");
        };
        assert_eq!(cut.headers[header::CONTENT_LENGTH], "10");
        assert_eq!(come(cut).await, (b"01234".to_vec(), false));
    }

    #[tokio::test]
    async fn what_has_no_body_stays_whole() {
        let Err(whole) = in_half(reply(b"")) else { panic!("there is nothing to cut") };
        assert_eq!(come(whole).await, (Vec::new(), true));
    }
}
