use super::*;

#[test]
fn a_mailbox_is_the_same_however_a_path_spells_it() {
    let mut log = Log::new();
    log.from_start = true;
    log.handshake().list(&[]).last().request.head.target = "/messageexchange/x26abc1/inbox".to_owned();
    held("handshake-first", &log);
}

#[test]
fn a_handshake_comes_first() {
    let mut log = Log::new();
    held("handshake-first", log.handshake().list(&[]));
    let mut log = Log::new();
    log.list(&[]).handshake();
    // Before the recording there may have been one.
    warned("handshake-first", &log);
    log.from_start = true;
    assert!(broken("handshake-first", &log).seen.contains("a handshake"));
    let mut log = Log::new();
    log.from_start = true;
    log.handshake().reply(403, &[], b"").list(&[]);
    broken("handshake-first", &log);
    not_applicable("handshake-first", &Log::new());
}

#[test]
fn a_handshake_comes_every_day() {
    let mut log = Log::new();
    not_applicable("handshake-daily", log.handshake().hours(2).list(&[]));
    let mut log = Log::new();
    held("handshake-daily", log.handshake().hours(24).handshake().hours(23).list(&[]));
    let mut log = Log::new();
    assert!(broken("handshake-daily", log.handshake().hours(26).list(&[])).seen.contains("26 h"));
    // One that was refused does not count.
    let mut log = Log::new();
    log.handshake().hours(20).handshake().reply(403, &[], b"").hours(6).list(&[]);
    broken("handshake-daily", &log);
    // Each gap is told once.
    let mut log = Log::new();
    log.handshake().hours(26).list(&[]).list(&[]).list(&[]);
    assert_eq!(is("broken", "handshake-daily", &log).len(), 1);
}

#[test]
fn handshakes_do_not_come_in_bursts() {
    let mut log = Log::new();
    held("handshake-burst", log.handshake().handshake());
    let mut log = Log::new();
    held("handshake-burst", log.handshake().hours(1).handshake().hours(1).handshake());
    let mut log = Log::new();
    assert_eq!(
        warned("handshake-burst", log.handshake().handshake().handshake().handshake()).exchanges,
        [1, 2, 3, 4]
    );
    // Not in a burst, but in every polling period.
    let mut log = Log::new();
    (0..6).for_each(|_| {
        log.handshake().hours(3);
    });
    warned("handshake-burst", &log);
    // Tries that failed are no handshakes.
    let mut log = Log::new();
    (0..4).for_each(|_| {
        log.handshake().reply(500, &[], b"");
    });
    not_applicable("handshake-burst", &log);
}

#[test]
fn a_handshake_has_its_headers() {
    let mut log = Log::new();
    held("handshake-headers", log.handshake());
    let mut log = Log::new();
    log.call("GET ", &[("Mex-ClientVersion", "1"), ("mex-osname", " ")], b"");
    assert_eq!(broken("handshake-headers", &log).seen, "no Mex-OSName, no Mex-OSVersion");
    let mut log = Log::new();
    not_applicable("handshake-headers", log.list(&[]));
}

/// Somebody else's recording may lack the answer, or show it as none.
#[test]
fn a_handshake_whose_answer_is_not_in_the_recording_may_have_been_good() {
    let log = || {
        let mut log = Log::new();
        log.handshake().unanswered().list(&[]);
        log
    };
    warned("handshake-first", &log());
    not_applicable("handshake-first", log().foreign());
    let days = || {
        let mut log = log();
        log.hours(20).handshake().unanswered().hours(6).list(&[]);
        log
    };
    broken("handshake-daily", &days());
    not_applicable("handshake-daily", days().foreign());
    broken("handshake-daily", days().hours(26).list(&[]).foreign());
}
