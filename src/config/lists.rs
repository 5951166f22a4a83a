//! The lists that a run may be given: what people attest, and which failures are known. Strict: an
//! unknown key, a missing one or a value that is none is an error with its line.

use std::{fmt, io, path::Path};

use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Deserializer, de};

use super::{
    ConfigError,
    error::Complaint,
    pem::{ReadError, bytes_of},
    unread,
};
use crate::runner::{Attestation, Deviation, DeviationOf, Given};

/// Longest single value, in characters.
const LONGEST: usize = 1000;
/// Most entries of a list.
const MOST: usize = 500;

/// Printable text on one line, not blank and not endless: it stands in the report.
struct Line(String);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(de::Error::custom("is blank: give it a value"));
        }
        if text.chars().count() > LONGEST {
            return Err(de::Error::custom(format!("is longer than {LONGEST} characters: shorten it")));
        }
        if crate::tape::printable(text.as_bytes()) != text {
            return Err(de::Error::custom(
                "has a line break or a character that cannot be printed: take it out",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A day, `2026-11-30`.
struct Day(NaiveDate);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Line(text) = Line::deserialize(deserializer)?;
        let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d");
        day.map(Self).map_err(|_| de::Error::custom("is not a date: write it like 2026-11-30"))
    }
}

/// A day, or a moment with its zone.
struct When(String);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Line(text) = Line::deserialize(deserializer)?;
        let is_day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").is_ok();
        if is_day || DateTime::parse_from_rfc3339(&text).is_ok() {
            return Ok(Self(text));
        }
        Err(de::Error::custom("is not a date: write it like 2026-11-30 or 2026-11-30T09:00:00Z"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttestationEntry {
    case: Line,
    name: Line,
    role: Line,
    statement: Line,
    date: When,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviationEntry {
    requirement: Option<Line>,
    case: Option<Line>,
    scenario: Option<Line>,
    rule: Option<Line>,
    reason: Line,
    reference: Line,
    owner: Line,
    expires: Day,
}

/// Reads what people attest: a list of `case`, `name`, `role`, `statement` and `date`.
///
/// # Errors
/// What is wrong with the file, with its line.
pub fn attestations(path: &Path) -> Result<Vec<Attestation>, ConfigError> {
    let (_, entries) = read::<AttestationEntry>(path)?;
    let mut all: Vec<Attestation> = Vec::new();
    for AttestationEntry { case, name, role, statement, date } in entries {
        if all.iter().any(|other| other.case == case.0) {
            let complaint = Complaint::new(format!("case {case} is attested twice"), "leave only one");
            return Err(wrong(path, None, complaint));
        }
        all.push(Attestation {
            case: case.0,
            name: name.0,
            role: role.0,
            statement: statement.0,
            date: date.0,
            given: Given::File,
        });
    }
    Ok(all)
}

/// Reads which failures are known: a list of one of `requirement`, `case`, `scenario` and `rule`, with
/// `reason`, `reference`, `owner` and `expires`. Gives the file, too, byte for byte.
///
/// # Errors
/// What is wrong with the file, with its line.
pub fn deviations(path: &Path) -> Result<(Vec<u8>, Vec<Deviation>), ConfigError> {
    let (content, entries) = read::<DeviationEntry>(path)?;
    let mut all = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        let DeviationEntry { requirement, case, scenario, rule, reason, reference, owner, expires } = entry;
        let of = match (requirement, case, scenario, rule) {
            (Some(id), None, None, None) => DeviationOf::Requirement(id.0),
            (None, Some(case), None, None) => DeviationOf::Case(case.0),
            (None, None, Some(title), None) => DeviationOf::Scenario(title.0),
            (None, None, None, Some(id)) => DeviationOf::Rule(id.0),
            _ => {
                let what = format!("entry {number} does not name one thing that it is about");
                let mend = "give it one of requirement, case, scenario and rule";
                return Err(wrong(path, None, Complaint::new(what, mend)));
            }
        };
        let (reason, reference, owner) = (reason.0, reference.0, owner.0);
        all.push(Deviation { of, reason, reference, owner, expires: expires.0 });
    }
    Ok((content, all))
}

fn read<T: de::DeserializeOwned>(path: &Path) -> Result<(Vec<u8>, Vec<T>), ConfigError> {
    let content = bytes_of(path).map_err(|error| {
        let complaint = match error {
            ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound => Complaint::new(
                "does not exist",
                "correct the path; what is in such a file stands in the README",
            ),
            error => unread(&error),
        };
        wrong(path, None, complaint)
    })?;
    let unreadable = |error: serde_yaml::Error| {
        let place = error.location();
        let complaint = Complaint::new(error.to_string(), "correct it; the list of keys is in the README");
        wrong(path, place.map(|place| place.line()), complaint)
    };
    let entries: Vec<T> = serde_yaml::from_slice(&content).map_err(unreadable)?;
    if entries.len() > MOST {
        let complaint =
            Complaint::new(format!("has more than {MOST} entries"), "check that it is the right file");
        return Err(wrong(path, None, complaint));
    }
    Ok((content, entries))
}

fn wrong(path: &Path, line: Option<usize>, complaint: Complaint) -> ConfigError {
    let mut problem = complaint.of_file();
    problem.line = line;
    ConfigError::new(path, problem, Vec::new(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.yaml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    const SAID: &str = "- {case: \"801\", name: N, role: R, statement: S, date: 2026-11-30}\n";
    const KNOWN: &str = "- {case: \"705\", reason: R, reference: T-1, owner: O, expires: 2026-11-30}\n";

    #[test]
    fn a_list_is_read() {
        let (_folder, path) = file(SAID);
        let said = attestations(&path).unwrap();
        assert_eq!((said[0].case.as_str(), said[0].date.as_str()), ("801", "2026-11-30"));
        let (_folder, path) = file(KNOWN);
        let (content, known) = deviations(&path).unwrap();
        assert_eq!(
            (content, &known[0].of),
            (KNOWN.as_bytes().to_vec(), &DeviationOf::Case("705".to_owned()))
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (bad, says) in [
            (SAID.replace("name: N, ", ""), "missing field `name`"),
            (SAID.replace("role", "rank"), "unknown field `rank`"),
            (SAID.replace("2026-11-30", "soon"), "is not a date"),
            (SAID.replace("statement: S", "statement: \" \""), "is blank"),
            (SAID.replace("statement: S", "statement: \"a\\u202Eb\""), "cannot be printed"),
            (SAID.replace("statement: S", &format!("statement: {}", "x".repeat(1001))), "is longer than"),
            (SAID.replace("name: N", "name: [1]"), "line.yaml"),
        ] {
            let (_folder, path) = file(&format!("# a comment\n{bad}"));
            let error = attestations(&path).unwrap_err().to_string();
            assert!(error.contains("list.yaml:2"), "{error}");
            assert!(error.contains(says) || says == "line.yaml", "{error}");
        }
        let (_folder, path) = file(&format!("{SAID}{SAID}"));
        assert!(attestations(&path).unwrap_err().to_string().contains("attested twice"));
        for bad in [KNOWN.replace("case", "scenario: a, case"), KNOWN.replace("case: \"705\", ", "")] {
            let (_folder, path) = file(&bad);
            assert!(
                deviations(&path)
                    .unwrap_err()
                    .to_string()
                    .contains("one of requirement, case, scenario and rule")
            );
        }
        assert!(deviations(Path::new("/nonesuch")).unwrap_err().to_string().contains("does not exist"));
    }
}
