//! Download, then acknowledge: everything, once, and only what was downloaded.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Call, Chance, Examined, Finding, Grade, Stretch, Traffic, polling::lists_all, shown};
use crate::{protocol::Operation, tape::Decoded};

/// How long a product may work on a message before it acknowledges, at the end of a recording.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// What is known of a message that is being fetched.
#[derive(Default)]
struct Fetched<'a> {
    chunks: BTreeSet<u32>,
    total: Option<u32>,
    /// Downloads that no finding has named yet: each stands in one.
    untold: Vec<&'a Call>,
    /// Whether an answer that the recording lacks may have come.
    is_unseen: bool,
    is_report: bool,
    was_broken: bool,
}

impl<'a> Fetched<'a> {
    /// Takes note of a download; whether the message is complete with it.
    fn add(&mut self, call: &'a Call) -> bool {
        self.untold.push(call);
        self.is_unseen |= call.may_have_been_answered();
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
    /// No acknowledgement was answered well, and this was the last; how many there were, and how many of them
    /// were refused.
    Unsettled(&'a Call, usize, usize),
    /// Not until then.
    Never(DateTime<Utc>),
    /// The poll cycle in which it was downloaded ended, and well.
    CycleOver,
    /// It cannot be told, and why.
    Open(&'static str),
}

/// A message whose acknowledgement was not answered well.
struct InVain<'a> {
    download: &'a Call,
    is_report: bool,
    acknowledgement: &'a Call,
    /// Its place among the calls.
    place: usize,
    tries: usize,
    refused: usize,
    /// The inbox check that shows that the message is still there.
    listed: Option<&'a Call>,
}

impl<'a> InVain<'a> {
    fn new(download: &'a Call, is_report: bool, acknowledgement: &'a Call, place: usize) -> Self {
        let mut new =
            Self { download, is_report, acknowledgement, place, tries: 0, refused: 0, listed: None };
        new.tried(acknowledgement, place);
        new
    }

    fn tried(&mut self, acknowledgement: &'a Call, place: usize) {
        (self.acknowledgement, self.place, self.listed) = (acknowledgement, place, None);
        self.tries += 1;
        self.refused += usize::from(is_refused(acknowledgement));
    }

    /// What became of it by the end, when it was not acknowledged well. `gone` is the place of the last inbox
    /// check that lists all there is.
    fn became(&self, traffic: &Traffic, end: DateTime<Utc>, gone: Option<usize>) -> Became<'a> {
        let tried = self.acknowledgement;
        // It came about all the same.
        if self.listed.is_none() && gone.is_some_and(|gone| gone > self.place) {
            return Became::Acknowledged;
        }
        if self.listed.is_none() && tried.may_have_been_answered() {
            return Became::Open("the answer to an acknowledgement is not in the recording");
        }
        let last = self.listed.unwrap_or(tried);
        match (traffic.chance(last), self.listed) {
            (Chance::Denied(why), _) => Became::Open(why),
            // However soon the recording ends.
            _ if self.tries >= FUTILE => Became::Unsettled(tried, self.tries, self.refused),
            (Chance::Open, _) if end - last.ended_at <= PATIENCE => Became::Open(TOO_SOON),
            (Chance::Had | Chance::Open, Some(list)) => Became::InVain(tried, list),
            // The next poll cycle would have been the time for it.
            (Chance::Had, None) => Became::Open(NO_CYCLE),
            (Chance::Open, None) => Became::Unsettled(tried, self.tries, self.refused),
        }
    }
}

/// So many tries in vain show that more of them are of no use, and so many refusals that the call is wrong.
const FUTILE: usize = 3;

/// Whether MESH took exception to the call, rather than failed on it.
fn is_refused(call: &Call) -> bool {
    call.status().is_some_and(|status| (300..500).contains(&status) && !matches!(status, 408 | 425 | 429))
}

/// Every message that was completely downloaded: the call that completed it, whether it is a report,
/// and what became of it.
fn downloads<'a>(traffic: &'a Traffic) -> Vec<(&'a Call, bool, Became<'a>)> {
    let mut all = Vec::new();
    for Stretch { calls, end } in traffic.stretches() {
        let mut fetching: BTreeMap<&str, Fetched<'_>> = BTreeMap::new();
        let mut waiting: BTreeMap<&str, (&Call, bool)> = BTreeMap::new();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let mut in_vain: BTreeMap<&str, InVain<'_>> = BTreeMap::new();
        let mut gone = None;
        for (place, call) in calls.into_iter().enumerate() {
            if call.is_list() {
                if let Some(page) = call.page().filter(|_| !in_vain.is_empty()) {
                    for message in &page.messages {
                        if let Some(tried) = in_vain.get_mut(message.as_str()) {
                            tried.listed.get_or_insert(call);
                        }
                    }
                    gone = if lists_all(call) { Some(place) } else { gone };
                }
                for (message, (download, report)) in std::mem::take(&mut waiting) {
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
                let waited = waiting.remove(message);
                if call.is_good() {
                    done.insert(message);
                    let tried = in_vain.remove(message).map(|tried| (tried.download, tried.is_report));
                    let downloads = waited.into_iter().chain(tried);
                    all.extend(downloads.map(|(download, report)| (download, report, Became::Acknowledged)));
                } else if let Some(tried) = in_vain.get_mut(message) {
                    tried.tried(call, place);
                } else if let Some((download, report)) = waited {
                    in_vain.insert(message, InVain::new(download, report, call, place));
                }
            } else if call.is_download() && !done.contains(message) && !in_vain.contains_key(message) {
                let fetched = fetching.entry(message).or_default();
                if fetched.add(call) {
                    waiting.entry(message).or_insert((call, fetched.is_report));
                }
            }
        }
        let tried = in_vain.into_values();
        all.extend(tried.map(|of| (of.download, of.is_report, of.became(traffic, end, gone))));
        all.extend(waiting.into_values().map(|(download, report)| {
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

const NO_CYCLE: &str =
    "an acknowledgement was not answered well, and the run asked for no further poll cycle";
const TOO_SOON: &str = "the recording ends before a message that was downloaded had to be acknowledged";

const LOOK: &str = "Look at the answer to each acknowledgement. A message that is listed again is to be acknowledged again: after five days MESH tells its sender that it was not collected.";

fn answer(call: &Call) -> String {
    call.status().map_or_else(|| "no answer".to_owned(), |status| format!("an answer of {status}"))
}

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
                let answer = answer(acknowledgement);
                Some(
                    Finding::about(&[download, acknowledgement, list], Grade::Broken, what)
                        .seen(format!("{answer} to the acknowledgement, and no other"))
                        .remedy(LOOK),
                )
            }
            Became::Unsettled(acknowledgement, tries, refused) => {
                let grade = if refused >= FUTILE { Grade::Broken } else { Grade::Warning };
                let what = format!("no acknowledgement of {kind} was answered well");
                let answer = answer(acknowledgement);
                let finding = Finding::about(&[download, acknowledgement], grade, what);
                Some(finding.seen(format!("{tries} tries, the last with {answer}")).remedy(LOOK))
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

/// So many downloads of one message are too many, whoever failed on its acknowledgement: that can be made
/// again by itself.
const RELENTLESS: usize = 10;

/// Downloads of one mailbox at one endpoint, by message and chunk.
#[derive(Default)]
struct Downloads<'a> {
    /// Before the acknowledgement.
    before: BTreeMap<(&'a str, u32), Vec<&'a Call>>,
    /// After it.
    after: BTreeMap<&'a str, Vec<&'a Call>>,
    acknowledged: BTreeSet<&'a str>,
    /// Numbers of downloads whose acknowledgement the endpoint failed on, so that the message stayed.
    excused: BTreeSet<usize>,
}

impl<'a> Downloads<'a> {
    /// The downloads of all chunks of a message that stand before its acknowledgement.
    fn of(&mut self, message: &'a str) -> impl Iterator<Item = &mut Vec<&'a Call>> {
        self.before.range_mut((message, 0)..=(message, u32::MAX)).map(|(_, fetches)| fetches)
    }

    fn add(&mut self, call: &'a Call) {
        let Some(message) = call.message() else { return };
        let chunk = (message, call.chunk());
        if call.is_acknowledgement() && call.is_good() {
            self.acknowledged.insert(message);
        } else if call.is_acknowledgement() && !is_refused(call) {
            let last: Vec<usize> = self.of(message).filter_map(|of| Some(of.last()?.number)).collect();
            self.excused.extend(last);
        } else if call.is_download() && self.acknowledged.contains(message) {
            self.after.entry(message).or_default().push(call);
        } else if is_whole(call) {
            self.before.entry(chunk).or_default().push(call);
        } else if call.is_download() && !self.before.contains_key(&chunk) {
            // A chunk that was never had: the message is not whole, and may be fetched anew.
            for fetches in self.of(message) {
                fetches.pop();
            }
        }
    }

    /// What is wrong with fetching one part of a message so often.
    fn again(&self, message: &str, fetches: &[&Call]) -> Option<Finding> {
        let own = fetches.iter().filter(|call| !self.excused.contains(&call.number)).count();
        let grade = match (own, fetches.len()) {
            (3.., _) | (_, RELENTLESS..) => Grade::Broken,
            (2, _) => Grade::Warning,
            (_, 3..) if !self.acknowledged.contains(message) => Grade::Warning,
            _ => return None,
        };
        let what = "the same message was downloaded again before it was acknowledged";
        let finding = Finding::about(fetches, grade, what)
            .expected("one download, then the acknowledgement")
            .seen(format!("{} downloads that succeeded", fetches.len()));
        Some(if own < 2 {
            finding.remedy("Where MESH failed on an acknowledgement, make that again, and do not download the message again for it.")
        } else {
            finding
        })
    }
}

/// No message is fetched again and again.
pub(super) fn fetched_again(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for Stretch { calls, .. } in traffic.stretches() {
        let mut downloads = Downloads::default();
        calls.into_iter().for_each(|call| downloads.add(call));
        for ((message, _), fetches) in &downloads.before {
            examined.look();
            let fetches = own_wish(traffic, fetches.clone());
            downloads.again(message, &fetches).into_iter().for_each(|finding| examined.find(finding));
        }
        // One try shows that it is gone (pack, case 705).
        let after = downloads.after.into_values();
        for fetches in after.filter(|fetches| fetches.len() > asks_of(fetches).max(1)) {
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
    for Stretch { calls, .. } in traffic.endpoints() {
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
            let known = fetched.get_mut(message);
            if seen_reports.contains(message) || known.as_ref().is_some_and(|part| part.is_complete()) {
                continue;
            }
            let finding = match known {
                Some(part) => {
                    let mut about = mem::take(&mut part.untold);
                    about.push(call);
                    let grade = if part.is_unseen { Grade::Warning } else { Grade::Broken };
                    Finding::about(&about, grade, "a message was acknowledged before all of it was downloaded").seen(part.missing())
                }
                // Where a recording was ended and goes on, it may have been downloaded between.
                None if (traffic.from_start || listed) && call.part == 0 => {
                    Finding::about(&[call], Grade::Broken, "a message was acknowledged that was not downloaded").seen("no download")
                }
                None => Finding::about(&[call], Grade::Warning, "a message was acknowledged whose download is not in the recording")
                    .seen("no download since the recording began")
                    .remedy("Acknowledge a message only after all of it was downloaded and stored. If it was downloaded while nobody recorded, all is well."),
            };
            examined.find(finding.expected("a complete download before the acknowledgement"));
        }
    }
    examined
}
