//! The folder of a durable mailroom, and the files in it that hold long bodies.
//!
//! A file has its final name from the beginning: it counts for nothing until the database refers to it,
//! so there is nothing that a second name would protect. What the database does not refer to is removed
//! when the mailroom is opened.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use uuid::Uuid;

use super::database::Database;
use crate::emulator::mailroom::share::Share;

/// Name of the folder with bodies.
const BODIES: &str = "bodies";
/// How names of bodies end.
const SUFFIX: &str = ".body";

/// The folder, opened.
#[derive(Debug)]
pub struct Folder {
    bodies: PathBuf,
    removals: mpsc::Sender<PathBuf>,
    pub database: Database,
}

/// A file with a body. It is removed when the last holder lets go of it, unless the database refers to
/// it by then.
#[derive(Debug)]
pub struct BodyFile {
    folder: Arc<Folder>,
    name: Uuid,
    referred_to: AtomicBool,
    pub share: Share,
}

impl Folder {
    /// Opens what [`create`] has made.
    pub fn open(root: &Path, database: Database) -> io::Result<Self> {
        let bodies = root.join(BODIES);
        let (removals, removed) = mpsc::channel::<PathBuf>();
        // Removing a long file takes milliseconds, which neither a worker of the runtime nor the thread
        // that commits has.
        thread::Builder::new().name("mailroom bodies".to_owned()).spawn(move || {
            // What cannot be removed now is when the mailroom is next opened.
            removed.into_iter().for_each(|path| drop(fs::remove_file(path)));
        })?;
        Ok(Self { bodies, removals, database })
    }

    /// Where a body is.
    pub fn path(&self, name: Uuid) -> PathBuf {
        path(&self.bodies, name)
    }

    /// Removes bodies that nothing refers to, left by a process that was killed. Files with names that
    /// are not ours are left alone.
    pub fn sweep(&self, referred_to: &HashSet<Uuid>) -> io::Result<()> {
        for entry in fs::read_dir(&self.bodies)? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).map(Uuid::try_parse);
            if let Some(Ok(id)) = id
                && !referred_to.contains(&id)
            {
                fs::remove_file(self.path(id))?;
            }
        }
        Ok(())
    }
}

/// Makes the folder, and the one for bodies in it, for their owner only.
pub fn create(root: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(root.join(BODIES))
}

/// Makes the names in a folder durable, where that is to be asked for: Windows opens no folder as a file, and keeps
/// names in a journal of its own.
pub fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { File::open(folder)?.sync_all() }
}

fn path(bodies: &Path, name: Uuid) -> PathBuf {
    bodies.join(format!("{}{SUFFIX}", name.simple()))
}

impl BodyFile {
    /// An empty file.
    pub fn create(folder: &Arc<Folder>, share: Share) -> io::Result<(File, Self)> {
        let name = Uuid::new_v4();
        let file = File::create_new(folder.path(name))?;
        let referred_to = AtomicBool::new(false);
        Ok((file, Self { folder: Arc::clone(folder), name, referred_to, share }))
    }

    /// A file that the database refers to.
    pub fn known(folder: &Arc<Folder>, name: Uuid, share: Share) -> Self {
        Self { folder: Arc::clone(folder), name, referred_to: AtomicBool::new(true), share }
    }

    /// Its name without the ending.
    pub fn name(&self) -> Uuid {
        self.name
    }

    /// Makes what was written, and the name, durable.
    pub fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        sync(&self.folder.bodies)
    }

    /// Says whether the database refers to it.
    pub fn refer(&self, whether: bool) {
        self.referred_to.store(whether, Ordering::Release);
    }

    /// Opens it to be read, if it has the length that it should have.
    pub fn open(&self, size: u64) -> io::Result<File> {
        let file = File::open(self.folder.path(self.name))?;
        if file.metadata()?.len() == size { Ok(file) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Drop for BodyFile {
    fn drop(&mut self) {
        if !*self.referred_to.get_mut() {
            // The thread ends after the folder.
            let _ = self.folder.removals.send(self.folder.path(self.name));
        }
    }
}
