//! Long bodies of a mailroom that is not durable: on disk, in one file that has no name and is gone
//! with the process, however that ends.
//!
//! One file for all, since a file for each body would take a file descriptor for each: a thousand
//! messages of 2 MB would leave none for connections. It is given out in extents, and shrinks when
//! its last ones are given back, but for some that are kept: what overwrites a file costs the system half
//! of what lengthens it.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::File,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use thiserror::Error;

use super::{
    positioned::{read_at, write_all_at},
    share::Share,
};

/// Bytes that are given out at a time.
const EXTENT: u64 = 1 << 20;
/// Extents that the file does not give back: room for two bodies as long as a request may be.
const KEPT: u64 = 200;

/// The file. Made when it is first needed.
#[derive(Debug)]
pub struct Spill {
    folder: PathBuf,
    book: Mutex<Book>,
    kept: u64,
}

/// No file for long bodies can be made.
#[derive(Debug, Error)]
#[error("{folder}: {source}; have TMPDIR name a folder that can be written")]
pub struct SpillError {
    /// Where it would be.
    folder: PathBuf,
    /// Why.
    pub(super) source: io::Error,
}

#[derive(Debug, Default)]
struct Book {
    file: Option<Arc<File>>,
    /// How many extents the file has.
    end: u64,
    free: BTreeSet<u64>,
}

/// A body in the file, or one that comes in.
#[derive(Debug)]
pub struct Spilled {
    spill: Arc<Spill>,
    file: Arc<File>,
    extents: Vec<u64>,
    size: u64,
    pub share: Share,
}

impl Default for Spill {
    fn default() -> Self {
        Self { folder: folder(std::env::var_os("TMPDIR")), book: Mutex::default(), kept: KEPT }
    }
}

impl Spill {
    /// Room for a body.
    pub fn begin(self: &Arc<Self>, share: Share) -> Result<Spilled, SpillError> {
        let file = self.file()?;
        Ok(Spilled { spill: Arc::clone(self), file, extents: Vec::new(), size: 0, share })
    }

    /// The file, made by now.
    pub fn file(&self) -> Result<Arc<File>, SpillError> {
        let mut book = self.book();
        if let Some(file) = &book.file {
            return Ok(Arc::clone(file));
        }
        let unusable = |source| SpillError { folder: self.folder.clone(), source };
        let file = Arc::new(tempfile::tempfile_in(&self.folder).map_err(unusable)?);
        book.file = Some(Arc::clone(&file));
        Ok(file)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> u64 {
        let mut book = self.book();
        book.free.pop_first().unwrap_or_else(|| {
            book.end += 1;
            book.end - 1
        })
    }

    fn give_back(&self, extents: &[u64]) {
        let mut book = self.book();
        book.free.extend(extents);
        let before = book.end;
        while book.end > self.kept && book.free.last() == Some(&(book.end - 1)) {
            book.free.pop_last();
            book.end -= 1;
        }
        if book.end < before
            && let Some(file) = &book.file
        {
            // Should it fail, the disk gets the room back when the process ends.
            let _ = file.set_len(book.end * EXTENT);
        }
    }
}

impl Spilled {
    /// Adds to its end.
    pub fn write(&mut self, pieces: &[Bytes]) -> io::Result<()> {
        let mut slices = Vec::with_capacity(pieces.len());
        let mut room = self.room();
        for piece in pieces {
            let mut bytes: &[u8] = piece;
            while !bytes.is_empty() {
                let (here, rest) = bytes.split_at(bytes.len().min(room));
                slices.push(IoSlice::new(here));
                (bytes, room) = (rest, room - here.len());
                if room == 0 {
                    self.write_into_extent(&mut slices)?;
                    slices.clear();
                    room = self.room();
                }
            }
        }
        self.write_into_extent(&mut slices)
    }

    /// Bytes up to the end of the extent.
    fn room(&self) -> usize {
        usize::try_from(EXTENT - self.size % EXTENT).unwrap_or(usize::MAX)
    }

    fn write_into_extent(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        if length == 0 {
            return Ok(());
        }
        let within = self.size % EXTENT;
        if within == 0 {
            self.extents.push(self.spill.take());
        }
        let at = self.extents.last().map_or(0, |extent| extent * EXTENT) + within;
        write_all_at(&self.file, slices, at)?;
        self.size += length as u64;
        Ok(())
    }

    /// Reads from a place, as much as there is before the end of an extent. Nothing at the end.
    pub fn read(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let Some(extent) = usize::try_from(at / EXTENT).ok().and_then(|index| self.extents.get(index)) else {
            return Ok(0);
        };
        let within = at % EXTENT;
        let room = (EXTENT - within).min(self.size.saturating_sub(at));
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(into.len());
        let (into, _) = into.split_at_mut(room);
        read_at(&self.file, into, extent * EXTENT + within)
    }
}

impl Drop for Spilled {
    fn drop(&mut self) {
        if self.extents.is_empty() {
            return;
        }
        let (spill, extents) = (Arc::clone(&self.spill), std::mem::take(&mut self.extents));
        // Cutting a long file takes milliseconds, which no worker of the runtime has.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || spill.give_back(&extents))),
            Err(_) => spill.give_back(&extents),
        }
    }
}

/// `TMPDIR` where it is set, and to something; else `/var/tmp`, which is on a disk where `/tmp` is often in memory
/// (Filesystem Hierarchy Standard 3.0, 5.15).
fn folder(tmpdir: Option<OsString>) -> PathBuf {
    let disk = Path::new("/var/tmp");
    match tmpdir.filter(|name| !name.is_empty()) {
        Some(name) => name.into(),
        None if disk.is_dir() => disk.to_owned(),
        // What the library makes of a `TMPDIR` that is empty is the working folder.
        None if cfg!(unix) => "/tmp".into(),
        None => std::env::temp_dir(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::share::Pool;
    use super::*;

    fn body(spill: &Arc<Spill>, byte: u8, size: usize) -> Spilled {
        let mut body = spill.begin(Pool::new(u64::MAX).share()).unwrap();
        let pieces: Vec<Bytes> = vec![byte; size].chunks(300_000).map(Bytes::copy_from_slice).collect();
        pieces.chunks(3).for_each(|pieces| body.write(pieces).unwrap());
        body
    }

    fn whole(body: &Spilled) -> Vec<u8> {
        let (mut whole, mut buffer) = (Vec::new(), vec![0; 700_000]);
        loop {
            match body.read(whole.len() as u64, &mut buffer).unwrap() {
                0 => return whole,
                read => whole.extend_from_slice(&buffer[..read]),
            }
        }
    }

    #[test]
    fn room_is_used_again_and_the_file_shrinks_when_its_end_is_free() {
        let spill = Arc::new(Spill { kept: 0, ..Spill::default() });
        let length = || spill.book().file.as_ref().unwrap().metadata().unwrap().len();
        let extents = || {
            let book = spill.book();
            (book.end, book.free.len())
        };
        let first = body(&spill, 1, 3_000_000);
        let second = body(&spill, 2, 2_500_000);
        drop(first);
        assert_eq!(extents(), (6, 3));
        let third = body(&spill, 3, 4_000_000);
        assert_eq!(extents(), (7, 0), "three of the first, one more");
        assert!(whole(&second) == vec![2; 2_500_000] && whole(&third) == vec![3; 4_000_000]);
        drop(third);
        assert_eq!(extents(), (6, 3));
        drop(second);
        assert_eq!((extents(), length()), ((0, 0), 0));
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_named_and_an_empty_name_is_none() {
        let spill = Arc::new(Spill { folder: "/nonesuch".into(), ..Spill::default() });
        let error = spill.begin(Pool::new(u64::MAX).share()).unwrap_err().to_string();
        assert!(error.starts_with("/nonesuch: ") && error.contains("TMPDIR"), "{error}");
        assert_eq!(folder(Some("/somewhere".into())), Path::new("/somewhere"));
        assert_eq!(folder(Some(OsString::new())), folder(None));
        assert!(folder(None).is_absolute());
    }

    #[test]
    fn some_of_it_is_kept_to_be_written_over() {
        let spill = Arc::new(Spill { kept: 2, ..Spill::default() });
        let length = || spill.book().file.as_ref().unwrap().metadata().unwrap().len();
        drop(body(&spill, 1, 3_500_000));
        assert_eq!((length(), spill.book().free.len()), (2 * EXTENT, 2));
        assert!(whole(&body(&spill, 2, 2_500_000)) == vec![2; 2_500_000]);
    }
}
