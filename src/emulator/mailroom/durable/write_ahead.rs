//! The log that is written ahead of the database: what is in it is durable for the price of one write and one
//! sync, where a transaction of the database takes a dozen writes to as many places.
//!
//! A file of blocks. In the first are what it is and a key that nobody else knows; from the second on are records,
//! one behind the other, each with its number and a MAC. A log is emptied by being written over from the
//! beginning: blocks that are in place already are written faster than new ones. So behind the last record
//! there may be anything, older records and bodies that somebody has sent; the numbers, and the key, tell.

use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice, Read},
    path::{Path, PathBuf},
};

use aws_lc_rs::{digest, hmac, rand};

use super::{error::StoreError, writes::Writes};
use crate::emulator::mailroom::positioned::write_all_at;

/// Bytes after which a log is full. One record may be longer by itself.
const CAPACITY: u64 = if cfg!(test) { 32 << 10 } else { 4 << 20 };
/// Everything begins at a multiple of so many bytes, so that no write touches what is on disk already.
const BLOCK: usize = 4096;

/// How a log begins, with the number of its format.
const MAGIC: &[u8; 24] = b"mesh-witness log, form 1";
const KEY: usize = 32;
/// How a record begins.
const MARK: &[u8; 8] = b"changes:";
/// Mark, number, length, digest of what follows, and MAC of all of these.
const HEAD: usize = 8 + 8 + 8 + 32 + 32;
const ZEROS: [u8; BLOCK] = [0; BLOCK];

/// A log, open to be written.
#[derive(Debug)]
pub struct WriteAheadLog {
    file: File,
    key: Box<hmac::Key>,
    /// Where the next record goes.
    end: u64,
}

/// What a log holds: each transaction and its number.
pub type Logged = Vec<(u64, Writes)>;

impl WriteAheadLog {
    /// Opens a log, or makes one where it is not needed, and reads what the database does not have: the
    /// transactions after a number.
    pub fn open(path: PathBuf, after: u64, needed: bool) -> Result<(Self, Logged), StoreError> {
        let unusable = |source| StoreError::Folder { path: path.clone(), source };
        let damaged = |why: &str| StoreError::Damaged { path: path.clone(), why: why.to_owned() };
        if needed && matches!(path.try_exists(), Ok(false)) {
            return Err(damaged("it is missing, and so may be what was changed last"));
        }
        let mut file = open(&path).map_err(unusable)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unusable)?;
        if needed && (bytes.len() as u64) < CAPACITY {
            return Err(damaged("it was cut short, and what was changed last may be missing"));
        }
        let key = Box::new(match read_key(&bytes).map_err(damaged)? {
            Some(key) => key,
            None => begin(&file).map_err(unusable)?,
        });
        let logged = Reader { bytes: &bytes, key: &key }.read(after).map_err(damaged)?;
        // So that a log that was cut short can be told from one that was never full.
        if (bytes.len() as u64) < CAPACITY {
            file.set_len(CAPACITY).and_then(|()| file.sync_all()).map_err(unusable)?;
        }
        Ok((Self { file, key, end: BLOCK as u64 }, logged))
    }

    /// Whether so many bytes more can be appended.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.end == BLOCK as u64 || self.end + (HEAD + bytes) as u64 <= CAPACITY
    }

    /// Appends a transaction; it is on the disk when this returns. What could not be appended is written over
    /// by what comes next.
    ///
    /// # Errors
    /// When the disk does not take it. Should the disk fail even to forget it, and the process end before anything
    /// else is written, it may be found when the log is next read.
    pub fn append(&mut self, number: u64, transaction: &[u8]) -> io::Result<()> {
        let head = head(&self.key, number, transaction);
        let length = HEAD + transaction.len();
        let padding = ZEROS.get(..length.next_multiple_of(BLOCK) - length).unwrap_or_default();
        let mut slices = [&head, transaction, padding].map(IoSlice::new);
        let written = write_all_at(&self.file, &mut slices, self.end).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.end += (length + padding.len()) as u64,
            Err(_) => {
                let _ = write_all_at(&self.file, &mut [IoSlice::new(&ZEROS)], self.end);
                let _ = self.file.sync_data();
            }
        }
        written
    }

    /// Begins anew: the database has all that is in it.
    pub fn restart(&mut self) {
        if self.end > CAPACITY {
            // One long record has made it longer than it need be. What cannot be given back is written over.
            let _ = self.file.set_len(CAPACITY);
        }
        self.end = BLOCK as u64;
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes the first block. Gives the key that is in it.
fn begin(file: &File) -> io::Result<hmac::Key> {
    let mut key = [0; KEY];
    rand::fill(&mut key).map_err(io::Error::other)?;
    let digest = digest::digest(&digest::SHA256, &key);
    let rest = ZEROS.get(MAGIC.len() + KEY + digest.as_ref().len()..).unwrap_or_default();
    let mut slices = [MAGIC.as_slice(), &key, digest.as_ref(), rest].map(IoSlice::new);
    write_all_at(file, &mut slices, 0)?;
    file.sync_all()?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

/// The key in the first block; `None` where that was not written to its end, and nothing can follow.
fn read_key(bytes: &[u8]) -> Result<Option<hmac::Key>, &'static str> {
    let Some(first) = bytes.get(..BLOCK) else { return Ok(None) };
    if bytes.len() == BLOCK && first == ZEROS {
        return Ok(None);
    }
    let rest = first.strip_prefix(MAGIC).ok_or("it does not begin as a log of this version does")?;
    let (key, rest) = rest.split_at(KEY);
    match rest.starts_with(digest::digest(&digest::SHA256, key).as_ref()) {
        true => Ok(Some(hmac::Key::new(hmac::HMAC_SHA256, key))),
        false => Err("its first block has changed"),
    }
}

fn head(key: &hmac::Key, number: u64, transaction: &[u8]) -> [u8; HEAD] {
    let digest = digest::digest(&digest::SHA256, transaction);
    let (number, length) = (number.to_le_bytes(), (transaction.len() as u64).to_le_bytes());
    let mut head = [0; HEAD];
    let signed = [MARK.as_slice(), &number, &length, digest.as_ref()].concat();
    let tag = hmac::sign(key, &signed);
    for (place, byte) in head.iter_mut().zip(signed.iter().chain(tag.as_ref())) {
        *place = *byte;
    }
    head
}

struct Reader<'a> {
    bytes: &'a [u8],
    key: &'a hmac::Key,
}

/// The head of a record that nobody but the owner of the log has written.
struct Head<'a> {
    number: u64,
    length: usize,
    digest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The transactions after a number.
    fn read(&self, after: u64) -> Result<Logged, &'static str> {
        let mut logged = Logged::new();
        let mut at = BLOCK;
        while let Some((head, transaction)) = self.record(at) {
            // What is older stood here before.
            if head.number > after {
                let writes = Writes::decode(transaction).ok_or("a record in it is none of this version")?;
                logged.push((head.number, writes));
            }
            at += (HEAD + head.length).next_multiple_of(BLOCK);
        }
        // The last record may have been cut short. Nothing follows one that is not on the disk.
        let mut behind = (at + BLOCK..self.bytes.len()).step_by(BLOCK).filter_map(|at| self.head(at));
        match behind.any(|head| head.number > after) {
            true => Err("a record in it has changed, and others follow it"),
            false => Ok(logged),
        }
    }

    fn record(&self, at: usize) -> Option<(Head<'a>, &'a [u8])> {
        let head = self.head(at)?;
        let transaction = self.bytes.get(at + HEAD..)?.get(..head.length)?;
        let digest = digest::digest(&digest::SHA256, transaction);
        (digest.as_ref() == head.digest).then_some((head, transaction))
    }

    fn head(&self, at: usize) -> Option<Head<'a>> {
        let head = self.bytes.get(at..)?.get(..HEAD)?;
        let (signed, tag) = head.split_at_checked(HEAD - 32)?;
        let rest = signed.strip_prefix(MARK)?;
        hmac::verify(self.key, signed, tag).ok()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (length, digest) = rest.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        Some(Head { number: u64::from_le_bytes(*number), length, digest })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A transaction that can be told from others, of more than one block where that is asked for.
    fn numbered(number: u64, long: bool) -> Vec<u8> {
        let record = if long { vec![b'x'; 2 * BLOCK] } else { vec![b'x'] };
        let row = super::super::writes::Written { record, body: super::super::writes::Body::None };
        Writes { next_number: number, rows: [((number, 0), Some(row))].into(), cleared: false }.encode()
    }

    fn in_folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        (folder, path)
    }

    fn numbers(path: &Path, after: u64) -> Result<Vec<u64>, String> {
        let (_, logged) =
            WriteAheadLog::open(path.to_owned(), after, false).map_err(|error| error.to_string())?;
        Ok(logged
            .iter()
            .map(|(number, writes)| {
                assert_eq!(writes.next_number, *number);
                *number
            })
            .collect())
    }

    fn filled(path: &Path, numbers: std::ops::RangeInclusive<u64>) -> WriteAheadLog {
        let (mut log, _) = WriteAheadLog::open(path.to_owned(), 0, false).unwrap();
        numbers.for_each(|number| log.append(number, &numbered(number, number % 2 == 0)).unwrap());
        log
    }

    #[test]
    fn what_was_appended_is_read_but_for_what_the_database_has() {
        let (_folder, path) = in_folder();
        drop(filled(&path, 5..=8));
        assert_eq!(numbers(&path, 0), Ok(vec![5, 6, 7, 8]));
        assert_eq!(numbers(&path, 6), Ok(vec![7, 8]));
        assert_eq!(numbers(&path, 8), Ok(vec![]));
    }

    #[test]
    fn what_stood_in_it_earlier_is_not_read_again() {
        let (_folder, path) = in_folder();
        let mut log = filled(&path, 1..=5);
        log.restart();
        assert!(log.has_room(CAPACITY as usize * 2), "one record may be as long as it likes");
        log.append(6, &numbered(6, false)).unwrap();
        assert_eq!(numbers(&path, 5), Ok(vec![6]));
    }

    #[test]
    fn it_is_full_at_its_capacity_and_what_was_longer_is_given_back() {
        let (_folder, path) = in_folder();
        let mut log = filled(&path, 1..=1);
        assert!(log.has_room(CAPACITY as usize - 2 * BLOCK - HEAD));
        assert!(!log.has_room(CAPACITY as usize - 2 * BLOCK - HEAD + 1));
        log.append(2, &vec![0; CAPACITY as usize]).unwrap();
        log.restart();
        assert_eq!(fs::metadata(&path).unwrap().len(), CAPACITY);
        assert_eq!(numbers(&path, 2), Ok(vec![]));
    }

    #[test]
    fn of_a_log_that_was_cut_everything_is_read_that_is_whole() {
        let (_folder, path) = in_folder();
        drop(filled(&path, 1..=4));
        let whole = fs::read(&path).unwrap();
        let ends: Vec<_> = [1, 2, 5, 6]
            .into_iter()
            .zip(1..)
            .map(|(block, number)| block * BLOCK + HEAD + numbered(number, number % 2 == 0).len())
            .collect();
        for cut in (0..=whole.len()).step_by(64) {
            fs::write(&path, &whole[..cut]).unwrap();
            let there = ends.iter().filter(|end| **end <= cut).count() as u64;
            assert_eq!(numbers(&path, 0), Ok((1..=there).collect()), "{cut}");
        }
        assert_eq!(whole.len(), 9 * BLOCK);
    }

    /// Only of the last record nobody can tell whether it was cut short or has changed since.
    #[test]
    fn a_log_that_has_changed_anywhere_is_read_whole_or_says_so() {
        let (_folder, path) = in_folder();
        drop(filled(&path, 1..=4));
        let whole = fs::read(&path).unwrap();
        let last = 6 * BLOCK;
        let mut told = 0;
        for at in (0..whole.len()).step_by(7) {
            let mut bad = whole.clone();
            bad[at] ^= 0x10;
            fs::write(&path, bad).unwrap();
            match numbers(&path, 0) {
                Ok(read) => {
                    assert!(read == [1, 2, 3, 4] || (read == [1, 2, 3] && at >= last), "{at}: {read:?}")
                }
                Err(why) => {
                    assert!(why.contains("is damaged"), "{why}");
                    told += 1;
                }
            }
        }
        assert!(told > 1000, "{told}");
    }

    #[test]
    fn a_record_that_was_cut_short_in_front_of_older_ones_is_no_damage() {
        let (_folder, path) = in_folder();
        let mut log = filled(&path, 1..=1);
        (2..6).for_each(|number| log.append(number, &numbered(number, false)).unwrap());
        log.restart();
        log.append(6, &numbered(6, false)).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[2 * BLOCK] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(numbers(&path, 5), Ok(vec![6]));
        assert!(numbers(&path, 3).is_err(), "had the database lost something");
    }

    /// A body is what anybody likes to send, and may lie where a record was expected.
    #[test]
    fn a_record_that_somebody_has_sent_is_none() {
        let (_folder, path) = in_folder();
        let (_other_folder, others) = in_folder();
        drop(filled(&others, 2..=2));
        let record = fs::read(&others).unwrap()[BLOCK..].to_vec();
        let (mut log, _) = WriteAheadLog::open(path.clone(), 0, false).unwrap();
        // So that it begins with a block.
        log.append(1, &[vec![0; BLOCK - HEAD], record].concat()).unwrap();
        log.restart();
        log.append(1, &numbered(1, false)).unwrap();
        assert_eq!(numbers(&path, 0), Ok(vec![1]));
    }

    #[test]
    fn a_log_that_cannot_be_written_says_so_and_goes_on_where_it_was() {
        let (_folder, path) = in_folder();
        let mut log = filled(&path, 1..=1);
        let file = std::mem::replace(&mut log.file, File::open(&path).unwrap());
        assert!(log.append(2, &numbered(2, true)).is_err());
        assert_eq!(numbers(&path, 0), Ok(vec![1]));
        log.file = file;
        log.append(2, &numbered(2, false)).unwrap();
        assert_eq!(numbers(&path, 0), Ok(vec![1, 2]));
    }

    #[test]
    fn a_log_that_was_never_begun_is_begun_and_something_else_is_refused() {
        let (_folder, path) = in_folder();
        for unbegun in [vec![], vec![1; 100], vec![0; BLOCK]] {
            fs::write(&path, unbegun).unwrap();
            assert_eq!(numbers(&path, 0), Ok(vec![]));
            drop(filled(&path, 1..=1));
            assert_eq!(numbers(&path, 0), Ok(vec![1]));
        }
        fs::write(&path, vec![0; 2 * BLOCK]).unwrap();
        assert!(numbers(&path, 0).unwrap_err().contains("log: is damaged"));
    }
}
