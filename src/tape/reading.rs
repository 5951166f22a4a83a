//! Text as it reads once every way of writing it down is undone, and where each byte of it came from: a secret is
//! written in as many ways as there are programs, and reads the same in all of them.

use std::ops::Range;

/// A text with its escapes undone, its lines joined, and without backslashes, of which there are more the oftener it
/// was escaped. Two texts that are the same but for how they were written down read the same.
///
/// Escapes are those of URLs and forms (`%3A`), of JSON, shells, and programs that print what they hold (`\u003a`, `\x3a`,
/// `\072`, `\"`), and of XML (`&#58;`, `&amp;`), also where what was escaped is escaped again.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What it says.
    pub bytes: Vec<u8>,
    places: Vec<Place>,
    source_length: usize,
}

/// From here on, up to the next place, bytes are as they were, or all come from one escape.
#[derive(Debug)]
struct Place {
    at: usize,
    source: usize,
    is_escape: bool,
}

/// What an escape says, and how long it is.
type Undone = (Said, usize);

#[derive(Debug, Clone, Copy)]
enum Said {
    Nothing,
    Byte(u8),
    Character(char),
}

impl Reading {
    /// The reading of a text; `None` when that is the text itself.
    pub fn of(source: &[u8]) -> Option<Self> {
        Self::undone(source, false)
    }

    /// The same for what was broken off: an escape that it breaks off in says nothing.
    pub fn of_beginning(source: &[u8]) -> Option<Self> {
        Self::undone(source, true)
    }

    fn undone(source: &[u8], is_cut: bool) -> Option<Self> {
        let is_special = |byte: &u8| matches!(byte, b'%' | b'\\' | b'&' | b'\n' | b'\r');
        let mut plain = source.iter().position(is_special)?;
        let mut reading = Self { source_length: source.len(), ..Self::default() };
        reading.bytes.reserve(source.len());
        let mut at = 0;
        loop {
            if plain > 0 {
                reading.note(at, false);
                reading.bytes.extend_from_slice(&source[at..at + plain]);
                at += plain;
            }
            let Some(first) = source.get(at) else { return Some(reading) };
            let rest = &source[at..];
            let undone = match first {
                b'%' => percent(rest),
                b'\\' => backslash(rest),
                b'&' => entity(rest),
                _ => Some((Said::Byte(*first), 1)),
            };
            let broken_off = || (is_cut && is_broken_off(rest)).then_some((Said::Nothing, rest.len()));
            let (said, length) = undone.or_else(broken_off).unwrap_or((Said::Byte(*first), 1));
            reading.note(at, length > 1);
            at += length;
            match said {
                // A line goes on behind the blanks with which the next one begins.
                Said::Byte(b'\n' | b'\r') => at += blanks(&source[at..]),
                Said::Nothing | Said::Byte(b'\\') => {}
                Said::Byte(byte) => reading.bytes.push(byte),
                Said::Character(character) => {
                    reading.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            plain = source[at..].iter().position(is_special).unwrap_or(source.len() - at);
        }
    }

    fn note(&mut self, source: usize, is_escape: bool) {
        self.places.push(Place { at: self.bytes.len(), source, is_escape });
    }

    /// Where that part of the reading stands in the source.
    pub fn source(&self, part: Range<usize>) -> Range<usize> {
        let start = self.source_of(part.start).start;
        let end = part.end.checked_sub(1).map_or(start, |last| self.source_of(last).end);
        start..end.max(start)
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

/// How many bytes of blanks come first, tabs that are escaped among them.
fn blanks(text: &[u8]) -> usize {
    let mut length = 0;
    loop {
        length += match &text[length..] {
            [b' ' | b'\t', ..] => 1,
            [b'\\', b't', ..] => 2,
            _ => return length,
        };
    }
}

fn percent(text: &[u8]) -> Option<Undone> {
    // Escaped again, `%` is `%25`.
    let again = text[1..].chunks_exact(2).take_while(|digits| *digits == b"25").count() * 2;
    let undone = |skip: usize| {
        digits(text, 1 + skip, 2)
            .and_then(|(byte, length)| Some((Said::Byte(u8::try_from(byte).ok()?), length)))
    };
    match text.get(1 + again) {
        Some(b'u') if again == 0 => digits(text, 2, 4).map(|(unit, length)| (character(unit), length)),
        _ => undone(again).or_else(|| undone(0)),
    }
}

/// Of several backslashes the last one begins the escape. Whatever else is escaped by one stands for itself.
fn backslash(text: &[u8]) -> Option<Undone> {
    let before = text.iter().take_while(|byte| **byte == b'\\').count() - 1;
    let text = &text[before..];
    let byte = |(byte, length): (u32, usize)| Some((Said::Byte(u8::try_from(byte).ok()?), length));
    let undone = match text {
        [_, b'u', b'{', ..] => braced(text),
        [_, b'u', ..] => unit(text),
        [_, b'x', ..] => digits(text, 2, 2).and_then(byte),
        [_, a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            byte(([a, b, c].iter().fold(0, |value, digit| value * 8 + u32::from(**digit - b'0')), 4))
        }
        [_, b'n', ..] => Some((Said::Byte(b'\n'), 2)),
        [_, b'r', ..] => Some((Said::Byte(b'\r'), 2)),
        [_, b't', ..] => Some((Said::Byte(b'\t'), 2)),
        _ => None,
    };
    undone.map(|(said, length)| (said, before + length))
}

/// `\u{e9}`.
fn braced(text: &[u8]) -> Option<Undone> {
    let end = text.iter().take(11).position(|byte| *byte == b'}')?;
    let hex = std::str::from_utf8(text.get(3..end)?).ok()?;
    Some((character(u32::from_str_radix(hex, 16).ok()?), end + 1))
}

/// `\u00e9`, or two of them, with as many backslashes, for what is beyond 16 bits.
fn unit(text: &[u8]) -> Option<Undone> {
    let (first, length) = digits(text, 2, 4)?;
    let rest = &text[length..];
    let slashes = rest.iter().take_while(|byte| **byte == b'\\').count();
    let second = rest.get(slashes).filter(|byte| slashes > 0 && **byte == b'u');
    match second.and_then(|_| digits(rest, slashes + 1, 4)) {
        Some((second @ 0xdc00..0xe000, more)) if (0xd800..0xdc00).contains(&first) => {
            Some((character(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)), length + more))
        }
        _ => Some((character(first), length)),
    }
}

fn entity(text: &[u8]) -> Option<Undone> {
    // Escaped again, `&` is `&amp;`.
    let again = text[1..].chunks_exact(4).take_while(|name| *name == b"amp;").count() * 4;
    let named = |skip: usize| {
        let text = text.get(1 + skip..)?;
        let end = text.iter().take(10).position(|byte| *byte == b';')?;
        let name = std::str::from_utf8(&text[..end]).ok()?;
        let said = match name.as_bytes() {
            b"lt" => Said::Byte(b'<'),
            b"gt" => Said::Byte(b'>'),
            b"quot" => Said::Byte(b'"'),
            b"apos" => Said::Byte(b'\''),
            [b'#', b'x' | b'X', ..] => character(u32::from_str_radix(&name[2..], 16).ok()?),
            [b'#', ..] => character(name[1..].parse().ok()?),
            _ => return None,
        };
        Some((said, 1 + skip + end + 1))
    };
    named(again).or((again > 0).then_some((Said::Byte(b'&'), 1 + again)))
}

/// `count` hexadecimal digits behind the first `skip` bytes; their value, and how long that is in all.
fn digits(text: &[u8], skip: usize, count: usize) -> Option<(u32, usize)> {
    let digits = text.get(skip..skip + count)?;
    let digit = |value: u32, byte: &u8| Some(value * 16 + char::from(*byte).to_digit(16)?);
    Some((digits.iter().try_fold(0, digit)?, skip + count))
}

/// Whether this may be an escape that the text ends in. None is longer than ten bytes.
fn is_broken_off(text: &[u8]) -> bool {
    let may_go_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"\\#{".contains(byte);
    text.len() < 10 && text[1..].iter().all(may_go_on)
}

/// Half of a pair is no character.
fn character(value: u32) -> Said {
    match u8::try_from(value) {
        Ok(byte @ 0..128) => Said::Byte(byte),
        _ => Said::Character(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        match Reading::of(text.as_bytes()) {
            Some(reading) => String::from_utf8_lossy(&reading.bytes).into(),
            None => text.to_owned(),
        }
    }

    #[test]
    fn every_escape_is_undone() {
        for (text, reads) in [
            ("a%3Ab%3ac%u00e9", "a:b:cé"),
            (r"\u003a\u003A\u00e9\ud83d\ude00", "::é😀"),
            (r"\x3a\072\u{3a}\:", "::::"),
            ("&#58;&#x3a;&#X3A;&amp;&lt;&gt;&quot;&apos;", ":::&<>\"'"),
            (r"C:\users \q 100% a & b &c;", "C:users q 100% a & b &c;"),
            ("ab cd", "ab cd"),
        ] {
            assert_eq!(read(text), reads, "{text}");
        }
    }

    #[test]
    fn escapes_that_are_escaped_again_are_undone() {
        for text in [
            r#"p\u0026\"\n  q"#,
            r#"p\\u0026\\\"\\n  q"#,
            "p&amp;\\&quot;\\n  q",
            "p&amp;amp;&amp;quot;q",
            "p&amp;#38;&#34;q",
            "p%26%5C%22%5cn  q",
            "p%2526%252522q",
        ] {
            assert_eq!(read(text).replace("n  ", ""), "p&\"q", "{text}");
        }
        assert_eq!(read(r"\\ud83d\\ude00"), "😀");
    }

    #[test]
    fn lines_are_joined_and_their_indentation_goes() {
        assert_eq!(read("ab\r\n   cd\n\nef"), "abcdef");
        assert_eq!(read(r"ab\r\n\tcd"), "abcd");
    }

    #[test]
    fn what_is_broken_off_says_nothing() {
        for text in ["ab%", "ab%3", "ab\\", "ab\\u00", "ab&", "ab&#x3"] {
            assert_eq!(Reading::of_beginning(text.as_bytes()).unwrap().bytes, b"ab", "{text}");
            assert_eq!(read(text), text.replace('\\', ""), "{text}");
        }
    }

    #[test]
    fn a_part_is_found_in_the_source() {
        let source = br#"x "p\u0026\"\n  q" y"#;
        let nested = br#"x "p\\u0026\\\"\\n  q" y"#;
        for (source, part, stands) in [
            (&source[..], &b"p&"[..], &br"p\u0026"[..]),
            (source, b"&\"q", br#"\u0026\"\n  q"#),
            (source, b"q\" y", b"q\" y"),
            (nested, b"&\"q", br#"\\u0026\\\"\\n  q"#),
        ] {
            let reading = Reading::of(source).unwrap();
            let at = reading.bytes.windows(part.len()).position(|window| window == part).unwrap();
            assert_eq!(&source[reading.source(at..at + part.len())], stands);
        }
    }

    proptest! {
        #[test]
        fn every_byte_comes_from_somewhere(text in r#"[a-f0-9%&#;x\\ux{}"\r\n é]{0,40}"#) {
            let reading = Reading::of(text.as_bytes()).unwrap_or_default();
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
