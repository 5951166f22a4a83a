//! A recording as rules look at it: calls in order of time, by mailbox.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Context,
    course::{Act, Anew, Asked, Chance, Course, is_same},
};
use crate::{
    protocol::{ChunkRange, Listed, Operation, path_of},
    tape::{Actor, Exchange, FailureKind, Header, Vantage, is_blacked_out, printable},
};

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Its number in the source.
    pub number: usize,
    /// The exchange.
    pub exchange: Arc<Exchange>,
    /// The mailbox that the path names, as written.
    pub mailbox: Option<String>,
    /// The same in upper case: however a path spells it, it is one mailbox.
    seat: Option<String>,
    /// The end, worked out once.
    pub ended_at: DateTime<Utc>,
    /// Within which ask it was made, as a place in [`Traffic::asks`].
    pub ask: Option<usize>,
    /// In which part of a recording that was ended and goes on, from 0.
    pub part: usize,
}

/// Calls of one mailbox at one endpoint: until that started anew, or the recording was ended.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    /// The calls, in order of time.
    pub calls: Vec<&'a Call>,
    /// When it ended; what must follow later than that cannot be seen.
    pub end: DateTime<Utc>,
}

/// Why nothing can be said of the headers of a request.
pub(super) const NO_HEADERS: &str = "the headers of the request are not in the recording";
/// Why nothing can be said of what was sent.
pub(super) const NO_BODY: &str = "the body of the send is not in the recording";
/// Why nothing can be said of one of them.
pub(super) const BLACKED_OUT: &str = "whoever recorded it took what the header says out";

/// An inbox page as a product gets it.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// Message IDs.
    pub messages: Vec<String>,
    /// `links.next`, in v2.
    pub next: Option<String>,
}

/// Calls in order of time.
#[derive(Debug)]
pub(super) struct Traffic {
    /// All that are judged.
    pub calls: Vec<Call>,
    /// When the last call of each part ended; what must follow later than that cannot be seen.
    ends: Vec<DateTime<Utc>>,
    /// Whether nothing came before.
    pub from_start: bool,
    /// Whether a run drove the product.
    pub is_driven: bool,
    /// Whether the reference client stood in for it.
    pub is_stand_in: bool,
    /// What it was asked to do, in the order in which it was.
    pub asks: Vec<Asked>,
    anew: Vec<Anew>,
}

impl Traffic {
    /// The calls that are to be judged.
    pub fn new(exchanges: &[(usize, Arc<Exchange>)], context: &Context) -> Self {
        let actor = context.actor.unwrap_or(Actor::Product);
        let Course { asks, mut anew, by_hand, stand_in: is_stand_in } =
            context.course.clone().unwrap_or_default();
        anew.sort_by_key(|anew| anew.at);
        let mut within: HashMap<usize, usize> = HashMap::new();
        for (place, asked) in asks.iter().enumerate() {
            within.extend(asked.exchanges.iter().map(|number| (*number, place)));
        }
        let only = context.mailbox.as_ref().map(|mailbox| mailbox.as_str());
        let mut resumed = context.resumed.clone();
        resumed.sort_unstable();
        let part = |number: usize| resumed.partition_point(|from| *from <= number);
        let mut calls: Vec<Call> = exchanges
            .iter()
            .filter(|(number, exchange)| exchange.actor == actor && !by_hand.contains(number))
            .filter(|(_, exchange)| !is_administration(&exchange.request.head.target))
            .map(|(number, exchange)| {
                Call::new(*number, exchange, within.get(number).copied(), part(*number))
            })
            .filter(|call| {
                only.is_none_or(|only| call.mailbox.as_ref().is_some_and(|m| m.eq_ignore_ascii_case(only)))
            })
            .collect();
        // Stable: calls that began at the same moment stay in the order of the source.
        calls.sort_by_key(Call::started_at);
        // Of the whole recording: that others went on shows that this mailbox had time to.
        let mut ends = vec![DateTime::UNIX_EPOCH; resumed.len() + 1];
        for (number, exchange) in exchanges {
            if let Some(end) = ends.get_mut(part(*number)) {
                *end = exchange.ended_at().max(*end);
            }
        }
        Self {
            calls,
            ends,
            from_start: context.from_start,
            is_driven: context.course.is_some(),
            is_stand_in,
            asks,
            anew,
        }
    }

    /// The calls of each mailbox, cut where its endpoint started anew, and where the recording was ended.
    pub fn stretches(&self) -> Vec<Stretch<'_>> {
        self.cut_anew(self.parts())
    }

    /// The calls of each mailbox, cut where its endpoint started anew: what was seen of a message still counts
    /// when a recording goes on.
    pub fn endpoints(&self) -> Vec<Stretch<'_>> {
        let end = self.ends.iter().copied().max().unwrap_or(DateTime::UNIX_EPOCH);
        let whole = self.mailboxes().into_iter().map(|(mailbox, calls)| (mailbox, Stretch { calls, end }));
        self.cut_anew(whole.collect())
    }

    fn cut_anew<'a>(&self, uncut: Vec<(&str, Stretch<'a>)>) -> Vec<Stretch<'a>> {
        let mut stretches = Vec::new();
        for (mailbox, Stretch { mut calls, end }) in uncut {
            for Anew { at, first, .. } in self.anew.iter().filter(|anew| is_same(&anew.mailbox, mailbox)) {
                let is_later = |call: &&Call| Some(call.number) == *first || call.started_at() >= *at;
                let later = calls.split_off(calls.iter().position(is_later).unwrap_or(calls.len()));
                stretches.push(Stretch { calls: std::mem::replace(&mut calls, later), end: *at });
            }
            stretches.push(Stretch { calls, end });
        }
        stretches.retain(|stretch| !stretch.calls.is_empty());
        stretches
    }

    fn end_of(&self, part: usize) -> DateTime<Utc> {
        self.ends.get(part).copied().unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// When the endpoint that a call was made to started anew, or the recording was ended.
    pub fn end_after(&self, call: &Call) -> DateTime<Utc> {
        let mailbox = call.mailbox.as_deref().unwrap_or_default();
        let next = |anew: &&Anew| {
            is_same(&anew.mailbox, mailbox) && anew.at > call.started_at() && anew.first != Some(call.number)
        };
        self.anew.iter().find(next).map_or(self.end_of(call.part), |anew| anew.at)
    }

    /// The ask within which a call was made.
    pub fn asked(&self, call: &Call) -> Option<&Asked> {
        self.asks.get(call.ask?)
    }

    /// Whether the product has had the chance to do what must follow this call.
    pub fn chance(&self, call: &Call) -> Chance {
        self.asked(call).map_or(Chance::Open, Asked::chance)
    }

    /// What the mailbox's product was asked to do of this kind, by time.
    pub fn asks_for(&self, mailbox: &str, act: Act) -> impl Iterator<Item = &Asked> {
        self.asks.iter().filter(move |asked| asked.act == act && asked.is_of(mailbox))
    }

    /// The calls of each mailbox, cut where the recording was ended: what would have been seen in between is not
    /// missing.
    pub fn parts(&self) -> Vec<(&str, Stretch<'_>)> {
        let mut parts: BTreeMap<(&str, usize), Vec<&Call>> = BTreeMap::new();
        for (mailbox, calls) in self.mailboxes() {
            for call in calls {
                parts.entry((mailbox, call.part)).or_default().push(call);
            }
        }
        let stretch = |part, calls| Stretch { calls, end: self.end_of(part) };
        parts.into_iter().map(|((mailbox, part), calls)| (mailbox, stretch(part, calls))).collect()
    }

    /// The calls of each mailbox. In what order several mailboxes' calls interleave plays no part.
    pub fn mailboxes(&self) -> BTreeMap<&str, Vec<&Call>> {
        let mut mailboxes: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
        for call in &self.calls {
            if let Some(mailbox) = &call.seat {
                mailboxes.entry(mailbox).or_default().push(call);
            }
        }
        mailboxes
    }
}

impl Call {
    fn new(number: usize, exchange: &Arc<Exchange>, ask: Option<usize>, part: usize) -> Self {
        let mailbox = path_mailbox(&exchange.request.head.target).map(|text| printable(text.as_bytes()));
        let seat = mailbox.as_deref().map(str::to_ascii_uppercase);
        let ended_at = exchange.ended_at();
        Self { number, mailbox, seat, ended_at, exchange: Arc::clone(exchange), ask, part }
    }

    /// When it began.
    pub fn started_at(&self) -> DateTime<Utc> {
        self.exchange.started_at
    }

    /// What was called.
    pub fn operation(&self) -> Option<&Operation> {
        self.exchange.operation.as_ref()
    }

    /// A header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.exchange.request.head.header(name)
    }

    /// A header of the response.
    pub fn answered(&self, name: &str) -> Option<&str> {
        self.exchange.response.as_ref()?.head.header(name)
    }

    /// The response's headers.
    pub fn response_headers(&self) -> &[Header] {
        self.exchange.response.as_ref().map(|response| response.head.headers.as_slice()).unwrap_or_default()
    }

    /// The status; `None` when no whole response came.
    pub fn status(&self) -> Option<u16> {
        self.exchange.status().filter(|status| *status > 0 && self.exchange.failure.is_none())
    }

    /// Whether it was answered well, to the end.
    pub fn is_good(&self) -> bool {
        self.exchange.is_good()
    }

    /// Whether the body of the request can be relied on: a program of someone else may have left it out.
    pub fn has_body(&self) -> bool {
        self.exchange.vantage != Vantage::Foreign || self.exchange.request.body.kept.is_some()
    }

    /// Whether the headers of the request can be relied on: no request is without any, but a program of
    /// someone else may have left them out, or what they say.
    pub fn has_headers(&self) -> bool {
        // What stands in the place of a token is the reader's own.
        let says = |header: &Header| {
            !header.value.trim().is_empty() && !header.name.eq_ignore_ascii_case("authorization")
        };
        self.exchange.vantage != Vantage::Foreign || self.exchange.request.head.headers.iter().any(says)
    }

    /// Whether the value of a header was blacked out by whoever recorded it.
    pub fn is_withheld(&self, name: &str) -> bool {
        let has_no_form = |value: &str| is_blacked_out(value) && !value.contains('/');
        self.exchange.vantage == Vantage::Foreign && self.header(name).is_some_and(has_no_form)
    }

    /// Why nothing can be said of a header: the recording has none at all, or not its value.
    pub fn lacks(&self, name: &str) -> Option<&'static str> {
        if !self.has_headers() {
            return Some(NO_HEADERS);
        }
        self.is_withheld(name).then_some(BLACKED_OUT)
    }

    /// Whether an answer that the recording does not have may have come all the same.
    pub fn may_have_been_answered(&self) -> bool {
        let unreadable = self.exchange.failure.as_ref().is_some_and(|why| why.kind == FailureKind::NotHttp);
        let may_have_come = match self.exchange.vantage {
            Vantage::Foreign => true,
            // What cannot be read is passed on all the same.
            Vantage::Proxy => unreadable,
            _ => false,
        };
        may_have_come && self.exchange.response.is_none()
    }

    /// The message that it is about: of the path, or of the reply to a send.
    pub fn message(&self) -> Option<&str> {
        self.operation()?.message().map(|message| message.as_str())
    }

    /// The page that an inbox check was answered with; `None` when it was not, or the body is missing.
    pub fn page(&self) -> Option<Page> {
        let lists = matches!(self.operation(), Some(Operation::CheckInbox(_))) && self.is_good();
        let body = self.exchange.response.as_ref()?.body.kept.as_deref().filter(|_| lists)?;
        let Listed { messages, links } = Listed::read(body).ok()?;
        Some(Page { messages, next: links.next })
    }

    /// The chunk range of the request, when it can be read.
    pub fn sent_range(&self) -> Option<ChunkRange> {
        self.exchange.sent_range()
    }

    /// The chunk range of the response, when it can be read.
    pub fn answered_range(&self) -> Option<ChunkRange> {
        self.exchange.answered_range()
    }

    /// Whether it fetches a message or a part of one.
    pub fn is_download(&self) -> bool {
        matches!(self.operation(), Some(Operation::GetMessage(..) | Operation::GetChunk(..)))
    }

    /// Which chunk it fetches, from 1.
    pub fn chunk(&self) -> u32 {
        match self.operation() {
            Some(Operation::GetChunk(_, _, chunk) | Operation::SendChunk(_, _, chunk)) => chunk.get(),
            _ => 1,
        }
    }

    /// Whether it lists an inbox.
    pub fn is_list(&self) -> bool {
        matches!(self.operation(), Some(Operation::CheckInbox(_)))
    }

    /// Whether it acknowledges.
    pub fn is_acknowledgement(&self) -> bool {
        matches!(self.operation(), Some(Operation::Acknowledge(..)))
    }

    /// Whether it sends a message, or its first chunk.
    pub fn is_send(&self) -> bool {
        matches!(self.operation(), Some(Operation::SendMessage(_)))
    }

    /// Whether it sends anything.
    pub fn uploads(&self) -> bool {
        matches!(self.operation(), Some(Operation::SendMessage(_) | Operation::SendChunk(..)))
    }

    /// What was called, for people.
    pub fn name(&self) -> &'static str {
        self.operation().map_or("a call that is none of the API's", Operation::name)
    }
}

/// The part of a request line's target that names the mailbox, as written, whether it is one or not.
fn first_part(target: &str) -> Option<&str> {
    path_of(target).strip_prefix("/messageexchange/")?.split('/').next()
}

/// Whether a call is one to an emulator about itself, as tests make them (mesh-sandbox, README; our emulator's
/// admin routes). A mailbox of such a name would be written in upper case.
fn is_administration(target: &str) -> bool {
    matches!(first_part(target), Some("admin" | "deepping" | "mailbox" | "reset"))
}

/// The mailbox that a request line's target names, as written.
pub(super) fn path_mailbox(target: &str) -> Option<&str> {
    let first = first_part(target).filter(|_| !is_administration(target))?;
    let first = first.char_indices().nth(100).and_then(|(end, _)| first.get(..end)).unwrap_or(first);
    (!first.is_empty() && !matches!(first, "_ping" | "endpointlookup" | "workflowsearch")).then_some(first)
}

/// A duration for people: `45 s`, `12 min`, `25 h 10 min`.
pub(in crate::rules) fn shown(of: TimeDelta) -> String {
    let of = of.abs();
    match (of.num_hours(), of.num_minutes(), of.num_seconds()) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) if minutes < 10 => format!("{minutes} min {} s", seconds % 60),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, minutes, _) => format!("{hours} h {} min", minutes % 60),
    }
}
