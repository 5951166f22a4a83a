//! What the recording proxy reads off the wire: the same however it is cut, and never more than came.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use mesh_witness::{
    proxy::{Conversation, Direction, Draft, Message, Moment, Verdict},
    tape::Redactor,
};

fuzz_target!(|input: (u8, &[u8], &[u8])| {
    let (cut, up, down) = input;
    let Some(whole) = read(up, down, usize::MAX) else { return };
    let Some(pieces) = read(up, down, usize::from(cut) + 1) else { return };
    assert_eq!(whole, pieces, "cut every {} bytes", usize::from(cut) + 1);
    let (requests, responses) = whole.iter().fold((0, 0), |(up, down), (request, response)| {
        (up + size(request.as_ref()), down + size(response.as_ref()))
    });
    assert!(requests <= up.len() && responses <= down.len(), "nothing is recorded that did not come");
});

/// Head, digest of the body, whether it is whole, why it cannot be read.
type Read = (Vec<u8>, String, u64, bool, Option<&'static str>);

/// All exchanges, with their requests and responses; `None` when the connection was refused.
fn read(up: &[u8], down: &[u8], cut: usize) -> Option<Vec<(Option<Read>, Option<Read>)>> {
    let mut conversation = Conversation::default();
    let mut drafts = Vec::new();
    for (direction, bytes) in [(Direction::Up, up), (Direction::Down, down)] {
        for piece in bytes.chunks(cut.min(bytes.len().max(1))) {
            if conversation.came(direction, piece, Moment::now()) != Verdict::Relay {
                return None;
            }
            drafts.extend(conversation.passed(direction, Instant::now()));
        }
    }
    drafts.extend(conversation.down_ended());
    drafts.extend(conversation.over());
    drafts.sort_by_key(|draft| draft.number);
    Some(
        drafts
            .into_iter()
            .map(|Draft { request, response, .. }| (request.map(shown), response.map(shown)))
            .collect(),
    )
}

fn shown(message: Message) -> Read {
    let body = message.body.finish(&Redactor::default());
    (message.head, body.sha256.to_string(), body.size, message.is_whole, message.unreadable)
}

fn size(read: Option<&Read>) -> usize {
    read.map_or(0, |(head, _, size, ..)| head.len() + usize::try_from(*size).unwrap_or(usize::MAX))
}
