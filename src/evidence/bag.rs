//! What is in a bundle: the payload, and the tag files that BagIt (RFC 8493) puts around it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::{
    manifest,
    path::{BagPath, PathError},
};
use crate::tape::printable;

/// The declaration that makes a folder a bag.
pub(super) const BAGIT: &str = "bagit.txt";
/// Metadata for people.
pub(super) const BAG_INFO: &str = "bag-info.txt";
/// Digests of the payload.
pub(super) const MANIFEST: &str = "manifest-sha256.txt";
/// Digests of the other tag files; what gets signed.
pub(super) const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// Where the payload lies.
pub(super) const DATA: &str = "data/";
/// Where signatures lie, which may be added later and are therefore listed nowhere.
pub(super) const SIGNATURES: &str = "signatures/";
/// The content of [`BAGIT`].
pub(super) const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
/// The label under which [`BAG_INFO`] gives size and number of the payload.
pub(super) const OXUM: &str = "Payload-Oxum";
/// What the bundle says of its run, for programs.
pub(super) const SUMMARY: &str = "data/summary.json";

/// A file to go into a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadFile {
    /// Where it goes, relative to `data/`, such as `run/junit.xml`. See [`BagPath`].
    pub path: String,
    /// Its content, without secrets.
    pub content: Vec<u8>,
}

/// What `bag-info.txt` says. Line ends and runs of blanks become one blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BagInfo {
    /// The run that this is the evidence of.
    pub run_id: String,
    /// When that run began: the bag's date, so that the same run makes the same bag.
    pub started_at: DateTime<Utc>,
    /// What this is, in a sentence.
    pub description: String,
    /// Who supplies the product under test.
    pub supplier: Option<String>,
    /// What made the bag, such as `mesh-witness 1.0.0`.
    pub software_agent: String,
}

/// A bag: payload and tag files, complete and consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bag {
    files: Vec<BagFile>,
}

/// A file of a bag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BagFile {
    /// Path from the root of the bag, such as `data/run/junit.xml`.
    pub path: String,
    /// Its content.
    pub content: Vec<u8>,
}

impl Bag {
    /// Makes a bag of a payload. The same payload and information make the same bag.
    ///
    /// # Errors
    /// When a path is not one that a bundle can hold, or two of them could not be unpacked beside
    /// each other: the same but for case, or one a file and the other a folder.
    pub fn new(payload: Vec<PayloadFile>, info: BagInfo) -> Result<Self, BagError> {
        let mut files = Vec::with_capacity(payload.len() + 4);
        let mut paths = Vec::with_capacity(payload.len());
        for PayloadFile { path, content } in payload {
            let path = format!("{DATA}{path}");
            let parsed = BagPath::parse(&path);
            paths.push(parsed.map_err(|source| BagError::Path { path: printable(path.as_bytes()), source })?);
            files.push(BagFile { path, content });
        }
        check_collisions(&paths)?;
        let bag_info = bag_info(&info, &files);
        let manifest = manifest::write(contents(&files));
        let mut tags = vec![
            BagFile { path: BAGIT.to_owned(), content: DECLARATION.into() },
            BagFile { path: BAG_INFO.to_owned(), content: bag_info.into() },
            BagFile { path: MANIFEST.to_owned(), content: manifest.into() },
        ];
        let tag_manifest = manifest::write(contents(&tags));
        tags.push(BagFile { path: TAG_MANIFEST.to_owned(), content: tag_manifest.into() });
        tags.append(&mut files);
        tags.sort_by(|a, b| order(&a.path).cmp(&order(&b.path)));
        Ok(Self { files: tags })
    }

    /// All files, in the order in which they stand in the zip: first what a person or a program
    /// wants to see first, then by path.
    #[must_use]
    pub fn files(&self) -> &[BagFile] {
        &self.files
    }
}

/// Why a payload cannot be bagged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BagError {
    /// A path does not work everywhere.
    #[error("`{path}` cannot go into a bundle: {source}: rename the file")]
    Path {
        /// The path from the root of the bag, made printable.
        path: String,
        /// What is wrong with it.
        source: PathError,
    },
    /// Two paths are the same, or the same but for upper and lower case.
    #[error("`{first}` and `{second}` are one file where case does not matter: rename one of them")]
    Duplicate {
        /// The one that came first.
        first: BagPath,
        /// The other.
        second: BagPath,
    },
    /// A file has the name of another one's folder.
    #[error("`{file}` is a file, and also the folder of `{within}`: rename one of them")]
    FileAndFolder {
        /// The file.
        file: BagPath,
        /// The one that wants it to be a folder.
        within: BagPath,
    },
}

/// What files in the zip are sorted by.
fn order(path: &str) -> (usize, &str) {
    const FIRST: [&str; 6] = [BAGIT, BAG_INFO, MANIFEST, TAG_MANIFEST, "data/README.txt", "data/report.html"];
    (FIRST.iter().position(|first| *first == path).unwrap_or(FIRST.len()), path)
}

fn contents(files: &[BagFile]) -> impl Iterator<Item = (&str, &[u8])> {
    files.iter().map(|file| (file.path.as_str(), file.content.as_slice()))
}

fn check_collisions(paths: &[BagPath]) -> Result<(), BagError> {
    let mut folders: BTreeMap<String, &BagPath> = BTreeMap::new();
    for path in paths {
        let folded = path.folded();
        folders.extend(folded.match_indices('/').map(|(end, _)| (folded[..end].to_owned(), path)));
    }
    let mut seen: BTreeMap<String, &BagPath> = BTreeMap::new();
    for path in paths {
        let folded = path.folded();
        if let Some(within) = folders.get(&folded) {
            return Err(BagError::FileAndFolder { file: path.clone(), within: (*within).clone() });
        }
        if let Some(first) = seen.insert(folded, path) {
            return Err(BagError::Duplicate { first: first.clone(), second: path.clone() });
        }
    }
    Ok(())
}

fn bag_info(info: &BagInfo, payload: &[BagFile]) -> String {
    let size: usize = payload.iter().map(|file| file.content.len()).sum();
    let lines = [
        ("Source-Organization", info.supplier.clone().unwrap_or_default()),
        ("External-Description", info.description.clone()),
        ("External-Identifier", info.run_id.clone()),
        ("Bagging-Date", info.started_at.format("%Y-%m-%d").to_string()),
        (OXUM, format!("{size}.{}", payload.len())),
        ("Bag-Software-Agent", info.software_agent.clone()),
    ];
    lines
        .into_iter()
        .map(|(label, value)| (label, one_line(&value)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| format!("{label}: {value}\n"))
        .collect()
}

fn one_line(value: &str) -> String {
    let words: Vec<&str> = value.split_whitespace().collect();
    printable(words.join(" ").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> BagInfo {
        BagInfo {
            run_id: "20261121T120304Z-3f9a".into(),
            started_at: "2026-11-21T23:59:59Z".parse().unwrap(),
            description: "Practice\r\nPayload-Oxum: 1.1\u{1b}[2J  run".into(),
            supplier: Some("Acme & Sons".into()),
            software_agent: "mesh-witness 0.1.0".into(),
        }
    }

    fn file(path: &str, content: &str) -> PayloadFile {
        PayloadFile { path: path.into(), content: content.into() }
    }

    fn text<'a>(bag: &'a Bag, path: &str) -> &'a str {
        let file = bag.files().iter().find(|file| file.path == path).unwrap();
        std::str::from_utf8(&file.content).unwrap()
    }

    #[test]
    fn tag_files_are_as_bagit_wants_them() {
        let payload =
            vec![file("b", "abc"), file("README.txt", ""), file("a", "abc"), file("report.html", "<p>")];
        let bag = Bag::new(payload, info()).unwrap();
        let paths: Vec<&str> = bag.files().iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                BAGIT,
                BAG_INFO,
                MANIFEST,
                TAG_MANIFEST,
                "data/README.txt",
                "data/report.html",
                "data/a",
                "data/b"
            ]
        );
        assert_eq!(text(&bag, BAGIT), "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
        assert_eq!(
            text(&bag, BAG_INFO),
            "Source-Organization: Acme & Sons\n\
             External-Description: Practice Payload-Oxum: 1.1\\u{1b}[2J run\n\
             External-Identifier: 20261121T120304Z-3f9a\nBagging-Date: 2026-11-21\nPayload-Oxum: 9.4\n\
             Bag-Software-Agent: mesh-witness 0.1.0\n"
        );
        let manifest::Parsed { listed: manifest, bad, .. } =
            manifest::parse(text(&bag, MANIFEST).as_bytes(), 100);
        assert_eq!((manifest.len(), bad), (4, vec![]));
        let manifest::Parsed { listed: tags, bad, .. } =
            manifest::parse(text(&bag, TAG_MANIFEST).as_bytes(), 100);
        assert_eq!(bad, []);
        assert!(tags.keys().eq([BAG_INFO, BAGIT, MANIFEST]));
        assert_eq!(tags[MANIFEST], crate::tape::Sha256::of(text(&bag, MANIFEST).as_bytes()).to_string());
    }

    #[test]
    fn without_a_supplier_there_is_no_such_line() {
        let bag = Bag::new(vec![], BagInfo { supplier: Some(" \n".into()), ..info() }).unwrap();
        assert!(text(&bag, BAG_INFO).starts_with("External-Description: "));
    }

    #[test]
    fn paths_that_do_not_work_everywhere_are_refused() {
        let error = |paths: &[&str]| {
            Bag::new(paths.iter().map(|path| file(path, "")).collect(), info()).unwrap_err().to_string()
        };
        assert!(error(&["pack/../../x"]).starts_with("`data/pack/../../x` cannot go into a bundle: "));
        assert!(error(&["a\u{1b}"]).contains("a\\u{1b}"));
        assert!(error(&["pack/A", "pack/a"]).contains("`data/pack/A` and `data/pack/a` are one file"));
        assert!(error(&["pack/a", "pack/a"]).contains("are one file"));
        assert!(
            error(&["x/y/z", "X/Y"]).contains("`data/X/Y` is a file, and also the folder of `data/x/y/z`")
        );
        assert!(error(&["X/Y", "x/y/z"]).contains("also the folder"));
    }
}
