//! Randomness for message IDs.

use aws_lc_rs::rand;

/// Random bytes, fetched many at a time: every send takes three, and to fetch so few costs as much as
/// reading the token does.
pub struct Random {
    bytes: [u8; 255],
    left: usize,
}

impl Random {
    pub fn new() -> Self {
        Self { bytes: [0; 255], left: 0 }
    }

    /// Three that were not given before. Should the random source of the TLS provider fail, they are stale:
    /// message IDs still differ by time, and that one is not in use is looked at in any case.
    pub fn three(&mut self) -> [u8; 3] {
        if self.left == 0 {
            let _ = rand::fill(&mut self.bytes);
            self.left = self.bytes.len();
        }
        self.left -= 3;
        [0, 1, 2].map(|place| self.bytes[self.left + place])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn none_is_given_twice_but_by_chance() {
        let mut random = Random::new();
        let given: HashSet<_> = (0..1000).map(|_| random.three()).collect();
        // Of 1,000 out of 16.8 million some two hundredths of a pair are the same on average.
        assert!(given.len() > 990, "{}", given.len());
    }
}
