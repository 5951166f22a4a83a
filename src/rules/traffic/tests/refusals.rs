use super::*;

const RULE: &str = "refusals";

fn refused(times: usize, status: u16, every: i64, call: impl Fn(&mut Log, usize)) -> Log {
    let mut log = Log::new();
    for turn in 0..times {
        call(&mut log, turn);
        log.reply(status, &[], b"{}").wait(every);
    }
    log
}

#[test]
fn a_refusal_is_not_answered_with_a_storm() {
    for status in [403, 404, 410, 417, 423] {
        let same = |times| {
            refused(times, status, 1, |log, _| {
                log.get(ID);
            })
        };
        held(RULE, &same(2));
        warned(RULE, &same(3));
        assert_eq!(broken(RULE, &same(5)).exchanges.len(), 5);
    }
    not_applicable(RULE, Log::new().list(&[]));
}

#[test]
fn a_refused_mailbox_is_counted_over_all_its_calls_and_others_by_what_they_ask() {
    let different = |log: &mut Log, turn: usize| {
        log.get(&format!("ID{turn}"));
    };
    broken(RULE, &refused(5, 403, 1, different));
    held(RULE, &refused(9, 404, 1, different));
    let sends = |log: &mut Log, turn: usize| {
        log.send(&[], format!("message {turn}").as_bytes());
    };
    held(RULE, &refused(9, 417, 1, sends));
}

#[test]
fn polling_on_at_leisure_is_no_storm_and_success_ends_one() {
    let list = |log: &mut Log, _: usize| {
        log.list(&[]);
    };
    held(RULE, &refused(9, 403, 300, list));
    let mut log = Log::new();
    for _ in 0..6 {
        log.list(&[]).reply(403, &[], b"").list(&[]).reply(403, &[], b"").list(&[]);
    }
    held(RULE, &log);
    // A storm that comes after a leisurely time is one all the same.
    let mut log = refused(3, 403, 300, list);
    (0..5).for_each(|_| {
        log.list(&[]).reply(403, &[], b"");
    });
    broken(RULE, &log);
}

/// A message for each of six people is six messages.
#[test]
fn what_is_sent_to_another_or_under_another_reference_is_no_repeat() {
    let to = |name: &'static str| {
        refused(6, 417, 1, move |log, turn| {
            let value = format!("ZZ99OT{turn}");
            let all = [("Mex-To", "A"), ("Mex-WorkflowID", "W"), ("Mex-LocalID", "1")];
            let all = all.map(|(own, same)| (own, if own == name { value.as_str() } else { same }));
            log.call("POST /outbox", &all, b"newsletter");
        })
    };
    for name in ["Mex-To", "Mex-WorkflowID", "Mex-LocalID"] {
        held(RULE, &to(name));
    }
    broken(RULE, &to("none of them"));
    // Somebody else's recording may lack what was sent, and to whom.
    let mut log = to("none of them");
    not_applicable(RULE, {
        log.foreign().exchanges.iter_mut().for_each(|exchange| exchange.request.body.kept = None);
        &log
    });
    let mut log = to("none of them");
    not_applicable(RULE, {
        let sends = log.foreign().exchanges.iter_mut();
        sends.for_each(|exchange| {
            exchange.request.head.headers.retain(|header| header.name == "Authorization")
        });
        &log
    });
}

#[test]
fn what_is_compressed_anew_is_the_same() {
    let gzip = [("Content-Encoding", "gzip")];
    let sends = |log: &mut Log, turn: usize| {
        let mut body = zipped(b"same");
        // The time stamp of gzip (RFC 1952, 2.3.1).
        body[4] = u8::try_from(turn).unwrap();
        log.send(&gzip, &body);
    };
    broken(RULE, &refused(6, 417, 1, sends));
}

/// Nothing but a mailbox that is refused is otherwise later on.
#[test]
fn what_is_final_is_not_repeated_at_leisure_either() {
    let get = |log: &mut Log, _: usize| {
        log.list(&[ID]).get(ID);
    };
    for status in [404, 410, 417, 423] {
        held(RULE, &refused(5, status, 300, get));
        assert_eq!(warned(RULE, &refused(6, status, 300, get)).exchanges.len(), 6);
    }
    held(RULE, &refused(100, 403, 300, get));
}
