//! What may be said on the command line, and the help that teaches it.

mod emulate;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use emulate::{AuthMode, EmulateArguments, ProfileName};

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
