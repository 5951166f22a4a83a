//! Made-up content for messages: binary, of any size, the same for the same label.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};

/// Content that is made as it is needed, so that a large one is never held.
///
/// It has every byte value, so that a product which takes it for text shows itself, and every block
/// of 256 bytes differs from the others, so that none can be lost or change places unseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    label: String,
    size: u64,
}

const BLOCK: usize = 256;
const PIECE_BLOCKS: u64 = 256;

impl Payload {
    /// Content of `size` bytes. Another label gives other content.
    #[must_use]
    pub fn new(label: impl Into<String>, size: u64) -> Self {
        Self { label: label.into(), size }
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The content, in pieces of up to 64 KiB.
    pub fn pieces(&self) -> impl Stream<Item = Bytes> + Send + 'static + use<> {
        let payload = self.clone();
        let blocks = self.size.div_ceil(BLOCK as u64);
        let pieces = blocks.div_ceil(PIECE_BLOCKS);
        stream::iter((0..pieces).map(move |piece| {
            let first = piece * PIECE_BLOCKS;
            let last = (first + PIECE_BLOCKS).min(blocks);
            let mut bytes = BytesMut::with_capacity((last - first) as usize * BLOCK);
            (first..last).for_each(|index| bytes.extend_from_slice(&payload.block(index)));
            let left = payload.size - first * BLOCK as u64;
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()));
            bytes.freeze()
        }))
    }

    fn block(&self, index: u64) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let label = self.label.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        for (place, byte) in (0u8..=255).zip(&mut block) {
            *byte = place.wrapping_add(label).wrapping_add(index as u8);
        }
        let counter = format!("[{index:014x}]");
        for (byte, digit) in block.iter_mut().zip(counter.bytes()) {
            *byte = digit;
        }
        block
    }
}

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

    #[test]
    fn it_has_every_byte_value_and_no_block_twice() {
        let content = content(&Payload::new("201", 1 << 20));
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

    proptest! {
        #[test]
        fn it_has_exactly_its_size_and_is_always_the_same(size in 0u64..200_000) {
            let payload = Payload::new("a", size);
            prop_assert_eq!(content(&payload).len() as u64, size);
            prop_assert_eq!(content(&payload), content(&payload));
        }
    }
}
