//! What a run is told beyond its endpoint: attestations, deviations, the earlier run.

use std::io::{self, BufRead, IsTerminal, Write};

use chrono::{SecondsFormat, Utc};
use mesh_witness::{
    config, evidence,
    report::ReportFile,
    runner::{Attestation, Given, Operator, Person, Plan, Terms},
    tape::printable,
};

use super::{
    Exit, Failure,
    args::{Format, RunArguments},
    screen,
};

/// Longest answer that is taken from a terminal, in characters.
const LONGEST: usize = 1000;

/// Reads what the call names, and asks who can be asked. `url` is the endpoint's.
pub fn told(
    terms: &mut Terms,
    arguments: &RunArguments,
    plan: &Plan,
    url: &str,
) -> Result<Vec<ReportFile>, Failure> {
    let usage = |error: &dyn std::error::Error| Failure::new(Exit::Usage, error);
    let mut files = Vec::new();
    if let Some(file) = &arguments.deviations {
        let (content, deviations) = config::deviations(file).map_err(|error| usage(&error))?;
        terms.deviations = deviations;
        files.push(ReportFile { path: "deviations.yaml".to_owned(), content });
    }
    if let Some(bundle) = &arguments.resume {
        let (resumed, earlier) = evidence::left_by(bundle).map_err(|error| usage(&error))?;
        if earlier != url {
            let what =
                format!("--resume: that run was played against {earlier}, and this one is against {url}");
            return Err(Failure::new(Exit::Usage, what));
        }
        if resumed.pending.is_empty() {
            screen::warning("--resume: that run has left nothing to be done");
        }
        terms.resumed = Some(resumed);
    }
    if let Some(file) = &arguments.attestations {
        terms.attestations = config::attestations(file).map_err(|error| usage(&error))?;
    }
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    if terminal && arguments.config.is_some() && arguments.format == Format::Text {
        if arguments.attestations.is_none() {
            terms.attestations = ask(&plan.attestations());
        }
        terms.operator = Some(Operator::new(AtTerminal));
    }
    Ok(files)
}

/// Asks for each declaration: who, as what, and whether it is so. No name, no answer, or no: nothing.
fn ask(claims: &[(String, String)]) -> Vec<Attestation> {
    if claims.is_empty() {
        return Vec::new();
    }
    screen::tell("This run asks for declarations. Leave the name empty to go on without.");
    let Some(name) = answer("  your name: ") else { return Vec::new() };
    let Some(role) = answer("  your role: ") else { return Vec::new() };
    let attest = |(case, claim): &(String, String)| {
        let yes = answer(&format!("  {case}: do you declare that {claim}? Write yes, or leave it empty: "))?;
        yes.eq_ignore_ascii_case("yes").then(|| Attestation {
            case: case.clone(),
            name: name.clone(),
            role: role.clone(),
            statement: claim.clone(),
            date: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            given: Given::Terminal,
        })
    };
    claims.iter().filter_map(attest).collect()
}

/// One line, printable and bounded; `None` for an empty one or none at all.
fn answer(question: &str) -> Option<String> {
    let mut out = io::stderr();
    let _ = write!(out, "{question}");
    let _ = out.flush();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).ok()?;
    let line: String = printable(line.trim().as_bytes()).chars().take(LONGEST).collect();
    Some(line).filter(|line| !line.is_empty())
}

/// Whoever started the run.
struct AtTerminal;

impl Person for AtTerminal {
    fn confirms(&self, request: &str) -> bool {
        let question = format!("\n  {request} Write yes when it is done, or leave it empty: ");
        tokio::task::block_in_place(|| answer(&question))
            .is_some_and(|answer| answer.eq_ignore_ascii_case("yes"))
    }

    fn tell(&self, progress: &str) {
        screen::tell(&format!("  {progress}"));
    }
}
