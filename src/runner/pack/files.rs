//! Which files a pack has, and what they are called in the bundle.
//!
//! What stands in a folder and is not played must not go unnoticed: a run would be green without it.

use std::{
    collections::BTreeSet,
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{BUILT_IN, CATALOGUE, CatalogueError, OwnCatalogue, PackError, PackFile, Requirement, built_in};

/// Longest feature file that is read, in bytes.
const FILE_LIMIT: u64 = 4 << 20;
/// Most feature files that a folder may have.
const FILES_LIMIT: usize = 10_000;

/// The catalogue in a user's own folder, or beside a single file of theirs.
pub(super) fn own_catalogue(pack: &str) -> Result<Option<Arc<OwnCatalogue>>, PackError> {
    let given = Path::new(pack);
    let folder = if given.is_dir() { Some(given) } else { given.parent() };
    let path = folder.map(|folder| folder.join(CATALOGUE)).filter(|path| path.symlink_metadata().is_ok());
    let Some(path) = path.filter(|_| !built_in().contains(&pack)) else { return Ok(None) };
    let file = read(given, &path)?;
    let source = |source| PackError::Catalogue { path: path.clone(), source };
    let text = std::str::from_utf8(&file.content).map_err(|_| source(CatalogueError::NotUtf8))?;
    let requirements = Requirement::read_all(text).map_err(source)?;
    Ok(Some(Arc::new(OwnCatalogue { shown: path.display().to_string(), file, requirements })))
}

/// The files of a pack, each with the path by which a person knows it.
pub(super) fn files(pack: &str) -> Result<Vec<(String, PackFile)>, PackError> {
    let folder = Path::new(pack);
    if built_in().contains(&pack) {
        let files =
            BUILT_IN.iter().filter(|(path, _)| path.split_once('/').is_some_and(|(name, _)| name == pack));
        let file =
            |(path, content): &(&str, &[u8])| (format!("features/{path}"), PackFile::new(*path, *content));
        return Ok(files.map(file).collect());
    }
    if folder.symlink_metadata().is_err() {
        return Err(PackError::Unknown { name: pack.to_owned(), built_in: built_in().join(", ") });
    }
    let mut paths = if folder.is_dir() { Walk::through(folder)? } else { vec![folder.to_owned()] };
    if paths.is_empty() {
        return Err(PackError::Empty(folder.to_owned()));
    }
    paths.sort();
    paths.iter().map(|path| Ok((path.display().to_string(), read(folder, path)?))).collect()
}

/// The feature files below a folder, links followed.
#[derive(Default)]
struct Walk {
    found: Vec<PathBuf>,
    /// Links to folders. They are followed last, so that of two ways to one folder the link is to blame.
    links: Vec<PathBuf>,
    /// Every folder that was read, without links in its path.
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    fn through(folder: &Path) -> Result<Vec<PathBuf>, PackError> {
        let mut walk = Self::default();
        let root = fs::canonicalize(folder).map_err(|source| unreadable(folder, source))?;
        walk.folder(folder, root.clone())?;
        while let Some(link) = walk.links.pop() {
            let target = fs::canonicalize(&link).map_err(|source| unreadable(&link, source))?;
            if root.starts_with(&target) || walk.seen.contains(&target) {
                return Err(refuse(&link, AGAIN));
            }
            walk.folder(&link, target)?;
        }
        Ok(walk.found)
    }

    fn folder(&mut self, folder: &Path, target: PathBuf) -> Result<(), PackError> {
        if !self.seen.insert(target.clone()) {
            return Err(refuse(folder, AGAIN));
        }
        for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
            let path = entry.map_err(|source| unreadable(folder, source))?.path();
            self.entry(&target, path)?;
            if self.found.len() > FILES_LIMIT {
                let limit = format!("{FILES_LIMIT} files");
                return Err(PackError::TooLarge { path: folder.to_owned(), limit });
            }
        }
        Ok(())
    }

    /// `within` is the folder that it stands in, without links.
    fn entry(&mut self, within: &Path, path: PathBuf) -> Result<(), PackError> {
        let own = path.symlink_metadata().map_err(|source| unreadable(&path, source))?;
        let Some(kind) = followed(&path, &own)? else { return Ok(()) };
        match (kind.is_dir(), own.is_symlink()) {
            (true, true) => self.links.push(path),
            (true, false) => {
                let target = within.join(path.file_name().unwrap_or_default());
                self.folder(&path, target)?;
            }
            (false, _) if path.extension().is_none_or(|extension| extension != "feature") => {}
            (false, _) if !kind.is_file() => return Err(refuse(&path, NO_FILE)),
            (false, _) => self.found.push(path),
        }
        Ok(())
    }
}

/// What a link leads to, or the thing itself; nothing for a link that nobody meant.
fn followed(path: &Path, own: &Metadata) -> Result<Option<Metadata>, PackError> {
    if !own.is_symlink() {
        return Ok(Some(own.clone()));
    }
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        // Emacs marks a file that is being edited by a link to nowhere beside it.
        Err(_) if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".#")) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(refuse(path, DANGLES)),
        Err(source) => Err(unreadable(path, source)),
    }
}

const DANGLES: &str = "is a link to nothing, so what it stands for would not be played: put there what it names, or take the link out";
const NO_FILE: &str =
    "is neither a file nor a folder, so it would not be played: put a file in its place, or take it out";
const AGAIN: &str = "is a link to a folder that the pack has already, or stands in: take the link out";

fn refuse(path: &Path, problem: &'static str) -> PackError {
    PackError::Entry { path: path.to_owned(), problem }
}

fn unreadable(path: &Path, source: io::Error) -> PackError {
    PackError::Read { path: path.to_owned(), source }
}

fn read(folder: &Path, path: &Path) -> Result<PackFile, PackError> {
    let own = path.symlink_metadata().map_err(|source| unreadable(path, source))?;
    let metadata = followed(path, &own)?.unwrap_or(own);
    // Whoever opens a pipe waits until somebody writes to it.
    if !metadata.is_file() {
        return Err(refuse(path, NO_FILE));
    }
    if metadata.len() > FILE_LIMIT {
        return Err(PackError::TooLarge { path: path.to_owned(), limit: "4 MiB".to_owned() });
    }
    let content = fs::read(path).map_err(|source| unreadable(path, source))?;
    let name = folder.file_name().filter(|_| folder.is_dir()).map(|name| name.to_string_lossy().into_owned());
    let relative = path.strip_prefix(folder).ok().filter(|relative| !relative.as_os_str().is_empty());
    let relative = relative.unwrap_or_else(|| Path::new(path.file_name().unwrap_or_default()));
    let segments =
        name.into_iter().chain(relative.iter().map(|segment| segment.to_string_lossy().into_owned()));
    let path = segments.map(|segment| safe(&segment)).collect::<Vec<_>>().join("/");
    Ok(PackFile::new(path, content))
}

/// A file name that every system takes.
fn safe(segment: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let kept: String = segment.chars().map(keep).collect();
    if kept.chars().all(|c| c == '.') { "pack".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;

    #[test]
    fn a_folder_is_read_in_order_with_paths_that_are_safe() {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("my pack");
        fs::create_dir_all(pack.join("b")).unwrap();
        for (name, title) in [("z.feature", "z"), ("b/a.feature", "a"), ("notes.txt", "no")] {
            fs::write(pack.join(name), format!("Feature: {title}\n  Scenario: s\n    Given g\n")).unwrap();
        }
        let loaded = load(&[pack.display().to_string()]).unwrap();
        let paths: Vec<&str> = loaded.iter().map(|loaded| loaded.file.path.as_str()).collect();
        assert_eq!(paths, ["my_pack/b/a.feature", "my_pack/z.feature"]);
    }

    #[cfg(unix)]
    mod links {
        use std::os::unix::fs::symlink;

        use super::*;

        const FEATURE: &str = "Feature: f\n  Scenario: s\n    Given g\n";

        /// A pack of one feature file in a folder, beside a folder with another.
        fn pack() -> (tempfile::TempDir, PathBuf, PathBuf) {
            let folder = tempfile::tempdir().unwrap();
            let (pack, beside) = (folder.path().join("pack"), folder.path().join("beside"));
            for (made, name) in [(&pack, "own.feature"), (&beside, "other.feature")] {
                fs::create_dir(made).unwrap();
                fs::write(made.join(name), FEATURE).unwrap();
            }
            (folder, pack, beside)
        }

        fn loaded(pack: &Path) -> Result<Vec<String>, String> {
            let loaded = load(&[pack.display().to_string()]).map_err(|error| error.to_string())?;
            Ok(loaded.into_iter().map(|loaded| loaded.file.path).collect())
        }

        fn refused(pack: &Path, entry: &str, problem: &str) {
            let error = loaded(pack).unwrap_err();
            assert_eq!(error, format!("{}: {problem}", pack.join(entry).display()));
        }

        #[test]
        fn links_to_files_and_folders_are_followed_under_the_names_that_they_have_in_the_pack() {
            let (_folder, pack, beside) = pack();
            symlink(beside.join("other.feature"), pack.join("linked.feature")).unwrap();
            symlink(&beside, pack.join("more")).unwrap();
            let expected = ["pack/linked.feature", "pack/more/other.feature", "pack/own.feature"];
            assert_eq!(loaded(&pack).unwrap(), expected);
        }

        #[test]
        fn a_link_to_a_folder_that_the_pack_stands_in_or_has_is_refused() {
            for target in ["/", "..", ".", "sub"] {
                let (_folder, pack, _) = pack();
                fs::create_dir(pack.join("sub")).unwrap();
                symlink(target, pack.join("again")).unwrap();
                refused(&pack, "again", AGAIN);
            }
        }

        #[test]
        fn two_folders_that_lead_to_each_other_have_an_end() {
            let (_folder, pack, beside) = pack();
            symlink(&beside, pack.join("more")).unwrap();
            symlink(&pack, beside.join("back")).unwrap();
            refused(&pack, "more/back", AGAIN);
        }

        #[test]
        fn a_link_to_nothing_is_refused_whatever_it_is_called() {
            for name in ["gone.feature", "more", CATALOGUE] {
                let (_folder, pack, _) = pack();
                symlink("nowhere", pack.join(name)).unwrap();
                refused(&pack, name, DANGLES);
            }
        }

        #[test]
        fn what_an_editor_marks_a_file_by_is_no_feature_file() {
            let (_folder, pack, _) = pack();
            symlink("me@here.1234:5678", pack.join(".#own.feature")).unwrap();
            assert_eq!(loaded(&pack).unwrap(), ["pack/own.feature"]);
        }

        #[test]
        fn what_is_neither_file_nor_folder_is_refused_where_a_file_is_looked_for() {
            for name in ["pipe.feature", CATALOGUE] {
                let (_folder, pack, _) = pack();
                let _listening = std::os::unix::net::UnixListener::bind(pack.join(name)).unwrap();
                refused(&pack, name, NO_FILE);
            }
            let (_folder, pack, _) = pack();
            symlink("/dev/null", pack.join("null.feature")).unwrap();
            refused(&pack, "null.feature", NO_FILE);
            fs::remove_file(pack.join("null.feature")).unwrap();
            let _listening = std::os::unix::net::UnixListener::bind(pack.join("pipe")).unwrap();
            assert_eq!(loaded(&pack).unwrap(), ["pack/own.feature"]);
        }

        #[test]
        fn a_catalogue_may_be_a_link_and_not_a_folder() {
            let (_folder, pack, beside) = pack();
            fs::create_dir(pack.join(CATALOGUE)).unwrap();
            refused(&pack, CATALOGUE, NO_FILE);
            fs::remove_dir(pack.join(CATALOGUE)).unwrap();
            fs::write(beside.join("list.yaml"), "[]\n").unwrap();
            symlink(beside.join("list.yaml"), pack.join(CATALOGUE)).unwrap();
            assert_eq!(loaded(&pack).unwrap(), ["pack/own.feature"]);
        }
    }
}
