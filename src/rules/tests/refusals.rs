//! What MESH says no to, and what it reports: each judgement both ways.

use super::*;

const OTHER: &str = "20261121120000000000_FFFFFF";

fn id() -> MessageId {
    MessageId::parse(ID).unwrap()
}

fn refused_list() -> Exchange {
    exchange("GET /messageexchange/A/inbox", 403, "")
}

fn refused_download() -> Exchange {
    exchange(&format!("GET /messageexchange/A/inbox/{ID}"), 404, "")
}

fn refused_send(reply: &str) -> Exchange {
    exchange("POST /messageexchange/A/outbox\nmex-to: B", 417, reply)
}

fn of_counterpart(exchange: Exchange) -> Exchange {
    Exchange { actor: Actor::Counterpart, ..exchange }
}

/// Whether the product copes with the first of these, by what follows.
fn coping(all: Vec<Exchange>) -> Result<(), Fault> {
    let all = tape(all);
    copes(&all[0], &all)
}

#[test]
fn the_answer_must_have_the_status_of_the_case() {
    assert_eq!(answered(&refused_list(), 403, &[]), Ok(()));
    assert_eq!(answered(&refused_download(), 404, &[]), Ok(()));
    for (seen, blamed) in [
        (200, FaultKind::Endpoint),
        (302, FaultKind::Endpoint),
        (410, FaultKind::Product),
        (500, FaultKind::Endpoint),
    ] {
        let other = exchange(&format!("GET /messageexchange/A/inbox/{ID}"), seen, "");
        let fault = answered(&other, 404, &[]).unwrap_err();
        assert_eq!((fault.kind, fault.expected.as_deref()), (blamed, Some("404")), "{seen}");
        assert_eq!(fault.source.as_deref(), Some("Pack case 704: download of a message that does not exist"));
    }
    let well = answered(&download(), 410, &[]).unwrap_err();
    assert_eq!(well.what, "download message was answered 200, and this case is about 410");
    let failure = Some(TransportFailure { kind: FailureKind::Closed, detail: "x".to_owned() });
    for status in [404, 200] {
        let cut = exchange(&format!("GET /messageexchange/A/inbox/{ID}"), status, "");
        let fault = answered(&Exchange { failure: failure.clone(), ..cut }, 404, &[]).unwrap_err();
        assert!(fault.what.contains("closed the connection"), "{}", fault.what);
    }
}

#[test]
fn each_status_is_of_its_case() {
    for (status, case) in [(403, "701"), (404, "704"), (410, "705"), (417, "702")] {
        let fault = answered(&list(), status, &[]).unwrap_err();
        assert!(fault.source.is_some_and(|source| source.starts_with(&format!("Pack case {case}: "))));
    }
    assert_eq!(answered(&list(), 423, &[]).unwrap_err().source.as_deref(), Some("Pack, set 7"));
}

#[test]
fn a_call_that_was_refused_is_repeated_once_at_most() {
    assert_eq!(coping(vec![refused_list()]), Ok(()));
    assert_eq!(coping(vec![refused_list(), refused_list()]), Ok(()), "a library may try once more");
    let fault = coping(vec![refused_list(), refused_list(), refused_list()]).unwrap_err();
    assert_eq!((fault.kind, fault.seen.as_deref()), (FaultKind::Product, Some("2 more times")));
    assert!(fault.source.is_some_and(|source| source.starts_with("Pack case 701")));
    let others = [
        of_counterpart(refused_list()),
        exchange("POST /messageexchange/A", 403, ""),
        list(), // the same call, and let in
    ];
    for other in others {
        let all = vec![refused_list(), refused_list(), other.clone(), other];
        assert_eq!(coping(all), Ok(()), "what is another call, another's, or answered well is no repeat");
    }
    let all = tape(vec![refused_list(), refused_list(), refused_list()]);
    assert_eq!(copes(&all[1], &all), Ok(()), "what came before is no repeat");
}

/// A product that validates its mailbox first is refused there, and may insist on the inbox all the same.
#[test]
fn who_is_let_in_nowhere_repeats_no_call() {
    let handshake = || exchange("POST /messageexchange/A", 403, "");
    let insists = vec![handshake(), refused_list(), refused_list(), refused_list()];
    assert_eq!(coping(insists).unwrap_err().seen.as_deref(), Some("2 more times"));
    assert_eq!(coping(vec![handshake(), handshake(), refused_list(), refused_list()]), Ok(()));
    for goes_on in [download(), acknowledge()] {
        assert_eq!(kind(coping(vec![handshake(), goes_on])), FaultKind::Product);
    }
}

#[test]
fn nothing_is_made_of_an_inbox_that_was_refused() {
    for goes_on in [download(), acknowledge()] {
        assert_eq!(kind(coping(vec![refused_list(), goes_on.clone()])), FaultKind::Product);
        assert_eq!(coping(vec![refused_list(), of_counterpart(goes_on.clone())]), Ok(()));
        assert_eq!(coping(vec![refused_send(""), goes_on]), Ok(()), "a send says nothing of what waits");
    }
    assert_eq!(coping(vec![refused_list(), send("")]), Ok(()));
}

#[test]
fn a_message_whose_download_was_refused_is_not_acknowledged() {
    assert_eq!(kind(coping(vec![refused_download(), acknowledge()])), FaultKind::Product);
    let another = exchange(&format!("PUT /messageexchange/A/inbox/{OTHER}/status/acknowledged"), 200, "");
    assert_eq!(coping(vec![refused_download(), list(), another]), Ok(()));
}

/// A product may look at the headers of a message before it downloads it.
#[test]
fn a_look_at_headers_that_was_refused_is_a_refusal() {
    let head = |status| exchange(&format!("HEAD /messageexchange/A/inbox/{ID}"), status, "");
    assert_eq!(answered(&head(404), 404, &[]), Ok(()));
    assert_eq!(coping(vec![head(404), refused_download(), refused_download()]), Ok(()));
    for again in [vec![head(404); 3], [vec![head(404)], vec![refused_download(); 3]].concat()] {
        let fault = coping(again).unwrap_err();
        assert_eq!((fault.kind, fault.seen.as_deref()), (FaultKind::Product, Some("2 more times")));
    }
    assert_eq!(kind(coping(vec![head(410), acknowledge()])), FaultKind::Product);
    let refused = |calls| Poll::refused(&id(), &tape(calls)).and_then(|refused| refused.operation.clone());
    let (headers, whole) = (head(404).operation, refused_download().operation);
    assert_eq!(refused(vec![list(), head(404)]), headers);
    assert_eq!(refused(vec![head(404), refused_download()]), headers);
    assert_eq!(refused(vec![head(200), refused_download()]), whole);
    assert_eq!(refused(vec![refused_download()]), whole);
    assert_eq!(refused(vec![head(200), download()]), headers, "what should have been refused");
    assert_eq!(
        refused(vec![list(), exchange(&format!("GET /messageexchange/A/inbox/{OTHER}"), 404, "")]),
        None
    );
}

#[test]
fn a_recipient_is_refused_with_417_and_the_code_for_it() {
    let with = |code: &str| recipient_refused(&refused_send(&format!(r#"{{"errorCode":"{code}"}}"#)), &[]);
    for code in ["12", "EPL-150", "EPL-154"] {
        assert_eq!(with(code), Ok(None), "{code}");
    }
    for (code, seen) in [("02", "code 02"), ("121", "code 121"), ("", "no code")] {
        let fault = with(code).unwrap_err();
        assert_eq!((fault.kind, fault.seen.as_deref()), (FaultKind::Endpoint, Some(seen)));
    }
    assert_eq!(kind(recipient_refused(&refused_send(""), &[])), FaultKind::Endpoint);
    assert_eq!(kind(recipient_refused(&send(""), &[])), FaultKind::Endpoint, "it took the message");
    assert_eq!(
        kind(recipient_refused(&exchange("POST /messageexchange/A/outbox", 400, ""), &[])),
        FaultKind::Product
    );
}

#[test]
fn a_refusal_may_give_the_message_an_id() {
    let with = |field: &str| {
        recipient_refused(&refused_send(&format!(r#"{{"errorCode":"12",{field}}}"#)), &[]).unwrap()
    };
    assert_eq!(with(&format!(r#""messageID":"{ID}""#)), Some(id()));
    let v2 = format!(r#"{{"message_id":"{ID}","detail":[{{"event":"SEND","code":"12","msg":"x"}}]}}"#);
    assert_eq!(recipient_refused(&refused_send(&v2), &[]), Ok(Some(id())));
    for none in [r#""messageID":null"#, r#""messageID":"a b""#, r#""messageID":7"#, r#""id":"A""#] {
        assert_eq!(with(none), None, "{none}");
    }
}

/// A download with these headers in the place of a good report's.
fn report(change: &[(&str, &str)]) -> Exchange {
    let mut headers = vec![
        ("Mex-MessageType", "REPORT"),
        ("Mex-LinkedMsgID", ID),
        ("Mex-StatusSuccess", "ERROR"),
        ("Mex-StatusCode", "14"),
    ];
    for (name, value) in change {
        headers.retain(|(other, _)| other != name);
        headers.push((name, value));
    }
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut report = download();
    let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
    report.response.as_mut().unwrap().head = Redactor::default().response_head(head.as_bytes());
    report
}

#[test]
fn a_report_is_one_of_an_error_with_this_message() {
    for good in [
        &[][..],
        &[("Mex-MessageType", "Report")],
        &[("Mex-StatusSuccess", "error")],
        &[("Mex-StatusCode", "12")],
    ] {
        assert_eq!(reports_on(&report(good), &id()), Ok(()), "{good:?}");
        assert!(is_report_on(&report(good), &id()));
    }
    for (name, value) in [
        ("Mex-MessageType", "DATA"),
        ("Mex-MessageType", ""),
        ("Mex-LinkedMsgID", OTHER),
        ("Mex-LinkedMsgID", ""),
        ("Mex-StatusSuccess", "SUCCESS"),
        ("Mex-StatusCode", "00"),
    ] {
        let fault = reports_on(&report(&[(name, value)]), &id()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Endpoint, "{name}: {value}");
        assert!(!is_report_on(&report(&[(name, value)]), &id()));
    }
    assert!(!is_report_on(&download(), &id()), "a message like any other");
    assert!(!is_report_on(&Exchange { response: None, ..report(&[]) }, &id()));
}

#[test]
fn a_report_on_what_was_not_collected_has_code_14() {
    assert_eq!(says_undelivered(&report(&[])), Ok(()));
    for (code, seen) in [("12", "12"), ("", ""), ("140", "140")] {
        let fault = says_undelivered(&report(&[("Mex-StatusCode", code)])).unwrap_err();
        assert_eq!((fault.kind, fault.seen.as_deref()), (FaultKind::Endpoint, Some(seen)));
    }
    assert_eq!(says_undelivered(&download()).unwrap_err().seen.as_deref(), Some("nothing"));
}

#[test]
fn the_products_calls_are_its_own() {
    let all = tape(vec![list(), of_counterpart(list()), download()]);
    let own = of_product(&all);
    assert_eq!(own.len(), 2);
    assert!(Arc::ptr_eq(own[0], &all[0]) && Arc::ptr_eq(own[1], &all[2]));
}
