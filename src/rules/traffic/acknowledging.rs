//! Download, then acknowledge: everything, once, and only what was downloaded.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Call, Chance, Examined, Finding, Grade, Stretch, Traffic, shown, view::Page};
use crate::{protocol::Operation, tape::Decoded};

/// How long a product may work on a message before it acknowledges, at the end of a recording.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// What is known of a message that is being fetched.
#[derive(Default)]
struct Fetched<'a> {
    chunks: BTreeSet<u32>,
    total: Option<u32>,
    calls: Vec<&'a Call>,
    is_report: bool,
    was_broken: bool,
}

impl<'a> Fetched<'a> {
    /// Takes note of a download; whether the message is complete with it.
    fn add(&mut self, call: &'a Call) -> bool {
        self.calls.push(call);
        if !is_whole(call) {
            self.was_broken |= call.is_good();
            return false;
        }
        self.is_report |= is_report(call);
        self.chunks.insert(call.chunk());
        let range =
            call.answered_range().filter(|range| range.total().get() > 1).map(|range| range.total().get());
        match (range, call.status()) {
            (Some(total), _) => self.total = Some(total),
            // 200 says that no chunk follows.
            (None, Some(200)) => self.total = Some(call.chunk()),
            _ => {}
        }
        self.is_complete()
    }

    fn is_complete(&self) -> bool {
        self.total.is_some_and(|total| u32::try_from(self.chunks.len()).is_ok_and(|have| have >= total))
    }

    /// Which chunks are missing, for people.
    fn missing(&self) -> String {
        match self.total {
            Some(total) => format!("{} of {total} chunks", self.chunks.len()),
            None if self.was_broken => "a download whose body is damaged".to_owned(),
            None => "no download that succeeded".to_owned(),
        }
    }
}

/// A download that got all of its part.
fn is_whole(call: &Call) -> bool {
    let broken = call.exchange.response.as_ref().is_some_and(|r| r.body.decoded == Some(Decoded::Broken));
    call.is_download() && call.is_good() && !broken
}

pub(super) fn is_report(call: &Call) -> bool {
    call.answered("mex-messagetype").is_some_and(|kind| kind.eq_ignore_ascii_case("REPORT"))
}

/// What became of a message that was downloaded.
enum Became<'a> {
    Acknowledged,
    /// The inbox was listed before.
    Listed(&'a Call),
    /// The acknowledgement came to nothing, the inbox listed the message again, and that was all.
    InVain(&'a Call, &'a Call),
    /// Not until then.
    Never(DateTime<Utc>),
    /// The poll cycle in which it was downloaded ended, and well.
    CycleOver,
    /// It cannot be told, and why.
    Open(&'static str),
}

/// A message whose acknowledgement was not answered well.
struct InVain<'a> {
    message: &'a str,
    download: &'a Call,
    is_report: bool,
    acknowledgement: &'a Call,
    /// The inbox check that shows that the message is still there.
    listed: Option<&'a Call>,
}

impl<'a> InVain<'a> {
    /// Takes note of a page, if it lists the message.
    fn look_at(&mut self, list: &'a Call, page: Option<&Page>) {
        if page.is_some_and(|page| page.messages.iter().any(|listed| listed == self.message)) {
            self.listed.get_or_insert(list);
        }
    }

    /// What became of it by the end, when it was not acknowledged again.
    fn became(&self, traffic: &Traffic, end: DateTime<Utc>) -> Became<'a> {
        // It may have come about all the same.
        let Some(list) = self.listed else { return Became::Acknowledged };
        match traffic.chance(list) {
            Chance::Denied(why) => Became::Open(why),
            Chance::Open if end - list.ended_at <= PATIENCE => Became::Open(TOO_SOON),
            Chance::Had | Chance::Open => Became::InVain(self.acknowledgement, list),
        }
    }
}

/// Every message that was completely downloaded: the call that completed it, whether it is a report,
/// and what became of it.
fn downloads<'a>(traffic: &'a Traffic) -> Vec<(&'a Call, bool, Became<'a>)> {
    let mut all = Vec::new();
    for Stretch { calls, end } in traffic.stretches() {
        let mut fetching: BTreeMap<&str, Fetched<'_>> = BTreeMap::new();
        let mut waiting: Vec<(&str, &Call, bool)> = Vec::new();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let mut in_vain: Vec<InVain<'_>> = Vec::new();
        for call in calls {
            if call.is_list() {
                let page = call.page();
                in_vain.iter_mut().for_each(|message| message.look_at(call, page.as_ref()));
                for (message, download, report) in waiting.drain(..) {
                    done.insert(message);
                    let became = match traffic.chance(download) {
                        Chance::Denied(why) if call.ask != download.ask => Became::Open(why),
                        _ => Became::Listed(call),
                    };
                    all.push((download, report, became));
                }
            }
            let Some(message) = call.message() else { continue };
            if call.is_acknowledgement() {
                done.insert(message);
                let acknowledged = waiting.extract_if(.., |(waits, _, _)| *waits == message);
                if call.is_good() {
                    let again = in_vain.extract_if(.., |tried| tried.message == message);
                    let again = again.map(|tried| (message, tried.download, tried.is_report));
                    all.extend(
                        acknowledged
                            .chain(again)
                            .map(|(_, download, report)| (download, report, Became::Acknowledged)),
                    );
                } else {
                    let again = in_vain.iter_mut().filter(|tried| tried.message == message);
                    again.for_each(|tried| (tried.acknowledgement, tried.listed) = (call, None));
                    in_vain.extend(acknowledged.map(|(message, download, is_report)| InVain {
                        message,
                        download,
                        is_report,
                        acknowledgement: call,
                        listed: None,
                    }));
                }
            } else if call.is_download() && !done.contains(message) {
                let fetched = fetching.entry(message).or_default();
                if fetched.add(call) && !waiting.iter().any(|(waits, _, _)| *waits == message) {
                    waiting.push((message, call, fetched.is_report));
                }
            }
        }
        all.extend(in_vain.iter().map(|tried| (tried.download, tried.is_report, tried.became(traffic, end))));
        all.extend(waiting.into_iter().map(|(_, download, report)| {
            let became = match traffic.chance(download) {
                Chance::Had => Became::CycleOver,
                Chance::Denied(why) => Became::Open(why),
                Chance::Open if end - download.ended_at > PATIENCE => Became::Never(end),
                Chance::Open => Became::Open(TOO_SOON),
            };
            (download, report, became)
        }));
    }
    all
}

const TOO_SOON: &str = "the recording ends before a message that was downloaded had to be acknowledged";

fn followed(traffic: &Traffic, reports: bool) -> Examined {
    let mut examined = Examined::default();
    let (kind, expected) = if reports {
        ("a report", "the report acknowledged like any message")
    } else {
        ("a message", "the acknowledgement directly after the download")
    };
    for (download, is_report, became) in downloads(traffic) {
        if is_report != reports {
            continue;
        }
        let finding = match became {
            Became::Open(why) => {
                examined.pass_over(why);
                continue;
            }
            Became::Acknowledged => None,
            Became::Listed(list) => Some(
                Finding::about(
                    &[download, list],
                    Grade::Broken,
                    format!("{kind} was downloaded, and the inbox listed again before it was acknowledged"),
                )
                .seen(format!(
                    "an inbox check {} after the download, and no acknowledgement",
                    shown(list.started_at() - download.ended_at)
                )),
            ),
            Became::InVain(acknowledgement, list) => {
                let what =
                    format!("{kind} was acknowledged in vain, listed again, and not acknowledged again");
                let answer = acknowledgement
                    .status()
                    .map_or_else(|| "no answer".to_owned(), |status| format!("an answer of {status}"));
                Some(
                    Finding::about(&[download, acknowledgement, list], Grade::Broken, what)
                        .seen(format!("{answer} to the acknowledgement, and no other"))
                        .remedy("Look at the answer to each acknowledgement. A message that is listed again is to be acknowledged again: after five days MESH tells its sender that it was not collected."),
                )
            }
            Became::Never(end) => {
                let seen = format!("none in the {} until the recording ends", shown(end - download.ended_at));
                Some(never(download, kind).seen(seen))
            }
            Became::CycleOver => Some(
                never(download, kind).seen("none, and the poll cycle that was asked for ended without it"),
            ),
        };
        examined.look();
        if let Some(mut finding) = finding {
            finding.message = download.message().map(str::to_owned);
            examined.find(finding.expected(expected));
        }
    }
    examined
}

fn never(download: &Call, kind: &str) -> Finding {
    Finding::about(&[download], Grade::Broken, format!("{kind} was downloaded and never acknowledged"))
}

/// Every message that was downloaded is acknowledged before the inbox is listed again.
pub(super) fn before_next_list(traffic: &Traffic) -> Examined {
    followed(traffic, false)
}

/// Reports are acknowledged like any message.
pub(super) fn reports(traffic: &Traffic) -> Examined {
    followed(traffic, true)
}

/// No message is fetched again and again.
pub(super) fn fetched_again(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for Stretch { calls, .. } in traffic.stretches() {
        let mut before: BTreeMap<(&str, u32), Vec<&Call>> = BTreeMap::new();
        let mut after: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
        let mut acknowledged: BTreeSet<&str> = BTreeSet::new();
        for call in calls {
            let Some(message) = call.message() else { continue };
            if call.is_acknowledgement() && call.status().is_none_or(|status| status >= 500) {
                // It may not have come about, and then the message is there as before.
                before.retain(|(other, _), _| {
                    let is_other = *other != message;
                    (!is_other).then(|| examined.look());
                    is_other
                });
            } else if call.is_acknowledgement() {
                acknowledged.insert(message);
            } else if call.is_download() && acknowledged.contains(message) {
                after.entry(message).or_default().push(call);
            } else if is_whole(call) {
                before.entry((message, call.chunk())).or_default().push(call);
            } else if call.is_download() && !before.contains_key(&(message, call.chunk())) {
                // A chunk that was never had: the message is not whole, and may be fetched anew.
                for (_, fetches) in before.iter_mut().filter(|((id, _), _)| *id == message) {
                    fetches.pop();
                }
            }
        }
        for mut fetches in before.into_values() {
            examined.look();
            fetches = own_wish(traffic, fetches);
            let grade = match fetches.len() {
                0 | 1 => continue,
                2 => Grade::Warning,
                _ => Grade::Broken,
            };
            examined.find(
                Finding::about(
                    &fetches,
                    grade,
                    "the same message was downloaded again before it was acknowledged",
                )
                .expected("one download, then the acknowledgement")
                .seen(format!("{} downloads that succeeded", fetches.len())),
            );
        }
        // One try shows that it is gone (pack, case 705).
        for fetches in after.into_values().filter(|fetches| fetches.len() > asks_of(fetches).max(1)) {
            examined.find(
                Finding::about(
                    &fetches,
                    Grade::Warning,
                    "a message was asked for again after it had been acknowledged",
                )
                .expected("no download after the acknowledgement")
                .seen(format!("{} tries", fetches.len())),
            );
        }
    }
    examined
}

/// Downloads, but for those after which the product had no chance to acknowledge before it was asked again.
fn own_wish<'a>(traffic: &Traffic, fetches: Vec<&'a Call>) -> Vec<&'a Call> {
    let nexts: Vec<Option<&Call>> = fetches.iter().skip(1).copied().map(Some).chain([None]).collect();
    let denied = |call: &Call| matches!(traffic.chance(call), Chance::Denied(_));
    let kept = fetches.into_iter().zip(nexts);
    kept.filter(|(call, next)| !next.is_some_and(|next| next.ask != call.ask && denied(call)))
        .map(|(call, _)| call)
        .collect()
}

/// In how many asks calls were made.
fn asks_of(calls: &[&Call]) -> usize {
    calls.iter().filter_map(|call| call.ask).collect::<BTreeSet<usize>>().len()
}

/// Only what was downloaded whole is acknowledged.
pub(super) fn only_complete(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for Stretch { calls, .. } in traffic.stretches() {
        let mut fetched: BTreeMap<&str, Fetched<'_>> = BTreeMap::new();
        let mut seen_reports: BTreeSet<&str> = BTreeSet::new();
        let mut listed = false;
        for call in calls {
            listed |= call.is_list() && call.is_good();
            let Some(message) = call.message() else { continue };
            // A report has no body: its headers are all there is to get.
            if matches!(call.operation(), Some(Operation::HeadMessage(..)))
                && call.is_good()
                && is_report(call)
            {
                seen_reports.insert(message);
            }
            if call.is_download() {
                fetched.entry(message).or_default().add(call);
            }
            if !call.is_acknowledgement() {
                continue;
            }
            examined.look();
            let known = fetched.get(message);
            if seen_reports.contains(message) || known.is_some_and(Fetched::is_complete) {
                continue;
            }
            let finding = match known {
                Some(part) => {
                    let mut about = part.calls.clone();
                    about.push(call);
                    // An answer that the recording lacks may have come.
                    let unseen = part.calls.iter().any(|download| download.may_have_been_answered());
                    let grade = if unseen { Grade::Warning } else { Grade::Broken };
                    Finding::about(&about, grade, "a message was acknowledged before all of it was downloaded").seen(part.missing())
                }
                None if traffic.from_start || listed => {
                    Finding::about(&[call], Grade::Broken, "a message was acknowledged that was not downloaded").seen("no download")
                }
                None => Finding::about(&[call], Grade::Warning, "a message was acknowledged whose download is not in the recording")
                    .seen("no download since the recording began")
                    .remedy("Acknowledge a message only after all of it was downloaded and stored. If it was downloaded before the recording began, all is well."),
            };
            examined.find(finding.expected("a complete download before the acknowledgement"));
        }
    }
    examined
}
