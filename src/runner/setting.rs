//! What a run is played with: the endpoint, the mailboxes, the tape.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use tokio::sync::OwnedMutexGuard;

use super::{
    Attestation, Fault, MailboxRole, Pace, Party, Pending, Terms,
    emulated::{Emulated, OwnEndpoint},
    judging::Driving,
    place::names_this_machine,
    record::Standing,
    relayed::Relay,
    staged::Staged,
};
use crate::{
    client::Target,
    emulator::{Arrangement, StartError},
    product::Driven,
    protocol::{Credentials, MailboxId, WorkflowId},
    tape::{Exchange, Redactor, ScenarioNumber, Tape},
};

/// What a run is played with.
pub struct Setting {
    /// A name for this run, unique and sortable.
    pub run_id: String,
    /// A name of the environment for people.
    pub environment: String,
    /// The endpoint's URL.
    pub url: String,
    /// Whether the endpoint is our own emulator.
    pub emulated: bool,
    /// The product under test.
    pub product: Party,
    /// Who supplies it.
    pub supplier: Option<String>,
    /// What kind of messages to send.
    pub workflow: WorkflowId,
    /// What a reader must know.
    pub warnings: Vec<String>,
    /// Where everything is recorded.
    pub tape: Tape,
    /// Takes secrets out on the way.
    pub redactor: Redactor,
    /// Where mailboxes come from.
    pub mailboxes: Mailboxes,
    /// What the run is told beyond that.
    pub terms: Terms,
    /// The product, where it is asked through a driver; otherwise the reference client stands in.
    pub driven: Option<Driven>,
    /// The proxy through which such a product calls an endpoint that is not ours.
    pub relay: Option<Relay>,
    /// Whether the endpoint is a real one: not on this machine. Inbox checks keep the pace there that
    /// MESH asks for.
    pub real: bool,
    /// Told when the run waits, and why.
    pub notice: Notice,
    /// What was used and looked at, for the report.
    pub(super) ledger: Ledger,
    pace: Mutex<Pace>,
}

/// Told a line for whoever watches.
pub type Notice = Arc<dyn Fn(&str) + Send + Sync>;

/// Where scenarios get their mailboxes from.
pub enum Mailboxes {
    /// A pair of its own for every scenario, on our own emulator: scenarios cannot disturb each other.
    Emulated(Emulated),
    /// One pair at an endpoint of our own, for a product that a driver asks; scenarios take turns.
    Staged(Staged),
    /// One pair for all, which takes turns.
    Configured(Arc<tokio::sync::Mutex<Pair>>),
}

/// The two mailboxes that take part in a scenario.
#[derive(Debug)]
pub struct Pair {
    /// The product's.
    pub product: Seat,
    /// The independent counterpart's.
    pub counterpart: Seat,
    /// A mailbox that nobody polls, where there is one.
    pub dormant: Option<MailboxId>,
    /// Why the pair cannot be used any more, once that has been found out.
    pub unusable: Option<String>,
}

/// A mailbox, with what it takes to call for it.
#[derive(Debug)]
pub struct Seat {
    /// Mailbox, password and key.
    pub credentials: Credentials,
    /// Where to call, and with which certificate.
    pub target: Target,
    /// The handshake by which it was validated in this run.
    pub validated: Option<Arc<Exchange>>,
}

/// A pair for as long as a scenario plays.
#[derive(Debug)]
pub(super) enum Lease {
    /// Of its own, at the endpoint that all use.
    Own(Box<Pair>),
    /// Of its own, at an endpoint of its own.
    Alone(Box<Pair>, OwnEndpoint),
    /// Everybody's, in turns.
    Shared(OwnedMutexGuard<Pair>),
}

/// What was used and looked at.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    mailboxes: Mutex<BTreeSet<MailboxRole>>,
    looks: Mutex<HashMap<ScenarioNumber, Vec<Look>>>,
    remarks: Mutex<HashMap<ScenarioNumber, Vec<TimedRemark>>>,
    pending: Mutex<Vec<Pending>>,
    files: Mutex<Vec<EvidenceFile>>,
    pub(super) driving: Mutex<Driving>,
    provoked: Mutex<BTreeSet<ScenarioNumber>>,
    /// Whether the product has shown a message that it holds: who shows one shows all.
    shown: AtomicBool,
    /// Local IDs that the run has made for messages.
    local_ids: Mutex<BTreeSet<String>>,
}

/// A remark, and when it was made.
pub(super) type TimedRemark = (DateTime<Utc>, Remark);

/// What a step says besides whether it passed. cucumber tells a writer only of steps that did not.
#[derive(Debug, Clone)]
pub(super) enum Remark {
    /// It passed, and is not as it should be.
    Warning(Fault),
    /// A person said so.
    Attested(Attestation),
    /// What was measured.
    Note(String),
}

/// A file that belongs to the evidence as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Where it goes, relative to `data/`.
    pub path: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// A step looked at an exchange.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub at: DateTime<Utc>,
    pub exchange: Arc<Exchange>,
}

impl Setting {
    /// Sets a run up. `run_id` and the rest are given; the ledger starts empty.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "one for each thing that a run is played with")]
    pub fn new(
        run_id: String,
        environment: String,
        url: String,
        product: Party,
        supplier: Option<String>,
        workflow: WorkflowId,
        warnings: Vec<String>,
        redactor: Redactor,
        mailboxes: Mailboxes,
    ) -> Self {
        let emulated = matches!(mailboxes, Mailboxes::Emulated(_) | Mailboxes::Staged(_));
        let (tape, ledger) = (Tape::new(), Ledger::default());
        let real = !emulated && crate::client::Origin::parse(&url).is_ok_and(|origin| !origin.is_loopback());
        Self {
            run_id,
            environment,
            url,
            emulated,
            product,
            supplier,
            workflow,
            warnings,
            tape,
            redactor,
            mailboxes,
            terms: Terms::default(),
            driven: None,
            relay: None,
            real,
            notice: Arc::new(|_| {}),
            ledger,
            pace: Mutex::default(),
        }
    }

    /// Where the run is played.
    #[must_use]
    pub fn place(&self) -> super::Place {
        match (self.emulated, self.real) {
            (true, _) => super::Place::Emulator,
            (false, true) => super::Place::Real,
            (false, false) => super::Place::Loopback,
        }
    }

    /// What stands over everything that is told of the run, where it is not going to be evidence.
    #[must_use]
    pub fn banner(&self) -> Option<&'static str> {
        Standing::of(self.emulated, names_this_machine(&self.url)).banner()
    }

    /// Whether anything was recorded in a scenario, or recorded before and looked at in it.
    pub(super) fn has_measured(&self, scenario: ScenarioNumber) -> bool {
        !self.tape.of_scenario(scenario).is_empty()
            || !self.ledger.looks(scenario).is_empty()
            || !self.tape.attempts_of(scenario).is_empty()
    }

    /// Waits until a mailbox may be looked into, and notes that it is.
    pub(super) async fn may_list(&self, mailbox: &str) {
        let wait = if self.real { self.pace().wait(mailbox, Instant::now()) } else { Duration::ZERO };
        if !wait.is_zero() {
            let seconds = wait.as_secs() + 1;
            (self.notice)(&format!(
                "waiting {seconds} s: MESH asks for five minutes between two checks of the inbox of {mailbox}"
            ));
            tokio::time::sleep(wait).await;
        }
        self.pace().checked(mailbox, Instant::now());
    }

    /// A mailbox was looked into so long ago, by whoever it was.
    pub(super) fn was_listed(&self, mailbox: &str, ago: Duration) {
        if let Some(then) = Instant::now().checked_sub(ago) {
            self.pace().checked(mailbox, then);
        }
    }

    /// A message was sent to a mailbox.
    pub(super) fn waits_for(&self, mailbox: &str) {
        self.pace().sent_to(mailbox);
    }

    /// A message was taken out of a mailbox.
    pub(super) fn acknowledged(&self, mailbox: &str) {
        self.pace().taken_from(mailbox);
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why no more of what the product does can be recorded, once that is so; for ever otherwise.
    pub(super) async fn unrecordable(&self) -> String {
        match (&self.relay, &self.mailboxes) {
            (Some(relay), _) => relay.failed().await,
            (None, Mailboxes::Staged(staged)) => staged.unrecordable().await,
            (None, Mailboxes::Emulated(_) | Mailboxes::Configured(_)) => std::future::pending().await,
        }
    }

    /// Ends the proxy, if there is one: all that passed is on the tape then. Says what could not be recorded.
    pub(super) async fn end_recording(&self) -> Option<String> {
        match (&self.relay, &self.mailboxes) {
            (Some(relay), _) => match relay.end().await {
                Ok(file) => {
                    file.into_iter().for_each(|file| self.ledger.keep(file));
                    None
                }
                Err(why) => Some(why),
            },
            (None, Mailboxes::Staged(staged)) => staged.unrecorded(),
            (None, Mailboxes::Emulated(_) | Mailboxes::Configured(_)) => None,
        }
    }

    pub(super) fn emulated_by(&self) -> Option<&Emulated> {
        match &self.mailboxes {
            Mailboxes::Emulated(emulated) => Some(emulated),
            Mailboxes::Configured(_) | Mailboxes::Staged(_) => None,
        }
    }

    /// Files that steps have left for the bundle, in the order of their paths.
    #[must_use]
    pub fn evidence_files(&self) -> Vec<EvidenceFile> {
        let mut files = self.ledger.files.lock().unwrap_or_else(PoisonError::into_inner).clone();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }

    /// Whether scenarios must take turns.
    #[must_use]
    pub fn takes_turns(&self) -> bool {
        matches!(self.mailboxes, Mailboxes::Configured(_) | Mailboxes::Staged(_))
    }

    /// Mailboxes for a scenario, at an endpoint of its own where it asks for one and endpoints can be
    /// made. Waits for its turn where mailboxes are shared. `dormant`: the mailbox that nobody polls takes
    /// part.
    pub(super) async fn lease(
        &self,
        scenario: ScenarioNumber,
        alone: bool,
        dormant: bool,
    ) -> Result<Lease, StartError> {
        let lease = match &self.mailboxes {
            Mailboxes::Configured(pair) => {
                let lease = Lease::Shared(Arc::clone(pair).lock_owned().await);
                if let Some(relay) = &self.relay {
                    relay.begins(scenario);
                }
                lease
            }
            Mailboxes::Staged(staged) => {
                let (pair, endpoint, since) = staged.lease(scenario, &self.tape).await?;
                self.ledger.anew(&pair.product.credentials.mailbox, since);
                Lease::Alone(Box::new(pair), endpoint)
            }
            Mailboxes::Emulated(emulated) if alone => {
                let (pair, endpoint) = emulated.alone(scenario, Arrangement::default()).await?;
                Lease::Alone(Box::new(pair), endpoint)
            }
            Mailboxes::Emulated(emulated) => Lease::Own(Box::new(emulated.pair(scenario)?)),
        };
        let seats = [(&lease.product, "product"), (&lease.counterpart, "counterpart")];
        let used = seats.map(|(seat, role)| (&seat.credentials.mailbox, role));
        let dormant = lease.dormant.iter().filter(|_| dormant).map(|mailbox| (mailbox, "dormant"));
        for (mailbox, role) in used.into_iter().chain(dormant) {
            let role = MailboxRole { id: mailbox.to_string(), role: role.to_owned() };
            self.ledger.mailboxes.lock().unwrap_or_else(PoisonError::into_inner).insert(role);
        }
        Ok(lease)
    }
}

impl Ledger {
    pub fn look(&self, scenario: ScenarioNumber, exchange: &Arc<Exchange>) {
        let look = Look { at: Utc::now(), exchange: Arc::clone(exchange) };
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).entry(scenario).or_default().push(look);
    }

    pub fn looks(&self, scenario: ScenarioNumber) -> Vec<Look> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).get(&scenario).cloned().unwrap_or_default()
    }

    pub fn remark(&self, scenario: ScenarioNumber, remark: Remark) {
        let mut all = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(scenario).or_default().push((Utc::now(), remark));
    }

    pub fn remarks(&self, scenario: ScenarioNumber) -> Vec<TimedRemark> {
        self.remarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&scenario)
            .cloned()
            .unwrap_or_default()
    }

    pub fn keep(&self, file: EvidenceFile) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }

    /// In this scenario the endpoint does on purpose what no endpoint should.
    pub fn provoked(&self, scenario: ScenarioNumber) {
        self.provoked.lock().unwrap_or_else(PoisonError::into_inner).insert(scenario);
    }

    pub fn all_provoked(&self) -> BTreeSet<ScenarioNumber> {
        self.provoked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The product has shown a message that it holds.
    pub fn has_shown(&self) {
        self.shown.store(true, Ordering::Relaxed);
    }

    /// Whether it has done so in this run, in whichever scenario.
    pub fn shows(&self) -> bool {
        self.shown.load(Ordering::Relaxed)
    }

    /// The run has made a local ID for a message.
    pub fn labels(&self, local_id: &str) {
        self.local_ids.lock().unwrap_or_else(PoisonError::into_inner).insert(local_id.to_owned());
    }

    pub fn has_labelled(&self, local_id: &str) -> bool {
        self.local_ids.lock().unwrap_or_else(PoisonError::into_inner).contains(local_id)
    }

    pub fn leave(&self, pending: Pending) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).push(pending);
    }

    pub fn pending(&self) -> Vec<Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The product's first, then by name.
    pub fn mailboxes(&self) -> Vec<MailboxRole> {
        let used = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let (product, others): (Vec<_>, Vec<_>) =
            used.iter().cloned().partition(|mailbox| mailbox.role == "product");
        product.into_iter().chain(others).collect()
    }
}

impl std::ops::Deref for Lease {
    type Target = Pair;

    fn deref(&self) -> &Pair {
        match self {
            Self::Own(pair) | Self::Alone(pair, _) => pair,
            Self::Shared(pair) => pair,
        }
    }
}

impl std::ops::DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Pair {
        match self {
            Self::Own(pair) | Self::Alone(pair, _) => pair,
            Self::Shared(pair) => pair,
        }
    }
}

#[cfg(test)]
pub(in crate::runner) mod tests {
    use super::*;
    use crate::{
        client::{Origin, Timeouts},
        protocol::{Password, SharedKey},
    };

    /// At an endpoint that is not there, to be changed by a test.
    pub(in crate::runner) fn a_setting() -> Setting {
        let mailbox = MailboxId::parse("A").unwrap();
        let seat = || Seat {
            credentials: Credentials {
                mailbox: mailbox.clone(),
                password: Password::new("p"),
                shared_key: SharedKey::new("k"),
            },
            target: Target::new(Origin::parse("http://127.0.0.1:1").unwrap(), &[], None, Timeouts::default())
                .unwrap(),
            validated: None,
        };
        let pair = Pair { product: seat(), counterpart: seat(), dormant: None, unusable: None };
        Setting::new(
            "run".to_owned(),
            "test".to_owned(),
            "http://127.0.0.1:1".to_owned(),
            Party { name: "P".to_owned(), version: "1".to_owned() },
            None,
            WorkflowId::parse("W").unwrap(),
            Vec::new(),
            Redactor::default(),
            Mailboxes::Configured(Arc::new(tokio::sync::Mutex::new(pair))),
        )
    }
}
