use chrono::TimeDelta;

use super::*;
use crate::tape::{HashCheck, TokenFault, Vantage};

const RULES_OF_TOKENS: [&str; 5] =
    ["token-form", "token-hash", "token-timestamp", "token-repeated", "nonce-count"];

#[test]
fn right_tokens_hold_and_without_calls_nothing_does() {
    let mut log = Log::new();
    log.handshake().list(&[]);
    RULES_OF_TOKENS.iter().for_each(|rule| held(rule, &log));
    RULES_OF_TOKENS.iter().for_each(|rule| not_applicable(rule, &Log::new()));
    // A lookup needs no token.
    let mut lookup = Log::new();
    lookup.call_with("", "GET /inbox", &[], b"");
    lookup.last().request.head.target = "/messageexchange/endpointlookup/X26/TEST".to_owned();
    RULES_OF_TOKENS.iter().for_each(|rule| not_applicable(rule, &lookup));
}

#[test]
fn every_fault_of_form_is_named() {
    let right = Log::new().token();
    for (value, fault) in [
        (right.replace("NHSMESH", "nhsmesh"), TokenFault::Scheme),
        (right.replace("NHSMESH ", "NHSMESH  "), TokenFault::Mailbox),
        (right.replace("NHSMESH ", ""), TokenFault::Scheme),
        (right.replace("X26ABC1", "x26abc1"), TokenFault::LowerCaseMailbox),
        (right.replace(":1:", ":"), TokenFault::Fields),
        (right.replace(":1:", ":one:"), TokenFault::Count),
        (right.replace("1c820cd4", "nonce"), TokenFault::Nonce),
        (right.replace("202611211200", "2026-11-21"), TokenFault::Timestamp),
        (right.get(..right.len() - 1).unwrap().to_owned(), TokenFault::Hash),
    ] {
        let mut log = Log::new();
        log.call_with(&value, "GET /inbox", &[], b"");
        assert_eq!(log.last().token_fault, Some(fault), "{value}");
        let finding = broken("token-form", &log);
        assert_eq!(finding.expected, fault.demand());
        // Nothing of the token is told.
        assert!(!format!("{finding:?}").contains("1c820cd4"));
    }
}

#[test]
fn a_call_without_a_token_or_with_that_of_another_mailbox_is_wrong() {
    let mut log = Log::new();
    log.handshake().call_with("", "GET /inbox", &[], b"");
    assert_eq!(broken("token-form", &log).exchanges, [2]);
    let mut log = Log::new();
    let token = log.token();
    log.mailbox = "X26ABC2";
    log.call_with(&token, "GET /inbox", &[], b"");
    assert!(broken("token-form", &log).what.contains("another mailbox"));
    let mut log = Log::new();
    log.list(&[]).last().request.head.target = "/messageexchange/x26abc1/inbox".to_owned();
    warned("token-form", &log);
}

#[test]
fn what_was_taken_out_of_a_har_is_not_judged() {
    let mut log = Log::new();
    log.call_with("", "GET /inbox", &[], b"").foreign();
    RULES_OF_TOKENS.iter().for_each(|rule| not_applicable(rule, &log));
    // One header shows that they were not taken out.
    let mut log = Log::new();
    log.list(&[]).call_with("", "GET /inbox", &[], b"").foreign();
    broken("token-form", &log);
    // Nor what was blacked out.
    let mut log = Log::new();
    log.list(&[]).last().token_fault = Some(TokenFault::Withheld);
    not_applicable("token-form", &log);
    not_applicable("token-hash", &log);
    held("token-timestamp", &log);
}

#[test]
fn a_hash_is_right_wrong_in_upper_case_or_not_known() {
    let mut log = Log::new();
    log.list(&[]).last().token.as_mut().unwrap().hash = HashCheck::Differs;
    broken("token-hash", &log);
    let mut log = Log::new();
    log.list(&[]).last().token.as_mut().unwrap().hash = HashCheck::Unknown;
    not_applicable("token-hash", &log);
    let mut log = Log::new();
    let token = log.token();
    let (rest, hash) = token.rsplit_once(':').unwrap();
    log.call_with(&format!("{rest}:{}", hash.to_uppercase()), "GET /inbox", &[], b"");
    warned("token-hash", &log);
    held("token-form", &log);
}

/// A log of one call whose token says another time.
fn off_by(minutes: i64) -> Log {
    let mut log = Log::new();
    log.wait(60 * minutes);
    let token = log.token();
    log.wait(-60 * minutes).call_with(&token, "GET /inbox", &[], b"");
    log
}

#[test]
fn a_timestamp_is_utc_within_minutes() {
    for minutes in [0, 5, -5] {
        held("token-timestamp", &off_by(minutes));
    }
    for minutes in [6, -6, 30, 57, 63, -90, 100] {
        warned("token-timestamp", &off_by(minutes));
    }
    for minutes in [125, -125, 150, 400 * 60 + 30] {
        assert!(
            broken("token-timestamp", &off_by(minutes)).what.contains("outside the two hours"),
            "{minutes}"
        );
    }
}

#[test]
fn local_time_is_recognised_although_mesh_takes_it() {
    for minutes in [58, 60, 62] {
        let finding = broken("token-timestamp", &off_by(minutes));
        assert!(finding.what.contains("British Summer Time"), "{minutes}: {finding:?}");
    }
    for minutes in [-60, 120, -300, 600] {
        assert!(broken("token-timestamp", &off_by(minutes)).what.contains("whole hours"), "{minutes}");
    }
}

#[test]
fn the_endpoints_clock_counts_where_the_recorders_is_wrong() {
    let mut log = off_by(60);
    log.reply(200, &[("Date", "Sat, 21 Nov 2026 13:00:10 GMT")], b"");
    held("token-timestamp", &log);
    log.reply(200, &[("Date", "Sat, 21 Nov 2026 12:00:10 GMT")], b"");
    broken("token-timestamp", &log);
}

#[test]
fn a_token_used_again_is_broken_and_a_librarys_retry_a_warning() {
    let twice = |status: Option<u16>, second: &str| {
        let mut log = Log::new();
        let token = log.token();
        log.call_with(&token, "GET /inbox", &[], b"");
        match status {
            Some(status) => log.reply(status, &[], b""),
            None => log.unanswered(),
        };
        log.call_with(&token, second, &[], b"");
        log
    };
    assert_eq!(broken("token-repeated", &twice(Some(200), "GET /inbox")).exchanges, [1, 2]);
    broken("token-repeated", &twice(Some(500), "GET /inbox"));
    broken("token-repeated", &twice(Some(503), "GET /count"));
    for status in [Some(503), Some(429), Some(425), Some(502), Some(504), None] {
        assert!(
            warned("token-repeated", &twice(status, "GET /inbox")).remedy.unwrap().contains("mesh-client")
        );
    }
    // It is no second fault of the nonce.
    held("nonce-count", &twice(Some(200), "GET /inbox"));
}

#[test]
fn a_count_rises_with_each_use_of_its_nonce() {
    let with = |counts: &[&str]| {
        let mut log = Log::new();
        for count in counts {
            log.wait(60).list(&[]).last().token.as_mut().unwrap().nonce_count = (*count).to_owned();
        }
        log
    };
    held("nonce-count", &with(&["0", "1", "7"]));
    warned("nonce-count", &with(&["1", "1"]));
    warned("nonce-count", &with(&["2", "1"]));
    let mut log = with(&["2", "1"]);
    log.last().token.as_mut().unwrap().nonce = "another".to_owned();
    held("nonce-count", &log);
    // Calls that overlap may overtake each other.
    let mut log = with(&["2", "1"]);
    log.exchanges[1].started_at = log.exchanges[0].started_at + TimeDelta::milliseconds(1);
    held("nonce-count", &log);
}

#[test]
fn other_vantages_are_judged_alike() {
    let mut log = Log::new();
    log.list(&[]).last().vantage = Vantage::Endpoint;
    RULES_OF_TOKENS.iter().for_each(|rule| held(rule, &log));
}

/// The very same token, used again after others, is told by the rule on repeated tokens alone.
#[test]
fn a_token_that_is_used_again_later_says_nothing_of_its_count() {
    let mut log = Log::new();
    let first = log.token();
    log.call_with(&first, "GET /inbox", &[], b"").list(&[]).list(&[]);
    log.call_with(&first, "GET /inbox", &[], b"").list(&[]);
    broken("token-repeated", &log);
    held("nonce-count", &log);
}
