//! Request and response heads, read leniently from the bytes on the wire, so that what is recorded
//! is what was there, order, case and oddities included.

use serde::{Deserialize, Serialize};

/// A header as it stood on the wire. Printable: control characters and invalid UTF-8 are escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The name, in the case in which it was sent.
    pub name: String,
    /// The value, without surrounding blanks.
    pub value: String,
}

/// Request line and headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// Method.
    pub method: String,
    /// Target: path and query.
    pub target: String,
    /// `HTTP/1.1`.
    pub version: String,
    /// In the order of the wire.
    pub headers: Vec<Header>,
    /// Size on the wire in bytes, with the empty line.
    pub size: usize,
}

/// Status line and headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseHead {
    /// `HTTP/1.1`.
    pub version: String,
    /// Status code; 0 when the line could not be read.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// In the order of the wire.
    pub headers: Vec<Header>,
    /// Size on the wire in bytes, with the empty line.
    pub size: usize,
}

impl RequestHead {
    /// Reads a head. Never fails: what cannot be read stays empty.
    #[must_use]
    pub fn read(raw: &[u8]) -> Self {
        let (line, headers) = split(raw);
        let mut words = line.splitn(3, ' ').map(str::to_owned);
        let mut next = || words.next().unwrap_or_default();
        Self { method: next(), target: next(), version: next(), headers, size: raw.len() }
    }

    /// The request line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {} {}", self.method, self.target, self.version)
    }

    /// The first value of a header, name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl ResponseHead {
    /// Reads a head. Never fails: what cannot be read stays empty.
    #[must_use]
    pub fn read(raw: &[u8]) -> Self {
        let (line, headers) = split(raw);
        let mut words = line.splitn(3, ' ');
        let version = words.next().unwrap_or_default().to_owned();
        let status = words.next().and_then(|code| code.parse().ok()).unwrap_or(0);
        let reason = words.next().unwrap_or_default().to_owned();
        Self { version, status, reason, headers, size: raw.len() }
    }

    /// The status line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {} {}", self.version, self.status, self.reason).trim_end().to_owned()
    }

    /// The first value of a header, name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}

fn split(raw: &[u8]) -> (String, Vec<Header>) {
    let mut lines = raw.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = printable(lines.next().unwrap_or_default());
    let headers = lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
            Header { name: printable(&line[..colon]), value: printable(value) }
        })
        .collect();
    (first, headers)
}

/// Text that is safe to show anywhere: control characters become `\u{1b}`, bytes that are not
/// UTF-8 become `\xff`, everything else, tabs included, stays.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    push_printable(&mut shown, bytes);
    shown
}

/// The same, behind other text.
pub fn push_printable(shown: &mut String, bytes: &[u8]) {
    // Nearly always so, and then there is nothing to look for.
    let is_safe = bytes.iter().fold(true, |safe, byte| safe & matches!(byte, b' '..=b'~'));
    if let Some(safe) = str::from_utf8(bytes).ok().filter(|_| is_safe) {
        return shown.push_str(safe);
    }
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\t' => shown.push('\t'),
                _ if is_unsafe(character) => shown.extend(character.escape_unicode()),
                _ => shown.push(character),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
}

/// Control characters, and those that reorder or hide text around them (Unicode's bidirectional
/// controls, zero-width characters, noncharacters), with which a header could make a report lie.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_head_keeps_case_and_order() {
        let head = RequestHead::read(
            b"POST /messageexchange/A/outbox HTTP/1.1\r\nMex-To: B\r\nX:  y \r\nmex-to: C\r\n\r\n",
        );
        assert_eq!(head.line(), "POST /messageexchange/A/outbox HTTP/1.1");
        let names: Vec<&str> = head.headers.iter().map(|header| header.name.as_str()).collect();
        assert_eq!(names, ["Mex-To", "X", "mex-to"]);
        assert_eq!(head.header("MEX-TO"), Some("B"));
        assert_eq!(head.header("x"), Some("y"));
    }

    #[test]
    fn a_response_head_is_read_with_and_without_a_reason() {
        let head = ResponseHead::read(b"HTTP/1.1 417 Expectation Failed\r\nA: b\r\n\r\n");
        assert_eq!((head.status, head.line().as_str()), (417, "HTTP/1.1 417 Expectation Failed"));
        assert_eq!(ResponseHead::read(b"HTTP/1.1 200\r\n\r\n").line(), "HTTP/1.1 200");
    }

    #[test]
    fn hostile_bytes_are_shown_escaped() {
        assert_eq!(printable(b"a\x1b[31m\x00\xff"), "a\\u{1b}[31m\\u{0}\\xff");
        assert_eq!(printable("\u{202e}evil".as_bytes()), "\\u{202e}evil");
        assert_eq!(printable("grün €".as_bytes()), "grün €");
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
            let request = RequestHead::read(&raw);
            prop_assert!(!request.line().contains(|c: char| c.is_control() && c != '\t'));
            let _ = ResponseHead::read(&raw);
        }
    }
}
