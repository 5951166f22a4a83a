//! What a run is told beyond its endpoint: attestations, deviations, the earlier run.

use std::io::{self, BufRead, IsTerminal, Write};

use chrono::{Days, NaiveDate, SecondsFormat, Utc};
use indicatif::ProgressBar;
use mesh_witness::{
    config, evidence,
    report::ReportFile,
    runner::{Attestation, Given, Operator, Person, Plan, Terms},
    tape::{SecretSet, printable},
};

use super::{
    Exit, Failure,
    args::{Format, RunArguments},
    run::without_secrets,
    screen,
};

/// Longest answer that is taken from a terminal, in characters.
const LONGEST: usize = 1000;

/// Reads what the call names, and asks for declarations where somebody can be asked. `url` is the endpoint's. None
/// of `secrets` may be in what is read.
pub fn told(
    terms: &mut Terms,
    arguments: &RunArguments,
    plan: &Plan,
    url: &str,
    secrets: &SecretSet,
) -> Result<Vec<ReportFile>, Failure> {
    let usage = |error: &dyn std::error::Error| Failure::new(Exit::Usage, error);
    let mut files = Vec::new();
    if let Some(file) = &arguments.deviations {
        let (content, deviations) = config::deviations(file).map_err(|error| usage(&error))?;
        without_secrets(&file.display().to_string(), &content, secrets)?;
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
        let (content, said) = config::attestations(file).map_err(|error| usage(&error))?;
        without_secrets(&file.display().to_string(), &content, secrets)?;
        terms.attestations = said;
        said_by_now(&terms.attestations, Utc::now().date_naive())?;
        not_asked_for(&terms.attestations, &plan.attestations())
            .iter()
            .for_each(|text| screen::warning(text));
    }
    // In practice nobody is asked: a declaration is made once, for evidence.
    if arguments.attestations.is_none() && !terms.practice && somebody_is_there(arguments) {
        terms.attestations = ask(&plan.attestations());
    }
    Ok(files)
}

/// Refuses what nobody can have said yet. It may be tomorrow already where they are.
fn said_by_now(said: &[Attestation], today: NaiveDate) -> Result<(), Failure> {
    let is_to_come = |of: &&Attestation| {
        let day = of.date.get(..10).and_then(|day| day.parse::<NaiveDate>().ok());
        day.is_some_and(|day| day > today + Days::new(1))
    };
    said.iter().find(is_to_come).map_or(Ok(()), |of| {
        let Attestation { case, date, .. } = of;
        let what =
            format!("--attestations: case {case}: {date} is to come: give the day on which it was said");
        Err(Failure::new(Exit::Usage, what))
    })
}

/// What was said and is not looked at, so that a mistyped case is not taken for one that is declared.
fn not_asked_for(said: &[Attestation], claims: &[(String, String)]) -> Option<String> {
    let asked = |of: &&Attestation| claims.iter().any(|(case, _)| *case == of.case);
    let cases: Vec<&str> = said.iter().filter(|of| !asked(of)).map(|of| of.case.as_str()).collect();
    (!cases.is_empty()).then(|| {
        format!("--attestations: this run asks for no declaration of case {}: passed over", cases.join(", "))
    })
}

/// Whoever started the run, where they can be asked while it goes on. `live` is the line that changes: it is
/// taken away while they type.
pub fn operator(arguments: &RunArguments, live: ProgressBar) -> Option<Operator> {
    somebody_is_there(arguments).then(|| Operator::new(AtTerminal { live }))
}

/// Without a configuration there is nobody to ask, and a program that reads the result cannot answer.
fn somebody_is_there(arguments: &RunArguments) -> bool {
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    terminal && arguments.config.is_some() && arguments.format == Format::Text
}

/// Asks for each declaration: who, as what, and whether it is so. Ends when there is no name, no role, or
/// nobody any more: what was declared by then stands.
fn ask(claims: &[(String, String)]) -> Vec<Attestation> {
    let mut said = Vec::new();
    if claims.is_empty() {
        return said;
    }
    screen::tell("This run asks for declarations. Leave the name empty to go on without.");
    let Answer::Given(name) = answer("  your name: ") else { return said };
    let Answer::Given(role) = answer("  your role: ") else { return said };
    for (case, claim) in claims {
        let question = format!("  {case}: do you declare that {claim}? Write yes, or leave it empty: ");
        match yes(&question) {
            Some(true) => said.push(Attestation {
                case: case.clone(),
                name: name.clone(),
                role: role.clone(),
                statement: claim.clone(),
                date: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
                given: Given::Terminal,
            }),
            Some(false) => {}
            None => break,
        }
    }
    said
}

/// Yes, or no, which is what an empty line means too; `None` when there is nobody any more. Whatever else
/// is typed is asked for again: it could be a slip for either.
fn yes(question: &str) -> Option<bool> {
    loop {
        match answer(question) {
            Answer::Given(line) if line.eq_ignore_ascii_case("yes") => return Some(true),
            Answer::Given(line) if line.eq_ignore_ascii_case("no") => return Some(false),
            Answer::Given(_) => screen::tell("  That is neither yes nor an empty line."),
            Answer::Empty => return Some(false),
            Answer::Nobody => return None,
        }
    }
}

/// What was typed.
enum Answer {
    /// A line, printable and not too long.
    Given(String),
    /// An empty one.
    Empty,
    /// The end of input: Ctrl-D, or a terminal that is gone.
    Nobody,
}

/// Asks until there is a line that can be taken.
fn answer(question: &str) -> Answer {
    loop {
        let mut out = io::stderr();
        let _ = write!(out, "{question}");
        let _ = out.flush();
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) => {
                // The answers of others begin on a line of their own.
                screen::tell("");
                return Answer::Nobody;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                screen::tell("  That is no text in UTF-8.");
                continue;
            }
            Err(_) => return Answer::Nobody,
        }
        let line = line.trim();
        if line.is_empty() {
            return Answer::Empty;
        }
        if line.chars().count() <= LONGEST && !line.chars().any(char::is_control) {
            return Answer::Given(printable(line.as_bytes()));
        }
        screen::tell(&format!(
            "  That is not taken: at most {LONGEST} characters, and none that cannot be seen."
        ));
    }
}

/// Whoever started the run.
struct AtTerminal {
    live: ProgressBar,
}

impl Person for AtTerminal {
    fn confirms(&self, request: &str) -> bool {
        // What they type must not be written over.
        self.live.finish_and_clear();
        let question = format!("\n  {request} Write yes when it is done, or leave it empty: ");
        let confirmed = yes(&question) == Some(true);
        self.live.reset();
        confirmed
    }

    fn tell(&self, progress: &str) {
        self.live.suspend(|| screen::tell(&format!("  {progress}")));
    }
}
