//! What people and programs read of a run: pure functions from a [`RunRecord`] to text.
//!
//! Nothing here does I/O or asks for the time, and everything is in a fixed order: two runs of the
//! same thing differ only where what happened differs.

mod attestations;
mod conformance;
mod curl;
mod environment;
mod exchanges;
mod har;
mod har_attempts;
mod har_own;
mod har_relay;
mod headings;
mod html;
mod junit;
mod messages;
mod readme;
mod requirements;
mod rules;
mod showing;
mod summary;
mod text;
mod tls;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hostile_tests;

use serde::Serialize;
use thiserror::Error;

pub use curl::quoted as quoted_for_shell;
pub use exchanges::{exchanges_of, message_ids};
#[cfg(test)]
pub(crate) use har::written_and_read;
pub use headings::{Heading, Seen, headings};
pub use rules::JudgedRule;
pub use text::second;

use crate::runner::RunRecord;

/// Where it stands, relative to `data/`, what the product was asked to do: rules go by it.
pub const COURSE_FILE: &str = "run/course.json";

/// A file of the bundle's `data/` folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Where it goes, relative to `data/`, with `/` between folders.
    pub path: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// Why a report could not be written. Each is a fault of ours: no record should bring it about.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The template of `report.html` or `README.txt` failed.
    #[error("could not fill in a template: {0}")]
    Template(#[from] askama::Error),
    /// `summary.json` or `run/exchanges.har` could not be written as JSON.
    #[error("could not write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// `run/junit.xml` could not be written as XML.
    #[error("could not write XML: {0}")]
    Xml(#[from] junit_report::Error),
    /// A time that XML has no place for.
    #[error("a time is out of range: {0}")]
    Time(String),
}

/// Every report on a run, and the pack that was played, byte for byte; in the order of a bundle. Last come `others`,
/// which the bundle is to have besides: its README names them.
///
/// The paths of pack files come from the record as they are: whoever plays a pack has looked before whether a
/// bundle can hold them.
///
/// # Errors
/// [`ReportError`], which no record should bring about.
pub fn files(record: &RunRecord, others: Vec<ReportFile>) -> Result<Vec<ReportFile>, ReportError> {
    let file = |path: &str, content: Vec<u8>| ReportFile { path: path.to_owned(), content };
    let mut files = vec![
        file("report.html", html::render(record)?),
        file("conformance.md", conformance::render(record).into_bytes()),
        file("summary.json", summary::render(record)?),
        file("requirements.csv", requirements::csv(record).into_bytes()),
        file("environment.json", environment::render(record)?),
        file("schemas/summary.schema.json", summary::SCHEMA.as_bytes().to_vec()),
        file("schemas/environment.schema.json", environment::SCHEMA.as_bytes().to_vec()),
        file("run/messages.ndjson", messages::render(record)?),
        file("run/junit.xml", junit::render(record)?),
        file("run/exchanges.har", har::render(record)?),
        file(COURSE_FILE, json(&record.course)?),
    ];
    files.extend(tls::files(record)?);
    files.extend(attestations::files(record)?);
    files.extend(
        record.pack.iter().map(|played| file(&format!("pack/{}", played.path), played.content.clone())),
    );
    files.extend(others);
    files.insert(0, file("README.txt", readme::render(record, &files)?));
    Ok(files)
}

/// `summary.json` alone.
///
/// # Errors
/// [`ReportError`], which no record should bring about.
pub fn summary(record: &RunRecord) -> Result<Vec<u8>, ReportError> {
    Ok(summary::render(record)?)
}

/// One sentence on what the bundle is worth: the same in every report.
fn standing(record: &RunRecord) -> String {
    let place =
        format!("{} at {}", text::line(&record.environment.name), text::line(&record.environment.url));
    match record.environment.banner() {
        Some(banner) => format!("{banner}. {}{}", no_environment(record, &place), moved(record)),
        None => format!("Played against {place}."),
    }
}

/// What was played against, where that is no environment of NHS England. `place` is its name and URL.
fn no_environment(record: &RunRecord, place: &str) -> String {
    let against = if record.environment.emulated { "the emulator of mesh-witness" } else { place };
    format!("This run was played against {against}, not against an environment of NHS England.")
}

fn moved(record: &RunRecord) -> &'static str {
    let moved = record.scenarios.iter().any(|scenario| scenario.clock_moved.is_some());
    if moved { " Its clock was moved on purpose: no such time has really passed." } else { "" }
}

/// JSON for people too: indented, with a line break at the end.
fn json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut content = serde_json::to_vec_pretty(value)?;
    content.push(b'\n');
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_there_once_and_the_pack_byte_for_byte() {
        let record = fixtures::passed();
        let files = files(&record, vec![]).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "README.txt",
                "report.html",
                "conformance.md",
                "summary.json",
                "requirements.csv",
                "environment.json",
                "schemas/summary.schema.json",
                "schemas/environment.schema.json",
                "run/messages.ndjson",
                "run/junit.xml",
                "run/exchanges.har",
                "run/course.json",
                "tls/facts.json",
                "schemas/tls.schema.json",
                "pack/witness/200-sending.feature",
                "pack/witness/400-receiving.feature",
            ]
        );
        assert_eq!(files[14].content, record.pack[0].content);
    }

    #[test]
    fn the_same_record_gives_the_same_bytes() {
        let rendered = || files(&fixtures::mixed(), vec![]).unwrap();
        assert_eq!(rendered(), rendered());
    }

    #[test]
    fn every_report_of_what_is_no_evidence_says_so_and_no_other_does() {
        let here = fixtures::on_this_machine();
        for (record, banner) in [
            (fixtures::passed(), Some("EMULATED: practice, not evidence")),
            (here, Some("ON THIS MACHINE: practice, not evidence")),
            (fixtures::mixed(), None),
        ] {
            for file in files(&record, vec![])
                .unwrap()
                .iter()
                .filter(|file| {
                    !file.path.contains('/')
                        || ["run/", "tls/"].iter().any(|folder| file.path.starts_with(folder))
                })
                .filter(|file| file.path != COURSE_FILE && !file.path.ends_with(".pem"))
            {
                let content = String::from_utf8(file.content.clone()).unwrap();
                let (told, any) = (banner.unwrap_or("practice, not evidence"), banner.is_some());
                assert_eq!(content.contains(told), any, "{}", file.path);
                if content.contains("\"evidence\": ") {
                    assert_eq!(content.contains("\"evidence\": true"), banner.is_none(), "{}", file.path);
                }
            }
        }
    }
}
