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
        if breaks_off(path) {
            log.lines.push("");
        }
        Ok(log)
    }

    /// Writes one call down. A connection that came to no call is none.
    pub fn write(&self, call: &Call, clock_moved_seconds: Option<i64>) {
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

/// Whether a log that is there breaks off.
fn breaks_off(path: &Path) -> bool {
    // Of what is no file, such as a pipe, nothing can be read back.
    path.is_file() && File::open(path).and_then(|mut file| disk::breaks_off(&mut file)).unwrap_or(false)
}

/// The path stands without its query, and patients' addresses travel in headers. What a caller has put into the path is
/// looked through for secrets; all else is of our own words.
fn line(
    call: &Call,
    status: StatusCode,
    clock_moved_seconds: Option<i64>,
    secrets: &SecretSet,
) -> serde_json::Value {
    let clean = |text: &str| match secrets.is_empty() {
        true => text.to_owned(),
        false => String::from_utf8_lossy(&secrets.masked(text.as_bytes())).into_owned(),
    };
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
    if let Some(seconds) = clock_moved_seconds {
        line["clock_moved_seconds"] = json!(seconds);
    }
    line
}
