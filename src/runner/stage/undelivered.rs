//! A message that nobody collects (pack case 703): five days at an endpoint whose time can be moved, two
//! runs elsewhere.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Ask, Fault, FaultKind, Reported, SentMessage, Stage, out_of_order};
use crate::runner::stage_endpoint::immovable;
use crate::{protocol::MessageId, rules, runner::Pending};

/// How long a message waits for its recipient (OpenAPI, "Outbox workflow"), and a little more.
const FIVE_DAYS: TimeDelta = TimeDelta::days(5);
const A_LITTLE: TimeDelta = TimeDelta::hours(1);

impl Stage {
    /// The product has sent a message to the mailbox that nobody polls: in this run, or in the one that
    /// this run goes on with.
    ///
    /// # Errors
    /// When there is no such mailbox, or the message is not accepted.
    pub async fn product_has_sent_to_dormant(&mut self, size: u64) -> Result<(), Fault> {
        if let Some(pending) = self.taken_up() {
            let run = self.setting.terms.resumed.as_ref().map(|run| run.run_id.clone()).unwrap_or_default();
            let sent = stamp(pending.sent_at);
            self.note(format!("Taken up from run {run}: message {}, sent {sent}", pending.message));
            self.message = Some(pending.message);
            return Ok(());
        }
        let Some(dormant) = self.lease.dormant.clone() else {
            return Err(self.not_run(
                "a mailbox that nobody polls is needed: name it in the configuration under mailboxes.dormant",
            ));
        };
        let message = self.outgoing(dormant, &self.label, size);
        let exchange = self.product_sends_message(&message, None).await?;
        self.sent = Some(SentMessage { asked: message.payload.digest().await, exchange });
        self.message_accepted()
    }

    /// Nobody has collected the message for five days: lets them pass where time can be moved; elsewhere
    /// they must have passed, here and at the endpoint, or the run is to be gone on with.
    ///
    /// # Errors
    /// The scenario is not run when the days have not passed.
    pub fn five_days_have_passed(&mut self) -> Result<(), Fault> {
        let message = self.message()?;
        if let Some(endpoint) = self.own_endpoint() {
            return endpoint.clock().move_by(FIVE_DAYS + A_LITTLE).map_err(|error| immovable(&error));
        }
        let pending = match self.taken_up() {
            Some(pending) => pending,
            None => {
                let sent_at = rules::time_at_endpoint(&self.sent()?.exchange);
                let due = sent_at.checked_add_signed(FIVE_DAYS + A_LITTLE).unwrap_or(sent_at);
                Pending { case: self.label.clone(), message, sent_at, due }
            }
        };
        let tape = self.setting.tape.exchanges();
        let last = tape.iter().rev().find(|exchange| exchange.response.is_some());
        let Some(time) = rules::still_before(pending.due, Utc::now(), last.map(Arc::as_ref)) else {
            return Ok(());
        };
        let (due, time) = (stamp(pending.due), stamp(time));
        self.setting.ledger.leave(pending);
        Err(self.not_run(format!(
            "come back after {due}, it is {time}: mesh-witness run --resume with this bundle goes on with the message"
        )))
    }

    /// Has the product look for the report on the message.
    ///
    /// # Errors
    /// When none comes.
    pub async fn product_takes_report(&mut self) -> Result<(), Fault> {
        let message = self.message()?;
        self.reported = self.product_receives_report(&message).await?;
        match &self.reported {
            Some(reported) => {
                self.note(format!("Report {} on message {message}", reported.report));
                Ok(())
            }
            None => {
                let what = format!("there is no report on message {message} in the sender's inbox");
                let remedy = "Make sure that nobody has collected the message, and that nothing else empties the product's inbox; then give the message ID to whoever runs the endpoint.";
                // So that another run can look again.
                if let Some(pending) = self.taken_up() {
                    self.setting.ledger.leave(pending);
                }
                let fault = Fault::new(FaultKind::Endpoint, what, remedy);
                Err(fault.from_source("Pack case 703; OpenAPI: Asynchronous error reporting"))
            }
        }
    }

    /// Asks the product to collect a report; what of it stands on the tape.
    pub(super) async fn product_receives_report(
        &mut self,
        about: &MessageId,
    ) -> Result<Option<Reported>, Fault> {
        let acts = self.ask(Ask::TakeReport { about, is_report: rules::is_report_on }).await?;
        let reported = rules::report_of(about, &acts).map(|(report, download)| Reported { report, download });
        // The reference client looks at messages without taking them.
        if reported.is_none() && self.is_driven() {
            rules::was_shown_inbox(&acts, &self.setting.tape.exchanges())?;
            rules::looks_for_workflow(&rules::inbox_checks(&acts), &self.setting.workflow)?;
            // Elsewhere something may wait that is not for this product.
            if self.own_endpoint().is_some() {
                rules::left_nothing(&acts)?;
            }
        }
        Ok(reported)
    }

    /// The report says that the message was not delivered.
    ///
    /// # Errors
    /// When it says something else.
    pub fn report_says_undelivered(&self) -> Result<(), Fault> {
        let (message, reported) = (self.message()?, self.reported()?);
        self.look(&reported.download);
        rules::reports_on(&reported.download, &message)?;
        if let Err(fault) = rules::says_undelivered(&reported.download) {
            self.warn(fault);
        }
        Ok(())
    }

    /// The report was acknowledged in the call after its one download.
    ///
    /// # Errors
    /// When it was not.
    pub fn report_acknowledged_directly(&self) -> Result<(), Fault> {
        let reported = self.reported()?;
        rules::acknowledged_directly(&reported.report, &reported.download, &self.own_exchanges())?;
        self.stands_by_it()
    }

    /// The scenario goes on only where time can be moved.
    ///
    /// # Errors
    /// The scenario does not apply elsewhere.
    pub fn needs_movable_time(&mut self) -> Result<(), Fault> {
        if self.own_endpoint().is_some() {
            return Ok(());
        }
        Err(self.not_applicable(
            "time cannot be moved at this endpoint; the other scenario of this case needs no moved time, since its message was acknowledged",
        ))
    }

    /// The message that an earlier run has left for this case.
    fn taken_up(&self) -> Option<Pending> {
        let resumed = self.setting.terms.resumed.as_ref()?;
        resumed.pending.iter().find(|pending| pending.case == self.label).cloned()
    }

    fn reported(&self) -> Result<&Reported, Fault> {
        self.reported.as_ref().ok_or_else(|| out_of_order("a report"))
    }
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
