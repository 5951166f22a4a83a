//! The Authorization header: its form, its hash, its time, and that no token is used twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{Call, Examined, Finding, Grade, Traffic, shown};
use crate::{
    protocol::TokenTimestamp,
    tape::{HashCheck, TokenFault, TokenRecord, Vantage},
};

const WITHHELD: &str = "whoever recorded it took the Authorization header, or the hash in it, out";

/// Calls that need a token, and whether the recording has Authorization headers at all.
fn speaking(traffic: &Traffic) -> (Vec<&Call>, bool) {
    let calls: Vec<&Call> = traffic.calls.iter().filter(|call| call.mailbox.is_some()).collect();
    let any = calls.iter().any(|call| call.header("authorization").is_some());
    (calls, any)
}

/// The token, or why there is none to judge.
fn token<'a>(call: &'a Call, examined: &mut Examined) -> Option<&'a TokenRecord> {
    if call.exchange.token.is_none() {
        let reason = match call.exchange.token_fault {
            Some(TokenFault::Withheld) => WITHHELD,
            _ => "the call has no token that could be read",
        };
        examined.pass_over(reason);
    }
    call.exchange.token.as_ref()
}

/// Scheme, fields, upper case, GUID, number: as the table of the header says.
pub(super) fn form(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let (calls, any) = speaking(traffic);
    for call in calls {
        if call.header("authorization").is_none() && call.exchange.token.is_none() {
            // Programs that export HARs for others to read take the header out of all of them.
            if call.exchange.vantage == Vantage::Foreign && !any {
                examined.pass_over(
                    "the recording has no Authorization header at all: it was taken out when it was exported",
                );
                continue;
            }
            examined.look();
            let what = "a call on a mailbox without an Authorization header";
            examined.find(Finding::about(&[call], Grade::Broken, what).expected("a token").seen("none"));
            continue;
        }
        let own = call.exchange.token.as_ref().map(|token| token.mailbox.as_str());
        let differs = own.filter(|own| call.mailbox.as_deref().is_some_and(|path| path != *own));
        match (call.exchange.token_fault, differs) {
            (Some(TokenFault::Withheld), _) => examined.pass_over(WITHHELD),
            (Some(TokenFault::UpperCaseHash), None) | (None, None) => examined.look(),
            (_, Some(own)) if call.mailbox.as_deref().is_some_and(|path| path.eq_ignore_ascii_case(own)) => {
                examined.look();
                let what = "the path has the mailbox ID in lower case";
                let finding =
                    Finding::about(&[call], Grade::Warning, what).expected("the ID as the token has it");
                examined.find(finding.seen("the same ID with lower-case letters").remedy(
                    "Write the mailbox ID in upper case everywhere: not every endpoint takes the other.",
                ));
            }
            (None | Some(TokenFault::UpperCaseHash), Some(own)) => {
                examined.look();
                let what = "the token speaks for another mailbox than the path";
                let path = call.mailbox.as_deref().unwrap_or_default();
                examined.find(
                    Finding::about(&[call], Grade::Broken, what)
                        .expected(format!("a token of {path}"))
                        .seen(format!("a token of {}", crate::tape::printable(own.as_bytes()))),
                );
            }
            (Some(fault), _) => {
                examined.look();
                let what = "the Authorization header is not a token";
                let finding = Finding::about(&[call], Grade::Broken, what);
                examined.find(finding.expected(fault.demand()).seen(fault.seen()));
            }
        }
    }
    examined
}

/// The hash is the one that mailbox, password and shared key give.
pub(super) fn hash(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in speaking(traffic).0 {
        let Some(token) = token(call, &mut examined) else { continue };
        match (token.hash, call.exchange.token_fault) {
            (_, Some(TokenFault::Withheld)) => examined.pass_over(WITHHELD),
            (_, Some(TokenFault::UpperCaseHash)) => {
                examined.look();
                let what = "the token's hash is right, but written in upper case";
                examined.find(
                    Finding::about(&[call], Grade::Warning, what)
                        .expected("64 hexadecimal digits in lower case")
                        .seen("the same in upper case")
                        .remedy("Write the hash in lower case: NHS England's own validator of authorization headers compares to the letter, though some endpoints take either."),
                );
            }
            (HashCheck::Matches, _) => examined.look(),
            (HashCheck::Unknown, _) => examined.pass_over(
                "password and shared key of the mailbox are not known here: --config FILE names them",
            ),
            (HashCheck::Differs, _) => {
                examined.look();
                let what =
                    "the token's hash is not the one that the mailbox's password and the shared key give";
                examined.find(
                    Finding::about(&[call], Grade::Broken, what)
                        .expected("HMAC-SHA256 over mailbox:nonce:count:password:timestamp, keyed with the shared key")
                        .seen("another hash"),
                );
            }
        }
    }
    examined
}

/// The time of a token is within this of the endpoint's clock when clocks are right.
const CLOSE: TimeDelta = TimeDelta::minutes(5);
/// How far from a whole hour still looks like another time zone.
const ZONE: TimeDelta = TimeDelta::minutes(2);

/// The timestamp is the current time, in UTC.
pub(super) fn timestamp(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in speaking(traffic).0 {
        let Some(token) = token(call, &mut examined) else { continue };
        let Ok(time) = NaiveDateTime::parse_from_str(&token.timestamp, "%Y%m%d%H%M") else {
            examined.pass_over("the timestamp cannot be read, which the rule on the token's form tells");
            continue;
        };
        examined.look();
        let time = time.and_utc();
        let (clock, off) = offset(time, call);
        let Some((grade, what, remedy)) = judge_offset(off) else { continue };
        let ahead = if off > TimeDelta::zero() { "ahead of" } else { "behind" };
        let mut finding = Finding::about(&[call], grade, what)
            .expected(format!("{}, give or take a few minutes", TokenTimestamp::at(clock)))
            .seen(format!("{}, which is {} {ahead} UTC", TokenTimestamp::at(time), shown(off)));
        finding.remedy = remedy;
        examined.find(finding);
    }
    examined
}

/// The endpoint's clock where it says its time, for it is what MESH compares with; else the recorder's.
fn reference(call: &Call) -> DateTime<Utc> {
    call.exchange.date().unwrap_or(call.started_at())
}

/// The clock that the token's time is closer to, and how far it is ahead of that: where recorder and
/// endpoint disagree, the product is not to blame.
fn offset(time: DateTime<Utc>, call: &Call) -> (DateTime<Utc>, TimeDelta) {
    let of = |at: DateTime<Utc>| (at, time - TokenTimestamp::at(at).time());
    let (theirs, ours) = (of(reference(call)), of(call.started_at()));
    if ours.1.abs() < theirs.1.abs() { ours } else { theirs }
}

/// What to think of a token's time that is so far ahead of the clock.
pub(in crate::rules) fn judge_offset(off: TimeDelta) -> Option<(Grade, &'static str, Option<&'static str>)> {
    if off.abs() <= CLOSE {
        return None;
    }
    let hours = (off.abs() + ZONE).num_hours();
    let is_zone = hours > 0 && hours <= 14 && (off.abs() - TimeDelta::hours(hours)).abs() <= ZONE;
    if is_zone && off > TimeDelta::zero() && hours == 1 {
        return Some((
            Grade::Broken,
            "the token's timestamp is local time: exactly an hour ahead of UTC, as British Summer Time is",
            Some(
                "Take the time in UTC, not local time. In summer this is an hour ahead, within the two hours that MESH allows, so it works until it does not.",
            ),
        ));
    }
    if is_zone {
        return Some((
            Grade::Broken,
            "the token's timestamp is local time: whole hours away from UTC, as another time zone is",
            Some("Take the time in UTC, not local time; or correct the time zone of the machine."),
        ));
    }
    if off.abs() > TokenTimestamp::WINDOW {
        return Some((
            Grade::Broken,
            "the token's timestamp is outside the two hours that MESH allows",
            None,
        ));
    }
    Some((
        Grade::Warning,
        "the token's timestamp is some minutes from UTC",
        Some(
            "Synchronise the machine's clock (NTP), and make each token directly before its request: beyond two hours MESH refuses it.",
        ),
    ))
}

/// What tells a token from another: all that goes into its hash, but the password.
type Identity<'a> = (&'a str, &'a str, &'a str, &'a str);

fn identity(token: &TokenRecord) -> Identity<'_> {
    (&token.mailbox, &token.nonce, &token.nonce_count, &token.timestamp)
}

/// No token is used twice.
pub(super) fn repeated(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let mut used: HashMap<Identity<'_>, &Call> = HashMap::new();
    for call in speaking(traffic).0 {
        let Some(token) = token(call, &mut examined) else { continue };
        examined.look();
        let Some(before) = used.insert(identity(token), call) else { continue };
        let expected = "a new token for every request";
        let seen = format!(
            "the token of exchange {} again, {} later",
            before.number,
            shown(call.started_at() - before.started_at())
        );
        let finding = if is_retry(before, call) {
            Finding::about(&[before, call], Grade::Warning, "a failed call was tried again with the same token")
                .remedy("Make a new token for each attempt. HTTP libraries that retry by themselves (NHS mesh-client 5.0.2 among them) repeat the header as it was: an endpoint that took note of the token before it failed answers the retry with 403.")
        } else {
            Finding::about(&[before, call], Grade::Broken, "a token was used again")
        };
        examined.find(finding.expected(expected).seen(seen));
    }
    examined
}

/// Whether `again` is the call `before` tried again by a library: the same request, after an answer
/// on which libraries retry, or none.
fn is_retry(before: &Call, again: &Call) -> bool {
    let head = |call: &Call| {
        let head = &call.exchange.request.head;
        (head.method.clone(), head.target.clone(), call.exchange.request.body.sha256)
    };
    let retried = match before.status() {
        None => true,
        Some(status) => matches!(status, 425 | 429 | 502 | 503 | 504),
    };
    retried && head(before) == head(again)
}

/// The count says how often a nonce was used, so it rises with each use.
pub(super) fn nonce_count(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let mut last: BTreeMap<(&str, &str), (u64, &Call)> = BTreeMap::new();
    let mut used: HashSet<Identity<'_>> = HashSet::new();
    for call in speaking(traffic).0 {
        let Some(token) = token(call, &mut examined) else { continue };
        let Ok(count) = token.nonce_count.parse::<u64>() else {
            examined.pass_over("the count cannot be read, which the rule on the token's form tells");
            continue;
        };
        examined.look();
        // The very same token is another rule's.
        if !used.insert(identity(token)) {
            continue;
        }
        let nonce = (token.mailbox.as_str(), token.nonce.as_str());
        let Some((earlier, other)) = last.insert(nonce, (count, call)) else { continue };
        // Calls at the same time may overtake each other.
        let overtaken = other.ended_at > call.started_at();
        if count > earlier || overtaken {
            continue;
        }
        examined.find(
            Finding::about(
                &[other, call],
                Grade::Warning,
                "a nonce was used again and its count did not rise",
            )
            .expected(format!("a count above {earlier}, or a new nonce"))
            .seen(format!("the count {count}")),
        );
    }
    examined
}
