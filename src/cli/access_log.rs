//! `emulate --access-log FILE`: one JSON object a line for each call, as assessors read server logs.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use http::StatusCode;
use mesh_witness::{
    emulator::{Call, TokenOutcome},
    protocol::{MailboxId, MessageId},
    tape::SecretSet,
};
use serde_json::json;

use super::{lines::Lines, screen};

/// How long calls wait for a log that takes nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A log that is written to as calls are answered.
pub struct AccessLog {
    lines: Lines,
    secrets: SecretSet,
}

impl AccessLog {
    /// Opens a log, or goes on with one that is there. None of `secrets` is written.
    pub fn open(path: &Path, secrets: SecretSet) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let refused = |error| screen::warning(&format!("--access-log: calls are missing in it: {error}"));
        let log = Self { lines: Lines::to(file, PATIENCE, refused), secrets };
        if ends_in_a_line(path) {
            log.lines.push("");
        }
        Ok(log)
    }

    /// Writes one call down. A connection that came to no call is none.
    pub fn write(&self, call: &Call, clock_moved_seconds: i64) {
        if let Some(status) = call.status {
            let line = line(call, status, clock_moved_seconds, &self.secrets);
            self.lines.push(&line.to_string());
        }
    }

    /// Returns when everything is in the file.
    pub fn finish(&self) {
        self.lines.finish();
    }
}

/// Whether the last line of a file has no end: whoever wrote it was killed, or the disk was full.
fn ends_in_a_line(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        let mut last = [0];
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        Ok(last[0])
    };
    // Of what is no file, such as a pipe, nothing can be read back.
    path.is_file() && last().is_ok_and(|last| last != b'\n')
}

/// The path stands without its query, and patients' addresses travel in headers. What a caller has put into the path is
/// looked through for secrets; all else is of our own words.
fn line(call: &Call, status: StatusCode, clock_moved_seconds: i64, secrets: &SecretSet) -> serde_json::Value {
    let clean = |text: &str| String::from_utf8_lossy(&secrets.masked(text.as_bytes())).into_owned();
    let (token, why) = match &call.token {
        TokenOutcome::NotAsked => ("not asked", None),
        TokenOutcome::Accepted => ("accepted", None),
        TokenOutcome::Refused(refusal) => ("refused", Some(clean(&refusal.to_string()))),
    };
    let mut line = json!({
        "time": call.time(),
        "mailbox": call.mailbox.as_ref().map(MailboxId::as_str).map(clean),
        "operation": call.operation,
        "message_id": call.message.as_ref().map(MessageId::as_str).map(clean),
        "status": status.as_u16(),
        "token": token,
        "token_refusal": why,
    });
    // Said in every line that it is true of, so that a part of the log cannot pass for real time.
    if clock_moved_seconds != 0 {
        line["clock_moved_seconds"] = json!(clock_moved_seconds);
    }
    line
}
