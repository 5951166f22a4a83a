//! Working off an inbox that holds more than one page (pack case 601).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{Fault, FaultKind, acknowledged, inbox_listed, refusals::of_product};
use crate::{
    protocol::{InboxQuery, MAX_RESULTS_DEFAULT, Operation},
    tape::{Exchange, Sha256},
};

const SOURCE: &str = "Pack case 601; OpenAPI: Check an inbox";

/// A look at the inbox.
struct Look {
    /// How many messages a page may have, as the product asked for it.
    most: usize,
    listed: usize,
    /// How many messages were downloaded before the next look.
    downloads: usize,
    /// How many that were taken in the end no look before had listed.
    new: usize,
    /// Whether something on it was taken only after a further look.
    unfinished: bool,
}

/// How an inbox was worked off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkedOff {
    /// How many messages a page may have, as the product asked for it.
    pub most: usize,
    /// How many were downloaded after each look.
    pub downloads: Vec<usize>,
    /// After how many looks another came before all of the page was taken that was taken in the end.
    pub unfinished: usize,
    /// How many looks showed what was taken then or later.
    pub pages: usize,
    /// Whether a page was as full as it may be, and a later one listed what was left.
    pub shows_paging: bool,
}

impl WorkedOff {
    /// A page was worked off before the next look, but for one that a product may have looked away from.
    ///
    /// # Errors
    /// What is for a warning: the case is about pages, and such a run shows none.
    pub fn page_after_page(&self) -> Result<(), Fault> {
        if self.unfinished <= 1 {
            return Ok(());
        }
        let what = "the product looked into its inbox again and again before it had taken what a page lists";
        let remedy = "Take everything on a page, and look again then: the assessor reads from the server's log that a page of 500 was worked off, and each look costs MESH a page.";
        let fault = Fault::new(FaultKind::Product, what, remedy);
        let seen = format!("{} of {} pages left unfinished", self.unfinished, self.pages);
        Err(fault.comparing("each page worked off before the next look", seen).from_source(SOURCE))
    }
}

/// The inbox was worked off page by page: a full page first, of 500 unless the product asked for another
/// number, everything on it, then another look, until nothing is left.
///
/// # Errors
/// A fault of the product that stopped early, of the endpoint when its pages are not full.
pub fn worked_off_in_pages(expected: usize, tape: &[Arc<Exchange>]) -> Result<WorkedOff, Fault> {
    let looks = looks(tape)?;
    let done: usize = looks.iter().map(|look| look.downloads).sum();
    let first = first_page(&looks, expected);
    let most = first.map_or(MAX_RESULTS_DEFAULT, |look| look.most);
    let full = most.min(expected);
    let fault = |kind, what: &str, remedy: &str| {
        let expected = format!("{full} messages first, then the other {}", expected - full);
        Err(Fault::new(kind, what, remedy).comparing(expected, told(&looks)).from_source(SOURCE))
    };
    if done < expected {
        return fault(
            FaultKind::Product,
            "the inbox was not worked off to its end",
            "A page of 500 messages may not be all: check the inbox again after it was worked off, until it is empty.",
        );
    }
    let shows_paging = shows_paging(&looks);
    if first.is_none_or(|look| look.listed < full) || (full < expected && !shows_paging) {
        return fault(
            FaultKind::Endpoint,
            "the inbox was not listed in full pages",
            "Empty the product's mailbox before the case, and see that all messages have arrived before it begins.",
        );
    }
    let unfinished = looks.iter().filter(|look| look.unfinished).count();
    let downloads = looks.iter().map(|look| look.downloads).filter(|downloads| *downloads > 0);
    let pages = looks.iter().filter(|look| look.downloads > 0 || look.unfinished).count();
    Ok(WorkedOff { most, downloads: downloads.collect(), unfinished, pages, shows_paging })
}

/// The page that the product began with: a full one, where it looked at several before it took anything, such as one
/// that goes through all pages first.
fn first_page(looks: &[Look], expected: usize) -> Option<&Look> {
    let begun = looks.iter().position(|look| look.downloads > 0)?;
    let before = &looks[..=begun];
    before.iter().find(|look| look.listed >= look.most.min(expected)).or(before.last())
}

/// Whether a page was as full as it may be, and a later one listed what was left.
fn shows_paging(looks: &[Look]) -> bool {
    let full = looks.iter().position(|look| look.listed >= look.most);
    full.is_some_and(|full| looks[full + 1..].iter().any(|later| later.new > 0))
}

fn told(looks: &[Look]) -> String {
    let listed = looks.iter().filter(|look| look.listed > 0 || look.downloads > 0);
    let listed = listed.map(|look| format!("{} listed, {} downloaded", look.listed, look.downloads));
    listed.collect::<Vec<_>>().join("; then ")
}

fn looks(tape: &[Arc<Exchange>]) -> Result<Vec<Look>, Fault> {
    let mut looks: Vec<Look> = Vec::new();
    // At which look a message was listed first. What others have sent may never be taken.
    let mut first_listed: HashMap<String, usize> = HashMap::new();
    for exchange in of_product(tape) {
        match &exchange.operation {
            Some(Operation::CheckInbox(_)) => {
                let messages = inbox_listed(exchange, tape)?.messages;
                let listed = messages.len();
                for message in messages {
                    first_listed.entry(message).or_insert(looks.len());
                }
                let query = exchange.request.head.target.split_once('?').map(|(_, query)| query);
                let most = query.and_then(|query| InboxQuery::parse(query).ok());
                let most = most.map_or(MAX_RESULTS_DEFAULT, |query| query.max_results);
                looks.push(Look { most, listed, downloads: 0, new: 0, unfinished: false });
            }
            Some(Operation::GetMessage(_, id)) => {
                let from = first_listed.get(id.as_str()).copied();
                if let Some(first) = from.and_then(|from| looks.get_mut(from)) {
                    first.new += 1;
                }
                if let Some((look, earlier)) = looks.split_last_mut() {
                    look.downloads += 1;
                    let from = from.unwrap_or(earlier.len());
                    earlier.iter_mut().skip(from).for_each(|look| look.unfinished = true);
                }
            }
            _ => {}
        }
    }
    Ok(looks)
}

/// Each of the messages was downloaded once, its payload is what was sent, and the next call
/// acknowledged it.
///
/// # Errors
/// A fault of the product, or of the endpoint whose answer was not a success.
pub fn each_collected_once(sent: &BTreeMap<String, Sha256>, tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    let calls = of_product(tape);
    let mut seen = BTreeSet::new();
    for (place, call) in calls.iter().enumerate() {
        let Some(Operation::GetMessage(_, id)) = &call.operation else { continue };
        let Some(asked) = sent.get(id.as_str()) else { continue };
        super::downloaded(call, tape)?;
        if !seen.insert(id.as_str()) {
            let what = format!("message {id} was downloaded more than once");
            let remedy = "Acknowledge a message directly after its download, so that it is not listed again.";
            return Err(Fault::new(FaultKind::Product, what, remedy).from_source(SOURCE));
        }
        let arrived = call.response.as_ref().and_then(|response| response.body.content_sha256());
        if arrived != Some(*asked) {
            let what = format!("message {id} is not what was sent");
            let remedy = "Compare both bodies by size and digest below.";
            return Err(Fault::new(FaultKind::Endpoint, what, remedy).from_source(SOURCE));
        }
        match calls.get(place + 1) {
            Some(next) if matches!(&next.operation, Some(Operation::Acknowledge(_, other)) if other == id) => {
                acknowledged(next, tape)?;
            }
            next => {
                let what =
                    format!("the download of message {id} is not directly followed by its acknowledgement");
                let remedy = "Acknowledge a message in the call that follows its download: until then it stays in the inbox.";
                let seen = match next.map(|next| &next.operation) {
                    Some(Some(Operation::Acknowledge(_, other))) => format!("acknowledge message {other}"),
                    Some(Some(operation)) => operation.name().to_owned(),
                    Some(None) => "a call that is no operation of MESH".to_owned(),
                    None => "no call".to_owned(),
                };
                return Err(Fault::new(FaultKind::Product, what, remedy)
                    .comparing(format!("acknowledge message {id}"), seen)
                    .from_source(SOURCE));
            }
        }
    }
    if seen.len() < sent.len() {
        let what = format!("{} of {} messages were not downloaded", sent.len() - seen.len(), sent.len());
        let remedy = "Check the inbox again after a full page was worked off, until it is empty.";
        return Err(Fault::new(FaultKind::Product, what, remedy).from_source(SOURCE));
    }
    Ok(())
}
