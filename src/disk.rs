//! What a disk says when it does not take what is written to it, and what that leaves behind.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// Whether there is no room left where something was to be written: on the disk, or of what its owner may use.
/// Nothing that is on it is lost by that, and writing elsewhere or later may succeed.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether the last line of a file has no end: whoever wrote it was killed, or the disk was full. Goes to the end of
/// the file.
///
/// # Errors
/// When the file cannot be read.
pub fn breaks_off(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_breaks_off_when_its_last_line_has_no_end() {
        let mut file = tempfile::tempfile().unwrap();
        assert!(!breaks_off(&mut file).unwrap(), "it is empty");
        for (more, breaks) in [("a line\n", false), ("half a li", true), ("ne\n", false), ("\n", false)] {
            file.write_all(more.as_bytes()).unwrap();
            assert_eq!(breaks_off(&mut file).unwrap(), breaks, "{more:?}");
        }
    }

    #[test]
    fn a_disk_and_a_quota_are_full_and_no_other_refusal_is() {
        let is = |kind: io::ErrorKind| is_full(&kind.into());
        assert!(is(io::ErrorKind::StorageFull) && is(io::ErrorKind::QuotaExceeded));
        assert!(!is(io::ErrorKind::ReadOnlyFilesystem) && !is(io::ErrorKind::FileTooLarge));
    }
}
