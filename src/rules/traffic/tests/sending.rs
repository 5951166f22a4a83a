use super::*;
use crate::tape::Exchange;

#[test]
fn a_send_has_its_headers_within_limits() {
    let rule = "send-headers";
    let mut log = Log::new();
    held(rule, log.send(&[("Mex-Subject", &"s".repeat(500)), ("Mex-LocalID", &"é".repeat(300))], b"x"));
    let mut log = Log::new();
    assert_eq!(
        broken(rule, log.call("POST /outbox", &[("Mex-To", " ")], b"x")).seen,
        "no Mex-To, no Mex-WorkflowID"
    );
    for (name, length) in
        [("Mex-Subject", 501), ("Mex-LocalID", 301), ("Mex-FileName", 301), ("Mex-PartnerID", 501)]
    {
        let mut log = Log::new();
        assert!(broken(rule, log.send(&[(name, &"x".repeat(length))], b"x")).what.contains(name));
    }
    let mut log = Log::new();
    log.call(&format!("POST /outbox/{ID}/2"), &[], b"x");
    // The OpenAPI does not require it (Send chunked message).
    assert_eq!(warned(rule, &log).seen, "no Mex-Chunk-Range");
    not_applicable(rule, Log::new().list(&[]));
}

#[test]
fn each_header_of_a_send_is_there_once() {
    let rule = "send-headers";
    for (name, own) in [("Mex-To", "X26ABC2"), ("Mex-WorkflowID", "TEST"), ("Mex-From", "X26ABC1")] {
        let mut log = Log::new();
        let finding = broken(rule, log.send(&[(&name.to_lowercase(), "X26ABC9")], b"x"));
        assert_eq!(finding.what, format!("a send has {name} more than once"));
        assert_eq!(finding.seen, "2 of them, which differ");
        // Twice the same harms where an endpoint joins them, and not where it takes either.
        let mut log = Log::new();
        assert_eq!(warned(rule, log.send(&[(name, own)], b"x")).seen, "2 of them, all alike");
        // Whoever exports a recording may write a header down twice.
        let mut log = Log::new();
        warned(rule, log.send(&[(name, "X26ABC9")], b"x").foreign());
    }
    let mut log = Log::new();
    broken(rule, log.send_chunk(2, "2:3", b"x").send(&[("Mex-Subject", "a"), ("Mex-Subject", "b")], b"x"));
    let mut log = Log::new();
    held(rule, log.send(&[("Content-Encoding", "gzip"), ("Accept", "*/*"), ("Accept", "a/b")], b"x"));
}

#[test]
fn mex_from_is_the_mailbox_that_speaks() {
    let mut log = Log::new();
    held("mex-from", log.send(&[], b"x"));
    let mut log = Log::new();
    warned("mex-from", log.call("POST /outbox", &[], b"x"));
    let mut log = Log::new();
    broken("mex-from", log.call("POST /outbox", &[("Mex-From", "X26ABC9")], b"x"));
    not_applicable("mex-from", Log::new().list(&[]));
    // The path has it in lower case, which the rule on tokens tells.
    let mut log = Log::new();
    log.send(&[], b"x").last().request.head.target = "/messageexchange/x26abc1/outbox".to_owned();
    held("mex-from", &log);
    let mut log = Log::new();
    not_applicable("mex-from", log.call("POST /outbox", &[("Mex-From", "[redacted]")], b"x").foreign());
    let mut log = Log::new();
    broken("mex-from", log.call("POST /outbox", &[("Mex-From", "[redacted]")], b"x"));
}

/// No request is without headers, but recordings are.
#[test]
fn of_a_request_whose_headers_are_not_in_the_recording_none_is_missed() {
    let mut log = Log::new();
    log.handshake().list(&[ID]).get(ID).ack(ID).send(&[], b"x").list(&[]).foreign();
    for exchange in &mut log.exchanges {
        exchange.request.head.headers.clear();
        (exchange.token, exchange.token_fault) = (None, None);
    }
    for rule in ["handshake-headers", "send-headers", "mex-from", "version-2", "gzip-declared", "token-form"]
    {
        not_applicable(rule, &log);
    }
    held("handshake-first", &log);
    // The same where names were left, and values were not.
    let mut log = Log::new();
    log.handshake()
        .list(&[ID])
        .send(&[("Mex-Chunk-Range", "1:2"), ("Content-Encoding", "gzip")], b"x")
        .foreign();
    let headers = |exchange: &mut Exchange, value: &str| {
        let headers = exchange.request.head.headers.iter_mut();
        let headers = headers.filter(|header| header.name != "Authorization");
        headers.for_each(|header| value.clone_into(&mut header.value));
    };
    log.exchanges.iter_mut().for_each(|exchange| headers(exchange, ""));
    for rule in ["handshake-headers", "send-headers", "mex-from", "version-2", "gzip-declared", "chunk-order"]
    {
        not_applicable(rule, &log);
    }
    log.exchanges.iter_mut().for_each(|exchange| headers(exchange, "[REDACTED]"));
    for rule in ["mex-from", "version-2", "gzip-declared", "chunk-order"] {
        not_applicable(rule, &log);
    }
    held("send-headers", &log);
    log.exchanges.iter_mut().for_each(|exchange| headers(exchange, "*/*"));
    warned("version-2", &log);
}

#[test]
fn a_send_is_not_blindly_repeated() {
    let rule = "send-repeated";
    let twice = |local_ids: [&str; 2], bodies: [&[u8]; 2], status: Option<u16>, gap: i64| {
        let mut log = Log::new();
        log.send(&[("Mex-LocalID", local_ids[0])], bodies[0]);
        match status {
            Some(status) => log.reply(status, &[], b"{}"),
            None => log.unanswered(),
        };
        log.wait(gap).send(&[("Mex-LocalID", local_ids[1])], bodies[1]);
        log
    };
    let same: [&[u8]; 2] = [b"x", b"x"];
    assert_eq!(warned(rule, &twice(["a", "a"], same, Some(202), 1)).exchanges, [1, 2]);
    assert!(warned(rule, &twice(["a", "a"], same, None, 1)).what.contains("blindly"));
    warned(rule, &twice(["a", "a"], same, Some(503), 1));
    held(rule, &twice(["a", "a"], same, Some(417), 1));
    held(rule, &twice(["a", "b"], same, Some(202), 1));
    held(rule, &twice(["a", "a"], [b"x", b"y"], Some(202), 1));
    held(rule, &twice(["a", "a"], same, Some(202), 700));
    not_applicable(rule, Log::new().list(&[]));
    let mut log = twice(["a", "a"], same, Some(202), 1);
    log.foreign().exchanges.iter_mut().for_each(|exchange| exchange.request.body.kept = None);
    not_applicable(rule, &log);
}

#[test]
fn what_was_looked_at_while_nobody_recorded_is_not_known() {
    let mut log = Log::new();
    log.send(&[], b"x").unanswered().send(&[], b"x");
    warned("send-repeated", &log);
    log.resumed = vec![2];
    held("send-repeated", &log);
    // What was accepted was accepted.
    let mut log = Log::new();
    log.send(&[], b"x").send(&[], b"x").resumed = vec![2];
    warned("send-repeated", &log);
}
