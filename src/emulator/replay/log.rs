//! Used tokens on disk, so that a restart lets no token in twice.
//!
//! One file for each hour of the tokens' timestamps, which is removed when the hour has left the window.
//! Tokens are appended without a sync: a process that is killed loses none, a power cut may lose those of
//! the last seconds. A sync for every call, also for those that change nothing, would cost more than
//! that is worth on a test endpoint.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use super::Identity;
use crate::protocol::TokenTimestamp;

/// How names of files end.
const SUFFIX: &str = ".tokens";
/// Files at most, each of them open. There are more than six hours only where the clock was moved.
const MOST_HOURS: usize = 64;
/// Half a hash, and the minute in seconds since 1970.
const RECORD: usize = 24;

/// The folder with tokens.
#[derive(Debug)]
pub struct TokenLog {
    folder: PathBuf,
    hours: BTreeMap<i64, Hour>,
}

#[derive(Debug)]
struct Hour {
    file: File,
    length: u64,
}

impl TokenLog {
    /// Opens a folder, or makes one, and tells of every token in it.
    pub fn open(folder: PathBuf, mut told: impl FnMut(TokenTimestamp, Identity)) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut log = Self { folder, hours: BTreeMap::new() };
        for entry in fs::read_dir(&log.folder)? {
            let name = entry?.file_name();
            let hour = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).map(str::parse);
            let Some(Ok(hour)) = hour else { continue };
            let mut hour_file = Hour::open(&log.path(hour))?;
            hour_file.read(&mut told)?;
            log.hours.insert(hour, hour_file);
        }
        Ok(log)
    }

    /// Adds a token.
    pub fn append(&mut self, minute: TokenTimestamp, identity: Identity) -> io::Result<()> {
        let hour = hour(minute);
        if !self.hours.contains_key(&hour) {
            self.hours.insert(hour, Hour::open(&self.path(hour))?);
            while self.hours.len() > MOST_HOURS {
                self.remove_farthest(hour);
            }
        }
        let Some(file) = self.hours.get_mut(&hour) else { return Ok(()) };
        let mut record = [0; RECORD];
        let (half, seconds) = record.split_at_mut(16);
        half.copy_from_slice(&identity.to_le_bytes());
        seconds.copy_from_slice(&minute.time().timestamp().to_le_bytes());
        file.append(&record)
    }

    /// Removes hours of which no token is accepted any more.
    pub fn forget_before(&mut self, minute: TokenTimestamp) {
        let first = hour(minute);
        while self.hours.first_key_value().is_some_and(|(oldest, _)| *oldest < first) {
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((hour, _)) = self.hours.pop_first() {
            self.remove_file(hour);
        }
    }

    /// Removes the hour, but for the one that is written to, that is farthest from the machine's time: that is what the
    /// clock shows after a restart, and tokens of these hours are good again then.
    fn remove_farthest(&mut self, but: i64) {
        let now = hour(TokenTimestamp::at(Utc::now()));
        let others = self.hours.keys().copied().filter(|hour| *hour != but);
        if let Some(farthest) = others.max_by_key(|hour| hour.abs_diff(now)) {
            self.hours.remove(&farthest);
            self.remove_file(farthest);
        }
    }

    fn remove_file(&self, hour: i64) {
        // What stays is read once more and forgotten again.
        let _ = fs::remove_file(self.path(hour));
    }

    fn path(&self, hour: i64) -> PathBuf {
        self.folder.join(format!("{hour}{SUFFIX}"))
    }
}

impl Hour {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        // The last one may have been cut short.
        let whole = length - length % RECORD as u64;
        if whole < length {
            file.set_len(whole)?;
        }
        Ok(Self { file, length: whole })
    }

    fn read(&mut self, told: &mut impl FnMut(TokenTimestamp, Identity)) -> io::Result<()> {
        let mut reader = io::BufReader::new(&self.file);
        let mut record = [0; RECORD];
        for _ in 0..self.length / RECORD as u64 {
            reader.read_exact(&mut record)?;
            let (half, seconds) = record.split_at(16);
            let identity = half.try_into().map(Identity::from_le_bytes).unwrap_or_default();
            let seconds = seconds.try_into().map(i64::from_le_bytes).unwrap_or_default();
            if let Some(time) = DateTime::<Utc>::from_timestamp(seconds, 0) {
                told(TokenTimestamp::at(time), identity);
            }
        }
        Ok(())
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(record);
        match written {
            Ok(()) => self.length += record.len() as u64,
            // No part of it may stay, or all that follow would be read wrongly.
            Err(_) => self.file.set_len(self.length)?,
        }
        written
    }
}

fn hour(minute: TokenTimestamp) -> i64 {
    minute.time().timestamp().div_euclid(3600)
}
