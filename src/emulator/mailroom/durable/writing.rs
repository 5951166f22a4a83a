//! From changes of the books to rows, and what becomes of bodies when those are committed.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    record,
    row::{Row, own_row},
    writes::{Body, Key, MESSAGE, Writes, Written},
};
use crate::emulator::mailroom::{
    Entry, StoredBody,
    body::Kept,
    content::Chunks,
    journal::{Batch, Change},
};

/// What happens to a chunk by a change. The key is its message's where it is in its message's row.
enum Fate<'a> {
    Put(Key, &'a StoredBody),
    Removed(Key, &'a StoredBody),
}

/// What a row is made of.
enum Source<'a> {
    Message(&'a Entry),
    Chunk(&'a StoredBody),
}

/// All changes of a batch as rows. Where one change follows another, only the last is written.
pub fn writes(batch: &Batch) -> Writes {
    let mut cleared = false;
    let mut rows: BTreeMap<Key, Option<Source<'_>>> = BTreeMap::new();
    for change in &batch.changes {
        if matches!(change, Change::Cleared { .. }) {
            cleared = true;
            rows.clear();
            continue;
        }
        each_chunk(change, &mut |fate| match fate {
            Fate::Put((_, MESSAGE), _) | Fate::Removed((_, MESSAGE), _) => {}
            Fate::Put(key, body) => drop(rows.insert(key, Some(Source::Chunk(body)))),
            Fate::Removed(key, _) => drop(rows.insert(key, None)),
        });
        if let Change::Entry { before, after, .. } = change
            && let Some(either) = after.as_ref().or(before.as_ref())
        {
            rows.insert((either.number, MESSAGE), after.as_ref().map(Source::Message));
        }
    }
    let rows = rows.into_iter().map(|(key, source)| (key, source.map(written))).collect();
    Writes { cleared, rows, next_number: batch.next_number }
}

/// The changes are durable: files that are referred to now stay, others may go.
pub fn committed(changes: &[Change]) {
    for change in changes {
        each_chunk(change, &mut |fate| match fate {
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
                entry.and_then(|entry| entry.state.chunks()).is_some_and(|chunks| chunks.get(chunk).is_some())
            };
            // A chunk never changes with its message's state: it is there, or not.
            chunks_of(before, |key, chunk, body| {
                if !has(after, chunk) {
                    told(Fate::Removed(key, body));
                }
            });
            chunks_of(after, |key, chunk, body| {
                if !has(before, chunk) {
                    told(Fate::Put(key, body));
                }
            });
        }
        Change::Cleared { before } => {
            for entry in before {
                chunks_of(Some(entry), |key, _, body| told(Fate::Removed(key, body)));
            }
        }
    }
}

fn chunks_of<'a>(entry: Option<&'a Entry>, mut told: impl FnMut(Key, u32, &'a StoredBody)) {
    let Some(entry) = entry else { return };
    let in_own_row = own_row(entry).is_some();
    for (chunk, body) in entry.state.chunks().into_iter().flat_map(Chunks::iter) {
        told((entry.number, if in_own_row { MESSAGE } else { chunk }), chunk, body);
    }
}

fn written(source: Source<'_>) -> Written {
    match source {
        Source::Message(entry) => {
            let body = own_row(entry).map_or(Body::None, |(_, row)| body_of(row));
            Written { record: record::write(entry), body }
        }
        Source::Chunk(body) => match &body.kept {
            Kept::File(file) => {
                Written { record: record::write_chunk(body, Some(file.name())), body: Body::None }
            }
            Kept::Row(row) => Written { record: record::write_chunk(body, None), body: body_of(row) },
            // A durable mailroom has no other bodies.
            Kept::Memory { .. } | Kept::Spilled(_) => Written { record: Vec::new(), body: Body::None },
        },
    }
}

fn body_of(row: &Arc<Row>) -> Body {
    row.pieces().map_or(Body::AsItIs, |pieces| Body::New(pieces, Some(Arc::clone(row))))
}
