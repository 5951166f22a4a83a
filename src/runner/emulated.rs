//! Mailboxes on our own emulator: at the endpoint that all scenarios use, or at one that a scenario
//! has to itself (`@own-endpoint`), so that moving time or disabling a mailbox disturbs nobody.

use std::{net::SocketAddr, sync::Arc};

use super::{Pair, Seat, staged::Staging};
use crate::{
    client::{Identity, Origin, Target, Timeouts, TlsParts, TlsVersions},
    emulator::{
        Arrangement, Clock, Emulator, Limits, Mailroom, Pki, PkiError, Policy, Provocations, Settings,
        StartError, Transport,
    },
    protocol::{Credentials, MailboxId, Password, SharedKey},
    tape::ScenarioNumber,
};

/// Our own emulator, and what it takes to make mailboxes and more emulators like it.
pub struct Emulated {
    /// The endpoint that scenarios use unless they ask for one of their own.
    pub emulator: Emulator,
    /// The authority of all certificates of the run.
    pub pki: Arc<Pki>,
    /// The key of all tokens.
    pub shared_key: SharedKey,
    /// The password of every mailbox of the run.
    pub password: Password,
    /// How long to wait.
    pub timeouts: Timeouts,
}

/// An endpoint that one scenario has to itself. Stops when dropped.
pub struct OwnEndpoint {
    kind: Kind,
    clock: Clock,
    provocations: Provocations,
    /// The authority of its certificates; `None` where it is called without TLS.
    pki: Option<Arc<Pki>>,
}

enum Kind {
    Alone(Emulator),
    /// The endpoint of a product that is driven, for as long as the scenario has it.
    Staged(Staging),
}

impl OwnEndpoint {
    /// Its clock, which the scenario may move. Tokens of the scenario's mailboxes follow it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Its mailboxes and what lies in them.
    #[must_use]
    pub fn mailroom(&self) -> &Arc<Mailroom> {
        match &self.kind {
            Kind::Alone(emulator) => emulator.mailroom(),
            Kind::Staged(staging) => &staging.mailroom,
        }
    }

    /// What it does on purpose.
    #[must_use]
    pub fn provocations(&self) -> &Provocations {
        &self.provocations
    }

    pub(super) fn staged(clock: Clock, provocations: Provocations, pki: Arc<Pki>, staging: Staging) -> Self {
        Self { kind: Kind::Staged(staging), clock, provocations, pki: Some(pki) }
    }

    pub(super) fn pki(&self) -> Option<&Arc<Pki>> {
        self.pki.as_ref()
    }

    pub(super) fn staging(&mut self) -> Option<&mut Staging> {
        match &mut self.kind {
            Kind::Staged(staging) => Some(staging),
            Kind::Alone(_) => None,
        }
    }

    pub(super) fn url(&self) -> String {
        match &self.kind {
            Kind::Alone(emulator) => emulator.url(),
            Kind::Staged(staging) => staging.url.clone(),
        }
    }
}

impl Emulated {
    /// Starts an endpoint on loopback, in which mailboxes are made as scenarios need them, all with one
    /// password. Over mutual TLS, a certificate speaks for the mailbox that it names.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(
        pki: Arc<Pki>,
        transport: Transport,
        shared_key: SharedKey,
        password: Password,
        arrangement: Arrangement,
    ) -> Result<Self, StartError> {
        let settings = settings(transport, shared_key.clone(), Clock::new());
        let emulator = Emulator::start_arranged(settings, arrangement).await?;
        Ok(Self { emulator, pki, shared_key, password, timeouts: Timeouts::default() })
    }

    /// A pair of mailboxes at the endpoint that all use.
    pub(super) fn pair(&self, scenario: ScenarioNumber) -> Result<Pair, PkiError> {
        self.pair_at(&self.emulator, None, scenario)
    }

    /// An endpoint of its own, with the run's authority and shared key, and a pair of mailboxes there.
    pub(super) async fn alone(
        &self,
        scenario: ScenarioNumber,
        arrangement: Arrangement,
    ) -> Result<(Pair, OwnEndpoint), StartError> {
        let clock = Clock::new();
        let transport = if self.emulator.url().starts_with("https:") {
            Transport::MutualTls(Arc::clone(&self.pki))
        } else {
            Transport::Plain
        };
        let (faults, provocations) = (self.emulator.faults().clone(), Provocations::default());
        let arrangement = Arrangement { faults, provocations: Some(provocations.clone()), ..arrangement };
        let settings = settings(transport, self.shared_key.clone(), clock.clone());
        let emulator = Emulator::start_arranged(settings, arrangement).await?;
        let pair = self.pair_at(&emulator, Some(&clock), scenario)?;
        let pki = emulator.url().starts_with("https:").then(|| Arc::clone(&self.pki));
        Ok((pair, OwnEndpoint { kind: Kind::Alone(emulator), clock, provocations, pki }))
    }

    fn pair_at(
        &self,
        emulator: &Emulator,
        clock: Option<&Clock>,
        scenario: ScenarioNumber,
    ) -> Result<Pair, PkiError> {
        let number = scenario.0 + 1;
        let dormant = MailboxId::parse(&format!("X26D{number:04}")).ok();
        if let Some(mailbox) = &dormant {
            emulator.mailroom().register(mailbox.clone(), self.password.clone());
        }
        Ok(Pair {
            product: self.seat(emulator, clock, &format!("X26P{number:04}"))?,
            counterpart: self.seat(emulator, clock, &format!("X26C{number:04}"))?,
            dormant,
            unusable: None,
        })
    }

    fn seat(&self, emulator: &Emulator, clock: Option<&Clock>, id: &str) -> Result<Seat, PkiError> {
        let own = |text: String| rustls::Error::General(text);
        let mailbox = MailboxId::parse(id).map_err(|error| own(error.to_string()))?;
        emulator.mailroom().register(mailbox.clone(), self.password.clone());
        let origin = Origin::parse(&emulator.url()).map_err(|error| own(error.to_string()))?;
        let (pki, named) = (Arc::clone(&self.pki), mailbox.clone());
        // A scenario that never calls needs no certificate.
        let target = Target::later(origin, self.timeouts, move || {
            let client = pki.client(&named).map_err(|error| error.to_string())?;
            Ok(TlsParts {
                authorities: vec![pki.authority()],
                identity: Some(Identity { chain: client.chain, key: client.key }),
                versions: TlsVersions::Both,
            })
        });
        let target = match clock.cloned() {
            Some(clock) => target.with_time(move || clock.now()),
            None => target,
        };
        let (password, shared_key) = (self.password.clone(), self.shared_key.clone());
        Ok(Seat { credentials: Credentials { mailbox, password, shared_key }, target, validated: None })
    }
}

impl std::fmt::Debug for OwnEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnEndpoint")
            .field("url", &self.url())
            .field("moved_by", &self.clock.moved_by())
            .finish_non_exhaustive()
    }
}

fn settings(transport: Transport, shared_key: SharedKey, clock: Clock) -> Settings {
    Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        policy: Policy { certificate_names_mailbox: transport.is_encrypted(), ..Policy::default() },
        transport,
        shared_key,
        mailboxes: Vec::new(),
        limits: Limits::default(),
        clock,
        watcher: None,
    }
}
