//! Reads HAR 1.2, ours and that of other programs: browsers, mitmproxy, Charles, Fiddler.
//!
//! They agree on little: headers of HTTP/2 come with pseudo headers, bodies as text, as base64 or not
//! at all, times in several notations, numbers as -1 or null. What is there is taken; what is missing
//! is marked as missing, so that no rule holds for want of something to look at.
//!
//! Whatever its size, one entry of it is held at a time, and no body: [`long`] takes long texts out, [`walk`] goes
//! through what is left, and [`content`] has bodies pass.

mod content;
mod entry;
mod form;
mod long;
mod own;
mod source;
mod surrogates;
mod walk;

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use serde::de::DeserializeSeed;
use thiserror::Error;

use super::{Exchange, Redactor};
pub(crate) use entry::is_blacked_out;
use long::Shortened;
use source::Source;
use walk::{Found, Walk};

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
}

/// Reads a HAR file. The redactor takes secrets out, and recomputes the tokens of mailboxes whose
/// credentials it has.
///
/// # Errors
/// [`HarError`].
pub fn read_har(path: &Path, redactor: &Redactor, limits: &HarLimits) -> Result<Har, HarError> {
    let failed = |source| HarError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    read_from(&file, length, redactor, limits).unwrap_or_else(|source| Err(failed(source)))
}

/// Reads a HAR.
///
/// # Errors
/// [`HarError`].
pub fn read_har_bytes(bytes: &[u8], redactor: &Redactor, limits: &HarLimits) -> Result<Har, HarError> {
    let read = read_from(&bytes, bytes.len() as u64, redactor, limits);
    read.unwrap_or_else(|source| Err(HarError::Read { path: PathBuf::new(), source }))
}

/// Reads a HAR of this length. The outer error is one of its source.
fn read_from(
    source: &dyn Source,
    length: u64,
    redactor: &Redactor,
    limits: &HarLimits,
) -> io::Result<Result<Har, HarError>> {
    if length > limits.bytes {
        return Ok(Err(HarError::TooLarge(limits.bytes >> 20)));
    }
    let mut beginning = Vec::new();
    source.at(0).take(4).read_to_end(&mut beginning)?;
    // Fiddler and others that come from Windows begin with a mark.
    let start = if beginning.starts_with(MARK) { MARK.len() as u64 } else { 0 };
    if let Some(error) = HarError::of_beginning(&beginning) {
        return Ok(Err(error));
    }
    let mut walk = Walk { source, redactor, limits, is_known_ours: None, found: Found::default() };
    let mut walked = walk_through(&mut walk, start, length)?;
    let is_ours = walk.found.creator.is_us();
    if walked.is_ok() && is_ours != walk.found.read_as_ours {
        // Its entries came before it was said whose they are, and were read as somebody else's.
        (walk.found, walk.is_known_ours) = (Found::default(), Some(is_ours));
        walked = walk_through(&mut walk, start, length)?;
    }
    Ok(walked.and_then(|mended| walk.found.into_har(redactor, mended)))
}

/// The mark with which text in UTF-8 may begin.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How many halves of characters were mended on the way.
fn walk_through(walk: &mut Walk<'_>, start: u64, length: u64) -> io::Result<Result<usize, HarError>> {
    // What is written to the file meanwhile is not of the recording.
    let from = BufReader::with_capacity(BUFFER, walk.source.at(start).take(length - start));
    let mut shortened = Shortened::new(from, start);
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, &mut shortened));
    let walked = DeserializeSeed::deserialize(&mut *walk, &mut json).and_then(|()| json.end());
    drop(json);
    Ok(match walked {
        Ok(()) => Ok(shortened.mended()),
        Err(error) if error.is_io() => return Err(error.into()),
        Err(_) if walk.found.is_too_many => Err(HarError::TooMany(walk.limits.entries)),
        Err(error) if error.is_data() => Err(HarError::NotHar),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(HarError::Json { line, column: shortened.column(line, column) })
        }
    })
}

/// How much of a file is read at a time.
const BUFFER: usize = 64 << 10;

impl Found {
    fn into_har(self, redactor: &Redactor, mended: usize) -> Result<Har, HarError> {
        let Self { creator, entries, left_out, read_as_ours: is_ours, .. } = self;
        let entries = entries.ok_or(HarError::NotHar)?;
        Ok(Har { creator: redactor.text(&creator.to_string()), is_ours, entries, left_out, mended })
    }
}

#[cfg(test)]
mod tests;
