//! Where a HAR is: what was passed over at first is read there when it is needed.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// What can be read from any place on, several times at once.
pub(super) trait Source {
    /// The bytes from a place on.
    fn at(&self, offset: u64) -> Box<dyn Read + '_>;
}

impl Source for &[u8] {
    fn at(&self, offset: u64) -> Box<dyn Read + '_> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        Box::new(from.unwrap_or_default())
    }
}

impl Source for File {
    fn at(&self, offset: u64) -> Box<dyn Read + '_> {
        Box::new(FileAt { file: self, offset })
    }
}

/// One file, read from several places: each goes to its own before it reads.
struct FileAt<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for FileAt<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.offset))?;
        let count = self.file.read(to)?;
        self.offset += count as u64;
        Ok(count)
    }
}
