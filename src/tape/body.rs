//! Bodies as they pass: counted and digested whole, kept only when small.

use std::{
    fmt,
    io::{self, Write},
};

use aws_lc_rs::digest;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use super::{Redactor, form, printable};

/// How much of a (decoded) body is kept, in bytes: enough for the longest inbox page, 5000 messages.
/// Beyond it digest and size must do.
pub const KEPT_BYTES: usize = 256 * 1024;

/// A SHA-256 digest; displayed in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish().1
    }

    /// A digest that was computed piece by piece. It must be a SHA-256.
    #[must_use]
    pub fn from_digest(digest: digest::Digest) -> Self {
        let mut sha256 = [0; 32];
        for (to, from) in sha256.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(sha256)
    }
}

/// A body that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyRecord {
    /// Size on the wire in bytes, without transfer coding.
    pub size: u64,
    /// Digest of the bytes on the wire, without transfer coding.
    pub sha256: Sha256,
    /// What a gzip body holds. `None` when it does not say that it is compressed.
    pub decoded: Option<Decoded>,
    /// What its bytes are as gzip, where [`BodyRecord::decoded`] does not tell: what a whole gzip holds that says
    /// nothing of it, as in the OpenAPI's own example of "Send chunked message"; [`Decoded::Broken`] where it begins
    /// as gzip does and has no end, whatever it says. `None` for all else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_as_gzip: Option<Decoded>,
    /// The content, decoded and without secrets, when it is at most [`KEPT_BYTES`] long.
    #[serde(with = "form::base64")]
    pub kept: Option<Bytes>,
}

/// How every gzip begins: two bytes that name it, and deflate, the one method that there is (RFC 1952, 2.3.1).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// The content of a compressed body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decoded {
    /// It was whole and sound.
    Whole {
        /// Size in bytes.
        size: u64,
        /// Digest.
        sha256: Sha256,
    },
    /// It said it was gzip, and was not, or broke off.
    Broken,
}

impl BodyRecord {
    /// The record of no body at all.
    #[must_use]
    pub fn empty() -> Self {
        Self { kept: Some(Bytes::new()), ..Self::unknown(0) }
    }

    /// The record of a body of which nothing is known but how long it was.
    #[must_use]
    pub fn unknown(size: u64) -> Self {
        Self { size, sha256: Sha256::of(b""), decoded: None, seen_as_gzip: None, kept: None }
    }

    /// Whether it begins as gzip does and breaks off: the first part of a gzip that was split.
    #[must_use]
    pub fn is_begun_gzip(&self) -> bool {
        self.seen_as_gzip == Some(Decoded::Broken)
    }

    /// Digest of the content: decoded where it was compressed. `None` when it could not be decoded.
    #[must_use]
    pub fn content_sha256(&self) -> Option<Sha256> {
        match &self.decoded {
            None => Some(self.sha256),
            Some(Decoded::Whole { sha256, .. }) => Some(*sha256),
            Some(Decoded::Broken) => None,
        }
    }

    /// The digest by which bodies are compared: what was compressed anew has the same content, and other bytes on the
    /// wire. Of the bytes where the content could not be decoded.
    #[must_use]
    pub fn sha256_to_compare(&self) -> Sha256 {
        self.content_sha256().unwrap_or(self.sha256)
    }

    /// Size of the content: decoded where it was compressed. `None` when it could not be decoded.
    #[must_use]
    pub fn content_size(&self) -> Option<u64> {
        match &self.decoded {
            None => Some(self.size),
            Some(Decoded::Whole { size, .. }) => Some(*size),
            Some(Decoded::Broken) => None,
        }
    }

    /// The content as text, when it was kept and is text; control characters and the like are escaped.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let kept = self.kept.as_ref().filter(|kept| !kept.is_empty())?;
        let text = std::str::from_utf8(kept).ok()?;
        let odd = text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')).count();
        let is_text = odd * 20 <= text.chars().count();
        is_text.then(|| {
            text.split('\n')
                .map(|line| printable(line.trim_end_matches('\r').as_bytes()))
                .collect::<Vec<_>>()
                .join("\n")
        })
    }
}

/// Watches a body pass. Holds at most [`KEPT_BYTES`] of it, whatever its size.
pub struct BodyRecorder {
    wire: Hasher,
    content: Content,
    look: Look,
}

enum Content {
    Plain(Keeper),
    Gzip(Box<MultiGzDecoder<ContentSink>>),
    Broken,
}

impl BodyRecorder {
    /// A recorder for a body that is (`gzip`) or is not compressed.
    #[must_use]
    pub fn new(gzip: bool) -> Self {
        let content = if gzip {
            Content::Gzip(Box::new(MultiGzDecoder::new(ContentSink {
                hasher: Hasher::new(),
                keeper: Keeper::default(),
            })))
        } else {
            Content::Plain(Keeper::default())
        };
        Self { wire: Hasher::new(), content, look: Look::First(Vec::new()) }
    }

    /// Takes note of the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.wire.update(bytes);
        self.look.update(bytes, matches!(self.content, Content::Plain(_)));
        match &mut self.content {
            Content::Plain(keeper) => keeper.update(bytes),
            Content::Gzip(decoder) => {
                if decoder.write_all(bytes).is_err() {
                    self.content = Content::Broken;
                }
            }
            Content::Broken => {}
        }
    }

    /// The record; what is kept goes through the redactor.
    #[must_use]
    pub fn finish(self, redactor: &Redactor) -> BodyRecord {
        let (size, sha256) = self.wire.finish();
        let (decoded, keeper) = match self.content {
            Content::Plain(keeper) => (None, Some(keeper)),
            Content::Gzip(_) if size == 0 => (None, Some(Keeper::default())),
            Content::Gzip(decoder) => match decoder.finish() {
                Ok(sink) => {
                    let (size, sha256) = sink.hasher.finish();
                    (Some(Decoded::Whole { size, sha256 }), Some(sink.keeper))
                }
                Err(_) => (Some(Decoded::Broken), None),
            },
            Content::Broken => (Some(Decoded::Broken), None),
        };
        let kept = keeper.and_then(Keeper::finish).map(|bytes| redactor.bytes(&bytes).into());
        let is_told = matches!(decoded, Some(Decoded::Whole { .. }));
        let seen_as_gzip = self.look.finish().filter(|_| !is_told);
        BodyRecord { size, sha256, decoded, seen_as_gzip, kept }
    }
}

/// What a body looks like, whatever it says of itself.
enum Look {
    /// Its first bytes, of which more are to come.
    First(Vec<u8>),
    /// It begins as gzip does, and says nothing of it.
    Unsaid(Box<MultiGzDecoder<Hasher>>),
    /// It begins as gzip does; what it holds is found elsewhere, or cannot be.
    Begun,
    /// It is no gzip.
    Other,
}

impl Look {
    fn update(&mut self, bytes: &[u8], unsaid: bool) {
        match self {
            Self::First(first) => {
                let (more, rest) = bytes.split_at(bytes.len().min(GZIP.len() - first.len()));
                first.extend_from_slice(more);
                if first.len() < GZIP.len() {
                    return;
                }
                *self = match (first.as_slice() == GZIP, unsaid) {
                    (true, true) => Self::Unsaid(Box::new(MultiGzDecoder::new(Hasher::new()))),
                    (true, false) => Self::Begun,
                    (false, _) => Self::Other,
                };
                self.decode(&GZIP);
                self.decode(rest);
            }
            Self::Unsaid(_) => self.decode(bytes),
            Self::Begun | Self::Other => {}
        }
    }

    fn decode(&mut self, bytes: &[u8]) {
        if let Self::Unsaid(decoder) = self
            && decoder.write_all(bytes).is_err()
        {
            *self = Self::Begun;
        }
    }

    fn finish(self) -> Option<Decoded> {
        match self {
            Self::First(_) | Self::Other => None,
            Self::Begun => Some(Decoded::Broken),
            Self::Unsaid(decoder) => Some(decoder.finish().map_or(Decoded::Broken, |hasher| {
                let (size, sha256) = hasher.finish();
                Decoded::Whole { size, sha256 }
            })),
        }
    }
}

/// Takes the first bytes and lets go of them all when there are too many.
#[derive(Default)]
struct Keeper {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Keeper {
    fn update(&mut self, bytes: &[u8]) {
        if self.overflowed {
            return;
        }
        if self.bytes.len() + bytes.len() > KEPT_BYTES {
            self.overflowed = true;
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn finish(self) -> Option<Vec<u8>> {
        (!self.overflowed).then_some(self.bytes)
    }
}

struct ContentSink {
    hasher: Hasher,
    keeper: Keeper,
}

impl Write for ContentSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.keeper.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Hasher {
    context: digest::Context,
    size: u64,
}

impl Hasher {
    fn new() -> Self {
        Self { context: digest::Context::new(&digest::SHA256), size: 0 }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.size += bytes.len() as u64;
    }

    fn finish(self) -> (u64, Sha256) {
        (self.size, Sha256::from_digest(self.context.finish()))
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Reads 64 hexadecimal digits.
impl TryFrom<String> for Sha256 {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut sha256 = [0; 32];
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if text.len() != 64 {
            return Err("a SHA-256 has 64 hexadecimal digits");
        }
        for (to, pair) in sha256.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let value = pair.iter().try_fold(0, |value, byte| Some((value << 4) | digit(*byte)?));
            *to = value.ok_or("a SHA-256 has hexadecimal digits only")?;
        }
        Ok(Self(sha256))
    }
}

impl From<Sha256> for String {
    fn from(sha256: Sha256) -> Self {
        sha256.to_string()
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn record(gzip: bool, parts: &[&[u8]]) -> BodyRecord {
        let mut recorder = BodyRecorder::new(gzip);
        parts.iter().for_each(|part| recorder.update(part));
        recorder.finish(&Redactor::default())
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_plain_body_is_digested_and_kept() {
        let body = record(false, &[b"a", b"bc"]);
        assert_eq!(
            body.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!((body.size, body.text().as_deref()), (3, Some("abc")));
        assert_eq!(body.content_sha256(), Some(body.sha256));
    }

    #[test]
    fn a_gzip_body_is_digested_both_ways() {
        let plain = vec![b'x'; 1_000_000];
        let wire = zipped(&plain);
        let body = record(true, &[&wire[..10], &wire[10..]]);
        assert_eq!((body.size, body.sha256), (wire.len() as u64, Sha256::of(&wire)));
        assert_eq!(body.decoded, Some(Decoded::Whole { size: 1_000_000, sha256: Sha256::of(&plain) }));
        assert_eq!(body.kept, None);
    }

    #[test]
    fn what_is_not_gzip_or_breaks_off_is_broken() {
        let wire = zipped(b"hello hello hello hello");
        for parts in [&b"not gzip at all"[..], &wire[..wire.len() - 1], &wire[..12]] {
            let body = record(true, &[parts]);
            assert_eq!(body.decoded, Some(Decoded::Broken), "{parts:?}");
            assert_eq!(body.content_sha256(), None);
        }
    }

    /// As later chunks come that follow the OpenAPI's example of "Send chunked message", and chunks of a file that was
    /// compressed before it was split.
    #[test]
    fn gzip_is_seen_where_it_is_not_declared_and_where_it_breaks_off() {
        let plain = vec![b'x'; 10_000];
        let wire = zipped(&plain);
        let whole = Decoded::Whole { size: 10_000, sha256: Sha256::of(&plain) };
        let (front, back) = wire.split_at(wire.len() / 2);
        for (gzip, parts, seen) in [
            (false, &[&wire[..1], &wire[1..2], &wire[2..]][..], Some(whole)),
            (true, &[&wire[..]], None),
            (false, &[front], Some(Decoded::Broken)),
            (true, &[front], Some(Decoded::Broken)),
            (false, &[&wire, b"and more"], Some(Decoded::Broken)),
            (false, &[back], None),
            (true, &[back], None),
            (true, &[b"plain"], None),
            (false, &[&wire[..2]], None),
            (false, &[], None),
        ] {
            assert_eq!(record(gzip, parts).seen_as_gzip, seen, "{gzip} {parts:?}");
        }
        assert!(record(true, &[front]).is_begun_gzip() && !record(false, &[&wire]).is_begun_gzip());
        assert_eq!(
            record(false, &[&wire]).content_sha256(),
            Some(Sha256::of(&wire)),
            "it says nothing of it"
        );
    }

    #[test]
    fn a_large_body_is_not_kept() {
        let body = record(false, &[&vec![0; KEPT_BYTES], b"1"]);
        assert_eq!((body.kept, body.size), (None, KEPT_BYTES as u64 + 1));
        assert!(record(false, &[&vec![0; KEPT_BYTES]]).kept.is_some());
    }

    #[test]
    fn binary_is_not_text() {
        assert_eq!(record(false, &[&[0, 1, 2, 255]]).text(), None);
        assert_eq!(
            record(false, &[b"line\r\nline\x1b and some more text to outweigh it"]).text().as_deref(),
            Some("line\nline\\u{1b} and some more text to outweigh it")
        );
    }
}
