//! An inbox that holds more than one page (pack case 601).

use super::{Ask, Fault, FaultKind, Outgoing, Role, Stage};
use crate::{
    protocol::MAX_RESULTS_DEFAULT,
    rules::{self, WorkedOff},
};

/// How often a person is told how far it is.
const TOLD_EVERY: u64 = 50;

impl Stage {
    /// Has the counterpart send many messages to the product, one after the other.
    ///
    /// # Errors
    /// When one of them is not accepted.
    pub async fn counterpart_sends_many(&mut self, count: u64, size: u64) -> Result<(), Fault> {
        self.validate(Role::Counterpart).await?;
        let before = self.many.len() as u64;
        for number in 1..=count {
            let label = format!("{}-{}", self.label, before + number);
            let message: Outgoing = self.outgoing(self.mailbox(Role::Product), &label, size);
            let send = self.counterpart.send(&message).await.exchange;
            let accepted = match rules::message_accepted(&send, &[]) {
                Ok(accepted) => accepted,
                // With the whole tape at hand there is more to be said.
                Err(_) => rules::message_accepted(&send, &self.setting.tape.exchanges())?,
            };
            self.many.insert(accepted.to_string(), message.payload.digest().await);
            if number % TOLD_EVERY == 0 {
                self.tell(&format!("case {}: {number} of {count} messages sent", self.label));
            }
        }
        Ok(())
    }

    /// Asks the product to work its inbox off.
    ///
    /// # Errors
    /// When it cannot be asked, or does nothing.
    pub async fn product_works_inbox_off(&mut self) -> Result<(), Fault> {
        self.wait_for_delivery().await;
        let expected = self.many.keys().cloned().collect();
        self.ask(Ask::Drain { expected: &expected }).await.map(drop)
    }

    /// A driven product is asked for its first look once all of them can have arrived: what has not would not be
    /// on the first page. Nobody else may look into its mailbox.
    async fn wait_for_delivery(&self) {
        if self.setting.relay.is_some() && self.setting.real {
            let time = self.counterpart.delivery_timeout();
            (self.setting.notice)(&format!(
                "waiting {} s for {} messages to arrive",
                time.as_secs(),
                self.many.len()
            ));
            tokio::time::sleep(time).await;
        }
    }

    /// The inbox was worked off page by page.
    ///
    /// # Errors
    /// When it was not.
    pub fn worked_off_in_pages(&mut self) -> Result<(), Fault> {
        let worked_off = rules::worked_off_in_pages(self.many.len(), &self.own_exchanges())?;
        let WorkedOff { most, downloads, .. } = &worked_off;
        let most = *most;
        let pages: Vec<String> = downloads.iter().map(ToString::to_string).collect();
        self.note(format!("Messages downloaded after each look at the inbox: {}", pages.join(", ")));
        if !worked_off.shows_paging {
            return Err(self.not_run(format!(
                "the product asks for pages of {most} messages (max_results), which {} do not fill: nothing shows that \
                 it looks again after a full page",
                self.many.len()
            )));
        }
        if most != MAX_RESULTS_DEFAULT {
            let what = format!(
                "the product asks for pages of {most} messages, and the pack's case is about pages of 500"
            );
            let remedy = "Leave max_results off for the session, or tell the assessor: the server's log has other numbers than the case.";
            let fault = Fault::new(FaultKind::Product, what, remedy);
            self.warn(fault.from_source("Pack case 601; OpenAPI: Check an inbox, max_results"));
        }
        if let Err(fault) = worked_off.page_after_page() {
            self.warn(fault);
        }
        Ok(())
    }

    /// Each message was downloaded once, unaltered, and acknowledged in the next call.
    ///
    /// # Errors
    /// When one was not.
    pub fn each_collected_once(&self) -> Result<(), Fault> {
        rules::each_collected_once(&self.many, &self.own_exchanges())?;
        self.holds_all(&self.many)?;
        self.stands_by_it()
    }

    pub(super) fn tell(&self, progress: &str) {
        if let Some(operator) = &self.setting.terms.operator {
            operator.tell(progress);
        }
    }
}
