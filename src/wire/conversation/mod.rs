//! What is said on one connection: requests and responses, paired, from the bytes of both directions.
//!
//! Pure: bytes and times go in, finished exchanges come out. It holds heads and the small part of
//! bodies that a tape keeps, and nothing else.

mod draft;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Instant};

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};

use super::http1::{Event, Framing, Lane, of_request, of_response};
use crate::tape::{RequestHead, ResponseHead};

pub use draft::{Draft, Message, Passage};

/// Requests that may wait for their responses. Further ones are not read before some are answered.
pub const PIPELINE: usize = 32;
/// How many interim responses of one exchange are kept.
const INTERIM: usize = 8;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the product to the endpoint.
    Up,
    /// From the endpoint to the product.
    Down,
}

/// A moment by both clocks: the monotonic one measures, the other names.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For durations.
    pub instant: Instant,
    /// For people.
    pub utc: DateTime<Utc>,
}

impl Moment {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        // In this order: whoever has to wait between the two has a call seem shorter by that, and never as if it had gone on
        // while the next one ran.
        let utc = Utc::now();
        Self { instant: Instant::now(), utc }
    }
}

/// What may be done with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Pass them on.
    Relay,
    /// Pass nothing on, and end the connection: why.
    Refuse(&'static str),
}

/// One connection's exchanges.
#[derive(Debug, Default)]
pub struct Conversation {
    up: Side,
    down: Side,
    /// Those that are not finished, in the order of their requests.
    open: VecDeque<Draft>,
    begun: u64,
}

#[derive(Debug, Default)]
struct Side {
    lane: Lane,
    /// The number of the exchange whose message is being read.
    reading: Option<u64>,
    /// The exchanges of which bytes were read that are not yet passed on.
    touched: Vec<u64>,
}

impl Conversation {
    /// Takes note of bytes that came, before they are passed on.
    pub fn came(&mut self, direction: Direction, mut bytes: &[u8], at: Moment) -> Verdict {
        while !bytes.is_empty() {
            let step = match direction {
                Direction::Up => self.up.lane.step(bytes),
                Direction::Down => self.down.lane.step(bytes),
            };
            bytes = step.rest;
            let verdict = match direction {
                Direction::Up => self.request(step.event, step.bytes, at),
                Direction::Down => self.response(step.event, step.bytes, at),
            };
            if verdict != Verdict::Relay {
                return verdict;
            }
        }
        Verdict::Relay
    }

    /// Takes note that what came has been passed on. Gives the exchanges that are finished by it.
    pub fn passed(&mut self, direction: Direction, at: Instant) -> Vec<Draft> {
        let side = match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        };
        for number in std::mem::take(&mut side.touched) {
            let Some(draft) = self.open.iter_mut().find(|draft| draft.number == number) else { continue };
            let message = match direction {
                Direction::Up => draft.request.as_mut(),
                Direction::Down => draft.response.as_mut(),
            };
            if let Some(message) = message {
                message.out.note(at);
            }
        }
        self.take_finished()
    }

    /// The endpoint has ended the connection in good order, which ends a response without a length.
    pub fn down_ended(&mut self) -> Vec<Draft> {
        if self.down.lane.ends_with_connection()
            && let Some(message) = self.reading(Direction::Down)
        {
            message.is_whole = true;
            self.down.reading = None;
        }
        self.take_finished()
    }

    /// The connection is over: whatever is not finished now never will be.
    pub fn over(&mut self) -> Vec<Draft> {
        let partial = self.up.lane.partial_head().to_vec();
        if let Some(message) = self.reading(Direction::Up).filter(|message| message.head.is_empty()) {
            message.head = partial;
        }
        let partial = self.down.lane.partial_head().to_vec();
        if let Some(message) = self.reading(Direction::Down).filter(|message| message.head.is_empty()) {
            message.head = partial;
        }
        self.open.drain(..).collect()
    }

    /// How many exchanges have begun.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether further requests have to wait.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.open.len() >= PIPELINE
    }

    /// Whether the request that is being read has a whole head.
    #[must_use]
    pub fn has_request_head(&self) -> bool {
        self.open
            .front()
            .and_then(|draft| draft.request.as_ref())
            .is_some_and(|request| !request.head.is_empty())
    }

    fn request(&mut self, event: Event, bytes: &[u8], at: Moment) -> Verdict {
        if event == Event::Blank {
            return Verdict::Relay;
        }
        let number = match self.up.reading {
            Some(number) => number,
            None => {
                let number = self.begin(at);
                self.up.reading = Some(number);
                number
            }
        };
        touch(&mut self.up.touched, number);
        let Some(draft) = self.open.iter_mut().find(|draft| draft.number == number) else {
            return Verdict::Relay;
        };
        let message = draft.request.get_or_insert_with(|| Message::begin(at));
        message.came.note(at.instant);
        let ended = match event {
            Event::HeadEnd(raw) => {
                let head = RequestHead::read(&raw);
                draft.method = Method::from_bytes(head.method.as_bytes()).ok();
                if draft.method == Some(Method::CONNECT) {
                    message.head = raw;
                    return Verdict::Refuse("CONNECT asks for a tunnel, in which nothing could be recorded");
                }
                let framing = of_request(&head);
                message.start_body(raw, &head.headers, framing);
                self.up.lane.body(framing)
            }
            other => message.take(other, bytes),
        };
        if ended {
            message.is_whole = true;
            self.up.reading = None;
        }
        Verdict::Relay
    }

    fn response(&mut self, event: Event, bytes: &[u8], at: Moment) -> Verdict {
        if event == Event::Blank {
            return Verdict::Relay;
        }
        let number = match self.down.reading {
            Some(number) => number,
            None => {
                let waiting = self.open.iter().find(|draft| draft.response.is_none());
                let number = waiting.map(|draft| draft.number);
                if number.is_none() && self.is_full() {
                    return Verdict::Refuse(
                        "the endpoint sends one response after the other that nobody asked for",
                    );
                }
                // One that nobody asked for, such as 408 to a client that says nothing.
                let number = number.unwrap_or_else(|| self.begin(at));
                self.down.reading = Some(number);
                number
            }
        };
        touch(&mut self.down.touched, number);
        let Some(draft) = self.open.iter_mut().find(|draft| draft.number == number) else {
            return Verdict::Relay;
        };
        let message = draft.response.get_or_insert_with(|| Message::begin(at));
        message.came.note(at.instant);
        let ended = match event {
            Event::HeadEnd(raw) => {
                let head = ResponseHead::read(&raw);
                if head.status == StatusCode::SWITCHING_PROTOCOLS.as_u16() {
                    message.head = raw;
                    return Verdict::Refuse("101 changes to a protocol that cannot be recorded");
                }
                if (100..200).contains(&head.status) && head.version.starts_with("HTTP/1.") {
                    draft.response = None;
                    if draft.interim.len() < INTERIM {
                        draft.interim.push(head.status);
                    }
                    self.down.lane.body(Framing::Length(0));
                    self.down.reading = None;
                    return Verdict::Relay;
                }
                let framing = of_response(&head, draft.method == Some(Method::HEAD));
                message.start_body(raw, &head.headers, framing);
                self.down.lane.body(framing)
            }
            other => message.take(other, bytes),
        };
        if ended {
            message.is_whole = true;
            self.down.reading = None;
        }
        Verdict::Relay
    }

    fn begin(&mut self, at: Moment) -> u64 {
        self.begun += 1;
        self.open.push_back(Draft::new(self.begun, at));
        self.begun
    }

    fn reading(&mut self, direction: Direction) -> Option<&mut Message> {
        let number = match direction {
            Direction::Up => self.up.reading?,
            Direction::Down => self.down.reading?,
        };
        let draft = self.open.iter_mut().find(|draft| draft.number == number)?;
        match direction {
            Direction::Up => draft.request.as_mut(),
            Direction::Down => draft.response.as_mut(),
        }
    }

    /// From the front, so that exchanges are finished in the order of their requests. Once a direction cannot be
    /// read any more, the exchange in which that happened never ends, and nothing after it waits for it.
    fn take_finished(&mut self) -> Vec<Draft> {
        if self.up.lane.is_lost() || self.down.lane.is_lost() {
            let unanswerable = self.down.lane.is_lost();
            let done = |draft: &Draft| draft.is_finished() || (unanswerable && draft.is_only_asked());
            let (finished, open) = self.open.drain(..).partition(done);
            self.open = open;
            return Vec::from(finished);
        }
        let mut finished = Vec::new();
        while let Some(draft) = self.open.pop_front() {
            if !draft.is_finished() {
                self.open.push_front(draft);
                break;
            }
            finished.push(draft);
        }
        finished
    }
}

fn touch(touched: &mut Vec<u64>, number: u64) {
    if touched.last() != Some(&number) {
        touched.push(number);
    }
}
