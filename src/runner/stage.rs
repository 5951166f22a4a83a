//! What step definitions can do and look at. Acting goes through the product or the counterpart;
//! judging reads the tape and leaves to [`rules`](crate::rules) what right is.

mod asking;
mod attesting;
mod chunks;
mod enduring;
mod pace;
mod patience;
mod provoking;
mod receiving;
mod refusals;
mod sending;
mod trusting;
mod undelivered;
mod validating;
mod volume;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Fault, FaultKind, Outcome, Setting, setting::Lease};
use crate::{
    client::{Outgoing, Payload, ReferenceClient, TapeScope},
    product::{Ask, Product, Reported, Said},
    protocol::{MailboxId, MessageId},
    rules,
    tape::{Exchange, Exchanges, ScenarioNumber, Sha256},
};

pub use crate::tape::Actor as Role;
pub use provoking::answered;

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
    /// Why the mailboxes could not be used when the scenario began. One that disables a mailbox goes on.
    unusable: Option<String>,
    /// How often the product was asked, and what its driver brought back last.
    asked: usize,
    said: Option<Said>,
    /// What the product says it holds, by message ID.
    received: Option<BTreeMap<String, Sha256>>,
    /// What of that it did not hold before it was asked last.
    brought: BTreeMap<String, Sha256>,
    /// What it did when things were hard for it.
    trial: provoking::Trial,
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
        let unusable = lease.unusable.clone();
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
            unusable,
            asked: 0,
            said: None,
            received: None,
            brought: BTreeMap::new(),
            trial: provoking::Trial::default(),
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
        let reason = self.unusable.clone().filter(|_| !self.tags.contains("attestation"))?;
        Some(self.not_run(reason))
    }

    /// Whose mailbox that is.
    #[must_use]
    pub fn mailbox(&self, role: Role) -> MailboxId {
        match role {
            Role::Product => self.lease.product.credentials.mailbox.clone(),
            Role::Counterpart => self.lease.counterpart.credentials.mailbox.clone(),
        }
    }

    fn own_exchanges(&self) -> Exchanges {
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

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("scenario", &self.scenario)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}
