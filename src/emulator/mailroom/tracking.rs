//! What became of what was sent: for its sender only.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Entry, Mailroom, Rooms, State};
use crate::{
    emulator::switches::Expiry,
    protocol::{
        Correspondent, Failure, LocalId, MailboxId, MessageId, Tracked, TrackingStatus,
        headers::{
            MEX_CONTENT_CHECKSUM, MEX_CONTENT_COMPRESSED, MEX_CONTENT_ENCRYPTED, MEX_FILE_NAME, MEX_LOCAL_ID,
            MEX_PARTNER_ID, MEX_SUBJECT,
        },
    },
};

/// More than one message has the local ID: 300 (OpenAPI, "Track outbox (deprecated)").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguous;

impl Mailroom {
    /// A message that the mailbox sent; `None` when it sent none by this ID.
    pub(in crate::emulator) fn track(&self, sender: &MailboxId, id: &MessageId) -> Option<Tracked> {
        let rooms = self.rooms();
        let entry = rooms.messages.get(id)?;
        (entry.message.sender.as_ref() == Some(sender)).then(|| rooms.tracked(entry))
    }

    /// Any message, whoever asks.
    pub(in crate::emulator) fn inspect(&self, id: &MessageId) -> Option<Tracked> {
        let rooms = self.rooms();
        rooms.messages.get(id).map(|entry| rooms.tracked(entry))
    }

    /// The one message that the mailbox sent under a local ID.
    pub(in crate::emulator) fn track_local_id(
        &self,
        sender: &MailboxId,
        local_id: &LocalId,
    ) -> Result<Option<Tracked>, Ambiguous> {
        let rooms = self.rooms();
        let ids = rooms.local_ids.get(&(sender.clone(), local_id.as_str().to_owned()));
        let mut ids = ids.into_iter().flatten();
        match (ids.next(), ids.next()) {
            (Some(_), Some(_)) => Err(Ambiguous),
            (id, _) => Ok(id.and_then(|id| rooms.messages.get(id)).map(|entry| rooms.tracked(entry))),
        }
    }
}

impl Rooms {
    pub(super) fn tracked(&self, entry: &Entry) -> Tracked {
        let message = &entry.message;
        let given = |name| {
            let given = message.headers.passed_through.iter().find(|(given, _)| *given == name);
            given.map(|(_, value)| value.clone())
        };
        let (status, status_at, failure) = status(entry, self.switches.expiry);
        let expires_at = match &entry.state {
            State::Waiting { until, .. } => *until,
            State::Undeliverable { at, .. } => entry.delivered_at + waited(entry, *at, self.switches.expiry),
            _ => entry.delivered_at + self.switches.expiry.in_inbox(),
        };
        Tracked {
            message_id: message.id.clone(),
            local_id: given(MEX_LOCAL_ID),
            workflow: message.workflow().clone(),
            file_name: given(MEX_FILE_NAME),
            subject: given(MEX_SUBJECT),
            checksum: given(MEX_CONTENT_CHECKSUM),
            partner_id: given(MEX_PARTNER_ID),
            compressed: given(MEX_CONTENT_COMPRESSED).is_some_and(|flag| flag == "Y"),
            encrypted: given(MEX_CONTENT_ENCRYPTED).is_some_and(|flag| flag == "Y"),
            reported: message.report.as_ref().map(|report| report.failure.clone()),
            linked: message.report.as_ref().and_then(|report| report.linked.clone()),
            chunk_count: message.headers.chunk_range.total().get(),
            encoding: message.headers.encoding,
            size: entry.size,
            sent_at: message.sent_at,
            expires_at,
            status_at,
            status,
            failure,
            sender: self.correspondent(message.sender.as_ref(), "MESH"),
            recipient: self.correspondent(message.recipient.as_ref().ok(), &message.headers.to),
        }
    }

    /// A mailbox, or an address that is nobody's.
    fn correspondent(&self, id: Option<&MailboxId>, address: &str) -> Correspondent {
        match id.and_then(|id| self.mailboxes.get(id)) {
            Some(mailbox) => mailbox.correspondent(),
            None => Correspondent {
                mailbox: id.map_or_else(|| address.to_owned(), MailboxId::to_string),
                ..Correspondent::default()
            },
        }
    }
}

/// What happened and when: by what is written down, since the limits may have been others then.
fn status(entry: &Entry, expiry: Expiry) -> (TrackingStatus, DateTime<Utc>, Option<Failure>) {
    match &entry.state {
        State::Uploading { .. } => (TrackingStatus::Uploading, entry.message.sent_at, None),
        State::Waiting { content, .. } => (TrackingStatus::Accepted, content.delivered_at, None),
        State::Acknowledged { at, .. } => (TrackingStatus::Acknowledged, *at, None),
        State::Undeliverable { at, .. } => {
            let failure = Failure::undelivered(waited(entry, *at, expiry));
            (TrackingStatus::Undeliverable, *at, Some(failure))
        }
        State::Failed { at, failure } => (TrackingStatus::Error, *at, Some(Failure::clone(failure))),
    }
}

/// How long it has waited, or was to wait where a test made it undeliverable, which is at no whole number of days.
fn waited(entry: &Entry, at: DateTime<Utc>, expiry: Expiry) -> TimeDelta {
    let waited = at - entry.delivered_at;
    let whole = TimeDelta::days(waited.num_days());
    if waited == whole && !whole.is_zero() { waited } else { expiry.in_inbox() }
}
