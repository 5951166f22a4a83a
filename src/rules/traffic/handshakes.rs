//! When and how a mailbox is validated.

use chrono::TimeDelta;

use super::{Act, Call, Examined, Finding, Grade, NO_HEADERS, Stretch, Traffic, shown};
use crate::protocol::Operation;

fn is_handshake(call: &Call) -> bool {
    matches!(call.operation(), Some(Operation::Handshake(_)))
}

const NO_ANSWER: &str = "the answer to the handshake is not in the recording";

/// A handshake comes before anything else.
pub(super) fn first(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for (mailbox, calls) in traffic.mailboxes() {
        let first = calls.iter().find(|call| !is_handshake(call));
        let begun = first.map(|first| first.started_at());
        let was_asked = |first: &&&Call| {
            traffic.asks_for(mailbox, Act::Handshake).any(|asked| asked.from <= first.started_at())
        };
        if traffic.is_driven && first.is_some_and(|first| !was_asked(&first)) {
            examined.pass_over("the run asked for other things before it asked for a handshake");
            continue;
        }
        let good = |call: &Call| is_handshake(call) && call.is_good();
        let may_be = |call: &Call| is_handshake(call) && call.may_have_been_answered();
        let is_before = |call: &Call| begun.is_none_or(|begun| call.started_at() <= begun);
        let mut before = calls.iter().filter(|call| is_before(call));
        if !before.clone().any(|call| good(call)) && before.any(|call| may_be(call)) {
            examined.pass_over(NO_ANSWER);
            continue;
        }
        examined.look();
        let Some(first) = first else { continue };
        let handshake = calls.iter().find(|call| good(call));
        if handshake.is_some_and(|handshake| handshake.started_at() <= first.started_at()) {
            continue;
        }
        let seen = match handshake {
            Some(later) => format!(
                "{} first, and a handshake {} later",
                first.name(),
                shown(later.started_at() - first.started_at())
            ),
            None => format!("{} first, and no handshake in the recording", first.name()),
        };
        let what = format!("{mailbox} was used before it was validated");
        let finding = if traffic.from_start {
            Finding::about(&[first], Grade::Broken, what)
        } else {
            Finding::about(&[first], Grade::Warning, what).remedy(
                "Make a handshake at the start and once every 24 hours. If there was one within the 24 hours before this recording began, all is well: assessors look for it in the server's log.",
            )
        };
        examined.find(finding.expected("a good handshake first").seen(seen));
    }
    examined
}

/// A day, with an hour's grace for a schedule that is not to the second.
const DAY: TimeDelta = TimeDelta::hours(25);

/// No call comes more than a day after the last handshake.
pub(super) fn daily(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    if traffic.is_driven {
        examined.pass_over(super::BY_ITSELF);
        return examined;
    }
    for (mailbox, Stretch { calls, .. }) in traffic.parts() {
        let Some(begin) = calls.first().map(|call| call.started_at()) else { continue };
        let mut last = begin;
        // With those whose answer the recording lacks.
        let mut last_perhaps = begin;
        let mut told = None;
        for call in &calls {
            if is_handshake(call) {
                if call.is_good() {
                    last = call.started_at();
                }
                if call.is_good() || call.may_have_been_answered() {
                    last_perhaps = call.started_at();
                }
                continue;
            }
            let since = call.started_at() - last;
            if call.started_at() - begin <= TimeDelta::hours(24) {
                examined.pass_over("the recording is shorter than a day");
                continue;
            }
            if since > DAY && call.started_at() - last_perhaps <= DAY {
                examined.pass_over(NO_ANSWER);
                continue;
            }
            examined.look();
            if since > DAY && told != Some(last) {
                told = Some(last);
                examined.find(
                    Finding::about(
                        &[call],
                        Grade::Broken,
                        format!("{mailbox} was used without a handshake within 24 hours"),
                    )
                    .expected("a handshake every 24 hours")
                    .seen(format!("none for {}", shown(since))),
                );
            }
        }
    }
    examined
}

/// So many handshakes within so long are a burst.
const BURST: (usize, TimeDelta) = (3, TimeDelta::hours(1));
/// More than this a day is a handshake where none is needed, even if not in a burst.
const A_DAY: (usize, TimeDelta) = (6, TimeDelta::hours(24));

/// Handshakes come once a day, not in bursts.
pub(super) fn bursts(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for (mailbox, calls) in traffic.mailboxes() {
        let mut handshakes: Vec<&Call> =
            calls.into_iter().filter(|call| is_handshake(call) && call.is_good()).collect();
        // The first that a run asks for is the one of the day. Further ones that it asks for are its own.
        for asked in traffic.asks_for(mailbox, Act::Handshake).skip(1) {
            let place = handshakes.iter().position(|call| asked.exchanges.contains(&call.number));
            place.map(|place| handshakes.remove(place));
        }
        handshakes.iter().for_each(|_| examined.look());
        for (most, span) in [BURST, A_DAY] {
            let is_crowd = |window: &&[&Call]| match window {
                [first, .., last] => last.started_at() - first.started_at() <= span,
                _ => false,
            };
            let crowds: Vec<&[&Call]> = handshakes.windows(most).filter(is_crowd).collect();
            let (Some(first), Some(last)) = (crowds.first(), crowds.last()) else { continue };
            let mut all: Vec<&Call> = first.to_vec();
            all.extend(last.iter());
            examined.find(
                Finding::about(&all, Grade::Warning, format!("handshakes of {mailbox} came in a burst"))
                    .expected("one every 24 hours")
                    .seen(format!("{most} or more within {}", shown(span))),
            );
            break;
        }
    }
    examined
}

/// A handshake says which client on which system it is.
pub(super) fn headers(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| is_handshake(call)) {
        if !call.has_headers() {
            examined.pass_over(NO_HEADERS);
            continue;
        }
        examined.look();
        let missing: Vec<&str> = ["Mex-ClientVersion", "Mex-OSName", "Mex-OSVersion"]
            .into_iter()
            .filter(|name| call.header(name).is_none_or(|value| value.trim().is_empty()))
            .collect();
        if !missing.is_empty() {
            examined.find(
                Finding::about(&[call], Grade::Broken, "a handshake lacks headers that it must have")
                    .expected("Mex-ClientVersion, Mex-OSName and Mex-OSVersion")
                    .seen(format!("no {}", missing.join(", no "))),
            );
        }
    }
    examined
}
