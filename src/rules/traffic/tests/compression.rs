use super::{log::V2, *};

const GZIP: [(&str, &str); 2] = [("Content-Encoding", "gzip"), ("Mex-Content-Compressed", "Y")];

/// What a chunk says of its encoding, and its body.
type Chunk<'a> = (&'a [(&'a str, &'a str)], &'a [u8]);

/// A message in two chunks.
fn message(chunks: [Chunk; 2]) -> Log {
    let mut log = Log::new();
    let [(first, one), (second, two)] = chunks;
    log.send(&[first, &[("Mex-Chunk-Range", "1:2")]].concat(), one);
    let headers = [second, &[("Mex-Chunk-Range", "2:2"), V2]].concat();
    log.call(&format!("POST /outbox/{ID}/2"), &headers, two).reply(202, &[], b"{}");
    log
}

#[test]
fn what_is_declared_as_gzip_is_gzip() {
    let rule = "gzip-declared";
    let gzip = [("Content-Encoding", "gzip"), ("Mex-Content-Compressed", "Y")];
    let mut log = Log::new();
    held(rule, log.send(&[], b"x").send(&gzip, &zipped(b"x")));
    let mut log = Log::new();
    broken(rule, log.send(&gzip, b"not gzip"));
    let mut log = Log::new();
    broken(rule, log.send(&[("Content-Encoding", "br")], b"x"));
    let mut log = Log::new();
    assert!(warned(rule, log.send(&gzip[..1], &zipped(b"x"))).expected.contains("Mex-Content-Compressed"));
    // Bodies as another program shows them.
    let mut log = Log::new();
    log.send(&gzip, &zipped(b"x")).foreign().last().request.body.decoded = None;
    not_applicable(rule, &log);
    not_applicable(rule, Log::new().list(&[]));
}

#[test]
fn a_body_that_was_broken_off_is_not_judged() {
    let body = zipped(&[b'x'; 4000]);
    let mut log = Log::new();
    not_applicable("gzip-declared", log.send(&GZIP, &body[..20]).unanswered());
    // Refused before it was whole.
    let length = body.len().to_string();
    let mut log = Log::new();
    log.send(&[&GZIP[..], &[("Content-Length", &length)]].concat(), &body[..20]).reply(403, &[], b"");
    not_applicable("gzip-declared", &log);
    let mut log = Log::new();
    let first = [("Mex-Chunk-Range", "1:2"), ("Content-Length", &length)];
    log.send(&[&GZIP[..], &first].concat(), &body[..20]).reply(403, &[], b"");
    not_applicable("chunk-encoding", &log);
}

#[test]
fn chunks_that_are_each_compressed_and_say_so_are_right() {
    let (one, two) = (zipped(b"a"), zipped(b"b"));
    held("chunk-encoding", &message([(&GZIP, &one), (&GZIP, &two)]));
    held("gzip-declared", &message([(&GZIP, &one), (&GZIP, &two)]));
    not_applicable("chunk-encoding", &message([(&[], b"a"), (&[], b"b")]));
    not_applicable("chunk-encoding", Log::new().send(&GZIP, &one));
    // Of a message of which the beginning was not recorded nothing can be said.
    let mut log = message([(&GZIP, &one), (&GZIP, &two)]);
    log.exchanges.remove(0);
    not_applicable("chunk-encoding", &log);
}

/// OpenAPI, "Send chunked message": do not compress a large file and then split the compressed version.
#[test]
fn data_is_split_before_it_is_compressed() {
    let whole = zipped(&[b'x'; 4000]);
    let (one, two) = whole.split_at(20);
    for second in [&GZIP[..], &[]] {
        let log = message([(&GZIP, one), (second, two)]);
        let found = broken("chunk-encoding", &log);
        assert_eq!(found.what, "a message was compressed as a whole and then split");
        // One rule says so.
        assert!(matches!(findings("gzip-declared", &log).0, "held" | "not applicable"));
    }
    // Refused at its first chunk.
    let mut log = Log::new();
    log.send(&[&GZIP[..], &[("Mex-Chunk-Range", "1:2")]].concat(), one).reply(400, &[], b"{}");
    broken("chunk-encoding", &log);
    not_applicable("gzip-declared", &log);
    // Flagged as compressed, and without Content-Encoding: it may be right where both sides have agreed on it.
    warned("chunk-encoding", &message([(&GZIP[1..], one), (&GZIP[1..], two)]));
    // A file that happens to be gzip, sent as it is.
    not_applicable("chunk-encoding", &message([(&[], one), (&[], two)]));
    // Another fault: it is no gzip at all.
    let log = message([(&GZIP, b"plain"), (&GZIP, b"plain")]);
    broken("gzip-declared", &log);
    held("chunk-encoding", &log);
}

/// OpenAPI, "Send chunked message": with the same compression program. Its example leaves the header off chunk 2.
#[test]
fn each_chunk_is_compressed_as_the_first() {
    let (one, two) = (zipped(b"a"), zipped(b"b"));
    let silent = warned("chunk-encoding", &message([(&GZIP, &one), (&[], &two)]));
    assert!(silent.remedy.unwrap().contains("417"), "{silent:?}");
    warned("chunk-encoding", &message([(&GZIP, &one), (&[("Content-Encoding", "")], &two)]));
    for (first, second) in [
        ((&GZIP[..], &one[..]), (&[][..], &b"b"[..])),
        ((&GZIP, &one), (&[("Content-Encoding", "identity")], b"b")),
        ((&GZIP, &one), (&[("Content-Encoding", "identity")], &two)),
        ((&[], b"a"), (&GZIP, &two)),
        // The second begins a gzip and does not end it.
        ((&GZIP, &one), (&[], &two[..12])),
    ] {
        let found = broken("chunk-encoding", &message([first, second]));
        assert_eq!(found.what, "chunks of one message are compressed, and others are not");
        held("gzip-declared", &message([first, second]));
    }
    // As a program of somebody else's shows it, without bodies.
    let mut log = message([(&GZIP, &one), (&[], &two)]);
    let body = &mut log.foreign().last().request.body;
    (body.kept, body.seen_as_gzip) = (None, None);
    warned("chunk-encoding", &log);
}
