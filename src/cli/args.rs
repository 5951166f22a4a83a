//! What may be said on the command line, and the help that teaches it.

mod csr;
mod emulate;
mod record;
mod run;
mod token;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use csr::CsrArguments;
pub use emulate::{AuthMode, DEFAULT_SHARED_KEY, EmulateArguments, ProfileName};
pub use record::RecordArguments;
pub use run::RunArguments;
pub use token::TokenArguments;

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
    Csr(CsrArguments),
    Token(TokenArguments),
    Steps(StepsArguments),
    Init(InitArguments),
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
/// bundle, which is verified first. docs/rules.md has every rule, and what --format json prints. What a
/// recording cannot show is not applicable, with the reason. Exit codes: 0 no MUST is broken; 1 one is; 2 this cannot be judged.
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
