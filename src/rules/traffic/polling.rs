//! When the inbox is checked, and how its pages are gone through.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Act, Asked, Call, Chance, Examined, Finding, Grade, Stretch, Traffic, shown};
use crate::{
    protocol::{ApiVersion, InboxQuery, MAX_RESULTS_DEFAULT, Operation},
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

/// The workflow whose messages are listed; `None` for all.
fn workflow(call: &Call) -> Option<String> {
    let filter = parameters(query(call)).into_iter().find(|(name, _)| name == "workflow_filter");
    filter.map(|(_, workflow)| workflow)
}

/// The message, or the last chunk of it, was taken by the endpoint.
fn completes_a_message(call: &Call) -> bool {
    call.uploads() && call.is_good() && call.sent_range().is_none_or(|range| range.is_last())
}

/// Directly after a message was sent, the inbox is checked. Sends that directly follow one another
/// need one check, after the last of them.
pub(super) fn after_send(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let directly = directly();
    for stretch in traffic.stretches() {
        let mut sent: Option<&Call> = None;
        for call in &stretch.calls {
            if call.uploads() {
                let apart = |before: &mut &Call| {
                    call.started_at() - before.ended_at > directly || asked_anew(traffic, before, call)
                };
                if let Some(before) = sent.take_if(apart) {
                    unchecked(traffic, before, Some(call), call.started_at(), &mut examined);
                }
                sent = if completes_a_message(call) { Some(call) } else { sent };
            } else if call.is_list()
                && let Some(before) = sent.take()
            {
                // What a run lets pass before it asks for a check is not the product's time.
                let asked = traffic.asked(call).filter(|_| call.ask != before.ask);
                let gap = call.started_at()
                    - asked.map_or(before.ended_at, |asked| asked.from.max(before.ended_at));
                examined.look();
                if gap > directly {
                    examined.find(late(
                        before,
                        &[call],
                        format!("an inbox check {} after the send", shown(gap)),
                    ));
                }
            }
        }
        if let Some(before) = sent {
            unchecked(traffic, before, None, stretch.end, &mut examined);
        }
    }
    examined
}

fn directly() -> TimeDelta {
    TimeDelta::from_std(DIRECTLY).unwrap_or_default()
}

/// Whether a run asked for the two calls by themselves.
fn asked_anew(traffic: &Traffic, before: &Call, call: &Call) -> bool {
    traffic.is_driven && before.ask.is_some() && call.ask != before.ask
}

/// No inbox check followed a send until then. A run must have asked for one.
fn unchecked(
    traffic: &Traffic,
    send: &Call,
    next: Option<&Call>,
    until: DateTime<Utc>,
    examined: &mut Examined,
) {
    let about: Vec<&Call> = next.into_iter().collect();
    let gap = until - send.ended_at;
    let Some(_) = traffic.asked(send) else {
        let seen = match next {
            Some(_) => format!("another send {} later, and no inbox check between", shown(gap)),
            None if gap > directly() => format!("none in the {} until the recording ends", shown(gap)),
            None => return examined.pass_over("the recording ends directly after a send"),
        };
        examined.look();
        return examined.find(late(send, &about, seen));
    };
    let mailbox = send.mailbox.as_deref().unwrap_or_default();
    let after = |asked: &&Asked| asked.from >= send.started_at() && asked.from < until;
    let mut cycles = traffic.asks_for(mailbox, Act::Receive).filter(after);
    match cycles.find(|cycle| cycle.chance() == Chance::Had) {
        Some(_) => {
            examined.look();
            examined.find(late(
                send,
                &about,
                "none, and a poll cycle that was asked for ended without one".to_owned(),
            ));
        }
        None => examined.pass_over("the run did not ask for an inbox check after the send"),
    }
}

fn late(send: &Call, then: &[&Call], seen: String) -> Finding {
    let mut about = vec![send];
    about.extend(then);
    let what = "a send is not directly followed by an inbox check";
    let mut finding = Finding::about(&about, Grade::Broken, what)
        .expected(format!("an inbox check within {} s of the last send", directly().num_seconds()))
        .seen(seen);
    finding.message = send.exchange.given_id().map(|id| id.to_string()).or(send.message().map(str::to_owned));
    finding
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
        // What a run asks for is not the product's own wish: each ask is judged by itself.
        let mut last: BTreeMap<_, &Call> = BTreeMap::new();
        let mut worked: Option<&Call> = None;
        let mut needless: Vec<&Call> = Vec::new();
        let mut closest = INTERVAL;
        for call in calls {
            if is_work(call) {
                worked = Some(call);
            }
            if !call.is_list() || continues(call) {
                continue;
            }
            let asked = traffic.asked(call);
            let Some(before) = last.insert((call.part, call.ask, workflow(call)), call) else {
                match asked {
                    Some(_) => examined.pass_over("the run asked for the inbox check"),
                    None => examined.look(),
                }
                continue;
            };
            if asked.is_some_and(|asked| asked.waits) {
                examined.pass_over("the run asked for a message to be waited for");
                continue;
            }
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
    if traffic.is_driven {
        examined.pass_over(super::BY_ITSELF);
        return examined;
    }
    for (mailbox, Stretch { calls, end }) in traffic.parts() {
        let Some(first) = calls.first() else { continue };
        if end - first.started_at() <= DAY {
            examined.pass_over("the recording is shorter than a day");
            continue;
        }
        examined.look();
        let lists: Vec<&Call> = calls.iter().copied().filter(|call| call.is_list()).collect();
        let times = lists.iter().map(|list| list.started_at());
        let ends: Vec<_> = std::iter::once(first.started_at()).chain(times).chain([end]).collect();
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
    let most = InboxQuery::parse(query(list)).map_or(MAX_RESULTS_DEFAULT, |query| query.max_results);
    let is_v2 = ApiVersion::from_accept(list.header("accept")) == ApiVersion::V2;
    Some(page.next.is_some() || (!is_v2 && page.messages.len() == most))
}

/// Whether an inbox check was answered with all that waits: what it does not list is not there.
pub(super) fn lists_all(list: &Call) -> bool {
    is_full(list) == Some(false) && workflow(list).is_none() && !continues(list)
}

/// When a product has done nothing for so long, it has stopped going through its inbox.
const IDLE: TimeDelta = TimeDelta::minutes(5);

/// After a full page the inbox is listed again, until it is empty.
pub(super) fn until_empty(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for stretch in traffic.stretches() {
        let worked = last_work(&stretch.calls);
        // From the end, so that the next inbox check of each workflow is known.
        let mut nexts: HashMap<Option<String>, usize> = HashMap::new();
        for (place, list) in stretch.calls.iter().enumerate().rev().filter(|(_, call)| call.is_list()) {
            let own = workflow(list);
            // A page of another workflow is not the next one; one of all workflows may be.
            let next = [nexts.get(&own), nexts.get(&None)].into_iter().flatten().min().copied();
            nexts.insert(own, place);
            match is_full(list) {
                Some(true) => {
                    let worked = worked.get(next.unwrap_or(stretch.calls.len())).copied().flatten();
                    let last = worked.filter(|last| *last > place).and_then(|last| stretch.calls.get(last));
                    let page = FullPage {
                        list,
                        last: last.unwrap_or(list),
                        next: next.and_then(|next| stretch.calls.get(next).copied()),
                    };
                    went_on(traffic, stretch.end, &page, &mut examined);
                }
                None if list.is_good() => {
                    examined.pass_over("the body of the inbox page is not in the recording");
                }
                _ => {}
            }
        }
    }
    examined
}

/// Whether messages are worked off by it. Of a report the headers are all that there is.
fn is_work(call: &Call) -> bool {
    let looks = matches!(call.operation(), Some(Operation::HeadMessage(..)));
    looks || call.is_download() || call.is_acknowledgement() || call.uploads()
}

/// For each call, and for the end, the place of the last call before by which messages were worked off.
fn last_work(calls: &[&Call]) -> Vec<Option<usize>> {
    let mut last = None;
    let mut all = vec![None];
    for (place, call) in calls.iter().enumerate() {
        last = if is_work(call) { Some(place) } else { last };
        all.push(last);
    }
    all
}

/// An inbox page behind which more waits.
struct FullPage<'a> {
    list: &'a Call,
    /// The last call by which it was worked off; the page itself when there was none.
    last: &'a Call,
    /// The inbox check after it.
    next: Option<&'a Call>,
}

/// Whether a product went on after a full page: immediately (OpenAPI, Inbox poll cycle, step 4), which is taken
/// to be as soon as the check after a send.
fn went_on(traffic: &Traffic, end: DateTime<Utc>, page: &FullPage<'_>, examined: &mut Examined) {
    let FullPage { list, last, next } = *page;
    // That it is asked for another cycle is no doing of the product's.
    let by_itself = next.filter(|next| list.ask.is_none() || next.ask == list.ask);
    let stopped = match (by_itself, traffic.chance(list)) {
        (None, Chance::Denied(why)) => return examined.pass_over(why),
        (None, Chance::Had) => true,
        _ => false,
    };
    let gap = next.map_or(end, Call::started_at) - last.ended_at;
    if gap <= IDLE && next.is_none() && !stopped {
        return examined.pass_over("the recording ends before the inbox had to be listed again");
    }
    examined.look();
    let grade = match gap {
        _ if stopped => Grade::Broken,
        gap if gap > IDLE => Grade::Broken,
        gap if gap > directly() && by_itself.is_some() => Grade::Warning,
        _ => return,
    };
    let about: Vec<&Call> = if last.number == list.number { vec![list] } else { vec![list, last] };
    let waiting = list.page().map(|page| page.messages.len()).unwrap_or_default();
    let seen = format!("a page of {waiting} messages with more behind it, and then ");
    let seen = match stopped {
        true => seen + "the end of the poll cycle",
        false => seen + &format!("nothing for {}", shown(gap)),
    };
    let what = match grade {
        Grade::Broken => "a full inbox page was not followed by the next",
        Grade::Warning => "a full inbox page was not directly followed by the next",
    };
    let mut finding = Finding::about(&about, grade, what);
    finding.message = None;
    examined.find(finding.expected("the inbox listed again as soon as the page is worked off").seen(seen));
}

/// `links.next` is followed as it was given.
pub(super) fn next_verbatim(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for Stretch { calls, .. } in traffic.stretches() {
        let mut given: BTreeSet<Vec<(String, String)>> = BTreeSet::new();
        // Workflows whose last page cannot be read.
        let mut unread: BTreeSet<Option<String>> = BTreeSet::new();
        let mut last: Option<String> = None;
        for call in calls.into_iter().filter(|call| call.is_list()) {
            if continues(call) {
                match &last {
                    None => {
                        examined.pass_over("the page whose links.next was followed is not in the recording")
                    }
                    // What it may have been told there, nobody knows.
                    Some(_)
                        if !given.contains(&parameters(query(call))) && unread.contains(&workflow(call)) =>
                    {
                        examined.pass_over("the body of the inbox page is not in the recording");
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
            let page = call.page();
            if page.is_some() {
                unread.remove(&workflow(call));
            } else if call.is_good() || call.may_have_been_answered() {
                unread.insert(workflow(call));
            }
            if let Some(next) = page.and_then(|page| page.next) {
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
        if let Some(why) = call.lacks("accept") {
            examined.pass_over(why);
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
