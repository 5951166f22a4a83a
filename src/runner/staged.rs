//! An endpoint of our own for a product that a driver asks: one address, one pair of mailboxes, and for
//! every scenario an endpoint that is empty and on time, so that nothing is left over from another.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    OwnEndpoint, Pair, Role, Seat,
    quota::{Quota, RecordingLimits},
};
use crate::{
    client::{Identity, Origin, Target, Timeouts},
    emulator::{
        Arrangement, Call, Clock, Emulator, Limits, Mailroom, Pki, PkiError, Policy, Provocations, Recorder,
        Settings, StartError, Transport, Watcher,
    },
    protocol::{Credentials, MailboxId},
    tape::{Exchange, Redactor, ScenarioNumber, Tape},
};

/// What the endpoint is made of.
pub struct StagedSettings {
    /// Where to listen; port 0 for any free one.
    pub listen: SocketAddr,
    /// The authority of all certificates of the run.
    pub pki: Arc<Pki>,
    /// The product's mailbox, its password and the shared key.
    pub product: Credentials,
    /// The counterpart's.
    pub counterpart: Credentials,
    /// A mailbox that nobody polls.
    pub dormant: MailboxId,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// Takes secrets out of what is recorded.
    pub redactor: Redactor,
    /// How much is recorded.
    pub limits: RecordingLimits,
}

/// An endpoint that scenarios use in turns.
pub struct Staged {
    settings: StagedSettings,
    address: SocketAddr,
    url: String,
    quota: Arc<Quota>,
    turn: Arc<Mutex<Turn>>,
}

/// What goes on from scenario to scenario.
#[derive(Default)]
pub(super) struct Turn {
    emulator: Option<Emulator>,
    product: Option<Arc<Exchange>>,
    counterpart: Option<Arc<Exchange>>,
    unusable: Option<String>,
}

/// Connections that came to no call: how many, and why the last did not.
type Unopened = Arc<std::sync::Mutex<(usize, String)>>;

/// One scenario's time at the endpoint.
pub(super) struct Staging {
    turn: OwnedMutexGuard<Turn>,
    recorder: Recorder,
    unopened: Unopened,
    pub mailroom: Arc<Mailroom>,
    pub url: String,
}

impl Staged {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address is taken, or certificates cannot be made.
    pub async fn start(settings: StagedSettings) -> Result<Self, StartError> {
        let emulator = Emulator::start(endpoint(&settings, settings.listen, &Clock::new())).await?;
        let (address, url) = (emulator.address(), emulator.url());
        let turn = Turn { emulator: Some(emulator), ..Turn::default() };
        let quota = Arc::new(Quota::new(settings.limits));
        Ok(Self { settings, address, url, quota, turn: Arc::new(Mutex::new(turn)) })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until nothing more is recorded, and says why.
    pub(super) async fn unrecordable(&self) -> String {
        self.quota.exhausted().await
    }

    /// Why not everything was recorded, where that is so.
    pub(super) fn unrecorded(&self) -> Option<String> {
        self.quota.why()
    }

    /// Waits for the scenario's turn, and starts the endpoint anew for it. What the product does there goes
    /// on the tape. Gives also since when it is new.
    pub(super) async fn lease(
        &self,
        scenario: ScenarioNumber,
        tape: &Tape,
    ) -> Result<(Pair, OwnEndpoint, DateTime<Utc>), StartError> {
        let mut turn = Arc::clone(&self.turn).lock_owned().await;
        let since = Utc::now();
        if let Some(earlier) = turn.emulator.take() {
            earlier.stop().await;
        }
        let own = &self.settings;
        let (tape, quota) = (tape.clone(), Arc::clone(&self.quota));
        let keep = move |exchange| {
            // The run ends with the first that there is no room for, and says so.
            if quota.take(&exchange).is_ok() {
                tape.append(Exchange { scenario, ..exchange });
            }
        };
        let recorder = Recorder::new(own.redactor.clone(), Some(&own.pki.server_certificate()), keep)
            .passing_over(own.counterpart.mailbox.clone());
        let clock = Clock::new();
        let unopened = Unopened::default();
        let settings = Settings {
            watcher: Some(watching(Arc::clone(&unopened))),
            ..endpoint(own, self.address, &clock)
        };
        let provocations = Provocations::default();
        let arrangement = Arrangement { provocations: Some(provocations.clone()), ..Arrangement::default() };
        // The product's tokens go by its own time, whatever time the scenario makes it here.
        let emulator =
            Emulator::start_recorded(settings, arrangement, recorder.clone(), Clock::new()).await?;
        let pair = Pair {
            product: self.seat(&own.product, turn.product.clone())?,
            counterpart: self.seat(&own.counterpart, turn.counterpart.clone())?,
            dormant: Some(own.dormant.clone()),
            unusable: turn.unusable.clone(),
        };
        let (mailroom, url) = (Arc::clone(emulator.mailroom()), emulator.url());
        mailroom.register(own.dormant.clone(), own.counterpart.password.clone());
        turn.emulator = Some(emulator);
        let staging = Staging { turn, recorder, unopened, mailroom, url };
        Ok((pair, OwnEndpoint::staged(clock, provocations, Arc::clone(&own.pki), staging), since))
    }

    fn seat(&self, credentials: &Credentials, validated: Option<Arc<Exchange>>) -> Result<Seat, PkiError> {
        let client = self.settings.pki.client(&credentials.mailbox)?;
        let identity = Identity { chain: client.chain, key: client.key };
        let origin = Origin::parse(&self.url).map_err(|error| rustls::Error::General(error.to_string()))?;
        let authority = self.settings.pki.authority();
        let target = Target::new(origin, &[authority], Some(&identity), self.settings.timeouts)?;
        Ok(Seat { credentials: credentials.clone(), target, validated })
    }
}

impl Staging {
    /// Waits until what the product saw the end of is on the tape.
    pub async fn settled(&self) {
        self.recorder.settled().await;
    }

    /// How many connections came to no call.
    pub fn unopened(&self) -> usize {
        self.unopened.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Why the last connection since then, counted by [`Staging::unopened`], came to no call, if one did not. Whoever is
    /// refused by TLS may have ended before it is known here.
    pub async fn came_to_nothing(&self, since: usize) -> Option<String> {
        for wait in [0, 20, 80, 200] {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let seen = self.unopened.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.0 > since {
                return Some(seen.1.clone());
            }
        }
        None
    }

    /// The mailbox was validated: later scenarios need not do so again.
    pub fn validated(&mut self, role: Role, handshake: &Arc<Exchange>) {
        let place = match role {
            Role::Product => &mut self.turn.product,
            Role::Counterpart => &mut self.turn.counterpart,
        };
        *place = Some(Arc::clone(handshake));
    }

    /// No scenario after this one needs to try.
    pub fn unusable(&mut self, why: &str) {
        self.turn.unusable = Some(why.to_owned());
    }
}

fn watching(unopened: Unopened) -> Watcher {
    Arc::new(move |call: &Call| {
        if let (None, Some(why)) = (call.status, &call.note) {
            let mut seen = unopened.lock().unwrap_or_else(PoisonError::into_inner);
            *seen = (seen.0 + 1, why.clone());
        }
    })
}

fn endpoint(own: &StagedSettings, listen: SocketAddr, clock: &Clock) -> Settings {
    let mailboxes = [&own.product, &own.counterpart];
    Settings {
        listen,
        transport: Transport::MutualTls(Arc::clone(&own.pki)),
        shared_key: own.product.shared_key.clone(),
        mailboxes: mailboxes.map(|one| (one.mailbox.clone(), one.password.clone())).to_vec(),
        policy: Policy { certificate_names_mailbox: true, ..Policy::default() },
        limits: Limits::default(),
        clock: clock.clone(),
        watcher: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client::{ReferenceClient, TapeScope},
        protocol::{Password, SharedKey},
        tape::Actor,
    };

    fn credentials(mailbox: &str) -> Credentials {
        Credentials {
            mailbox: MailboxId::parse(mailbox).unwrap(),
            password: Password::new("p"),
            shared_key: SharedKey::new("k"),
        }
    }

    /// It may go on until its driver's time is over, and a run that has filled the memory leaves no bundle.
    #[tokio::test]
    async fn of_a_product_that_calls_without_end_no_more_is_recorded_than_there_is_room_for() {
        let [product, counterpart] = ["X26ABC1", "X26ABC2"].map(credentials);
        let staged = Staged::start(StagedSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            pki: Arc::new(Pki::new().unwrap()),
            product: product.clone(),
            counterpart,
            dormant: MailboxId::parse("X26ABC3").unwrap(),
            timeouts: Timeouts::default(),
            redactor: Redactor::default(),
            limits: RecordingLimits { exchanges: 3, ..RecordingLimits::default() },
        });
        let (staged, tape) = (staged.await.unwrap(), Tape::new());
        let (pair, _endpoint, _) = staged.lease(ScenarioNumber(0), &tape).await.unwrap();
        let own = TapeScope {
            tape: Tape::new(),
            redactor: Redactor::default(),
            scenario: ScenarioNumber(0),
            actor: Actor::Product,
        };
        let mut client = ReferenceClient::new(pair.product.target, product, own);
        for number in 1..=5 {
            assert_eq!(client.handshake().await.exchange.status(), Some(200));
            assert_eq!(staged.unrecorded().is_some(), number > 3, "{number}");
        }
        assert_eq!(tape.exchanges().len(), 3);
        assert!(staged.unrecordable().await.contains("more calls than a run records"));
    }
}
