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
