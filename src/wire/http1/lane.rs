//! One direction of a connection: message after message.

use super::{
    Framing,
    body::{BodyReader, BodyStep},
    head::{HeadReader, HeadStep},
};

/// Follows the messages of one direction.
#[derive(Debug)]
pub struct Lane {
    state: State,
}

#[derive(Debug)]
enum State {
    Head(HeadReader),
    /// The head is whole; how long the body is has to be said.
    Between,
    Body(BodyReader),
    /// Passed on and not read.
    Opaque,
}

/// What some of the next bytes are.
#[derive(Debug)]
pub struct Step<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// What follows them.
    pub rest: &'a [u8],
    /// What they are.
    pub event: Event,
}

/// What bytes are to a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Empty lines before a head.
    Blank,
    /// A head that goes on.
    Head,
    /// The last bytes of a head, and the head. [`Lane::body`] must be told what follows.
    HeadEnd(Vec<u8>),
    /// Content. `true` with the last of the message.
    Content(bool),
    /// What delimits content. `true` with the last of the message.
    Framing(bool),
    /// This and all that follows cannot be read, and why. What there was of a head comes with it.
    Lost(&'static str, Vec<u8>),
    /// More of what cannot be read.
    Opaque,
}

impl Default for Lane {
    fn default() -> Self {
        Self { state: State::Head(HeadReader::default()) }
    }
}

impl Lane {
    /// Reads some of `bytes`, of which there must be some.
    pub fn step<'a>(&mut self, bytes: &'a [u8]) -> Step<'a> {
        let (used, event) = match &mut self.state {
            State::Head(reader) => match reader.take(bytes) {
                HeadStep::Blank(used) => (used, Event::Blank),
                HeadStep::More => (bytes.len(), Event::Head),
                HeadStep::End(used) => {
                    let head = reader.bytes().to_vec();
                    self.state = State::Between;
                    (used, Event::HeadEnd(head))
                }
                HeadStep::TooLong(used) => {
                    let head = reader.bytes().to_vec();
                    self.state = State::Opaque;
                    (used, Event::Lost("the head is too long", head))
                }
            },
            State::Body(reader) => match reader.take(bytes) {
                BodyStep::Content(used) => (used, Event::Content(reader.is_ended())),
                BodyStep::Framing(used) => (used, Event::Framing(reader.is_ended())),
                BodyStep::Malformed(why) => {
                    self.state = State::Opaque;
                    (0, Event::Lost(why, Vec::new()))
                }
            },
            // Nobody said how long the body is, so nothing is known of it.
            State::Between | State::Opaque => (bytes.len(), Event::Opaque),
        };
        if let Event::Content(true) | Event::Framing(true) = event {
            *self = Self::default();
        }
        let (bytes, rest) = bytes.split_at_checked(used).unwrap_or((bytes, &[]));
        Step { bytes, rest, event }
    }

    /// Says what follows the head. `true` when nothing does: the message has ended.
    pub fn body(&mut self, framing: Framing) -> bool {
        match BodyReader::new(framing) {
            Some(reader) if reader.is_ended() => {
                *self = Self::default();
                true
            }
            Some(reader) => {
                self.state = State::Body(reader);
                false
            }
            None => {
                self.state = State::Opaque;
                false
            }
        }
    }

    /// A head that was begun and is not whole.
    pub fn partial_head(&self) -> &[u8] {
        match &self.state {
            State::Head(reader) => reader.bytes(),
            _ => &[],
        }
    }

    /// Whether what comes cannot be read any more.
    pub fn is_lost(&self) -> bool {
        matches!(self.state, State::Opaque)
    }

    /// Whether the end of the connection is the end of the message.
    pub fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::Body(BodyReader::UntilClose))
    }
}
