//! What a transaction writes, and the same as bytes for the log.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::row::Row;

/// A message's number and a chunk's.
pub type Key = (u64, u32);

/// The place of a message among its chunks.
pub const MESSAGE: u32 = 0;

/// What one transaction writes; `None` removes.
#[derive(Debug, Default)]
pub struct Writes {
    /// Everything that there was is removed first.
    pub cleared: bool,
    pub rows: BTreeMap<Key, Option<Written>>,
    /// The number that the next message gets.
    pub next_number: u64,
}

/// A row as it is to be.
#[derive(Debug)]
pub struct Written {
    pub record: Vec<u8>,
    pub body: Body,
}

/// The body behind a record.
#[derive(Debug)]
pub enum Body {
    /// There is none.
    None,
    /// This one, and who holds it in memory until it can be read from the database.
    New(Arc<[Bytes]>, Option<Arc<Row>>),
    /// The one that the row has.
    AsItIs,
}

impl Writes {
    /// Adds what is to be written next, as if one had been written after the other.
    pub fn add(&mut self, later: Self) {
        if later.cleared {
            self.cleared = true;
            self.rows.clear();
        }
        self.next_number = later.next_number;
        for (key, row) in later.rows {
            match (row, self.rows.get_mut(&key)) {
                (Some(Written { record, body: Body::AsItIs }), Some(Some(before))) => before.record = record,
                (row, Some(before)) => *before = row,
                (row, None) => drop(self.rows.insert(key, row)),
            }
        }
    }

    /// Whether nothing is written.
    pub fn are_none(&self) -> bool {
        !self.cleared && self.rows.is_empty()
    }

    /// Its bodies can be read from the database: memory need not hold them any more.
    pub fn are_in_database(&self) {
        for (key, row) in &self.rows {
            if let Some(Written { body: Body::New(_, Some(row)), .. }) = row {
                row.written(*key);
            }
        }
    }

    /// As bytes. Who holds a body is not among them.
    pub fn encode(&self) -> Vec<u8> {
        // All at once: to grow, it would have to wait again and again for threads that free what was made here.
        let contents: usize = self.rows.values().flatten().map(Written::room).sum();
        let mut bytes = Vec::with_capacity(9 + 13 * self.rows.len() + contents);
        bytes.push(u8::from(self.cleared));
        bytes.extend(self.next_number.to_le_bytes());
        for ((message, chunk), row) in &self.rows {
            bytes.extend(message.to_le_bytes());
            bytes.extend(chunk.to_le_bytes());
            let Some(Written { record, body }) = row else {
                bytes.push(REMOVED);
                continue;
            };
            bytes.push(match body {
                Body::None => WITHOUT_BODY,
                Body::New(..) => WITH_BODY,
                Body::AsItIs => AS_IT_IS,
            });
            put(&mut bytes, [record.as_slice()].into_iter());
            if let Body::New(pieces, _) = body {
                put(&mut bytes, pieces.iter().map(Bytes::as_ref));
            }
        }
        bytes
    }

    /// From bytes; `None` when they are none of these.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [cleared] = take(&mut rest)?;
        let mut writes = Self { cleared: cleared == 1, ..Self::default() };
        writes.next_number = u64::from_le_bytes(take(&mut rest)?);
        while !rest.is_empty() {
            let key = (u64::from_le_bytes(take(&mut rest)?), u32::from_le_bytes(take(&mut rest)?));
            let [kind] = take(&mut rest)?;
            if kind == REMOVED {
                writes.rows.insert(key, None);
                continue;
            }
            let record = take_long(&mut rest)?.to_vec();
            let body = match kind {
                WITHOUT_BODY => Body::None,
                WITH_BODY => Body::New([Bytes::copy_from_slice(take_long(&mut rest)?)].into(), None),
                AS_IT_IS => Body::AsItIs,
                _ => return None,
            };
            writes.rows.insert(key, Some(Written { record, body }));
        }
        Some(writes)
    }
}

impl Written {
    /// How many bytes it becomes at most, without key and kind.
    fn room(&self) -> usize {
        let body = match &self.body {
            Body::New(pieces, _) => pieces.iter().map(Bytes::len).sum(),
            Body::None | Body::AsItIs => 0,
        };
        self.record.len() + body + 2 * size_of::<u64>()
    }
}

const REMOVED: u8 = 0;
const WITHOUT_BODY: u8 = 1;
const WITH_BODY: u8 = 2;
const AS_IT_IS: u8 = 3;

/// Adds a length and so many bytes.
fn put<'a>(bytes: &mut Vec<u8>, pieces: impl Iterator<Item = &'a [u8]> + Clone) {
    let length: usize = pieces.clone().map(<[u8]>::len).sum();
    bytes.extend((length as u64).to_le_bytes());
    pieces.for_each(|piece| bytes.extend_from_slice(piece));
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn take_long<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u64::from_le_bytes(take(rest)?)).ok()?;
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body() -> impl Strategy<Value = Body> {
        let pieces = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..4);
        prop_oneof![
            Just(()).prop_map(|()| Body::None),
            pieces.prop_map(|pieces| {
                let pieces: Vec<Bytes> = pieces.into_iter().map(Bytes::from).collect();
                Body::New(pieces.into(), None)
            }),
            Just(()).prop_map(|()| Body::AsItIs),
        ]
    }

    fn writes() -> impl Strategy<Value = Writes> {
        let record = prop::collection::vec(any::<u8>(), 0..40);
        let row = prop::option::of((record, body()).prop_map(|(record, body)| Written { record, body }));
        let rows = prop::collection::btree_map((0..4_u64, 0..3_u32), row, 0..6);
        (any::<bool>(), rows, any::<u64>()).prop_map(|(cleared, rows, next_number)| Writes {
            cleared,
            rows,
            next_number,
        })
    }

    /// What there is after it, by key: the record, and the body.
    type There = BTreeMap<Key, (Vec<u8>, Option<Vec<u8>>)>;

    fn write(writes: &Writes, into: &mut There) {
        if writes.cleared {
            into.clear();
        }
        for (key, row) in &writes.rows {
            let before = into.remove(key).and_then(|(_, body)| body);
            if let Some(row) = row {
                let body = match &row.body {
                    Body::None => None,
                    Body::New(pieces, _) => Some(pieces.concat()),
                    Body::AsItIs => before,
                };
                into.insert(*key, (row.record.clone(), body));
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_added_has_the_effect_of_both_and_bytes_that_of_what_they_were_made_of(
            one in writes(), other in writes()
        ) {
            let (mut in_turn, mut as_one, mut from_bytes) = Default::default();
            write(&one, &mut in_turn);
            write(&other, &mut in_turn);
            for writes in [&one, &other] {
                write(&Writes::decode(&writes.encode()).unwrap(), &mut from_bytes);
            }
            let next_number = other.next_number;
            let mut both = one;
            both.add(other);
            write(&both, &mut as_one);
            prop_assert_eq!(&in_turn, &as_one);
            prop_assert_eq!(&in_turn, &from_bytes);
            prop_assert_eq!(both.next_number, next_number);
            prop_assert_eq!(Writes::decode(&both.encode()).unwrap().next_number, next_number);
        }

        #[test]
        fn bytes_that_are_cut_or_none_of_ours_are_no_writes_and_stop_nothing(
            writes in writes(), cut in any::<prop::sample::Index>(), rubbish in prop::collection::vec(any::<u8>(), 0..60)
        ) {
            let bytes = writes.encode();
            let cut = cut.index(bytes.len());
            if let Some(read) = Writes::decode(&bytes[..cut]) {
                prop_assert!(read.rows.len() < writes.rows.len(), "cut between two rows");
            }
            let _ = Writes::decode(&rubbish);
        }
    }
}
