//! The books of what was sent: one entry a message, moved from state to state, forgotten in the end.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Entry, Message, Receiver, Rooms, State, content::Content};
use crate::{
    emulator::{
        switches::{MessageIds, Past},
        timestamps::in_digits,
    },
    protocol::{ErrorCode, Failure, MailboxId, MessageId, headers::MEX_LOCAL_ID},
};

impl Rooms {
    /// Does everything that was due by a time. Each message costs so once in its life, whenever that is
    /// looked at.
    pub(super) fn settle(&mut self, now: DateTime<Utc>) {
        while let Some(next) = self.due.first_entry() {
            let at = next.key().0;
            if at > now {
                break;
            }
            let id = next.remove();
            match self.messages.get(&id).map(|entry| &entry.state) {
                Some(State::Waiting { .. }) => self.expire(&id, at),
                _ => self.forget(&id),
            }
        }
    }

    /// Writes a message down.
    pub(super) fn enter(&mut self, message: Arc<Message>, size: u64, state: State) {
        let (number, sent_at) = (self.next_number(), message.sent_at);
        self.put(message, (number, number), size, sent_at, state);
    }

    /// Writes a message down that is whole, and delivers it, or reports why it can go nowhere.
    pub(super) fn enter_whole(&mut self, message: Arc<Message>, content: Content) {
        let number = self.next_number();
        let size = content.chunks.size();
        self.put_delivered(message, number, size, content);
    }

    /// Delivers a message that is written down, now that its content is whole.
    pub(super) fn deliver(&mut self, id: &MessageId, content: Content) {
        let Some(Entry { message, number, size, .. }) = self.messages.get(id) else { return };
        let (message, number, size) = (Arc::clone(message), *number, *size);
        self.put_delivered(message, number, size, content);
    }

    /// Puts a message into another state.
    pub(super) fn move_to(&mut self, id: &MessageId, state: State) {
        let Some(entry) = self.messages.get(id) else { return };
        let (message, places, size) = (Arc::clone(&entry.message), (entry.number, entry.place), entry.size);
        self.put(message, places, size, entry.delivered_at, state);
    }

    fn put(
        &mut self,
        message: Arc<Message>,
        (number, place): (u64, u64),
        size: u64,
        delivered_at: DateTime<Utc>,
        state: State,
    ) {
        let id = message.id.clone();
        let finished = state.is_final().then(|| self.next_number());
        let is_gone = finished.is_some() && state.chunks().is_none();
        let message = if is_gone { message.without_long_type() } else { message };
        self.replace(&id, Some(Entry { message, number, size, place, delivered_at, finished, state }));
        while self.finished.len() > self.remembered || self.said_of_finished > self.remembered_bytes {
            let Some((_, oldest)) = self.finished.pop_first() else { break };
            self.forget(&oldest);
        }
    }

    /// Puts a message with its content into its recipient's inbox, or reports why it can go nowhere.
    fn put_delivered(&mut self, message: Arc<Message>, number: u64, size: u64, content: Content) {
        let at = content.delivered_at;
        match self.receiver_of(&message) {
            Err(code) => {
                let state = State::Failed { at, failure: Box::new(code.into()) };
                self.put(Arc::clone(&message), (number, number), size, at, state);
                self.report(&message, code.into(), at);
            }
            Ok(receiver) => {
                let until = at + self.switches.expiry.in_inbox();
                let place = self.next_number();
                let state = State::Waiting { content: Arc::new(content), until };
                self.put(Arc::clone(&message), (number, place), size, at, state);
                if receiver != Receiver::Dormant {
                    self.acknowledge(&message.id, at);
                    self.answer(&message, receiver, at);
                }
            }
        }
    }

    /// What the recipient of a message does with it, or why there is none.
    fn receiver_of(&self, message: &Message) -> Result<Receiver, ErrorCode> {
        let recipient = message.recipient.as_ref().map_err(|code| *code)?;
        self.mailboxes.get(recipient).map(|mailbox| mailbox.receiver).ok_or(ErrorCode::UnregisteredTo)
    }

    /// Takes a message out of the books.
    pub(super) fn forget(&mut self, id: &MessageId) {
        self.replace(id, None);
    }

    /// Notes where an entry is found.
    pub(super) fn index(&mut self, entry: &Entry) {
        let message = &entry.message;
        self.space.hold(entry.beside());
        if let Some(key) = local_id(message) {
            self.local_ids.entry(key).or_default().insert(message.id.clone());
        }
        if let (State::Waiting { .. }, Ok(recipient)) = (&entry.state, &message.recipient) {
            let inbox = match self.inboxes.get_mut(recipient) {
                Some(inbox) => inbox,
                None => self.inboxes.entry(recipient.clone()).or_default(),
            };
            inbox.insert(entry.place, Arc::clone(message));
        }
        if let Some(place) = entry.finished {
            self.finished.insert(place, message.id.clone());
            self.said_of_finished += entry.said();
        }
        self.due.insert((entry.due(self.switches.expiry.message), entry.number), message.id.clone());
    }

    /// Undoes that.
    pub(super) fn strike(&mut self, entry: &Entry) {
        let message = &entry.message;
        self.space.release(entry.beside());
        if let Some(key) = local_id(message)
            && let Some(ids) = self.local_ids.get_mut(&key)
        {
            ids.remove(&message.id);
            if ids.is_empty() {
                self.local_ids.remove(&key);
            }
        }
        if let (State::Waiting { .. }, Ok(recipient)) = (&entry.state, &message.recipient)
            && let Some(inbox) = self.inboxes.get_mut(recipient)
        {
            inbox.remove(&entry.place);
        }
        if let Some(place) = &entry.finished {
            self.finished.remove(place);
            self.said_of_finished -= entry.said();
        }
        self.due.remove(&(entry.due(self.switches.expiry.message), entry.number));
    }

    /// Marks a message as failed, and reports it to its sender.
    pub(super) fn fail(&mut self, message: &Message, failure: Failure, at: DateTime<Utc>) {
        self.move_to(&message.id, State::Failed { at, failure: Box::new(failure.clone()) });
        self.report(message, failure, at);
    }

    pub(super) fn acknowledge(&mut self, id: &MessageId, at: DateTime<Utc>) {
        let serve = self.switches.acknowledged == Past::Served;
        if let Some(State::Waiting { content, .. }) = self.messages.get(id).map(|entry| &entry.state) {
            let content = serve.then(|| Arc::clone(content));
            self.move_to(id, State::Acknowledged { at, content });
        }
    }

    pub(super) fn expire(&mut self, id: &MessageId, at: DateTime<Utc>) {
        if let Some(message) = self.lapse(id, at) {
            let after = self.switches.expiry.in_inbox();
            self.report(&message, Failure::undelivered(after), at);
        }
    }

    /// Takes a message that waits out of the inbox as not collected, and tells nobody.
    pub(super) fn lapse(&mut self, id: &MessageId, at: DateTime<Utc>) -> Option<Arc<Message>> {
        let serve = self.switches.expired == Past::Served;
        let entry = self.messages.get(id)?;
        let State::Waiting { content, .. } = &entry.state else { return None };
        let (message, content) = (Arc::clone(&entry.message), serve.then(|| Arc::clone(content)));
        self.move_to(id, State::Undeliverable { at, content });
        Some(message)
    }

    /// An ID in the shape that MESH gives: time to the microsecond and six hexadecimal digits
    /// (OpenAPI, examples of "Send message").
    pub(super) fn unused_id(&mut self, now: DateTime<Utc>) -> MessageId {
        loop {
            let text = match self.switches.message_ids {
                MessageIds::Timed => timed_id(now, self.random.three()),
                MessageIds::Hexadecimal => format!("{:X}", uuid::Uuid::new_v4().simple()),
            };
            match MessageId::parse(&text) {
                Ok(id) if !self.messages.contains_key(&id) => return id,
                _ => {}
            }
        }
    }

    fn next_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }
}

fn timed_id(now: DateTime<Utc>, random: [u8; 3]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut id = in_digits(now);
    id.push('_');
    id.extend(
        random
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0xf])
            .map(|digit| char::from(DIGITS[usize::from(digit)])),
    );
    id
}

fn local_id(message: &Message) -> Option<(MailboxId, String)> {
    let given = message.headers.passed_through.iter().find(|(name, _)| *name == MEX_LOCAL_ID);
    let ((_, local_id), sender) = given.zip(message.sender.as_ref())?;
    Some((sender.clone(), local_id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of "Send message" in the OpenAPI.
    #[test]
    fn an_id_is_the_time_and_six_hexadecimal_digits_in_capitals() {
        let at = DateTime::from_timestamp_micros(1_590_767_637_895_317).unwrap();
        assert_eq!(timed_id(at, [0x35, 0x73, 0xf8]), "20200529155357895317_3573F8");
    }
}
