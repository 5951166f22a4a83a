//! `emulate --access-log FILE`: one JSON object a line for each call, as assessors read server logs.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
    time::Duration,
};

use http::StatusCode;
use mesh_witness::{
    disk,
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
        if breaks_off(path) {
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

/// Whether a log that is there breaks off.
fn breaks_off(path: &Path) -> bool {
    // Of what is no file, such as a pipe, nothing can be read back.
    path.is_file() && File::open(path).and_then(|mut file| disk::breaks_off(&mut file)).unwrap_or(false)
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
