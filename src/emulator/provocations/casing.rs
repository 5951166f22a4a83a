//! Header names in mixed case, as they are on the wire. The HTTP library writes them in lower case; the
//! letters are changed as they pass, which changes no length.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Whether the next head on a connection is to be in mixed case. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Casing(Arc<AtomicBool>);

impl Casing {
    /// The next head is.
    pub fn mix_next(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A connection of which heads can be written in mixed case.
pub struct Cased<S> {
    stream: S,
    casing: Casing,
    place: Place,
}

/// Where in a head the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In none that is to be changed.
    Outside,
    /// In the status line, or a header's value.
    Line,
    /// In a header's name, or at the beginning of a line; whether the next letter is to be a capital.
    Name { capital: bool },
    /// Before the line feed that ends the head.
    End,
}

impl Place {
    /// The byte that is written for this one, and the place after it.
    fn write(self, byte: u8) -> (u8, Self) {
        match (self, byte) {
            (Self::Outside, _) => (byte, Self::Outside),
            (Self::Line, b'\n') => (byte, Self::Name { capital: true }),
            (Self::Line, _) => (byte, Self::Line),
            (Self::Name { .. }, b':') => (byte, Self::Line),
            (Self::Name { .. }, b'\r') => (byte, Self::End),
            (Self::Name { capital }, _) if byte.is_ascii_alphabetic() => {
                let letter = if capital { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
                (letter, Self::Name { capital: !capital })
            }
            (Self::Name { .. }, _) => (byte, self),
            (Self::End, _) => (byte, Self::Outside),
        }
    }
}

impl<S> Cased<S> {
    pub fn new(stream: S, casing: Casing) -> Self {
        Self { stream, casing, place: Place::Outside }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cased<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cased<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let own = &mut *self;
        let mut place = own.place;
        // A head is all that begins so: what is left of a body before it is not taken for one.
        if place == Place::Outside && bytes.starts_with(b"HTTP/") && own.casing.0.load(Ordering::Acquire) {
            place = Place::Line;
            own.casing.0.store(false, Ordering::Release);
            own.place = place;
        }
        if place == Place::Outside {
            return Pin::new(&mut own.stream).poll_write(cx, bytes);
        }
        let mut places = Vec::with_capacity(bytes.len());
        let mut written = Vec::with_capacity(bytes.len());
        for byte in bytes {
            let (letter, next) = place.write(*byte);
            written.push(letter);
            places.push(next);
            place = next;
        }
        let count = ready!(Pin::new(&mut own.stream).poll_write(cx, &written))?;
        if let Some(last) = count.checked_sub(1).and_then(|last| places.get(last)) {
            own.place = *last;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Takes so many bytes at a time.
    struct Slow(Vec<u8>, usize);

    impl AsyncWrite for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let count = bytes.len().min(self.1);
            self.0.extend_from_slice(&bytes[..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nmex-from: a: b\r\ncontent-length: 5\r\n\r\na: b\n";
    const MIXED: &[u8] = b"HTTP/1.1 200 OK\r\nMeX-fRoM: a: b\r\nCoNtEnT-lEnGtH: 5\r\n\r\na: b\n";

    #[tokio::test]
    async fn names_are_mixed_in_the_one_head_that_is_to_be_however_it_is_written() {
        for at_a_time in [1, 7, 1000] {
            let casing = Casing::default();
            let mut stream = Cased::new(Slow(Vec::new(), at_a_time), casing.clone());
            stream.write_all(ANSWER).await.unwrap();
            casing.mix_next();
            // Left over from before.
            stream.write_all(b"b: c\n").await.unwrap();
            stream.write_all(ANSWER).await.unwrap();
            stream.write_all(ANSWER).await.unwrap();
            let expected = [ANSWER, b"b: c\n", MIXED, ANSWER].concat();
            assert_eq!(
                String::from_utf8(stream.stream.0).unwrap(),
                String::from_utf8(expected).unwrap(),
                "{at_a_time}"
            );
        }
    }
}
