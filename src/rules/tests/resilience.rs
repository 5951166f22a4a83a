//! What a product does when things are hard.

use std::collections::BTreeMap;

use super::*;
use crate::tape::TransportFailure;

const OTHER: &str = "20261121120000000001_ABCDEF";

fn at(milliseconds: i64, exchange: Exchange) -> Exchange {
    Exchange { started_at: noon() + TimeDelta::milliseconds(milliseconds), ..exchange }
}

fn broken_off(exchange: Exchange) -> Exchange {
    let failure = TransportFailure { kind: FailureKind::Closed, detail: String::new() };
    Exchange { failure: Some(failure), ..exchange }
}

fn unanswered(exchange: Exchange) -> Exchange {
    Exchange { response: None, ..broken_off(exchange) }
}

fn with_header(mut exchange: Exchange, header: &str) -> Exchange {
    let response = exchange.response.as_mut().unwrap();
    let raw = format!("HTTP/1.1 {} Status\r\n{header}\r\n\r\n", response.head.status);
    response.head = Redactor::default().response_head(raw.as_bytes());
    exchange
}

fn refused_list(status: u16) -> Exchange {
    exchange("GET /messageexchange/A/inbox", status, "<xml/>")
}

fn chunk(number: u32, total: u32) -> Exchange {
    let path = if number == 1 { ID.to_owned() } else { format!("{ID}/{number}") };
    let status = if number == total { 200 } else { 206 };
    let download = exchange(&format!("GET /messageexchange/A/inbox/{path}"), status, "content");
    with_header(download, &format!("MEX-chunk-RANGE: {number}:{total}"))
}

fn send_as(local_id: &str, status: u16) -> Exchange {
    let local_id = if local_id.is_empty() { String::new() } else { format!("\nmex-localid: {local_id}") };
    exchange(&format!("POST /messageexchange/A/outbox{local_id}"), status, "")
}

fn sent_chunk(number: u32, total: u32, status: u16) -> Exchange {
    let path = if number == 1 { String::new() } else { format!("/{ID}/{number}") };
    let request = format!("POST /messageexchange/A/outbox{path}\nmex-chunk-range: {number}:{total}");
    exchange(&request, status, "")
}

#[test]
fn a_storm_is_told_from_a_librarys_repeats_and_from_calls_that_are_far_apart() {
    let calls = |count: i64, apart: i64| {
        tape((0..count).map(|number| at(number * apart, refused_list(503))).collect())
    };
    assert_eq!(no_storm(&calls(5, 100)), Ok(None));
    assert!(no_storm(&calls(6, 100)).unwrap().is_some(), "a warning");
    assert!(no_storm(&calls(10, 100)).unwrap().is_some(), "a warning");
    let fault = no_storm(&calls(11, 100)).unwrap_err();
    assert_eq!((fault.kind, fault.seen.as_deref()), (FaultKind::Product, Some("11")));
    assert!(fault.what.ends_with("check inbox"), "{fault}");
    assert_eq!(no_storm(&calls(40, 2_500)), Ok(None), "five within ten seconds");
}

#[test]
fn calls_that_are_answered_well_or_are_of_different_messages_are_no_storm() {
    let lists = (0..40).map(|number| at(number, list()));
    assert_eq!(no_storm(&tape(lists.collect())), Ok(None));
    let missing =
        |number: i64| at(number, exchange(&format!("GET /messageexchange/A/inbox/{ID}{number}"), 404, ""));
    assert_eq!(no_storm(&tape((0..40).map(missing).collect())), Ok(None));
    let varied =
        |number: i64| at(number, exchange(&format!("GET /messageexchange/A/inbox?_={number}"), 503, ""));
    let mut varied: Vec<Exchange> = (0..40).map(varied).collect();
    assert!(no_storm(&tape(varied.clone())).is_err(), "it is the same call, whatever its query");
    varied
        .iter_mut()
        .for_each(|call| call.operation = Operation::of(&http::Method::GET, "/messageexchange/A/inbox"));
    assert!(no_storm(&tape(varied)).is_err());
    let lost = (0..40).map(|number| at(number, unanswered(list())));
    assert!(no_storm(&tape(lost.collect())).is_err(), "one that is not answered at all counts as well");
}

#[test]
fn a_product_waits_until_retry_after_is_over() {
    let told = || with_header(refused_list(503), "Retry-After: 2");
    let after = |milliseconds| waits_as_told(&tape(vec![told(), at(milliseconds, list())]));
    assert!(after(0).is_err() && after(1_700).is_err());
    assert_eq!(after(1_800), Ok(()), "clocks differ a little");
    assert_eq!(after(2_000), Ok(()));
    assert_eq!(waits_as_told(&tape(vec![told()])), Ok(()), "no call at all");
    let without = tape(vec![refused_list(503), at(1, list())]);
    assert_eq!(waits_as_told(&without), Ok(()));
    // By the endpoint's clock, which is an hour behind.
    let date = "Date: Fri, 15 Jan 2027 07:00:00 GMT\r\nRetry-After: Fri, 15 Jan 2027 07:00:02 GMT";
    let after = |milliseconds| {
        waits_as_told(&tape(vec![with_header(refused_list(503), date), at(milliseconds, list())]))
    };
    assert!(after(1_700).is_err(), "a date is a time as well");
    assert_eq!(after(2_000), Ok(()));
}

#[test]
fn only_what_was_had_whole_may_be_acknowledged() {
    let judged = |calls| acknowledges_only_whole([ID], &tape(calls));
    assert_eq!(judged(vec![download(), acknowledge()]), Ok(()));
    assert_eq!(judged(vec![]), Ok(()));
    assert_eq!(judged(vec![broken_off(download()), download(), acknowledge()]), Ok(()));
    assert!(judged(vec![acknowledge()]).is_err());
    assert!(judged(vec![broken_off(download()), acknowledge()]).is_err());
    assert!(judged(vec![acknowledge(), download()]).is_err());
    assert!(judged(vec![acknowledge(), download(), acknowledge()]).is_err());
    let refused = exchange(&format!("GET /messageexchange/A/inbox/{ID}"), 404, "");
    assert!(judged(vec![refused, acknowledge()]).is_err());
    assert!(left_alone(&MessageId::parse(ID).unwrap(), &tape(vec![acknowledge()])).is_err());
}

#[test]
fn a_message_in_chunks_is_whole_when_each_chunk_is() {
    let judged = |calls| acknowledges_only_whole([ID], &tape(calls));
    assert_eq!(judged(vec![chunk(1, 3), chunk(2, 3), chunk(3, 3), acknowledge()]), Ok(()));
    let again = vec![chunk(1, 3), broken_off(chunk(2, 3)), chunk(2, 3), chunk(3, 3), acknowledge()];
    assert_eq!(judged(again.clone()), Ok(()));
    let id = MessageId::parse(ID).unwrap();
    let numbers: Vec<_> =
        chunks_in_the_end(&id, &tape(again)).iter().map(|chunk| chunk.failure.is_none()).collect();
    assert_eq!(numbers, [true; 3]);
    assert!(judged(vec![chunk(1, 3), broken_off(chunk(2, 3)), chunk(3, 3), acknowledge()]).is_err());
    assert!(judged(vec![chunk(1, 3), acknowledge()]).is_err());
}

#[test]
fn what_says_that_it_is_gzip_and_is_not_was_not_had() {
    let mut download = download();
    download.response.as_mut().unwrap().body = body(b"not gzip", true);
    assert!(acknowledges_only_whole([ID], &tape(vec![download, acknowledge()])).is_err());
}

#[test]
fn everything_is_taken_in_the_end() {
    let judged = |calls| taken_in_the_end([ID], &tape(calls));
    assert_eq!(judged(vec![download(), acknowledge()]), Ok(()));
    assert_eq!(judged(vec![broken_off(download()), download(), acknowledge()]), Ok(()));
    let fault = judged(vec![broken_off(download())]).unwrap_err();
    assert!(fault.what.contains("never downloaded"), "{fault}");
    let refused = || exchange(&format!("PUT /messageexchange/A/inbox/{ID}/status/acknowledged"), 503, "");
    for calls in [vec![download()], vec![download(), refused()]] {
        assert!(judged(calls).unwrap_err().what.contains("never acknowledged"));
    }
    assert_eq!(judged(vec![download(), refused(), acknowledge()]), Ok(()));
    assert!(taken_in_the_end([ID, OTHER], &tape(vec![download(), acknowledge()])).is_err());
}

/// Whether an acknowledgement that was not answered took effect is what the inbox says afterwards.
#[test]
fn a_lost_acknowledgement_is_good_when_the_message_is_not_listed_any_more() {
    let still = exchange("GET /messageexchange/A/inbox", 200, &format!(r#"{{"messages":["{ID}"]}}"#));
    let judged = |last| taken_in_the_end([ID], &tape(vec![download(), unanswered(acknowledge()), last]));
    assert_eq!(judged(list()), Ok(()));
    assert!(judged(still).is_err());
    assert!(taken_in_the_end([ID], &tape(vec![download(), list()])).is_err(), "nobody acknowledged it");
}

#[test]
fn what_was_downloaded_in_the_end_is_what_was_sent() {
    let sent = |content: &[u8]| BTreeMap::from([(ID.to_owned(), Sha256::of(content))]);
    let calls = tape(vec![download(), acknowledge()]);
    assert_eq!(unaltered_in_the_end(&sent(b""), &calls), Ok(()));
    assert_eq!(unaltered_in_the_end(&sent(b"other"), &calls).unwrap_err().kind, FaultKind::Endpoint);
}

/// As the remedies advise it.
#[test]
fn a_send_that_was_not_answered_may_be_looked_for_by_tracking() {
    let v1 = |status: &str| format!(r#"{{"status":"{status}","localId":"a"}}"#);
    let by_local_id = |reply: &str| exchange("GET /messageexchange/A/outbox/tracking/a", 200, reply);
    let by_id = |reply: &str| exchange("GET /messageexchange/A/outbox/tracking", 200, reply);
    let lost = || unanswered(send_as("a", 202));
    let found = |calls| was_found_by_tracking(&tape(calls));
    for told in [
        by_local_id(&v1("Accepted")),
        by_local_id(&v1("Acknowledged")),
        by_local_id(r#"{"status":"accepted"}"#),
        by_id(r#"{"status":"accepted","local_id":"a"}"#),
    ] {
        assert!(found(vec![lost(), told.clone()]));
        assert!(!found(vec![told.clone(), lost()]), "it was not there to be found yet");
        assert!(!found(vec![send_as("a", 503), told]), "a send that was refused was not accepted");
    }
    for told in [
        by_local_id(&v1("Error")),
        by_local_id("accepted"),
        by_id(r#"{"status":"accepted","local_id":"b"}"#),
        exchange("GET /messageexchange/A/outbox/tracking/b", 200, r#"{"status":"Accepted"}"#),
        exchange("GET /messageexchange/A/outbox/tracking/a", 404, &v1("Accepted")),
        list(),
    ] {
        assert!(!found(vec![lost(), told]));
    }
    let nameless = by_id(r#"{"status":"accepted","local_id":""}"#);
    assert!(
        !found(vec![unanswered(send_as("", 202)), nameless]),
        "without a local ID nobody knows which it is"
    );
}

#[test]
fn the_last_call_of_an_operation_says_how_it_ended() {
    let lists = |operation: &Operation| matches!(operation, Operation::CheckInbox(_));
    let ended = |acts: Vec<Exchange>| {
        let acts = tape(acts);
        last_of(&acts, lists).map(|last| last.is_good())
    };
    assert_eq!(ended(vec![refused_list(503), list(), acknowledge()]), Some(true));
    assert_eq!(ended(vec![list(), refused_list(503), acknowledge()]), Some(false));
    assert_eq!(ended(vec![broken_off(list())]), Some(false));
    assert_eq!(ended(vec![acknowledge()]), None, "there was none");
}

#[test]
fn a_send_is_repeated_with_care_or_not_at_all() {
    assert_eq!(sends_with_care(&tape(vec![send_as("a", 503)])), Ok(()));
    assert_eq!(sends_with_care(&tape(vec![send_as("a", 503), send_as("a", 202)])), Ok(()));
    for (first, second) in [("a", "b"), ("", "")] {
        let fault = sends_with_care(&tape(vec![send_as(first, 503), send_as(second, 202)])).unwrap_err();
        assert!(fault.what.contains("without the same Mex-LocalID"), "{fault}");
    }
    let fault = sends_with_care(&tape(vec![unanswered(send_as("a", 202)), send_as("a", 202)])).unwrap_err();
    assert!(fault.what.contains("was not answered"), "{fault}");
}

#[test]
fn to_give_up_an_answer_is_told() {
    assert_eq!(waits_for_answers(&tape(vec![send("")])), Ok(()));
    assert!(waits_for_answers(&tape(vec![unanswered(send(""))])).is_err());
}

#[test]
fn no_chunk_follows_one_that_was_refused_for_good() {
    let second = |status| vec![sent_chunk(1, 3, 202), sent_chunk(2, 3, status)];
    let third = |status| [second(status), vec![sent_chunk(3, 3, 417)]].concat();
    for status in [417, 423] {
        assert_eq!(stops_sending_chunks(&tape(second(status))), Ok(()));
        assert!(stops_sending_chunks(&tape(third(status))).is_err());
    }
    for status in [202, 503] {
        assert_eq!(stops_sending_chunks(&tape(third(status))), Ok(()));
    }
}

#[test]
fn a_recipient_has_a_message_once() {
    assert_eq!(arrived_once(1), Ok(()));
    assert_eq!(arrived_once(2).unwrap_err().seen.as_deref(), Some("2"));
}

#[test]
fn a_failure_that_is_taken_for_a_success_is_told_with_its_answer() {
    let acts = tape(vec![send_as("a", 503), list()]);
    let fault = took_for_success(last_failed(&acts).unwrap(), "exit code 0");
    assert!(fault.what.ends_with("send message was answered 503"), "{fault}");
    let acts = tape(vec![unanswered(send_as("a", 202))]);
    assert!(took_for_success(last_failed(&acts).unwrap(), "").what.ends_with("not answered"));
    assert!(last_failed(&tape(vec![list()])).is_none());
}
