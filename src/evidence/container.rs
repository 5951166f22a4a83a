//! The zip around the bag, byte for byte.
//!
//! The manifests say nothing of the zip itself: its time stamps, attributes and directory, or which
//! of several compressed forms a file has. So the comment at the end of the zip carries the SHA-256
//! of everything before it. Unlike compressing anew and comparing, that still works when the
//! compressor has changed, and unlike a file of digests, it can be left behind: a person who unpacks
//! a bundle and zips it again loses the comment and nothing else, which tells that apart from damage.

use std::{
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

use thiserror::Error;

use super::{
    digest::{Keep, digest},
    path::LONGEST,
};
use crate::tape::printable;

/// The end record without its comment.
const END_LENGTH: usize = 22;
/// A record of the directory without name, extra fields and comment.
const RECORD_LENGTH: usize = 46;
/// The largest directory that is read, in bytes: enough for any bundle of up to 65,534 files.
const LARGEST_DIRECTORY: usize = 64 << 20;

/// Where everything lies in a zip that is nothing but a zip.
#[derive(Debug)]
pub(super) struct Layout {
    /// Where the directory begins.
    pub directory_start: u64,
    /// The directory as it is.
    pub directory: Vec<u8>,
    /// Its records, in their order.
    pub records: Vec<Record>,
    /// The comment at the very end.
    pub comment: Vec<u8>,
}

/// A record of the directory.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it lies within [`Layout::directory`].
    pub range: Range<usize>,
    /// The name of the file.
    pub name: Vec<u8>,
    /// Where its local header begins.
    pub local: u64,
}

/// Why something is not a zip that we can trust to be understood alike by everyone.
#[derive(Debug, Error)]
pub(super) enum LayoutError {
    /// It could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not such a zip.
    #[error(transparent)]
    Not(#[from] NotAZip),
}

/// Why something is not a plain zip.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum NotAZip {
    /// There is no end record at the end.
    #[error("it does not end like a zip: it is something else, was cut short, or has bytes added at its end")]
    NoEnd,
    /// The directory is not where the end record says.
    #[error("its parts do not follow one another: bytes were put before or into it, or taken out")]
    Stray,
    /// It has more files or is larger than any bundle.
    #[error("it is larger than any bundle, or in the zip64 format, which no bundle needs")]
    TooLarge,
    /// The directory cannot be read, from the record of this file on, if any.
    #[error("its directory is damaged{}", at(.0))]
    Directory(String),
    /// The zip library cannot read it.
    #[error("{0}")]
    Unreadable(String),
}

impl Layout {
    /// Reads the end and the directory of a zip, strictly: nothing before, between or behind.
    pub fn read(file: &mut (impl Read + Seek)) -> Result<Self, LayoutError> {
        let length = file.seek(SeekFrom::End(0))?;
        let tail_length = length.min((END_LENGTH + usize::from(u16::MAX)) as u64);
        let tail = read_at(file, length - tail_length, tail_length)?;
        let end = find_end(&tail).ok_or(NotAZip::NoEnd)?;
        let end_position = length - (tail.len() - end.at) as u64;
        if end.zip64 {
            return Err(NotAZip::TooLarge.into());
        }
        if !end.consistent || u64::from(end.start) + u64::from(end.size) != end_position {
            return Err(NotAZip::Stray.into());
        }
        if end.size as usize > LARGEST_DIRECTORY {
            return Err(NotAZip::TooLarge.into());
        }
        let directory = read_at(file, end.start.into(), end.size.into())?;
        let records = records(&directory)
            .filter(|records| records.len() == usize::from(end.files))
            .ok_or_else(|| NotAZip::Directory(first_damaged(&directory)))?;
        let comment = tail[end.at + END_LENGTH..].to_vec();
        Ok(Self { directory_start: end.start.into(), directory, records, comment })
    }
}

/// What the end record says.
struct End {
    at: usize,
    files: u16,
    size: u32,
    start: u32,
    zip64: bool,
    consistent: bool,
}

/// The last end record whose comment reaches exactly to the end.
fn find_end(tail: &[u8]) -> Option<End> {
    let last = tail.len().checked_sub(END_LENGTH)?;
    let at = (0..=last).rev().find(|at| {
        tail[*at..].starts_with(b"PK\x05\x06")
            && u16_at(tail, at + 20).is_some_and(|length| at + END_LENGTH + usize::from(length) == tail.len())
    })?;
    let (disk, directory_disk) = (u16_at(tail, at + 4)?, u16_at(tail, at + 6)?);
    let (files_here, files) = (u16_at(tail, at + 8)?, u16_at(tail, at + 10)?);
    let (size, start) = (u32_at(tail, at + 12)?, u32_at(tail, at + 16)?);
    Some(End {
        at,
        files,
        size,
        start,
        zip64: files == u16::MAX || size == u32::MAX || start == u32::MAX,
        consistent: disk == 0 && directory_disk == 0 && files_here == files,
    })
}

/// The records of a directory that consists of nothing else.
fn records(directory: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < directory.len() {
        let record = directory.get(at..)?;
        if !record.starts_with(b"PK\x01\x02") {
            return None;
        }
        let lengths = [u16_at(record, 28)?, u16_at(record, 30)?, u16_at(record, 32)?].map(usize::from);
        let end = at + RECORD_LENGTH + lengths.iter().sum::<usize>();
        let name = directory.get(..end)?.get(at + RECORD_LENGTH..)?.get(..lengths[0])?.to_vec();
        records.push(Record { range: at..end, name, local: u32_at(record, 42)?.into() });
        at = end;
    }
    Some(records)
}

/// The name in the first record that does not reach from one mark to the next; empty when all do.
fn first_damaged(directory: &[u8]) -> String {
    let mark = b"PK\x01\x02";
    // What comes before the first mark is the first record, with its own mark damaged.
    let marks = (0..directory.len()).filter(|at| directory[*at..].starts_with(mark));
    let starts: Vec<usize> = [0].into_iter().chain(marks).chain([directory.len()]).collect();
    let spans = starts.windows(2).map(|pair| pair[0]..pair[1]);
    for record in spans.map(|span| &directory[span]).filter(|record| !record.is_empty()) {
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(record, at).unwrap_or(u16::MAX)));
        let length = RECORD_LENGTH + lengths.iter().sum::<usize>();
        if length != record.len() || !record.starts_with(mark) {
            // When there is room for a second record, it is the mark of that one that is damaged.
            let second =
                record.get(length..).filter(|rest| rest.len() > RECORD_LENGTH && record.starts_with(mark));
            let name = second.unwrap_or(record).get(RECORD_LENGTH..).unwrap_or_default();
            return printable(&name[..name.len().min(LONGEST)]);
        }
    }
    String::new()
}

fn at(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" at {name}") }
}

/// The seal in the comment of a bundle: three sizes, and the digest of all that comes before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seal {
    /// Number of files.
    pub files: usize,
    /// Where the directory begins, in bytes.
    pub directory_start: u64,
    /// Size of the directory in bytes.
    pub directory_size: usize,
    sha256: String,
}

impl Seal {
    /// The seal for a zip that has none yet.
    pub fn make(file: &mut (impl Read + Seek), layout: &Layout) -> io::Result<Self> {
        let mut seal = Self {
            files: layout.records.len(),
            directory_start: layout.directory_start,
            directory_size: layout.directory.len(),
            sha256: String::new(),
        };
        seal.sha256 = seal.digest(file, layout)?.unwrap_or_default();
        Ok(seal)
    }

    /// Reads the seal out of a comment. `None` when it is not one of ours, to the letter.
    pub fn parse(comment: &[u8]) -> Option<Self> {
        let comment = std::str::from_utf8(comment).ok()?;
        let (text, sha256) = comment.split_at_checked(comment.len().checked_sub(64)?)?;
        let mut numbers = text.split(|character: char| !character.is_ascii_digit()).filter(|n| !n.is_empty());
        let seal = Self {
            files: numbers.next()?.parse().ok()?,
            directory_start: numbers.next()?.parse().ok()?,
            directory_size: numbers.next()?.parse().ok()?,
            sha256: sha256.to_owned(),
        };
        (seal.text() == text).then_some(seal)
    }

    /// Whether what was sealed is still there, whatever may have been put between or behind it.
    pub fn holds(&self, file: &mut (impl Read + Seek), layout: &Layout) -> io::Result<bool> {
        Ok(self.digest(file, layout)?.is_some_and(|sha256| sha256 == self.sha256))
    }

    /// The comment.
    pub fn comment(&self) -> String {
        format!("{}{}", self.text(), self.sha256)
    }

    fn text(&self) -> String {
        format!(
            "mesh-witness bundle of {} files in {} bytes, with a directory of {} bytes. SHA-256 of these and of \
             this text up to here: ",
            self.files, self.directory_start, self.directory_size
        )
    }

    /// The digest as it would have to be; `None` when there are not as many bytes.
    fn digest(&self, file: &mut (impl Read + Seek), layout: &Layout) -> io::Result<Option<String>> {
        let Some(directory) = layout.directory.get(..self.directory_size) else { return Ok(None) };
        file.seek(SeekFrom::Start(0))?;
        let text = self.text();
        let mut sealed = file.take(self.directory_start).chain(directory).chain(text.as_bytes());
        Ok(Some(digest(&mut sealed, u64::MAX, Keep::Nothing)?.sha256))
    }
}

fn read_at(file: &mut (impl Read + Seek), start: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_seal_is_read_to_the_letter() {
        let seal = Seal { files: 3, directory_start: 100, directory_size: 50, sha256: "0".repeat(64) };
        let comment = seal.comment();
        assert_eq!(Seal::parse(comment.as_bytes()), Some(seal));
        for other in ["", "hello", &comment[1..], &comment.replace(" 3 ", " 03 "), &format!("x{comment}")] {
            assert_eq!(Seal::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn an_empty_zip_has_a_layout_and_a_fragment_has_none() {
        let empty = [&b"PK\x05\x06"[..], &[0; 18]].concat();
        assert!(Layout::read(&mut Cursor::new(&empty)).unwrap().records.is_empty());
        for end in 0..empty.len() {
            assert!(Layout::read(&mut Cursor::new(&empty[..end])).is_err(), "{end}");
        }
        for stray in [[b"x", &empty[..]].concat(), [&empty[..], b"x"].concat()] {
            assert!(Layout::read(&mut Cursor::new(stray)).is_err());
        }
    }
}
