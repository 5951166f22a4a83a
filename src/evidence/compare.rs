//! Reads from a bundle what a comparison or a later run needs: nothing is taken from one that is not
//! whole and unchanged.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::IgnoredAny};
use thiserror::Error;

use super::{VerifyError, bag::SUMMARY, read_file, verify};
use crate::{
    protocol::MessageId,
    runner::{CaseOutline, Pending, Resumed, RunOutline},
};

/// Largest summary that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Why a bundle's summary cannot be used.
#[derive(Debug, Error)]
pub enum OutlineError {
    /// It cannot be read.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// It is not what was sealed.
    #[error("{}: is not whole and unchanged, so nothing is taken from it:\n{findings}", .path.display())]
    NotWhole {
        /// Which bundle.
        path: PathBuf,
        /// What `verify` says of it.
        findings: String,
    },
    /// Its summary is none.
    #[error("{}: its summary cannot be read: {why}; is it a bundle of this version of mesh-witness?", .path.display())]
    Summary {
        /// Which bundle.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

#[derive(Deserialize)]
struct Summary {
    run_id: String,
    /// None in a summary of before it was there.
    evidence: Option<bool>,
    started_at: String,
    environment: Environment,
    product: Product,
    verdict: String,
    /// Why, when it was.
    cut_short: Option<IgnoredAny>,
    cases: Vec<Case>,
    #[serde(default)]
    pending: Vec<Left>,
    /// None in a summary of an earlier version.
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    deviation_problems: Vec<String>,
}

#[derive(Deserialize)]
struct Environment {
    name: String,
    url: String,
    emulated: bool,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Case {
    id: Option<String>,
    name: String,
    path: String,
    outcome: String,
    fault: Option<Fault>,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
    title: String,
    verdict: String,
    findings: Vec<Fault>,
    deviation: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Fault {
    what: String,
}

#[derive(Deserialize)]
struct Left {
    case: String,
    message_id: String,
    sent_at: DateTime<Utc>,
    due: DateTime<Utc>,
}

/// What a bundle says of its run, to be compared. The bundle, or the folder that it was unpacked into,
/// is verified first.
///
/// # Errors
/// When it is not whole, or not a bundle of ours.
pub fn outline(path: &Path) -> Result<RunOutline, OutlineError> {
    Ok(outline_of(summary(path)?))
}

/// What a run has left to be done, and the URL that it was played against.
///
/// # Errors
/// When the bundle is not whole, or not one of ours.
pub fn left_by(path: &Path) -> Result<(Resumed, String), OutlineError> {
    let summary = summary(path)?;
    let malformed = |why: String| OutlineError::Summary { path: path.to_owned(), why };
    let pending = summary.pending.into_iter().map(|left| {
        let message = MessageId::parse(&left.message_id).map_err(|error| malformed(error.to_string()))?;
        Ok(Pending { case: left.case, message, sent_at: left.sent_at, due: left.due })
    });
    let pending = pending.collect::<Result<_, OutlineError>>()?;
    Ok((Resumed { run_id: plain(&summary.run_id), pending }, summary.environment.url))
}

/// What a summary says of its run.
///
/// # Errors
/// Why it is no summary.
pub fn outline_of_summary(json: &[u8]) -> Result<RunOutline, String> {
    serde_json::from_slice(json).map(outline_of).map_err(|error| error.to_string())
}

fn outline_of(summary: Summary) -> RunOutline {
    let Summary {
        run_id,
        evidence,
        started_at,
        environment,
        product,
        verdict,
        cut_short,
        cases,
        rules,
        deviation_problems,
        ..
    } = summary;
    // What was emulated is told to be so beside it.
    let is_here = evidence == Some(false) && !environment.emulated;
    let here = if is_here { ", on the machine that played it: practice" } else { "" };
    let case = |case: Case| CaseOutline {
        id: case.id.as_deref().map(plain),
        name: plain(&case.name),
        path: plain(&case.path),
        outcome: plain(&case.outcome),
        fault: case.fault.map(|fault| plain(&fault.what)),
    };
    RunOutline {
        run_id: plain(&run_id),
        started_at: plain(&started_at),
        environment: plain(&environment.name) + here,
        emulated: environment.emulated,
        product: plain(&format!("{} {}", product.name, product.version)),
        verdict: plain(&verdict),
        cut_short: cut_short.is_some(),
        cases: cases.into_iter().map(case).collect(),
        rules: rules.into_iter().map(rule).collect(),
        deviation_problems: deviation_problems.iter().map(|problem| plain(problem)).collect(),
    }
}

/// A rule in the words of a case.
fn rule(of: Rule) -> CaseOutline {
    let outcome = match (of.verdict.as_str(), of.deviation) {
        ("held", _) => "passed",
        ("broken", Some(_)) => "expected deviation",
        ("broken", None) => "failed",
        ("not_applicable", _) => "not applicable",
        (other, _) => other,
    };
    CaseOutline {
        id: None,
        name: plain(&format!("rule {}: {}", of.id, of.title)),
        path: "rules".to_owned(),
        outcome: plain(outcome),
        fault: of.findings.into_iter().next().map(|finding| plain(&finding.what)),
    }
}

/// What comes from a file of somebody else's is shown on terminals.
fn plain(text: &str) -> String {
    crate::tape::printable(text.as_bytes())
}

fn summary(path: &Path) -> Result<Summary, OutlineError> {
    let verified = verify(path)?;
    if !verified.is_whole() {
        return Err(OutlineError::NotWhole { path: path.to_owned(), findings: verified.lines().join("\n") });
    }
    let malformed = |why: String| OutlineError::Summary { path: path.to_owned(), why };
    let json = read_file(path, SUMMARY, LARGEST).map_err(|error| malformed(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| malformed(error.to_string()))
}
