//! What a run asked for is not held against the product, nor what it gave no chance to do. What the product
//! did beyond that is.

use super::log::{Log, V2};
use super::*;

const DONE: Option<bool> = Some(true);
const FAILED: Option<bool> = Some(false);

fn list(log: &mut Log) {
    log.list(&[]);
}

#[test]
fn a_run_asks_for_inbox_checks_as_often_as_it_likes() {
    let rule = "polling-interval";
    let mut log = Log::new();
    (0..10).for_each(|_| {
        log.asked(Act::Receive, DONE, list);
    });
    not_applicable(rule, &log);
    // The product's own, beyond the one that it was asked for.
    let mut log = Log::new();
    log.asked(Act::Receive, DONE, |log| {
        log.list(&[]).list(&[]).list(&[]).list(&[]);
    });
    assert_eq!(warned(rule, &log).exchanges, [2, 3, 4]);
    // Between asks a product goes by its own clock.
    let mut log = Log::new();
    log.asked(Act::Receive, DONE, list).list(&[]).list(&[]).list(&[]).list(&[]);
    assert_eq!(warned(rule, &log).exchanges, [3, 4, 5]);
    // One that was to wait for a message looks again.
    let mut log = Log::new();
    log.asked(Act::Receive, DONE, |log| {
        log.list(&[]).list(&[]).list(&[]).list(&[]);
    });
    log.course.as_mut().unwrap().asks[0].waits = true;
    not_applicable(rule, &log);
}

#[test]
fn what_is_due_every_day_is_not_judged_in_a_run() {
    for rule in ["polling-daily", "handshake-daily"] {
        let mut log = Log::new();
        log.asked(Act::Handshake, DONE, |log| {
            log.handshake();
        });
        log.hours(60).asked(Act::Send, DONE, |log| {
            log.send(&[], b"x");
        });
        not_applicable(rule, &log);
    }
}

#[test]
fn handshakes_that_a_run_asks_for_are_its_own() {
    let rule = "handshake-burst";
    let shake = |log: &mut Log| {
        log.handshake();
    };
    let mut log = Log::new();
    (0..5).for_each(|_| {
        log.asked(Act::Handshake, DONE, shake);
    });
    held(rule, &log);
    // One with every act that is none.
    let mut log = Log::new();
    log.asked(Act::Handshake, DONE, shake).asked(Act::Receive, DONE, shake);
    held(rule, &log);
    log.asked(Act::Receive, DONE, shake);
    warned(rule, &log);
    let mut log = Log::new();
    log.asked(Act::Handshake, DONE, |log| {
        log.handshake().handshake().handshake();
    });
    warned(rule, &log);
}

#[test]
fn a_handshake_that_nobody_asked_for_is_not_missing() {
    let rule = "handshake-first";
    let mut log = Log::new();
    log.from_start = true;
    log.asked(Act::Receive, DONE, list);
    not_applicable(rule, &log);
    let mut log = Log::new();
    log.from_start = true;
    log.asked(Act::Handshake, DONE, list);
    broken(rule, &log);
}

#[test]
fn an_inbox_check_after_a_send_is_missing_when_a_poll_cycle_was_asked_for() {
    let rule = "inbox-after-send";
    let send = |log: &mut Log| {
        log.send(&[], b"x");
    };
    let mut log = Log::new();
    held(rule, log.asked(Act::Send, DONE, send).asked(Act::Receive, DONE, list));
    // The run takes its time, the product does not.
    let mut log = Log::new();
    held(rule, log.asked(Act::Send, DONE, send).wait(600).asked(Act::Receive, DONE, list));
    let mut log = Log::new();
    let late = |log: &mut Log| {
        log.wait(61).list(&[]);
    };
    broken(rule, log.asked(Act::Send, DONE, send).wait(600).asked(Act::Receive, DONE, late));
    let mut log = Log::new();
    let shake = |log: &mut Log| {
        log.handshake();
    };
    let finding = broken(rule, log.asked(Act::Send, DONE, send).asked(Act::Receive, DONE, shake));
    assert!(finding.seen.contains("ended without one"), "{finding:?}");
    // Nobody asked for it: the scenario ended, or something else came first.
    let mut log = Log::new();
    not_applicable(rule, log.asked(Act::Send, DONE, send).wait(600).anew().asked(Act::Receive, DONE, list));
    let mut log = Log::new();
    log.asked(Act::Send, DONE, send).wait(600).asked(Act::Send, DONE, send).asked(Act::Receive, DONE, list);
    assert_eq!(result(rule, &log).unjudged.len(), 1);
    held(rule, &log);
    // It failed before it came to that, by its own account.
    let mut log = Log::new();
    not_applicable(rule, log.asked(Act::Send, DONE, send).asked(Act::Receive, FAILED, shake));
}

#[test]
fn a_poll_cycle_that_ends_without_the_acknowledgement_is_told_at_once() {
    let rule = "acknowledge-after-download";
    let get = |log: &mut Log| {
        log.list(&[ID]).get(ID);
    };
    let mut log = Log::new();
    let finding = broken(rule, log.asked(Act::Receive, DONE, get));
    assert!(finding.seen.contains("ended without it"), "{finding:?}");
    // One that failed may have had its reasons, and one that was ended had no time.
    let mut log = Log::new();
    not_applicable(rule, log.asked(Act::Receive, FAILED, get));
    not_applicable(rule, log.asked(Act::Receive, DONE, list));
    let mut log = Log::new();
    log.asked(Act::Receive, DONE, get).course.as_mut().unwrap().asks[0].to = None;
    not_applicable(rule, &log);
    // One that was told from afar may still be at it.
    let mut log = Log::new();
    not_applicable(rule, log.asked_from_afar(Act::Receive, get));
    broken(rule, log.wait(301).handshake());
    // Within the same cycle the next list is too late, whatever came of the cycle.
    let mut log = Log::new();
    broken(
        rule,
        log.asked(Act::Receive, FAILED, |log| {
            log.list(&[ID]).get(ID).list(&[ID]);
        }),
    );
    // What lay in the mailbox is gone.
    let mut log = Log::new();
    not_applicable(rule, log.asked_from_afar(Act::Receive, get).anew().asked(Act::Receive, DONE, list));
}

#[test]
fn a_report_is_acknowledged_within_its_poll_cycle() {
    let mut log = Log::new();
    log.asked(Act::Receive, DONE, |log| {
        log.get_report(ID);
    });
    broken("reports-acknowledged", &log);
    not_applicable("acknowledge-after-download", &log);
}

#[test]
fn downloads_are_counted_apart_where_the_product_had_no_chance_to_acknowledge() {
    let rule = "fetched-again";
    let get = |log: &mut Log| {
        log.get(ID);
    };
    let thrice = |succeeded| {
        let mut log = Log::new();
        (0..3).for_each(|_| {
            log.asked(Act::Receive, succeeded, get);
        });
        log
    };
    held(rule, &thrice(FAILED));
    broken(rule, &thrice(DONE));
    // The run may ask for what is gone as often as it likes, the product not.
    let mut log = Log::new();
    log.asked(Act::Receive, DONE, |log| {
        log.get(ID).ack(ID);
    });
    log.asked(Act::Receive, DONE, get).asked(Act::Receive, DONE, get);
    held(rule, &log);
    warned(
        rule,
        log.asked(Act::Receive, DONE, |log| {
            log.get(ID).get(ID);
        }),
    );
}

#[test]
fn what_was_fetched_before_the_endpoint_started_anew_is_no_reason_to_acknowledge() {
    let rule = "acknowledge-only-complete";
    let mut log = Log::new();
    log.from_start = true;
    let ack = |log: &mut Log| {
        log.ack(ID);
    };
    log.asked(Act::Receive, DONE, |log| {
        log.list(&[ID]).get(ID);
    });
    broken(rule, log.anew().asked(Act::Receive, DONE, ack));
}

/// It is made again with the next poll cycle.
#[test]
fn an_acknowledgement_in_vain_is_not_missed_where_the_run_asks_for_no_further_cycle() {
    let rule = "acknowledge-after-download";
    let cycle = |log: &mut Log| {
        log.list(&[ID]).get(ID).ack(ID).reply(503, &[], b"");
    };
    let mut log = Log::new();
    not_applicable(rule, log.asked(Act::Receive, DONE, cycle));
    let mut log = Log::new();
    log.asked(Act::Receive, DONE, cycle);
    held(rule, log.asked(Act::Receive, DONE, list));
    let mut log = Log::new();
    (0..3).for_each(|_| {
        log.asked(Act::Receive, DONE, cycle);
    });
    warned(rule, &log);
}

#[test]
fn a_full_page_is_followed_by_the_next_within_the_poll_cycle() {
    let rule = "until-empty";
    let full = |log: &mut Log| {
        log.list_with_next(&[ID], "/x?continue_from=abc").get(ID).ack(ID);
    };
    let to_the_end = |log: &mut Log| {
        full(log);
        log.list(&[]);
    };
    let mut log = Log::new();
    held(rule, log.asked(Act::Receive, DONE, to_the_end));
    // That the run asks again at once is no doing of the product's.
    let mut log = Log::new();
    let finding = broken(rule, log.asked(Act::Receive, DONE, full).asked(Act::Receive, DONE, list));
    assert!(finding.seen.contains("the end of the poll cycle"), "{finding:?}");
    let mut log = Log::new();
    not_applicable(rule, log.asked(Act::Receive, FAILED, full).asked(Act::Receive, DONE, list));
    let mut log = Log::new();
    held(rule, log.asked_from_afar(Act::Receive, full).list(&[]));
}

#[test]
fn the_next_page_of_an_endpoint_that_is_gone_is_not_known() {
    let next = "/messageexchange/X26ABC1/inbox?continue_from=abcdefghijklmnopqrstuvwxyz";
    let mut log = Log::new();
    log.list_with_next(&[ID], next).anew();
    log.call("GET /inbox?continue_from=zyxwvutsrqponmlkjihgfedcba", &[V2], b"");
    not_applicable("next-verbatim", &log);
}

#[test]
fn what_is_asked_for_anew_is_not_repeated_by_the_product() {
    let refused = |log: &mut Log| {
        log.list(&[]).reply(403, &[], b"");
    };
    let mut log = Log::new();
    (0..6).for_each(|_| {
        log.asked(Act::Receive, FAILED, refused);
    });
    held("refusals", &log);
    let mut log = Log::new();
    log.asked(Act::Receive, FAILED, |log| (0..5).for_each(|_| refused(log)));
    broken("refusals", &log);

    let send = |log: &mut Log| {
        log.send(&[("Mex-LocalID", "a")], b"x");
    };
    let mut log = Log::new();
    held("send-repeated", log.asked(Act::Send, DONE, send).asked(Act::Send, DONE, send));
    let mut log = Log::new();
    let twice = |log: &mut Log| {
        send(log);
        send(log);
    };
    warned("send-repeated", log.asked(Act::Send, DONE, twice));

    let track = |log: &mut Log| {
        log.call(&format!("GET /outbox/tracking?messageID={ID}"), &[V2], b"");
    };
    let mut log = Log::new();
    (0..6).for_each(|_| {
        log.asked(Act::Track, DONE, track);
    });
    not_applicable("tracking-polled", &log);
    let mut log = Log::new();
    log.asked(Act::Send, DONE, |log| (0..6).for_each(|_| track(log)));
    broken("tracking-polled", &log);
}

#[test]
fn chunks_are_as_small_as_the_run_asks_for() {
    let rule = "chunk-size";
    let small = zipped(b"x");
    let in_chunks_of = |bytes| {
        let mut log = Log::new();
        log.asked(Act::Send, DONE, |log| {
            log.send_chunk(1, "1:2", &small).send_chunk(2, "2:2", &small);
        });
        log.course.as_mut().unwrap().asks[0].chunk_bytes = bytes;
        log
    };
    not_applicable(rule, &in_chunks_of(Some(1_000_000)));
    warned(rule, &in_chunks_of(Some(6_000_000)));
    warned(rule, &in_chunks_of(None));
}

#[test]
fn a_message_whose_last_chunk_is_missing_is_told_when_the_send_ends() {
    let rule = "chunk-order";
    let part = zipped(b"x");
    let begun = |log: &mut Log| {
        log.send_chunk(1, "1:3", &part).send_chunk(2, "2:3", &part);
    };
    let mut log = Log::new();
    broken(rule, log.asked(Act::Send, DONE, begun));
    let mut log = Log::new();
    not_applicable(rule, log.asked(Act::Send, FAILED, begun));
    let Verdict::NotApplicable { reason } = result(rule, &log).verdict else { panic!() };
    assert!(reason.contains("by its own account"), "{reason}");
    let mut log = Log::new();
    not_applicable(rule, log.asked_from_afar(Act::Send, begun));
    // The endpoint is gone, so nothing more can be sent.
    not_applicable(rule, log.anew().hours(2).handshake());
}

#[test]
fn calls_of_a_program_that_has_ended_do_not_run_at_the_same_time_as_later_ones() {
    let rule = "one-at-a-time";
    let long = |log: &mut Log| {
        log.list(&[]).last().timings.wait = std::time::Duration::from_secs(60);
    };
    let mut log = Log::new();
    held(rule, log.asked(Act::Receive, FAILED, long).asked(Act::Receive, DONE, list));
    let mut log = Log::new();
    broken(rule, log.asked_from_afar(Act::Receive, long).asked(Act::Receive, DONE, list));
    let mut log = Log::new();
    broken(
        rule,
        log.asked(Act::Receive, DONE, |log| {
            long(log);
            log.list(&[]);
        }),
    );
}

#[test]
fn a_product_that_stops_at_unusual_headers_is_told_when_its_cycle_ends() {
    let rule = "headers-tolerated";
    let odd = [("MEX-MESSAGETYPE", "DATA")];
    let stops = |log: &mut Log| {
        log.list(&[ID, OTHER]).get(ID).ack(ID).get(OTHER).reply(200, &odd, b"x");
    };
    let mut log = Log::new();
    broken(rule, log.asked(Act::Receive, DONE, stops));
    let mut log = Log::new();
    broken(rule, log.asked(Act::Receive, FAILED, stops));
    let mut log = Log::new();
    not_applicable(rule, log.asked_from_afar(Act::Receive, stops));
}

#[test]
fn the_endpoints_moved_clock_is_not_what_a_token_is_measured_by() {
    let rule = "token-timestamp";
    let moved = ("Date", "Thu, 26 Nov 2026 13:00:00 GMT");
    let mut log = Log::new();
    log.list(&[]).reply(200, &[moved], b"");
    held(rule, &log);
    // An hour ahead: the finding names the clock that the token is closer to.
    let mut log = Log::new();
    let now = log.now;
    log.now += chrono::TimeDelta::hours(1);
    let token = log.token();
    log.now = now;
    log.call_with(&token, "GET /inbox", &[V2], b"").reply(200, &[moved], b"");
    assert!(broken(rule, &log).expected.starts_with("202611211200"));
}

/// A wrong certificate of the reference client is a fault of the configuration, which a step tells.
#[test]
fn the_reference_clients_certificate_is_the_configurations_choice() {
    let without = |stand_in| {
        let mut log = Log::new();
        let tls = log.list(&[]).last().tls.as_mut().map(|tls| (**tls).clone());
        let tls =
            tls.map(|tls| std::sync::Arc::new(crate::tape::TlsFacts { client_certificate: None, ..tls }));
        log.last().tls = tls;
        log.course.get_or_insert_default().stand_in = stand_in;
        log
    };
    broken("client-certificate", &without(false));
    not_applicable("client-certificate", &without(true));
    let mut log = without(true);
    held("client-certificate", log.list(&[]));
    held("certificate-name", &log);
}

#[test]
fn calls_that_test_an_endpoint_are_not_the_products() {
    let mut log = Log::new();
    log.call_with("nonsense", "GET /inbox", &[], b"");
    broken("token-form", &log);
    log.course.get_or_insert_default().by_hand.insert(1);
    not_applicable("token-form", &log);
}

/// A HAR has whole milliseconds, in which one ask may end and the next begin.
#[test]
fn exchanges_belong_to_their_asks_whatever_became_of_their_times() {
    let at = |time: &str| format!("2026-11-21T12:00:00{time}Z").parse().unwrap();
    let mut course = Course::default();
    for (from, to) in [(".000100", ".000400"), (".000500", ".000800")] {
        let place = course.ask(Asked { from: at(from), ..Asked::now("X26ABC1", Act::Receive) });
        course.acted(place, at(to), DONE, true);
    }
    course.anew("X26ABC1", at(".000900"));
    let mut log = Log::new();
    for start in [".000000", ".000100", ".000500", ".000950"] {
        log.list(&[]).last().started_at = at(start);
    }
    let numbered: Vec<_> = (1..).zip(log.tape()).collect();
    let course = course.numbered(&numbered);
    let asked: Vec<&[usize]> = course.asks.iter().map(|asked| asked.exchanges.as_slice()).collect();
    assert_eq!((asked, course.anew[0].first), (vec![&[2][..], &[3][..]], Some(4)));
    let written = serde_json::to_string(&course).unwrap();
    assert_eq!(serde_json::from_str::<Course>(&written).unwrap(), course);
    // Read again from a HAR.
    log.exchanges.iter_mut().for_each(|exchange| exchange.started_at = at(""));
    let context = Context { course: Some(course), ..Context::default() };
    let numbered: Vec<_> = (1..).zip(log.tape()).collect();
    let traffic = Traffic::new(&numbered, &context);
    assert_eq!(traffic.calls.iter().map(|call| call.ask).collect::<Vec<_>>(), [None, Some(0), Some(1), None]);
    assert_eq!(traffic.stretches().iter().map(|one| one.calls.len()).collect::<Vec<_>>(), [3, 1]);
}
