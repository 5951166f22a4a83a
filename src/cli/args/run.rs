//! What may be said to `run`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

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
    /// Where to write the bundle, a new file: nothing is replaced [default: reports/mesh-witness-RUN.zip]
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Scenarios at a time; mailboxes of a configuration are shared, so there it is always one
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// What to print: for people, or the bundle's summary.json for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}
