//! Judging what the product did when things were hard for it.

use std::sync::Arc;

use super::{Fault, FaultKind, Role, Stage, chunks::sent_whole, out_of_order};
use crate::{product::list_all, protocol::Operation, rules, tape::Exchange};

impl Stage {
    /// The product did not make the same call again and again.
    ///
    /// # Errors
    /// When it did so beyond measure; a warning where it did so more than is good.
    pub fn did_not_storm(&self) -> Result<(), Fault> {
        let calls = rules::no_storm(&self.trial.acts)?;
        let connections = rules::no_storm_of_connections(&self.trial.attempts)?;
        calls.into_iter().chain(connections).for_each(|fault| self.warn(fault));
        Ok(())
    }

    /// It waited for as long as it was told. Not to wait is a warning.
    pub fn waited_as_told(&self) {
        self.warning(rules::waits_as_told(&self.trial.acts));
    }

    /// It did not take what failed for a success, as far as its driver says what it believes.
    ///
    /// # Errors
    /// When it did; or when it believes that it failed, and in the end it did not.
    pub fn noticed(&self) -> Result<(), Fault> {
        let acts = &self.trial.acts;
        if !self.trial.attempts.is_empty() {
            return match &self.said {
                Some(said) if said.succeeded == Some(true) => {
                    Err(rules::took_impostor_for_mesh(&self.trial.attempts, &said.how))
                }
                _ => Ok(()),
            };
        }
        let sends = acts
            .iter()
            .any(|act| matches!(&act.operation, Some(Operation::SendMessage(_) | Operation::SendChunk(..))));
        let failed = if sends {
            if rules::is_sent(acts, &self.own_exchanges()) {
                return self.stands_by_it();
            }
            rules::last_failed(acts)
        } else {
            self.collected_nothing()
        };
        // Who has found out is right to call it a success, and who leaves it to a person is, too.
        let Some(failed) = failed.filter(|_| !rules::was_found_by_tracking(acts)) else { return Ok(()) };
        match &self.said {
            Some(said) if said.succeeded == Some(true) => Err(rules::took_for_success(failed, &said.how)),
            Some(said) if said.was_ended => {
                self.warn(rules::did_not_give_up(acts.len(), &said.how));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The call by which a handshake or a look into the inbox came to nothing. Another that went well makes none of it: a
    /// mailbox that was validated once more is not looked into by that.
    fn collected_nothing(&self) -> Option<&Arc<Exchange>> {
        let acts = &self.trial.acts;
        let is_handshake = |operation: &Operation| matches!(operation, Operation::Handshake(_));
        let is_check = |operation: &Operation| matches!(operation, Operation::CheckInbox(_));
        let check = rules::last_of(acts, is_check).filter(|_| !self.trial.is_handshake);
        check.or_else(|| rules::last_of(acts, is_handshake)).filter(|last| !last.is_good())
    }

    /// It did not send by itself again what may have been accepted. To do so is a warning.
    pub fn sent_with_care(&self) {
        self.warning(rules::sends_with_care(&self.trial.acts));
    }

    /// It waited for an answer that came late. Not to wait is a warning.
    pub fn waited_for_answers(&self) {
        self.warning(rules::waits_for_answers(&self.trial.acts));
    }

    /// It sent no further chunk after one that was refused. To do so is a warning.
    pub fn stopped_sending_chunks(&self) {
        self.warning(rules::stops_sending_chunks(&self.trial.acts));
    }

    /// The last send was accepted, and is what was to be sent.
    ///
    /// # Errors
    /// When it was not, or is something else.
    pub async fn sent_in_the_end(&mut self) -> Result<(), Fault> {
        self.message_accepted()?;
        if !rules::is_sent(&self.trial.acts, &self.own_exchanges()) {
            let what = "the message was not sent whole, although MESH is well again";
            let remedy =
                "Send again what was not accepted of a message in chunks, or begin anew with the first.";
            let fault = Fault::new(FaultKind::Product, what, remedy);
            return Err(fault.from_source("OpenAPI: Send chunked message"));
        }
        self.sent_what_was_asked().await?;
        self.stands_by_it()
    }

    /// By digest: of the whole, or chunk by chunk where it was sent in chunks.
    async fn sent_what_was_asked(&self) -> Result<(), Fault> {
        let sent = self.sent()?;
        let sends = rules::accepted_sends_of(&self.message()?, &sent.exchange, &self.own_exchanges());
        match (sends.as_slice(), &self.trial.sending) {
            ([_, _, ..], Some((message, _))) => sent_whole(&message.payload, &sends).await,
            _ => rules::sent_as_asked(sent.asked, &sent.exchange),
        }
    }

    /// The counterpart has the message, once. More than once is a warning.
    ///
    /// # Errors
    /// When it has none, or its inbox cannot be listed.
    pub async fn arrived_once(&mut self) -> Result<(), Fault> {
        self.validate(Role::Counterpart).await?;
        let listing = list_all(&mut self.counterpart).await;
        self.judge_complete(&listing.pages, listing.complete)?;
        if listing.messages.is_empty() {
            let what = "the message is not in the recipient's inbox";
            let remedy = "See that a send was answered 202 before it is taken for done.";
            return Err(Fault::new(FaultKind::Product, what, remedy).from_source("OpenAPI: Send message"));
        }
        self.warning(rules::arrived_once(listing.messages.len()));
        Ok(())
    }

    /// Nothing was acknowledged that had not been downloaded whole.
    ///
    /// # Errors
    /// When something was.
    pub fn acknowledged_only_whole(&self) -> Result<(), Fault> {
        rules::acknowledges_only_whole(self.expected().iter().map(String::as_str), &self.own_exchanges())
    }

    /// Everything that waited was taken in the end: downloaded whole, unaltered, acknowledged after that, and
    /// held, as far as the product shows it.
    ///
    /// # Errors
    /// When something is lost.
    pub fn took_everything(&self) -> Result<(), Fault> {
        self.took(None)?;
        self.stands_by_it()
    }

    /// The same for everything but the message that could not be had, which was not acknowledged.
    ///
    /// # Errors
    /// When something is lost, or was acknowledged that was not had.
    pub fn took_everything_else(&self) -> Result<(), Fault> {
        let refused = self.trial.refused.clone();
        let refused = refused.ok_or_else(|| out_of_order("a message of which the download is refused"))?;
        rules::left_alone(&refused, &self.own_exchanges())?;
        if let Some(held) = &self.received {
            self.keeps_no_refusal(refused.as_str(), held)?;
        }
        self.took(Some(refused.as_str()))
    }

    fn took(&self, but: Option<&str>) -> Result<(), Fault> {
        let own = self.own_exchanges();
        let expected = self.expected();
        let expected = || expected.iter().map(String::as_str).filter(|id| Some(*id) != but);
        rules::acknowledges_only_whole(expected(), &own)?;
        rules::taken_in_the_end(expected(), &own)?;
        let mut sent = self.many.clone();
        // One that travelled in chunks is judged by them.
        if let (Some(id), Some(one), None) = (&self.message, &self.sent, &self.whole)
            && expected().any(|waited| waited == id.as_str())
        {
            sent.insert(id.to_string(), one.asked);
        }
        sent.retain(|id, _| Some(id.as_str()) != but);
        rules::unaltered_in_the_end(&sent, &own)?;
        self.holds_all(&sent)
    }

    /// The chunks that the product downloaded are the whole that was sent, and the whole is what it holds.
    ///
    /// # Errors
    /// When they are not.
    pub async fn whole_in_the_end(&self) -> Result<(), Fault> {
        let message = self.message()?;
        rules::acknowledges_only_whole([message.as_str()], &self.own_exchanges())?;
        rules::taken_in_the_end([message.as_str()], &self.own_exchanges())?;
        self.chunks_are_the_whole(&rules::chunks_in_the_end(&message, &self.own_exchanges())).await?;
        self.holds(message.as_str(), self.sent()?.asked)?;
        self.stands_by_it()
    }

    fn warning(&self, found: Result<(), Fault>) {
        if let Err(fault) = found {
            self.warn(fault);
        }
    }
}
