use super::log::V2;
use super::*;

#[test]
fn the_inbox_is_checked_directly_after_a_send() {
    let rule = "inbox-after-send";
    let mut log = Log::new();
    held(rule, log.send(&[], b"x").list(&[]));
    let mut log = Log::new();
    held(rule, log.send(&[], b"x").wait(58).list(&[]));
    let mut log = Log::new();
    let finding = broken(rule, log.send(&[], b"x").wait(61).list(&[]));
    assert_eq!(finding.message.as_deref(), Some(ID));
    // A batch needs one check.
    let mut log = Log::new();
    held(rule, log.send(&[], b"x").send(&[], b"y").wait(30).send(&[], b"z").list(&[]));
    let mut log = Log::new();
    broken(rule, log.send(&[], b"x").wait(61).send(&[], b"y").list(&[]));
    // Nothing more, and there was time.
    let mut log = Log::new();
    not_applicable(rule, log.send(&[], b"x"));
    broken(rule, log.wait(61).handshake());
    // What was refused was not sent.
    let mut log = Log::new();
    not_applicable(rule, log.send(&[], b"x").reply(417, &[], b"").wait(100).list(&[]));
}

#[test]
fn a_chunked_message_is_sent_with_its_last_chunk() {
    let rule = "inbox-after-send";
    let part = zipped(b"x");
    let mut log = Log::new();
    log.send_chunk(1, "1:2", &part).wait(200).send_chunk(2, "2:2", &part);
    held(rule, log.list(&[]));
    let mut log = Log::new();
    log.send_chunk(1, "1:2", &part).send_chunk(2, "2:2", &part).wait(100);
    broken(rule, log.list(&[]));
    let mut log = Log::new();
    not_applicable(rule, log.send_chunk(1, "1:2", &part).wait(100).list(&[]));
}

#[test]
fn without_need_the_inbox_is_checked_every_five_minutes() {
    let rule = "polling-interval";
    let polls = |times: usize, every: i64| {
        let mut log = Log::new();
        (0..times).for_each(|_| {
            log.list(&[]).wait(every - 1);
        });
        log
    };
    held(rule, &polls(10, 300));
    held(rule, &polls(10, 291));
    held(rule, &polls(3, 30));
    assert_eq!(warned(rule, &polls(4, 30)).exchanges, [2, 3, 4]);
    // Some programs ask for something new each time, so that no proxy answers from its memory.
    let mut log = Log::new();
    for number in 1..=4 {
        log.list(&[]).wait(30);
        log.last().request.head.target.push_str(&format!("?_={number}"));
    }
    assert_eq!(warned(rule, &log).exchanges, [2, 3, 4]);
    // To look at the headers of a message is to work on it.
    let mut log = Log::new();
    for _ in 0..4 {
        log.list(&[]).call(&format!("HEAD /inbox/{ID}"), &[], b"").reply(404, &[], b"").wait(30);
    }
    held(rule, &log);
    not_applicable(rule, Log::new().handshake());
    // With need: something was sent, downloaded, or more waits.
    let mut log = Log::new();
    (0..6).for_each(|_| {
        log.list(&[ID]).get(ID).ack(ID);
    });
    held(rule, &log);
    let mut log = Log::new();
    (0..6).for_each(|_| {
        log.list(&[]).send(&[], b"x");
    });
    held(rule, &log);
    // Without the pages nobody can tell.
    let mut log = polls(4, 30);
    log.foreign()
        .exchanges
        .iter_mut()
        .for_each(|exchange| exchange.response.as_mut().unwrap().body.kept = None);
    assert_eq!(result(rule, &log).unjudged.first().map(|(_, count)| *count), Some(3));
    // What is listed and not downloaded is no need.
    let mut log = Log::new();
    (0..6).for_each(|_| {
        log.list(&[ID]);
    });
    warned(rule, &log);
    // Each workflow by itself.
    let mut log = Log::new();
    for filter in ["A1", "B1", "C1", "D1", "E1"] {
        log.call(&format!("GET /inbox?workflow_filter={filter}"), &[V2], b"").reply(
            200,
            &[],
            br#"{"messages":[]}"#,
        );
    }
    held(rule, &log);
}

#[test]
fn the_inbox_is_checked_every_day() {
    let rule = "polling-daily";
    let mut log = Log::new();
    not_applicable(rule, log.list(&[]).hours(20).list(&[]));
    let mut log = Log::new();
    held(rule, log.list(&[]).hours(24).list(&[]).hours(24).list(&[]));
    let mut log = Log::new();
    assert!(broken(rule, log.list(&[]).hours(26).list(&[])).seen.contains("26 h"));
    let mut log = Log::new();
    broken(rule, log.list(&[]).hours(26).handshake());
    let mut log = Log::new();
    broken(rule, log.handshake().hours(26).list(&[]));
}

#[test]
fn a_full_page_is_followed_by_the_next_list() {
    let rule = "until-empty";
    let next = "/messageexchange/X26ABC1/inbox?continue_from=abcdefghijklmnopqrstuvwxyz";
    let mut log = Log::new();
    held(rule, log.list_with_next(&[ID], next).get(ID).ack(ID).list(&[]));
    let mut log = Log::new();
    broken(rule, log.list_with_next(&[ID], next).get(ID).ack(ID).wait(301).list(&[]));
    // On the timer of the next poll is not immediately.
    let mut log = Log::new();
    let finding = warned(rule, log.list_with_next(&[ID], next).get(ID).ack(ID).wait(220).list(&[]));
    assert!(finding.what.contains("directly"), "{finding:?}");
    let mut log = Log::new();
    held(rule, log.list_with_next(&[ID], next).get(ID).ack(ID).wait(58).list(&[]));
    // However long the work on the page takes.
    let mut log = Log::new();
    held(rule, log.list_with_next(&[ID], next).get(ID).wait(330).ack(ID).list(&[]));
    let mut log = Log::new();
    not_applicable(rule, log.list_with_next(&[ID], next).get(ID).ack(ID));
    broken(rule, log.wait(400).handshake());
    let mut log = Log::new();
    not_applicable(rule, log.list(&[ID]).get(ID).ack(ID).list(&[]));
}

#[test]
fn exactly_as_many_as_were_asked_for_is_full_in_v1() {
    let rule = "until-empty";
    let page = |count: usize| serde_json::json!({ "messages": vec![ID; count] }).to_string();
    let with = |query: &str, count: usize| {
        let mut log = Log::new();
        log.call(&format!("GET /inbox{query}"), &[], b"").reply(200, &[], page(count).as_bytes());
        log.wait(400).handshake();
        log
    };
    broken(rule, &with("", 500));
    not_applicable(rule, &with("", 499));
    broken(rule, &with("?max_results=10", 10));
    not_applicable(rule, &with("?max_results=10", 9));
}

#[test]
fn the_link_to_the_next_page_is_followed_as_it_is() {
    let rule = "next-verbatim";
    let place = "gAAAAA%2Fb%2Bcdefghijklmnop%3D%3D";
    let next = format!("/messageexchange/X26ABC1/inbox?max_results=10&continue_from={place}");
    let follow = |query: &str| {
        let mut log = Log::new();
        log.list_with_next(&[ID], &next);
        log.call(&format!("GET /inbox?{query}"), &[V2], b"").reply(200, &[], br#"{"messages":[]}"#);
        log
    };
    held(rule, &follow(&format!("max_results=10&continue_from={place}")));
    broken(rule, &follow(&format!("continue_from={place}")));
    // Encoded twice, and not at all.
    broken(rule, &follow("max_results=10&continue_from=gAAAAA%252Fb%252Bcdefghijklmnop%253D%253D"));
    broken(rule, &follow("max_results=10&continue_from=gAAAAA/b+cdefghijklmnop=="));
    let mut log = Log::new();
    not_applicable(rule, log.list_with_next(&[ID], &next).list(&[]));
    let mut log = Log::new();
    log.call(&format!("GET /inbox?continue_from={place}"), &[V2], b"");
    not_applicable(rule, &log);
}

#[test]
fn version_2_is_asked_for() {
    let mut log = Log::new();
    held("version-2", log.list(&[]));
    log.call("GET /inbox", &[], b"");
    assert_eq!(warned("version-2", &log).exchanges, [2]);
    not_applicable("version-2", Log::new().handshake());
}

#[test]
fn tracking_is_not_polled() {
    let rule = "tracking-polled";
    let track = |times: usize, every: i64| {
        let mut log = Log::new();
        (0..times).for_each(|_| {
            log.call(&format!("GET /outbox/tracking?messageID={ID}"), &[V2], b"").wait(every);
        });
        log
    };
    held(rule, &track(2, 1));
    held(rule, &track(10, 3600));
    warned(rule, &track(3, 600));
    warned(rule, &track(6, 600));
    broken(rule, &track(6, 300));
    not_applicable(rule, Log::new().list(&[]));
    // Of several messages each may be asked for.
    let mut log = Log::new();
    for id in ["A", "B", "C", "D", "E", "F"] {
        log.call(&format!("GET /outbox/tracking?messageID={id}"), &[V2], b"");
    }
    held(rule, &log);
}

#[test]
fn calls_that_the_api_does_not_have_are_told() {
    let mut log = Log::new();
    held("known-calls", log.list(&[]));
    warned("known-calls", log.call("GET /inbox/", &[], b""));
    not_applicable("known-calls", &Log::new());
}

#[test]
fn deprecated_calls_are_told() {
    let mut log = Log::new();
    held("deprecated", log.list(&[]));
    warned("deprecated", log.call("GET /count", &[], b""));
    let mut log = Log::new();
    warned("deprecated", log.call("GET /outbox/tracking/local", &[], b""));
    not_applicable("deprecated", &Log::new());
}

#[test]
fn a_page_of_another_workflow_is_not_the_next() {
    let rule = "until-empty";
    let list = |log: &mut Log, query: &str, next: Option<&str>| {
        let links = next.map(|next| serde_json::json!({ "next": next }));
        let page = serde_json::json!({ "messages": [ID], "links": links.unwrap_or_default() }).to_string();
        log.call(&format!("GET /inbox{query}"), &[V2], b"").reply(200, &[], page.as_bytes());
    };
    let then = |query: &str| {
        let mut log = Log::new();
        list(&mut log, "?workflow_filter=A", Some("/x?workflow_filter=A&continue_from=abc"));
        log.get(ID).ack(ID);
        list(&mut log, query, None);
        log.wait(400);
        list(&mut log, "?workflow_filter=B", None);
        log
    };
    broken(rule, &then("?workflow_filter=B"));
    held(rule, &then("?workflow_filter=A"));
    held(rule, &then("?workflow_filter=A&continue_from=abc"));
    // All workflows are more than that one.
    held(rule, &then(""));
}

/// Browsers forget long bodies, and what a page that cannot be read linked to nobody knows.
#[test]
fn a_link_of_a_page_that_the_recording_lacks_is_not_known() {
    let rule = "next-verbatim";
    let next = |place: &str| format!("/messageexchange/X26ABC1/inbox?continue_from={place}");
    let follow = |places: &[&str]| {
        let mut log = Log::new();
        log.list_with_next(&[ID], &next("aaa"));
        let page = serde_json::json!({ "messages": [ID], "links": { "next": next("bbb") } }).to_string();
        log.call("GET /inbox?continue_from=aaa", &[V2], b"").reply(200, &[], page.as_bytes());
        for place in places {
            log.call(&format!("GET /inbox?continue_from={place}"), &[V2], b"");
        }
        log.foreign();
        log
    };
    broken(rule, &follow(&["ccc"]));
    let mut log = follow(&["ccc"]);
    log.exchanges[1].response.as_mut().unwrap().body.kept = None;
    held(rule, &log);
    assert_eq!(result(rule, &log).unjudged.len(), 1);
    let mut log = follow(&[]);
    log.exchanges[1].response.as_mut().unwrap().body.kept = None;
    log.list_with_next(&[ID], &next("ddd")).call("GET /inbox?continue_from=eee", &[V2], b"");
    broken(rule, &log);
}

/// A recorder that was ended and started again three days later.
#[test]
fn what_is_due_within_a_time_is_not_judged_across_a_gap_in_the_recording() {
    let gap = |resumed: &[usize]| {
        let mut log = Log::new();
        log.handshake().list(&[]).hours(72).list(&[]).wait(300).list(&[]).resumed = resumed.to_vec();
        log
    };
    for rule in ["polling-daily", "handshake-daily"] {
        broken(rule, &gap(&[]));
        not_applicable(rule, &gap(&[3]));
    }
    let mut log = gap(&[3]);
    broken("polling-daily", log.hours(26).handshake());
    // Whatever was still to come when it was ended.
    for (rule, log) in [
        ("inbox-after-send", Log::new().send(&[], b"x")),
        ("acknowledge-after-download", Log::new().get(ID)),
        ("until-empty", Log::new().list_with_next(&[ID], "/x?continue_from=abc")),
        ("chunk-order", Log::new().send_chunk(1, "1:2", &zipped(b"x"))),
    ] {
        log.hours(2).handshake();
        broken(rule, log);
        log.resumed = vec![2];
        not_applicable(rule, log);
    }
}

/// Tests of a product call the emulator's own routes, too.
#[test]
fn what_is_said_to_an_emulator_about_itself_is_no_call_of_a_mailbox() {
    let mut log = Log::new();
    log.handshake().list(&[]);
    for target in ["admin/report", "admin/reset", "reset", "deepping", "mailbox/X26ABC1"] {
        log.call_with("", "POST /outbox", &[], b"").last().request.head.target =
            format!("/messageexchange/{target}");
    }
    for rule in ["token-form", "known-calls", "handshake-headers", "handshake-first"] {
        held(rule, &log);
    }
    log.list(&[]).last().request.head.target = "/messageexchange/ADMIN/inbox/x/y/z".to_owned();
    broken("token-form", &log);
}
