use super::*;
use crate::tape::Decoded;

#[test]
fn chunks_come_in_order_to_the_last() {
    let rule = "chunk-order";
    let part = zipped(b"x");
    let send = |chunks: &[(u32, &str)]| {
        let mut log = Log::new();
        for (chunk, range) in chunks {
            log.send_chunk(*chunk, range, &part);
        }
        log
    };
    held(rule, &send(&[(1, "1:3"), (2, "2:3"), (3, "3:3")]));
    broken(rule, &send(&[(1, "1:3"), (3, "3:3"), (2, "2:3")]));
    broken(rule, &send(&[(1, "1:3"), (2, "2:4"), (3, "3:3")]));
    broken(rule, &send(&[(1, "1:3"), (2, "2:3"), (2, "2:3"), (3, "3:3")]));
    broken(rule, &send(&[(1, "1:2"), (2, "1:2")]));
    broken(rule, &send(&[(1, "0:2")]));
    broken(rule, &send(&[(1, "1-2")]));
    not_applicable(rule, &send(&[(2, "2:2")]));
    not_applicable(rule, &send(&[(1, "1:1")]));
    not_applicable(rule, Log::new().send(&[], b"x"));
}

#[test]
fn a_chunk_that_failed_is_sent_again_and_a_message_not_left_half() {
    let rule = "chunk-order";
    let part = zipped(b"x");
    let mut log = Log::new();
    log.send_chunk(1, "1:2", &part)
        .send_chunk(2, "2:2", &part)
        .reply(500, &[], b"")
        .send_chunk(2, "2:2", &part);
    held(rule, &log);
    let mut log = Log::new();
    log.send_chunk(1, "1:2", &part);
    not_applicable(rule, &log);
    assert_eq!(broken(rule, log.hours(2).list(&[])).message.as_deref(), Some(ID));
}

/// Nobody gets a message that has no end (OpenAPI, Send chunked message).
#[test]
fn a_message_that_is_begun_anew_after_a_chunk_failed_is_neither_left_half_nor_sent_twice() {
    let part = zipped(b"x");
    let mut log = Log::new();
    log.send_chunk(1, "1:2", &part).send_chunk(2, "2:2", &part).reply(503, &[], b"");
    log.send_chunk(1, "1:2", &part).reply(202, &[], format!(r#"{{"message_id":"{OTHER}"}}"#).as_bytes());
    let headers = [("Mex-Chunk-Range", "2:2"), ("Content-Encoding", "gzip")];
    log.call(&format!("POST /outbox/{OTHER}/2"), &headers, &part).reply(202, &[], b"{}").hours(2).list(&[]);
    held("chunk-order", &log);
    held("send-repeated", &log);
    // Sent anew although it had its end.
    let mut log = Log::new();
    log.send_chunk(1, "1:2", &part).send_chunk(2, "2:2", &part).send_chunk(1, "1:2", &part);
    warned("send-repeated", &log);
}

/// The refusal of a first chunk may give the message an ID all the same.
#[test]
fn a_message_of_which_a_chunk_was_refused_for_good_need_not_be_gone_on_with() {
    let rule = "chunk-order";
    let part = zipped(b"x");
    let refusal = format!(r#"{{"message_id":"{ID}","detail":[]}}"#);
    let mut log = Log::new();
    log.send_chunk(1, "1:3", &part).reply(417, &[], refusal.as_bytes()).hours(2).list(&[]);
    not_applicable(rule, &log);
    for (status, is_final) in [(417, true), (423, true), (404, true), (429, false), (503, false)] {
        let mut log = Log::new();
        log.send_chunk(1, "1:3", &part).send_chunk(2, "2:3", &part).reply(status, &[], b"");
        log.hours(2).list(&[]);
        is(if is_final { "not applicable" } else { "broken" }, rule, &log);
    }
}

#[test]
fn requests_are_not_too_large_nor_chunks_too_small() {
    let sized = |size: u64, decoded: u64| {
        let mut log = Log::new();
        log.send_chunk(1, "1:2", &zipped(b"x"));
        let body = &mut log.last().request.body;
        body.size = size;
        body.decoded = Some(Decoded::Whole { size: decoded, sha256: body.sha256 });
        log
    };
    held("request-size", &sized(100 << 20, 1));
    broken("request-size", &sized((100 << 20) + 1, 1));
    not_applicable("request-size", Log::new().list(&[]));
    held("chunk-size", &sized(5_000_000, 1));
    held("chunk-size", &sized(1000, 6_000_000));
    warned("chunk-size", &sized(4_999_999, 4_000_000));
    not_applicable("chunk-size", Log::new().send(&[], b"x"));
    let mut unknown = sized(0, 0);
    unknown.foreign().last().request.body.kept = None;
    not_applicable("request-size", &unknown);
    not_applicable("chunk-size", &unknown);
}
