//! A tape on disk: `tape.ndjson` in a folder, one JSON object a line, only ever appended to.
//!
//! A line that begins a recording says which version of the form follows; every other line is one
//! exchange. A program that is killed may leave its last line torn. That costs this one exchange, is
//! reported, and the next recording begins on a new line.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Exchange, Mark};
use crate::{disk::breaks_off, protocol::Operation};

/// The name of a tape's file within its folder.
pub const TAPE_FILE: &str = "tape.ndjson";

/// The version of the form that is written here, and the newest that can be read.
const VERSION: u32 = 1;

/// The line that begins a recording.
#[derive(Serialize, Deserialize)]
struct Opening {
    mesh_witness_tape: u32,
    tool_version: String,
    opened_at: DateTime<Utc>,
}

/// A line that is neither the beginning of a recording nor an exchange.
#[derive(Serialize, Deserialize)]
struct MarkLine {
    mesh_witness_mark: Mark,
}

/// Appends exchanges to a tape on disk.
#[derive(Debug)]
pub struct TapeWriter {
    file: File,
}

impl TapeWriter {
    /// Opens the tape in `folder`, which is made if need be, and begins a recording at its end. On Unix
    /// a new file can be read by its owner only: bodies may be confidential.
    ///
    /// # Errors
    /// When folder or file cannot be made or written, or another recording is being written there.
    pub fn open(folder: &Path, now: DateTime<Utc>) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(folder.join(TAPE_FILE))?;
        // Of two at once neither could be told from the other. On Windows a lock would keep readers out, too.
        #[cfg(unix)]
        if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another recording is being written to it",
            ));
        }
        if breaks_off(&mut file)? {
            file.write_all(b"\n")?;
        }
        let opening = Opening {
            mesh_witness_tape: VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            opened_at: now,
        };
        let mut writer = Self { file };
        writer.line(&opening)?;
        Ok(writer)
    }

    /// Appends one exchange. It was redacted as it was made.
    ///
    /// # Errors
    /// When it cannot be written; then the line may be torn, and nothing more should be appended.
    pub fn append(&mut self, exchange: &Exchange) -> io::Result<()> {
        self.line(exchange)
    }

    /// Appends a line that is no exchange.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn mark(&mut self, mark: &Mark) -> io::Result<()> {
        self.line(&MarkLine { mesh_witness_mark: mark.clone() })
    }

    /// Sees to it that what was appended survives a failure of the machine.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// In one write, so that a line is torn only when the machine fails or the disk is full.
    fn line(&mut self, of: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(of)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

/// What was read of a tape.
#[derive(Debug, Default)]
pub struct TapeRecording {
    /// Its exchanges with their lines, from 1, in the order of the tape.
    pub exchanges: Vec<(usize, Arc<Exchange>)>,
    /// Lines that were torn when a recording was cut off: an exchange is missing there.
    pub torn: Vec<usize>,
    /// Lines that are no exchanges, with their numbers, from 1.
    pub marks: Vec<(usize, Mark)>,
    /// Lines on which recordings begin that a proxy began and did not end in good order: exchanges may
    /// be missing there.
    pub cut_short: Vec<usize>,
}

impl TapeRecording {
    fn mark(&mut self, line: usize, mark: Mark) {
        match mark {
            Mark::Recording(_) => self.cut_short.push(line),
            Mark::End(_) => drop(self.cut_short.pop()),
            Mark::Connection(_) => {}
        }
        self.marks.push((line, mark));
    }
}

/// How much is read of a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapeLimits {
    /// Bytes of a line.
    pub line: usize,
    /// Exchanges.
    pub exchanges: usize,
}

impl Default for TapeLimits {
    /// Lines of 4 MiB, which is twice the longest that is written, and a million exchanges.
    fn default() -> Self {
        Self { line: 4 << 20, exchanges: 1_000_000 }
    }
}

/// Why a tape cannot be read.
#[derive(Debug, Error)]
pub enum TapeError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file broke off while it was read.
    #[error("line {line}: cannot be read: {source}")]
    Broken {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: io::Error,
    },
    /// It is no tape.
    #[error(
        "line 1: this is not the beginning of a tape, which says mesh_witness_tape: give the folder that was recorded to, or its tape.ndjson"
    )]
    NotATape,
    /// It is from a later program.
    #[error(
        "line {line}: the tape has version {version}, and this program knows versions up to {VERSION}: use the mesh-witness that recorded it, or a newer one"
    )]
    Version {
        /// The line, from 1.
        line: usize,
        /// Its version.
        version: u32,
    },
    /// A line is damaged, and not because a recording was cut off.
    #[error(
        "line {line}, column {column}: this is no exchange: the tape was changed or damaged; take the recording again, or remove the line and say so"
    )]
    Line {
        /// The line, from 1.
        line: usize,
        /// Where in it, from 1; 0 when the line as a whole is wrong.
        column: usize,
    },
    /// It is larger than can be judged.
    #[error("line {line}: {what}: record in parts, to several folders, and judge each")]
    TooLarge {
        /// The line, from 1.
        line: usize,
        /// What there is too much of.
        what: &'static str,
    },
}

/// Reads the tape in a folder, or the file itself.
///
/// # Errors
/// [`TapeError`].
pub fn read_tape(path: &Path, limits: &TapeLimits) -> Result<TapeRecording, TapeError> {
    let file = if path.is_dir() { path.join(TAPE_FILE) } else { path.to_owned() };
    let opened = File::open(&file).map_err(|source| TapeError::Read { path: file, source })?;
    read_tape_lines(BufReader::new(opened), limits)
}

/// Reads a tape line by line.
///
/// # Errors
/// [`TapeError`].
pub fn read_tape_lines(mut from: impl BufRead, limits: &TapeLimits) -> Result<TapeRecording, TapeError> {
    let mut recording = TapeRecording::default();
    let mut unreadable: Option<TapeError> = None;
    let mut line = 0;
    loop {
        let mut bytes = Vec::new();
        line += 1;
        let limit = limits.line as u64 + 1;
        let read = from.by_ref().take(limit).read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| TapeError::Broken { line, source })?;
        if read == 0 {
            break;
        }
        if read > limits.line {
            return Err(TapeError::TooLarge { line, what: "the line is longer than any of a tape" });
        }
        if let Some(opening) = opening(&bytes) {
            if opening.mesh_witness_tape > VERSION {
                return Err(TapeError::Version { line, version: opening.mesh_witness_tape });
            }
            // What stood before was torn when its recording was cut off.
            if unreadable.take().is_some() {
                recording.torn.push(line - 1);
            }
            continue;
        }
        if line == 1 {
            return Err(TapeError::NotATape);
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        // As many connections as exchanges, and whatever else is noted.
        if recording.exchanges.len() == limits.exchanges || recording.marks.len() > 2 * limits.exchanges {
            return Err(TapeError::TooLarge { line, what: "there are more exchanges than can be judged" });
        }
        if let Some(mark) = mark(&bytes) {
            recording.mark(line, mark);
            continue;
        }
        match exchange(&bytes) {
            Ok(exchange) => recording.exchanges.push((line, Arc::new(exchange))),
            Err(column) => unreadable = Some(TapeError::Line { line, column }),
        }
        if unreadable.is_some() && !bytes.ends_with(b"\n") {
            unreadable = None;
            recording.torn.push(line);
        }
    }
    match unreadable {
        Some(error) => Err(error),
        None if line == 1 => Err(TapeError::NotATape),
        None => Ok(recording),
    }
}

fn opening(bytes: &[u8]) -> Option<Opening> {
    // Not tried on every line: exchanges are long.
    let begins = bytes.get(..64).unwrap_or(bytes).windows(17).any(|window| window == b"mesh_witness_tape");
    begins.then(|| serde_json::from_slice(bytes).ok()).flatten()
}

fn mark(bytes: &[u8]) -> Option<Mark> {
    let begins = bytes.starts_with(br#"{"mesh_witness_mark""#);
    let line = begins.then(|| serde_json::from_slice::<MarkLine>(bytes).ok()).flatten()?;
    Some(line.mesh_witness_mark)
}

/// The exchange of a line, or the column at which the line is wrong. Not what is wrong there: that could
/// repeat any of it.
fn exchange(bytes: &[u8]) -> Result<Exchange, usize> {
    let mut exchange: Exchange = serde_json::from_slice(bytes).map_err(|error| error.column())?;
    let head = &exchange.request.head;
    exchange.operation = Operation::called(&head.method, &head.target);
    // Times are added up later, and must have room for it.
    if is_plausible(exchange.started_at) { Ok(exchange) } else { Err(0) }
}

/// Whether a time can be the time of a recording: any other is damage, or an attempt to overflow sums.
pub(super) fn is_plausible(time: DateTime<Utc>) -> bool {
    (1990..3000).contains(&time.year())
}

#[cfg(test)]
mod tests;
