//! What may be said on the command line, and the help that teaches it.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Conformance and witness-test harness for NHS MESH.
///
/// Plays the MESH API assurance pack against an endpoint, records every exchange, and leaves one
/// sealed evidence bundle. Without a configuration it starts an endpoint of its own on this machine:
///
///     mesh-witness run
///
/// Exit codes: 0 all that counts passed, the bundle is good, or nothing got worse; 1 something under
/// test failed, the bundle is not good, or something got worse; 2 the call, the configuration or a
/// feature file is wrong; 3 the endpoint or the environment is at fault, or the run is incomplete.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(RunArguments),
    Emulate(EmulateArguments),
    Judge(JudgeArguments),
    Record(RecordArguments),
    Verify(VerifyArguments),
    Compare(CompareArguments),
    Check(CheckArguments),
    Steps(StepsArguments),
    Init(InitArguments),
}

/// Play packs and write an evidence bundle.
///
/// Without --config, an embedded endpoint is played over mutual TLS on this machine, with the
/// built-in reference client as the product: practice, not evidence. With --config, the endpoint,
/// mailboxes, certificates and product that the file names.
///
/// Cases 801 to 803 are declarations: a named person answers on the terminal when a run at a configured
/// endpoint begins, or in --attestations. Without an answer they are not run and never passed: in
/// practice, at the embedded endpoint, that does not count; elsewhere the run is incomplete, which is
/// exit code 3. So is a run of declarations alone, since nothing was measured.
///
/// The pack "product" makes things hard for a product on purpose, at the embedded endpoint, and judges what
/// it does then.
///
/// The pack "endpoint" judges the endpoint itself. At a real endpoint only its scenarios tagged
/// @int-safe are played; the others are not run, and the exit code is 2, since more was asked for than
/// may be played: ask for --tags @int-safe, or for --beyond-int-safe. Live MESH is refused unless
/// --live-host names it.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Configuration of a real endpoint, of a product, or of both; `mesh-witness check` tells whether it is
    /// right
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A built-in pack by its name, or a folder with .feature files; may be repeated [default: witness]
    #[arg(long, value_name = "NAME|PATH")]
    pub pack: Vec<String>,
    /// Which scenarios to play, such as "@case-201 or @case-202"
    #[arg(long, value_name = "EXPRESSION")]
    pub tags: Option<String>,
    /// What people attest of cases 801 to 803: a YAML list of case, name, role, statement and date
    #[arg(long, value_name = "FILE")]
    pub attestations: Option<PathBuf>,
    /// Failures that are known: a YAML list of requirement, case, scenario or rule, with reason, reference,
    /// owner and expires. One that is listed is shown and not counted; an entry that passes, matches nothing
    /// or has expired fails the run
    #[arg(long, value_name = "FILE")]
    pub deviations: Option<PathBuf>,
    /// Go on with what an earlier run has left: case 703, five days later
    #[arg(long, value_name = "BUNDLE", requires = "config")]
    pub resume: Option<PathBuf>,
    /// Say in conformance.md what has changed since an earlier run
    #[arg(long, value_name = "BUNDLE")]
    pub compare_with: Option<PathBuf>,
    /// Play at a real endpoint also what is not tagged @int-safe: the endpoint's operators should know
    #[arg(long)]
    pub beyond_int_safe: bool,
    /// Play against live MESH, whose host must be named in full
    #[arg(long, value_name = "HOST")]
    pub live_host: Option<String>,
    /// Where to write the bundle [default: reports/mesh-witness-RUN.zip]
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Scenarios at a time; mailboxes of a configuration are shared, so there it is always one
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// What to print: for people, or the bundle's summary.json for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Stand alone as a MESH endpoint on this machine.
///
/// Prints `listening on URL` when it is ready, and stops on Ctrl-C or SIGTERM.
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
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8700")]
    pub listen: SocketAddr,
    /// Without TLS: on loopback addresses only
    #[arg(long)]
    pub plain_http: bool,
    /// The environment's shared key
    #[arg(
        long,
        value_name = "KEY",
        env = "MESH_SHARED_KEY",
        default_value = "TestKey",
        hide_env_values = true
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
    let page = include_str!("../../docs/emulator.md");
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

/// The longest message that MESH takes (OpenAPI, "Outbox workflow").
const LONGEST_MESSAGE: u64 = 100_000_000_000;

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
    let bytes = u64::checked_mul(number, unit).filter(|bytes| (1..=LONGEST_MESSAGE).contains(bytes));
    bytes.ok_or_else(|| "it is from one byte to 100GB".to_owned())
}

/// Apply the rules for a product's traffic to what was recorded, offline.
///
/// Takes a tape (the folder that was recorded to, or its tape.ndjson), a HAR file of any program, or a
/// bundle, which is verified first. docs/rules.md has every rule. What a recording cannot show is not
/// applicable, with the reason. Exit codes: 0 no MUST is broken; 1 one is; 2 this cannot be judged.
#[derive(Debug, Args)]
pub struct JudgeArguments {
    /// The recording
    #[arg(value_name = "TAPE|FILE.har|BUNDLE.zip")]
    pub recording: PathBuf,
    /// Configuration with the mailboxes' passwords and the shared key, to recompute tokens
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Judge this mailbox only
    #[arg(long, value_name = "ID")]
    pub mailbox: Option<String>,
    /// What to print: for people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Record what a product says to a real endpoint, and what it is answered.
///
/// A proxy that the product calls in the endpoint's place. It passes every byte on as it comes, with
/// the client certificate of the configuration towards the endpoint, and records every exchange on a
/// tape, without secrets. Prints what to set in the product when it is ready, and stops on Ctrl-C;
/// calls that are under way then have 30 seconds, or until Ctrl-C is pressed again.
/// `mesh-witness judge DIR` judges the tape. docs/record.md shows how to set it up.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct RecordArguments {
    /// Configuration of the endpoint; `mesh-witness check` tells whether it is right
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where to listen; port 0 for any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// The folder to record to; a tape that is there already is continued [default: reports/tape-TIME]
    #[arg(long, value_name = "DIR")]
    pub tape: Option<PathBuf>,
    /// Where the local certificate authority lives; made when the folder is empty [default: pki, beside the tape]
    #[arg(long, value_name = "DIR")]
    pub pki: Option<PathBuf>,
    /// PEM: further authorities that the product's own certificate may be from; may be repeated
    #[arg(long, value_name = "FILE")]
    pub product_ca: Vec<PathBuf>,
    /// Replace the value of the Host header by the endpoint's name, for a product that cannot call the
    /// proxy under that name; the tape says so
    #[arg(long)]
    pub edit_host: bool,
    /// Connect there, whatever the endpoint's name stands for on this machine: needed where its hosts
    /// file leads the product to the proxy
    #[arg(long, value_name = "ADDRESS")]
    pub connect_to: Option<SocketAddr>,
    /// Receive the product without TLS: on loopback addresses only
    #[arg(long, conflicts_with_all = ["pki", "product_ca", "no_product_certificate"])]
    pub plain_http: bool,
    /// Receive a product that presents no certificate: on loopback addresses only
    #[arg(long)]
    pub no_product_certificate: bool,
    /// Listen on an address that other machines can reach
    #[arg(long)]
    pub open_to_network: bool,
    /// Record in front of this live endpoint, where messages are patients' own
    #[arg(long, value_name = "HOST")]
    pub live_host: Option<String>,
}

/// Tell whether a bundle is whole and unchanged.
///
/// Takes the bundle's zip, or the folder that it was extracted into. Says which files were changed,
/// are missing or were added.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The bundle
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
}

/// Tell how two runs differ: what is fixed, still failing, newly failing, changed.
///
/// Both bundles are verified first. Exit code 0 when nothing got worse, 1 when something did.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// The bundle of the earlier run
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The bundle of the later run
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
}

/// Tell whether a configuration is right and its endpoint can be reached, without using a mailbox.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// List the steps that scenarios can be written with, each with what it does and an example.
///
/// For editors that take snippets as Visual Studio Code does:
/// `mesh-witness steps --format vscode > .vscode/mesh-witness.code-snippets`
#[derive(Debug, Args)]
pub struct StepsArguments {
    /// What to print
    #[arg(long, value_enum, default_value_t = StepsFormat::Text)]
    pub format: StepsFormat,
}

/// How the steps are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StepsFormat {
    /// For people
    Text,
    /// For programs: docs/steps.md has the fields
    Json,
    /// The page docs/steps.md
    Markdown,
    /// Snippets for Visual Studio Code, and for editors that take the same
    Vscode,
}

/// Begin a pack of your own: a commented configuration, a first scenario, a catalogue with its requirement.
///
/// Writes mesh-witness.yaml, features/first.feature and features/requirements.yaml. What is there already
/// is never overwritten: then nothing is written.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// Where to; made where there is none
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_difference_with_its_answers_and_sources() {
        let help = differences();
        let rows = include_str!("../../docs/emulator.md").lines();
        let rows = rows.filter(|line| line.starts_with("| `") && line.split('|').count() == 7);
        let names: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
        assert!(names.len() > 30);
        for name in names {
            assert!(help.contains(&format!("\n  {name}\n      int ")), "{name}");
        }
    }
}
