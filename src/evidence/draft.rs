//! Files that appear whole under their name, or not at all.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};
use thiserror::Error;

use super::ArchiveError;
use crate::disk;

/// A file that is complete on disk, but not yet under its name. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    target: PathBuf,
}

impl Draft {
    /// Writes a file beside its final place, and waits until it is on the disk. Missing folders are made, and a
    /// link to a file is followed.
    ///
    /// # Errors
    /// When the folder cannot be made, something else than a file stands in the way, or not everything could be
    /// written.
    pub fn new(target: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<Self, WriteError> {
        let written = |source| WriteError::Write { path: target.to_owned(), source };
        let (Some(name), false) = (target.file_name(), target.is_dir()) else {
            return Err(WriteError::NotAFile { path: target.to_owned() });
        };
        // A file that is renamed takes the place of a device, too: `/dev/null` would be none any more.
        if fs::metadata(target).is_ok_and(|there| !there.is_file()) {
            return Err(WriteError::Special { path: target.to_owned() });
        }
        if target.is_symlink()
            && let Ok(linked) = target.canonicalize()
        {
            return Self::new(&linked, fill);
        }
        let folder = folder_of(target);
        fs::create_dir_all(folder)
            .map_err(|source| WriteError::Folder { path: folder.to_owned(), source })?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(".part");
        // Temporary files are for the owner only; a bundle is for whom the umask says.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder).map_err(written)?;
        fill(file.as_file_mut()).and_then(|()| file.as_file().sync_all()).map_err(written)?;
        Ok(Self { file, target: target.to_owned() })
    }

    /// Opens what was written, to read it.
    ///
    /// # Errors
    /// When it is gone.
    pub fn reopen(&self) -> Result<File, WriteError> {
        self.file.reopen().map_err(|source| WriteError::Write { path: self.target.clone(), source })
    }

    /// Puts it under its name, in place of whatever was there.
    ///
    /// # Errors
    /// When it cannot be renamed. What was there before is then still there.
    pub fn publish(self) -> Result<(), WriteError> {
        let Self { file, target } = self;
        file.persist(&target)
            .map_err(|error| WriteError::Write { path: target.clone(), source: error.error })?;
        // Makes the new name outlive a power cut. Not every file system can do that, and the bundle
        // is there either way.
        #[cfg(unix)]
        let _ = File::open(folder_of(&target)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Why a file could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The bag cannot be packed.
    #[error("{}: {source}", path.display())]
    Pack {
        /// Where it was to go.
        path: PathBuf,
        /// Why.
        source: ArchiveError,
    },
    /// Its folder could not be made.
    #[error("{}: the folder cannot be made: {source}: {}", path.display(), remedy(source))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be written, or not to its end.
    #[error("{}: cannot be written: {source}: {}", path.display(), remedy(source))]
    Write {
        /// Where it was to go.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a folder under that name, or no name at all.
    #[error("{}: is a folder: give the name of a file, such as report.zip, with --bundle", path.display())]
    NotAFile {
        /// What was given.
        path: PathBuf,
    },
    /// There is a device, a pipe or the like under that name.
    #[error("{}: is neither a file nor free: give the name of a file, such as report.zip, with --bundle", path.display())]
    Special {
        /// What was given.
        path: PathBuf,
    },
}

/// Finds out whether a file can be written there, before there is anything to write. Missing folders are made.
///
/// # Errors
/// Why it cannot.
pub fn try_place(target: &Path) -> Result<(), WriteError> {
    Draft::new(target, |_| Ok(())).map(drop)
}

fn remedy(error: &io::Error) -> &'static str {
    const ROOM: &str = "free some space, or name a place on another disk with --bundle";
    match error.kind() {
        _ if disk::is_full(error) => ROOM,
        io::ErrorKind::FileTooLarge => ROOM,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "allow writing there, or name another place with --bundle"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file stands where a folder should be: name another place with --bundle"
        }
        _ => "name another place with --bundle",
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, process::Command};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn missing_folders_are_made_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/x.zip");
        let draft = Draft::new(&path, |file| file.write_all(b"whole")).unwrap();
        assert!(!path.exists());
        draft.publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(path.parent().unwrap()), ["x.zip"]);
    }

    #[test]
    fn half_a_file_never_takes_the_place_of_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zip");
        fs::write(&path, "before").unwrap();
        let error = Draft::new(&path, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(path.to_str().unwrap()) && text.ends_with("on another disk with --bundle"));
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(names(folder.path()), ["x.zip"]);

        drop(Draft::new(&path, |file| file.write_all(b"discarded")).unwrap());
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path())),
            (b"before".to_vec(), vec!["x.zip".into()])
        );
        Draft::new(&path, |file| file.write_all(b"after")).unwrap().publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"after");
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| Draft::new(path, |_| Ok(())).unwrap_err().to_string();
        assert!(error(folder.path()).contains("is a folder: give the name of a file"));
        assert!(error(Path::new("/")).contains("is a folder"));
        fs::write(folder.path().join("file"), "").unwrap();
        let text = error(&folder.path().join("file/x.zip"));
        assert!(text.contains("a file stands where a folder should be"), "{text}");
    }

    /// A device would be gone for every other program, too.
    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let text = Draft::new(&socket, |_| Ok(())).unwrap_err().to_string();
        assert!(text.contains("is neither a file nor free"), "{text}");

        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        Draft::new(&link, |file| file.write_all(b"after")).unwrap().publish().unwrap();
        assert!(link.is_symlink(), "as /dev/stdout is one");
        assert_eq!(fs::read(&file).unwrap(), b"after");
    }

    #[cfg(unix)]
    #[test]
    fn a_bundle_is_readable_for_whom_the_umask_says() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (draft, plain) = (folder.path().join("a"), folder.path().join("b"));
        Draft::new(&draft, |_| Ok(())).unwrap().publish().unwrap();
        fs::write(&plain, "").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&draft), mode(&plain));
    }

    /// A disk that is really full; only where we may mount one.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16k", "tmpfs"])
            .arg(folder.path())
            .output();
        if !mount.is_ok_and(|mount| mount.status.success()) {
            eprintln!("may not mount: not tried");
            return;
        }
        let path = folder.path().join("x.zip");
        let error = Draft::new(&path, |file| file.write_all(&[7; 64 * 1024])).map(drop);
        let left = names(folder.path());
        Command::new("umount").arg(folder.path()).status().unwrap();
        let error = error.unwrap_err().to_string();
        assert!(error.contains("free some space"), "{error}");
        assert_eq!(left, Vec::<String>::new());
    }
}
