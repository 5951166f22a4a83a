//! A body, however it is delimited and cut.

use super::Framing;

/// Longest line of a chunked body that is read, in bytes: a size with its extensions, or a trailer.
const LINE_LIMIT: usize = 16 * 1024;

/// Follows a body to its end.
#[derive(Debug)]
pub enum BodyReader {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

/// What the next bytes were to a body.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyStep {
    /// This many bytes of content.
    Content(usize),
    /// This many bytes that delimit content.
    Framing(usize),
    /// This is no body that can be read, and why.
    Malformed(&'static str),
}

/// Where in a chunked body.
#[derive(Debug)]
pub enum Chunks {
    /// In the line with a chunk's size: the number so far, and how far the line is.
    Size { size: Option<u64>, state: SizeLine, length: usize },
    /// In a chunk with this much left.
    Data(u64),
    /// In the line end after a chunk; `true` after its carriage return.
    DataEnd(bool),
    /// In the trailers: bytes of this line so far, without its end, and of all lines.
    Trailer { line: usize, length: usize },
    /// After the last byte.
    End,
}

/// Where in the line with a chunk's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeLine {
    Digits,
    /// Blanks after the digits, or an extension.
    Extension,
    /// After the carriage return.
    Ending,
}

impl BodyReader {
    /// A reader for a body; `None` when nobody can tell how long it is.
    pub fn new(framing: Framing) -> Option<Self> {
        match framing {
            Framing::Length(length) => Some(Self::Length(length)),
            Framing::Chunked => Some(Self::Chunked(Chunks::start())),
            Framing::UntilClose => Some(Self::UntilClose),
            Framing::Unknown(_) => None,
        }
    }

    /// Whether the body is whole.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunks::End))
    }

    /// Takes the next bytes, of which there must be some, of a body that has not ended.
    pub fn take(&mut self, bytes: &[u8]) -> BodyStep {
        match self {
            Self::Length(left) => BodyStep::Content(take_of(left, bytes)),
            Self::UntilClose => BodyStep::Content(bytes.len()),
            Self::Chunked(Chunks::Data(left)) => {
                let content = take_of(left, bytes);
                if *left == 0 {
                    *self = Self::Chunked(Chunks::DataEnd(false));
                }
                BodyStep::Content(content)
            }
            Self::Chunked(chunks) => chunks.framing(bytes),
        }
    }
}

fn take_of(left: &mut u64, bytes: &[u8]) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    *left -= taken as u64;
    taken
}

impl Chunks {
    fn start() -> Self {
        Self::Size { size: None, state: SizeLine::Digits, length: 0 }
    }

    /// Reads what delimits, up to the next content or to the end.
    fn framing(&mut self, bytes: &[u8]) -> BodyStep {
        for (at, byte) in bytes.iter().enumerate() {
            if let Err(why) = self.byte(*byte) {
                return BodyStep::Malformed(why);
            }
            if matches!(self, Self::Data(_) | Self::End) {
                return BodyStep::Framing(at + 1);
            }
        }
        BodyStep::Framing(bytes.len())
    }

    fn byte(&mut self, byte: u8) -> Result<(), &'static str> {
        match self {
            Self::Size { size, state, length } => {
                *length += 1;
                if *length > LINE_LIMIT {
                    return Err("the line with a chunk's size is too long");
                }
                match (*state, byte) {
                    (SizeLine::Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                        let digit = u64::from(char::from(byte).to_digit(16).unwrap_or_default());
                        let more =
                            size.unwrap_or_default().checked_mul(16).and_then(|size| size.checked_add(digit));
                        *size = Some(more.ok_or("a chunk's size is too large")?);
                    }
                    (SizeLine::Digits | SizeLine::Extension, b'\r') => *state = SizeLine::Ending,
                    (_, b'\n') => *self = Self::after_size(*size)?,
                    (SizeLine::Digits, b' ' | b'\t' | b';') if size.is_some() => *state = SizeLine::Extension,
                    (SizeLine::Extension, _) => {}
                    _ => return Err("a chunk's size is malformed"),
                }
            }
            Self::DataEnd(returned) => match (*returned, byte) {
                (false, b'\r') => *returned = true,
                (_, b'\n') => *self = Self::start(),
                _ => return Err("a chunk is longer than its size"),
            },
            Self::Trailer { line, length } => {
                *length += 1;
                if *length > LINE_LIMIT {
                    return Err("the trailers are too long");
                }
                match byte {
                    b'\n' if *line == 0 => *self = Self::End,
                    b'\n' => *line = 0,
                    b'\r' => {}
                    _ => *line += 1,
                }
            }
            // Content is not framing, and after the end there is nothing.
            Self::Data(_) | Self::End => {}
        }
        Ok(())
    }

    fn after_size(size: Option<u64>) -> Result<Self, &'static str> {
        match size {
            None => Err("a chunk has no size"),
            Some(0) => Ok(Self::Trailer { line: 0, length: 0 }),
            Some(size) => Ok(Self::Data(size)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The content of a chunked body, cut in pieces of this size, and what was left over.
    fn read(wire: &[u8], cut: usize) -> Result<(Vec<u8>, usize), &'static str> {
        let mut reader = BodyReader::new(Framing::Chunked).unwrap();
        let mut content = Vec::new();
        let mut used = 0;
        for piece in wire.chunks(cut) {
            let mut rest = piece;
            while !rest.is_empty() && !reader.is_ended() {
                let taken = match reader.take(rest) {
                    BodyStep::Content(taken) => {
                        content.extend_from_slice(&rest[..taken]);
                        taken
                    }
                    BodyStep::Framing(taken) => taken,
                    BodyStep::Malformed(why) => return Err(why),
                };
                used += taken;
                rest = &rest[taken..];
            }
        }
        assert!(reader.is_ended(), "not ended after {used}");
        Ok((content, wire.len() - used))
    }

    #[test]
    fn chunks_are_read_however_they_are_cut() {
        let wire = b"5\r\nhello\r\n00A ; ext=\"a;b\"\r\n, world!!!\r\n0\r\nX-T: y\r\nZ:\r\n\r\nNEXT";
        for cut in 1..wire.len() {
            assert_eq!(read(wire, cut), Ok((b"hello, world!!!".to_vec(), 4)), "cut {cut}");
        }
    }

    #[test]
    fn line_feeds_alone_end_lines_too() {
        assert_eq!(read(b"3\nabc\n0\n\nrest", 1), Ok((b"abc".to_vec(), 4)));
    }

    #[test]
    fn what_is_not_chunked_is_said_to_be_so() {
        for wire in [
            &b"x\r\n"[..],
            b"\r\n",
            b";ext\r\n",
            b"-1\r\n",
            b"3 4\r\nabcX",
            b"3\r\nabcd\r\n",
            b"3\r\nabc\rX",
            b"5\rX",
            b"11111111111111111\r\n",
        ] {
            assert!(read(wire, 1).is_err(), "{}", String::from_utf8_lossy(wire));
        }
        let long = [b"1;".to_vec(), vec![b'x'; LINE_LIMIT]].concat();
        assert!(read(&long, 1000).is_err());
        let trailers = [b"0\r\n".to_vec(), b"a: b\r\n".repeat(LINE_LIMIT / 6 + 1)].concat();
        assert!(read(&trailers, 1000).is_err());
    }
}
