//! A bag as a zip: the same bag makes the same bytes.

use std::io::{self, Cursor, Write};

use thiserror::Error;
use zip::{CompressionMethod, DateTime, System, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::{
    bag::Bag,
    container::{Layout, LayoutError, Seal},
};

/// The most files in a bundle: more would need the zip64 format, which not every program opens.
const MOST_FILES: usize = 65_534;

/// The bundle of a bag, ready to be written: deflated, without time stamps, sealed.
///
/// # Errors
/// When the bag has more than 65,534 files, or the zip would come near 4 GiB.
pub fn pack(bag: &Bag) -> Result<Vec<u8>, ArchiveError> {
    pack_files(bag.files().iter().map(|file| (file.path.as_str(), file.content.as_slice())).collect())
}

/// Why a bag could not be packed.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// It has more files, or larger ones, than a zip can hold that every program opens.
    #[error(
        "{files} files with {bytes} bytes are more than a bundle can hold: play fewer scenarios at once \
         or send smaller messages"
    )]
    TooLarge {
        /// Number of files.
        files: usize,
        /// Their size, not compressed.
        bytes: u64,
    },
    /// The zip library refused.
    #[error("the bundle cannot be packed: {0}")]
    Zip(#[from] ZipError),
    /// What it had made does not read back.
    #[error("the bundle cannot be sealed: {0}")]
    Seal(#[from] io::Error),
}

/// Packs files by path and content, in their order.
pub(super) fn pack_files(files: Vec<(&str, &[u8])>) -> Result<Vec<u8>, ArchiveError> {
    let bytes = files.iter().map(|(_, content)| content.len() as u64).sum();
    let too_large = ArchiveError::TooLarge { files: files.len(), bytes };
    // Zip writes sizes of up to 4 GiB less one; a little less leaves room for the headers.
    if files.len() > MOST_FILES || files.iter().any(|(_, content)| content.len() as u64 >= u32::MAX.into()) {
        return Err(too_large);
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        writer.start_file(path, options())?;
        writer.write_all(content)?;
    }
    let mut zip = writer.finish()?;
    if zip.get_ref().len() as u64 >= u32::MAX.into() {
        return Err(too_large);
    }
    seal(&mut zip)?;
    Ok(zip.into_inner())
}

/// Nothing here may depend on the machine or the hour.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(0o644)
}

/// Adds the comment that seals the zip.
fn seal(zip: &mut Cursor<Vec<u8>>) -> io::Result<()> {
    let layout = Layout::read(zip).map_err(|error| match error {
        LayoutError::Io(error) => error,
        LayoutError::Not(why) => io::Error::other(why),
    })?;
    let comment = Seal::make(zip, &layout)?.comment();
    let length = u16::try_from(comment.len()).map_err(io::Error::other)?;
    let zip = zip.get_mut();
    // The last field of the end record is the length of the comment, until now none.
    zip.truncate(zip.len() - size_of_val(&length));
    zip.extend_from_slice(&length.to_le_bytes());
    zip.extend_from_slice(comment.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use zip::ZipArchive;

    use super::*;
    use crate::evidence::{BagInfo, PayloadFile};

    fn bag(files: &[(&str, &str)]) -> Bag {
        let payload = files
            .iter()
            .map(|(path, content)| PayloadFile { path: (*path).into(), content: (*content).into() })
            .collect();
        let info = BagInfo {
            run_id: "1".into(),
            started_at: "2026-11-21T23:59:59Z".parse().unwrap(),
            description: String::new(),
            supplier: None,
            software_agent: String::new(),
        };
        Bag::new(payload, info).unwrap()
    }

    #[test]
    fn the_same_bag_makes_the_same_bytes_in_whatever_order_it_was_filled() {
        let one = pack(&bag(&[("a", "1"), ("b", "2"), ("README.txt", "3")])).unwrap();
        let other = pack(&bag(&[("README.txt", "3"), ("b", "2"), ("a", "1")])).unwrap();
        assert_eq!(one, other);
        assert_ne!(one, pack(&bag(&[("a", "1"), ("b", "3"), ("README.txt", "3")])).unwrap());
    }

    #[test]
    fn entries_are_plain_and_without_a_time() {
        let bag = bag(&[("a", "hello hello hello hello hello"), ("README.txt", "3"), ("ö", "")]);
        let mut archive = ZipArchive::new(Cursor::new(pack(&bag).unwrap())).unwrap();
        archive.validate_header_consistency().unwrap();
        assert!(Seal::parse(archive.comment()).is_some());
        for (index, file) in bag.files().iter().enumerate() {
            let mut entry = archive.by_index(index).unwrap();
            assert_eq!(entry.name().unwrap(), file.path);
            assert_eq!(entry.unix_mode(), Some(0o100_644));
            assert_eq!(entry.last_modified(), Some(DateTime::DEFAULT));
            assert_eq!(entry.compression(), CompressionMethod::Deflated);
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(content, file.content);
        }
    }

    #[test]
    fn too_many_files_are_refused_with_a_remedy() {
        let names: Vec<String> = (0..=MOST_FILES).map(|n| n.to_string()).collect();
        let error = pack_files(names.iter().map(|name| (name.as_str(), &b""[..])).collect()).unwrap_err();
        assert!(error.to_string().starts_with("65535 files with 0 bytes are more than a bundle can hold"));
    }
}
