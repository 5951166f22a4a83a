//! Chunks of what is sent.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::{BLACKED_OUT, Call, Chance, Examined, Finding, Grade, Traffic, failures::same, shown};
use crate::tape::Sha256;

/// Messages in chunks: the first send and the chunks that follow, by message ID. Where a recording was ended,
/// chunks between may be missing from it.
pub(super) fn messages(traffic: &Traffic) -> BTreeMap<(String, usize, String), Vec<&Call>> {
    let mut messages: BTreeMap<(String, usize, String), Vec<&Call>> = BTreeMap::new();
    for (mailbox, calls) in traffic.mailboxes() {
        for call in calls.into_iter().filter(|call| call.uploads()) {
            let is_first = call.is_send() && call.sent_range().is_some_and(|range| !range.is_last());
            let given = || call.exchange.given_id().map(|id| id.to_string());
            let id = if is_first { given() } else { call.message().map(str::to_owned) };
            if let Some(id) = id {
                messages.entry((mailbox.to_owned(), call.part, id)).or_default().push(call);
            }
        }
    }
    messages
}

/// Whether the answer says that another try has no use, as 417 and 423 do (OpenAPI, Send chunked message).
fn is_refused(call: &Call) -> bool {
    call.status().is_some_and(|status| (400..500).contains(&status) && !matches!(status, 408 | 425 | 429))
}

/// A message may take this long from one chunk to the next.
const ABANDONED: TimeDelta = TimeDelta::hours(1);

/// Chunks come in order, with one total, to the last.
pub(super) fn order(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| call.uploads()) {
        let Some(text) = call.header("mex-chunk-range").map(str::trim).filter(|text| !text.is_empty()) else {
            continue;
        };
        match call.sent_range() {
            None if call.is_withheld("mex-chunk-range") => examined.pass_over(BLACKED_OUT),
            None => {
                examined.look();
                let what = "Mex-Chunk-Range is not a place in a message";
                let seen = crate::tape::printable(text.chars().take(40).collect::<String>().as_bytes());
                examined.find(
                    Finding::about(&[call], Grade::Broken, what)
                        .expected("index:total, counted from 1")
                        .seen(seen),
                );
            }
            Some(range) if range.index().get() != call.chunk() => {
                examined.look();
                let what = "a chunk's Mex-Chunk-Range is not that of its path";
                examined.find(
                    Finding::about(&[call], Grade::Broken, what)
                        .expected(format!("{}:{}", call.chunk(), range.total()))
                        .seen(range.to_string()),
                );
            }
            Some(_) => {}
        }
    }
    let begun = Begun::new(traffic);
    for ((_, _, id), calls) in messages(traffic) {
        if !calls.first().is_some_and(|first| first.is_send()) {
            examined.pass_over("the first chunk of the message is not in the recording");
            continue;
        }
        in_order(&id, &calls, traffic, &begun, &mut examined);
    }
    examined
}

fn in_order(id: &str, calls: &[&Call], traffic: &Traffic, begun: &Begun<'_>, examined: &mut Examined) {
    let Some((first, rest)) = calls.split_first() else { return };
    let Some(total) = first.sent_range().map(|range| range.total().get()) else { return };
    let mut find = |about: &[&Call], what: &str, expected: String, seen: String| {
        let mut finding = Finding::about(about, Grade::Broken, what).expected(expected).seen(seen);
        finding.message = Some(id.to_owned());
        examined.findings.push(finding);
    };
    let mut next = 2;
    let mut last = *first;
    for call in rest {
        let index = call.chunk();
        let said = call.sent_range().map_or(total, |range| range.total().get());
        if said != total {
            find(
                &[first, call],
                "chunks of one message disagree about how many there are",
                format!("{index}:{total}"),
                format!("{index}:{said}"),
            );
        }
        // A chunk that failed is sent again; one that arrived is not, nor is one left out.
        let again = index.checked_add(1) == Some(next) && !last.is_good();
        if index != next && !again {
            find(
                &[last, call],
                "chunks are not sent in order",
                format!("chunk {next}"),
                format!("chunk {index}"),
            );
        }
        next = if call.is_good() { index.saturating_add(1) } else { index };
        last = call;
    }
    let since = traffic.end_after(last) - last.ended_at;
    let chance = traffic.chance(last);
    if next > total {
        examined.look();
    } else if chance == Chance::Open && is_refused(last) {
        examined.pass_over("a chunk was refused for good: what follows it would be of no use");
    } else if !last.is_good() && begun.is_anew(first, last) {
        examined.pass_over(
            "a chunk failed, and the message was begun anew: nobody gets the first, which has no end",
        );
    } else if chance == Chance::Had || (chance == Chance::Open && since > ABANDONED) {
        let seen = match chance {
            Chance::Had => "the end of the send that was asked for".to_owned(),
            _ => format!("nothing for {}", shown(since)),
        };
        find(
            &[first, last],
            "a message was begun and its last chunk never sent",
            format!("{total} chunks"),
            format!("{} chunks, and then {seen}", next - 1),
        );
    } else if let Chance::Denied(why) = chance {
        examined.pass_over(why);
    } else if last.is_good() {
        examined.pass_over("the recording ends before the last chunk of a message");
    } else {
        examined.pass_over("a chunk of the message failed, and the recording ends before another try");
    }
}

/// When each message was begun the last time: by mailbox, and by what makes sends the same, whatever they were asked for.
struct Begun<'a>(HashMap<(Option<&'a str>, Sent<'a>), DateTime<Utc>>);

/// What makes two calls the same, but for within which ask they were made.
type Sent<'a> = (&'a str, &'a str, [Option<&'a str>; 4], Sha256);

impl<'a> Begun<'a> {
    fn new(traffic: &'a Traffic) -> Self {
        let sends = traffic.calls.iter().filter(|call| call.is_send());
        // In order of time, so that the last stays.
        Self(sends.filter_map(|call| Some((Self::named(call)?, call.started_at()))).collect())
    }

    /// Whether the same message is sent once more, from its first chunk, after the last of this one.
    fn is_anew(&self, first: &'a Call, last: &Call) -> bool {
        let again = Self::named(first).and_then(|named| self.0.get(&named));
        again.is_some_and(|again| *again >= last.ended_at)
    }

    fn named(call: &'a Call) -> Option<(Option<&'a str>, Sent<'a>)> {
        let (_, method, target, headers, body) = same(call).ok()?;
        Some((call.mailbox.as_deref(), (method, target, headers, body)))
    }
}

/// The largest body of one request, in bytes. The OpenAPI says 100MB and not which: the larger counts.
const LARGEST: u64 = 100 * 1024 * 1024;
/// Chunks but for the last should be larger than this, in bytes.
const SMALL: u64 = 5_000_000;

/// No request is larger than MESH takes.
pub(super) fn largest(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| call.uploads()) {
        let size = call.exchange.request.body.size;
        if size == 0 && !call.has_body() {
            examined.pass_over("the size of the body is not in the recording");
            continue;
        }
        examined.look();
        if size > LARGEST {
            examined.find(
                Finding::about(&[call], Grade::Broken, "a request is larger than MESH takes")
                    .expected("at most 100 MB")
                    .seen(format!("{} MB", size / (1024 * 1024))),
            );
        }
    }
    examined
}

/// Chunks are not needlessly small.
pub(super) fn small(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for calls in messages(traffic).into_values() {
        let parts = calls.into_iter().filter(|call| call.sent_range().is_some_and(|range| !range.is_last()));
        let ordered = |call: &Call| {
            traffic.asked(call).and_then(|asked| asked.chunk_bytes).filter(|bytes| *bytes < SMALL)
        };
        let mut tiny: Vec<&Call> = Vec::new();
        for call in parts {
            let body = &call.exchange.request.body;
            if body.size == 0 && !call.has_body() {
                examined.pass_over("the size of the body is not in the recording");
                continue;
            }
            if let Some(bytes) = ordered(call) {
                examined.pass_over(format!("the run asked for chunks of {bytes} bytes"));
                continue;
            }
            examined.look();
            // Before or after compression: sources do not say which, so the larger counts.
            if body.size.max(body.content_size().unwrap_or_default()) < SMALL {
                tiny.push(call);
            }
        }
        let smallest = tiny.iter().map(|call| call.exchange.request.body.size).min();
        if let Some(smallest) = smallest {
            examined.find(
                Finding::about(&tiny, Grade::Warning, "a message is sent in needlessly small chunks")
                    .expected("more than 5 MB in every chunk but the last")
                    .seen(format!("chunks of as little as {smallest} bytes")),
            );
        }
    }
    examined
}
