//! Listing an inbox, page by page.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE};
use thiserror::Error;

use super::{Entry, Mailroom, Rooms, State};
use crate::protocol::{InboxPage, InboxQuery, MailboxId, MessageId};

/// A `continue_from` that this endpoint did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be taken from links.next as it is")]
pub struct PlaceError;

impl Mailroom {
    /// A page of what waits in a mailbox, oldest first. Costs what the page costs, and what a filter passes over to fill
    /// it.
    pub(in crate::emulator) fn inbox(
        &self,
        mailbox: &MailboxId,
        query: &InboxQuery,
    ) -> Result<InboxPage, PlaceError> {
        let start = query.continue_from.as_deref().map(read_place).transpose()?.unwrap_or(0);
        Ok(self.page(mailbox, query, start))
    }

    /// The page after a message; the first when it does not wait. `continue_from` is passed over.
    pub(in crate::emulator) fn inbox_after(
        &self,
        mailbox: &MailboxId,
        query: &InboxQuery,
        message: &str,
    ) -> InboxPage {
        let waits = |entry: &&Entry| matches!(entry.state, State::Waiting { .. });
        let place = MessageId::parse(message).ok().and_then(|id| {
            let rooms = self.rooms();
            rooms.entry_to(mailbox, &id).filter(waits).map(|entry| entry.place)
        });
        self.page(mailbox, query, place.map_or(0, |place| place + 1))
    }

    /// The page after a message that was delivered to the mailbox, whether it still waits or not.
    pub(in crate::emulator) fn inbox_after_any(
        &self,
        mailbox: &MailboxId,
        query: &InboxQuery,
        message: &MessageId,
    ) -> Result<InboxPage, PlaceError> {
        let place = self.rooms().entry_to(mailbox, message).map(|entry| entry.place);
        Ok(self.page(mailbox, query, place.ok_or(PlaceError)? + 1))
    }

    fn page(&self, mailbox: &MailboxId, query: &InboxQuery, start: u64) -> InboxPage {
        let mut messages = if start == 0 { self.ghosts.of(mailbox) } else { Vec::new() };
        let rooms = self.rooms();
        let Some(inbox) = rooms.inboxes.get(mailbox) else {
            return InboxPage { approx_inbox_count: messages.len(), messages, continue_from: None };
        };
        let admits = |workflow| query.workflow_filter.as_ref().is_none_or(|filter| filter.admits(workflow));
        let mut waiting = inbox.range(start..).filter(|(_, message)| admits(message.workflow()));
        messages.extend(waiting.by_ref().take(query.max_results).map(|(_, message)| message.id.clone()));
        let continue_from = waiting.next().map(|(place, _)| write_place(*place));
        InboxPage { messages, approx_inbox_count: inbox.len(), continue_from }
    }

    /// How many messages wait in a mailbox.
    pub(in crate::emulator) fn count(&self, mailbox: &MailboxId) -> usize {
        self.rooms().inboxes.get(mailbox).map_or(0, BTreeMap::len)
    }
}

impl Rooms {
    /// A message that is addressed to a mailbox.
    fn entry_to(&self, mailbox: &MailboxId, id: &MessageId) -> Option<&Entry> {
        self.messages.get(id).filter(|entry| entry.message.recipient.as_ref() == Ok(mailbox))
    }
}

/// Opaque to clients, and at least 24 characters long as the OpenAPI has it.
pub fn write_place(place: u64) -> String {
    URL_SAFE.encode(format!("inbox place {place:020}"))
}

/// Reads what [`write_place`] wrote.
pub fn read_place(text: &str) -> Result<u64, PlaceError> {
    let decoded = URL_SAFE.decode(text).map_err(|_| PlaceError)?;
    let place = decoded.strip_prefix(b"inbox place ").and_then(|digits| std::str::from_utf8(digits).ok());
    let place = place.filter(|digits| digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()));
    place.and_then(|digits| digits.parse().ok()).ok_or(PlaceError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{chunk_with, mailbox, mailroom, send, send_with};
    use super::*;

    fn list(mailroom: &Mailroom, query: &str) -> InboxPage {
        mailroom.inbox(&mailbox("BOB"), &InboxQuery::parse(query).unwrap()).unwrap()
    }

    #[test]
    fn pages_join_to_the_whole_inbox_in_order() {
        let (mailroom, _) = mailroom();
        let sent: Vec<_> = (0..25).map(|_| send(&mailroom, "BOB", "W1", b"x").unwrap()).collect();
        let mut listed = Vec::new();
        let mut query = "max_results=10".to_owned();
        let mut sizes = Vec::new();
        loop {
            let page = list(&mailroom, &query);
            assert_eq!(page.approx_inbox_count, 25);
            sizes.push(page.messages.len());
            listed.extend(page.messages);
            match page.continue_from {
                Some(place) => query = format!("max_results=10&continue_from={place}"),
                None => break,
            }
        }
        assert_eq!((listed, sizes), (sent, vec![10, 10, 5]));
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        let (mailroom, _) = mailroom();
        (0..10).for_each(|_| drop(send(&mailroom, "BOB", "W1", b"x").unwrap()));
        assert_eq!(list(&mailroom, "max_results=10").continue_from, None);
    }

    #[test]
    fn a_filter_chooses_and_an_acknowledged_message_is_not_listed() {
        let (mailroom, _) = mailroom();
        let data = send(&mailroom, "BOB", "W1", b"x").unwrap();
        let ack = send(&mailroom, "BOB", "W1_ACK", b"x").unwrap();
        assert_eq!(list(&mailroom, "workflow_filter=*_ACK*").messages, std::slice::from_ref(&ack));
        assert_eq!(list(&mailroom, "workflow_filter=!*_ACK*").messages, std::slice::from_ref(&data));
        mailroom.acknowledge(&mailbox("BOB"), &data).unwrap();
        assert_eq!(list(&mailroom, "").messages, [ack]);
        assert_eq!(mailroom.count(&mailbox("BOB")), 1);
    }

    /// It was begun before others were sent, and was delivered after them.
    #[test]
    fn a_list_goes_on_after_a_chunked_message_where_that_was_delivered() {
        let (mailroom, _) = mailroom();
        let labels = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-chunk-range", "1:2")];
        let chunked = send_with(&mailroom, &labels, b"1").unwrap();
        send(&mailroom, "BOB", "W1", b"before").unwrap();
        chunk_with(&mailroom, &chunked, 2, "2:2", b"2").unwrap();
        let later = send(&mailroom, "BOB", "W1", b"later").unwrap();
        let after = || {
            let query = InboxQuery::parse("").unwrap();
            mailroom.inbox_after_any(&mailbox("BOB"), &query, &chunked).unwrap().messages
        };
        assert_eq!(after(), std::slice::from_ref(&later));
        mailroom.acknowledge(&mailbox("BOB"), &chunked).unwrap();
        assert_eq!(after(), [later], "acknowledged meanwhile");
    }

    proptest! {
        #[test]
        fn a_place_reads_back(place: u64) {
            let text = write_place(place);
            prop_assert!(text.len() >= 24);
            prop_assert_eq!(read_place(&text), Ok(place));
        }

        #[test]
        fn no_text_stops_the_reader(text in "\\PC{0,80}") {
            let _ = read_place(&text);
        }
    }
}
