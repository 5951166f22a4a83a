//! Files that appear whole under their name, or not at all.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile, PersistError};
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
    /// Writes a file beside its final place, and waits until it is on the disk. Missing folders are made.
    ///
    /// # Errors
    /// When it has no name, the folder cannot be made, or not everything could be written.
    pub fn new(target: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<Self, WriteError> {
        let written = |source| WriteError::Write { path: target.to_owned(), source };
        let Some(name) = target.file_name() else {
            return Err(WriteError::NotAFile { path: target.to_owned() });
        };
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

    /// Puts it under its name, or under the next one that is free, `report-2.zip`, where something has appeared under
    /// its own meanwhile: neither is lost. Where it is then.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn publish(self) -> Result<PathBuf, WriteError> {
        let Self { mut file, target } = self;
        for number in 1..=MOST_NAMES {
            let place = numbered(&target, number);
            match placed(file, &place) {
                Ok(()) => {
                    // Makes the new name outlive a power cut. Not every file system can do that, and the bundle
                    // is there either way.
                    #[cfg(unix)]
                    let _ = File::open(folder_of(&place)).and_then(|folder| folder.sync_all());
                    return Ok(place);
                }
                Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => file = refused.file,
                Err(refused) => return Err(WriteError::Write { path: place, source: refused.error }),
            }
        }
        Err(WriteError::Taken { path: target })
    }
}

/// How many names are tried.
const MOST_NAMES: usize = 1000;

/// `report.zip`, `report-2.zip` and so on.
fn numbered(target: &Path, number: usize) -> PathBuf {
    let (Some(stem), true) = (target.file_stem(), number > 1) else { return target.to_owned() };
    let mut name = stem.to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = target.extension() {
        name.push(".");
        name.push(extension);
    }
    target.with_file_name(name)
}

/// Never in the place of another.
fn placed(file: NamedTempFile, target: &Path) -> Result<(), PersistError> {
    match file.persist_noclobber(target) {
        Ok(_) => Ok(()),
        Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => Err(refused),
        Err(refused) => renamed(refused.file, target),
    }
}

/// The same where a file system, such as a memory stick's, can do no more than rename: takes the name first.
fn renamed(file: NamedTempFile, target: &Path) -> Result<(), PersistError> {
    if let Err(error) = File::options().write(true).create_new(true).open(target) {
        return Err(PersistError { error, file });
    }
    file.persist(target).map(drop).inspect_err(|_| {
        // It is our own, and empty.
        let _ = fs::remove_file(target);
    })
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
    /// There is a file under that name, or a link that leads nowhere.
    #[error(
        "{}: is there already, and nothing is written over: name another file with --bundle, or move that one away",
        path.display()
    )]
    Taken {
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

impl WriteError {
    /// Whether another name is all that it takes: the call is wrong, not the disk.
    #[must_use]
    pub fn is_of_the_name(&self) -> bool {
        matches!(self, Self::NotAFile { .. } | Self::Special { .. } | Self::Taken { .. })
    }
}

/// Finds out whether a new file can be written there, before there is anything to write. Missing folders are made.
///
/// # Errors
/// Why it cannot: also when something is there already, which is nobody's to lose.
pub fn try_place(target: &Path) -> Result<(), WriteError> {
    let path = || target.to_owned();
    match fs::metadata(target) {
        Ok(there) if there.is_dir() => Err(WriteError::NotAFile { path: path() }),
        Ok(there) if !there.is_file() => Err(WriteError::Special { path: path() }),
        // A link that leads nowhere is something, too.
        _ if fs::symlink_metadata(target).is_ok() => Err(WriteError::Taken { path: path() }),
        _ => Draft::new(target, |_| Ok(())).map(drop),
    }
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
    }

    #[test]
    fn what_is_there_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zip");
        assert!(try_place(&path).is_ok());
        fs::write(&path, "evidence").unwrap();
        let error = try_place(&path).unwrap_err();
        assert!(matches!(error, WriteError::Taken { .. }), "{error}");
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path())),
            (b"evidence".to_vec(), vec!["x.zip".into()])
        );
    }

    /// It may have taken hours to make, and so may what has appeared meanwhile.
    #[test]
    fn what_appears_meanwhile_is_not_replaced_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.y.zip");
        for (name, content) in [("x.y.zip", "first"), ("x.y-2.zip", "second"), ("x.y-3.zip", "third")] {
            let draft = Draft::new(&path, |file| file.write_all(content.as_bytes())).unwrap();
            assert_eq!(draft.publish().unwrap(), folder.path().join(name));
        }
        for (name, content) in [("x.y.zip", "first"), ("x.y-2.zip", "second"), ("x.y-3.zip", "third")] {
            assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), content);
        }
        assert_eq!(names(folder.path()).len(), 3);
    }

    /// As on a memory stick, whose file system can neither link nor rename without replacing.
    #[test]
    fn where_nothing_but_renaming_works_nothing_is_replaced_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zip");
        let new = |content: &str| {
            let mut file = NamedTempFile::new_in(folder.path()).unwrap();
            file.write_all(content.as_bytes()).unwrap();
            file
        };
        renamed(new("first"), &path).unwrap();
        let (kind, kept) =
            renamed(new("second"), &path).map_err(|error| (error.error.kind(), error.file)).unwrap_err();
        assert_eq!(kind, io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(kept.path()).unwrap(), "second");
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| try_place(path).unwrap_err().to_string();
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
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let text = try_place(&socket).unwrap_err().to_string();
        assert!(text.contains("is neither a file nor free"), "{text}");

        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "before").unwrap();
        symlink("file", &link).unwrap();
        assert!(matches!(try_place(&link), Err(WriteError::Taken { .. })));
        let placed = Draft::new(&link, |file| file.write_all(b"after")).unwrap().publish().unwrap();
        assert_eq!(placed, folder.path().join("link-2"));
        assert!(link.is_symlink() && fs::read(&file).unwrap() == b"before");

        let loose = folder.path().join("loose");
        symlink("nonesuch", &loose).unwrap();
        assert!(matches!(try_place(&loose), Err(WriteError::Taken { .. })));
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
