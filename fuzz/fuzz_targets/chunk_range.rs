//! Chunk ranges: a place within the message, which reads back as it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_witness::protocol::ChunkRange;

fuzz_target!(|text: &str| {
    let Ok(range) = text.parse::<ChunkRange>() else { return };
    assert!(range.index() <= range.total());
    assert_eq!(range.is_last(), range.index() == range.total());
    assert_eq!(range.to_string().parse(), Ok(range));
    assert!(text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':'));
    let numbers: Vec<u32> = text.split(':').map(|number| number.parse().expect("a number")).collect();
    assert_eq!(numbers, [range.index().get(), range.total().get()]);
});
