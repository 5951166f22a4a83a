//! Text as it reads once a way of writing it down is undone, and where each byte of it came from: a secret is
//! written in as many ways as there are programs, and reads the same in all of them.

use std::ops::Range;

/// How a text may be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// As it is.
    None,
    /// `%3A`: of URLs and forms.
    Percent,
    /// `\u003a`, `\x3a`, `\072`, `\"`: of JSON, of programs that print what they hold, of shells.
    Backslash,
    /// `&#58;`, `&#x3a;`, `&amp;`: of XML and HTML.
    Entity,
}

/// A text with its escapes undone, or joined to one line, or both.
pub(super) struct Reading {
    /// What it says.
    pub bytes: Vec<u8>,
    places: Vec<Place>,
    source_length: usize,
    /// Whether lines were joined.
    pub is_joined: bool,
    /// The reading of which this is one.
    outer: Option<Box<Self>>,
}

/// From here on, up to the next place, bytes are as they were, or all come from one escape.
struct Place {
    at: usize,
    source: usize,
    is_escape: bool,
}

impl Reading {
    /// Every reading of a text that differs from the text. What was escaped may have been text of a program before,
    /// such as JSON in a line of a log that is JSON.
    pub fn all(source: &[u8]) -> impl Iterator<Item = Self> {
        let ways = [Escapes::Percent, Escapes::Backslash, Escapes::Entity].into_iter();
        let of_use = ways.filter(|escapes| escapes.mark().is_some_and(|mark| source.contains(&mark)));
        let joined = source.iter().any(|byte| is_break(*byte)).then(|| Self::of(source, Escapes::None, true));
        joined.into_iter().chain(of_use.flat_map(move |escapes| {
            let plain = Self::of(source, escapes, false);
            let joined = Self::of(source, escapes, true);
            let is_nested = plain.bytes.contains(&b'\\') && plain.bytes != source;
            let within = |joins| is_nested.then(|| Self::of(source, escapes, false).within(joins));
            let (inner, inner_joined) = (within(false), within(true));
            let joined =
                [Some(joined), inner_joined].into_iter().flatten().filter(|reading| reading.is_joined);
            [Some(plain), inner].into_iter().flatten().chain(joined)
        }))
    }

    /// The escapes of a program within what was escaped.
    fn within(self, joins: bool) -> Self {
        let mut reading = Self::of(&self.bytes, Escapes::Backslash, joins);
        reading.outer = Some(Box::new(self));
        reading
    }

    fn of(source: &[u8], escapes: Escapes, joins: bool) -> Self {
        let mark = escapes.mark();
        let is_special = |byte: &u8| Some(*byte) == mark || (joins && is_break(*byte));
        let mut reading = Self {
            bytes: Vec::with_capacity(source.len()),
            places: Vec::new(),
            source_length: source.len(),
            is_joined: false,
            outer: None,
        };
        // A line goes on behind the blanks with which the next one begins.
        let mut after_break = false;
        let mut at = 0;
        while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
            let plain = if after_break { 0 } else { rest.iter().position(is_special).unwrap_or(rest.len()) };
            if plain > 0 {
                reading.note(at, false);
                reading.bytes.extend_from_slice(&rest[..plain]);
                at += plain;
                continue;
            }
            let (said, length) = escapes.undone(rest).unwrap_or_else(|| (rest[..1].to_vec(), 1));
            reading.note(at, length > 1 || said.is_empty());
            after_break = joins
                && match said.as_slice() {
                    [byte] if is_break(*byte) => {
                        reading.is_joined = true;
                        true
                    }
                    [b' ' | b'\t'] => after_break,
                    _ => false,
                };
            if !after_break {
                reading.bytes.extend_from_slice(&said);
            }
            at += length;
        }
        reading
    }

    fn note(&mut self, source: usize, is_escape: bool) {
        self.places.push(Place { at: self.bytes.len(), source, is_escape });
    }

    /// Where that part of the reading stands in the source.
    pub fn source(&self, part: Range<usize>) -> Range<usize> {
        let start = self.source_of(part.start).start;
        let end = part.end.checked_sub(1).map_or(start, |last| self.source_of(last).end);
        let part = start..end.max(start);
        match &self.outer {
            Some(outer) => outer.source(part),
            None => part,
        }
    }

    /// The bytes of the source that the byte at `at` comes from.
    fn source_of(&self, at: usize) -> Range<usize> {
        let index = self.places.partition_point(|place| place.at <= at);
        let next = self.places.get(index).map_or(self.source_length, |place| place.source);
        match index.checked_sub(1).and_then(|index| self.places.get(index)) {
            Some(place) if place.is_escape => place.source..next,
            Some(place) => {
                let byte = place.source + (at - place.at);
                byte..byte + 1
            }
            None => 0..0,
        }
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

impl Escapes {
    /// What an escape begins with.
    fn mark(self) -> Option<u8> {
        match self {
            Self::None => None,
            Self::Percent => Some(b'%'),
            Self::Backslash => Some(b'\\'),
            Self::Entity => Some(b'&'),
        }
    }

    /// What the escape says with which `text` begins, and how long it is. One that is broken off says nothing.
    fn undone(self, text: &[u8]) -> Option<(Vec<u8>, usize)> {
        if text.first().copied() != self.mark() {
            return None;
        }
        match self {
            Self::None => None,
            Self::Percent => percent(text),
            Self::Backslash => backslash(text),
            Self::Entity => entity(text),
        }
    }
}

fn percent(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    match text {
        [_, b'u', ..] => digits(text, 2, 4).map(|(unit, length)| (utf8(unit), length)),
        _ => digits(text, 1, 2).map(|(byte, length)| (byte.to_le_bytes()[..1].to_vec(), length)),
    }
    .or_else(|| broken_off(text, 6))
}

fn backslash(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let byte = |byte: u32, length| (byte.to_le_bytes()[..1].to_vec(), length);
    let undone = match text {
        [_, b'u', b'{', ..] => {
            let end = text.iter().take(11).position(|byte| *byte == b'}')?;
            let hex = std::str::from_utf8(text.get(3..end)?).ok()?;
            Some((utf8(u32::from_str_radix(hex, 16).ok()?), end + 1))
        }
        [_, b'u', ..] => unit(text),
        [_, b'x', ..] => digits(text, 2, 2).map(|(value, length)| byte(value, length)),
        [_, a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            let value = [a, b, c].iter().fold(0, |value, digit| value * 8 + u32::from(**digit - b'0'));
            Some(byte(value, 4))
        }
        [_, b'n', ..] => Some((b"\n".to_vec(), 2)),
        [_, b'r', ..] => Some((b"\r".to_vec(), 2)),
        [_, b't', ..] => Some((b"\t".to_vec(), 2)),
        [_, other, ..] if !other.is_ascii_alphanumeric() => Some((vec![*other], 2)),
        _ => None,
    };
    undone.or_else(|| broken_off(text, 10))
}

/// `\u00e9`, or two of them for what is beyond 16 bits.
fn unit(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (first, length) = digits(text, 2, 4)?;
    let second =
        text.get(length..).filter(|rest| rest.starts_with(b"\\u")).and_then(|rest| digits(rest, 2, 4));
    match second {
        Some((second @ 0xdc00..0xe000, more)) if (0xd800..0xdc00).contains(&first) => {
            Some((utf8(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)), length + more))
        }
        _ => Some((utf8(first), length)),
    }
}

fn entity(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let Some(end) = text.iter().take(11).position(|byte| *byte == b';') else { return broken_off(text, 10) };
    let name = std::str::from_utf8(text.get(1..end)?).ok()?;
    let said = match name.as_bytes() {
        b"amp" => b"&".to_vec(),
        b"lt" => b"<".to_vec(),
        b"gt" => b">".to_vec(),
        b"quot" => b"\"".to_vec(),
        b"apos" => b"'".to_vec(),
        [b'#', b'x' | b'X', ..] => utf8(u32::from_str_radix(&name[2..], 16).ok()?),
        [b'#', ..] => utf8(name[1..].parse().ok()?),
        _ => return None,
    };
    Some((said, end + 1))
}

/// `count` hexadecimal digits behind the first `skip` bytes; their value, and how long that is in all.
fn digits(text: &[u8], skip: usize, count: usize) -> Option<(u32, usize)> {
    let digits = text.get(skip..skip + count)?;
    let digit = |value: u32, byte: &u8| Some(value * 16 + char::from(*byte).to_digit(16)?);
    Some((digits.iter().try_fold(0, digit)?, skip + count))
}

/// Nothing, for an escape that the text ends in. No escape is longer than `longest`.
fn broken_off(text: &[u8], longest: usize) -> Option<(Vec<u8>, usize)> {
    let rest = text.get(1..).unwrap_or_default();
    let may_go_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'{');
    (text.len() < longest && rest.iter().all(may_go_on)).then(|| (Vec::new(), text.len()))
}

/// Half of a pair is no character.
fn utf8(character: u32) -> Vec<u8> {
    let character = char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER);
    character.encode_utf8(&mut [0; 4]).as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of all readings those that differ from one another.
    fn readings(text: &str) -> Vec<String> {
        let mut all: Vec<String> = Reading::all(text.as_bytes())
            .map(|reading| String::from_utf8_lossy(&reading.bytes).into())
            .collect();
        all.dedup();
        all
    }

    #[test]
    fn every_escape_is_undone() {
        for (text, reads) in [
            ("a%3Ab%3ac%u00e9", "a:b:cé"),
            (r"\u003a\u003A\u00e9\ud83d\ude00", "::é😀"),
            (r"\x3a\072\u{3a}\:\\", r"::::\"),
            ("&#58;&#x3a;&#X3A;&amp;&lt;&gt;&quot;&apos;", ":::&<>\"'"),
            (r"C:\users \q 100% a & b &c;", ""),
        ] {
            let expected = if reads.is_empty() { text } else { reads };
            assert_eq!(readings(text).first().map(String::as_str), Some(expected));
        }
    }

    #[test]
    fn lines_are_joined_and_their_indentation_goes() {
        assert_eq!(readings("ab\r\n   cd\n\nef"), ["abcdef"]);
        assert_eq!(readings(r"ab\r\n\tcd"), ["ab\r\n\tcd", "abcd"]);
        assert_eq!(readings("ab cd"), Vec::<String>::new());
    }

    #[test]
    fn what_was_escaped_may_have_been_escaped_before() {
        for text in
            [r#"p\\u0026\"\n  q"#, r#"p\u0026\\\"\\n  q"#, "p&amp;\\&quot;\\n  q", "p%26%5C%22%5cn  q"]
        {
            assert!(readings(text).contains(&"p&\"q".to_owned()), "{text}: {:?}", readings(text));
        }
    }

    #[test]
    fn what_is_broken_off_says_nothing() {
        for text in ["ab%", "ab%3", "ab\\", "ab\\u00", "ab&", "ab&#x3"] {
            assert_eq!(readings(text), ["ab"], "{text}");
        }
    }

    #[test]
    fn a_part_is_found_in_the_source() {
        let source = br#"x "p\u0026\"\n  q" y"#;
        for (part, stands) in
            [(&b"p&"[..], &br"p\u0026"[..]), (b"&\"q", br#"\u0026\"\n  q"#), (b"q\" y", b"q\" y")]
        {
            let found = Reading::all(source).find_map(|reading| {
                let at = reading.bytes.windows(part.len()).position(|window| window == part)?;
                Some(reading.source(at..at + part.len()))
            });
            assert_eq!(&source[found.unwrap()], stands);
        }
    }

    proptest! {
        #[test]
        fn every_byte_comes_from_somewhere(text in r#"[a-f0-9%&#;x\\ux{}"\r\n é]{0,40}"#) {
            for reading in Reading::all(text.as_bytes()) {
                let mut end = 0;
                for at in 0..reading.bytes.len() {
                    let source = reading.source(at..at + 1);
                    prop_assert!(source.start < source.end && source.end <= text.len());
                    prop_assert!(source.end >= end);
                    end = source.end;
                }
            }
        }
    }
}
