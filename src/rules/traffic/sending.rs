//! Headers of a send, and that no message is sent twice by accident.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use super::{Call, Examined, Finding, Grade, NO_BODY, NO_HEADERS, Traffic, shown};
use crate::{protocol::SEND_LIMITS, tape::Vantage};

/// Required headers are there, each once, and none is longer than it may be.
pub(super) fn headers(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| call.uploads()) {
        if !call.has_headers() {
            examined.pass_over(NO_HEADERS);
            continue;
        }
        examined.look();
        let required: &[&str] =
            if call.is_send() { &["Mex-To", "Mex-WorkflowID"] } else { &["Mex-Chunk-Range"] };
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|name| call.header(name).is_none_or(|value| value.trim().is_empty()))
            .collect();
        // Of a chunk the path says which it is, and the OpenAPI does not require the header.
        let (grade, bound) =
            if call.is_send() { (Grade::Broken, "must") } else { (Grade::Warning, "should") };
        if !missing.is_empty() {
            examined.find(
                Finding::about(&[call], grade, format!("{} lacks headers that it {bound} have", call.name()))
                    .expected(required.join(" and "))
                    .seen(format!("no {}", missing.join(", no "))),
            );
        }
        for (name, _, limit) in &SEND_LIMITS {
            let length = call.header(name).map(|value| value.chars().count()).unwrap_or_default();
            if length > *limit {
                examined.find(
                    Finding::about(&[call], Grade::Broken, format!("{name} is longer than it may be"))
                        .expected(format!("at most {limit} characters"))
                        .seen(format!("{length} characters")),
                );
            }
        }
        let limited = SEND_LIMITS.iter().map(|(name, ..)| *name);
        limited.chain(["Mex-From"]).filter_map(|name| repeated_header(call, name)).for_each(|finding| {
            examined.find(finding);
        });
    }
    examined
}

/// A header that is there more than once: which of them an endpoint takes, or whether it joins them, no
/// document says.
fn repeated_header(call: &Call, name: &str) -> Option<Finding> {
    let headers = &call.exchange.request.head.headers;
    let same = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    let values: Vec<&str> = same.map(|header| header.value.trim()).collect();
    let [first, others @ ..] = values.as_slice() else { return None };
    if others.is_empty() {
        return None;
    }
    let alike = others.iter().all(|other| other == first);
    // Whoever exports a recording may write a header down twice.
    let is_sure = !alike && call.exchange.vantage != Vantage::Foreign;
    let grade = if is_sure { Grade::Broken } else { Grade::Warning };
    let finding = Finding::about(&[call], grade, format!("a send has {name} more than once"))
        .expected("each header once (RFC 9110, 5.3 Field Order)")
        .seen(format!("{} of them, {}", values.len(), if alike { "all alike" } else { "which differ" }))
        .remedy("Set a header, and do not add it to one that is there. A message to several recipients is sent to each by itself.");
    Some(finding)
}

/// `Mex-From` is the mailbox that speaks.
pub(super) fn from(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| call.is_send()) {
        let written = call.mailbox.as_deref().unwrap_or_default();
        // That the path has it in lower case is for the rule on the token's form to tell.
        let mailbox = written.to_ascii_uppercase();
        let from = call.header("mex-from").map(str::trim);
        if let Some(why) = call.lacks("mex-from") {
            examined.pass_over(why);
            continue;
        }
        examined.look();
        match from {
            None | Some("") => examined.find(
                Finding::about(&[call], Grade::Warning, "a send has no Mex-From")
                    .expected(format!("Mex-From: {mailbox}"))
                    .seen("none")
                    .remedy("Send Mex-From: the assurance pack lists it (case 201), though the OpenAPI does not demand it any more."),
            ),
            Some(from) if from != mailbox && from != written => examined.find(
                Finding::about(&[call], Grade::Broken, "Mex-From is not the mailbox that sends")
                    .expected(format!("Mex-From: {mailbox}"))
                    .seen("another mailbox"),
            ),
            Some(_) => {}
        }
    }
    examined
}

/// Chunks of which the endpoint took each, by message.
type Taken<'a> = HashSet<(&'a str, u32)>;

/// Whether the last chunk of a message was accepted, where it has several.
fn has_its_end(first: &Call, taken: &Taken<'_>) -> bool {
    let Some(range) = first.sent_range().filter(|range| !range.is_last()) else { return true };
    first.exchange.given_id().is_some_and(|id| taken.contains(&(id.as_str(), range.total().get())))
}

/// Within this, the same content under the same reference is the same message.
const SHORT: TimeDelta = TimeDelta::minutes(10);

/// No send is repeated without a look at what became of it.
pub(super) fn repeated(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for calls in traffic.mailboxes().into_values() {
        let mut sent: HashMap<_, &Call> = HashMap::new();
        let taken = calls.iter().filter(|call| call.uploads() && call.is_good());
        let taken: Taken<'_> = taken.filter_map(|call| Some((call.message()?, call.chunk()))).collect();
        for call in calls.iter().copied().filter(|call| call.is_send()) {
            if !call.has_body() {
                examined.pass_over(NO_BODY);
                continue;
            }
            examined.look();
            let header = |name: &str| call.header(name).unwrap_or_default().trim().to_owned();
            let local_id = header("mex-localid");
            let body = call.exchange.request.body.sha256_to_compare();
            let key = (
                header("mex-to"),
                header("mex-workflowid"),
                local_id.clone(),
                header("mex-chunk-range"),
                body,
            );
            let Some(before) = sent.insert(key, call) else { continue };
            let gap = call.started_at() - before.ended_at;
            let asked_anew = before.ask.is_some() && call.ask.is_some() && before.ask != call.ask;
            if gap > SHORT || asked_anew {
                continue;
            }
            let reference = if local_id.is_empty() {
                "the same content to the same recipient"
            } else {
                "the same content under the same local ID"
            };
            let what = match before.status() {
                // Nobody gets a message of which chunks are missing (OpenAPI, Send chunked message).
                Some(_) if !has_its_end(before, &taken) => continue,
                Some(status) if (200..300).contains(&status) => "a message that was accepted was sent again",
                // Where the recording was ended, there may have been a look.
                None | Some(500..) if before.part != call.part => continue,
                None => "a send without an answer was repeated blindly: the first may have been accepted",
                Some(status) if status >= 500 => {
                    "a send that the endpoint failed on was repeated blindly: the first may have been accepted"
                }
                // What was refused was not taken; to try that again is another rule's.
                Some(_) => continue,
            };
            examined.find(
                Finding::about(&[before, call], Grade::Warning, what)
                    .expected("each message once; after a send without an answer, a check (tracking by message or local ID) first")
                    .seen(format!("{reference}, {} later", shown(gap))),
            );
        }
    }
    examined
}
