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
};
use serde_json::json;

use super::{lines::Lines, screen};

/// How long calls wait for a log that takes nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A log that is written to as calls are answered.
pub struct AccessLog(Lines);

impl AccessLog {
    /// Opens a log, or goes on with one that is there.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let refused = |error| screen::warning(&format!("--access-log: calls are missing in it: {error}"));
        let log = Self(Lines::to(file, PATIENCE, refused));
        if ends_in_a_line(path) {
            log.0.push("");
        }
        Ok(log)
    }

    /// Writes one call down. A connection that came to no call is none.
    pub fn write(&self, call: &Call, clock_moved_seconds: Option<i64>) {
        if let Some(status) = call.status {
            self.0.push(&line(call, status, clock_moved_seconds).to_string());
        }
    }

    /// Returns when everything is in the file.
    pub fn finish(&self) {
        self.0.finish();
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

/// The path stands without its query, and patients' addresses travel in headers: nothing here is secret.
fn line(call: &Call, status: StatusCode, clock_moved_seconds: Option<i64>) -> serde_json::Value {
    let (token, why) = match &call.token {
        TokenOutcome::NotAsked => ("not asked", None),
        TokenOutcome::Accepted => ("accepted", None),
        TokenOutcome::Refused(refusal) => ("refused", Some(refusal.to_string())),
    };
    let mut line = json!({
        "time": call.time(),
        "mailbox": call.mailbox.as_ref().map(MailboxId::as_str),
        "operation": call.operation,
        "message_id": call.message.as_ref().map(MessageId::as_str),
        "status": status.as_u16(),
        "token": token,
        "token_refusal": why,
    });
    // Said in every line that it is true of, so that a part of the log cannot pass for real time.
    if let Some(seconds) = clock_moved_seconds {
        line["clock_moved_seconds"] = json!(seconds);
    }
    line
}
