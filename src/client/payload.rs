//! Made-up content for messages: binary, of any size, the same for the same label.

use aws_lc_rs::digest;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};

use crate::tape::Sha256;

/// Content that is made as it is needed, so that a large one is never held.
///
/// It has every byte value, so that a product which takes it for text shows itself, and every block
/// of 256 bytes differs from the others, so that none can be lost or change places unseen. It begins and ends
/// with what programs take off a text or convert in it, unless it is too small for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    label: String,
    start: u64,
    size: u64,
    /// The size of what it is a part of.
    whole: u64,
    /// Whether gzip makes it hardly smaller.
    dense: bool,
}

const BLOCK: usize = 256;
const PIECE_BLOCKS: usize = 256;

/// How content begins and how it ends: byte order mark, blanks, ends of lines of two systems, NUL. Only one of them can
/// be outermost, where it is lost; each is in one of these, and which it is goes by the label.
const EDGES: [(&[u8], &[u8]); 3] = [
    (b"\xef\xbb\xbf \r\n\0\t", b"\0 \t\r\n"),
    (b" \t\r\n\xef\xbb\xbf\0", b"\r\n\t \0"),
    (b"\0\r\n \t\xef\xbb\xbf", b"\0\r\n\t "),
];
/// Content of fewer bytes has no edges: there would be little left by which it differs.
const EDGED: u64 = 64;

impl Payload {
    /// Content of `size` bytes. Another label gives other content.
    #[must_use]
    pub fn new(label: impl Into<String>, size: u64) -> Self {
        Self { label: label.into(), start: 0, size, whole: size, dense: false }
    }

    /// The same of which gzip takes off a twentieth: compressed as a whole, it still has to be split.
    #[must_use]
    pub fn dense(label: impl Into<String>, size: u64) -> Self {
        Self { dense: true, ..Self::new(label, size) }
    }

    /// A part of it: at most `size` bytes from the byte at `from` on.
    #[must_use]
    pub fn part(&self, from: u64, size: u64) -> Self {
        let from = from.min(self.size);
        let size = size.min(self.size - from);
        Self { label: self.label.clone(), start: self.start + from, size, ..*self }
    }

    /// Its consecutive parts of `bytes` each, the last with what is left. At least one.
    pub fn parts(&self, bytes: u64) -> impl Iterator<Item = Self> + use<> {
        let (whole, bytes) = (self.clone(), bytes.max(1));
        (0..self.size.div_ceil(bytes).max(1)).map(move |index| whole.part(index * bytes, bytes))
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of the content.
    pub async fn digest(&self) -> Sha256 {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut pieces = std::pin::pin!(self.pieces());
        while let Some(piece) = pieces.next().await {
            context.update(&piece);
            // A piece is always there at once: without a pause nothing else has its turn until all are made, not even
            // the interrupt by which a person ends a run.
            tokio::task::yield_now().await;
        }
        Sha256::from_digest(context.finish())
    }

    /// The content, in pieces of up to 64 KiB.
    pub fn pieces(&self) -> impl Stream<Item = Bytes> + Send + 'static + use<> {
        let payload = self.clone();
        let (block, end) = (BLOCK as u64, self.start + self.size);
        // No more blocks than there is something of.
        let (first, last) = (self.start / block, end.div_ceil(block));
        stream::iter((first..last).step_by(PIECE_BLOCKS).map(move |index| {
            let blocks = index..last.min(index + PIECE_BLOCKS as u64);
            let (from, to) = (index * block, blocks.end * block);
            let mut bytes = BytesMut::with_capacity(BLOCK * PIECE_BLOCKS.min((last - index) as usize));
            blocks.for_each(|index| payload.write_block(index, &mut bytes));
            payload.write_edges(from, &mut bytes);
            // Both lie within the piece, so they fit.
            let skipped = payload.start.saturating_sub(from) as usize;
            let kept = (end.min(to) - from) as usize;
            bytes.freeze().slice(skipped..kept)
        }))
    }

    fn write_block(&self, index: u64, bytes: &mut BytesMut) {
        let label = self.label.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        let first = usize::from(label.wrapping_add(index as u8));
        let counter = format!("[{index:014x}]");
        bytes.extend_from_slice(counter.as_bytes());
        if self.dense {
            let seed = index ^ (u64::from(label) << 48);
            (0..((BLOCK - counter.len()) / 8) as u64).for_each(|place| bytes.put_u64(scattered(seed, place)));
            return;
        }
        bytes.extend_from_slice(&EVERY_VALUE_TWICE[first + counter.len()..first + BLOCK]);
    }

    /// Puts beginning and end of the whole where they lie within these bytes, the first of which is at `from`.
    fn write_edges(&self, from: u64, bytes: &mut [u8]) {
        if self.whole < EDGED {
            return;
        }
        // Such that the messages of one set of cases have different ones.
        let kind = self.label.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(35).wrapping_add(byte));
        let (head, tail) = EDGES[usize::from(kind) % EDGES.len()];
        for (at, edge) in [(0, head), (self.whole - tail.len() as u64, tail)] {
            for (place, byte) in (at..).zip(edge) {
                let there = place.checked_sub(from).and_then(|place| usize::try_from(place).ok());
                if let Some(there) = there.and_then(|there| bytes.get_mut(there)) {
                    *there = *byte;
                }
            }
        }
    }
}

/// A number in which there is no order that a compressor could find, the same for the same place: SplitMix64.
fn scattered(seed: u64, place: u64) -> u64 {
    let mixed = (seed << 5).wrapping_add(place).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Copied from, since tests without optimization would take a third of their time for counting.
const EVERY_VALUE_TWICE: [u8; 2 * BLOCK] = {
    let mut values = [0; 2 * BLOCK];
    let mut place = 0;
    while place < values.len() {
        values[place] = place as u8;
        place += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use proptest::prelude::*;

    use super::*;

    fn content(payload: &Payload) -> Vec<u8> {
        let pieces: Vec<Bytes> = futures_executor(payload.pieces().collect());
        pieces.concat()
    }

    fn futures_executor<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[tokio::test]
    async fn whoever_digests_it_can_be_interrupted() {
        let endless = Payload::new("a", 1 << 50);
        let interrupted = tokio::time::timeout(std::time::Duration::from_millis(20), endless.digest()).await;
        assert!(interrupted.is_err());
        let small = Payload::new("a", 100_000);
        let whole: Vec<u8> = small.pieces().collect::<Vec<_>>().await.concat();
        assert_eq!(small.digest().await, Sha256::of(&whole));
    }

    /// What is cut into chunks of half its size must still be more than one when it is compressed first.
    #[test]
    fn gzip_makes_dense_content_a_little_smaller_and_other_content_much() {
        let zipped = |payload: &Payload| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut encoder, &content(payload)).unwrap();
            encoder.finish().unwrap().len() as u64 * 100 / payload.size()
        };
        let (dense, other) = (Payload::dense("s1", 1 << 20), Payload::new("s1", 1 << 20));
        assert!((90..98).contains(&zipped(&dense)), "{}", zipped(&dense));
        assert!(zipped(&other) < 10, "{}", zipped(&other));
        let part = content(&dense.part(300, 1000));
        assert_eq!(part, content(&dense)[300..1300]);
    }

    #[test]
    fn it_has_every_byte_value_and_no_block_twice() {
        for payload in [Payload::new("201", 1 << 20), Payload::dense("201", 1 << 20)] {
            has_every_byte_value_and_no_block_twice(&payload);
        }
    }

    fn has_every_byte_value_and_no_block_twice(payload: &Payload) {
        let content = content(payload);
        let mut seen = [false; 256];
        content.iter().for_each(|byte| seen[usize::from(*byte)] = true);
        assert!(seen.iter().all(|seen| *seen));
        let mut blocks: Vec<&[u8]> = content.chunks(BLOCK).collect();
        let count = blocks.len();
        blocks.sort_unstable();
        blocks.dedup();
        assert_eq!(blocks.len(), count);
        assert!(std::str::from_utf8(&content).is_err());
    }

    type Edit = fn(&[u8]) -> Vec<u8>;

    /// What a product does to what it takes for a text.
    const EDITS: [(&str, Edit); 8] = [
        ("white space before it", |bytes| bytes.trim_ascii_start().to_vec()),
        ("white space after it", |bytes| bytes.trim_ascii_end().to_vec()),
        ("a byte order mark", |bytes| bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).to_vec()),
        ("NUL before it", |bytes| bytes.strip_prefix(b"\0").unwrap_or(bytes).to_vec()),
        ("NUL after it", |bytes| bytes.strip_suffix(b"\0").unwrap_or(bytes).to_vec()),
        ("the last end of a line", |bytes| bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec()),
        ("all after a NUL", |bytes| bytes.split(|byte| *byte == 0).next().unwrap().to_vec()),
        ("CR before LF", |bytes| {
            let mut kept = bytes.to_vec();
            let mut next = bytes.iter().skip(1).chain([&0]);
            kept.retain(|byte| *next.next().unwrap() != b'\n' || *byte != b'\r');
            kept
        }),
    ];

    #[test]
    fn whatever_is_lost_of_a_text_is_lost_of_a_message_of_each_set_of_cases() {
        for cases in [["201", "202", "502"], ["401", "402", "501"]] {
            for (lost, edit) in EDITS {
                let shows = |case: &&str| {
                    let content = content(&Payload::new(*case, 512));
                    edit(&content) != content
                };
                assert!(cases.iter().any(shows), "{lost}: {cases:?}");
            }
        }
    }

    #[test]
    fn the_parts_of_it_begin_and_end_as_the_whole_does_in_these_places_alone() {
        let whole = Payload::new("201", 1000);
        let begins = |payload: &Payload| EDGES.iter().any(|(head, _)| content(payload).starts_with(head));
        assert!(begins(&whole) && begins(&whole.part(0, 10)));
        assert!(!begins(&whole.part(256, 500)));
        let small = content(&Payload::new("201", EDGED - 1));
        assert!(small.starts_with(b"[00000000000000]"), "{small:?}");
    }

    proptest! {
        #[test]
        fn it_has_exactly_its_size_and_is_always_the_same(size in 0u64..200_000) {
            let payload = Payload::new("a", size);
            prop_assert_eq!(content(&payload).len() as u64, size);
            prop_assert_eq!(content(&payload), content(&payload));
        }

        #[test]
        fn its_parts_are_the_whole(size in 0u64..200_000, bytes in 1u64..80_000) {
            let payload = Payload::new("a", size);
            let parts: Vec<Payload> = payload.parts(bytes).collect();
            prop_assert_eq!(parts.len() as u64, size.div_ceil(bytes).max(1));
            let joined: Vec<u8> = parts.iter().flat_map(content).collect();
            prop_assert_eq!(joined, content(&payload));
        }
    }
}
