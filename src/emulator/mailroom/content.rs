//! What a message carries, chunk by chunk.

use chrono::{DateTime, Utc};

use super::StoredBody;

/// What a message carries.
#[derive(Debug, Default)]
pub struct Content {
    /// A message that is not chunked has one, a report none.
    pub chunks: Chunks,
    /// When it was delivered.
    pub delivered_at: DateTime<Utc>,
}

/// Chunks by number, from 1, in order. Most messages have one, for which a map of the library's takes ten
/// times the memory; chunks come in order, so that a new one is put at the end.
#[derive(Debug, Default, Clone)]
pub struct Chunks(Vec<(u32, StoredBody)>);

impl Chunks {
    /// Of a message that is not chunked, or the first of several.
    pub fn first(body: StoredBody) -> Self {
        Self(vec![(1, body)])
    }

    pub fn get(&self, number: u32) -> Option<&StoredBody> {
        let place = self.place(number).ok()?;
        self.0.get(place).map(|(_, body)| body)
    }

    /// Puts a chunk in the place of another, and gives the other.
    pub fn insert(&mut self, number: u32, body: StoredBody) -> Option<StoredBody> {
        match self.place(number) {
            Ok(place) => self.0.get_mut(place).map(|(_, before)| std::mem::replace(before, body)),
            Err(place) => {
                self.0.insert(place, (number, body));
                None
            }
        }
    }

    pub fn remove(&mut self, number: u32) -> Option<StoredBody> {
        let place = self.place(number).ok()?;
        Some(self.0.remove(place).1)
    }

    /// The highest number; 0 where there is no chunk.
    pub fn last_number(&self) -> u32 {
        self.0.last().map_or(0, |(number, _)| *number)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &StoredBody)> {
        self.0.iter().map(|(number, body)| (*number, body))
    }

    /// Bytes of all of them, as sent.
    pub fn size(&self) -> u64 {
        self.0.iter().map(|(_, body)| body.size()).sum()
    }

    /// Where a chunk is, or would be.
    fn place(&self, number: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&number, |(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::{Limits, writer::Space};
    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(acts in prop::collection::vec((1..6_u32, prop::option::of(1..9_usize)), 0..20)) {
            let space = Space::passing(Limits::default());
            let (mut chunks, mut map) = (Chunks::default(), BTreeMap::new());
            let size = |body: Option<StoredBody>| body.map(|body| body.size());
            for (number, length) in acts {
                match length {
                    Some(length) => {
                        let body = space.own(vec![0; length].into());
                        prop_assert_eq!(size(chunks.insert(number, body)), map.insert(number, length as u64));
                    }
                    None => prop_assert_eq!(size(chunks.remove(number)), map.remove(&number)),
                }
                let listed: Vec<_> = chunks.iter().map(|(number, body)| (number, body.size())).collect();
                prop_assert_eq!(listed, map.clone().into_iter().collect::<Vec<_>>());
                prop_assert_eq!(chunks.last_number(), map.keys().next_back().copied().unwrap_or(0));
                prop_assert_eq!(chunks.size(), map.values().sum::<u64>());
                for number in 0..7 {
                    prop_assert_eq!(chunks.get(number).map(StoredBody::size), map.get(&number).copied());
                }
            }
        }
    }
}
