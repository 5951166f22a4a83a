//! Everything that a mailbox has had or has sent, for the lists that only mesh-sandbox has.

use chrono::{DateTime, Utc};

use super::{Entry, Mailroom, State};
use crate::protocol::{MailboxId, Tracked};

/// A page of such a list.
pub struct RichPage {
    /// The newest first.
    pub messages: Vec<Tracked>,
    /// Below which number the next page starts; `None` when this is the last.
    pub before: Option<u64>,
}

impl Mailroom {
    /// What was delivered to a mailbox, also what it has acknowledged. Looks at every message there is.
    pub(in crate::emulator) fn received(
        &self,
        mailbox: &MailboxId,
        since: DateTime<Utc>,
        before: u64,
        most: usize,
    ) -> RichPage {
        let of_it = |entry: &Entry| {
            entry.message.recipient.as_ref() == Ok(mailbox) && !matches!(entry.state, State::Uploading { .. })
        };
        self.newest(since, before, most, of_it)
    }

    /// What a mailbox has sent. Looks at every message there is.
    pub(in crate::emulator) fn sent_by(
        &self,
        mailbox: &MailboxId,
        since: DateTime<Utc>,
        before: u64,
        most: usize,
    ) -> RichPage {
        self.newest(since, before, most, |entry| entry.message.sender.as_ref() == Some(mailbox))
    }

    fn newest(
        &self,
        since: DateTime<Utc>,
        before: u64,
        most: usize,
        chosen: impl Fn(&Entry) -> bool,
    ) -> RichPage {
        let rooms = self.rooms();
        let chosen = |entry: &&Entry| entry.number < before && entry.message.sent_at > since && chosen(entry);
        let mut found: Vec<&Entry> = rooms.messages.values().filter(chosen).collect();
        found.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.number));
        let more = found.len() > most;
        found.truncate(most);
        let before = found.last().filter(|_| more).map(|last| last.number);
        RichPage { messages: found.into_iter().map(|entry| rooms.tracked(entry)).collect(), before }
    }
}
