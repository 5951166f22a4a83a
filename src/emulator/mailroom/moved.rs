//! Moving the endpoint's clock. Where messages outlive the process, so does what came of that, and it is noted beside them.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use chrono::TimeDelta;
use thiserror::Error;

use super::{Clock, Mailroom, durable::sync};
use crate::emulator::clock::NoSuchTime;

/// Name of the empty file that says so.
const NAME: &str = "clock-was-moved";

/// Why a clock stays as it was.
#[derive(Debug, Error)]
pub enum Unmoved {
    /// There is no such time.
    #[error(transparent)]
    NoSuchTime(#[from] NoSuchTime),
    /// Nobody could tell after a restart that it was moved.
    #[error("that the clock was moved cannot be noted: {0}")]
    Unnoted(#[from] io::Error),
}

/// Where it is noted; nowhere where nothing outlives the process.
#[derive(Debug, Default)]
pub(super) struct Note(Option<PathBuf>);

impl Note {
    /// In a folder. What is noted there is true of the clock.
    pub fn within(folder: &Path, clock: &Clock) -> Self {
        let path = folder.join(NAME);
        if path.exists() {
            clock.note_moved();
        }
        Self(Some(path))
    }

    fn write(&self) -> io::Result<()> {
        let Some(path) = self.0.as_ref().filter(|path| !path.exists()) else { return Ok(()) };
        File::create(path)?.sync_all()?;
        path.parent().map_or(Ok(()), sync)
    }
}

impl Mailroom {
    /// Moves the endpoint's clock, and notes that first.
    pub(in crate::emulator) fn move_clock(&self, delta: TimeDelta) -> Result<(), Unmoved> {
        self.note.write()?;
        Ok(self.clock.move_by(delta)?)
    }

    /// Everything was forgotten, and with it what came of a clock that was moved and is back.
    pub(in crate::emulator) fn forget_moved_clock(&self) {
        self.clock.forget_moved();
        if self.clock.told_moved_by().is_none()
            && let Some(path) = &self.note.0
        {
            // What stays is told once more after the next start.
            let _ = fs::remove_file(path);
        }
    }
}
