//! What may be said to `emulate`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use mesh_witness::protocol::LARGEST_MESSAGE;

/// The shared key where none is named, mesh-sandbox's: no secret.
pub const DEFAULT_SHARED_KEY: &str = "TestKey";

/// Stand alone as a MESH endpoint on this machine.
///
/// Prints `listening on URL` when it is ready, and stops on Ctrl-C or SIGTERM, at once on the second.
/// Mailboxes X26ABC1, X26ABC2 and X26ABC3, each with the password `password`, unless --mailbox
/// or --mailboxes names others.
///
/// Where sources disagree about what MESH answers, --profile chooses, and --switch for one thing alone:
///   int      what is known of integration; where nothing is, the OpenAPI
///   spec     the OpenAPI to the letter
///   sandbox  as NHS mesh-sandbox 1.0.137
/// docs/emulator.md has all that is below, and the admin routes, by which callers on this machine
/// reset mailboxes, create reports and move the clock.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = differences())]
pub struct EmulateArguments {
    /// Where to listen; port 0 for any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8700", value_parser = address)]
    pub listen: SocketAddr,
    /// Without TLS: on loopback addresses only
    #[arg(long)]
    pub plain_http: bool,
    /// The environment's shared key
    #[arg(
        long,
        value_name = "KEY",
        env = "MESH_SHARED_KEY",
        default_value = DEFAULT_SHARED_KEY,
        hide_env_values = true,
        value_parser = shared_key
    )]
    pub shared_key: String,
    /// Where to write ca.pem and, for each mailbox, MAILBOX.pem and MAILBOX-key.pem; without it no
    /// key is ever written, and no other program can call over TLS
    #[arg(long, value_name = "DIR", conflicts_with = "plain_http")]
    pub pki: Option<PathBuf>,
    /// A mailbox and its password; may be repeated
    #[arg(long, value_name = "ID:PASSWORD")]
    pub mailbox: Vec<String>,
    /// Mailboxes, one JSON object a line, as mesh-sandbox has them in mailboxes.jsonl
    #[arg(long, value_name = "FILE", conflicts_with = "mailbox")]
    pub mailboxes: Option<PathBuf>,
    /// Workflows, one JSON object a line, as mesh-sandbox has them in workflows.jsonl; who may send and
    /// receive them is enforced, but for the profile sandbox
    #[arg(long, value_name = "FILE")]
    pub workflows: Option<PathBuf>,
    /// A folder with mailboxes.jsonl and workflows.jsonl; where one is not there, as if it were not named
    #[arg(long, value_name = "DIR", conflicts_with_all = ["mailbox", "mailboxes", "workflows"])]
    pub data_dir: Option<PathBuf>,
    /// How callers show who they are; all but `full` on loopback addresses only
    #[arg(long, value_enum, default_value_t = AuthMode::Full)]
    pub auth_mode: AuthMode,
    /// After how many days a message that nobody collects leaves the inbox
    #[arg(long, value_name = "DAYS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub inbox_expiry_days: u16,
    /// After how many days a message is forgotten; none waits longer in an inbox
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub message_expiry_days: u16,
    /// Where to keep messages, so that they survive a restart and even a kill; made where there is none.
    /// Without it they are gone with the process
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// How to answer where sources disagree
    #[arg(long, value_enum, default_value_t = ProfileName::Int)]
    pub profile: ProfileName,
    /// Turn one of the switches below to another choice; may be repeated
    #[arg(long = "switch", value_name = "NAME=CHOICE")]
    pub switches: Vec<String>,
    /// Longest message, all its chunks together as they are sent: in bytes, or such as 500kB, 250MB, 20GB
    #[arg(long, value_name = "SIZE", default_value = "100GB", value_parser = message_size)]
    pub max_message_size: u64,
    /// Write one JSON line a call: time, mailbox, operation, message ID, status, what became of the token
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<PathBuf>,
    /// Record what clients do in a tape in this folder, for `judge`
    #[arg(long, value_name = "DIR")]
    pub tape: Option<PathBuf>,
    /// Refuse a token whose mailbox is not the first label of the client certificate's common name
    #[arg(long, conflicts_with = "plain_http")]
    pub certificate_names_mailbox: bool,
    /// Threads that answer calls; without it half of the processors, since whoever calls is mostly on the same machine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// How callers of the emulator show who they are, in mesh-sandbox's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthMode {
    /// By a good token
    Full,
    /// By a token for the mailbox whose nonce is `valid`
    Canned,
    /// Not at all
    None,
}

/// How the emulator answers where sources disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// What is known of integration
    Int,
    /// The OpenAPI to the letter
    Spec,
    /// As NHS mesh-sandbox 1.0.137
    Sandbox,
}

/// The table of `docs/emulator.md`: every switch, with its answer in each profile and the sources.
fn differences() -> String {
    let page = include_str!("../../../docs/emulator.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| switch |"));
    let mut text = "Where sources disagree:\n".to_owned();
    for row in rows.skip(2).take_while(|line| line.starts_with('|')) {
        let row = row.replace('`', "");
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if let [switch, int, spec, sandbox, others, sources] = cells.as_slice() {
            let or = if *others == "–" { String::new() } else { format!("; or {others}") };
            text.push_str(&format!(
                "\n  {switch}\n      int {int}; spec {spec}; sandbox {sandbox}{or}\n      {sources}\n"
            ));
        }
    }
    text
}

/// Names are not looked up: one may lead to several addresses, and one alone is listened on.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "it is an IP address and a port, such as 127.0.0.1:8700 or [::1]:8700".to_owned())
}

/// A variable that is set to nothing is mostly one that was never filled.
fn shared_key(text: &str) -> Result<String, String> {
    match text {
        "" => {
            Err("it is empty; give the environment's key, or neither the flag nor MESH_SHARED_KEY".to_owned())
        }
        key => Ok(key.to_owned()),
    }
}

/// A size in bytes, or in the decimal units of the OpenAPI.
fn message_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err("it is a number of bytes, or one with kB, MB or GB".to_owned()),
    };
    let number =
        digits.parse().map_err(|_| "it is a whole number, with kB, MB or GB or without".to_owned())?;
    let bytes = u64::checked_mul(number, unit).filter(|bytes| (1..=LARGEST_MESSAGE).contains(bytes));
    bytes.ok_or_else(|| "it is from one byte to 100GB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_difference_with_its_answers_and_sources() {
        let help = differences();
        let rows = include_str!("../../../docs/emulator.md").lines();
        let rows = rows.filter(|line| line.starts_with("| `") && line.split('|').count() == 8);
        let names: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
        assert!(names.len() > 30);
        for name in names {
            assert!(help.contains(&format!("\n  {name}\n      int ")), "{name}");
        }
        assert!(help.contains("int iso; spec iso; sandbox iso; or compact\n"), "{help}");
    }

    #[test]
    fn a_size_is_a_number_of_bytes_with_a_decimal_unit_or_without() {
        for (text, bytes) in
            [("1", 1), ("700b", 700), ("500kB", 500_000), ("250MB", 250_000_000), ("100gb", LARGEST_MESSAGE)]
        {
            assert_eq!(message_size(text), Ok(bytes));
        }
        for text in ["", "0", "GB", "-1", "1.5GB", "1 GB", "20GiB", "101GB", "99999999999999999999", "1é"] {
            assert!(message_size(text).is_err(), "{text}");
        }
    }
}
