//! Paths that mean the same file wherever a bundle is unpacked.

use std::fmt;

use thiserror::Error;

use crate::tape::printable;

/// The longest path of a file in a bundle, in bytes: leaves room for the folder that a person
/// unpacks it into under the 260 characters of Windows.
pub const LONGEST: usize = 200;

/// A relative path, with `/`, that every file system can hold and that cannot leave its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BagPath(String);

impl BagPath {
    /// Parses a path.
    ///
    /// # Errors
    /// When it is empty, longer than [`LONGEST`], absolute, or has a segment that is empty, `.`,
    /// `..`, reserved on Windows, or ends in a dot or a blank; when it has a backslash, a `%` (which
    /// BagIt manifests must escape), a character that Windows forbids, or one that cannot be seen.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path.len() > LONGEST {
            return Err(PathError::TooLong(path.len()));
        }
        if let Some(character) = path.chars().find(|character| is_forbidden(*character)) {
            return Err(PathError::Character(character.escape_default().to_string()));
        }
        path.split('/').try_for_each(check_segment)?;
        Ok(Self(path.to_owned()))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What file systems that ignore case take it for.
    #[must_use]
    pub(super) fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for BagPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a path cannot stand in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    /// There is nothing.
    #[error("the path is empty")]
    Empty,
    /// It has more bytes than [`LONGEST`].
    #[error("the path has {0} bytes: more than {LONGEST} do not unpack everywhere")]
    TooLong(usize),
    /// A character that not every system takes, escaped.
    #[error("the path has the character {0}, which not every system allows in a file name")]
    Character(String),
    /// It starts or ends with `/`, has `//`, `.` or `..`.
    #[error("the path is not plain and relative: it has an empty segment, `.` or `..`")]
    NotPlain,
    /// Windows would drop the last character of this segment.
    #[error("`{0}` ends in a dot or a blank, which Windows drops")]
    TrailingDotOrBlank(String),
    /// Windows takes this segment for a device.
    #[error("`{0}` is the name of a device on Windows")]
    Device(String),
}

fn is_forbidden(character: char) -> bool {
    matches!(character, '\\' | '%' | '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\t')
        || printable(character.encode_utf8(&mut [0; 4]).as_bytes()).chars().ne([character])
}

fn check_segment(segment: &str) -> Result<(), PathError> {
    if matches!(segment, "" | "." | "..") {
        return Err(PathError::NotPlain);
    }
    if segment.ends_with(['.', ' ']) {
        return Err(PathError::TrailingDotOrBlank(segment.to_owned()));
    }
    let stem = segment.split('.').next().unwrap_or(segment).trim_end().to_uppercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device).is_some_and(|rest| {
            let mut rest = rest.chars();
            matches!(rest.next(), Some('0'..='9' | '¹' | '²' | '³')) && rest.next().is_none()
        })
    };
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$");
    if device || numbered("COM") || numbered("LPT") {
        return Err(PathError::Device(segment.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_paths_pass() {
        for path in
            ["README.txt", "run/exchanges.har", "pack/ö/ß é.feature", "a/.hidden", "commit", "com10.x"]
        {
            assert_eq!(BagPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn everything_else_does_not() {
        for path in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            "a\\b",
            "C:/a",
            "a\nb",
            "a\tb",
            "a\0",
            "a%0A",
            "a?",
            "a*",
            "a<b",
            "a|b",
            "a\"b",
            "\u{202e}gpj.exe",
            "a\u{200b}",
            "a.",
            "a ",
            "a./b",
            "con",
            "CON.txt",
            "a/nul",
            "LPT1.log",
            "com¹",
            "aux .txt",
            "\u{7f}",
        ] {
            assert!(BagPath::parse(path).is_err(), "{path:?}");
        }
        assert!(BagPath::parse(&"x".repeat(LONGEST)).is_ok());
        assert_eq!(BagPath::parse(&"x".repeat(LONGEST + 1)), Err(PathError::TooLong(LONGEST + 1)));
    }

    proptest! {
        #[test]
        fn what_passes_stays_in_its_folder(path in "[a./ \\\\:C]{0,12}") {
            if let Ok(path) = BagPath::parse(&path) {
                let path = std::path::Path::new(path.as_str());
                prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
