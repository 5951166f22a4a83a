//! What can be wrong with a durable mailroom.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::disk;

/// Why a durable mailroom cannot be opened.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder cannot be made, read or written.
    #[error("{path}: {source}; {}", remedy(.source))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{path}: another process is using it; stop that one, or name another folder")]
    InUse {
        /// The database in the folder.
        path: PathBuf,
    },
    /// What is in it was written by another version.
    #[error(
        "{path}: is of format {found}, and this version knows format {known}; use the version that wrote \
         it, or name another folder"
    )]
    Format {
        /// The database in the folder.
        path: PathBuf,
        /// The format that it has.
        found: u64,
        /// The format that this version writes.
        known: u64,
    },
    /// It cannot be read.
    #[error("{path}: is damaged: {why}; put a good copy of the folder in its place, or name another folder")]
    Damaged {
        /// The database in the folder.
        path: PathBuf,
        /// How.
        why: String,
    },
}

impl StoreError {
    pub(super) fn opening(path: &Path, error: redb::DatabaseError) -> Self {
        let path = path.to_owned();
        match error {
            redb::DatabaseError::DatabaseAlreadyOpen => Self::InUse { path },
            redb::DatabaseError::Storage(redb::StorageError::Io(source)) if !tells_damage(&source) => {
                Self::Folder { path, source }
            }
            redb::DatabaseError::UpgradeRequired(found) => {
                Self::Damaged { path, why: format!("it is a database of version {found}") }
            }
            other => Self::Damaged { path, why: other.to_string() },
        }
    }

    pub(super) fn damaged(path: &Path, error: redb::Error) -> Self {
        match error {
            redb::Error::Io(source) if !tells_damage(&source) => {
                Self::Folder { path: path.to_owned(), source }
            }
            other => Self::Damaged { path: path.to_owned(), why: other.to_string() },
        }
    }
}

/// A disk that is full keeps what is on it, and another folder would be an empty one.
fn remedy(error: &io::Error) -> &'static str {
    if disk::is_full(error) {
        "make room on its disk and start again: nothing is lost"
    } else if disk::is_out_of_files(error) {
        "let the program open more files (ulimit -n) and start again: nothing is lost"
    } else {
        "name a folder that can be written, or one that can be made"
    }
}

/// Whether an error of reading is about what is in the file, or that something is missing in it.
fn tells_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_full_disk_the_remedy_is_room_and_no_other_folder() {
        for (kind, remedy) in [
            (io::ErrorKind::StorageFull, "make room on its disk and start again: nothing is lost"),
            (io::ErrorKind::QuotaExceeded, "make room on its disk and start again: nothing is lost"),
            (io::ErrorKind::PermissionDenied, "name a folder that can be written, or one that can be made"),
        ] {
            let error = StoreError::Folder { path: "/store".into(), source: kind.into() };
            let told = error.to_string();
            assert!(told.starts_with("/store: ") && told.ends_with(remedy), "{told}");
        }
    }
}
