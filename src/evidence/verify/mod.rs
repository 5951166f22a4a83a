//! Tells whether a bundle is still what was sealed.
//!
//! Two questions, kept apart. Is every *file* what it was: the manifests answer that, for a zip and
//! for an unpacked folder, and any tool can ask it again. Is the *zip* what it was, down to time
//! stamps and padding: the seal in its comment answers that. A zip without the comment was packed
//! anew by someone, which is said, and is no fault.

mod blame;
mod check;
mod contents;
mod finding;

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use thiserror::Error;

pub use finding::{Container, Problem, Summary, Verified};

use super::container::{Layout, LayoutError};
use check::check;
use contents::{read_folder, read_zip};

/// Verifies a bundle, or the folder that one was unpacked into, within the default [`Limits`].
///
/// # Errors
/// When it is not there or cannot be read. That it is not a bundle, or damaged, is a finding, not an error.
pub fn verify(path: &Path) -> Result<Verified, VerifyError> {
    verify_within(path, &Limits::default())
}

/// Verifies a bundle, or the folder that one was unpacked into. Files are read as streams, so that
/// memory is bounded by [`Limits::kept`] and the number of files.
///
/// # Errors
/// When it is not there or cannot be read. That it is not a bundle, or damaged, is a finding, not an error.
pub fn verify_within(path: &Path, limits: &Limits) -> Result<Verified, VerifyError> {
    let failed = |source| VerifyError::Read { path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        let contents = read_folder(path, limits).map_err(failed)?;
        return Ok(check(contents, Container::Folder, limits));
    }
    // Opening a pipe would wait forever.
    if !metadata.is_file() {
        return Err(VerifyError::NotAFile { path: path.to_owned() });
    }
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    verify_zip(&mut file, limits).map_err(failed)
}

fn verify_zip(file: &mut BufReader<File>, limits: &Limits) -> io::Result<Verified> {
    let layout = match Layout::read(file) {
        Ok(layout) => layout,
        Err(LayoutError::Io(error)) => return Err(error),
        Err(LayoutError::Not(why)) => return Ok(Verified::only(Problem::NotAZip(why))),
    };
    let (contents, container) = read_zip(file, &layout, limits)?;
    let mut verified = check(contents, container, limits);
    if verified.contents_are_whole() && verified.container == Container::Altered {
        verified.altered_at = blame::blame(file, &layout)?;
    }
    Ok(verified)
}

/// How much is read of something that may have been made to exhaust us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files in the bundle.
    pub files: usize,
    /// Bytes of all files together, unpacked.
    pub bytes: u64,
    /// Bytes of a manifest, or of another file that must be held whole.
    pub kept: usize,
}

impl Default for Limits {
    /// 100,000 files, 64 GiB, manifests of 64 MiB.
    fn default() -> Self {
        Self { files: 100_000, bytes: 64 << 30, kept: 64 << 20 }
    }
}

/// Why nothing could be verified.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// It could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// What was given.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a device, a pipe or the like.
    #[error("{}: is neither a file nor a folder: give a bundle, or a folder that one was unpacked into", path.display())]
    NotAFile {
        /// What was given.
        path: PathBuf,
    },
}
