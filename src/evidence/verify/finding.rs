//! What a verification found.

use serde::Deserialize;
use thiserror::Error;

use crate::{
    evidence::{container::NotAZip, manifest::LineError},
    tape::printable,
};

/// What came of a verification. All lists are sorted; all paths are from the root of the bag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Files that are not what the manifests say, or cannot be unpacked.
    pub changed: Vec<String>,
    /// Files that the manifests list and that are not there.
    pub missing: Vec<String>,
    /// Files that are there and that no manifest lists, signatures aside.
    pub added: Vec<String>,
    /// Everything else that is not as it must be.
    pub problems: Vec<Problem>,
    /// What became of the zip itself.
    pub container: Container,
    /// The files, other than their content, around which the zip was altered; empty when that cannot
    /// be told.
    pub altered_at: Vec<String>,
    /// Files under `signatures/`. Their content was not verified here.
    pub signatures: Vec<String>,
    /// The SHA-256 of the manifest of the manifests: whoever has it by another way can tell that nothing was sealed
    /// anew. `None` when it is not there or cannot be read.
    pub tag_manifest: Option<String>,
    /// What the bundle says of its run; `None` when that cannot be read.
    pub summary: Option<Summary>,
}

/// What became of the zip around the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// There is none: a folder was verified.
    Folder,
    /// Every byte that was sealed is as it was, and no file is there besides.
    AsSealed,
    /// Signatures were added to it; every byte that was sealed is as it was.
    Signed,
    /// Someone packed the files anew: of the zip itself nothing can be said. No single damage makes
    /// a sealed zip look like that.
    Repacked,
    /// It has our seal, and is not what was sealed.
    Altered,
    /// It could not be read.
    Unreadable,
}

/// Something that is not as it must be, other than a changed, missing or added file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Problem {
    /// It is not a plain zip.
    #[error("this is not a whole bundle: {0}: ask for the file again")]
    NotAZip(NotAZip),
    /// It is not a bag.
    #[error("this is not a bundle: it has none of bagit.txt, bag-info.txt and the manifests")]
    NotABag,
    /// The bag is one folder further down.
    #[error("the bundle lies in the folder {0}: unpack this, and verify that folder")]
    Nested(String),
    /// `bagit.txt` does not declare BagIt 1.0 in UTF-8.
    #[error("bagit.txt does not declare BagIt-Version 1.0 and UTF-8")]
    Declaration,
    /// A line of a manifest is not as it must be.
    #[error("{file}:{line}: {why}")]
    Line {
        /// The manifest.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: LineError,
    },
    /// There are more such lines than are told.
    #[error("{file}: and {more} more lines like these")]
    MoreLines {
        /// The manifest.
        file: String,
        /// How many.
        more: usize,
    },
    /// The manifest of the tag files leaves one out.
    #[error("tagmanifest-sha256.txt does not list {0}")]
    Unlisted(String),
    /// The bag says that parts of it are to be had elsewhere.
    #[error("fetch.txt names files that are to be fetched from elsewhere: a bundle is complete by itself")]
    Fetch,
    /// A manifest that no bundle has.
    #[error("{0} is a manifest that was not checked: a bundle has those of SHA-256, and no other")]
    OtherManifest(String),
    /// Size or number of the payload is not what `bag-info.txt` says.
    #[error("bag-info.txt should say Payload-Oxum: {found}")]
    Oxum {
        /// Bytes and files, as found.
        found: String,
    },
    /// Several files have the same name, so that programs differ about which one they show.
    #[error("{0} is in the zip more than once")]
    Duplicate(String),
    /// A file has the name of another or of a folder, as far as file systems go that ignore case.
    #[error(
        "{0} is the name of another file or of a folder, too, at least where case makes no difference: only one of them is unpacked"
    )]
    Collides(String),
    /// A file could not be unpacked everywhere, or would leave its folder.
    #[error("{0} is not a name that a bundle can hold")]
    UnsafePath(String),
    /// A link, a device, or a folder with content.
    #[error("{0} is neither a file nor a folder")]
    NotAFile(String),
    /// A file is encrypted.
    #[error("{0} is encrypted")]
    Encrypted(String),
    /// A file could not be unpacked.
    #[error("{path} cannot be unpacked: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the zip library says.
        why: String,
    },
    /// Bytes lie between the files of a zip, where no program shows them.
    #[error("bytes are hidden in the zip before {0}, or its files overlap there")]
    Hidden(String),
    /// The zip has a comment, and it is not our seal.
    #[error("the comment of the zip is not the seal of a bundle")]
    Comment,
    /// The two files that say whether the run came to its end do not agree.
    #[error(
        "data/run/messages.ndjson is that of a run that {}, and data/summary.json says that it {}: they were not sealed like that by mesh-witness",
        end(*.cut_short), end(!.cut_short)
    )]
    TwoEnds {
        /// Whether it was cut short by its messages.
        cut_short: bool,
    },
    /// The two files that say what came of the run do not agree.
    #[error(
        "data/run/messages.ndjson is that of a run that {}, and the verdict in data/summary.json is {verdict}: they were not sealed like that by mesh-witness",
        if *.success { "passed" } else { "did not pass" }
    )]
    TwoVerdicts {
        /// Whether it is a success by its messages.
        success: bool,
        /// What the summary says.
        verdict: String,
    },
    /// The two files that say whether the run is evidence do not agree.
    #[error(
        "data/summary.json says that the run is {}, and data/environment.json that it is {}: they were not sealed like that by mesh-witness",
        standing(*.evidence), standing(!.evidence)
    )]
    TwoStandings {
        /// Whether it is evidence by its summary.
        evidence: bool,
    },
    /// It is a bag, and says of no run what came of it.
    #[error("data/summary.json is not there or is no summary of a run: this is no bundle of mesh-witness")]
    NoRun,
    /// There is more than any bundle has.
    #[error("there are more than {0}: this is no bundle")]
    TooMuch(String),
}

fn end(cut_short: bool) -> &'static str {
    if cut_short { "was cut short" } else { "came to its end" }
}

fn standing(evidence: bool) -> &'static str {
    if evidence { "evidence" } else { "practice" }
}

/// What a bundle says of its run, from `data/summary.json`. Made printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Name of the run.
    pub run_id: String,
    /// What came of it.
    pub verdict: String,
    /// Whether it is evidence; `false` for practice, on the emulator or elsewhere on the machine that played it.
    pub evidence: bool,
    /// Whether it was played on the emulator.
    pub emulated: bool,
    /// Whether the run did not come to its end.
    pub cut_short: bool,
}

impl Summary {
    /// Reads a summary, as its schema has it. `None` when it is not one.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Wire {
            run_id: String,
            verdict: String,
            evidence: bool,
            cut_short: Option<String>,
            environment: Option<Environment>,
        }
        #[derive(Deserialize)]
        struct Environment {
            emulated: bool,
        }
        let Wire { run_id, verdict, evidence, cut_short, environment } = serde_json::from_slice(json).ok()?;
        Some(Self {
            run_id: printable(run_id.as_bytes()),
            verdict: printable(verdict.as_bytes()),
            evidence,
            emulated: environment.map_or(!evidence, |environment| environment.emulated),
            cut_short: cut_short.is_some(),
        })
    }
}

impl Verified {
    /// A bundle of which nothing else can be said.
    pub(super) fn only(problem: Problem) -> Self {
        Self {
            changed: Vec::new(),
            missing: Vec::new(),
            added: Vec::new(),
            problems: vec![problem],
            container: Container::Unreadable,
            altered_at: Vec::new(),
            signatures: Vec::new(),
            tag_manifest: None,
            summary: None,
        }
    }

    /// Whether everything is as it was sealed, or was only packed anew or signed since.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.contents_are_whole() && !matches!(self.container, Container::Altered | Container::Unreadable)
    }

    /// Whether every file is as it was sealed, whatever became of the zip around them.
    #[must_use]
    pub fn contents_are_whole(&self) -> bool {
        [&self.changed, &self.missing, &self.added].iter().all(|files| files.is_empty())
            && self.problems.is_empty()
    }

    /// The findings for a person, the conclusion last. Nothing in them can disturb a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let file = |word: &'static str| move |path: &String| format!("{word:<9}{path}");
        let mut lines: Vec<String> = self.changed.iter().map(file("changed")).collect();
        lines.extend(self.missing.iter().map(file("missing")));
        lines.extend(self.added.iter().map(file("added")));
        lines.extend(self.problems.iter().map(|problem| format!("{:<9}{problem}", "problem")));
        lines.extend(self.container_line());
        lines.extend(self.signatures.iter().map(|path| {
            let what = if is_signature(path) {
                "whose it is was not checked here"
            } else {
                "it is no kind of signature"
            };
            format!("{:<9}{path}: {what}", "note")
        }));
        lines.extend(self.unsigned_line());
        lines.push(self.conclusion());
        lines.iter().map(|line| cut(&printable(line.as_bytes()))).collect()
    }

    fn container_line(&self) -> Option<String> {
        let note = match self.container {
            Container::Repacked => {
                "note     the files were packed anew by another program: they are judged by their SHA-256, \
                 the zip itself cannot be"
            }
            Container::Signed if self.signatures.iter().all(|path| is_signature(path)) => {
                "note     signatures were added to the zip, and nothing else"
            }
            Container::Signed => "note     files were added under signatures/, and nothing else",
            // Whatever was changed has been named, and is why.
            Container::Altered if self.contents_are_whole() => return Some(self.altered_line()),
            _ => return None,
        };
        Some(note.to_owned())
    }

    /// That it is whole says nothing of who has made it. What is damaged needs no such warning.
    fn unsigned_line(&self) -> Option<String> {
        let sha256 = self.tag_manifest.as_ref().filter(|_| self.is_whole())?;
        let is_signed = self.signatures.iter().any(|path| is_signature(path));
        (!is_signed).then(|| {
            format!(
                "{:<9}nobody has signed it: whoever can change it can seal it anew; the supplier can tell whether \
                 the SHA-256 of tagmanifest-sha256.txt is {sha256}",
                "note"
            )
        })
    }

    fn altered_line(&self) -> String {
        let place = match self.altered_at.as_slice() {
            [] => String::new(),
            paths => format!(" at {}", paths.join(", ")),
        };
        format!(
            "{:<9}the zip is not as it was sealed{place}, though every file in it has its SHA-256: ask for \
             the bundle again, or unpack it and run sha256sum --check manifest-sha256.txt",
            "problem"
        )
    }

    fn conclusion(&self) -> String {
        let run = self.summary.as_ref().map(|summary| {
            let cut = if summary.cut_short { ", cut short" } else { "" };
            let evidence = match (summary.evidence, summary.emulated) {
                (true, _) => "evidence",
                (false, true) => "practice on the emulator, not evidence",
                (false, false) => "practice on this machine, not evidence",
            };
            format!("run {}, verdict {}{cut}, {evidence}", summary.run_id, summary.verdict)
        });
        match (self.is_whole(), run) {
            (true, Some(run)) => format!("whole and unchanged: {run}"),
            (true, None) => "whole and unchanged".to_owned(),
            (false, _) => format!(
                "not as it was sealed: {} changed, {} missing, {} added, {} other problems",
                self.changed.len(),
                self.missing.len(),
                self.added.len(),
                self.problems.len() + usize::from(self.contents_are_whole()),
            ),
        }
    }
}

/// Whether a file under `signatures/` can be one: CMS as `data/README.txt` makes it, or what PGP makes.
fn is_signature(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".p7s", ".sig", ".asc"].iter().any(|end| path.ends_with(end))
}

/// A name may have 65,000 characters, and nobody reads them.
fn cut(line: &str) -> String {
    const SHOWN: usize = 600;
    let Some((end, _)) = line.char_indices().nth(SHOWN) else { return line.to_owned() };
    format!("{}… ({} characters)", &line[..end], line.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_length_is_one_line_that_can_be_read() {
        let mut verified = Verified::only(Problem::UnsafePath("ä/".repeat(30_000)));
        assert!(
            verified.lines()[0].starts_with("problem  ä/ä/") && verified.lines()[0].chars().count() < 700
        );
        verified.problems = [Problem::UnsafePath("x".repeat(255))].into();
        assert_eq!(
            verified.lines()[0],
            format!("problem  {} is not a name that a bundle can hold", "x".repeat(255))
        );
    }

    #[test]
    fn a_summary_says_what_the_run_was() {
        let json = br#"{"run_id":"r\u001b[2J","verdict":"passed","evidence":true,"cut_short":null,"more":1}"#;
        let summary = Summary::parse(json).unwrap();
        assert_eq!(
            (summary.run_id.as_str(), summary.evidence, summary.cut_short),
            ("r\\u{1b}[2J", true, false)
        );
        let json = br#"{"run_id":"r","verdict":"cut short","evidence":false,"cut_short":"interrupted"}"#;
        assert!(Summary::parse(json).unwrap().cut_short);
        assert_eq!(Summary::parse(b"{}"), None);
        assert_eq!(Summary::parse(b"\xff"), None);
    }

    #[test]
    fn practice_is_told_by_where_it_was() {
        let conclusion = |rest: &str| {
            let json = format!(r#"{{"run_id":"r","verdict":"passed","cut_short":null,{rest}}}"#);
            let mut verified = Verified::only(Problem::NotABag);
            (verified.problems, verified.container) = (vec![], Container::Folder);
            verified.summary = Summary::parse(json.as_bytes());
            verified.conclusion()
        };
        for (rest, told) in [
            (r#""evidence":true,"environment":{"emulated":false}"#, "evidence"),
            (r#""evidence":false,"environment":{"emulated":true}"#, "practice on the emulator, not evidence"),
            (
                r#""evidence":false,"environment":{"emulated":false}"#,
                "practice on this machine, not evidence",
            ),
            // Of before there was an environment.
            (r#""evidence":false"#, "practice on the emulator, not evidence"),
        ] {
            assert_eq!(conclusion(rest), format!("whole and unchanged: run r, verdict passed, {told}"));
        }
    }

    #[test]
    fn lines_for_people() {
        let mut verified = Verified {
            summary: Summary::parse(
                br#"{"run_id":"r1","verdict":"passed","evidence":false,"cut_short":null}"#,
            ),
            problems: vec![],
            container: Container::AsSealed,
            ..Verified::only(Problem::NotABag)
        };
        assert_eq!(
            verified.lines(),
            ["whole and unchanged: run r1, verdict passed, practice on the emulator, not evidence"]
        );
        verified.container = Container::Altered;
        verified.altered_at = vec!["data/a".into()];
        assert!(!verified.is_whole());
        assert!(
            verified.lines()[0].starts_with("problem  the zip is not as it was sealed at data/a, though")
        );
        assert_eq!(
            verified.lines()[1],
            "not as it was sealed: 0 changed, 0 missing, 0 added, 1 other problems"
        );
        verified.changed = vec!["data/report.html".into()];
        verified.added = vec!["data/\u{1b}[2J".into()];
        assert_eq!(
            verified.lines(),
            [
                "changed  data/report.html",
                "added    data/\\u{1b}[2J",
                "not as it was sealed: 1 changed, 0 missing, 1 added, 0 other problems"
            ]
        );
    }
}
