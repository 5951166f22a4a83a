//! Each rule passes what is right and fails what is wrong, and says whose fault it is.

mod chunks;
mod compression;
mod refusals;
mod resilience;
mod trust;
mod volume;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::{
    protocol::{MessageId, Operation, WorkflowId},
    tape::{
        Actor, BodyRecord, BodyRecorder, Exchange, FailureKind, HashCheck, Redactor, RequestRecord,
        ResponseRecord, ScenarioNumber, Sha256, TimingRecord, TokenRecord, TransportFailure, Vantage,
    },
};

const ID: &str = "20261121120000000000_ABCDEF";

pub(super) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn body(bytes: &[u8], gzip: bool) -> BodyRecord {
    let mut recorder = BodyRecorder::new(gzip);
    recorder.update(bytes);
    recorder.finish(&Redactor::default())
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An exchange of the product, to be changed by a test.
pub(crate) fn exchange(request: &str, status: u16, reply: &str) -> Exchange {
    let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
    let mut words = line.split(' ');
    let method = words.next().unwrap().parse().unwrap();
    let path = words.next().unwrap();
    let raw = format!("{line} HTTP/1.1\r\n{}\r\n\r\n", headers.replace('\n', "\r\n"));
    let (head, _) = Redactor::default().request_head(raw.as_bytes());
    let response = format!("HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n\r\n");
    Exchange {
        scenario: ScenarioNumber(0),
        actor: Actor::Product,
        vantage: Vantage::Client,
        origin: "https://localhost".to_owned(),
        peer: None,
        operation: Operation::of(&method, path),
        request: RequestRecord { head, body: BodyRecord::empty() },
        response: Some(ResponseRecord {
            head: Redactor::default().response_head(response.as_bytes()),
            body: body(reply.as_bytes(), false),
        }),
        failure: None,
        started_at: noon(),
        timings: TimingRecord::default(),
        tls: None,
        token: Some(TokenRecord {
            mailbox: "A".to_owned(),
            nonce: String::new(),
            nonce_count: String::new(),
            timestamp: String::new(),
            hash: HashCheck::Matches,
        }),
        token_fault: None,
        relay: None,
    }
}

fn send(headers: &str) -> Exchange {
    let headers = format!("POST /messageexchange/A/outbox\naccept: application/vnd.mesh.v2+json\n{headers}");
    exchange(&headers, 202, &format!(r#"{{"message_id":"{ID}"}}"#))
}

fn tape(exchanges: Vec<Exchange>) -> Vec<Arc<Exchange>> {
    exchanges.into_iter().map(Arc::new).collect()
}

fn list() -> Exchange {
    exchange("GET /messageexchange/A/inbox", 200, r#"{"messages":[]}"#)
}

fn download() -> Exchange {
    exchange(&format!("GET /messageexchange/A/inbox/{ID}\naccept-encoding: gzip"), 200, "")
}

fn acknowledge() -> Exchange {
    exchange(&format!("PUT /messageexchange/A/inbox/{ID}/status/acknowledged"), 200, "")
}

fn kind<T: std::fmt::Debug>(result: Result<T, Fault>) -> FaultKind {
    result.unwrap_err().kind
}

#[test]
fn a_send_is_accepted_only_with_202_and_an_id_in_the_version_that_was_asked_for() {
    assert_eq!(message_accepted(&send(""), &[]).unwrap().as_str(), ID);
    let with = |status, reply: &str| {
        let request = "POST /messageexchange/A/outbox\naccept: application/vnd.mesh.v2+json";
        message_accepted(&exchange(request, status, reply), &[])
    };
    assert_eq!(kind(with(202, "")), FaultKind::Endpoint);
    assert_eq!(kind(with(202, r#"{"messageID":"X"}"#)), FaultKind::Endpoint, "that is the shape of v1");
    assert_eq!(kind(with(202, r#"{"message_id":"a b"}"#)), FaultKind::Endpoint);
    assert_eq!(kind(with(200, &format!(r#"{{"message_id":"{ID}"}}"#))), FaultKind::Product);
    assert_eq!(kind(with(500, "")), FaultKind::Endpoint);
    let v1 = exchange("POST /messageexchange/A/outbox", 202, r#"{"messageID":"X"}"#);
    assert_eq!(message_accepted(&v1, &[]).unwrap().as_str(), "X");
}

#[test]
fn what_the_endpoint_says_about_a_refusal_is_repeated() {
    let reply = r#"{"detail":[{"event":"SEND","code":"06","msg":"Malformed headers"}]}"#;
    let fault = message_accepted(&exchange("POST /messageexchange/A/outbox", 400, reply), &[]).unwrap_err();
    assert_eq!(fault.seen.as_deref(), Some("400 Status: 06 Malformed headers"));
    let reply = r#"{"detail":[{"loc":["header","mex-to"],"msg":"field required","type":"x"}]}"#;
    let fault = message_accepted(&exchange("POST /messageexchange/A/outbox", 400, reply), &[]).unwrap_err();
    assert_eq!(fault.seen.as_deref(), Some(r#"400 Status: ["header","mex-to"] field required"#));
}

#[test]
fn an_unknown_recipient_is_a_matter_of_configuration_and_other_417s_are_not() {
    let with = |code: &str| {
        let reply = format!(r#"{{"errorCode":"{code}","errorDescription":"x"}}"#);
        kind(message_accepted(&exchange("POST /messageexchange/A/outbox\nmex-to: B", 417, &reply), &[]))
    };
    assert_eq!(with("12"), FaultKind::Configuration);
    assert_eq!(with("02"), FaultKind::Product);
}

#[test]
fn a_page_of_markup_is_no_reply_of_mesh_whatever_its_status() {
    for status in [200, 202, 403, 404, 500] {
        let mut page = list();
        let head = format!("HTTP/1.1 {status} OK\r\ncontent-type: text/html; charset=utf-8\r\n\r\n");
        page.response = Some(ResponseRecord {
            head: Redactor::default().response_head(head.as_bytes()),
            body: body(b"<html>", false),
        });
        let fault = inbox_listed(&page, &[]).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Endpoint, "{status}");
        assert!(fault.what.contains("is not MESH"), "{}", fault.what);
    }
}

/// A payload may be markup; a page in the place of a payload may not be held against the product.
#[test]
fn markup_in_the_place_of_a_download_is_told_from_markup_that_was_downloaded() {
    let with = |status: u16| {
        let head = format!("HTTP/1.1 {status} OK\r\ncontent-type: text/html\r\n\r\n");
        let response = ResponseRecord {
            head: Redactor::default().response_head(head.as_bytes()),
            body: body(b"<html>", false),
        };
        downloaded(&Exchange { response: Some(response), ..download() }, &[])
    };
    assert_eq!(with(200), Ok(()));
    for status in [403, 404, 410] {
        assert_eq!(kind(with(status)), FaultKind::Endpoint, "{status}");
    }
}

#[test]
fn an_inbox_page_must_be_one() {
    assert!(inbox_listed(&list(), &[]).is_ok());
    for reply in ["", "[]", r#"{"messages":"none"}"#, "<"] {
        let page = exchange("GET /messageexchange/A/inbox", 200, reply);
        assert_eq!(kind(inbox_listed(&page, &[])), FaultKind::Endpoint, "{reply}");
    }
}

#[test]
fn the_same_refusal_counts_against_the_product_and_not_when_the_counterpart_gets_it() {
    let refused = |actor| Exchange { actor, ..exchange("POST /messageexchange/A", 403, "") };
    assert_eq!(kind(handshake_accepted(&refused(Actor::Product), &[])), FaultKind::Product);
    assert_eq!(kind(handshake_accepted(&refused(Actor::Counterpart), &[])), FaultKind::Configuration);
}

#[test]
fn a_token_whose_hash_differs_is_told_from_one_with_a_wrong_password() {
    let mut refused = exchange("POST /messageexchange/A", 403, "");
    if let Some(token) = &mut refused.token {
        token.hash = HashCheck::Differs;
    }
    assert!(
        handshake_accepted(&refused, &[]).unwrap_err().what.contains("not made as the specification says")
    );
}

/// A wrong password, or a disabled mailbox, would be the wrong thing to look for.
#[test]
fn a_token_that_was_used_before_is_told_from_one_with_a_wrong_password() {
    let first = Arc::new(exchange("POST /messageexchange/A", 200, ""));
    let again = exchange("POST /messageexchange/A", 403, "");
    let again = Exchange { started_at: first.started_at + chrono::TimeDelta::seconds(1), ..again };
    let fault = handshake_accepted(&again, std::slice::from_ref(&first)).unwrap_err();
    assert!(fault.what.contains("used before"), "{fault:?}");
    // Whatever the clocks show: a scenario may have moved the endpoint's.
    let mut days_ahead = again.clone();
    if let Some(response) = &mut days_ahead.response {
        let head = b"HTTP/1.1 403 Forbidden\r\nDate: Sun, 29 Nov 2026 12:00:00 GMT\r\n\r\n";
        response.head = Redactor::default().response_head(head);
    }
    let fault = handshake_accepted(&days_ahead, std::slice::from_ref(&first)).unwrap_err();
    assert!(fault.what.contains("used before"), "{fault:?}");
    assert!(handshake_accepted(&days_ahead, &[]).unwrap_err().what.contains("clock"));
    // It is not its own forerunner, nor is one with another count.
    let alone = Arc::new(again.clone());
    assert!(!handshake_accepted(&again, &[alone]).unwrap_err().what.contains("used before"));
    let mut other = (*first).clone();
    if let Some(token) = &mut other.token {
        token.nonce_count.push('1');
    }
    assert!(!handshake_accepted(&again, &[Arc::new(other)]).unwrap_err().what.contains("used before"));
}

#[test]
fn a_token_that_cannot_be_read_is_told_by_what_is_wrong_with_it() {
    let mut refused = exchange("POST /messageexchange/A", 403, "");
    (refused.token, refused.token_fault) = (None, Some(crate::tape::TokenFault::Count));
    let fault = handshake_accepted(&refused, &[]).unwrap_err();
    assert_eq!(fault.what, "the endpoint refused a call of A, whose Authorization header is not a token");
    assert!(fault.remedy.contains("the nonce count is a number"), "{fault:?}");
    refused.token_fault = None;
    let fault = handshake_accepted(&refused, &[]).unwrap_err();
    assert_eq!(fault.what, "the endpoint refused a call of A that has no Authorization header");
}

#[test]
fn labels_may_be_left_off_or_ones_own_but_not_change_places() {
    let asked = [("Mex-LocalID", "L"), ("Mex-Subject", "S"), ("Mex-FileName", "F")];
    for right in [
        "",
        "mex-localid: L\nmex-subject: S\nmex-filename: F",
        "mex-localid: a number of its own\nmex-filename: payload.bin",
        "mex-localid: F\nmex-filename: F",
        "mex-subject: F\nmex-localid: a number of its own",
        "mex-localid: S",
    ] {
        assert_eq!(labels_in_place(&send(right), &asked), Ok(()), "{right}");
    }
    for wrong in [
        "mex-localid: S\nmex-subject: L",
        "mex-localid: S\nmex-subject: F\nmex-filename: L",
        "mex-localid: S\nmex-subject: F",
    ] {
        let fault = labels_in_place(&send(wrong), &asked).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Product, "{wrong}");
        assert_eq!(fault.expected.as_deref(), Some("Mex-LocalID: L"));
        assert_eq!(fault.seen.as_deref(), Some("Mex-LocalID: S"));
    }
}

#[test]
fn a_local_id_may_not_be_that_of_another_message() {
    let judged = |headers: &str| {
        not_labelled_as_another(&send(headers), "run-202", |label| ["run-201", "run-202"].contains(&label))
    };
    for right in ["", "mex-localid: run-202", "mex-localid: 7", "mex-localid: run-2011"] {
        assert_eq!(judged(right), Ok(()), "{right}");
    }
    let fault = judged("mex-localid: run-201").unwrap_err();
    assert_eq!((fault.kind, fault.seen.as_deref()), (FaultKind::Product, Some("Mex-LocalID: run-201")));
}

#[test]
fn what_was_acknowledged_is_held() {
    const OTHER: &str = "20261121120000000001_ABCDEF";
    let other = exchange(&format!("PUT /messageexchange/A/inbox/{OTHER}/status/acknowledged"), 200, "");
    let all = tape(vec![acknowledge(), other]);
    let judged = |missing: &[&str], tape: &[_]| holds_what_it_acknowledged(missing, 3, tape);
    assert_eq!(judged(&[], &all), Ok(()));
    assert_eq!(judged(&[ID], &all[1..]), Ok(()), "MESH has it still");
    let one = judged(&[ID], &all).unwrap_err();
    assert_eq!(one.what, format!("the product does not hold message {ID}, which it has acknowledged"));
    let two = judged(&[ID, OTHER], &all).unwrap_err();
    assert_eq!(two.what, "the product does not hold 2 of 3 messages, which it has acknowledged");
    assert_eq!((two.kind, two.seen.as_deref()), (FaultKind::Product, Some("1 of 3")));
}

#[test]
fn who_has_no_report_must_have_looked_and_left_nothing() {
    let listing = || exchange("GET /messageexchange/A/inbox", 200, &format!(r#"{{"messages": ["{ID}"]}}"#));
    let refused = exchange("GET /messageexchange/A/inbox", 403, "");
    assert_eq!(kind(was_shown_inbox(&tape(vec![download()]), &[])), FaultKind::Product);
    assert!(was_shown_inbox(&tape(vec![refused, listing()]), &[]).is_err());
    assert_eq!(was_shown_inbox(&tape(vec![listing()]), &[]), Ok(()));
    assert_eq!(left_nothing(&tape(vec![listing(), download()])), Ok(()));
    assert_eq!(left_nothing(&tape(vec![list()])), Ok(()));
    let fault = left_nothing(&tape(vec![listing()])).unwrap_err();
    assert!(fault.kind == FaultKind::Product && fault.what.contains(ID), "{fault:?}");
    let gone = Exchange {
        started_at: noon() + TimeDelta::seconds(1),
        ..exchange(&format!("GET /messageexchange/A/inbox/{ID}"), 410, "")
    };
    for lost in [vec![listing(), acknowledge(), gone], vec![listing(), acknowledge()]] {
        let fault = left_nothing(&tape(lost)).unwrap_err();
        assert_eq!(fault.what, "the message was acknowledged before it was downloaded");
    }
}

#[test]
fn a_look_that_asks_for_other_workflows_finds_none_of_this_one() {
    let workflow = WorkflowId::parse("WITNESS_TEST").unwrap();
    let look = |query: &str| {
        let mut look = list();
        look.request.head.target += query;
        look
    };
    let asks = |queries: &[&str]| {
        looks_for_workflow(&tape(queries.iter().map(|query| look(query)).collect()), &workflow)
    };
    for queries in [&[][..], &[""], &["?workflow_filter=WITNESS*"], &["?workflow_filter=OTHER", ""]] {
        assert_eq!(asks(queries), Ok(()), "{queries:?}");
    }
    let fault = asks(&["?workflow_filter=OTHER"]).unwrap_err();
    assert_eq!((fault.kind, fault.seen.as_deref()), (FaultKind::Product, Some("workflow_filter=OTHER")));
}

#[test]
fn each_transport_failure_has_its_owner() {
    use FailureKind as Failure;
    for (failure, owner) in [
        (Failure::NameNotFound, FaultKind::Endpoint),
        (Failure::ConnectionRefused, FaultKind::Endpoint),
        (Failure::UnknownIssuer, FaultKind::Configuration),
        (Failure::BadServerCertificate, FaultKind::Endpoint),
        (Failure::ClientCertificateRequired, FaultKind::Configuration),
        (Failure::ClientCertificateRefused, FaultKind::Configuration),
        (Failure::Tls, FaultKind::Endpoint),
        (Failure::TimedOut, FaultKind::Endpoint),
        (Failure::Closed, FaultKind::Endpoint),
        (Failure::NotHttp, FaultKind::Endpoint),
    ] {
        let failed = Exchange {
            response: None,
            failure: Some(TransportFailure { kind: failure, detail: "x".to_owned() }),
            ..list()
        };
        let fault = inbox_listed(&failed, &[]).unwrap_err();
        assert_eq!(fault.kind, owner, "{failure:?}");
        assert!(!fault.remedy.is_empty() && fault.source.is_some());
    }
}

#[test]
fn a_failure_after_a_good_status_is_still_a_failure() {
    let failure = Some(TransportFailure { kind: FailureKind::Closed, detail: "x".to_owned() });
    assert!(downloaded(&Exchange { failure, ..download() }, &[]).is_err());
}

#[test]
fn headers_must_be_there_and_not_empty() {
    let names = ["Mex-To", "Mex-WorkflowID"];
    assert_eq!(headers_sent(&send("mex-to: B\nMEX-WORKFLOWID: W"), &names), Ok(()));
    let fault = headers_sent(&send("mex-to: B\nmex-workflowid:"), &names).unwrap_err();
    assert_eq!((fault.kind, fault.seen.as_deref()), (FaultKind::Product, Some("no Mex-WorkflowID")));
}

#[test]
fn a_header_that_is_misspelt_is_told() {
    let seen = |headers: &str| {
        let names = ["Mex-To", "Mex-WorkflowID", "Mex-Content-Compressed"];
        headers_sent(&send(headers), &names).unwrap_err().seen.unwrap()
    };
    assert_eq!(
        seen("mex-to: B\nmex-workflow-id: W\nMex-Content-Compress: Y"),
        "no Mex-WorkflowID, Mex-Content-Compressed, but mex-workflow-id, Mex-Content-Compress"
    );
    assert_eq!(seen("mex-to: B\nmex-workflowid: W\nmex-from: A"), "no Mex-Content-Compressed");
}

#[test]
fn compression_must_be_declared_twice_and_be_true() {
    let compressed = |headers: &str, bytes: &[u8]| {
        let mut send = send(headers);
        send.request.body = body(bytes, headers.contains("gzip"));
        send
    };
    let both = "content-encoding: gzip\nmex-content-compressed: Y";
    assert_eq!(compression_declared(&compressed(both, &zipped(b"x"))), Ok(()));
    for (headers, bytes) in [
        ("mex-content-compressed: Y", zipped(b"x")),
        ("content-encoding: gzip", zipped(b"x")),
        ("content-encoding: gzip\nmex-content-compressed: N", zipped(b"x")),
        (both, b"not gzip".to_vec()),
    ] {
        assert_eq!(kind(compression_declared(&compressed(headers, &bytes))), FaultKind::Product, "{headers}");
    }
}

#[test]
fn a_plain_send_declares_no_compression() {
    assert_eq!(no_compression_declared(&send("")), Ok(()));
    assert_eq!(
        no_compression_declared(&send("content-encoding: identity\nmex-content-compressed: N")),
        Ok(())
    );
    assert!(no_compression_declared(&send("content-encoding: gzip")).is_err());
    assert!(no_compression_declared(&send("mex-content-compressed: Y")).is_err());
}

#[test]
fn a_compressed_download_must_be_offered_and_given() {
    let with = |offer: &str, gzip: bool| {
        let mut download =
            exchange(&format!("GET /messageexchange/A/inbox/{ID}\naccept-encoding: {offer}"), 200, "");
        if let Some(response) = &mut download.response {
            response.body = body(&zipped(b"x"), gzip);
        }
        download
    };
    assert_eq!(download_compressed(&with("gzip", true)), Ok(()));
    assert_eq!(kind(download_compressed(&with("identity", true))), FaultKind::Product);
    assert_eq!(kind(download_compressed(&with("gzip", false))), FaultKind::Endpoint);
}

#[test]
fn the_payload_must_be_what_was_asked_sent_and_stored() {
    let with = |sent: &[u8], arrived: &[u8], gzip: bool| {
        let (mut send, mut download) = (send(""), download());
        send.request.body = body(sent, false);
        if let Some(response) = &mut download.response {
            response.body = body(arrived, gzip);
        }
        payload_unaltered(Sha256::of(b"payload"), &send, &download)
    };
    assert_eq!(with(b"payload", b"payload", false), Ok(()));
    assert_eq!(with(b"payload", &zipped(b"payload"), true), Ok(()), "however it travelled");
    assert_eq!(kind(with(b"Payload", b"Payload", false)), FaultKind::Product, "not what was asked for");
    assert_eq!(kind(with(b"payload", b"payloae", false)), FaultKind::Endpoint);
    assert_eq!(kind(with(b"payload", b"payload", true)), FaultKind::Endpoint, "declared gzip and is not");
    assert_eq!(kind(with(b"payload", b"", false)), FaultKind::Endpoint);
}

#[test]
fn the_inbox_check_must_be_the_next_call_and_soon() {
    let check = |after: Vec<Exchange>| {
        let mut all = vec![send("")];
        all.extend(after);
        let tape = tape(all);
        inbox_checked_directly(&tape[0], &tape)
    };
    let late = |seconds| Exchange { started_at: noon() + TimeDelta::seconds(seconds), ..list() };
    assert_eq!(check(vec![list()]), Ok(()));
    assert_eq!(check(vec![late(60)]), Ok(()));
    assert!(check(vec![late(61)]).is_err(), "assessors took exception to five minutes");
    assert!(check(vec![]).is_err());
    assert!(check(vec![acknowledge(), list()]).is_err());
    let other = Exchange { actor: Actor::Counterpart, ..acknowledge() };
    assert_eq!(check(vec![other, list()]), Ok(()), "what the counterpart does makes no difference");
}

/// A product may send in chunks what it was not asked to send in chunks.
#[test]
fn the_inbox_check_follows_the_last_chunk() {
    let first = || {
        exchange(
            "POST /messageexchange/A/outbox\nmex-chunk-range: 1:2",
            202,
            &format!(r#"{{"message_id":"{ID}"}}"#),
        )
    };
    let chunk = || exchange(&format!("POST /messageexchange/A/outbox/{ID}/2"), 202, "");
    let check = |all: Vec<Exchange>| {
        let tape = tape(all);
        inbox_checked_directly(&tape[0], &tape)
    };
    assert_eq!(check(vec![first(), chunk(), list()]), Ok(()));
    assert!(check(vec![first(), list(), chunk()]).is_err());
    assert!(check(vec![first(), chunk(), acknowledge()]).is_err());
}

#[test]
fn the_acknowledgement_must_be_the_next_call_after_the_only_download() {
    let id = MessageId::parse(ID).unwrap();
    let check = |exchanges: Vec<Exchange>| {
        let tape = tape(exchanges);
        acknowledged_directly(&id, &tape[0], &tape)
    };
    assert_eq!(check(vec![download(), acknowledge()]), Ok(()));
    assert!(check(vec![download()]).is_err());
    assert!(check(vec![download(), list(), acknowledge()]).is_err());
    assert!(
        check(vec![download(), download(), acknowledge()]).is_err(),
        "one message was once fetched 66 times"
    );
    let other = exchange("PUT /messageexchange/A/inbox/OTHER/status/acknowledged", 200, "");
    assert!(check(vec![download(), other]).is_err());
    let post = exchange(&format!("POST /messageexchange/A/inbox/{ID}/status/acknowledged"), 405, "");
    let seen = check(vec![download(), post]).unwrap_err().seen;
    assert!(seen.is_some_and(|seen| seen.starts_with("another call (POST /messageexchange/A/inbox/")));
    assert_eq!(check(vec![download()]).unwrap_err().seen.as_deref(), Some("nothing"));
    let chunk = |number: u32| exchange(&format!("GET /messageexchange/A/inbox/{ID}/{number}"), 200, "");
    assert_eq!(check(vec![chunk(1), acknowledge()]), Ok(()), "its first chunk by number is the same");
    assert!(check(vec![chunk(1), download(), acknowledge()]).is_err(), "twice");
    let fault = check(vec![chunk(2), acknowledge()]).unwrap_err();
    assert_eq!(fault.what, "the message was not downloaded by its ID", "not: more than once, 0 downloads");
    let head = || exchange(&format!("HEAD /messageexchange/A/inbox/{ID}"), 200, "");
    assert_eq!(check(vec![head(), acknowledge()]), Ok(()), "of a report that is all");
    assert!(check(vec![head()]).is_err());
}

/// A product that kept IDs in lower case was said to download nothing, and an endpoint to list no full pages.
#[test]
fn messages_are_named_letter_for_letter_as_the_inbox_lists_them() {
    let other = ID.to_ascii_lowercase();
    let list = || exchange("GET /messageexchange/A/inbox", 200, &format!(r#"{{"messages":["{ID}"]}}"#));
    let acts = |call: &str, status| {
        [list(), exchange(&call.replace("ID", &other), status, "")].map(Arc::new).to_vec()
    };
    let get = "GET /messageexchange/A/inbox/ID";
    let fault = named_as_listed(&acts(get, 404)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Product);
    assert_eq!(fault.expected.as_deref(), Some(ID));
    assert_eq!(fault.seen, Some(format!("download message {other}, answered 404")));
    for call in ["HEAD /messageexchange/A/inbox/ID", "PUT /messageexchange/A/inbox/ID/status/acknowledged"] {
        named_as_listed(&acts(call, 404)).unwrap_err();
    }
    // An endpoint may take it so.
    named_as_listed(&acts(get, 200)).unwrap();
    let right = exchange(&get.replace("ID", ID), 404, "");
    named_as_listed(&[list(), right].map(Arc::new)).unwrap();
    // Nobody knows what was meant.
    let unknown = exchange(&get.replace("ID", "20261121120000000000_ABCDE0"), 404, "");
    named_as_listed(&[list(), unknown].map(Arc::new)).unwrap();
}
