//! What a run is played with: the endpoint, the mailboxes, the tape.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use tokio::sync::OwnedMutexGuard;

use super::{MailboxRole, Party};
use crate::{
    client::{Identity, Origin, Target, Timeouts, TlsParts, TlsVersions},
    emulator::{Emulator, Pki, PkiError},
    protocol::{Credentials, MailboxId, Password, SharedKey, WorkflowId},
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
    /// What was used and looked at, for the report.
    pub(super) ledger: Ledger,
}

/// Where scenarios get their mailboxes from.
pub enum Mailboxes {
    /// A pair of its own for every scenario, on our own emulator: scenarios cannot disturb each other.
    Emulated {
        /// The endpoint.
        emulator: Emulator,
        /// Its authority.
        pki: Arc<Pki>,
        /// The key of all tokens.
        shared_key: SharedKey,
        /// The password of every mailbox of this run.
        password: Password,
        /// How long to wait.
        timeouts: Timeouts,
    },
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
    Own(Box<Pair>),
    Shared(OwnedMutexGuard<Pair>),
}

/// What was used and looked at.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    mailboxes: Mutex<BTreeSet<MailboxRole>>,
    looks: Mutex<HashMap<ScenarioNumber, Vec<Look>>>,
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
        let emulated = matches!(mailboxes, Mailboxes::Emulated { .. });
        let (tape, ledger) = (Tape::new(), Ledger::default());
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
            ledger,
        }
    }

    /// Whether scenarios must take turns.
    #[must_use]
    pub fn takes_turns(&self) -> bool {
        matches!(self.mailboxes, Mailboxes::Configured(_))
    }

    /// Mailboxes for a scenario. Waits for its turn where they are shared.
    pub(super) async fn lease(&self, scenario: ScenarioNumber) -> Result<Lease, PkiError> {
        let lease = match &self.mailboxes {
            Mailboxes::Configured(pair) => Lease::Shared(Arc::clone(pair).lock_owned().await),
            Mailboxes::Emulated { .. } => Lease::Own(Box::new(self.emulated_pair(scenario)?)),
        };
        for (seat, role) in [(&lease.product, "product"), (&lease.counterpart, "counterpart")] {
            let role = MailboxRole { id: seat.credentials.mailbox.to_string(), role: role.to_owned() };
            self.ledger.mailboxes.lock().unwrap_or_else(PoisonError::into_inner).insert(role);
        }
        Ok(lease)
    }

    fn emulated_pair(&self, scenario: ScenarioNumber) -> Result<Pair, PkiError> {
        let number = scenario.0 + 1;
        Ok(Pair {
            product: self.emulated_seat(&format!("X26P{number:04}"))?,
            counterpart: self.emulated_seat(&format!("X26C{number:04}"))?,
            unusable: None,
        })
    }

    fn emulated_seat(&self, id: &str) -> Result<Seat, PkiError> {
        let Mailboxes::Emulated { emulator, pki, shared_key, password, timeouts } = &self.mailboxes else {
            return Err(rustls::Error::General("only the emulator makes mailboxes".to_owned()).into());
        };
        let own = |text: String| rustls::Error::General(text);
        let mailbox = MailboxId::parse(id).map_err(|error| own(error.to_string()))?;
        emulator.mailroom().register(mailbox.clone(), password.clone());
        let origin = Origin::parse(&emulator.url()).map_err(|error| own(error.to_string()))?;
        let (pki, named) = (Arc::clone(pki), mailbox.clone());
        let target = Target::later(origin, *timeouts, move || {
            let client = pki.client(&named).map_err(|error| error.to_string())?;
            Ok(TlsParts {
                authorities: vec![pki.authority()],
                identity: Some(Identity { chain: client.chain, key: client.key }),
                versions: TlsVersions::Both,
            })
        });
        let credentials = Credentials { mailbox, password: password.clone(), shared_key: shared_key.clone() };
        Ok(Seat { credentials, target, validated: None })
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
            Self::Own(pair) => pair,
            Self::Shared(pair) => pair,
        }
    }
}

impl std::ops::DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Pair {
        match self {
            Self::Own(pair) => pair,
            Self::Shared(pair) => pair,
        }
    }
}
