//! From changes of the books to rows, and what becomes of bodies when those are committed.

use std::collections::BTreeMap;

use super::{
    database::{ChunkRow, Key, Writes},
    record,
};
use crate::emulator::mailroom::{
    Entry, StoredBody,
    body::Kept,
    journal::{Batch, Change},
};

/// What happens to a chunk by a change.
enum Fate<'a> {
    Put(Key, &'a StoredBody),
    Removed(Key, &'a StoredBody),
}

/// All changes of a batch as rows. Where one change follows another, only the last is written.
pub fn writes(batch: &Batch) -> Writes {
    let mut writes = Writes { next_number: batch.next_number, ..Writes::default() };
    let mut entries: BTreeMap<u64, Option<&Entry>> = BTreeMap::new();
    let mut chunks: BTreeMap<Key, Option<&StoredBody>> = BTreeMap::new();
    for change in &batch.changes {
        if matches!(change, Change::Cleared { .. }) {
            writes.cleared = true;
            entries.clear();
            chunks.clear();
        }
        each_chunk(change, &mut |fate| match fate {
            Fate::Put(key, body) => drop(chunks.insert(key, Some(body))),
            Fate::Removed(..) if matches!(change, Change::Cleared { .. }) => {}
            Fate::Removed(key, _) => drop(chunks.insert(key, None)),
        });
        if let Change::Entry { before, after, .. } = change
            && let Some(either) = after.as_ref().or(before.as_ref())
        {
            entries.insert(either.number, after.as_ref());
        }
    }
    writes.messages = entries.into_iter().map(|(number, entry)| (number, entry.map(record::write))).collect();
    writes.chunks = chunks.into_iter().map(|(key, body)| (key, body.map(row))).collect();
    writes
}

/// The changes are durable: bodies that the database refers to now stay, others may go.
pub fn committed(changes: Vec<Change>) {
    for change in &changes {
        each_chunk(change, &mut |fate| match fate {
            Fate::Put(key, StoredBody { kept: Kept::Row(row), .. }) => row.written(key),
            Fate::Put(_, StoredBody { kept: Kept::File(file), .. }) => file.refer(true),
            Fate::Removed(_, StoredBody { kept: Kept::File(file), .. }) => file.refer(false),
            Fate::Put(..) | Fate::Removed(..) => {}
        });
    }
}

fn each_chunk<'a>(change: &'a Change, told: &mut dyn FnMut(Fate<'a>)) {
    match change {
        Change::Chunk { number, chunk, before, after, .. } => {
            if let Some(before) = before {
                told(Fate::Removed((*number, *chunk), before));
            }
            told(Fate::Put((*number, *chunk), after));
        }
        Change::Entry { before, after, .. } => {
            let (before, after) = (before.as_ref(), after.as_ref());
            let has = |entry: Option<&Entry>, chunk| {
                entry.and_then(|entry| entry.state.chunks()).is_some_and(|chunks| chunks.contains_key(&chunk))
            };
            // A chunk never changes with its message's state: it is there, or not.
            chunks_of(before, |number, chunk, body| {
                if !has(after, chunk) {
                    told(Fate::Removed((number, chunk), body));
                }
            });
            chunks_of(after, |number, chunk, body| {
                if !has(before, chunk) {
                    told(Fate::Put((number, chunk), body));
                }
            });
        }
        Change::Cleared { before } => {
            for entry in before {
                chunks_of(Some(entry), |number, chunk, body| told(Fate::Removed((number, chunk), body)));
            }
        }
    }
}

fn chunks_of<'a>(entry: Option<&'a Entry>, mut told: impl FnMut(u64, u32, &'a StoredBody)) {
    let Some(entry) = entry else { return };
    for (chunk, body) in entry.state.chunks().into_iter().flatten() {
        told(entry.number, *chunk, body);
    }
}

fn row(body: &StoredBody) -> ChunkRow {
    match &body.kept {
        Kept::File(file) => ChunkRow { record: record::write_chunk(body, Some(file.name())), body: None },
        Kept::Row(row) => {
            let pieces = row.pieces();
            let whole = pieces.map(|pieces| pieces.concat());
            ChunkRow { record: record::write_chunk(body, None), body: whole }
        }
        // A durable mailroom has no other bodies.
        Kept::Memory { .. } | Kept::Spilled(_) => ChunkRow { record: Vec::new(), body: None },
    }
}
