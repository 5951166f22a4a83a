//! Reading and writing at a place of a file, whoever else does so at the same time.

use std::{
    fs::File,
    io::{self, IoSlice},
};

/// Reads once, as much as comes; nothing at the end.
#[cfg(unix)]
pub fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

/// Writes all of it, one piece behind the other, with few calls of the system. The slices are used up.
#[cfg(unix)]
pub fn write_all_at(file: &File, mut slices: &mut [IoSlice<'_>], mut at: u64) -> io::Result<()> {
    // Takes the empty ones away.
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        let some = slices.get(..slices.len().min(AT_ONCE)).unwrap_or_default();
        match rustix::io::pwritev(file, some, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                IoSlice::advance_slices(&mut slices, written);
                at += written as u64;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Slices that a system takes in one call: 1024 is the least that `IOV_MAX` is on Linux, macOS and BSD.
#[cfg(unix)]
const AT_ONCE: usize = 1024;

/// Reads once, as much as comes; nothing at the end.
#[cfg(windows)]
pub fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}

/// Writes all of it, one piece behind the other.
#[cfg(windows)]
pub fn write_all_at(file: &File, slices: &mut [IoSlice<'_>], mut at: u64) -> io::Result<()> {
    for slice in slices {
        let mut bytes: &[u8] = slice;
        while !bytes.is_empty() {
            let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            (_, bytes) = bytes.split_at(written);
            at += written as u64;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn pieces_stand_one_behind_the_other_however_many_and_empty_ones_are_none() {
        let mut file = tempfile::tempfile().unwrap();
        let pieces: Vec<Vec<u8>> = (0..3000_usize).map(|index| vec![index as u8; index % 3]).collect();
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        write_all_at(&file, &mut slices, 5).unwrap();
        let mut written = Vec::new();
        // On Windows a place that is written to is also where reading goes on.
        file.rewind().unwrap();
        file.read_to_end(&mut written).unwrap();
        assert!(written == [vec![0; 5], pieces.concat()].concat());
    }
}
