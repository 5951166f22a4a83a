//! The tape of `emulate --tape DIR`: what clients do to the emulator, to be judged by `judge`.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use chrono::Utc;
use mesh_witness::{
    emulator::{Mailbox, Recorder},
    protocol::{Credentials, SharedKey},
    tape::{EndFacts, Exchange, HostRule, Mark, RecordingFacts, Redactor, Secret, TAPE_FILE, TapeWriter},
};
use rustls::pki_types::CertificateDer;

use super::{Failure, screen};

/// A tape that the emulator writes. Clones are the same.
#[derive(Clone)]
pub struct Taping(Arc<Inner>);

struct Inner {
    writer: Mutex<TapeWriter>,
    path: PathBuf,
    exchanges: AtomicU64,
    broken_off: AtomicU64,
    failed: AtomicBool,
}

impl Taping {
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(TAPE_FILE);
        let writer = TapeWriter::open(folder, Utc::now())
            .map_err(|error| Failure::unwritable("--tape", &path, &error))?;
        let (exchanges, broken_off) = (AtomicU64::new(0), AtomicU64::new(0));
        let writer = Mutex::new(writer);
        Ok(Self(Arc::new(Inner { writer, path, exchanges, broken_off, failed: AtomicBool::new(false) })))
    }

    /// Takes secrets out, and recomputes the hashes of the mailboxes' tokens.
    pub fn recorder(
        &self,
        mailboxes: &[Mailbox],
        shared_key: &SharedKey,
        certificate: Option<&CertificateDer<'_>>,
    ) -> Recorder {
        let secrets = secrets(mailboxes, Some(shared_key));
        let credentials: Vec<Credentials> = mailboxes
            .iter()
            .map(|mailbox| Credentials {
                mailbox: mailbox.id.clone(),
                password: mailbox.password.clone(),
                shared_key: shared_key.clone(),
            })
            .collect();
        let taping = self.clone();
        Recorder::new(Redactor::new(&secrets, &credentials), certificate, move |exchange| {
            taping.keep(&exchange)
        })
    }

    /// Says where it was recorded.
    pub fn begin(&self, url: &str, listen: std::net::SocketAddr, with_certificate: bool) {
        let facts = RecordingFacts {
            environment: "mesh-witness emulator".to_owned(),
            endpoint: url.to_owned(),
            listen,
            product: "whoever called".to_owned(),
            supplier: String::new(),
            host: HostRule::AsSent,
            product_certificate_required: with_certificate,
        };
        self.write(|writer| writer.mark(&Mark::Recording(facts)));
    }

    /// Says that the recording was ended in good order.
    pub fn end(&self) {
        let facts = EndFacts {
            at: Utc::now(),
            reason: "the emulator was ended".to_owned(),
            connections: 0,
            exchanges: self.0.exchanges.load(Ordering::Relaxed),
            broken_off: self.0.broken_off.load(Ordering::Relaxed),
        };
        self.write(|writer| writer.mark(&Mark::End(facts)).and_then(|()| writer.sync()));
    }

    fn keep(&self, exchange: &Exchange) {
        self.0.exchanges.fetch_add(1, Ordering::Relaxed);
        self.0.broken_off.fetch_add(u64::from(exchange.failure.is_some()), Ordering::Relaxed);
        self.write(|writer| writer.append(exchange));
    }

    /// After the first line that cannot be written there are no more: a tape has no holes.
    fn write(&self, line: impl FnOnce(&mut TapeWriter) -> io::Result<()>) {
        if self.0.failed.load(Ordering::SeqCst) {
            return;
        }
        let mut writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = line(&mut writer) {
            self.0.failed.store(true, Ordering::SeqCst);
            screen::warning(&format!(
                "--tape: {}: cannot be written: {error}; nothing more is recorded",
                self.0.path.display()
            ));
        }
    }
}

/// What the emulator knows and nobody is to read.
pub fn secrets(mailboxes: &[Mailbox], shared_key: Option<&SharedKey>) -> Vec<Secret> {
    let key = shared_key.map(|key| Secret::new("the emulator's shared key", key.expose()));
    let of =
        |mailbox: &Mailbox| Secret::new(format!("the password of {}", mailbox.id), mailbox.password.expose());
    key.into_iter().chain(mailboxes.iter().map(of)).collect()
}
