//! `Mex-Chunk-Range: 2:3`: the second chunk of three.

use std::{fmt, num::NonZeroU32, str::FromStr};

use thiserror::Error;

/// A chunk's place in its message: `index:total`, counted from 1, index at most total.
///
/// ```
/// use mesh_witness::protocol::ChunkRange;
/// let range: ChunkRange = "2:3".parse()?;
/// assert!(!range.is_last());
/// assert!("0:3".parse::<ChunkRange>().is_err());
/// # Ok::<(), mesh_witness::protocol::ChunkRangeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkRange {
    index: NonZeroU32,
    total: NonZeroU32,
}

/// Why a text is not a chunk range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be index:total, both from 1, the index at most the total, 20 characters at most")]
pub struct ChunkRangeError;

impl ChunkRange {
    /// The range of a message that is not chunked.
    pub const WHOLE: Self = Self { index: NonZeroU32::MIN, total: NonZeroU32::MIN };

    /// Which chunk this is, from 1.
    #[must_use]
    pub fn index(self) -> NonZeroU32 {
        self.index
    }

    /// How many chunks the message has.
    #[must_use]
    pub fn total(self) -> NonZeroU32 {
        self.total
    }

    /// Whether no chunk comes after this one.
    #[must_use]
    pub fn is_last(self) -> bool {
        self.index == self.total
    }
}

impl FromStr for ChunkRange {
    type Err = ChunkRangeError;

    fn from_str(text: &str) -> Result<Self, ChunkRangeError> {
        let number = |part: &str| match part.bytes().all(|b| b.is_ascii_digit()) {
            true => part.parse::<NonZeroU32>().map_err(|_| ChunkRangeError),
            false => Err(ChunkRangeError),
        };
        let (index, total) = text.split_once(':').ok_or(ChunkRangeError)?;
        let range = Self { index: number(index)?, total: number(total)? };
        if range.index <= range.total && text.len() <= 20 { Ok(range) } else { Err(ChunkRangeError) }
    }
}

impl fmt::Display for ChunkRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.index, self.total)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_place_within_the_message_is_a_range() {
        for bad in [
            "",
            ":",
            "1",
            "1:",
            ":1",
            "0:1",
            "1:0",
            "3:2",
            "+1:2",
            "1:2:3",
            " 1:2",
            "1:2 ",
            "a:b",
            "1.0:2",
            "4294967296:4294967296",
        ] {
            assert_eq!(bad.parse::<ChunkRange>(), Err(ChunkRangeError), "{bad:?}");
        }
        assert_eq!("1:1".parse(), Ok(ChunkRange::WHOLE));
        assert!(ChunkRange::WHOLE.is_last());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(index in 1u32..99_999_999, more in 0u32..9_999) {
            let text = format!("{index}:{}", index + more);
            let range: ChunkRange = text.parse().unwrap();
            prop_assert_eq!(range.to_string(), text);
            prop_assert_eq!(range.is_last(), more == 0);
        }

        #[test]
        fn no_text_stops_the_parser(text in "\\PC{0,30}") {
            if let Ok(range) = text.parse::<ChunkRange>() {
                prop_assert!(range.index() <= range.total());
            }
        }
    }
}
