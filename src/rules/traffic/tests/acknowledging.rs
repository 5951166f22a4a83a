use super::{log::V2, *};
use crate::tape::Vantage;

const AFTER: &str = "acknowledge-after-download";

#[test]
fn a_download_is_acknowledged_before_the_next_list() {
    let mut log = Log::new();
    held(AFTER, log.list(&[ID]).get(ID).ack(ID).list(&[]));
    let mut log = Log::new();
    held(AFTER, log.list(&[ID, OTHER]).get(ID).get(OTHER).ack(OTHER).ack(ID).list(&[]));
    let mut log = Log::new();
    let finding = broken(AFTER, log.list(&[ID]).get(ID).list(&[ID]).ack(ID));
    assert_eq!((finding.exchanges.as_slice(), finding.message.as_deref()), ([2, 3].as_slice(), Some(ID)));
    let mut log = Log::new();
    not_applicable(AFTER, log.list(&[]));
    // A download that failed has nothing to acknowledge.
    let mut log = Log::new();
    not_applicable(AFTER, log.get(ID).reply(404, &[], b"").list(&[]));
}

#[test]
fn what_was_never_acknowledged_is_told_when_there_was_time() {
    let mut log = Log::new();
    log.get(ID);
    not_applicable(AFTER, &log);
    broken(AFTER, log.wait(301).handshake());
    // Calls of others show that there was time, too.
    let mut log = Log::new();
    log.get(ID).wait(301);
    log.mailbox = "X26ABC2";
    broken(AFTER, log.handshake());
}

#[test]
fn a_chunked_download_is_complete_with_its_last_chunk() {
    let mut log = Log::new();
    held(AFTER, log.get_chunk(ID, 1, 2).get_chunk(ID, 2, 2).ack(ID).list(&[]));
    let mut log = Log::new();
    not_applicable(AFTER, log.get_chunk(ID, 1, 2).list(&[ID]));
    let mut log = Log::new();
    broken(AFTER, log.get_chunk(ID, 1, 2).get_chunk(ID, 2, 2).list(&[ID]));
}

#[test]
fn a_message_is_not_fetched_again_and_again() {
    let rule = "fetched-again";
    let mut log = Log::new();
    held(rule, log.get(ID).ack(ID));
    let mut log = Log::new();
    warned(rule, log.get(ID).get(ID).ack(ID));
    let mut log = Log::new();
    assert_eq!(broken(rule, log.get(ID).get(ID).get(ID).ack(ID)).exchanges, [1, 2, 3]);
    // Tries that failed are not downloads; each chunk counts by itself.
    let mut log = Log::new();
    held(rule, log.get(ID).reply(503, &[], b"").get(ID).unanswered().get(ID).ack(ID));
    let mut log = Log::new();
    held(rule, log.get_chunk(ID, 1, 3).get_chunk(ID, 2, 3).get_chunk(ID, 3, 3).ack(ID));
    // A message of which a chunk broke off may be fetched anew, from its first chunk on.
    let mut log = Log::new();
    log.get_chunk(ID, 1, 2).get_chunk(ID, 2, 2).unanswered();
    held(rule, log.get_chunk(ID, 1, 2).get_chunk(ID, 2, 2).ack(ID));
    let mut log = Log::new();
    log.get_chunk(ID, 1, 2).get_chunk(ID, 2, 2).get_chunk(ID, 2, 2).unanswered();
    warned(rule, log.get_chunk(ID, 1, 2).get_chunk(ID, 2, 2).ack(ID));
    // Case 705 asks once for what is gone.
    let mut log = Log::new();
    held(rule, log.get(ID).ack(ID).get(ID).reply(410, &[], b""));
    warned(rule, log.get(ID).reply(410, &[], b""));
    not_applicable(rule, Log::new().list(&[]));
}

#[test]
fn only_what_is_complete_is_acknowledged() {
    let rule = "acknowledge-only-complete";
    let mut log = Log::new();
    held(rule, log.list(&[ID]).get(ID).ack(ID));
    let mut log = Log::new();
    held(rule, log.get_chunk(ID, 1, 2).get_chunk(ID, 2, 2).ack(ID));
    let mut log = Log::new();
    let finding = broken(rule, log.get_chunk(ID, 1, 3).get_chunk(ID, 3, 3).ack(ID));
    assert_eq!(finding.seen, "2 of 3 chunks");
    let mut log = Log::new();
    broken(rule, log.get(ID).reply(404, &[], b"").ack(ID));
    let mut log = Log::new();
    broken(rule, log.get(ID).reply(200, &[("Content-Encoding", "gzip")], b"not gzip").ack(ID));
    let mut log = Log::new();
    held(rule, log.get(ID).reply(200, &[("Content-Encoding", "gzip")], &zipped(b"x")).ack(ID));
    // The answer broke off.
    let mut log = Log::new();
    log.list(&[ID]).get(ID).last().failure = Some(crate::tape::TransportFailure {
        kind: crate::tape::FailureKind::Closed,
        detail: "x".to_owned(),
    });
    broken(rule, log.ack(ID));
    not_applicable(rule, Log::new().list(&[]));
}

/// A product may go on like that for the whole recording, and every finding stays in memory.
#[test]
fn no_call_is_told_of_in_every_finding_of_its_message() {
    let mut log = Log::new();
    for _ in 0..50 {
        log.get(ID).reply(404, &[], b"").ack(ID).reply(500, &[], b"");
    }
    let (verdict, found) = findings("acknowledge-only-complete", &log);
    let named: Vec<usize> = found.iter().flat_map(|finding| finding.exchanges.clone()).collect();
    assert_eq!((verdict, found.len(), named), ("broken", 50, (1..=100).collect::<Vec<usize>>()));
}

#[test]
fn what_may_have_been_downloaded_before_the_recording_is_a_warning() {
    let rule = "acknowledge-only-complete";
    let mut log = Log::new();
    warned(rule, log.ack(ID));
    log.from_start = true;
    broken(rule, &log);
    let mut log = Log::new();
    broken(rule, log.list(&[ID]).ack(ID));
    // A report has headers only.
    let mut log = Log::new();
    log.list(&[ID]).call(&format!("HEAD /inbox/{ID}"), &[], b"");
    log.reply(200, &[("Mex-MessageType", "REPORT")], b"");
    held(rule, log.ack(ID));
}

#[test]
fn what_a_recording_lacks_of_a_download_may_have_been_there() {
    let rule = "acknowledge-only-complete";
    let mut log = Log::new();
    log.list(&[ID]).get(ID).unanswered().ack(ID);
    broken(rule, &log);
    warned(rule, log.foreign());
}

/// An acknowledgement that fails unnoticed leaves the message where it was.
#[test]
fn an_acknowledgement_in_vain_is_made_again_when_the_message_is_listed_again() {
    let in_vain = |status: Option<u16>| {
        let mut log = Log::new();
        log.list(&[ID]).get(ID).ack(ID);
        match status {
            Some(status) => log.reply(status, &[], b""),
            None => log.unanswered(),
        };
        log
    };
    for status in [None, Some(403), Some(503)] {
        // It may have come about.
        held(AFTER, in_vain(status).list(&[]).wait(400).list(&[]));
        let finding = broken(AFTER, in_vain(status).list(&[ID]).wait(400).list(&[ID]));
        assert_eq!((finding.exchanges, finding.message.as_deref()), (vec![2, 3, 4], Some(ID)));
        // The product may be about to.
        not_applicable(AFTER, in_vain(status).list(&[ID]));
        held(AFTER, in_vain(status).list(&[ID]).ack(ID).wait(400).list(&[]));
        held(AFTER, in_vain(status).list(&[ID]).get(ID).ack(ID).wait(400).list(&[]));
    }
    // The endpoint fails on each: the product does what it can, and the message stays all the same.
    warned(AFTER, in_vain(Some(503)).list(&[ID]).ack(ID).reply(503, &[], b"").wait(400).handshake());
    // Nothing shows that it came about, nor that it was made again.
    for status in [None, Some(403), Some(503)] {
        warned(AFTER, in_vain(status).wait(400).handshake());
        not_applicable(AFTER, in_vain(status).handshake());
    }
    // A page of one workflow lists not all that waits.
    let mut log = in_vain(Some(503));
    log.call("GET /inbox?workflow_filter=A", &[V2], b"").reply(200, &[], br#"{"messages":[]}"#);
    warned(AFTER, log.wait(400).handshake());
    // That somebody else's recording lacks the answer says nothing.
    not_applicable(AFTER, in_vain(None).wait(400).handshake().foreign());
    let mut log = Log::new();
    log.get_report(ID).ack(ID).reply(403, &[], b"").list(&[ID]).wait(400).list(&[ID]);
    broken("reports-acknowledged", &log);
}

#[test]
fn reports_are_acknowledged_too() {
    let rule = "reports-acknowledged";
    let mut log = Log::new();
    held(rule, log.get_report(ID).ack(ID).list(&[]));
    not_applicable(AFTER, &log);
    let mut log = Log::new();
    broken(rule, log.get_report(ID).list(&[ID]));
    let mut log = Log::new();
    not_applicable(rule, log.get(ID).ack(ID));
    let mut log = Log::new();
    not_applicable(rule, log.get_report(ID));
    broken(rule, log.wait(400).handshake());
}

#[test]
fn unusual_headers_do_not_stop_a_product() {
    let rule = "headers-tolerated";
    let unusual = |log: &mut Log, id: &str| {
        log.get(id).reply(200, &[("MEX-MESSAGETYPE", "DATA"), ("Content-Length", "5")], b"hello");
    };
    let mut log = Log::new();
    unusual(&mut log, ID);
    held(rule, log.ack(ID));
    let mut log = Log::new();
    held(rule, log.get(ID).reply(200, &[("X-New-Header", "1")], b"").ack(ID));
    // Others are gone on with, this one is not.
    let mut log = Log::new();
    log.get(OTHER).ack(OTHER);
    unusual(&mut log, ID);
    not_applicable(rule, &log);
    broken(rule, log.wait(400).handshake());
    // That reports are left is no matter of their headers.
    let mut log = Log::new();
    log.get(OTHER).ack(OTHER).get_report(ID).reply(
        200,
        &[("Mex-MessageType", "REPORT"), ("X-New-Header", "1")],
        b"",
    );
    not_applicable(rule, log.wait(400).handshake());
    // Nor that a product cannot take chunks.
    let mut log = Log::new();
    log.get(OTHER).ack(OTHER).get_chunk(ID, 1, 2).reply(206, &[("X-New-Header", "1")], b"x");
    not_applicable(rule, log.wait(400).handshake());
    // Nothing is ever acknowledged: that is another rule's.
    let mut log = Log::new();
    unusual(&mut log, ID);
    not_applicable(rule, log.wait(400).handshake());
    for usual in ["Mex-MessageID", "mex-messageid", "ETag", "Mex-To", "mex-version"] {
        let mut log = Log::new();
        not_applicable(rule, log.get(ID).reply(200, &[(usual, "1")], b"").ack(ID));
    }
}

#[test]
fn a_har_without_bodies_is_judged_as_far_as_it_goes() {
    let mut log = Log::new();
    log.list(&[ID]).get(ID).ack(ID).list(&[]).foreign();
    log.exchanges.iter_mut().for_each(|exchange| exchange.response.as_mut().unwrap().body.kept = None);
    assert!(log.exchanges.iter().all(|exchange| exchange.vantage == Vantage::Foreign));
    held(AFTER, &log);
    not_applicable("until-empty", &log);
}

/// An acknowledgement that the endpoint failed on is to be made again, and the message may be fetched again
/// for it. One that was refused is the product's own mistake.
#[test]
fn a_message_whose_acknowledgement_the_endpoint_failed_on_may_be_fetched_again() {
    let rule = "fetched-again";
    let fetched_after = |status| {
        let mut log = Log::new();
        for _ in 0..3 {
            log.get(ID).ack(ID).reply(status, &[], b"");
        }
        log
    };
    let mut log = fetched_after(503);
    assert!(warned(rule, &log).remedy.is_some());
    held(rule, log.ack(ID));
    broken(rule, &fetched_after(400));
    let mut log = Log::new();
    log.get(ID).ack(ID).unanswered().get(ID).ack(ID);
    held(rule, &log);
}

/// Cycles of list, download and acknowledgement of one message, which stays.
fn cycles(times: usize, status: u16) -> Log {
    let mut log = Log::new();
    for _ in 0..times {
        log.wait(290).list(&[ID]).get(ID).ack(ID).reply(status, &[], b"");
    }
    log
}

/// Only what is answered well is acknowledged.
#[test]
fn a_message_that_is_never_acknowledged_well_is_told_however_often_it_is_tried() {
    for status in [400, 403] {
        assert_eq!(broken("fetched-again", &cycles(30, status)).exchanges.len(), 30);
        let finding = broken(AFTER, &cycles(30, status));
        assert!(finding.seen.starts_with("30 tries"), "{finding:?}");
    }
    broken("fetched-again", &cycles(30, 500));
    warned("fetched-again", &cycles(4, 500));
    warned(AFTER, &cycles(30, 500));
    // In the end it was done.
    let mut log = cycles(4, 500);
    log.list(&[ID]).get(ID).ack(ID);
    held("fetched-again", &log);
    held(AFTER, &log);
    // A refusal clears no count.
    let mut log = cycles(2, 400);
    log.list(&[ID]).get(ID).ack(ID);
    broken("fetched-again", &log);
}

/// Of what came about while a recording was not going on, nothing is known.
#[test]
fn what_was_downloaded_before_a_recording_went_on_counts_and_what_may_have_been_is_a_warning() {
    let rule = "acknowledge-only-complete";
    let mut log = Log::new();
    log.list(&[ID]).get(ID).list(&[ID]).ack(ID).resumed = vec![3];
    held(rule, &log);
    let mut log = Log::new();
    log.list(&[]).list(&[ID]).ack(ID).resumed = vec![2];
    warned(rule, &log);
    // Nor is a list of the second part the one after the download.
    let mut log = Log::new();
    log.list(&[ID]).get(ID).list(&[]).resumed = vec![3];
    not_applicable(AFTER, &log);
}
