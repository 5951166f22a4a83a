//! What the system says when it does not take what is to be written, and what that leaves behind.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// Whether there is no room left where something was to be written: on the disk, or of what its owner may use.
/// Nothing that is on it is lost by that, and writing elsewhere or later may succeed.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether nothing was opened because too much is open already, by this program or by all. No other place helps against it.
pub fn is_out_of_files(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;

        matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
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

    #[cfg(unix)]
    #[test]
    fn too_many_open_files_are_told_from_a_full_disk() {
        use rustix::io::Errno;

        for (errno, files, disk) in [
            (Errno::MFILE, true, false),
            (Errno::NFILE, true, false),
            (Errno::NOSPC, false, true),
            (Errno::ACCESS, false, false),
        ] {
            let error = io::Error::from(errno);
            assert_eq!((is_out_of_files(&error), is_full(&error)), (files, disk), "{error}");
        }
    }
}
