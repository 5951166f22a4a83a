//! What MESH says no to (pack cases 701, 702, 704 and 705).

use std::{collections::BTreeMap, sync::Arc};

use super::{Ask, Fault, FaultKind, Role, SentMessage, Stage, asking::filed, out_of_order};
use crate::{
    protocol::{IdError, MailboxId, MessageId, Operation},
    rules,
    runner::setting::Lease,
    tape::{Exchange, Sha256},
};

/// A mailbox that nobody has.
const NO_MAILBOX: &str = "NOSUCHMAILBOX999";

impl Stage {
    /// Disables the product's mailbox: at an endpoint of our own at once, elsewhere by asking a person to
    /// have it done. Until it is enabled again, no other scenario may use it.
    ///
    /// # Errors
    /// The scenario is not run when nobody can disable it.
    pub async fn disable_product_mailbox(&mut self) -> Result<(), Fault> {
        let mailbox = self.mailbox(Role::Product);
        if matches!(self.lease, Lease::Shared(_)) {
            let request = format!(
                "Case {}: have NHS England disable mailbox {mailbox} now. Is it disabled?",
                self.label
            );
            if !self.confirms(request).await {
                return Err(self.not_run(
                    "somebody at NHS England has to disable the mailbox, and nobody has confirmed that it was: \
                     run this case on a terminal, by appointment",
                ));
            }
            self.lease.unusable = Some(format!("mailbox {mailbox} was disabled for case {}", self.label));
            return Ok(());
        }
        self.demand_own_endpoint()?.mailroom().set_active(&mailbox, false);
        Ok(())
    }

    /// Enables it again.
    ///
    /// # Errors
    /// When nobody has confirmed that it was: the run cannot go on with it.
    pub async fn enable_product_mailbox(&mut self) -> Result<(), Fault> {
        let mailbox = self.mailbox(Role::Product);
        if !matches!(self.lease, Lease::Shared(_)) {
            self.demand_own_endpoint()?.mailroom().set_active(&mailbox, true);
            return Ok(());
        }
        let request = format!("Case {}: have mailbox {mailbox} enabled again. Is it enabled?", self.label);
        // Whoever is asked plays no part in what was judged.
        self.lease.unusable = None;
        if self.confirms(request).await {
            return Ok(());
        }
        self.lease.unusable =
            Some(format!("mailbox {mailbox} was disabled for case {} and not enabled again", self.label));
        let remedy = "Have the mailbox enabled, and run what was not run.";
        Err(Fault::new(FaultKind::Endpoint, "nobody has confirmed that the mailbox is enabled again", remedy))
    }

    async fn confirms(&self, request: String) -> bool {
        match &self.setting.terms.operator {
            Some(operator) => operator.confirms(request).await,
            None => false,
        }
    }

    /// Has the product check its inbox, where that is to be refused.
    ///
    /// # Errors
    /// When it does not try.
    pub async fn product_tries_its_inbox(&mut self) -> Result<(), Fault> {
        let acts = self.ask(Ask::CheckInbox).await?;
        // A product may validate its mailbox first, and be refused there.
        let refused = acts.iter().find(|act| act.status() == Some(403)).cloned();
        self.refusal = Some(refused.map_or_else(|| rules::inbox_check_of(&acts), Ok)?);
        Ok(())
    }

    /// Has the product download a message that does not exist.
    ///
    /// # Errors
    /// The scenario is not run when the product does not try.
    pub async fn product_downloads_nothing(&mut self) -> Result<(), Fault> {
        let message = sent_by_nobody(&self.setting.run_id).map_err(|error| ours(&error))?;
        self.product_downloads(&message).await
    }

    /// Has the product download the message again, or although it is not listed any more.
    ///
    /// # Errors
    /// When there is no message. The scenario is not run when the product does not try.
    pub async fn product_downloads_again(&mut self) -> Result<(), Fault> {
        let message = self.message()?;
        self.product_downloads(&message).await
    }

    /// A driven product cannot be asked for one message: its inbox lists it, although it is not there.
    async fn product_downloads(&mut self, message: &MessageId) -> Result<(), Fault> {
        if self.is_driven() {
            let mailbox = self.mailbox(Role::Product);
            let Some(endpoint) = self.own_endpoint() else {
                return Err(self.not_run(
                    "only an endpoint of our own can bring a product to download a message that cannot be had: play \
                     this case against the emulator, by a configuration without endpoint",
                ));
            };
            endpoint.mailroom().list_although_gone(&mailbox, message);
        }
        let acts = self.ask(Ask::Download { message }).await?;
        let Some(download) = rules::Poll::refused(message, &acts) else {
            return Err(self.not_run(format!(
                "the product's inbox listed message {message}, which is not there, and the product did not download it: \
                 nothing was refused"
            )));
        };
        self.refusal = Some(download);
        Ok(())
    }

    /// Has the product send a message to a mailbox that nobody has.
    ///
    /// # Errors
    /// When it does not send it.
    pub async fn product_sends_to_nobody(&mut self, size: u64) -> Result<(), Fault> {
        let nobody = MailboxId::parse(NO_MAILBOX).map_err(|error| ours(&error))?;
        let message = self.outgoing(nobody, &self.label, size);
        let exchange = self.product_sends_message(&message, None).await?;
        // What it does after the first refusal is to be judged, not after its last try.
        let own = self.own_exchanges();
        let refused = |other: &&Arc<Exchange>| {
            other.actor == exchange.actor
                && other.operation == exchange.operation
                && other.status() == exchange.status()
        };
        self.refusal = Some(own.iter().find(refused).map_or_else(|| Arc::clone(&exchange), Arc::clone));
        self.sent = Some(SentMessage { asked: message.payload.digest().await, exchange });
        Ok(())
    }

    /// MESH said no in the way of the case.
    ///
    /// # Errors
    /// When it did not.
    pub fn was_refused(&self, status: u16) -> Result<(), Fault> {
        rules::answered(&*self.refusal()?, status, &self.setting.tape.exchanges())
    }

    /// The product copes with that.
    ///
    /// # Errors
    /// When it does not.
    pub fn product_copes(&self) -> Result<(), Fault> {
        let refusal = self.refusal()?;
        rules::copes(&refusal, &self.own_exchanges())?;
        if let Some(Operation::GetMessage(_, message) | Operation::HeadMessage(_, message)) =
            &refusal.operation
        {
            // It may have had the message before it was asked for it in vain.
            self.keeps_no_refusal(message.as_str(), &self.brought)?;
        }
        self.has_noticed(&refusal)
    }

    /// What the product holds under the ID of a message that it could not have is not the answer to that.
    pub(super) fn keeps_no_refusal(
        &self,
        message: &str,
        held: &BTreeMap<String, Sha256>,
    ) -> Result<(), Fault> {
        let held = held.get(&filed(message));
        let sent = self.many.get(message).or(self.sent.as_ref().map(|sent| &sent.asked));
        // It may have had the message otherwise, or have made its file beforehand.
        if held.is_none() || held == sent || held == Some(&Sha256::of(&[])) {
            return Ok(());
        }
        let what = format!("the product keeps the answer to a refused download as message {message}");
        let remedy = "Keep what was downloaded with 200 or 206: the body of any other answer is no message.";
        let fault = Fault::new(FaultKind::Product, what, remedy);
        Err(fault.comparing("no content", "some").from_source("Pack cases 704 and 705; OpenAPI: Get Message"))
    }

    /// The message was refused since nobody has that mailbox.
    ///
    /// # Errors
    /// When it was not.
    pub fn recipient_was_refused(&mut self) -> Result<(), Fault> {
        let refusal = self.refusal()?;
        self.message = rules::recipient_refused(&refusal, &self.setting.tape.exchanges())?;
        Ok(())
    }

    /// Where the refusal gave the message an ID, a report on it comes to the sender's inbox as well, as
    /// integration does it: the product takes it. Not every source has that, so its absence is a warning.
    ///
    /// # Errors
    /// When what comes is no report, or is not acknowledged.
    pub async fn product_takes_report_on_refusal(&mut self) -> Result<(), Fault> {
        let Some(message) = self.message.clone() else {
            self.note("The endpoint gave the message no ID, so there is no report to look for.");
            return Ok(());
        };
        match self.product_receives_report(&message).await? {
            Some(reported) => {
                rules::reports_on(&reported.download, &message)?;
                let taken =
                    rules::acknowledged_directly(&reported.report, &reported.download, &self.own_exchanges());
                self.note(format!("Report {} on message {message}", reported.report));
                taken?;
                self.stands_by_it()
            }
            None => {
                let what = format!("no report on message {message} came to the sender's inbox");
                let remedy =
                    "Integration was seen to write one; ask whoever runs the endpoint whether it should.";
                let fault = Fault::new(FaultKind::Endpoint, what, remedy);
                self.warn(fault.from_source(
                    "Pack case 702, as suppliers report it; OpenAPI: Asynchronous error reporting",
                ));
                Ok(())
            }
        }
    }

    fn refusal(&self) -> Result<Arc<Exchange>, Fault> {
        let refusal = self.refusal.clone().ok_or_else(|| out_of_order("a call that is refused"))?;
        self.look(&refusal);
        Ok(refusal)
    }
}

fn ours(error: &dyn std::error::Error) -> Fault {
    Fault::new(FaultKind::Harness, error.to_string(), "This is a fault of mesh-witness: please report it.")
}

/// The ID of a message that nobody sent. Another in each run: a product that remembers what it tried to download would
/// not try again.
fn sent_by_nobody(run_id: &str) -> Result<MessageId, IdError> {
    let digest = Sha256::of(run_id.as_bytes()).to_string().to_ascii_uppercase();
    let suffix: String = digest.chars().take(6).collect();
    let digits: String =
        digest.chars().skip(6).filter(char::is_ascii_digit).chain("000000".chars()).take(6).collect();
    MessageId::parse(&format!("20200229120000{digits}_{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_runs_ask_for_the_same_message_that_nobody_sent() {
        let ids: Vec<String> = ["", "a", "20261201T120000Z-1", "20261201T120000Z-2"]
            .map(|run| sent_by_nobody(run).unwrap().to_string())
            .to_vec();
        assert!(ids.iter().enumerate().all(|(place, id)| !ids[..place].contains(id)), "{ids:?}");
        assert!(ids.iter().all(|id| id.len() == 27 && id.starts_with("20200229120000")), "{ids:?}");
    }
}
