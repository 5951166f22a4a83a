//! Reads HAR 1.2, ours and that of other programs: browsers, mitmproxy, Charles, Fiddler.
//!
//! They agree on little: headers of HTTP/2 come with pseudo headers, bodies as text, as base64 or not
//! at all, times in several notations, numbers as -1 or null. What is there is taken; what is missing
//! is marked as missing, so that no rule holds for want of something to look at.

mod entry;
mod form;
mod own;
mod surrogates;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;

use super::{Exchange, Redactor, printable};
pub(crate) use entry::is_blacked_out;
use form::{lenient, list};

/// A HAR as far as it could be read.
#[derive(Debug)]
pub struct Har {
    /// Which program wrote it. Printable.
    pub creator: String,
    /// Whether that was mesh-witness, which says more than HAR has fields for.
    pub is_ours: bool,
    /// The entries that could be read, in their order.
    pub entries: Vec<HarEntry>,
    /// Entries that could not, by their place from 1, and why.
    pub left_out: Vec<(usize, &'static str)>,
    /// How many halves of characters were read as U+FFFD, which some programs write for bytes that are no text.
    pub mended: usize,
}

/// An exchange and the number by which a person finds it again.
#[derive(Debug)]
pub struct HarEntry {
    /// In our own HAR the number that report.html has, else the place in the file, from 1.
    pub number: usize,
    /// The exchange.
    pub exchange: Exchange,
}

/// How much is read of a HAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HarLimits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Entries.
    pub entries: usize,
}

impl Default for HarLimits {
    /// 256 MiB, 200,000 entries.
    fn default() -> Self {
        Self { bytes: 256 << 20, entries: 200_000 }
    }
}

/// Why a file is no HAR that can be judged. Repeats nothing of its content.
#[derive(Debug, Error)]
pub enum HarError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than can be judged.
    #[error("it is larger than {0} MiB: export a part of the traffic, without large bodies")]
    TooLarge(u64),
    /// It has more entries than can be judged.
    #[error("it has more than {0} entries: export a part of the traffic")]
    TooMany(usize),
    /// It is not JSON.
    #[error("line {line}, column {column}: this is not JSON: a HAR is a JSON file; export it again")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is written in UTF-16, as some editors of Windows do. JSON is in UTF-8 (RFC 8259, 8.1).
    #[error("it is written in UTF-16: open it in an editor, save it as UTF-8, and judge that")]
    Utf16,
    /// It is JSON and no HAR.
    #[error("this JSON is no HAR: it has no list log.entries; export the traffic as HAR 1.2")]
    NotHar,
}

impl HarError {
    /// Why a file that begins so cannot be read, whatever follows; `None` when it may be.
    #[must_use]
    pub fn of_beginning(bytes: &[u8]) -> Option<Self> {
        let marks: [&[u8]; 4] = [b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{"];
        marks.into_iter().any(|mark| bytes.starts_with(mark)).then_some(Self::Utf16)
    }

    fn of_json(error: &serde_json::Error) -> Self {
        if error.is_data() { Self::NotHar } else { Self::Json { line: error.line(), column: error.column() } }
    }
}

#[derive(Deserialize)]
struct File12 {
    #[serde(default, deserialize_with = "lenient")]
    log: Log,
}

#[derive(Deserialize, Default)]
struct Log {
    #[serde(default, deserialize_with = "lenient")]
    creator: Creator,
    #[serde(default, deserialize_with = "list")]
    entries: Option<Vec<Option<form::Entry>>>,
}

#[derive(Deserialize, Default)]
struct Creator {
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    version: Option<String>,
}

/// Reads a HAR file. The redactor takes secrets out, and recomputes the tokens of mailboxes whose
/// credentials it has.
///
/// # Errors
/// [`HarError`].
pub fn read_har(path: &Path, redactor: &Redactor, limits: &HarLimits) -> Result<Har, HarError> {
    let failed = |source| HarError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(limits.bytes + 1).read_to_end(&mut bytes).map_err(failed)?;
    read_har_bytes(&bytes, redactor, limits)
}

/// Reads a HAR.
///
/// # Errors
/// [`HarError`].
pub fn read_har_bytes(bytes: &[u8], redactor: &Redactor, limits: &HarLimits) -> Result<Har, HarError> {
    if bytes.len() as u64 > limits.bytes {
        return Err(HarError::TooLarge(limits.bytes >> 20));
    }
    // Fiddler and others that come from Windows begin with a mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Some(error) = HarError::of_beginning(bytes) {
        return Err(error);
    }
    let (file, mended) = parse(bytes)?;
    let Creator { name, version } = file.log.creator;
    let name = printable(name.unwrap_or_default().as_bytes());
    let is_ours = name == "mesh-witness";
    let entries = file.log.entries.ok_or(HarError::NotHar)?;
    if entries.len() > limits.entries {
        return Err(HarError::TooMany(limits.entries));
    }
    let creator = match (name.as_str(), version.map(|version| printable(version.as_bytes()))) {
        ("", _) => "an unnamed program".to_owned(),
        (name, Some(version)) if !version.is_empty() => format!("{name} {version}"),
        (name, _) => name.to_owned(),
    };
    let mut har =
        Har { creator: redactor.text(&creator), is_ours, entries: vec![], left_out: vec![], mended };
    for (place, entry) in entries.into_iter().enumerate() {
        let read = entry.ok_or("it is no entry of a HAR");
        let number = read.as_ref().ok().and_then(|entry| is_ours.then(|| entry.own_number()).flatten());
        match read.and_then(|entry| entry::exchange(entry, is_ours, redactor)) {
            Ok(exchange) => har.entries.push(HarEntry { number: number.unwrap_or(place + 1), exchange }),
            Err(why) => har.left_out.push((place + 1, why)),
        }
    }
    Ok(har)
}

/// The file, and how many halves of characters had to be mended in it. Only what cannot be read is copied for it.
fn parse(bytes: &[u8]) -> Result<(File12, usize), HarError> {
    let error = match serde_json::from_slice(bytes) {
        Ok(file) => return Ok((file, 0)),
        Err(error) => error,
    };
    if error.is_syntax() {
        let mut copy = bytes.to_vec();
        let mended = surrogates::mend(&mut copy);
        if mended > 0 {
            let read = serde_json::from_slice(&copy);
            return read.map(|file| (file, mended)).map_err(|error| HarError::of_json(&error));
        }
    }
    Err(HarError::of_json(&error))
}

#[cfg(test)]
mod tests;
