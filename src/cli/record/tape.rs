//! The tape on disk, as the proxy writes it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::Utc;
use mesh_witness::{
    proxy::{Counts, Entry},
    tape::{EndFacts, Mark, RecordingFacts, TAPE_FILE, TapeWriter},
};

use super::super::{Exit, Failure};

/// The tape; clones are the same.
#[derive(Clone)]
pub struct SharedTape {
    writer: Arc<Mutex<TapeWriter>>,
    path: PathBuf,
}

impl SharedTape {
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(TAPE_FILE);
        match TapeWriter::open(folder, Utc::now()) {
            Ok(writer) => Ok(Self { writer: Arc::new(Mutex::new(writer)), path }),
            Err(error) => Err(Failure::unwritable("--tape", &path, &error)),
        }
    }

    /// Says between whom is recorded.
    pub fn begin(&self, facts: &RecordingFacts) -> Result<(), Failure> {
        self.lock().mark(&Mark::Recording(facts.clone())).map_err(|error| self.failed(&error))
    }

    /// Appends what was recorded.
    pub fn keep(&self, entry: &Entry) -> io::Result<()> {
        let mut writer = self.lock();
        match entry {
            Entry::Exchange(exchange) => writer.append(exchange),
            Entry::Connection(facts) => writer.mark(&Mark::Connection(facts.clone())),
        }
    }

    /// Says that the recording was ended in good order.
    pub fn end(&self, reason: String, counts: Counts) -> Result<(), Failure> {
        let Counts { connections, exchanges, broken_off } = counts;
        let facts = EndFacts { at: Utc::now(), reason, connections, exchanges, broken_off };
        let mut writer = self.lock();
        let written = writer.mark(&Mark::End(facts)).and_then(|()| writer.sync());
        written.map_err(|error| self.failed(&error))
    }

    pub fn failed(&self, error: &io::Error) -> Failure {
        let path = self.path.display();
        let message = format!(
            "{path}: cannot be written: {error}; nothing more was passed on to the endpoint, and the tape is \
             cut short: make room, and record again"
        );
        Failure::new(Exit::Environment, message)
    }

    fn lock(&self) -> MutexGuard<'_, TapeWriter> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
