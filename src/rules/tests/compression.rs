//! Messages in chunks that are compressed: each judgement both ways.

use std::io::Write;

use super::*;
use crate::tape::{BodyRecord, BodyRecorder};

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn recorded(encoding: &str, bytes: &[u8]) -> BodyRecord {
    let mut recorder = BodyRecorder::new(encoding == "gzip");
    recorder.update(bytes);
    recorder.finish(&Redactor::default())
}

/// Chunk 1 or 2 of a message of two, with this Content-Encoding, which may be none.
fn sent(place: usize, encoding: &str, bytes: &[u8]) -> Arc<Exchange> {
    let path = if place == 1 { String::new() } else { format!("/{ID}/{place}") };
    let said = if encoding.is_empty() { String::new() } else { format!("\ncontent-encoding: {encoding}") };
    let head = format!("POST /messageexchange/A/outbox{path}\nmex-chunk-range: {place}:2{said}");
    let mut send = exchange(&head, 202, "");
    send.request.body = recorded(encoding, bytes);
    Arc::new(send)
}

/// The download of a chunk: what was offered, what came.
fn got(offered: &str, encoding: &str, bytes: &[u8]) -> Arc<Exchange> {
    let mut got =
        exchange(&format!("GET /messageexchange/A/inbox/{ID}\naccept-encoding: {offered}"), 206, "");
    let said = if encoding.is_empty() { String::new() } else { format!("Content-Encoding: {encoding}\r\n") };
    let response = got.response.as_mut().unwrap();
    response.head =
        Redactor::default().response_head(format!("HTTP/1.1 206 Partial\r\n{said}\r\n").as_bytes());
    response.body = recorded(encoding, bytes);
    Arc::new(got)
}

/// OpenAPI, "Send chunked message": compress the individual chunks separately with the same program.
#[test]
fn each_chunk_is_to_be_a_gzip_by_itself_and_to_say_so() {
    let (one, two, whole) = (zipped(b"a"), zipped(b"b"), zipped(&[b'x'; 4000]));
    let judged = |first, second| compressed_by_itself(&[first, second]);
    assert_eq!(
        judged(sent(1, "gzip", &one), sent(2, "gzip", &two)).map(|warning| warning.is_some()),
        Ok(false)
    );
    // As in the OpenAPI's own example.
    let silent = judged(sent(1, "gzip", &one), sent(2, "", &two)).unwrap().unwrap();
    assert!(silent.what.contains("chunk 2 is compressed and says nothing of it"), "{silent:?}");
    for (first, second, what) in [
        (
            sent(1, "gzip", &whole[..20]),
            sent(2, "gzip", &whole[20..]),
            "compressed as a whole and then split",
        ),
        (sent(1, "gzip", &whole[..20]), sent(2, "", &whole[20..]), "compressed as a whole and then split"),
        (sent(1, "", &whole[..20]), sent(2, "", &whole[20..]), "compressed as a whole and then split"),
        (sent(1, "gzip", &one), sent(2, "", b"b"), "chunk 2 is not compressed with gzip"),
        (sent(1, "gzip", &one), sent(2, "identity", &two), "chunk 2 is compressed, and does not say so"),
        (sent(1, "gzip", &one), sent(2, "gzip", b"b"), "chunk 2 is not gzip by itself, though it says so"),
        (sent(1, "", &one), sent(2, "", &two), "chunk 1 is compressed, and does not say so"),
        (sent(1, "", b"a"), sent(2, "gzip", &two), "chunk 1 is not compressed with gzip"),
        (sent(1, "", b"a"), sent(2, "", b"b"), "chunk 1 is not compressed with gzip"),
    ] {
        let fault = judged(first, second).unwrap_err();
        assert!(fault.what.contains(what) && fault.kind == FaultKind::Product, "{what}: {fault:?}");
    }
    let alone = Arc::new(exchange("POST /messageexchange/A/outbox\ncontent-encoding: gzip", 202, ""));
    assert_eq!(compressed_by_itself(&[alone]).unwrap_err().what, "the message was not sent in chunks");
}

#[test]
fn what_a_chunk_holds_is_decoded_where_it_or_the_first_says_that_it_is_gzip() {
    let (one, two) = (zipped(b"a"), zipped(b"bb"));
    let of = |first: &str, second: &str| content_of(&sent(1, first, &one), &sent(2, second, &two));
    let (decoded, wire) = (Some((2, Sha256::of(b"bb"))), Some((two.len() as u64, Sha256::of(&two))));
    assert_eq!(of("gzip", "gzip"), decoded);
    assert_eq!(of("gzip", ""), decoded, "as in the OpenAPI's example");
    assert_eq!((of("gzip", "identity"), of("", "")), (wire, wire), "a file that happens to be gzip");
    assert_eq!(content_of(&sent(1, "gzip", &one), &sent(2, "gzip", b"plain")), None);
}

#[test]
fn a_gzip_that_was_split_is_told_at_its_first_chunk() {
    let whole = zipped(&[b'x'; 4000]);
    let fault = split_before_compression(&sent(1, "gzip", &whole[..20])).unwrap_err();
    assert!(fault.remedy.contains("Split the payload first"), "{fault:?}");
    assert_eq!(split_before_compression(&sent(1, "gzip", &whole)), Ok(()));
    assert_eq!(split_before_compression(&sent(1, "gzip", b"plain")), Ok(()), "another fault");
    let mut cut = Exchange::clone(&sent(1, "gzip", &whole[..20]));
    cut.failure = Some(TransportFailure { kind: FailureKind::Closed, detail: "x".to_owned() });
    assert_eq!(split_before_compression(&cut), Ok(()), "who knows what would have come");
}

/// OpenAPI, "Get Message chunk", accept-encoding.
#[test]
fn chunks_come_compressed_where_that_was_offered_and_say_so() {
    let part = zipped(b"a");
    let right = [got("gzip", "gzip", &part), got("", "", b"b"), got("gzip", "gzip", &part)];
    assert_eq!(chunks_downloaded_compressed(&right), Ok(()));
    assert_eq!(chunks_say_their_encoding(&right), Ok(()));
    let never = chunks_downloaded_compressed(&[got("", "", b"a"), got("br", "", b"b")]).unwrap_err();
    assert_eq!(never.kind, FaultKind::Product);
    let plain =
        chunks_downloaded_compressed(&[got("gzip", "gzip", &part), got("gzip", "", b"b")]).unwrap_err();
    assert_eq!(plain.kind, FaultKind::Endpoint);
    for (wrong, what) in [
        (got("gzip", "", &part), "chunk 2 is handed out compressed, and does not say so"),
        (got("", "gzip", &part), "chunk 2 is handed out compressed to a client that did not offer"),
    ] {
        let fault = chunks_say_their_encoding(&[got("gzip", "gzip", &part), wrong]).unwrap_err();
        assert!(fault.what.contains(what) && fault.kind == FaultKind::Endpoint, "{fault:?}");
    }
}
