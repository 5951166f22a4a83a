//! An exchange that is going on.

use std::time::{Duration, Instant};

use http::Method;

use super::{
    super::http1::{Event, Framing},
    Moment,
};
use crate::{
    protocol::ContentEncoding,
    tape::{BodyRecorder, Header, RequestHead, TimingRecord},
};

/// An exchange as far as it has come.
#[derive(Debug)]
pub struct Draft {
    /// Its place on the connection, from 1.
    pub number: u64,
    /// When its first byte came.
    pub began: Moment,
    /// The request; `None` when a response came that nobody asked for.
    pub request: Option<Message>,
    /// The response proper.
    pub response: Option<Message>,
    /// Status codes of the interim responses before it, the first few.
    pub interim: Vec<u16>,
    /// The request's method, once it is known.
    pub method: Option<Method>,
}

/// A request or a response as far as it has come.
pub struct Message {
    /// The head as it was; empty before it is whole.
    pub head: Vec<u8>,
    /// What passed of the body.
    pub body: BodyRecorder,
    /// When its bytes came.
    pub came: Passage,
    /// When they were passed on.
    pub out: Passage,
    /// Whether all of it came.
    pub is_whole: bool,
    /// Why it cannot be read as HTTP, or no further.
    pub unreadable: Option<&'static str>,
}

/// When bytes passed a place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passage {
    /// The first.
    pub first: Option<Instant>,
    /// The last so far.
    pub last: Option<Instant>,
}

impl Passage {
    /// Bytes passed now.
    pub fn note(&mut self, at: Instant) {
        self.first.get_or_insert(at);
        self.last = Some(at);
    }
}

impl Draft {
    /// An exchange that begins.
    #[must_use]
    pub fn new(number: u64, began: Moment) -> Self {
        Self { number, began, request: None, response: None, interim: Vec::new(), method: None }
    }

    /// As a client at the other end of the connection would have measured them.
    pub fn timings(&self) -> TimingRecord {
        let began = self.began.instant;
        let since = |from: Instant, to: Option<Instant>| {
            to.map_or(Duration::ZERO, |to| to.saturating_duration_since(from))
        };
        let sent = self.request.as_ref().and_then(|request| request.came.last).unwrap_or(began);
        let Some(response) = &self.response else {
            let send = since(began, Some(sent));
            return TimingRecord { send, wait: sent.elapsed(), ..TimingRecord::default() };
        };
        let first = response.came.first.unwrap_or(sent);
        // An answer may come before all of the request was sent.
        let sent = sent.min(first);
        TimingRecord {
            send: since(began, Some(sent)),
            wait: since(sent, Some(first)),
            receive: since(first, response.came.last),
            ..TimingRecord::default()
        }
    }

    /// Whether its request is whole and was passed on, and nothing has come back.
    #[must_use]
    pub fn is_only_asked(&self) -> bool {
        let asked = self.request.as_ref().is_some_and(|request| request.is_whole && request.is_passed_on());
        asked && self.response.is_none()
    }

    /// Whether both messages are whole and the response was passed on.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let asked = self.request.as_ref().is_none_or(|request| request.is_whole);
        let answered =
            self.response.as_ref().is_some_and(|response| response.is_whole && response.is_passed_on());
        asked && answered
    }
}

impl Message {
    /// A message whose first byte came.
    #[must_use]
    pub fn begin(at: Moment) -> Self {
        let came = Passage { first: Some(at.instant), last: Some(at.instant) };
        Self {
            head: Vec::new(),
            body: BodyRecorder::new(false),
            came,
            out: Passage::default(),
            is_whole: false,
            unreadable: None,
        }
    }

    /// Whether what came of it was passed on.
    fn is_passed_on(&self) -> bool {
        self.out.last.is_some_and(|out| Some(out) >= self.came.last)
    }

    /// Its head is whole.
    pub(super) fn start_body(&mut self, raw: Vec<u8>, headers: &[Header], framing: Framing) {
        let encoding = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-encoding"));
        let gzip = ContentEncoding::is_gzip(encoding.map(|encoding| encoding.value.as_str()));
        self.head = raw;
        if let Framing::Unknown(why) = framing {
            self.unreadable = Some(why);
        } else {
            self.body = BodyRecorder::new(gzip);
        }
    }

    /// Whether its head gives its length in two ways, of which one counts.
    #[must_use]
    pub fn has_both_lengths(&self) -> bool {
        let head = RequestHead::read(&self.head);
        head.header("content-length").is_some() && head.header("transfer-encoding").is_some()
    }

    /// Takes note of bytes other than the end of a head. `true` with the last of the message.
    pub(super) fn take(&mut self, event: Event, bytes: &[u8]) -> bool {
        match event {
            Event::Content(last) => {
                self.body.update(bytes);
                last
            }
            Event::Framing(last) => last,
            Event::Lost(why, head) => {
                self.unreadable = Some(why);
                if self.head.is_empty() {
                    self.head = head;
                }
                false
            }
            Event::Opaque => {
                self.body.update(bytes);
                false
            }
            Event::Blank | Event::Head | Event::HeadEnd(_) => false,
        }
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("is_whole", &self.is_whole).finish_non_exhaustive()
    }
}
