//! Messages that are received (pack cases 401 and 402): listed, downloaded, acknowledged, and gone.

use std::sync::Arc;

use super::{Ask, Fault, FaultKind, Role, Stage, out_of_order};
use crate::{
    product::{Collected, collect, list_all},
    protocol::MessageId,
    rules,
    tape::Exchange,
};

impl Stage {
    /// Has the counterpart list, download and acknowledge the message.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn counterpart_collects(&mut self) -> Result<(), Fault> {
        self.validate(Role::Counterpart).await?;
        let message = self.message()?;
        let collected = collect(&mut self.counterpart, &message, true).await;
        self.judge_collected(&message, &collected)?;
        let Collected { listing, downloads, acknowledge } = collected;
        self.collected = Some(rules::Poll { pages: listing.pages, downloads, acknowledge });
        Ok(())
    }

    /// Asks the product for a poll cycle. What it did is for the steps that follow to judge.
    ///
    /// # Errors
    /// When there is no message for it.
    pub async fn product_receives(&mut self, accept_gzip: bool) -> Result<(), Fault> {
        let message = self.message()?;
        let acts = self.ask(Ask::Receive { message: &message, takes_gzip: accept_gzip }).await?;
        self.collected = Some(rules::Poll::of(&message, &acts));
        Ok(())
    }

    /// The inbox check before the download listed the message.
    ///
    /// # Errors
    /// When it did not.
    pub fn message_was_listed(&self) -> Result<(), Fault> {
        let (message, poll) = (self.message()?, self.collected()?);
        poll.pages.iter().for_each(|page| self.look(page));
        if self.is_driven() {
            // A product need not look at an inbox to its end to find a message.
            rules::inbox_check_of(&poll.pages)?;
        } else {
            self.judge_complete(&poll.pages, poll.is_complete())?;
        }
        if self.is_listed(&message, &poll.pages)? {
            return Ok(());
        }
        self.judge_complete(&poll.pages, poll.is_complete())?;
        rules::looks_for_workflow(&poll.pages, &self.setting.workflow)?;
        Err(self.not_delivered(&message))
    }

    /// The download, which was a success, to be judged further.
    ///
    /// # Errors
    /// When there was none, or it failed.
    pub fn download_exchange(&self) -> Result<Arc<Exchange>, Fault> {
        self.collected()?.downloaded_first()?;
        let Some(download) = self.collected()?.downloads.first().cloned() else {
            let remedy = "Download each message that the inbox lists.";
            let fault = Fault::new(FaultKind::Product, "the message was not downloaded", remedy);
            return Err(fault.from_source("OpenAPI: Get Message"));
        };
        self.look(&download);
        rules::downloaded(&download, &self.setting.tape.exchanges())?;
        Ok(download)
    }

    /// The payload that was downloaded is the one that was sent, and the one that was asked for.
    ///
    /// # Errors
    /// When it is not.
    pub fn payload_unaltered(&self) -> Result<(), Fault> {
        let (send, download) = (self.send_exchange()?, self.download_exchange()?);
        rules::payload_unaltered(self.sent()?.asked, &send, &download)?;
        match download.actor {
            Role::Product => self.holds(self.message()?.as_str(), self.sent()?.asked),
            Role::Counterpart => Ok(()),
        }
    }

    /// The message was acknowledged in the call after its one download, and that was accepted.
    ///
    /// # Errors
    /// When it was not.
    pub fn acknowledged_directly(&self) -> Result<(), Fault> {
        let message = self.message()?;
        let download = match self.collected()?.downloads.as_slice() {
            [.., last] if self.whole.is_some() => Arc::clone(last),
            _ => self.download_exchange()?,
        };
        rules::acknowledged_directly(&message, &download, &self.own_exchanges())?;
        match &self.collected()?.acknowledge {
            Some(acknowledge) => {
                self.look(acknowledge);
                rules::acknowledged(acknowledge, &self.setting.tape.exchanges())?;
                self.stands_by_it()
            }
            None => Err(out_of_order("an acknowledgement")),
        }
    }

    /// Another look at the inbox does not list the message any more.
    ///
    /// # Errors
    /// When it does, or when the inbox cannot be listed.
    pub async fn message_is_gone(&mut self, from: Role) -> Result<(), Fault> {
        let message = self.message()?;
        let pages = match from {
            Role::Product => self.product_lists_again().await?,
            Role::Counterpart => {
                let listing = list_all(&mut self.counterpart).await;
                self.judge_complete(&listing.pages, listing.complete)?;
                listing.pages
            }
        };
        if !self.is_listed(&message, &pages)? {
            return Ok(());
        }
        let remedy =
            "Look at the answer to the acknowledgement; if it was 200, tell whoever runs the endpoint.";
        let fault = Fault::new(
            FaultKind::Endpoint,
            format!("message {message} is still listed after its acknowledgement"),
            remedy,
        );
        Err(fault.from_source("OpenAPI: Acknowledge message"))
    }

    /// The product's looks at its inbox after the acknowledgement: those that it has made by itself, or
    /// that it is asked for.
    async fn product_lists_again(&mut self) -> Result<Vec<Arc<Exchange>>, Fault> {
        let acknowledge = self.collected()?.acknowledge.clone();
        let by_itself = acknowledge.map(|acknowledge| self.after(&acknowledge)).unwrap_or_default();
        let pages = rules::inbox_checks(&by_itself);
        if self.is_driven() && !pages.is_empty() {
            return Ok(pages);
        }
        let acts = self.ask(Ask::List).await?;
        rules::inbox_check_of(&acts)?;
        let poll = rules::Poll { pages: rules::inbox_checks(&acts), ..rules::Poll::default() };
        if !self.is_driven() {
            self.judge_complete(&poll.pages, poll.is_complete())?;
        }
        Ok(poll.pages)
    }

    /// Whether one of the pages, as they stand on the tape, lists the message.
    fn is_listed(&self, message: &MessageId, pages: &[Arc<Exchange>]) -> Result<bool, Fault> {
        let tape = self.setting.tape.exchanges();
        for page in pages {
            if rules::inbox_listed(page, &tape)?.messages.iter().any(|listed| listed == message.as_str()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn judge_complete(&self, pages: &[Arc<Exchange>], complete: bool) -> Result<(), Fault> {
        if let Some(last) = pages.last() {
            rules::inbox_listed(last, &self.setting.tape.exchanges())?;
        }
        if complete {
            return Ok(());
        }
        let what = "the inbox could not be listed to its end";
        let remedy = "Look at links.next of the last page: it must be a path below /messageexchange/.";
        Err(Fault::new(FaultKind::Endpoint, what, remedy))
    }

    fn judge_collected(&self, message: &MessageId, collected: &Collected) -> Result<(), Fault> {
        let tape = self.setting.tape.exchanges();
        self.judge_complete(&collected.listing.pages, collected.listing.complete)?;
        match collected.downloads.as_slice() {
            [] => return Err(self.not_delivered(message)),
            [download] => rules::downloaded(download, &tape)?,
            chunks => rules::downloaded_in_chunks(chunks, &tape)?,
        }
        match &collected.acknowledge {
            Some(acknowledge) => rules::acknowledged(acknowledge, &tape),
            None => Err(out_of_order("an acknowledgement")),
        }
    }

    fn not_delivered(&self, message: &MessageId) -> Fault {
        let seconds = self.counterpart.delivery_timeout().as_secs();
        let what =
            format!("message {message} was accepted and is not in the recipient's inbox after {seconds} s");
        let remedy = "Delivery can take a while on integration: raise timeouts.delivery_seconds; if it never arrives, give the message ID to whoever runs the endpoint.";
        Fault::new(FaultKind::Endpoint, what, remedy).from_source("OpenAPI: Check an inbox")
    }
}
