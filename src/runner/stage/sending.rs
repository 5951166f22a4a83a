//! Messages that are sent whole (pack cases 201 and 202), and the inbox check that follows.

use std::sync::Arc;

use super::{Ask, Fault, Outgoing, Payload, Role, SentMessage, Stage};
use crate::{protocol::MailboxId, rules, tape::Exchange};

impl Stage {
    /// Has one side send a made-up message of `size` bytes to the other.
    ///
    /// # Errors
    /// When the counterpart cannot be made ready. Whether the send was accepted is for
    /// [`Stage::message_accepted`] to say.
    pub async fn send(&mut self, from: Role, size: u64, compress: bool) -> Result<(), Fault> {
        if from == Role::Counterpart {
            self.validate(Role::Counterpart).await?;
        }
        let to = self.mailbox(if from == Role::Product { Role::Counterpart } else { Role::Product });
        let message = Outgoing { compress, ..self.outgoing(to, &self.label, size) };
        let exchange = match from {
            Role::Product => self.product_sends_message(&message, None).await?,
            Role::Counterpart => self.counterpart.send(&message).await.exchange,
        };
        self.sent = Some(SentMessage { asked: message.payload.digest().await, exchange });
        Ok(())
    }

    /// Has the product send a message, as it is labelled and whatever comes of it.
    pub(super) async fn product_sends_message(
        &mut self,
        message: &Outgoing,
        chunk_bytes: Option<u64>,
    ) -> Result<Arc<Exchange>, Fault> {
        let acts = self.ask(Ask::Send { message, chunk_bytes }).await?;
        let send = rules::send_of(&acts, &message.to)?;
        rules::of_workflow(&send, &message.workflow)?;
        let labels = [
            ("Mex-LocalID", message.local_id.as_str()),
            ("Mex-Subject", &message.subject),
            ("Mex-FileName", &message.file_name),
        ];
        rules::labels_in_place(&send, &labels)?;
        let is_made = |local_id: &str| self.setting.ledger.has_labelled(local_id);
        rules::not_labelled_as_another(&send, &message.local_id, is_made)?;
        Ok(send)
    }

    /// A made-up message; its label makes it differ from others.
    pub(super) fn outgoing(&self, to: MailboxId, label: &str, size: u64) -> Outgoing {
        let local_id = format!("{}-{label}", self.setting.run_id);
        self.setting.ledger.labels(&local_id);
        Outgoing {
            to,
            workflow: self.setting.workflow.clone(),
            local_id,
            subject: format!("mesh-witness case {}", self.label),
            file_name: format!("mesh-witness-{label}.bin"),
            compress: false,
            payload: Payload::new(label, size),
        }
    }

    /// The send was accepted with a message ID.
    ///
    /// # Errors
    /// When it was not.
    pub fn message_accepted(&mut self) -> Result<(), Fault> {
        let send = Arc::clone(&self.sent()?.exchange);
        self.look(&send);
        if self.whole.is_some() {
            // What it is refused for, where it is refused.
            rules::split_before_compression(&send)?;
        }
        self.message = Some(rules::message_accepted(&send, &self.setting.tape.exchanges())?);
        // Of a message in chunks only the first is known to be accepted yet.
        if send.actor == Role::Product && self.whole.is_none() { self.stands_by_it() } else { Ok(()) }
    }

    /// The send, to be judged.
    ///
    /// # Errors
    /// When nothing was sent yet.
    pub fn send_exchange(&self) -> Result<Arc<Exchange>, Fault> {
        let send = Arc::clone(&self.sent()?.exchange);
        self.look(&send);
        Ok(send)
    }

    /// Has the product check its inbox.
    ///
    /// # Errors
    /// When the inbox is not listed.
    pub async fn product_checks_inbox(&mut self) -> Result<(), Fault> {
        let by_itself = self.sent.as_ref().map(|sent| self.after(&sent.exchange)).unwrap_or_default();
        let acts = match rules::inbox_checks(&by_itself).is_empty() {
            false if self.is_driven() => by_itself,
            _ => self.ask(Ask::CheckInbox).await?,
        };
        let listing = rules::inbox_check_of(&acts)?;
        rules::inbox_listed(&listing, &self.setting.tape.exchanges())?;
        self.stands_by_it()
    }

    /// The inbox check came directly after the send.
    ///
    /// # Errors
    /// When it did not.
    pub fn inbox_checked_directly(&self) -> Result<(), Fault> {
        let send = self.send_exchange()?;
        rules::inbox_checked_directly(&send, &self.own_exchanges())
    }
}
