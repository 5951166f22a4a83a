use super::*;

/// The same call over and over, answered so, and so many seconds from one to the next.
fn looks(times: usize, status: u16, every: i64) -> Log {
    let mut log = Log::new();
    for _ in 0..times {
        log.list(&[]).reply(status, &[], b"<soap/>").wait(every);
    }
    log
}

#[test]
fn a_call_that_is_not_answered_well_is_not_made_again_and_again() {
    let rule = "failures-repeated";
    for status in [400, 408, 425, 429, 500, 502, 503, 504] {
        // A library's own repeats, and some more.
        held(rule, &looks(5, status, 0));
        let finding = warned(rule, &looks(6, status, 0));
        assert_eq!((finding.exchanges.len(), finding.seen.as_str()), (6, "6 of them within 10 s"));
    }
    // One at leisure is none, however long it goes on.
    held(rule, &looks(60, 503, 9));
    not_applicable(rule, &looks(9, 200, 0));
    // Refusals have a rule of their own, which fails.
    not_applicable(rule, &looks(9, 403, 0));
    let mut log = Log::new();
    (0..6).for_each(|_| {
        log.list(&[]).unanswered();
    });
    warned(rule, &log);
    // Of an answer that somebody else's recording lacks nothing is known.
    not_applicable(rule, log.foreign());
    // Something new in the query makes it no other call.
    let mut log = Log::new();
    for turn in 0..6 {
        log.call(&format!("GET /inbox?_={turn}"), &[], b"").reply(503, &[], b"");
    }
    warned(rule, &log);
}

#[test]
fn different_things_that_are_not_answered_well_are_no_repeats() {
    let rule = "failures-repeated";
    let (mut downloads, mut sends, mut asked) = (Log::new(), Log::new(), Log::new());
    for turn in 0..9 {
        downloads.get(&format!("ID{turn}")).reply(503, &[], b"");
        sends.send(&[], format!("message {turn}").as_bytes()).reply(503, &[], b"");
        asked.asked(Act::Receive, Some(false), |log| {
            log.list(&[]).reply(503, &[], b"");
        });
    }
    held(rule, &downloads);
    held(rule, &sends);
    // The same to several people.
    let mut to_each = Log::new();
    for turn in 0..9 {
        let headers = [("Mex-To", format!("ZZ99OT{turn}")), ("Mex-WorkflowID", "W".to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        to_each.call("POST /outbox", &headers, b"x").reply(503, &[("Retry-After", "60")], b"");
    }
    held(rule, &to_each);
    held("retry-after", &to_each);
    let mut untold = Log::new();
    (0..9).for_each(|_| {
        untold.send(&[], b"x").reply(503, &[], b"");
    });
    warned(rule, &untold);
    untold.foreign().exchanges.iter_mut().for_each(|exchange| exchange.request.body.kept = None);
    not_applicable(rule, &untold);
    held(rule, &asked);
}

#[test]
fn a_call_is_not_made_before_the_time_that_it_was_told() {
    let rule = "retry-after";
    let again = |status: u16, value: &str, after: i64| {
        let mut log = Log::new();
        let date = ("Date", "Sat, 21 Nov 2026 12:00:00 GMT");
        log.list(&[]).reply(status, &[("retry-after", value), date], b"").wait(after).list(&[]);
        log
    };
    for status in [429, 503] {
        held(rule, &again(status, "60", 60));
        let finding = warned(rule, &again(status, "60", 58));
        assert_eq!(finding.expected, "no such call for 1 min 0 s");
        assert_eq!(finding.exchanges, [1, 2]);
    }
    warned(rule, &again(503, "Sat, 21 Nov 2026 12:01:00 GMT", 30));
    held(rule, &again(503, "Sat, 21 Nov 2026 12:01:00 GMT", 60));
    // The forms that nobody is to write and everybody has to read (RFC 9110, 5.6.7).
    for obsolete in ["Saturday, 21-Nov-26 12:01:00 GMT", "Sat Nov 21 12:01:00 2026"] {
        warned(rule, &again(503, obsolete, 30));
        held(rule, &again(503, obsolete, 60));
    }
    held(rule, &again(503, "Sat, 21 Nov 2026 11:00:00 GMT", 0));
    not_applicable(rule, &again(503, "soon", 0));
    not_applicable(rule, &again(301, "60", 0));
    // Another call may be right, and so may one that the run asks for.
    let mut log = Log::new();
    held(rule, log.list(&[]).reply(503, &[("Retry-After", "60")], b"").ack(ID));
    let mut log = Log::new();
    for _ in 0..2 {
        log.asked(Act::Receive, Some(false), |log| {
            log.list(&[]).reply(503, &[("Retry-After", "60")], b"");
        });
    }
    held(rule, &log);
}
