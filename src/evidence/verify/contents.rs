//! The files of a bundle, out of a zip or a folder, digested as they stream past.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufReader},
    path::Path,
};

use zip::{ZipArchive, ZipReadOptions, read::ZipFile, result::ZipError};

use super::{Container, Limits, Problem, check::TAGS};
use crate::{
    evidence::{
        bag::{BAG_INFO, BAGIT, MANIFEST, SIGNATURES, SUMMARY, TAG_MANIFEST},
        container::{Layout, NotAZip, Record, Seal},
        digest::{Digested, Keep, digest},
        path::BagPath,
    },
    tape::printable,
};

/// Files whose content is needed, not only their digest.
const KEPT: [&str; 6] = [BAGIT, BAG_INFO, MANIFEST, TAG_MANIFEST, SUMMARY, ENVIRONMENT];
/// What the run was made on and against. Bundles of before there was one have none.
pub(super) const ENVIRONMENT: &str = "data/environment.json";
/// What was played, as Cucumber Messages. Bundles of before there were any have none.
pub(super) const MESSAGES: &str = "data/run/messages.ndjson";
/// How much of them is kept: more than the last line of a run that came to its end.
const LAST_LINE: usize = 64 * 1024;

/// Everything there is.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Files by path; `None` when a file is there but could not be read.
    pub files: BTreeMap<String, Option<Digested>>,
    /// Folders that the zip names, without the `/` at their end.
    pub folders: BTreeSet<String>,
    /// What was noticed on the way.
    pub problems: BTreeSet<Problem>,
    /// Whether reading was given up, so that nothing can be said of what is not in `files`.
    pub incomplete: bool,
}

impl Contents {
    /// The content of one of the files that are needed, or its end, as far as it could be read.
    pub fn kept(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path)?.as_ref()?.kept.as_deref()
    }

    fn give_up(&mut self, problem: Problem) {
        self.problems.insert(problem);
        self.incomplete = true;
    }

    /// Takes note of a file. `left` is how many bytes may still be read.
    fn add(&mut self, path: &str, read: Option<Digested>, left: &mut u64, limits: &Limits) {
        if BagPath::parse(path).is_err() {
            self.problems.insert(Problem::UnsafePath(path.to_owned()));
        }
        if let Some(read) = &read {
            if read.size > *left {
                return self.give_up(Problem::TooMuch(format!("{} bytes", limits.bytes)));
            }
            if KEPT.contains(&path) && read.kept.is_none() {
                return self.give_up(Problem::TooMuch(format!("{} bytes in {path}", limits.kept)));
            }
            *left -= read.size;
        }
        self.files.insert(path.to_owned(), read);
    }
}

fn keep(path: &str, limits: &Limits) -> Keep {
    match path {
        MESSAGES => Keep::End(LAST_LINE),
        _ if KEPT.contains(&path) => Keep::All(limits.kept),
        _ => Keep::Nothing,
    }
}

/// Reads all files of a zip, and judges the zip itself.
pub(super) fn read_zip(
    file: &mut BufReader<File>,
    layout: &Layout,
    limits: &Limits,
) -> io::Result<(Contents, Container)> {
    let mut contents = Contents::default();
    if layout.records.len() > limits.files {
        contents.give_up(Problem::TooMuch(format!("{} files", limits.files)));
        return Ok((contents, Container::Unreadable));
    }
    find_duplicates(layout, &mut contents.problems);
    let mut spans = match ZipArchive::new(&mut *file) {
        Ok(mut archive) => read_entries(&mut archive, &mut contents, limits)?,
        Err(ZipError::Io(error)) if error.raw_os_error().is_some() => return Err(error),
        Err(why) => {
            contents.give_up(Problem::NotAZip(NotAZip::Unreadable(printable(why.to_string().as_bytes()))));
            return Ok((contents, Container::Unreadable));
        }
    };
    find_hidden(&mut spans, layout, &mut contents);
    let container = judge(file, layout, &mut contents.problems)?;
    Ok((contents, container))
}

fn find_duplicates(layout: &Layout, problems: &mut BTreeSet<Problem>) {
    let mut seen = BTreeSet::new();
    for record in &layout.records {
        if !seen.insert(&record.name) {
            problems.insert(Problem::Duplicate(printable(&record.name)));
        }
    }
}

/// Where an entry lies in the zip.
struct Span {
    name: String,
    start: u64,
    end: u64,
    /// Whether its sizes may follow it.
    descriptor: bool,
}

fn read_entries(
    archive: &mut ZipArchive<&mut BufReader<File>>,
    contents: &mut Contents,
    limits: &Limits,
) -> io::Result<Vec<Span>> {
    let mut spans = Vec::new();
    let mut left = limits.bytes;
    // With duplicates the library finds every entry inconsistent; those have been named already.
    let strict = !archive.has_duplicate_names();
    for index in 0..archive.len() {
        if contents.incomplete {
            break;
        }
        let Ok(entry) = archive.by_index_data(index) else { break };
        let raw_name = entry.name_raw().to_vec();
        let name = printable(&raw_name);
        if entry.encrypted() {
            contents.problems.insert(Problem::Encrypted(name.clone()));
            contents.files.insert(name, None);
            continue;
        }
        let options = ZipReadOptions::new().enforce_header_consistency(strict);
        match archive.by_index_with_options(index, options) {
            Ok(mut entry) => {
                spans.extend(span(&name, &entry));
                read_entry(&name, &raw_name, &mut entry, contents, &mut left, limits)?;
            }
            Err(ZipError::Io(error)) if error.raw_os_error().is_some() => return Err(error),
            Err(why) => unreadable(&name, &why.to_string(), contents),
        }
    }
    Ok(spans)
}

fn span(name: &str, entry: &ZipFile<'_, &mut BufReader<File>>) -> Option<Span> {
    Some(Span {
        name: name.to_owned(),
        start: entry.header_start(),
        end: entry.data_start()?.checked_add(entry.compressed_size())?,
        descriptor: entry.flags().is_using_data_descriptor(),
    })
}

fn read_entry(
    name: &str,
    raw_name: &[u8],
    entry: &mut ZipFile<'_, &mut BufReader<File>>,
    contents: &mut Contents,
    left: &mut u64,
    limits: &Limits,
) -> io::Result<()> {
    if let Some(folder) = name.strip_suffix('/') {
        if entry.size() != 0 || entry.compressed_size() > 2 || !is_one_of(entry, &[FOLDER, FILE]) {
            contents.problems.insert(Problem::NotAFile(name.to_owned()));
        }
        if BagPath::parse(folder).is_err() {
            contents.problems.insert(Problem::UnsafePath(name.to_owned()));
        }
        contents.folders.insert(folder.to_owned());
        return Ok(());
    }
    if name.as_bytes() != raw_name {
        contents.problems.insert(Problem::UnsafePath(name.to_owned()));
    }
    if !is_one_of(entry, &[FILE]) {
        contents.problems.insert(Problem::NotAFile(name.to_owned()));
    }
    match digest(entry, *left, keep(name, limits)) {
        Ok(read) => contents.add(name, Some(read), left, limits),
        Err(error) if error.raw_os_error().is_some() => return Err(error),
        Err(why) => unreadable(name, &why.to_string(), contents),
    }
    Ok(())
}

/// Of a mode on Unix, the bits that tell what it is (POSIX, sys/stat.h): of which kind, a file, a folder.
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// Whether an entry is of one of these kinds, or says nothing of it. A link, a pipe or a device would be made anew by
/// whoever unpacks it. A folder may be said to be a file, as by programs on Windows: its name tells.
fn is_one_of(entry: &ZipFile<'_, &mut BufReader<File>>, kinds: &[u32]) -> bool {
    entry.unix_mode().map(|mode| mode & KIND).is_none_or(|kind| kind == 0 || kinds.contains(&kind))
}

fn unreadable(name: &str, why: &str, contents: &mut Contents) {
    let why = printable(why.as_bytes());
    contents.problems.insert(Problem::Unreadable { path: name.to_owned(), why });
    contents.files.insert(name.to_owned(), None);
}

/// Finds bytes that belong to no entry, or to more than one.
fn find_hidden(spans: &mut [Span], layout: &Layout, contents: &mut Contents) {
    // An entry that could not be read leaves a gap, and has been named.
    if spans.len() != layout.records.len() {
        return;
    }
    spans.sort_by_key(|span| span.start);
    let mut end = 0;
    let mut descriptor = false;
    let directory = (layout.directory_start, "its directory", false, 0);
    let parts = spans.iter().map(|span| (span.start, span.name.as_str(), span.descriptor, span.end));
    for (start, name, next_descriptor, next_end) in parts.chain([directory]) {
        let gap = start.checked_sub(end);
        let is_descriptor = descriptor && matches!(gap, Some(12 | 16 | 20 | 24));
        if gap != Some(0) && !is_descriptor {
            contents.problems.insert(Problem::Hidden(name.to_owned()));
        }
        (end, descriptor) = (next_end, next_descriptor);
    }
}

/// What became of the zip itself.
fn judge(
    file: &mut BufReader<File>,
    layout: &Layout,
    problems: &mut BTreeSet<Problem>,
) -> io::Result<Container> {
    if layout.comment.is_empty() {
        return Ok(Container::Repacked);
    }
    let Some(seal) = Seal::parse(&layout.comment) else {
        problems.insert(Problem::Comment);
        return Ok(Container::Altered);
    };
    if !seal.holds(file, layout)? {
        return Ok(Container::Altered);
    }
    // That what came later lies behind what was sealed, and not within it, was seen already: nothing
    // is hidden and nothing overlaps.
    let later = layout.records.get(seal.files..).unwrap_or_default();
    let is_signature = |record: &Record| record.name.starts_with(SIGNATURES.as_bytes());
    Ok(match later {
        [] => Container::AsSealed,
        _ if later.iter().all(is_signature) => Container::Signed,
        _ => Container::Altered,
    })
}

/// Reads all files of a folder. Empty folders are passed over, and links are not followed. Of what is no bag, which may
/// be somebody's whole disk, only the names are looked at.
pub(super) fn read_folder(root: &Path, limits: &Limits) -> io::Result<Contents> {
    let mut contents = Contents::default();
    let is_bag = TAGS.iter().any(|tag| root.join(tag).symlink_metadata().is_ok());
    let mut left = limits.bytes;
    let mut seen = 0;
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            seen += 1;
            if seen > limits.files {
                contents.give_up(Problem::TooMuch(format!("{} files", limits.files)));
            }
            if contents.incomplete {
                return Ok(contents);
            }
            let name = format!("{prefix}{}", printable(entry.file_name().as_encoded_bytes()));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else if kind.is_file() {
                let read = || digest(&mut File::open(entry.path())?, left, keep(&name, limits));
                let read = is_bag.then(read).transpose()?;
                contents.add(&name, read, &mut left, limits);
            } else {
                contents.problems.insert(Problem::NotAFile(name));
            }
        }
    }
    Ok(contents)
}
