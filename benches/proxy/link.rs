//! A network between the client and whatever it calls: so many bytes a second each way, and no more.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

/// Bytes that go at a time.
const PIECE: usize = 64 * 1024;
/// How far ahead of its rate a link may be: the runtime's clock ticks in milliseconds.
const AHEAD: Duration = Duration::from_millis(2);

/// A connection over a link.
pub struct Linked {
    stream: TcpStream,
    up: Pace,
    down: Pace,
}

/// One way.
struct Pace {
    seconds_a_byte: f64,
    /// When everything that went would have gone at the rate.
    gone: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Linked {
    pub fn new(stream: TcpStream, bytes_per_second: f64) -> Self {
        Self { stream, up: Pace::new(bytes_per_second), down: Pace::new(bytes_per_second) }
    }
}

impl Pace {
    fn new(bytes_per_second: f64) -> Self {
        let now = Instant::now();
        Self { seconds_a_byte: 1.0 / bytes_per_second, gone: now, sleep: Box::pin(sleep_until(now)) }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.gone > Instant::now() + AHEAD {
            self.sleep.as_mut().reset(self.gone - AHEAD);
            ready!(self.sleep.as_mut().poll(context));
        }
        Poll::Ready(())
    }

    fn went(&mut self, bytes: usize) {
        let took = Duration::from_secs_f64(bytes as f64 * self.seconds_a_byte);
        self.gone = self.gone.max(Instant::now() - AHEAD) + took;
    }
}

impl AsyncRead for Linked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.down.poll(context));
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        self.down.went(into.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Linked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.up.poll(context));
        let some = &bytes[..bytes.len().min(PIECE)];
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, some))?;
        self.up.went(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
