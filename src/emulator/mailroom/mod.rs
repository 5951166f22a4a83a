//! The domain: mailboxes, messages, and what may be done with them. Knows no HTTP.

mod inbox;
mod store;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::rand;
use chrono::{DateTime, TimeDelta, Utc};

use super::Clock;
use crate::protocol::{ErrorCode, MailboxId, MeshError, MessageId, Password, SendHeaders, WorkflowId};

pub use store::{BodyError, BodyWriter, Limits, StoredBody};

/// All mailboxes of the endpoint and what lies in them.
pub struct Mailroom {
    clock: Clock,
    limits: Limits,
    rooms: Mutex<Rooms>,
}

#[derive(Default)]
struct Rooms {
    mailboxes: HashMap<MailboxId, Mailbox>,
    messages: HashMap<MessageId, Entry>,
    acknowledged: VecDeque<(DateTime<Utc>, MessageId)>,
    next_place: u64,
}

struct Mailbox {
    password: Password,
    inbox: BTreeMap<u64, Arc<Message>>,
}

enum Entry {
    Waiting { place: u64, message: Arc<Message> },
    Acknowledged { recipient: MailboxId },
}

/// A message that was delivered.
#[derive(Debug)]
pub struct Message {
    /// Its ID.
    pub id: MessageId,
    /// Who sent it.
    pub sender: MailboxId,
    /// Whose inbox it is in.
    pub recipient: MailboxId,
    /// What the sender said about it.
    pub headers: SendHeaders,
    /// When it was delivered.
    pub delivered_at: DateTime<Utc>,
    /// Its content as it was sent.
    pub body: StoredBody,
}

/// Why a message cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// There is none by this ID for this mailbox: 404.
    Missing,
    /// It was acknowledged: 410 ("cannot be downloaded again", OpenAPI, "Acknowledge message").
    Gone,
}

impl Mailroom {
    /// An empty mailroom.
    #[must_use]
    pub fn new(clock: Clock, limits: Limits) -> Self {
        Self { clock, limits, rooms: Mutex::default() }
    }

    /// Registers a mailbox, or gives an existing one another password.
    pub fn register(&self, id: MailboxId, password: Password) {
        let mut rooms = self.lock();
        match rooms.mailboxes.get_mut(&id) {
            Some(mailbox) => mailbox.password = password,
            None => {
                rooms.mailboxes.insert(id, Mailbox { password, inbox: BTreeMap::new() });
            }
        }
    }

    /// The password of a mailbox; `None` when it is not registered.
    #[must_use]
    pub fn password(&self, id: &MailboxId) -> Option<Password> {
        self.lock().mailboxes.get(id).map(|mailbox| mailbox.password.clone())
    }

    /// A place for a body that is coming in.
    pub(super) fn body_writer(&self, headers: &SendHeaders) -> BodyWriter {
        BodyWriter::new(headers.encoding, self.limits.clone())
    }

    /// Takes a message in and delivers it.
    pub(super) fn send(
        &self,
        sender: &MailboxId,
        headers: SendHeaders,
        body: StoredBody,
    ) -> Result<MessageId, MeshError> {
        let refuse = |code, message_id| Err(MeshError { code, message_id });
        if headers.chunk_range.total().get() > 1 {
            return refuse(ErrorCode::ChunkingNotSupported, None);
        }
        let now = self.clock.now();
        let mut rooms = self.lock();
        let id = rooms.unused_id(now);
        let recipient = MailboxId::parse(&headers.to).ok().filter(|to| rooms.mailboxes.contains_key(to));
        let Some(recipient) = recipient else {
            return refuse(ErrorCode::UnregisteredTo, Some(id));
        };
        if body.is_empty() {
            return refuse(ErrorCode::DataFileMissing, None);
        }
        let sender = sender.clone();
        let message = Message { id: id.clone(), sender, recipient, headers, delivered_at: now, body };
        rooms.deliver(Arc::new(message));
        Ok(id)
    }

    /// A message in a mailbox's inbox.
    pub(super) fn message(&self, mailbox: &MailboxId, id: &MessageId) -> Result<Arc<Message>, Unavailable> {
        match self.lock().messages.get(id) {
            Some(Entry::Waiting { message, .. }) if message.recipient == *mailbox => Ok(Arc::clone(message)),
            Some(Entry::Acknowledged { recipient }) if recipient == mailbox => Err(Unavailable::Gone),
            _ => Err(Unavailable::Missing),
        }
    }

    /// Takes a message out of the inbox for good. Doing so again changes nothing.
    pub(super) fn acknowledge(&self, mailbox: &MailboxId, id: &MessageId) -> Result<(), Unavailable> {
        match self.message(mailbox, id) {
            Ok(_) => self.lock().acknowledge(id, self.clock.now()),
            Err(Unavailable::Gone) => {}
            Err(Unavailable::Missing) => return Err(Unavailable::Missing),
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an acknowledged message is remembered, so that a download is answered 410, not 404:
/// as long as MESH keeps anything (OpenAPI, "Message expiration").
const REMEMBERED: TimeDelta = TimeDelta::days(30);

impl Rooms {
    fn deliver(&mut self, message: Arc<Message>) {
        let place = self.next_place;
        self.next_place += 1;
        if let Some(mailbox) = self.mailboxes.get_mut(&message.recipient) {
            mailbox.inbox.insert(place, Arc::clone(&message));
            self.messages.insert(message.id.clone(), Entry::Waiting { place, message });
        }
    }

    fn acknowledge(&mut self, id: &MessageId, now: DateTime<Utc>) {
        if let Some(entry) = self.messages.get_mut(id)
            && let Entry::Waiting { place, message } = &*entry
        {
            if let Some(mailbox) = self.mailboxes.get_mut(&message.recipient) {
                mailbox.inbox.remove(place);
            }
            *entry = Entry::Acknowledged { recipient: message.recipient.clone() };
            self.acknowledged.push_back((now, id.clone()));
        }
        while self.acknowledged.front().is_some_and(|(at, _)| now - *at > REMEMBERED) {
            if let Some((_, id)) = self.acknowledged.pop_front() {
                self.messages.remove(&id);
            }
        }
    }

    /// An ID in the shape that MESH gives: time to the microsecond and six hexadecimal digits
    /// (OpenAPI, examples of "Send message").
    fn unused_id(&self, now: DateTime<Utc>) -> MessageId {
        loop {
            let mut random = [0; 3];
            // The random source of the TLS provider; should it fail, the IDs still differ by time.
            let _ = rand::fill(&mut random);
            let [a, b, c] = random;
            let text = format!("{}_{a:02X}{b:02X}{c:02X}", now.format("%Y%m%d%H%M%S%6f"));
            match MessageId::parse(&text) {
                Ok(id) if !self.messages.contains_key(&id) => return id,
                _ => {}
            }
        }
    }
}

impl Message {
    /// The kind of message.
    #[must_use]
    pub fn workflow(&self) -> &WorkflowId {
        &self.headers.workflow
    }
}

#[cfg(test)]
pub(super) mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    pub fn mailbox(id: &str) -> MailboxId {
        MailboxId::parse(id).unwrap()
    }

    pub fn mailroom() -> (Mailroom, Clock) {
        let clock = Clock::new();
        let mailroom = Mailroom::new(clock.clone(), Limits::default());
        mailroom.register(mailbox("ALICE"), Password::new("a"));
        mailroom.register(mailbox("BOB"), Password::new("b"));
        (mailroom, clock)
    }

    pub fn send(
        mailroom: &Mailroom,
        to: &str,
        workflow: &str,
        body: &'static [u8],
    ) -> Result<MessageId, MeshError> {
        let mut headers = HeaderMap::new();
        headers.insert("mex-to", HeaderValue::try_from(to).unwrap());
        headers.insert("mex-workflowid", HeaderValue::try_from(workflow).unwrap());
        let headers = SendHeaders::parse(&headers, &mailbox("ALICE")).unwrap();
        let mut writer = mailroom.body_writer(&headers);
        writer.write(body.into()).unwrap();
        mailroom.send(&mailbox("ALICE"), headers, writer.finish().unwrap())
    }

    #[test]
    fn a_message_waits_until_it_is_acknowledged_and_is_gone_then() {
        let (mailroom, _) = mailroom();
        let id = send(&mailroom, "BOB", "W1", b"hello").unwrap();
        assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap().body.size(), 5);
        assert_eq!(mailroom.acknowledge(&mailbox("BOB"), &id), Ok(()));
        assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap_err(), Unavailable::Gone);
        assert_eq!(mailroom.acknowledge(&mailbox("BOB"), &id), Ok(()));
    }

    #[test]
    fn nobody_sees_or_acknowledges_anothers_message() {
        let (mailroom, _) = mailroom();
        let id = send(&mailroom, "BOB", "W1", b"hello").unwrap();
        assert_eq!(mailroom.message(&mailbox("ALICE"), &id).unwrap_err(), Unavailable::Missing);
        assert_eq!(mailroom.acknowledge(&mailbox("ALICE"), &id), Err(Unavailable::Missing));
        assert!(mailroom.message(&mailbox("BOB"), &id).is_ok());
    }

    #[test]
    fn an_unknown_recipient_and_an_empty_body_are_refused() {
        let (mailroom, _) = mailroom();
        let error = send(&mailroom, "NOBODY", "W1", b"hello").unwrap_err();
        assert_eq!(error.code, ErrorCode::UnregisteredTo);
        assert!(error.message_id.is_some(), "integration answers 417 with a message ID");
        assert_eq!(send(&mailroom, "BOB", "W1", b"").unwrap_err().code, ErrorCode::DataFileMissing);
    }

    #[test]
    fn what_was_acknowledged_is_forgotten_after_thirty_days() {
        let (mailroom, clock) = mailroom();
        let old = send(&mailroom, "BOB", "W1", b"old").unwrap();
        mailroom.acknowledge(&mailbox("BOB"), &old).unwrap();
        clock.move_by(TimeDelta::days(31));
        let new = send(&mailroom, "BOB", "W1", b"new").unwrap();
        mailroom.acknowledge(&mailbox("BOB"), &new).unwrap();
        assert_eq!(mailroom.message(&mailbox("BOB"), &old).unwrap_err(), Unavailable::Missing);
        assert_eq!(mailroom.message(&mailbox("BOB"), &new).unwrap_err(), Unavailable::Gone);
    }

    #[test]
    fn message_ids_have_the_shape_of_mesh() {
        let (mailroom, _) = mailroom();
        let id = send(&mailroom, "BOB", "W1", b"hello").unwrap();
        let (time, random) = id.as_str().split_once('_').unwrap();
        assert!(time.len() == 20 && time.bytes().all(|b| b.is_ascii_digit()), "{id}");
        assert!(random.len() == 6 && random.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    }
}
