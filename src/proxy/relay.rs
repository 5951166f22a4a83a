//! Bytes from leg to leg, as they come: nothing is added, left out, re-ordered or held back.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, watch},
    time::sleep,
};

use super::{activity::Busy, host::HostEditor, leg::Leg};
use crate::wire::conversation::{Conversation, Direction, Draft, Moment, Verdict};

/// Bytes that are passed on at a time, and all that is held of a body on its way.
const PIECE: usize = 128 * 1024;
/// How long one side may stay once the other has gone and nothing is under way.
const LINGER: Duration = Duration::from_secs(2);

/// Who is at the end of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The product.
    Product,
    /// The endpoint.
    Endpoint,
}

/// What a connection ended with.
#[derive(Debug)]
pub enum End {
    /// A side closed it in good order.
    Closed(Side),
    /// A side went away without saying that it had sent all: no close_notify.
    Truncated(Side),
    /// A side failed, and with what.
    Failed(Side, io::Error),
    /// It was ended here, and why.
    Refused(&'static str),
    /// The recording was ended.
    Stopped,
    /// The tape takes nothing more.
    TapeFailed,
}

/// Takes finished exchanges.
pub trait Take: Sync {
    /// Takes one; `false` when it cannot be kept.
    fn take(&self, draft: Draft) -> impl Future<Output = bool> + Send;
}

/// When a connection has to end although neither side ends it.
#[derive(Debug, Clone)]
pub struct Stop {
    /// True once it is to end as soon as nothing is under way.
    pub when_idle: watch::Receiver<bool>,
    /// True once it is to end whatever is under way.
    pub at_once: watch::Receiver<bool>,
    /// True once something could not be kept: whatever else passed would not be on the tape.
    pub tape_failed: watch::Receiver<bool>,
}

/// One connection's two legs and what is known of it.
pub struct Relay<'a, T> {
    /// To the product.
    pub product: &'a Leg,
    /// To the endpoint.
    pub endpoint: &'a Leg,
    /// What was said so far.
    pub conversation: &'a Mutex<Conversation>,
    /// Who takes the exchanges.
    pub take: &'a T,
    /// Busy while an exchange is not finished or not taken.
    pub busy: &'a Busy,
}

impl<T: Take> Relay<'_, T> {
    /// Relays until the connection ends. Legs that failed are set to be reset when they are dropped.
    pub async fn run(&self, host: Option<HostEditor>, stop: Stop) -> End {
        let changed = Notify::new();
        self.busy.set(false);
        let up = self.pump(Direction::Up, host, &changed);
        let down = self.pump(Direction::Down, None, &changed);
        tokio::pin!(up, down);
        let (direction, first) = tokio::select! {
            end = &mut up => (Direction::Up, end),
            end = &mut down => (Direction::Down, end),
            () = async { is_true(stop.when_idle).await; self.idle(&changed).await } => return self.close().await,
            () = is_true(stop.at_once.clone()) => return self.abort(End::Stopped),
            () = is_true(stop.tape_failed.clone()) => return self.abort(End::TapeFailed),
        };
        let other = async {
            match direction {
                Direction::Up => down.await,
                Direction::Down => up.await,
            }
        };
        let second = if first.lets_other_go_on(direction) {
            tokio::select! {
                end = other => Some(end),
                () = self.left_alone(direction, &first, &changed) => None,
                () = is_true(stop.at_once) => return self.abort(End::Stopped),
                () = is_true(stop.tape_failed) => return self.abort(End::TapeFailed),
            }
        } else {
            None
        };
        let failed_after = second.as_ref().is_some_and(|second| !second.is_quiet());
        let end = match (first, second) {
            // What the endpoint said last tells more than that it no longer listens.
            (PumpEnd::WriteFailed(_), Some(PumpEnd::ReadFailed(error))) => End::Failed(Side::Endpoint, error),
            (first, _) => first.of(direction),
        };
        if failed_after || !matches!(end, End::Closed(_) | End::Truncated(_)) {
            return self.abort(end);
        }
        end
    }

    async fn pump(&self, direction: Direction, mut host: Option<HostEditor>, changed: &Notify) -> PumpEnd {
        let (mut from, mut to) = match direction {
            Direction::Up => (self.product.clone(), self.endpoint.clone()),
            Direction::Down => (self.endpoint.clone(), self.product.clone()),
        };
        let mut piece = vec![0; PIECE];
        loop {
            if direction == Direction::Up {
                self.room(changed).await;
            }
            let came = match from.read(&mut piece).await {
                Ok(0) => break self.ended(direction, &mut to, host, false, changed).await,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    break self.ended(direction, &mut to, host, true, changed).await;
                }
                Err(error) => break PumpEnd::ReadFailed(error),
                Ok(count) => piece.get(..count).unwrap_or_default(),
            };
            let verdict = self.lock().came(direction, came, Moment::now());
            // Before anybody can have seen the end of it.
            self.busy.set(true);
            if let Verdict::Refuse(why) = verdict {
                break PumpEnd::Refused(why);
            }
            let out = host.as_mut().map_or(came, |host| host.edit(came));
            if out.is_empty() {
                continue;
            }
            let written = async {
                to.write_all(out).await?;
                to.flush().await
            };
            if let Err(error) = written.await {
                break PumpEnd::WriteFailed(error);
            }
            let finished = self.lock().passed(direction, Instant::now());
            if !self.keep(finished, changed).await {
                break PumpEnd::TapeFailed;
            }
        }
    }

    /// One side has sent its last: so the other is told, in the same way.
    async fn ended(
        &self,
        direction: Direction,
        to: &mut Leg,
        host: Option<HostEditor>,
        truncated: bool,
        changed: &Notify,
    ) -> PumpEnd {
        let held = host.map(HostEditor::finish).unwrap_or_default();
        if to.write_all(&held).await.is_ok() {
            if truncated {
                to.truncate();
            }
            // Whoever is gone needs not be told.
            let _ = to.shutdown().await;
        }
        if direction == Direction::Down && !truncated {
            let finished = self.lock().down_ended();
            if !self.keep(finished, changed).await {
                return PumpEnd::TapeFailed;
            }
        }
        if truncated { PumpEnd::Truncated } else { PumpEnd::Ended }
    }

    async fn keep(&self, finished: Vec<Draft>, changed: &Notify) -> bool {
        for draft in finished {
            if !self.take.take(draft).await {
                return false;
            }
        }
        self.busy.set(!self.lock().is_idle());
        changed.notify_waiters();
        true
    }

    /// Waits until another request may be read.
    async fn room(&self, changed: &Notify) {
        loop {
            let notified = changed.notified();
            if !self.lock().is_full() {
                return;
            }
            notified.await;
        }
    }

    /// Waits until nothing is under way.
    async fn idle(&self, changed: &Notify) {
        loop {
            let notified = changed.notified();
            if self.lock().is_idle() {
                return;
            }
            notified.await;
        }
    }

    /// One side has gone. When the endpoint is still there, what is under way may still come.
    async fn left_alone(&self, gone: Direction, end: &PumpEnd, changed: &Notify) {
        if gone == Direction::Up && end.is_quiet() {
            self.idle(changed).await;
        }
        sleep(LINGER).await;
    }

    async fn close(&self) -> End {
        // Whoever is gone needs not be told.
        let _ = self.product.clone().shutdown().await;
        let _ = self.endpoint.clone().shutdown().await;
        End::Stopped
    }

    fn abort(&self, end: End) -> End {
        self.product.reset();
        self.endpoint.reset();
        end
    }

    /// Never held across an await.
    fn lock(&self) -> MutexGuard<'_, Conversation> {
        self.conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one direction ended with.
#[derive(Debug)]
enum PumpEnd {
    Ended,
    Truncated,
    ReadFailed(io::Error),
    WriteFailed(io::Error),
    Refused(&'static str),
    TapeFailed,
}

impl PumpEnd {
    fn is_quiet(&self) -> bool {
        matches!(self, Self::Ended | Self::Truncated)
    }

    /// An endpoint that takes no more of a request may still answer it.
    fn lets_other_go_on(&self, direction: Direction) -> bool {
        self.is_quiet() || (direction == Direction::Up && matches!(self, Self::WriteFailed(_)))
    }

    fn of(self, direction: Direction) -> End {
        let (from, to) = match direction {
            Direction::Up => (Side::Product, Side::Endpoint),
            Direction::Down => (Side::Endpoint, Side::Product),
        };
        match self {
            Self::Ended => End::Closed(from),
            Self::Truncated => End::Truncated(from),
            Self::ReadFailed(error) => End::Failed(from, error),
            Self::WriteFailed(error) => End::Failed(to, error),
            Self::Refused(why) => End::Refused(why),
            Self::TapeFailed => End::TapeFailed,
        }
    }
}

/// Waits until it is true; for ever when nobody can make it so.
pub async fn is_true(mut flag: watch::Receiver<bool>) {
    if flag.wait_for(|flag| *flag).await.is_err() {
        std::future::pending().await
    }
}
