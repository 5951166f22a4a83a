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

/// A look at the inbox after which messages were downloaded.
struct Working {
    /// How many messages a page may have, as the product asked for it.
    most: usize,
    listed: usize,
    downloads: usize,
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
    /// After how many of these looks another came before all of the page was taken that was taken in the end.
    pub unfinished: usize,
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
        let seen = format!("{} of {} pages left unfinished", self.unfinished, self.downloads.len());
        Err(fault.comparing("each page worked off before the next look", seen).from_source(SOURCE))
    }
}

/// The inbox was worked off page by page: a full page first, of 500 unless the product asked for another
/// number, everything on it, then another look, until nothing is left.
///
/// # Errors
/// A fault of the product that stopped early, of the endpoint when its pages are not full.
pub fn worked_off_in_pages(expected: usize, tape: &[Arc<Exchange>]) -> Result<WorkedOff, Fault> {
    let pages = working(tape)?;
    let done: usize = pages.iter().map(|page| page.downloads).sum();
    let most = pages.first().map_or(MAX_RESULTS_DEFAULT, |page| page.most);
    let full = most.min(expected);
    let fault = |kind, what: &str, remedy: &str, seen: String| {
        let first = full;
        let expected = format!("{first} messages first, then the other {}", expected - first);
        Err(Fault::new(kind, what, remedy).comparing(expected, seen).from_source(SOURCE))
    };
    let seen = pages.iter().map(|page| format!("{} listed, {} downloaded", page.listed, page.downloads));
    let seen = seen.collect::<Vec<_>>().join("; then ");
    if done < expected {
        return fault(
            FaultKind::Product,
            "the inbox was not worked off to its end",
            "A page of 500 messages may not be all: check the inbox again after it was worked off, until it is empty.",
            seen,
        );
    }
    let first = pages.first().map_or(0, |page| page.listed);
    if (pages.len() < 2 && full < expected) || first < full {
        return fault(
            FaultKind::Endpoint,
            "the inbox was not listed in full pages",
            "Empty the product's mailbox before the case, and see that all messages have arrived before it begins.",
            seen,
        );
    }
    let unfinished = pages.iter().filter(|page| page.unfinished).count();
    Ok(WorkedOff { most, downloads: pages.iter().map(|page| page.downloads).collect(), unfinished })
}

fn working(tape: &[Arc<Exchange>]) -> Result<Vec<Working>, Fault> {
    let mut pages: Vec<Working> = Vec::new();
    // On which page a message was listed first. What others have sent may never be taken.
    let mut first_listed: HashMap<String, usize> = HashMap::new();
    for exchange in of_product(tape) {
        match &exchange.operation {
            Some(Operation::CheckInbox(_)) => {
                let messages = inbox_listed(exchange, tape)?.messages;
                let listed = messages.len();
                for message in messages {
                    first_listed.entry(message).or_insert(pages.len());
                }
                let query = exchange.request.head.target.split_once('?').map(|(_, query)| query);
                let most = query.and_then(|query| InboxQuery::parse(query).ok());
                let most = most.map_or(MAX_RESULTS_DEFAULT, |query| query.max_results);
                pages.push(Working { most, listed, downloads: 0, unfinished: false });
            }
            Some(Operation::GetMessage(_, id)) => {
                if let Some((page, earlier)) = pages.split_last_mut() {
                    page.downloads += 1;
                    let from = first_listed.get(id.as_str()).copied().unwrap_or(earlier.len());
                    earlier.iter_mut().skip(from).for_each(|page| page.unfinished = true);
                }
            }
            _ => {}
        }
    }
    pages.retain(|page| page.downloads > 0);
    Ok(pages)
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
            _ => {
                let what =
                    format!("the download of message {id} is not directly followed by its acknowledgement");
                let remedy = "Acknowledge a message in the call that follows its download: until then it stays in the inbox.";
                return Err(Fault::new(FaultKind::Product, what, remedy).from_source(SOURCE));
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
