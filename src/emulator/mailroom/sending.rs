//! Taking messages in.

use std::sync::Arc;

use super::{
    Mailroom, Message, Rooms, State, StoredBody,
    content::{Chunks, Content},
};
use crate::{
    emulator::switches::UnknownRecipient,
    protocol::{ErrorCode, MailboxId, MeshError, MessageId, SendHeaders},
};

impl Mailroom {
    /// Takes a message in, or its first chunk, and delivers it when it is whole.
    ///
    /// Looks in the order in which mesh-sandbox 1.0.137 does: chunk range, recipient, workflow, body.
    pub(in crate::emulator) fn send(
        &self,
        sender: &MailboxId,
        headers: SendHeaders,
        body: StoredBody,
    ) -> Result<MessageId, MeshError> {
        let refuse = |code, message_id| Err(MeshError { code, message_id });
        let range = headers.chunk_range;
        if range.index().get() != 1 || range.total().get() > self.limits.chunks {
            return refuse(ErrorCode::InvalidChunkRange, None);
        }
        let now = self.clock.now();
        let mut rooms = self.rooms();
        let id = rooms.unused_id(now);
        let recipient = rooms.resolve(&headers);
        let message = Message {
            id: id.clone(),
            sender: Some(rooms.registered(sender).unwrap_or_else(|| sender.clone())),
            recipient: recipient.clone(),
            headers,
            sent_at: now,
            report: None,
        };
        if recipient == Err(ErrorCode::UnregisteredTo) {
            let told = self.switches.unknown_recipient == UnknownRecipient::IdAndReport;
            if told {
                // Written down, and reported to its sender.
                let content = Content { chunks: Chunks::first(body), delivered_at: now };
                rooms.enter_whole(Arc::new(message), content);
            }
            return refuse(ErrorCode::UnregisteredTo, told.then_some(id));
        }
        let chunked = range.total().get() > 1;
        if let Ok(recipient) = &recipient
            && let Err(code) =
                rooms.permits(self.switches.workflows, sender, recipient, message.workflow(), chunked)
        {
            return refuse(code, None);
        }
        if body.is_empty() {
            return refuse(ErrorCode::DataFileMissing, None);
        }
        let message = Arc::new(message);
        if chunked {
            let (size, until) = (body.size(), now + self.switches.expiry.message);
            let chunks = Arc::new(Chunks::first(body));
            rooms.enter(message, size, State::Uploading { chunks, until });
        } else {
            rooms.enter_whole(message, Content { chunks: Chunks::first(body), delivered_at: now });
        }
        Ok(id)
    }
}

impl Rooms {
    /// To whom an address leads.
    fn resolve(&self, headers: &SendHeaders) -> Result<MailboxId, ErrorCode> {
        if let Some(found) = self.route_patient(&headers.to, &headers.workflow) {
            return found;
        }
        let registered = MailboxId::parse(&headers.to).ok().and_then(|to| self.registered(&to));
        registered.ok_or(ErrorCode::UnregisteredTo)
    }

    /// The same ID, in the memory that all messages of a registered mailbox share.
    fn registered(&self, id: &MailboxId) -> Option<MailboxId> {
        self.mailboxes.get_key_value(id).map(|(registered, _)| registered.clone())
    }
}
