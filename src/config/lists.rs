//! The lists that a run may be given: what people attest, and which failures are known. Strict: an
//! unknown key, a missing one or a value that is none is an error with its line.

use std::{io, path::Path};

use chrono::{DateTime, NaiveDate};

use super::{
    ConfigError,
    document::{Document, Entry, Node, Place},
    error::{Complaint, Problem},
    pem::{ReadError, bytes_of},
    unread,
};
use crate::{
    runner::{Attestation, Deviation, DeviationOf, Given},
    tape::printable,
};

/// Longest single value, in characters.
const LONGEST: usize = 1000;
/// Most entries of a list.
const MOST: usize = 500;

const OF_ATTESTATIONS: &[&str] = &["case", "name", "role", "statement", "date"];
const OF_DEVIATIONS: &[&str] =
    &["requirement", "case", "scenario", "rule", "reason", "reference", "owner", "expires"];

/// One entry of a list.
struct Fields<'a> {
    document: &'a Document<'a>,
    /// From 1.
    number: usize,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    fn of(
        document: &'a Document<'a>,
        number: usize,
        node: &'a Node,
        known: &[&str],
    ) -> Result<Self, Problem> {
        let keys = || format!("known are {}", listed(known));
        let Node::Map(entries) = node else {
            let complaint = Complaint::new("is no mapping", format!("write `key: value` lines; {}", keys()));
            return Err(Problem { path: format!("entry {number}"), ..complaint.of_file() });
        };
        let fields = Self { document, number, entries };
        for (index, entry) in entries.iter().enumerate() {
            let key = printable(entry.key.as_deref().unwrap_or("?").as_bytes());
            if !known.contains(&key.as_str()) {
                let complaint = Complaint::new("is not a key that is known here", keys());
                return Err(fields.problem(Some(entry), &key, complaint));
            }
            if entries[..index].iter().any(|earlier| earlier.key == entry.key) {
                return Err(fields.problem(
                    Some(entry),
                    &key,
                    Complaint::new("is here twice", "leave only one"),
                ));
            }
        }
        Ok(fields)
    }

    /// What is wrong with a key: on its line, or on that of the first key where it is missing.
    fn problem(&self, at: Option<&Entry>, key: &str, complaint: Complaint) -> Problem {
        let place = at.or(self.entries.first()).map(|entry| entry.place);
        Problem {
            line: place.map(|place: Place| self.document.line(place)),
            path: format!("entry {}{}{key}", self.number, if key.is_empty() { "" } else { ": " }),
            ..complaint.of_file()
        }
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key.as_deref() == Some(key))
    }

    /// A text, read by `parse`; `None` when the key is not there.
    fn optional<T>(&self, key: &str, parse: fn(&str) -> Result<T, Complaint>) -> Result<Option<T>, Problem> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        let read = match &entry.value {
            Node::Text(text) => line(text).and_then(parse),
            Node::Empty => Err(blank()),
            Node::Number(_) => {
                let written = self.document.as_written(entry.place).unwrap_or_else(|| "…".to_owned());
                Err(Complaint::new("is a number, not text", format!("quote it: {key}: \"{written}\"")))
            }
            _ => Err(Complaint::new("is no text", "write one text, in quotes")),
        };
        read.map(Some).map_err(|complaint| self.problem(Some(entry), key, complaint))
    }

    fn required<T>(&self, key: &str, parse: fn(&str) -> Result<T, Complaint>) -> Result<T, Problem> {
        self.optional(key, parse)?.ok_or_else(|| {
            let mend = format!("add it: {key}: …");
            self.problem(None, key, Complaint::new("is missing", mend))
        })
    }
}

/// Printable text on one line, not blank and not endless: it stands in the report.
fn line(text: &str) -> Result<&str, Complaint> {
    let text = text.trim();
    if text.is_empty() {
        return Err(blank());
    }
    if text.chars().count() > LONGEST {
        return Err(Complaint::new(format!("is longer than {LONGEST} characters"), "shorten it"));
    }
    if printable(text.as_bytes()) != text {
        let what = "has a line break or a character that cannot be printed";
        return Err(Complaint::new(what, "take it out"));
    }
    Ok(text)
}

fn blank() -> Complaint {
    Complaint::new("is blank", "give it a value")
}

fn text(line: &str) -> Result<String, Complaint> {
    Ok(line.to_owned())
}

/// A day, `2026-11-30`.
fn day(line: &str) -> Result<NaiveDate, Complaint> {
    let day = NaiveDate::parse_from_str(line, "%Y-%m-%d");
    day.map_err(|_| Complaint::new("is not a date", "write it like 2026-11-30"))
}

/// A day, or a moment with its zone.
fn when(line: &str) -> Result<String, Complaint> {
    if day(line).is_ok() || DateTime::parse_from_rfc3339(line).is_ok() {
        return Ok(line.to_owned());
    }
    Err(Complaint::new("is not a date", "write it like 2026-11-30 or 2026-11-30T09:00:00Z"))
}

fn listed(keys: &[&str]) -> String {
    match keys {
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
        [] => String::new(),
    }
}

/// Reads what people attest: a list of `case`, `name`, `role`, `statement` and `date`. Gives the file, too, byte for
/// byte.
///
/// # Errors
/// What is wrong with the file, with its line.
pub fn attestations(path: &Path) -> Result<(Vec<u8>, Vec<Attestation>), ConfigError> {
    let mut cases: Vec<String> = Vec::new();
    read(path, OF_ATTESTATIONS, |fields| {
        let case = fields.required("case", text)?;
        if cases.contains(&case) {
            let complaint = Complaint::new(format!("{case} is attested twice"), "leave only one");
            return Err(fields.problem(fields.entry("case"), "case", complaint));
        }
        cases.push(case.clone());
        Ok(Attestation {
            case,
            name: fields.required("name", text)?,
            role: fields.required("role", text)?,
            statement: fields.required("statement", text)?,
            date: fields.required("date", when)?,
            given: Given::File,
        })
    })
}

/// Reads which failures are known: a list of one of `requirement`, `case`, `scenario` and `rule`, with
/// `reason`, `reference`, `owner` and `expires`. Gives the file, too, byte for byte.
///
/// # Errors
/// What is wrong with the file, with its line.
pub fn deviations(path: &Path) -> Result<(Vec<u8>, Vec<Deviation>), ConfigError> {
    read(path, OF_DEVIATIONS, |fields| {
        let of = ["requirement", "case", "scenario", "rule"].map(|key| fields.optional(key, text));
        let [requirement, case, scenario, rule] = of;
        let of = match (requirement?, case?, scenario?, rule?) {
            (Some(id), None, None, None) => DeviationOf::Requirement(id),
            (None, Some(case), None, None) => DeviationOf::Case(case),
            (None, None, Some(title), None) => DeviationOf::Scenario(title),
            (None, None, None, Some(id)) => DeviationOf::Rule(id),
            _ => {
                let what = "does not name one thing that it is about";
                let mend = "give it one of requirement, case, scenario and rule";
                return Err(fields.problem(None, "", Complaint::new(what, mend)));
            }
        };
        Ok(Deviation {
            of,
            reason: fields.required("reason", text)?,
            reference: fields.required("reference", text)?,
            owner: fields.required("owner", text)?,
            expires: fields.required("expires", day)?,
        })
    })
}

/// The file, and its entries, each with `keys`.
fn read<T>(
    path: &Path,
    keys: &[&str],
    mut entry: impl FnMut(&Fields<'_>) -> Result<T, Problem>,
) -> Result<(Vec<u8>, Vec<T>), ConfigError> {
    let wrong = |problem: Problem| ConfigError::new(path, problem, Vec::new(), 0);
    let content = bytes_of(path).map_err(|error| wrong(unreadable(&error)))?;
    let document = Document::read(&content).map_err(wrong)?;
    let nodes: &[Node] = match document.root() {
        Node::List(nodes) => nodes,
        Node::Empty => &[],
        _ => return Err(wrong(Complaint::new("is no list", "begin each entry with `- `").of_file())),
    };
    if nodes.len() > MOST {
        let what = format!("has more than {MOST} entries");
        return Err(wrong(Complaint::new(what, "check that it is the right file").of_file()));
    }
    let read = (1..).zip(nodes).map(|(number, node)| entry(&Fields::of(&document, number, node, keys)?));
    let read = read.collect::<Result<_, Problem>>().map_err(wrong)?;
    Ok((content, read))
}

fn unreadable(error: &ReadError) -> Problem {
    let complaint = match error {
        ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            Complaint::new("does not exist", "correct the path; what is in such a file stands in the README")
        }
        error => unread(error),
    };
    complaint.of_file()
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
        let (_, said) = attestations(&path).unwrap();
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
        let keys = "known are case, name, role, statement and date";
        for (bad, says) in [
            (SAID.replace("name: N, ", ""), "list.yaml:2: entry 1: name: is missing; add it: name: …".to_owned()),
            (SAID.replace("role", "rank"), format!("list.yaml:2: entry 1: rank: is not a key that is known here; {keys}")),
            (
                SAID.replace("2026-11-30", "soon"),
                "list.yaml:2: entry 1: date: is not a date; write it like 2026-11-30 or 2026-11-30T09:00:00Z".to_owned(),
            ),
            (SAID.replace("statement: S", "statement: \" \""), "list.yaml:2: entry 1: statement: is blank; give it a value".to_owned()),
            (
                SAID.replace("statement: S", "statement: \"a\\u202Eb\""),
                "list.yaml:2: entry 1: statement: has a line break or a character that cannot be printed; take it out".to_owned(),
            ),
            (
                SAID.replace("statement: S", &format!("statement: {}", "x".repeat(1001))),
                "list.yaml:2: entry 1: statement: is longer than 1000 characters; shorten it".to_owned(),
            ),
            (SAID.replace("name: N", "name: [1]"), "list.yaml:2: entry 1: name: is no text; write one text, in quotes".to_owned()),
            (SAID.replace("case: \"801\"", "case: 801"), "list.yaml:2: entry 1: case: is a number, not text; quote it: case: \"801\"".to_owned()),
            (format!("{SAID}- case: \"802\"\n  name: \"\"\n"), "list.yaml:4: entry 2: name: is blank; give it a value".to_owned()),
            (SAID.replace("name: N", "name: N, name: M"), "list.yaml:2: entry 1: name: is here twice; leave only one".to_owned()),
            (SAID.replace("- ", ""), "list.yaml: is no list; begin each entry with `- `".to_owned()),
            ("- x\n".to_owned(), format!("list.yaml: entry 1: is no mapping; write `key: value` lines; {keys}")),
        ] {
            let (_folder, path) = file(&format!("# a comment\n{bad}"));
            let error = attestations(&path).unwrap_err().to_string();
            assert!(error.ends_with(&says), "{says}\n{error}");
        }
        let (_folder, path) = file("- {case: \"801\"\n");
        let error = attestations(&path).unwrap_err().to_string();
        assert!(
            error.contains(": is not YAML: ")
                && error.ends_with("check indentation, quotes and brackets from the line before on"),
            "{error}"
        );
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
