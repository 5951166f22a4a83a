//! That a product takes responses as they come: headers in any case, and headers it does not know.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Call, Chance, Examined, Finding, Grade, Stretch, Traffic, acknowledging::is_report};
use crate::protocol::Operation;

/// Headers that a download may have in the OpenAPI, or that HTTP has. In lower case.
const KNOWN: [&str; 46] = [
    "accept-ranges",
    "age",
    "alt-svc",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "pragma",
    "server",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "via",
    "x-content-type-options",
    "x-frame-options",
    "mex-addresstype",
    "mex-chunk-range",
    "mex-content-checksum",
    "mex-content-compressed",
    "mex-content-encrypted",
    "mex-content-type",
    "mex-filename",
    "mex-from",
    "mex-fromsmtp",
    "mex-linkedmsgid",
    "mex-localid",
    "mex-messageid",
    "mex-messagetype",
    "mex-partnerid",
    "mex-statuscode",
    "mex-statusdescription",
    "mex-statusevent",
    "mex-statussuccess",
    "mex-statustimestamp",
    "mex-subject",
    "mex-to",
    "mex-tosmtp",
    "mex-total-chunks",
    "mex-workflowid",
];

/// Headers that no client can expect, in name or case.
fn odd(call: &Call) -> Option<String> {
    let unusual = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let unknown = !KNOWN.contains(&lower.as_str()) && lower != "mex-version";
        // Usual are `mex-to` and `Mex-To`; `MEX-TO` and `mEX-tO` are not.
        let capitalised = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_uppercase())
                && (part.len() < 3 || part.chars().any(|c| c.is_ascii_lowercase()))
        };
        let usual_case = name == lower || name.split('-').all(capitalised) || lower == "etag";
        unknown || !usual_case
    };
    call.response_headers().iter().map(|header| &header.name).find(|name| unusual(name)).cloned()
}

/// Whether a product could have gone on after a download by then.
fn had_time(traffic: &Traffic, call: &Call, end: DateTime<Utc>) -> bool {
    match traffic.chance(call) {
        Chance::Had => true,
        // It stumbled over something here, and said so.
        Chance::Denied(_) => traffic.asked(call).is_some_and(|asked| asked.is_over),
        Chance::Open => end - call.ended_at > TimeDelta::minutes(5),
    }
}

/// Downloads that were answered well, each with whether the product went on: with the next chunk, or the
/// acknowledgement.
fn downloads<'a>(calls: &[&'a Call]) -> Vec<(&'a Call, bool)> {
    // By message, whether it is acknowledged later, and the last chunk that is asked for later.
    let mut later: HashMap<Option<&str>, (bool, u32)> = HashMap::new();
    let mut all = Vec::new();
    for call in calls.iter().rev() {
        let (acknowledged, chunk) = later.entry(call.message()).or_default();
        if call.is_download() && call.is_good() {
            all.push((*call, *acknowledged || *chunk > call.chunk()));
        }
        *acknowledged |= call.is_acknowledgement();
        *chunk = call.chunk().max(*chunk);
    }
    all.reverse();
    all
}

/// After a response with unusual headers, a product goes on as after any other.
pub(super) fn tolerated(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    // That a download with usual headers was gone on with shows that it can be, whenever that was.
    // A report is worked off in another way than a message, and one in chunks than one that is whole.
    let way = |call: &Call| (is_report(call), call.status() == Some(206));
    let usual_works: BTreeSet<(&str, (bool, bool))> = traffic
        .stretches()
        .iter()
        .flat_map(|stretch| downloads(&stretch.calls))
        .filter(|(call, goes_on)| *goes_on && odd(call).is_none())
        .filter_map(|(call, _)| Some((call.mailbox.as_deref()?, way(call))))
        .collect();
    for Stretch { calls, end } in traffic.stretches() {
        for (call, goes_on) in downloads(&calls) {
            let Some(name) = odd(call) else { continue };
            let mailbox = call.mailbox.as_deref();
            let usual_works = mailbox.is_some_and(|mailbox| usual_works.contains(&(mailbox, way(call))));
            if goes_on {
                examined.look();
            } else if usual_works && had_time(traffic, call, end) {
                examined.look();
                examined.find(
                    Finding::about(
                        &[call],
                        Grade::Broken,
                        "a download with unusual response headers was not gone on with",
                    )
                    .expected("the next chunk or the acknowledgement, as after other downloads")
                    .seen(format!(
                        "nothing after a response that had the header {}",
                        crate::tape::printable(name.as_bytes())
                    )),
                );
            } else {
                examined.pass_over("a download with unusual headers was not gone on with, but neither can that be laid to the headers");
            }
        }
    }
    examined
}

/// Every call is one that the API has; of others no rule could say anything.
pub(super) fn known(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| call.mailbox.is_some()) {
        examined.look();
        if call.operation().is_none() {
            examined.find(
                Finding::about(&[call], Grade::Warning, "a call is none that the API has")
                    .expected("method and path of an operation of the OpenAPI")
                    .seen("another method or path"),
            );
        }
    }
    examined
}

/// Calls that are deprecated are not needed.
pub(super) fn deprecated(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| call.operation().is_some()) {
        examined.look();
        let (what, instead) = match call.operation() {
            Some(Operation::CountMessages(_)) => {
                ("the deprecated message count was asked for", "the inbox check alone")
            }
            Some(Operation::TrackLocalId(..)) => {
                ("the deprecated tracking by local ID was used", "tracking by message ID")
            }
            _ => continue,
        };
        examined.find(Finding::about(&[call], Grade::Warning, what).expected(instead).seen(call.name()));
    }
    examined
}
