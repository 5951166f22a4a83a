//! BagIt manifests, in the form that `sha256sum --check` reads.

use std::collections::BTreeMap;

use thiserror::Error;

use super::path::BagPath;
use crate::tape::Sha256;

/// Digests by path, both as text.
pub(super) type Manifest = BTreeMap<String, String>;

/// The manifest of some files: `<hex>  <path>`, sorted by path.
pub(super) fn write<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let digests: BTreeMap<&str, Sha256> = files.map(|(path, content)| (path, Sha256::of(content))).collect();
    digests.iter().map(|(path, sha256)| format!("{sha256}  {path}\n")).collect()
}

/// A line that is not as we write it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: LineError,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum LineError {
    /// It is not 64 lower-case hexadecimal digits, two blanks and a path.
    #[error("it is not a SHA-256, two blanks and a path")]
    Form,
    /// The path could lie outside of the bundle, or cannot be unpacked everywhere.
    #[error("its path is not one that a bundle can hold")]
    Path,
    /// An earlier line is of the same file.
    #[error("the file was listed before")]
    Twice,
    /// The last line does not end.
    #[error("it does not end with a line feed")]
    Unended,
}

/// So many bad lines are told one by one: a manifest of a few megabytes can have millions, and nobody reads more.
const TOLD: usize = 20;

/// What a manifest says.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// What is well-formed.
    pub listed: Manifest,
    /// The first lines that are not.
    pub bad: Vec<BadLine>,
    /// How many more there are of those.
    pub more: usize,
    /// Whether it lists more files than it may; then the rest was not read.
    pub is_too_long: bool,
}

/// Reads a manifest as strictly as we write it, and at most so many files of it. What is well-formed is returned,
/// whatever else is not.
pub(super) fn parse(text: &[u8], most: usize) -> Parsed {
    let mut parsed = Parsed::default();
    for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if parsed.listed.len() > most {
            parsed.is_too_long = true;
            break;
        }
        let entry = parse_line(line).and_then(|(path, digest)| {
            let twice = parsed.listed.insert(path, digest).is_some();
            if twice { Err(LineError::Twice) } else { Ok(()) }
        });
        match entry {
            Ok(()) => {}
            Err(why) if parsed.bad.len() < TOLD => parsed.bad.push(BadLine { line: index + 1, why }),
            Err(_) => parsed.more += 1,
        }
    }
    parsed
}

fn parse_line(line: &[u8]) -> Result<(String, String), LineError> {
    let line = line.strip_suffix(b"\n").ok_or(LineError::Unended)?;
    let line = std::str::from_utf8(line).map_err(|_| LineError::Form)?;
    let (digest, path) = line.split_once("  ").ok_or(LineError::Form)?;
    // Only in lower case, so that no flipped bit goes unseen.
    let is_digest =
        digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_digest {
        return Err(LineError::Form);
    }
    let path = BagPath::parse(path).map_err(|_| LineError::Path)?;
    Ok((path.as_str().to_owned(), digest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn written_sorted_as_sha256sum_reads_it() {
        let text = write([("data/b", &b"abc"[..]), ("data/a c", b"abc")].into_iter());
        assert_eq!(text, format!("{ABC}  data/a c\n{ABC}  data/b\n"));
        let Parsed { listed, bad, more, is_too_long } = parse(text.as_bytes(), 2);
        assert_eq!((listed.len(), bad, more, is_too_long), (2, vec![], 0, false));
        assert_eq!(listed["data/a c"], ABC);
    }

    #[test]
    fn of_very_many_lines_a_few_are_told_and_the_rest_is_counted() {
        let Parsed { bad, more, .. } = parse(&vec![b'\n'; 1 << 20], 10);
        assert_eq!((bad.len(), bad.capacity() < 100, more), (TOLD, true, (1 << 20) - TOLD));
    }

    #[test]
    fn no_more_files_are_read_than_may_be() {
        let text: String = (0..1000).map(|number| format!("{ABC}  data/{number}\n")).collect();
        let Parsed { listed, is_too_long, .. } = parse(text.as_bytes(), 10);
        assert_eq!((listed.len(), is_too_long), (11, true));
        assert!(!parse(text.as_bytes(), 1000).is_too_long);
    }

    #[test]
    fn anything_else_is_a_bad_line() {
        let upper = ABC.to_uppercase();
        for (line, why) in [
            (format!("{upper}  data/a\n"), LineError::Form),
            (format!("{ABC} data/a\n"), LineError::Form),
            (format!("{ABC} *data/a\n"), LineError::Form),
            (format!("{ABC}0  data/a\n"), LineError::Form),
            ("\n".to_owned(), LineError::Form),
            (format!("{ABC}  ../a\n"), LineError::Path),
            (format!("{ABC}   data/a\r\n"), LineError::Path),
            (format!("{ABC}  \n"), LineError::Path),
            (format!("{ABC}  data/a"), LineError::Unended),
            (format!("{ABC}  data/ok\n"), LineError::Twice),
        ] {
            let text = format!("{ABC}  data/ok\n{line}");
            let Parsed { listed, bad, .. } = parse(text.as_bytes(), 10);
            assert_eq!(listed.len(), 1, "{line:?}");
            assert_eq!(bad, [BadLine { line: 2, why }], "{line:?}");
        }
        assert_eq!(parse(b"\xff\n", 10).bad, [BadLine { line: 1, why: LineError::Form }]);
    }
}
