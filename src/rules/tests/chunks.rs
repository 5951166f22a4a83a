//! Messages in chunks: each judgement both ways.

use super::*;

const OTHER: &str = "20261121120000000000_FFFFFF";

fn id() -> MessageId {
    MessageId::parse(ID).unwrap()
}

/// The request of a chunk, from 1, and its range.
fn sent(place: usize, range: &str) -> Exchange {
    let path = if place == 1 { String::new() } else { format!("/{ID}/{place}") };
    exchange(&format!("POST /messageexchange/A/outbox{path}\nmex-chunk-range: {range}"), 202, "")
}

/// The download of a chunk, from 1, with what its answer says.
fn got(place: usize, status: u16, range: &str) -> Exchange {
    let path = if place == 1 { String::new() } else { format!("/{place}") };
    let mut got = exchange(&format!("GET /messageexchange/A/inbox/{ID}{path}"), status, "");
    let head = format!("HTTP/1.1 {status} Status\r\nMex-Chunk-Range: {range}\r\n\r\n");
    got.response.as_mut().unwrap().head = Redactor::default().response_head(head.as_bytes());
    got
}

fn cut_short(exchange: Exchange) -> Exchange {
    let failure = Some(TransportFailure { kind: FailureKind::Closed, detail: "x".to_owned() });
    Exchange { failure, ..exchange }
}

fn of_counterpart(exchange: Exchange) -> Exchange {
    Exchange { actor: Actor::Counterpart, ..exchange }
}

/// The same, of a message with this ID.
fn sent_of(id: &str, place: usize, range: &str, status: u16) -> Exchange {
    let path = if place == 1 { String::new() } else { format!("/{id}/{place}") };
    let head =
        format!("POST /messageexchange/A/outbox{path}\naccept: application/vnd.mesh.v2+json\nmex-to: B");
    let request = format!("{head}\nmex-chunk-range: {range}");
    exchange(&request, status, &format!(r#"{{"message_id":"{id}"}}"#))
}

fn to_b(acts: &[Arc<Exchange>]) -> Result<Arc<Exchange>, Fault> {
    send_of(acts, &crate::protocol::MailboxId::parse("B").unwrap())
}

fn sending(sends: Vec<Exchange>) -> Result<(), Fault> {
    sent_in_chunks(&tape(sends), &[])
}

fn receiving(downloads: Vec<Exchange>) -> Result<(), Fault> {
    downloaded_in_chunks(&tape(downloads), &[])
}

/// How the counterpart cuts a message is ours to answer for.
#[test]
fn a_message_in_one_chunk_is_the_fault_of_who_sent_it() {
    let kind = |sends| sending(sends).unwrap_err().kind;
    assert_eq!(kind(vec![sent(1, "1:1")]), FaultKind::Product);
    assert_eq!(kind(vec![of_counterpart(sent(1, "1:1"))]), FaultKind::Harness);
}

#[test]
fn the_sends_of_a_message_are_its_first_and_the_senders_further_chunks_of_it() {
    let another = exchange(&format!("POST /messageexchange/A/outbox/{OTHER}/2"), 202, "");
    let all =
        vec![sent(1, "1:3"), sent(2, "2:3"), another, of_counterpart(sent(2, "2:3")), sent(3, "3:3"), list()];
    let all = tape(all);
    let sends = sends_of(&id(), &all[0], &all);
    let places: Vec<usize> =
        sends.iter().map(|send| all.iter().position(|one| Arc::ptr_eq(one, send)).unwrap()).collect();
    assert_eq!(places, [0, 1, 4]);
}

#[test]
fn the_downloads_of_a_message_are_an_actors_calls_for_it_and_for_its_chunks() {
    let another = exchange(&format!("GET /messageexchange/A/inbox/{OTHER}"), 200, "");
    let all =
        vec![got(1, 206, "1:2"), another, of_counterpart(got(1, 206, "1:2")), list(), got(2, 200, "2:2")];
    let all = tape(all);
    let downloads = downloads_of(&id(), Actor::Product, &all);
    assert_eq!(downloads.len(), 2);
    assert!(Arc::ptr_eq(&downloads[0], &all[0]) && Arc::ptr_eq(&downloads[1], &all[4]));
    assert_eq!(downloads_of(&id(), Actor::Counterpart, &all).len(), 1);
}

#[test]
fn a_message_in_chunks_is_two_requests_at_least() {
    assert_eq!(sending(vec![sent(1, "1:2"), sent(2, "2:2")]), Ok(()));
    assert_eq!(sending(vec![sent(1, "1:3"), sent(2, "2:3"), sent(3, "3:3")]), Ok(()));
    for few in [vec![], vec![sent(1, "1:1")]] {
        let fault = sending(few).unwrap_err();
        assert_eq!(
            (fault.kind, fault.what.as_str()),
            (FaultKind::Product, "the message was not sent in chunks")
        );
    }
}

#[test]
fn every_chunk_must_be_accepted() {
    for status in [200, 400, 417, 423, 500] {
        let mut refused = sent(2, "2:3");
        refused.response.as_mut().unwrap().head.status = status;
        let fault = sending(vec![sent(1, "1:3"), refused, sent(3, "3:3")]).unwrap_err();
        assert_eq!(fault.expected.as_deref(), Some("202"), "{status}");
    }
    let fault = sending(vec![sent(1, "1:2"), cut_short(sent(2, "2:2"))]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Endpoint, "it is not known to have come");
}

#[test]
fn chunks_are_numbered_in_the_order_in_which_they_are_sent() {
    for (ranges, expected, seen) in [
        (["0:3", "1:3", "2:3"], "1:3", "0:3"),
        (["1:3", "3:3", "2:3"], "2:3", "3:3"),
        (["1:3", "2:3", "2:3"], "3:3", "2:3"),
        (["1:4", "2:4", "3:4"], "4:4", "nothing"),
        (["1:3", "1:3", "2:3"], "2:3", "1:3"),
        (["1:3", "2", "3:3"], "2:3", "2"),
    ] {
        let sends = || (1..).zip(ranges).map(|(place, range)| sent(place, range));
        let fault = sending(sends().collect()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Product, "{ranges:?}");
        assert_eq!(fault.expected, Some(format!("Mex-Chunk-Range: {expected}")));
        assert_eq!(fault.seen.as_deref(), Some(seen));
        assert_eq!(kind(sending(sends().map(of_counterpart).collect())), FaultKind::Harness, "it is our own");
    }
    let unnumbered = exchange(&format!("POST /messageexchange/A/outbox/{ID}/2"), 202, "");
    assert_eq!(sending(vec![sent(1, "1:2"), unnumbered]).unwrap_err().seen.as_deref(), Some("nothing"));
}

/// The endpoint refuses what is numbered wrongly, and the product stops: that it sent no more is no fault of its own.
#[test]
fn a_number_that_is_refused_is_told_before_the_refusal() {
    let mut refused = sent(2, "1:3");
    refused.response.as_mut().unwrap().head.status = 417;
    let fault = sending(vec![sent(1, "1:3"), refused]).unwrap_err();
    assert_eq!(fault.expected.as_deref(), Some("Mex-Chunk-Range: 2:3"));
    assert_eq!(fault.seen.as_deref(), Some("1:3"));
}

#[test]
fn every_chunk_is_downloaded_with_206_and_the_last_with_200() {
    assert_eq!(receiving(vec![got(1, 206, "1:3"), got(2, 206, "2:3"), got(3, 200, "3:3")]), Ok(()));
    assert_eq!(receiving(vec![got(1, 206, "1:2"), got(2, 200, "2:2")]), Ok(()));
    for (statuses, expected) in [([200, 206, 200], "206"), ([206, 200, 200], "206"), ([206, 206, 206], "200")]
    {
        let ranges = ["1:3", "2:3", "3:3"];
        let downloads =
            (1..).zip(statuses).zip(ranges).map(|((place, status), range)| got(place, status, range));
        let fault = receiving(downloads.collect()).unwrap_err();
        assert_eq!(fault.expected.as_deref(), Some(expected), "{statuses:?}");
    }
    assert!(receiving(vec![got(1, 206, "1:2"), cut_short(got(2, 200, "2:2"))]).is_err());
}

#[test]
fn a_chunk_must_be_the_one_that_was_asked_for_and_be_decoded() {
    let fault = receiving(vec![got(1, 206, "1:3"), got(2, 206, "3:3"), got(3, 200, "3:3")]).unwrap_err();
    assert_eq!(
        (fault.kind, fault.what.as_str()),
        (FaultKind::Endpoint, "chunk 2 of 3 is not what it says that it is")
    );
    let mut broken = got(2, 200, "2:2");
    broken.response.as_mut().unwrap().body = body(b"no gzip", true);
    let fault = receiving(vec![got(1, 206, "1:2"), broken]).unwrap_err();
    assert_eq!(
        (fault.kind, fault.what.as_str()),
        (FaultKind::Endpoint, "chunk 2 of 2 is not what it says that it is")
    );
    let unnumbered = exchange(&format!("GET /messageexchange/A/inbox/{ID}/2"), 200, "");
    assert_eq!(
        receiving(vec![got(1, 206, "1:2"), unnumbered]),
        Ok(()),
        "a range that is left off says nothing wrong"
    );
}

#[test]
fn all_chunks_must_be_downloaded_and_there_must_be_more_than_one() {
    for downloads in [
        vec![got(1, 206, "1:3")],
        vec![got(1, 206, "1:3"), got(2, 206, "2:3")],
        vec![got(1, 206, "1:2"), got(2, 200, "2:2"), got(3, 200, "none")],
    ] {
        let (count, fault) = (downloads.len(), receiving(downloads).unwrap_err());
        assert_eq!(fault.kind, FaultKind::Product);
        assert_eq!(fault.seen, Some(format!("{count} downloads")));
    }
    let whole = receiving(vec![got(1, 200, "1:1")]).unwrap_err();
    assert_eq!((whole.kind, whole.expected.as_deref()), (FaultKind::Endpoint, Some("2 chunks")));
    assert_eq!(kind(receiving(vec![])), FaultKind::Product, "the inbox has listed it");
}

#[test]
fn a_chunk_that_is_downloaded_twice_or_out_of_turn_is_no_fault_of_the_endpoint() {
    let twice = vec![got(1, 206, "1:3"), got(1, 206, "1:3"), got(2, 206, "2:3"), got(3, 200, "3:3")];
    let out_of_turn = vec![got(1, 206, "1:3"), got(3, 200, "3:3"), got(2, 206, "2:3")];
    for (downloads, seen) in [(twice, "chunk 1"), (out_of_turn, "chunk 3")] {
        let fault = receiving(downloads).unwrap_err();
        assert_eq!(
            (fault.kind, fault.what.as_str()),
            (FaultKind::Product, "chunks were not downloaded in order, each once")
        );
        assert_eq!((fault.expected.as_deref(), fault.seen.as_deref()), (Some("chunk 2"), Some(seen)));
    }
    let beyond = receiving(vec![got(1, 206, "1:2"), got(2, 200, "2:2"), got(3, 404, "none")]).unwrap_err();
    assert_eq!(
        (beyond.kind, beyond.what.as_str()),
        (FaultKind::Product, "more chunks were asked for than the message has")
    );
}

#[test]
fn each_chunk_must_hold_its_part_of_the_payload() {
    let parts = [b"one".as_slice(), b"two", b"three"].map(Sha256::of);
    let all = parts.map(Some);
    let other = Some(Sha256::of(b"other"));
    assert_eq!(chunks_unaltered(&parts, &all, None), Ok(()));
    assert_eq!(chunks_unaltered(&parts, &all, Some(Actor::Product)), Ok(()));
    for (seen, place) in [
        (vec![other, all[1], all[2]], 1),
        (vec![all[0], None, all[2]], 2),
        (vec![all[0], all[2], all[1]], 2),
        (vec![all[0], all[1]], 3),
        (vec![all[0], all[1], all[2], other], 4),
        (vec![], 1),
    ] {
        for (sender, blamed) in [
            (None, FaultKind::Endpoint),
            (Some(Actor::Product), FaultKind::Product),
            (Some(Actor::Counterpart), FaultKind::Harness),
        ] {
            let fault = chunks_unaltered(&parts, &seen, sender).unwrap_err();
            assert_eq!(fault.kind, blamed);
            assert!(fault.what.starts_with(&format!("chunk {place} that ")), "{}", fault.what);
            let source = if sender.is_some() { "Pack case 502" } else { "Pack case 501" };
            assert!(fault.source.is_some_and(|its| its.starts_with(source)));
        }
    }
    let fault = chunks_unaltered(&parts, &[all[0], None, all[2]], None).unwrap_err();
    assert_eq!(fault.expected, Some(format!("SHA-256 {}", parts[1])));
    assert_eq!(fault.seen.as_deref(), Some("nothing that can be decoded"));
    let fault = chunks_unaltered(&parts, &all[..2], None).unwrap_err();
    assert_eq!(fault.seen.as_deref(), Some("no such chunk"));
}

#[test]
fn a_message_is_sent_when_all_of_it_was_accepted() {
    let is_sent = |calls| {
        let calls = tape(calls);
        super::is_sent(&calls, &calls)
    };
    let plain = |status| exchange("POST /messageexchange/A/outbox", status, "");
    assert!(is_sent(vec![plain(202)]) && is_sent(vec![plain(503), plain(202)]));
    assert!(!is_sent(vec![]) && !is_sent(vec![plain(503)]) && !is_sent(vec![cut_short(plain(202))]));
    let all =
        |status| vec![sent_of(ID, 1, "1:3", 202), sent_of(ID, 2, "2:3", status), sent_of(ID, 3, "3:3", 202)];
    assert!(is_sent(all(202)) && !is_sent(all(503)));
    assert!(!is_sent(vec![sent_of(ID, 1, "1:2", 202)]));
    let of_two =
        vec![sent_of(ID, 1, "1:2", 202), sent_of(OTHER, 1, "1:2", 503), sent_of(OTHER, 2, "2:2", 202)];
    assert!(!is_sent(of_two), "a chunk of another message makes nothing whole");
}

#[test]
fn a_message_may_be_gone_on_with_at_the_chunk_that_failed() {
    let all = tape(vec![
        sent_of(OTHER, 1, "1:2", 202),
        sent_of(ID, 1, "1:2", 202),
        sent_of(ID, 2, "2:2", 503),
        sent_of(ID, 2, "2:2", 202),
    ]);
    assert!(!is_sent(&all[..3], &all[..3]));
    let again = &all[3..];
    assert!(Arc::ptr_eq(&resumed(again, &all).unwrap(), &all[1]));
    assert!(is_sent(again, &all));
    let accepted = accepted_sends_of(&id(), &all[1], &all);
    assert!(accepted.len() == 2 && Arc::ptr_eq(&accepted[1], &all[3]), "the chunk that was refused is none");
    assert!(!is_sent(&tape(vec![list()]), &all), "what was sent before is not sent by a look at the inbox");
    assert!(resumed(&all[1..], &all).is_none(), "it began anew");
    assert!(resumed(again, again).is_none(), "nothing is known of its beginning");
    let counterparts = tape(vec![of_counterpart(sent_of(ID, 1, "1:2", 202))]);
    assert!(resumed(again, &counterparts).is_none());
}

/// A message is delivered only when it is complete, so a half that was given up is no copy.
#[test]
fn to_begin_a_message_anew_of_which_a_chunk_failed_is_to_send_it_once() {
    let half = |id| [sent_of(id, 1, "1:2", 202), sent_of(id, 2, "2:2", 503)];
    let whole = |id| [sent_of(id, 1, "1:2", 202), sent_of(id, 2, "2:2", 202)];
    let anew = tape([half(ID), whole(OTHER)].concat());
    assert!(Arc::ptr_eq(&to_b(&anew).unwrap(), &anew[2]));
    let in_vain = tape([half(ID), half(OTHER)].concat());
    assert!(Arc::ptr_eq(&to_b(&in_vain).unwrap(), &in_vain[2]), "the last, where none is whole");
    let twice = to_b(&tape([whole(ID), whole(OTHER)].concat())).unwrap_err();
    assert_eq!(twice.what, "the product sent the message more than once, and each was accepted");
    assert_eq!(twice.seen.as_deref(), Some("2 accepted sends"));
    let plain = || send("mex-to: B");
    assert_eq!(to_b(&tape(vec![plain(), plain()])).unwrap_err().what, twice.what);
}
