//! The tape: an append-only, ordered record of exchanges, the only source of truth; and of connections on which no
//! exchange should come about.
//!
//! Whoever sees traffic writes here; step definitions, rules and the reporter only read.
//! Secrets are taken out on the way in, by [`Redactor`], once, before anything else sees them.

mod attempt;
mod body;
mod certificate;
mod disk;
mod exchange;
mod form;
mod har;
mod head;
mod reading;
mod redaction;
mod relay;
mod said;
mod secrets;
mod token_fault;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

pub use attempt::{Attempt, AttemptEnd};
pub use body::{BodyRecord, BodyRecorder, Decoded, KEPT_BYTES, Sha256};
pub use certificate::{Chain, Presented, certificate_facts};
pub use disk::{TAPE_FILE, TapeError, TapeLimits, TapeRecording, TapeWriter, read_tape, read_tape_lines};
pub use exchange::{
    Actor, CLOCK_MOVED, CertificateFacts, EMULATOR, Exchange, FailureKind, HashCheck, RequestRecord,
    ResponseRecord, ScenarioNumber, TimingRecord, TlsFacts, TokenRecord, TransportFailure, Vantage,
    clock_moved,
};
pub(crate) use har::is_blacked_out;
pub use har::{Har, HarEntry, HarError, HarLimits, read_har, read_har_bytes};
pub use head::{Header, RequestHead, ResponseHead, printable, push_printable};
pub use redaction::Redactor;
pub use relay::{
    ConnectionFacts, EndFacts, HostRule, LegFacts, Mark, Party, RecordingFacts, RelayFacts, RelayTimes,
};
pub use secrets::{Secret, SecretSet};
pub use token_fault::TokenFault;

/// Exchanges as they stood on the tape when they were asked for. Having them copies nothing; only when the
/// tape grows while somebody has them, it goes on with a copy.
pub type Exchanges = Arc<Vec<Arc<Exchange>>>;

/// The tape of one run. Cheap to clone; every clone is the same tape.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    kept: Arc<Mutex<Kept>>,
}

/// Connections to an endpoint that nobody should trust, as they stood on the tape when they were asked for.
pub type Attempts = Vec<Arc<Attempt>>;

/// Everything, and the same by scenario, so that nobody looks through all for a few.
#[derive(Debug, Default)]
struct Kept {
    all: Exchanges,
    of_scenario: HashMap<ScenarioNumber, Exchanges>,
    attempts: Attempts,
}

impl Tape {
    /// An empty tape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an exchange. It was redacted as it was made, by [`Redactor`].
    pub fn append(&self, exchange: Exchange) -> Arc<Exchange> {
        let exchange = Arc::new(exchange);
        let mut kept = self.lock();
        Arc::make_mut(&mut kept.all).push(Arc::clone(&exchange));
        let own = kept.of_scenario.entry(exchange.scenario).or_default();
        Arc::make_mut(own).push(Arc::clone(&exchange));
        exchange
    }

    /// Everything on the tape, in the order in which exchanges ended.
    #[must_use]
    pub fn exchanges(&self) -> Exchanges {
        Arc::clone(&self.lock().all)
    }

    /// The exchanges of one scenario, in the order in which they ended.
    #[must_use]
    pub fn of_scenario(&self, scenario: ScenarioNumber) -> Exchanges {
        self.lock().of_scenario.get(&scenario).cloned().unwrap_or_default()
    }

    /// Appends a connection to an endpoint that nobody should trust.
    pub fn witness(&self, attempt: Attempt) {
        self.lock().attempts.push(Arc::new(attempt));
    }

    /// All such connections, in the order in which they ended.
    #[must_use]
    pub fn attempts(&self) -> Attempts {
        self.lock().attempts.clone()
    }

    /// Those of one scenario.
    #[must_use]
    pub fn attempts_of(&self, scenario: ScenarioNumber) -> Attempts {
        let kept = self.lock();
        kept.attempts.iter().filter(|attempt| attempt.scenario == scenario).cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
