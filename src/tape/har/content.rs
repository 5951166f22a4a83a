//! Bodies of a HAR: `postData` and `content`.

use std::io::{self, BufReader, Read};

use base64::{engine::general_purpose::STANDARD, read::DecoderReader};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::Value;

use super::{
    form::{lenient, number},
    long::{PLACE, Unfolded},
    source::Source,
};
use crate::tape::{BodyRecord, BodyRecorder, Redactor};

/// How much of a body is held at a time.
const PIECE: usize = 8 << 10;

/// `postData` or `content`. HAR has an encoding for content only; programs write it for both.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Text {
    #[serde(deserialize_with = "said")]
    text: Option<Said>,
    #[serde(deserialize_with = "lenient")]
    encoding: Option<String>,
    #[serde(rename = "_encoding", deserialize_with = "lenient")]
    own_encoding: Option<String>,
    #[serde(deserialize_with = "number")]
    pub size: Option<f64>,
}

/// What a text says.
enum Said {
    Here(String),
    /// It is long, and stands there in the file.
    There {
        start: u64,
        length: u64,
    },
}

fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Said>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(Said::Here(text)),
        Value::Object(object) => object
            .get(PLACE)
            .and_then(|place| <(u64, u64)>::deserialize(place).ok())
            .map(|(start, length)| Said::There { start, length }),
        _ => None,
    })
}

impl Text {
    fn is_base64(&self) -> bool {
        let encoding = self.encoding.as_ref().or(self.own_encoding.as_ref());
        encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"))
    }

    /// The bytes that it stands for, in pieces; `None` when there is no text.
    fn open<'a>(&'a self, source: &'a dyn Source) -> Option<Box<dyn Read + 'a>> {
        let said: Box<dyn Read + 'a> = match self.text.as_ref()? {
            Said::Here(text) if text.is_empty() && self.size != Some(0.0) => return None,
            Said::Here(text) => Box::new(text.as_bytes()),
            Said::There { start, length } => Box::new(Unfolded::new(source.at(*start).take(*length))),
        };
        Some(if self.is_base64() { Box::new(DecoderReader::new(said, &STANDARD)) } else { said })
    }

    /// Whether the bytes are JSON, and all of it.
    fn is_json(&self, source: &dyn Source) -> bool {
        let open = self.open(source).map(BufReader::new);
        open.is_some_and(|bytes| serde_json::from_reader::<_, IgnoredAny>(bytes).is_ok())
    }
}

/// What our own HAR has of a body: never a long one.
pub(super) fn kept(text: Option<&Text>, source: &dyn Source) -> Option<Bytes> {
    let Some(text) = text else { return Some(Bytes::new()) };
    if matches!(text.text, Some(Said::There { .. })) {
        return None;
    }
    let mut bytes = Vec::new();
    text.open(source)?.read_to_end(&mut bytes).ok()?;
    Some(bytes.into())
}

/// The body as far as it is there. `size` is what the HAR says of it. A text that has another size is
/// not the body: programs write binary as text, and cut long bodies short.
///
/// # Errors
/// When a long one cannot be read a second time.
pub(super) fn body(
    text: Option<&Text>,
    size: Option<f64>,
    gzip: bool,
    redactor: &Redactor,
    source: &dyn Source,
) -> io::Result<BodyRecord> {
    let known = size.map(|size| size as u64);
    let passed = match text.and_then(|text| Some((text, text.open(source)?))) {
        Some((text, bytes)) => pass(bytes, gzip, redactor)?.map(|passed| (text, passed)),
        None => None,
    };
    let Some((text, passed)) = passed else {
        // A body that is known to be empty is whole; of any other there is only the size.
        return Ok(match known.unwrap_or_default() {
            0 => BodyRecord { kept: (known == Some(0)).then(Bytes::new), ..BodyRecord::empty() },
            size => BodyRecord::unknown(size),
        });
    };
    let known = known.filter(|known| *known > 0);
    let is_cut = known.is_some_and(|known| known != passed.body.size) && (!gzip || passed.is_gzip);
    let is_lossy = passed.has_replacement && !text.is_base64();
    // JSON that is whole was not cut short, whatever size was noted: some note that before decoding.
    if (is_cut || is_lossy) && !text.is_json(source) {
        return Ok(BodyRecord::unknown(known.unwrap_or(passed.body.size)));
    }
    Ok(passed.body)
}

/// What was seen of a body as it passed.
struct Passed {
    body: BodyRecord,
    /// Whether it begins as gzip does, and is said to be.
    is_gzip: bool,
    /// Whether the sign for bytes that are no text is in it: whatever they were, the text is not the body.
    has_replacement: bool,
}

/// Looks at a body as it passes; `None` when it is not what its encoding says.
fn pass(mut from: impl Read, gzip: bool, redactor: &Redactor) -> io::Result<Option<Passed>> {
    let mut buffer = [0; PIECE];
    let mut beginning = Vec::new();
    let begun = from.by_ref().take(2).read_to_end(&mut beginning);
    let is_gzip = gzip && beginning == b"\x1f\x8b";
    let mut recorder = BodyRecorder::new(is_gzip);
    let mut replacement = Replacement::default();
    let mut look = |bytes: &[u8]| {
        recorder.update(bytes);
        replacement.look(bytes);
    };
    look(&beginning);
    let mut read = begun.map(|_| 1);
    while !matches!(read, Ok(0) | Err(_)) {
        read = from.read(&mut buffer);
        look(&buffer[..read.as_ref().map_or(0, |read| *read)]);
    }
    match read {
        // So the decoder of base64 says that it is none.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
        Ok(_) => Ok(Some(Passed {
            body: recorder.finish(redactor),
            is_gzip,
            has_replacement: replacement.was_seen,
        })),
    }
}

/// Looks for U+FFFD in UTF-8, wherever the text is cut.
#[derive(Default)]
struct Replacement {
    /// How many of its bytes came last.
    matched: usize,
    was_seen: bool,
}

impl Replacement {
    const BYTES: &[u8] = "\u{fffd}".as_bytes();

    fn look(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.matched = match (Self::BYTES.get(self.matched), Self::BYTES.first()) {
                (Some(next), _) if next == byte => self.matched + 1,
                (_, Some(first)) if first == byte => 1,
                _ => 0,
            };
            self.was_seen |= self.matched == Self::BYTES.len();
        }
    }
}
