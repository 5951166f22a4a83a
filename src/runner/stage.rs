//! What step definitions can do and look at. Acting goes through the product or the counterpart;
//! judging reads the tape and leaves to [`rules`](crate::rules) what right is.

mod asking;
mod attesting;
mod chunks;
mod pace;
mod patience;
mod refusals;
mod undelivered;
mod volume;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_lc_rs::digest;
use futures_util::StreamExt;

use super::{Fault, FaultKind, Outcome, Setting, setting::Lease};
use crate::{
    client::{Outgoing, Payload, ReferenceClient, TapeScope},
    product::{Ask, Collected, Product, Reported, Said, collect, list_all},
    protocol::{MailboxId, MessageId},
    rules,
    tape::{Exchange, ScenarioNumber, Sha256},
};

pub use crate::tape::Actor as Role;

/// One scenario while it is played.
pub struct Stage {
    pub(super) setting: Arc<Setting>,
    pub(super) scenario: ScenarioNumber,
    pub(super) label: String,
    tags: BTreeSet<String>,
    pub(super) lease: Lease,
    pub(super) product: Product,
    pub(super) counterpart: ReferenceClient,
    sent: Option<SentMessage>,
    message: Option<MessageId>,
    collected: Option<rules::Poll>,
    /// What was sent in chunks.
    whole: Option<Payload>,
    /// Everything that was sent in numbers, by message ID, with the digest of its content.
    many: BTreeMap<String, Sha256>,
    /// What MESH said no to.
    refusal: Option<Arc<Exchange>>,
    reported: Option<Reported>,
    pub(super) caller: Option<super::Caller>,
    pub(super) ending: Option<Outcome>,
    /// How often the product was asked, and what its driver brought back last.
    asked: usize,
    said: Option<Said>,
    /// What the product says it holds, by message ID.
    received: Option<BTreeMap<String, Sha256>>,
}

struct SentMessage {
    asked: Sha256,
    exchange: Arc<Exchange>,
}

impl Stage {
    pub(super) fn new(
        setting: Arc<Setting>,
        scenario: ScenarioNumber,
        label: String,
        tags: BTreeSet<String>,
        lease: Lease,
    ) -> Self {
        let product = match &setting.driven {
            Some(driven) => Product::Driven(driven.clone()),
            None => Product::Reference(Box::new(client(&setting, scenario, &lease, Role::Product))),
        };
        let counterpart = client(&setting, scenario, &lease, Role::Counterpart);
        Self {
            setting,
            scenario,
            label,
            tags,
            lease,
            product,
            counterpart,
            sent: None,
            message: None,
            collected: None,
            whole: None,
            many: BTreeMap::new(),
            refusal: None,
            reported: None,
            caller: None,
            ending: None,
            asked: 0,
            said: None,
            received: None,
        }
    }

    /// Why the scenario is not played: it is one that the product does without, or an earlier one has
    /// made the mailboxes unusable.
    pub(super) fn held_back(&mut self) -> Option<Fault> {
        let without = self.setting.terms.without.iter();
        let left_out = without.copied().find(|one| self.tags.contains(&format!("optional-{}", one.word())));
        if let Some(optional) = left_out {
            let reason = format!(
                "the product does without {}, by its configuration: a limitation on the certificate",
                optional.word()
            );
            return Some(self.not_applicable(reason));
        }
        let reason = self.lease.unusable.clone().filter(|_| !self.tags.contains("attestation"))?;
        Some(self.not_run(reason))
    }

    /// Validates a mailbox, unless this run has done so: once in 24 hours is what MESH asks for, and
    /// assessors have taken exception to bursts.
    ///
    /// # Errors
    /// When the handshake is not accepted. A mailbox pair that is shared is not used any further then.
    pub async fn validate(&mut self, role: Role) -> Result<(), Fault> {
        let seat = match role {
            Role::Product => &self.lease.product,
            Role::Counterpart => &self.lease.counterpart,
        };
        if let Some(earlier) = seat.validated.clone() {
            self.look(&earlier);
            return Ok(());
        }
        let handshake = match role {
            Role::Product => self.product_handshake().await?,
            Role::Counterpart => self.counterpart.handshake().await.exchange,
        };
        let mut result = rules::handshake_accepted(&handshake, &self.setting.tape.exchanges());
        if result.is_err() && handshake.status() == Some(403) && role == Role::Product {
            // Whether the other mailbox fares better tells a wrong password from a wrong shared key.
            self.counterpart.handshake().await;
            result = rules::handshake_accepted(&handshake, &self.setting.tape.exchanges());
        }
        match result {
            Ok(()) => {
                let seat = match role {
                    Role::Product => &mut self.lease.product,
                    Role::Counterpart => &mut self.lease.counterpart,
                };
                seat.validated = Some(Arc::clone(&handshake));
                if let Some(staging) = self.staging() {
                    staging.validated(role, &handshake);
                }
                if role == Role::Product { self.stands_by_it() } else { Ok(()) }
            }
            Err(fault) => Err(self.give_up(fault)),
        }
    }

    async fn product_handshake(&mut self) -> Result<Arc<Exchange>, Fault> {
        let made = self.ask(Ask::Handshake).await.and_then(|acts| rules::handshake_of(&acts));
        made.map_err(|fault| self.give_up(fault))
    }

    /// A mailbox that cannot be validated is of no use to the scenarios that follow.
    fn give_up(&mut self, fault: Fault) -> Fault {
        let why = format!("not played, since in case {} {}", self.label, fault.what);
        if let Some(staging) = self.staging() {
            staging.unusable(&why);
        }
        self.lease.unusable = Some(why);
        fault
    }

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
        self.sent = Some(SentMessage { asked: digest_of(&message.payload).await, exchange });
        Ok(())
    }

    /// Has the product send a message, whatever comes of it.
    async fn product_sends_message(
        &mut self,
        message: &Outgoing,
        chunk_bytes: Option<u64>,
    ) -> Result<Arc<Exchange>, Fault> {
        let acts = self.ask(Ask::Send { message, chunk_bytes }).await?;
        rules::send_of(&acts, &message.to)
    }

    /// A made-up message; its label makes it differ from others.
    fn outgoing(&self, to: MailboxId, label: &str, size: u64) -> Outgoing {
        Outgoing {
            to,
            workflow: self.setting.workflow.clone(),
            local_id: format!("{}-{label}", self.setting.run_id),
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
        self.message = Some(rules::message_accepted(&send, &self.setting.tape.exchanges())?);
        if send.actor == Role::Product { self.stands_by_it() } else { Ok(()) }
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
        Err(self.not_delivered(&message))
    }

    /// The download, which was a success, to be judged further.
    ///
    /// # Errors
    /// When there was none, or it failed.
    pub fn download_exchange(&self) -> Result<Arc<Exchange>, Fault> {
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

    fn judge_complete(&self, pages: &[Arc<Exchange>], complete: bool) -> Result<(), Fault> {
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

    /// Whose mailbox that is.
    #[must_use]
    pub fn mailbox(&self, role: Role) -> MailboxId {
        match role {
            Role::Product => self.lease.product.credentials.mailbox.clone(),
            Role::Counterpart => self.lease.counterpart.credentials.mailbox.clone(),
        }
    }

    fn own_exchanges(&self) -> Vec<Arc<Exchange>> {
        self.setting.tape.of_scenario(self.scenario)
    }

    fn look(&self, exchange: &Arc<Exchange>) {
        self.setting.ledger.look(self.scenario, exchange);
    }

    fn sent(&self) -> Result<&SentMessage, Fault> {
        self.sent.as_ref().ok_or_else(|| out_of_order("a send"))
    }

    fn message(&self) -> Result<MessageId, Fault> {
        self.message.clone().ok_or_else(|| out_of_order("an accepted send"))
    }

    fn collected(&self) -> Result<&rules::Poll, Fault> {
        self.collected.as_ref().ok_or_else(|| out_of_order("a download"))
    }
}

pub(super) fn client(
    setting: &Setting,
    scenario: ScenarioNumber,
    lease: &Lease,
    actor: Role,
) -> ReferenceClient {
    let seat = match actor {
        Role::Product => &lease.product,
        Role::Counterpart => &lease.counterpart,
    };
    let (tape, redactor) = (setting.tape.clone(), setting.redactor.clone());
    let scope = TapeScope { tape, redactor, scenario, actor };
    ReferenceClient::new(seat.target.clone(), seat.credentials.clone(), scope)
}

fn out_of_order(what: &str) -> Fault {
    let remedy = "Put the step that does it before this one in the feature file.";
    Fault::new(
        FaultKind::Configuration,
        format!("this step needs {what} before it, and there was none"),
        remedy,
    )
}

async fn digest_of(payload: &Payload) -> Sha256 {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut pieces = std::pin::pin!(payload.pieces());
    while let Some(piece) = pieces.next().await {
        context.update(&piece);
    }
    Sha256::from_digest(context.finish())
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("scenario", &self.scenario)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}
