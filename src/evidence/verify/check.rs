//! Holds the files of a bundle against its manifests.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    Container, Limits, Problem, Summary, Verified,
    contents::{Contents, ENVIRONMENT, MESSAGES},
};
use crate::evidence::{
    bag::{BAG_INFO, BAGIT, DATA, DECLARATION, MANIFEST, OXUM, SIGNATURES, SUMMARY, TAG_MANIFEST},
    manifest::{self, Manifest, Parsed},
};

/// The files that make a folder a bag.
pub(super) const TAGS: [&str; 4] = [BAGIT, BAG_INFO, MANIFEST, TAG_MANIFEST];

/// Judges everything there is.
pub(super) fn check(contents: Contents, container: Container, limits: &Limits) -> Verified {
    let mut findings =
        Findings { problems: contents.problems.clone(), most: limits.files, ..Findings::default() };
    let summary = contents.kept(SUMMARY).and_then(Summary::parse);
    if !contents.incomplete {
        findings.check(&contents);
        findings.check_run(&contents, summary.as_ref());
        findings.check_end(&contents, summary.as_ref());
        findings.check_standing(&contents, summary.as_ref());
    }
    let signatures = contents.files.keys().filter(|path| path.starts_with(SIGNATURES)).cloned().collect();
    let tag_manifest = contents.files.get(TAG_MANIFEST).and_then(Option::as_ref);
    let tag_manifest = tag_manifest.map(|read| read.sha256.clone());
    Verified {
        changed: findings.changed.into_iter().collect(),
        missing: findings.missing.into_iter().collect(),
        added: findings.added.into_iter().collect(),
        problems: findings.problems.into_iter().collect(),
        container,
        altered_at: Vec::new(),
        signatures,
        tag_manifest,
        summary,
    }
}

/// Of `data/environment.json`.
#[derive(Deserialize)]
struct Standing {
    evidence: bool,
}

#[derive(Default)]
struct Findings {
    changed: BTreeSet<String>,
    missing: BTreeSet<String>,
    added: BTreeSet<String>,
    problems: BTreeSet<Problem>,
    /// How many files a manifest may list.
    most: usize,
}

impl Findings {
    fn check(&mut self, contents: &Contents) {
        if TAGS.iter().all(|tag| !contents.files.contains_key(*tag)) {
            let nested = contents.files.keys().find_map(|path| path.strip_suffix("/bagit.txt"));
            self.problems
                .insert(nested.map_or(Problem::NotABag, |folder| Problem::Nested(folder.to_owned())));
            return;
        }
        let absent = TAGS.iter().filter(|tag| !contents.files.contains_key(**tag));
        self.missing.extend(absent.map(|tag| (*tag).to_owned()));
        let unread = contents.files.iter().filter(|(_, read)| read.is_none());
        self.changed.extend(unread.map(|(path, _)| path.clone()));
        if contents.kept(BAGIT).is_some_and(|text| text != DECLARATION.as_bytes()) {
            self.problems.insert(Problem::Declaration);
        }
        self.check_names(contents);
        self.check_tags(contents);
        self.check_payload(contents);
    }

    /// A file may have nobody else's name: whoever unpacks it would get one of them.
    fn check_names(&mut self, contents: &Contents) {
        let folded = |path: &String| path.to_lowercase();
        // Not all folders of each: a name of 65 kB may have 32,000 of them.
        let all: BTreeSet<String> = contents.files.keys().chain(&contents.folders).map(folded).collect();
        let is_folder = |path: &str| {
            let within = format!("{path}/");
            all.range(within.clone()..).next().is_some_and(|next| next.starts_with(&within))
        };
        let folders: BTreeSet<String> = contents.folders.iter().map(folded).collect();
        let mut seen = BTreeSet::new();
        let collides = |path: &&String| {
            let path = folded(path);
            folders.contains(&path) || is_folder(&path) || !seen.insert(path)
        };
        self.problems.extend(contents.files.keys().filter(collides).cloned().map(Problem::Collides));
    }

    fn check_tags(&mut self, contents: &Contents) {
        let listed = self.read_manifest(TAG_MANIFEST, contents).map(|(listed, _)| listed);
        if let Some(listed) = &listed {
            self.compare(listed, contents);
            let unlisted = TAGS.iter().filter(|tag| **tag != TAG_MANIFEST && !listed.contains_key(**tag));
            self.problems.extend(unlisted.map(|tag| Problem::Unlisted((*tag).to_owned())));
            self.problems.extend(listed.keys().filter_map(|path| acted_on(path)));
        }
        let is_known = |path: &str| {
            TAGS.contains(&path)
                || path.starts_with(DATA)
                || path.starts_with(SIGNATURES)
                || listed.as_ref().is_some_and(|listed| listed.contains_key(path))
        };
        self.added.extend(contents.files.keys().filter(|path| !is_known(path)).cloned());
    }

    fn check_payload(&mut self, contents: &Contents) {
        // Without a manifest nothing can be said of the payload, not even that it was added.
        let Some((listed, is_whole)) = self.read_manifest(MANIFEST, contents) else { return };
        self.compare(&listed, contents);
        let payload = || contents.files.iter().filter(|(path, _)| path.starts_with(DATA));
        // Which file a bad line was to list nobody knows: those that no other line lists may be the ones.
        if is_whole {
            let unlisted = payload().map(|(path, _)| path).filter(|path| !listed.contains_key(*path));
            self.added.extend(unlisted.cloned());
        }
        // Where files differ, their size does too, which tells nobody anything new.
        if self.changed.is_empty() && self.missing.is_empty() && self.added.is_empty() {
            let size: u64 = payload().filter_map(|(_, read)| read.as_ref()).map(|read| read.size).sum();
            self.check_oxum(&format!("{size}.{}", payload().count()), contents);
        }
    }

    /// A bag that tells of no run is no bundle. What was changed or is missing has been named, and is why it does not.
    fn check_run(&mut self, contents: &Contents, summary: Option<&Summary>) {
        let is_bag = TAGS.iter().any(|tag| contents.files.contains_key(*tag));
        let is_named = self.changed.contains(SUMMARY) || self.missing.contains(SUMMARY);
        if summary.is_none() && is_bag && !is_named {
            self.problems.insert(Problem::NoRun);
        }
    }

    /// Two files say whether the run is evidence.
    fn check_standing(&mut self, contents: &Contents, summary: Option<&Summary>) {
        let (Some(summary), Some(environment)) = (summary, contents.kept(ENVIRONMENT)) else { return };
        let is_as_sealed = ![SUMMARY, ENVIRONMENT].iter().any(|path| self.changed.contains(*path));
        // One of before it said so, or of which nobody can tell, does not contradict.
        let said: Option<Standing> = serde_json::from_slice(environment).ok();
        if is_as_sealed && said.is_some_and(|said| said.evidence != summary.evidence) {
            self.problems.insert(Problem::TwoStandings { evidence: summary.evidence });
        }
    }

    /// Two files say whether the run came to its end, and whether it is a success then. What was changed has been
    /// named, and is why they differ.
    fn check_end(&mut self, contents: &Contents, summary: Option<&Summary>) {
        let (Some(summary), Some(end)) = (summary, contents.kept(MESSAGES)) else { return };
        let is_as_sealed = ![SUMMARY, MESSAGES].iter().any(|path| self.changed.contains(*path));
        if !is_as_sealed {
            return;
        }
        let end = end_of_run(end);
        if end.is_none() != summary.cut_short {
            self.problems.insert(Problem::TwoEnds { cut_short: end.is_none() });
        } else if let Some(success) = end.and_then(|end| end.success)
            && success != (summary.verdict == PASSED)
        {
            let verdict = summary.verdict.clone();
            self.problems.insert(Problem::TwoVerdicts { success, verdict });
        }
    }

    fn check_oxum(&mut self, found: &str, contents: &Contents) {
        let text = String::from_utf8_lossy(contents.kept(BAG_INFO).unwrap_or_default());
        let said = text.lines().filter_map(|line| line.split_once(": ")).filter(|(label, _)| *label == OXUM);
        if said.map(|(_, value)| value).ne([found]) {
            self.problems.insert(Problem::Oxum { found: found.to_owned() });
        }
    }

    /// A manifest, as far as it is well-formed, and whether all of it is; what is not becomes a problem.
    fn read_manifest(&mut self, file: &str, contents: &Contents) -> Option<(Manifest, bool)> {
        let Parsed { listed, bad, more, is_too_long } = manifest::parse(contents.kept(file)?, self.most);
        let is_whole = bad.is_empty() && !is_too_long;
        let file = || file.to_owned();
        self.problems.extend(bad.into_iter().map(|bad| Problem::Line {
            file: file(),
            line: bad.line,
            why: bad.why,
        }));
        if more > 0 {
            self.problems.insert(Problem::MoreLines { file: file(), more });
        }
        if is_too_long {
            self.problems.insert(Problem::TooMuch(format!("{} files in {}", self.most, file())));
        }
        Some((listed, is_whole))
    }

    fn compare(&mut self, listed: &Manifest, contents: &Contents) {
        for (path, sha256) in listed {
            match contents.files.get(path) {
                None => self.missing.insert(path.clone()),
                Some(Some(read)) if read.sha256 == *sha256 => continue,
                Some(_) => self.changed.insert(path.clone()),
            };
        }
    }
}

/// The verdict that is a success.
const PASSED: &str = "passed";

/// How a run ended, by its messages.
#[derive(Deserialize)]
struct End {
    success: Option<bool>,
}

/// How the last line of messages ends a run; `None` when it does not.
fn end_of_run(messages: &[u8]) -> Option<End> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Last {
        test_run_finished: Option<End>,
    }
    let last = messages.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(last).ok().and_then(|last: Last| last.test_run_finished)
}

/// A tag file on which other programs would act, and we do not.
fn acted_on(path: &str) -> Option<Problem> {
    let name = path.to_lowercase();
    let is_manifest = name.starts_with("manifest-") || name.starts_with("tagmanifest-");
    match name.as_str() {
        "fetch.txt" => Some(Problem::Fetch),
        MANIFEST | TAG_MANIFEST => None,
        _ if is_manifest && name.ends_with(".txt") => Some(Problem::OtherManifest(path.to_owned())),
        _ => None,
    }
}
