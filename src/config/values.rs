//! What single values must be.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use crate::{
    protocol::{IdError, LARGEST_MESSAGE, LARGEST_REQUEST, MailboxId, WorkflowId},
    runner::Optional,
};

use super::{apart, error::Complaint};
use crate::{product::driver::HookUrl, tape::printable};

const LONGEST_NAME: usize = 100;

/// A name that a report shows on one line.
pub(super) fn name(text: &str) -> Result<String, Complaint> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Complaint::new("is blank", "give it a value"));
    }
    if text.chars().any(char::is_control) {
        return Err(Complaint::new("has a line break or another control character", "write it on one line"));
    }
    // As of what people attest: it stands in the report, and must not make it lie.
    if printable(text.as_bytes()) != text {
        return Err(Complaint::new("has a character that hides or reorders text", "take it out"));
    }
    if text.chars().count() > LONGEST_NAME {
        let what = format!("is longer than {LONGEST_NAME} characters");
        return Err(Complaint::new(what, "shorten it: it stands on every page of the report"));
    }
    Ok(text.to_owned())
}

/// A password or a shared key.
pub(super) fn secret(text: &str) -> Result<String, Complaint> {
    if text.chars().any(char::is_control) {
        return Err(Complaint::new(
            "has a line break or another control character",
            "take it out; most often it is a line break at the end of the variable or the text",
        ));
    }
    apart::by_itself(text)?;
    Ok(text.to_owned())
}

/// A mailbox ID. Its characters are named only when they stand in the file.
pub(super) fn mailbox_id(text: &str, from_environment: bool) -> Result<MailboxId, Complaint> {
    MailboxId::parse(text).map_err(|error| match error {
        IdError::LowerCase => {
            Complaint::new("must be in upper case", "write it in capitals, as the MESH API asks for")
        }
        IdError::Character(_) if from_environment => {
            Complaint::new("has a character that no mailbox ID has", "use letters, digits, _ and - only")
        }
        error => Complaint::new(error.to_string(), "write it like X26HC005"),
    })
}

/// A workflow ID.
pub(super) fn workflow_id(text: &str) -> Result<WorkflowId, Complaint> {
    WorkflowId::parse(text).map_err(|error| {
        Complaint::new(error.to_string(), "write it like TEST_WORKFLOW, without blanks around it")
    })
}

/// Which drivers there are, as a person is told.
pub(super) const DRIVERS: &str = "write `driver: reference`, `driver: manual`, `driver: {command: [./drive.sh]}` or `driver: {webhook: {url: …}}`, or leave it off";

/// Where a hook is.
pub(super) fn hook(text: &str) -> Result<HookUrl, Complaint> {
    HookUrl::parse(text).map_err(|error| {
        Complaint::new(
            error.to_string(),
            "write an https URL, or http for this machine: http://127.0.0.1:9000/hook",
        )
    })
}

/// Where to listen: on this machine only, since whoever can call must be the product.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Complaint> {
    let mend = "write it like 127.0.0.1:8700; port 0 is any free one";
    let address: SocketAddr = text.parse().map_err(|_| Complaint::new("is no address with a port", mend))?;
    if address.ip().to_canonical().is_loopback() {
        Ok(address)
    } else {
        Err(Complaint::new("is not an address of this machine alone", mend))
    }
}

/// How long an action of the product may take.
pub(super) fn time_limit(seconds: Option<u64>) -> Result<Duration, Complaint> {
    match seconds {
        Some(seconds @ 1..=LONGEST_WAIT) => Ok(Duration::from_secs(seconds)),
        _ => Err(Complaint::new(
            format!("is no time from 1 s to {LONGEST_WAIT} s"),
            "write it like 60s or 5m, or leave it off",
        )),
    }
}

const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// A time to wait.
pub(super) fn seconds(number: Option<u64>) -> Result<Duration, Complaint> {
    match number {
        Some(seconds @ 1..=LONGEST_WAIT) => Ok(Duration::from_secs(seconds)),
        _ => Err(Complaint::new(
            format!("is not a whole number of seconds from 1 to {LONGEST_WAIT}"),
            "write it without quotes and without a unit, or leave it off",
        )),
    }
}

pub(super) fn message_bytes(number: Option<u64>) -> Result<u64, Complaint> {
    bytes(number, LARGEST_MESSAGE)
}

pub(super) fn chunk_bytes(number: Option<u64>) -> Result<u64, Complaint> {
    bytes(number, LARGEST_REQUEST)
}

fn bytes(number: Option<u64>, largest: u64) -> Result<u64, Complaint> {
    match number {
        Some(bytes) if (1..=largest).contains(&bytes) => Ok(bytes),
        _ => Err(Complaint::new(
            format!("is not a whole number of bytes from 1 to {largest}"),
            "write it without quotes and without a unit, or leave it off",
        )),
    }
}

pub(super) const WITHOUT: &str = "write `without: chunking`, `without: compression` or `without: \"chunking, compression\"`, or leave it off";

pub(super) fn without(text: &str) -> Result<BTreeSet<Optional>, Complaint> {
    let one = |word: &str| {
        let known = Optional::ALL.into_iter().find(|optional| optional.word() == word.trim());
        known.ok_or_else(|| Complaint::new("names what is not optional", WITHOUT))
    };
    text.split(',').map(one).collect()
}
