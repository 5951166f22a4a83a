//! One file out of a bundle.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zip::ZipArchive;

/// Reads a file of at most `limit` bytes out of a bundle, or out of the folder that one was unpacked
/// into. `name` is its path within the bundle. That the bundle is whole is for [`verify`](super::verify)
/// to say.
///
/// # Errors
/// When it is not there, cannot be read, or is larger.
pub fn read_file(bundle: &Path, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    if bundle.is_dir() {
        return whole(File::open(bundle.join(name))?, limit);
    }
    let mut archive = ZipArchive::new(File::open(bundle)?).map_err(io::Error::other)?;
    let entry = archive.by_name(name).map_err(io::Error::other)?;
    whole(entry, limit)
}

fn whole(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}
