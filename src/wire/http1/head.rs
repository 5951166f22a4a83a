//! A head, up to its empty line, however it is cut.

/// Longest head that is read, in bytes. MESH's have a few hundred.
pub const HEAD_LIMIT: usize = 256 * 1024;

/// Gathers a head.
#[derive(Debug, Default)]
pub struct HeadReader {
    bytes: Vec<u8>,
}

/// What the next bytes were to a head.
#[derive(Debug, PartialEq, Eq)]
pub enum HeadStep {
    /// This many bytes of empty lines before it: to be passed over (RFC 9112 §2.2).
    Blank(usize),
    /// All of them belong to it, and it goes on.
    More,
    /// This many bytes belong to it, and with them it ends.
    End(usize),
    /// It is longer than any head that is read. This many bytes were still taken.
    TooLong(usize),
}

impl HeadReader {
    /// Takes the next bytes, of which there must be some.
    pub fn take(&mut self, bytes: &[u8]) -> HeadStep {
        if self.bytes.is_empty() {
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank > 0 {
                return HeadStep::Blank(blank);
            }
        }
        let before = self.bytes.len();
        let room = HEAD_LIMIT.saturating_sub(before).min(bytes.len());
        self.bytes.extend(bytes.iter().take(room));
        if let Some(end) = self.end(before) {
            self.bytes.truncate(end);
            return HeadStep::End(end.saturating_sub(before));
        }
        if room < bytes.len() { HeadStep::TooLong(room) } else { HeadStep::More }
    }

    /// What was gathered so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the empty line ends, if it does beyond what was there `before`. A line may end with a
    /// line feed alone (RFC 9112 §2.2).
    fn end(&self, before: usize) -> Option<usize> {
        let fresh = self.bytes.get(before..)?;
        fresh.iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(at, _)| {
            let end = before + at;
            let line = self.bytes.get(..end)?;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            (line.is_empty() || line.ends_with(b"\n")).then_some(end + 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &[u8] = b"GET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n";
    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nA: b\r\n\r\n";

    #[test]
    fn a_head_ends_at_the_empty_line_however_it_is_cut() {
        for cut in 1..WIRE.len() {
            let mut reader = HeadReader::default();
            let (first, second) = WIRE.split_at(cut);
            if cut >= HEAD.len() {
                assert_eq!(reader.take(first), HeadStep::End(HEAD.len()), "cut at {cut}");
            } else {
                assert_eq!(reader.take(first), HeadStep::More, "cut at {cut}");
                assert_eq!(reader.take(second), HeadStep::End(HEAD.len() - cut), "cut at {cut}");
            }
            assert_eq!(reader.bytes(), HEAD);
        }
    }

    #[test]
    fn lines_may_end_with_a_line_feed_alone() {
        let mut reader = HeadReader::default();
        assert_eq!(reader.take(b"GET / HTTP/1.1\nA: b\n\nX"), HeadStep::End(21));
        let mut mixed = HeadReader::default();
        assert_eq!(mixed.take(b"GET / HTTP/1.1\nA: b\n\r\nX"), HeadStep::End(22));
    }

    #[test]
    fn empty_lines_before_a_head_are_not_of_it() {
        let mut reader = HeadReader::default();
        assert_eq!(reader.take(b"\r\n\r\nGET"), HeadStep::Blank(4));
        assert_eq!(reader.take(b"GET"), HeadStep::More);
        assert_eq!(reader.bytes(), b"GET");
    }

    #[test]
    fn an_endless_head_is_given_up() {
        let mut reader = HeadReader::default();
        let piece = vec![b'x'; HEAD_LIMIT - 1];
        assert_eq!(reader.take(&piece), HeadStep::More);
        assert_eq!(reader.take(b"xx"), HeadStep::TooLong(1));
        assert_eq!(reader.bytes().len(), HEAD_LIMIT);
    }
}
