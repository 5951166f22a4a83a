//! Making things hard for the product on purpose, and asking it to act then.

use std::{collections::BTreeSet, sync::Arc};

use tokio::time::Instant;

use super::{Ask, Fault, FaultKind, Outgoing, Role, SentMessage, Stage, out_of_order, trusting::Elsewhere};
use crate::{
    client::Payload,
    emulator::{Calls, Deed, PROVOKED, Provocation, ProvokedStatus, ReportRequest, Untrusted},
    protocol::{ErrorCode, Failure, MessageId},
    rules,
    tape::{Attempt, Exchange},
};

/// Chunks of very different sizes, in bytes: a tiny one among large ones, none of a round number.
const UNEVEN: [u64; 6] = [300_007, 1, 700_001, 17, 65_537, 256];

/// What a scenario knows about a product for which things are hard.
#[derive(Default)]
pub(super) struct Trial {
    /// The product's calls since it was asked the time before: also those that it makes by itself.
    pub acts: Vec<Arc<Exchange>>,
    /// How many calls of the product's were looked at before; `None` until something was armed or asked.
    mark: Option<usize>,
    /// What was armed, and was not yet seen on the tape.
    armed: Vec<Deed>,
    /// It was asked for a handshake and nothing else, so that nothing else shows how that ended.
    pub is_handshake: bool,
    /// What it was asked to send, and in which chunks.
    pub sending: Option<(Outgoing, Option<u64>)>,
    /// The message of which the download is refused.
    pub refused: Option<MessageId>,
    /// Reports that wait in its inbox.
    pub reports: BTreeSet<String>,
    /// When it may call again, by what it was told.
    until: Option<Instant>,
    /// Who is in the endpoint's place.
    pub impostor: Option<Untrusted>,
    /// Connections to an impostor since the product was asked the time before.
    pub attempts: Vec<Arc<Attempt>>,
    /// How many of them there were before that.
    pub attempts_before: usize,
    /// Where calls are redirected to.
    pub elsewhere: Option<Elsewhere>,
}

impl Stage {
    /// The next call of the product's of this kind, or each until MESH is well again, meets this.
    ///
    /// # Errors
    /// The scenario is not run at an endpoint that is not ours.
    pub fn provoke(&mut self, calls: Calls, deed: Deed, times: Option<u32>) -> Result<(), Fault> {
        self.arm(Provocation { calls, message: None, times, deed })
    }

    /// The same for every download of the second of the messages that the counterpart has sent.
    ///
    /// # Errors
    /// As [`Stage::provoke`]; and when there is no second message.
    pub fn provoke_second_download(&mut self, deed: Deed) -> Result<(), Fault> {
        let second = self.many.keys().nth(1).and_then(|id| MessageId::parse(id).ok());
        let second = second.ok_or_else(|| out_of_order("several messages that the counterpart has sent"))?;
        self.trial.refused = Some(second.clone());
        self.arm(Provocation { calls: Calls::Downloads, message: Some(second), times: None, deed })
    }

    fn arm(&mut self, provocation: Provocation) -> Result<(), Fault> {
        let mailbox = self.mailbox(Role::Product);
        let endpoint = self.demand_own_endpoint()?;
        endpoint.provocations().arm(mailbox, provocation.clone()).map_err(|error| {
            let remedy = "Write several scenarios, each with fewer of these steps.";
            Fault::new(FaultKind::Configuration, error.to_string(), remedy)
        })?;
        let which = match (&provocation.message, provocation.times) {
            (Some(message), _) => format!("each {} of message {message}", provocation.calls),
            (None, Some(1)) => format!("the product's next {}", provocation.calls),
            (None, Some(times)) => format!("the product's next {times} calls: {}", provocation.calls),
            (None, None) => format!("each {} of the product's", provocation.calls),
        };
        let before = rules::of_product(&self.own_exchanges()).len();
        self.trial.mark.get_or_insert(before);
        self.trial.armed.push(provocation.deed);
        self.note(format!("On purpose, by this scenario: {which}: {}", provocation.deed));
        self.setting.ledger.provoked(self.scenario);
        Ok(())
    }

    /// MESH is well again: nothing is provoked any more.
    ///
    /// # Errors
    /// As [`Stage::demand_own_endpoint`]; and when the product went on to trust whoever it should not.
    pub async fn well_again(&mut self) -> Result<(), Fault> {
        self.demand_own_endpoint()?.provocations().disarm();
        self.trial.armed.clear();
        self.unmask().await
    }

    /// Waits until the product may call again, by what it was told with `Retry-After`.
    pub async fn wait_as_told(&mut self) {
        if let Some(until) = self.trial.until.take() {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Has the counterpart send a message in chunks of very different sizes.
    ///
    /// # Errors
    /// As [`Stage::send_in_chunks`].
    pub async fn send_in_uneven_chunks(&mut self) -> Result<(), Fault> {
        self.validate(Role::Counterpart).await?;
        let message = self.outgoing(self.mailbox(Role::Product), &self.label, UNEVEN.iter().sum());
        let parts = UNEVEN.iter().scan(0, |from, size| {
            let part = message.payload.part(*from, *size);
            *from += size;
            Some(part)
        });
        let parts: Vec<Payload> = parts.collect();
        let sent = self.counterpart.send_parts(&message, &parts).await;
        let exchange = sent.into_iter().next().ok_or_else(|| out_of_order("a send"))?.exchange;
        self.sent = Some(SentMessage { asked: message.payload.digest().await, exchange });
        self.whole = Some(message.payload);
        self.message_accepted()?;
        self.sent_in_chunks().await
    }

    /// Puts a report into the product's inbox: on a message that it might have sent earlier.
    ///
    /// # Errors
    /// The scenario is not run at an endpoint that is not ours.
    pub fn report_waits(&mut self) -> Result<(), Fault> {
        let (mailbox, workflow) = (self.mailbox(Role::Product), self.setting.workflow.clone());
        let local_id = Some(format!("{}-earlier", self.setting.run_id));
        let linked = MessageId::parse("20200229120000000000_ABCDEF").ok();
        let request = ReportRequest {
            mailbox,
            workflow,
            failure: Failure::from(ErrorCode::Undelivered),
            file_name: None,
            subject: None,
            local_id,
            linked,
        };
        let report = self.demand_own_endpoint()?.mailroom().put_report(request);
        let report = report.ok_or_else(|| out_of_order("a mailbox for the product"))?;
        self.note(format!("Report {report} waits in the product's inbox"));
        self.trial.reports.insert(report.to_string());
        Ok(())
    }

    /// Asks the product for one poll cycle, whatever comes of it.
    ///
    /// # Errors
    /// When it does nothing, or not what was to be made hard for it.
    pub async fn product_makes_cycle(&mut self, takes_gzip: bool) -> Result<(), Fault> {
        let expected = self.expected();
        let ask = Ask::Cycle { expected: &expected, takes_gzip };
        let asked = ask.words();
        let acts = self.ask(ask).await?;
        if self.trial.impostor.is_some() {
            return self.take_note_of_attempts(asked, acts);
        }
        rules::inbox_check_of(&acts)?;
        self.trial.is_handshake = false;
        self.take_note_of(acts)
    }

    /// Asks the product to validate its mailbox, whatever comes of it.
    ///
    /// # Errors
    /// When it does not try.
    pub async fn product_tries_handshake(&mut self) -> Result<(), Fault> {
        let acts = self.ask(Ask::Handshake).await?;
        if self.trial.impostor.is_some() {
            return self.take_note_of_attempts(Ask::Handshake.words(), acts);
        }
        rules::handshake_of(&acts)?;
        self.trial.is_handshake = true;
        self.take_note_of(acts)
    }

    /// Asks the product to send a message to the counterpart, whatever comes of it.
    ///
    /// # Errors
    /// When it does not try.
    pub async fn product_tries_to_send(&mut self, size: u64) -> Result<(), Fault> {
        let message = self.outgoing(self.mailbox(Role::Counterpart), &self.label, size);
        self.trial.sending = Some((message, None));
        self.product_tries_to_send_again().await
    }

    /// The same in chunks, each compressed by itself where it is to be, as large as the run is told.
    ///
    /// # Errors
    /// When it does not try.
    pub async fn product_tries_to_send_in_chunks(&mut self, compress: bool) -> Result<(), Fault> {
        let message = self.large(self.mailbox(Role::Counterpart), compress);
        self.trial.sending = Some((message, Some(self.setting.terms.chunking.chunk_bytes)));
        self.product_tries_to_send_again().await
    }

    /// Asks it to send the same message, by the same local ID.
    ///
    /// # Errors
    /// When it does not try.
    pub async fn product_tries_to_send_again(&mut self) -> Result<(), Fault> {
        let (message, chunk_bytes) =
            self.trial.sending.clone().ok_or_else(|| out_of_order("a message to be sent"))?;
        let ask = Ask::Send { message: &message, chunk_bytes };
        let asked = ask.words();
        let acts = self.ask(ask).await?;
        if self.trial.impostor.is_some() {
            return self.take_note_of_attempts(asked, acts);
        }
        // A product may go on with the chunk that failed instead of beginning anew.
        let resumed = rules::resumed(&acts, &self.own_exchanges());
        let exchange = resumed.map_or_else(|| rules::send_of(&acts, &message.to), Ok)?;
        self.sent = Some(SentMessage { asked: message.payload.digest().await, exchange });
        self.whole = chunk_bytes.map(|_| message.payload.clone());
        self.take_note_of(acts)
    }

    /// What waits for the product.
    pub(super) fn expected(&self) -> BTreeSet<String> {
        let from_counterpart =
            self.sent.as_ref().is_some_and(|sent| sent.exchange.actor == Role::Counterpart);
        let one = self.message.iter().filter(|_| from_counterpart).map(ToString::to_string);
        self.many.keys().cloned().chain(self.trial.reports.iter().cloned()).chain(one).collect()
    }

    /// The product has met what was provoked: a scenario in which it did not shows nothing.
    fn take_note_of(&mut self, asked: Vec<Arc<Exchange>>) -> Result<(), Fault> {
        let own = self.own_exchanges();
        let own = rules::of_product(&own);
        let mark = self.trial.mark.replace(own.len()).unwrap_or(own.len().saturating_sub(asked.len()));
        let elsewhere = self.trial.elsewhere.as_ref();
        let is_elsewhere = |act: &Exchange| elsewhere.is_some_and(|elsewhere| elsewhere.was_called(act));
        let acts = own.into_iter().skip(mark).filter(|act| !is_elsewhere(act));
        let acts: Vec<Arc<Exchange>> = acts.cloned().collect();
        acts.iter().for_each(|act| self.look(act));
        let longest = acts.iter().filter_map(|act| act.retry_after()).max();
        self.trial.until = longest.and_then(|wait| Instant::now().checked_add(wait.to_std().ok()?));
        self.trial.acts = acts;
        let unmet = self.own_endpoint().and_then(|endpoint| endpoint.provocations().unmet());
        if let Some(unmet) = unmet {
            let what =
                format!("the product did not make the call that this scenario is about: {}", unmet.calls);
            let remedy = "Look at what the product did instead, below, and at what its driver put out.";
            return Err(Fault::new(FaultKind::Product, what, remedy));
        }
        // What the tape does not show has not been put to the product.
        let armed = std::mem::take(&mut self.trial.armed);
        let unseen = armed.into_iter().find(|deed| !self.trial.acts.iter().any(|act| shows(act, *deed)));
        unseen.map_or(Ok(()), |deed| {
            let what = format!("the emulator was to make it hard for the product, and did not: {deed}");
            Err(Fault::new(FaultKind::Harness, what, "This is a fault of mesh-witness: please report it."))
        })
    }
}

/// Whether an exchange shows that this was done to it.
fn shows(act: &Exchange, deed: Deed) -> bool {
    let Some(head) = act.response.as_ref().map(|response| &response.head) else {
        // One that was given up, too.
        return matches!(deed, Deed::Lost | Deed::Delayed(_)) && act.failure.is_some();
    };
    let told = head.header(PROVOKED) == Some(deed.to_string().as_str());
    let mixed = || head.headers.iter().any(|header| header.name.starts_with("X-mEsH"));
    told && match deed {
        Deed::Answered { status, .. } => head.status == status.number(),
        Deed::Redirected { status, .. } => {
            head.status == status.number() && head.header("location").is_some()
        }
        Deed::Cut => act.failure.is_some(),
        Deed::Lost => false,
        Deed::Delayed(time) => act.timings.total() >= time,
        Deed::MixedCase => mixed(),
        Deed::UnknownHeaders => true,
    }
}

/// Where a deed is a status: by its number.
///
/// # Errors
/// A fault of the feature file, for a status that is not provoked.
pub fn answered(status: u16, retry_after: Option<u32>) -> Result<Deed, Fault> {
    let known = ProvokedStatus::of(status);
    known.map(|status| Deed::Answered { status, retry_after }).ok_or_else(|| {
        let numbers = ProvokedStatus::ALL.map(|status| status.number().to_string()).join(", ");
        let what = format!("a call cannot be answered with {status} on purpose");
        Fault::new(FaultKind::Configuration, what, format!("Name one of {numbers}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_that_can_be_provoked_is_taken() {
        assert!(matches!(answered(503, Some(2)), Ok(Deed::Answered { retry_after: Some(2), .. })));
        assert!(answered(500, None).unwrap_err().remedy.contains("403, 404"));
    }

    #[test]
    fn uneven_chunks_are_uneven() {
        assert!(UNEVEN.iter().max().unwrap() / UNEVEN.iter().min().unwrap() > 100_000);
        assert!(UNEVEN.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
