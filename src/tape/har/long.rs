//! Texts of a HAR that are too long to be held: a whole message in base64, say.
//!
//! No reader of JSON gives a text in pieces. So before the HAR is read, each text longer than [`LONGEST`] is taken out
//! of it, and in its place is put where it stands. Whoever needs it reads it there, piece by piece.

use std::{
    io::{self, BufRead, Read},
    mem,
};

use super::surrogates;
use crate::tape::KEPT_BYTES;

/// Longest text that stays where it is, in bytes as it is written. It has room for all that is kept of a body, with an
/// escape of six bytes for each: so of a HAR of ours nothing is taken out.
pub(super) const LONGEST: usize = 6 * KEPT_BYTES + 1024;

/// How much of a longer one is held at a time.
const PIECE: usize = 64 << 10;

/// The key of what stands in the place of a text: `{"…": [start, length]}`.
pub(super) const PLACE: &str = "_mesh_witness_long_text";

/// A HAR as it is read: without its long texts, and with halves of characters mended.
pub(super) struct Shortened<R> {
    from: R,
    cutter: Cutter,
    given: usize,
}

impl<R: BufRead> Shortened<R> {
    /// What is left of a file of which `taken` bytes have been read.
    pub fn new(from: R, taken: u64) -> Self {
        let cutter =
            Cutter { state: State::Between, taken, out: vec![], line: 1, column: 0, mended: 0, cuts: vec![] };
        Self { from, cutter, given: 0 }
    }

    /// How many halves of characters were mended up to now.
    pub fn mended(&self) -> usize {
        self.cutter.mended
    }

    /// Which column of the file a column of what was given is.
    pub fn column(&self, line: usize, column: usize) -> usize {
        let before = |cut: &&Cut| cut.line == line && cut.column <= column;
        column + self.cutter.cuts.iter().filter(before).map(|cut| cut.bytes).sum::<usize>()
    }
}

impl<R: BufRead> Read for Shortened<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.given == self.cutter.out.len() {
            self.cutter.out.clear();
            self.given = 0;
            while self.cutter.out.is_empty() {
                let chunk = self.from.fill_buf()?;
                if chunk.is_empty() {
                    self.cutter.end();
                    break;
                }
                let used = self.cutter.take(chunk);
                self.from.consume(used);
            }
        }
        let count = (&self.cutter.out[self.given..]).read(to)?;
        self.given += count;
        Ok(count)
    }
}

/// What is between a file and its reader, without input and output of its own.
struct Cutter {
    state: State,
    /// How many bytes of the file were seen.
    taken: u64,
    /// What is to be given on.
    out: Vec<u8>,
    /// Where what was given ends: the line, from 1, and how many bytes it has.
    line: usize,
    column: usize,
    mended: usize,
    cuts: Vec<Cut>,
}

/// Where something was taken out, by lines and columns of what is left.
struct Cut {
    line: usize,
    column: usize,
    bytes: usize,
}

enum State {
    /// Not within a text.
    Between,
    Within(Text),
    /// Behind a long one: what comes next tells whether it is a key.
    Behind {
        start: u64,
        length: u64,
    },
    /// A text cannot be read. It is given on as it is, and its reader says so.
    Broken,
}

#[derive(Default)]
struct Text {
    start: u64,
    held: Vec<u8>,
    is_escaped: bool,
    /// How much of it has been let go.
    gone: usize,
}

impl Cutter {
    /// Takes as much of a chunk as leads to something; at least something comes of it.
    fn take(&mut self, chunk: &[u8]) -> usize {
        let used = match mem::replace(&mut self.state, State::Between) {
            State::Between => self.between(chunk),
            State::Within(text) => self.within(text, chunk),
            State::Behind { start, length } => self.behind(start, length, chunk),
            State::Broken => {
                self.state = State::Broken;
                self.give(chunk);
                chunk.len()
            }
        };
        self.taken += used as u64;
        used
    }

    fn between(&mut self, chunk: &[u8]) -> usize {
        let Some(quote) = chunk.iter().position(|byte| *byte == b'"') else {
            self.give(chunk);
            return chunk.len();
        };
        self.give(&chunk[..quote]);
        let start = self.taken + quote as u64 + 1;
        self.state = State::Within(Text { start, ..Text::default() });
        quote + 1
    }

    fn within(&mut self, mut text: Text, chunk: &[u8]) -> usize {
        let (used, is_whole) = text.take(chunk);
        if is_whole && text.gone == 0 && text.held.len() <= LONGEST {
            self.mended += surrogates::mend(&mut text.held);
            self.give(b"\"");
            self.give(&text.held);
            self.give(b"\"");
        } else if is_whole || text.held.len() > if text.gone > 0 { PIECE } else { LONGEST } {
            let length = text.gone + text.held.len();
            match piece(&mut text.held, is_whole) {
                None => self.broken(&text, is_whole),
                Some((_, mended)) => {
                    self.mended += mended;
                    text.gone = length - text.held.len();
                    let (start, length) = (text.start, length as u64);
                    self.state = if is_whole { State::Behind { start, length } } else { State::Within(text) };
                }
            }
        } else {
            self.state = State::Within(text);
        }
        used
    }

    /// What of a text is still there is given on.
    fn broken(&mut self, text: &Text, is_whole: bool) {
        self.give(b"\"");
        self.cuts.push(Cut { line: self.line, column: self.column, bytes: text.gone });
        self.give(&text.held);
        if is_whole {
            self.give(b"\"");
        }
        self.state = State::Broken;
    }

    fn behind(&mut self, start: u64, length: u64, chunk: &[u8]) -> usize {
        let blanks = chunk.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.give(&chunk[..blanks]);
        match chunk.get(blanks) {
            None => self.state = State::Behind { start, length },
            // No key is that long that anybody looks for.
            Some(b':') => self.put(b"\"\"", length),
            Some(_) => self.put(format!(r#"{{"{PLACE}":[{start},{length}]}}"#).as_bytes(), length),
        }
        blanks
    }

    /// What stands in the place of a text of this length.
    fn put(&mut self, bytes: &[u8], length: u64) {
        self.give(bytes);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = length.saturating_add(2).saturating_sub(bytes.len());
        self.cuts.push(Cut { line: self.line, column: self.column, bytes });
    }

    /// A file that breaks off within a text breaks off there for its reader, too.
    fn end(&mut self) {
        if let State::Within(text) = mem::replace(&mut self.state, State::Between) {
            self.broken(&text, false);
        }
    }

    fn give(&mut self, bytes: &[u8]) {
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            None => self.column += bytes.len(),
            Some(last) => {
                self.line += bytes.iter().filter(|byte| **byte == b'\n').count();
                self.column = bytes.len() - last - 1;
            }
        }
        self.out.extend_from_slice(bytes);
    }
}

impl Text {
    /// Takes what of a chunk belongs to it: how much that is with the quote at its end, and whether that was there.
    fn take(&mut self, chunk: &[u8]) -> (usize, bool) {
        let mut at = 0;
        loop {
            if self.is_escaped && at < chunk.len() {
                self.is_escaped = false;
                at += 1;
            }
            let Some(further) = chunk[at..].iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                self.held.extend_from_slice(chunk);
                return (chunk.len(), false);
            };
            at += further;
            if chunk[at] == b'"' {
                self.held.extend_from_slice(&chunk[..at]);
                return (at + 1, true);
            }
            self.is_escaped = true;
            at += 1;
        }
    }
}

/// What the beginning of a text in JSON says, and how many halves of characters were mended in it. What of it cannot be told
/// before more is there stays. `None` when it is no JSON.
fn piece(held: &mut Vec<u8>, is_last: bool) -> Option<(String, usize)> {
    let (mended, sure) = surrogates::mend_up_to(held, is_last);
    let sure = match std::str::from_utf8(&held[..sure]) {
        // A character may go on in the next piece.
        Err(error) if !is_last && error.error_len().is_none() => error.valid_up_to(),
        _ => sure,
    };
    let quoted = [b"\"", &held[..sure], b"\""].concat();
    let text = serde_json::from_slice(&quoted).ok()?;
    held.drain(..sure);
    Some((text, mended))
}

/// A long text as what it says, piece by piece.
pub(super) struct Unfolded<R> {
    from: R,
    held: Vec<u8>,
    said: Vec<u8>,
    given: usize,
}

impl<R: Read> Unfolded<R> {
    /// `from` gives it as it is written, without the quotes.
    pub fn new(from: R) -> Self {
        Self { from, held: vec![], said: vec![], given: 0 }
    }
}

impl<R: Read> Read for Unfolded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.said.len() {
            let read = self.from.by_ref().take(PIECE as u64).read_to_end(&mut self.held)?;
            let is_last = read == 0;
            let (said, _) = piece(&mut self.held, is_last).ok_or(io::ErrorKind::InvalidData)?;
            (self.said, self.given) = (said.into_bytes(), 0);
            if is_last && self.said.is_empty() {
                return Ok(0);
            }
        }
        let count = (&self.said[self.given..]).read(to)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn shortened(json: &str, at_a_time: usize) -> (String, usize) {
        let mut shortened = Shortened::new(BufReader::with_capacity(at_a_time, json.as_bytes()), 0);
        let mut read = String::new();
        shortened.read_to_string(&mut read).unwrap();
        (read, shortened.mended())
    }

    fn long(with: &str) -> String {
        with.repeat(LONGEST / with.len() + 1)
    }

    #[test]
    fn what_has_no_long_texts_stays_as_it_is() {
        for json in [r#" {"a":["b\"\\",1 ],"c" : "" }"#, "", "\"", r#"{"a\"#, "nonsense\n", "\"a\nb\""] {
            for at_a_time in [1, 3, 100] {
                assert_eq!(shortened(json, at_a_time), (json.to_owned(), 0));
            }
        }
        let longest = format!("[\"{}\"]", "a".repeat(LONGEST));
        assert_eq!(shortened(&longest, 1 << 16).0, longest);
    }

    #[test]
    fn in_the_place_of_a_long_text_stands_where_it_is() {
        let text = long("ab\\\"c\\u00e9\u{e9}");
        let json = format!("{{\"a\":\n\"{text}\"\n,\"{text}\" :1}}");
        let (read, mended) = shortened(&json, 1000);
        let value: Value = serde_json::from_str(&read).unwrap();
        assert_eq!(
            (&value["a"][PLACE][0], &value["a"][PLACE][1], mended),
            (&7.into(), &text.len().into(), 0)
        );
        assert_eq!(value[""], 1, "a key");
        let mut said = String::new();
        Unfolded::new(text.as_bytes()).read_to_string(&mut said).unwrap();
        assert_eq!(said, serde_json::from_str::<String>(&format!("\"{text}\"")).unwrap());
    }

    #[test]
    fn halves_of_characters_are_mended_in_long_texts_and_in_others() {
        assert_eq!(shortened(r#"["\udc80"]"#, 1), (r#"["\ufffd"]"#.to_owned(), 1));
        let text = long(r"\udc80\ud83d\ude00");
        let (_, mended) = shortened(&format!("[\"{text}\"]"), 1000);
        assert_eq!(mended, text.len() / 18);
        let mut said = String::new();
        Unfolded::new(text.as_bytes()).read_to_string(&mut said).unwrap();
        assert_eq!(said, "\u{fffd}\u{1f600}".repeat(text.len() / 18));
    }

    #[test]
    fn what_is_wrong_in_a_long_text_is_told_by_its_place_in_the_file() {
        let text = long("abc");
        for (wrong, by) in [("\u{1}", 1), ("\\x", 2), ("\n", 0)] {
            let json = format!("[\"{text}\",\"{text}{wrong}{text}\"]");
            let mut shortened = Shortened::new(json.as_bytes(), 0);
            let error = serde_json::from_reader::<_, Value>(BufReader::new(&mut shortened)).unwrap_err();
            let place = json.find(wrong).unwrap() + by;
            if by > 0 {
                assert_eq!((error.line(), shortened.column(1, error.column())), (1, place));
            }
            assert!(error.is_syntax(), "{error}");
        }
    }

    #[test]
    fn a_file_that_breaks_off_breaks_off() {
        for json in [format!("[\"{}", long("a")), format!("[\"{}\"", long("a")), "[\"a".to_owned()] {
            let error = serde_json::from_reader::<_, Value>(Shortened::new(json.as_bytes(), 0)).unwrap_err();
            assert!(error.is_eof(), "{error}");
        }
    }

    proptest! {
        /// However the pieces fall.
        #[test]
        fn a_text_in_pieces_says_what_it_says_whole(
            text in r#"([a-zé😀]|\\n|\\u00e9|\\ud83d\\ude00|\\ud83d|\\udc00|\\\\){0,40}"#,
            at in any::<prop::sample::Index>(),
        ) {
            let mut whole = text.clone().into_bytes();
            let mended = surrogates::mend(&mut whole);
            let said = String::from_utf8(whole).unwrap();
            let said: String = serde_json::from_str(&format!("\"{said}\"")).unwrap();
            let cut = at.index(text.len() + 1);
            let mut held = text.as_bytes()[..cut].to_vec();
            let (first, some) = piece(&mut held, false).unwrap();
            held.extend_from_slice(&text.as_bytes()[cut..]);
            let (rest, others) = piece(&mut held, true).unwrap();
            prop_assert_eq!((first + &rest, some + others), (said, mended));
        }
    }
}
