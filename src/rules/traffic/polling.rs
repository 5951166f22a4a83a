//! When the inbox is checked, and how its pages are gone through.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{Call, Examined, Finding, Grade, Traffic, shown};
use crate::{
    protocol::{ApiVersion, InboxQuery, Operation},
    rules::messages::DIRECTLY,
};

/// The query, undecoded.
fn query(call: &Call) -> &str {
    call.exchange.request.head.target.split_once('?').map(|(_, query)| query).unwrap_or_default()
}

fn parameters(query: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    pairs.sort();
    pairs
}

fn continues(call: &Call) -> bool {
    parameters(query(call)).iter().any(|(name, _)| name == "continue_from")
}

/// The message, or the last chunk of it, was taken by the endpoint.
fn completes_a_message(call: &Call) -> bool {
    call.uploads() && call.is_good() && call.sent_range().is_none_or(|range| range.is_last())
}

/// Directly after a message was sent, the inbox is checked. Sends that directly follow one another
/// need one check, after the last of them.
pub(super) fn after_send(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let directly = TimeDelta::from_std(DIRECTLY).unwrap_or_default();
    let late = |send: &Call, then: &[&Call], seen: String| {
        let mut about = vec![send];
        about.extend(then);
        let mut finding =
            Finding::about(&about, Grade::Broken, "a send is not directly followed by an inbox check")
                .expected(format!("an inbox check within {} s of the last send", directly.num_seconds()))
                .seen(seen);
        finding.message = send.given_id().or(send.message().map(str::to_owned));
        finding
    };
    for calls in traffic.mailboxes().into_values() {
        let mut sent: Option<&Call> = None;
        for call in calls {
            if call.uploads() {
                if let Some(before) = sent.take_if(|before| call.started_at() - before.ended_at > directly) {
                    examined.look();
                    let gap = shown(call.started_at() - before.ended_at);
                    examined.find(late(
                        before,
                        &[call],
                        format!("another send {gap} later, and no inbox check between"),
                    ));
                }
                sent = if completes_a_message(call) { Some(call) } else { sent };
            } else if call.is_list()
                && let Some(before) = sent.take()
            {
                examined.look();
                let gap = call.started_at() - before.ended_at;
                if gap > directly {
                    examined.find(late(
                        before,
                        &[call],
                        format!("an inbox check {} after the send", shown(gap)),
                    ));
                }
            }
        }
        match sent {
            Some(before) if traffic.end - before.ended_at > directly => {
                examined.look();
                let rest = shown(traffic.end - before.ended_at);
                examined.find(late(before, &[], format!("none in the {rest} until the recording ends")));
            }
            Some(_) => examined.pass_over("the recording ends directly after a send"),
            None => {}
        }
    }
    examined
}

/// Five minutes, less what timers are early.
const INTERVAL: TimeDelta = TimeDelta::seconds(290);
/// Fewer checks than this without need may be a person who tries something.
const NEEDLESS: usize = 3;

/// Without need, the inbox is not checked oftener than every five minutes.
pub(super) fn not_too_often(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for (mailbox, calls) in traffic.mailboxes() {
        // A product may poll for each workflow by itself.
        let mut last: BTreeMap<Vec<(String, String)>, &Call> = BTreeMap::new();
        let mut worked: Option<&Call> = None;
        let mut needless: Vec<&Call> = Vec::new();
        let mut closest = INTERVAL;
        for call in calls {
            if call.is_download() || call.is_acknowledgement() || call.uploads() {
                worked = Some(call);
            }
            if !call.is_list() || continues(call) {
                continue;
            }
            let Some(before) = last.insert(parameters(query(call)), call) else {
                examined.look();
                continue;
            };
            let gap = call.started_at() - before.started_at();
            let worked_since = worked.is_some_and(|work| work.started_at() >= before.started_at());
            if gap < INTERVAL && !worked_since && before.is_good() && is_full(before).is_none() {
                examined.pass_over("the body of the inbox page is not in the recording");
                continue;
            }
            examined.look();
            let needed = worked_since || is_full(before) != Some(false);
            if gap < INTERVAL && !needed {
                closest = closest.min(gap);
                needless.push(call);
            }
        }
        if needless.len() >= NEEDLESS {
            let finding = Finding::about(
                &needless,
                Grade::Warning,
                format!("the inbox of {mailbox} was checked oftener than every five minutes"),
            );
            examined.find(
                finding.expected("five minutes between checks, unless more is known to wait").seen(format!(
                    "{} checks without need, as little as {} after the one before",
                    needless.len(),
                    shown(closest)
                )),
            );
        }
    }
    examined
}

/// A day, with an hour's grace.
const DAY: TimeDelta = TimeDelta::hours(25);

/// The inbox is checked at least once a day.
pub(super) fn at_least_daily(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for (mailbox, calls) in traffic.mailboxes() {
        let Some(first) = calls.first() else { continue };
        if traffic.end - first.started_at() <= DAY {
            examined.pass_over("the recording is shorter than a day");
            continue;
        }
        examined.look();
        let lists: Vec<&Call> = calls.iter().copied().filter(|call| call.is_list()).collect();
        let times = lists.iter().map(|list| list.started_at());
        let ends: Vec<_> = std::iter::once(first.started_at()).chain(times).chain([traffic.end]).collect();
        let longest =
            ends.windows(2).filter_map(|pair| Some((*pair.last()? - *pair.first()?, *pair.first()?))).max();
        let Some((gap, from)) = longest.filter(|(gap, _)| *gap > DAY) else { continue };
        let before: Vec<&Call> =
            calls.iter().copied().rfind(|call| call.started_at() <= from).into_iter().collect();
        examined.find(
            Finding::about(
                &before,
                Grade::Broken,
                format!("the inbox of {mailbox} was not checked for more than a day"),
            )
            .expected("an inbox check at least every 24 hours")
            .seen(format!("none for {}", shown(gap))),
        );
    }
    examined
}

/// Whether more may wait than the page lists; `None` when the page is not in the recording.
fn is_full(list: &Call) -> Option<bool> {
    let page = list.page()?;
    let most = InboxQuery::parse(query(list)).map_or(500, |query| query.max_results);
    let is_v2 = ApiVersion::from_accept(list.header("accept")) == ApiVersion::V2;
    Some(page.next.is_some() || (!is_v2 && page.messages.len() == most))
}

/// When a product has done nothing for so long, it has stopped going through its inbox.
const IDLE: TimeDelta = TimeDelta::minutes(5);

/// After a full page the inbox is listed again, until it is empty.
pub(super) fn until_empty(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for calls in traffic.mailboxes().into_values() {
        for (place, list) in calls.iter().enumerate() {
            let waiting = list.page().map(|page| page.messages.len()).unwrap_or_default();
            match is_full(list) {
                Some(true) => {}
                Some(false) => continue,
                None if list.is_list() && list.is_good() => {
                    examined.pass_over("the body of the inbox page is not in the recording");
                    continue;
                }
                None => continue,
            }
            let mut last = *list;
            let mut gap = None;
            for call in calls.iter().skip(place + 1) {
                let since = call.started_at() - last.ended_at;
                if since > IDLE || call.is_list() {
                    gap = Some(since);
                    break;
                }
                last = call;
            }
            let gap = gap.unwrap_or(traffic.end - last.ended_at);
            let next = calls.iter().skip(place + 1).any(|call| call.is_list());
            if gap <= IDLE && !next {
                examined.pass_over("the recording ends before the inbox had to be listed again");
                continue;
            }
            examined.look();
            if gap > IDLE {
                let about: Vec<&Call> =
                    if last.number == list.number { vec![list] } else { vec![list, last] };
                let mut finding =
                    Finding::about(&about, Grade::Broken, "a full inbox page was not followed by the next");
                finding.message = None;
                examined.find(
                    finding.expected("the inbox listed again as soon as the page is worked off").seen(
                        format!(
                            "a page of {waiting} messages with more behind it, and then nothing for {}",
                            shown(gap)
                        ),
                    ),
                );
            }
        }
    }
    examined
}

/// `links.next` is followed as it was given.
pub(super) fn next_verbatim(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for calls in traffic.mailboxes().into_values() {
        let mut given: BTreeSet<Vec<(String, String)>> = BTreeSet::new();
        let mut last: Option<String> = None;
        for call in calls.into_iter().filter(|call| call.is_list()) {
            if continues(call) {
                match &last {
                    None => {
                        examined.pass_over("the page whose links.next was followed is not in the recording")
                    }
                    Some(_) => {
                        examined.look();
                        if !given.contains(&parameters(query(call))) {
                            examined.find(
                                Finding::about(
                                    &[call],
                                    Grade::Broken,
                                    "a next page was asked for in another way than links.next says",
                                )
                                .expected("path and query of links.next, as they are")
                                .seen(
                                    "another query: a parameter was changed, lost or encoded a second time",
                                ),
                            );
                        }
                    }
                }
            }
            if let Some(next) = call.page().and_then(|page| page.next) {
                given.insert(parameters(next.split_once('?').map(|(_, query)| query).unwrap_or_default()));
                last = Some(next);
            }
        }
    }
    examined
}

/// v2 of the API is asked for, where versions differ.
pub(super) fn asks_for_v2(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let mut old: BTreeMap<(Option<&str>, &str), Vec<&Call>> = BTreeMap::new();
    for call in &traffic.calls {
        let differs = matches!(
            call.operation(),
            Some(
                Operation::SendMessage(_)
                    | Operation::SendChunk(..)
                    | Operation::CheckInbox(_)
                    | Operation::Acknowledge(..)
                    | Operation::TrackMessage(_)
                    | Operation::LookUpEndpoint(..)
                    | Operation::SearchWorkflow(_)
            )
        );
        if !differs {
            continue;
        }
        examined.look();
        if ApiVersion::from_accept(call.header("accept")) == ApiVersion::V1 {
            old.entry((call.mailbox.as_deref(), call.name())).or_default().push(call);
        }
    }
    for ((_, name), calls) in old {
        examined.find(
            Finding::about(&calls, Grade::Warning, format!("{name} did not ask for version 2 of the API"))
                .expected("Accept: application/vnd.mesh.v2+json")
                .seen(format!("{} such calls that get version 1, the lowest", calls.len())),
        );
    }
    examined
}
