//! Where a zip was altered whose files are all whole.

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
};

use zip::ZipArchive;

use crate::{
    evidence::{
        archive::pack_files,
        bag::SIGNATURES,
        container::{Layout, Record},
    },
    tape::printable,
};

/// Beyond this many bytes of content, the place is not looked for.
const MOST_BYTES: u64 = 256 << 20;

/// The file around which the zip was altered: in its headers, or in how it is compressed. Packs the
/// files again and compares. Empty when that tells nothing: when more than one file differs, another
/// version of us has made the zip, or someone has rewritten it.
pub(super) fn blame(file: &mut BufReader<File>, layout: &Layout) -> io::Result<Vec<String>> {
    let Some(files) = read_all(file) else { return Ok(Vec::new()) };
    let files = files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
    let Ok(expected) = pack_files(files) else { return Ok(Vec::new()) };
    let Ok(meant) = Layout::read(&mut Cursor::new(&expected)) else { return Ok(Vec::new()) };
    let mut seen = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(meant.directory_start).read_to_end(&mut seen)?;
    let ends = meant.records.iter().skip(1).map(|record| record.local).chain([meant.directory_start]);
    let differs = |record: &Record, end: u64| {
        let local = usize::try_from(record.local).ok()?..usize::try_from(end).ok()?;
        let same = seen.get(local.clone())? == expected.get(local)?
            && layout.directory.get(record.range.clone())? == meant.directory.get(record.range.clone())?;
        same.then_some(())
    };
    let differing: Vec<String> = meant
        .records
        .iter()
        .zip(ends)
        .filter(|(record, end)| differs(record, *end).is_none())
        .map(|(record, _)| printable(&record.name))
        .collect();
    Ok(if differing.len() == 1 { differing } else { Vec::new() })
}

fn read_all(file: &mut BufReader<File>) -> Option<Vec<(String, Vec<u8>)>> {
    let mut archive = ZipArchive::new(file).ok()?;
    let mut left = MOST_BYTES;
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).ok()?;
        let name = entry.name().ok()?.into_owned();
        if name.starts_with(SIGNATURES) || name.ends_with('/') {
            continue;
        }
        let mut content = Vec::new();
        entry.take(left + 1).read_to_end(&mut content).ok()?;
        left = left.checked_sub(content.len() as u64)?;
        files.push((name, content));
    }
    Some(files)
}
