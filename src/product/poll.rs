//! The poll cycle: list until the message is there, download, acknowledge.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    client::ReferenceClient,
    protocol::{Listed, MAX_RESULTS_DEFAULT, MessageId},
    tape::Exchange,
};

/// Between one look and the next at an inbox in which a message is known to be on its way: short at
/// first, since most are there at once, and never again soon. The five minutes between polls
/// (OpenAPI, "Check an inbox") are for an inbox of which nothing is known.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Pages of one inbox that are followed at most.
const PAGES: usize = 1000;

/// What a look at a whole inbox showed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The exchange of each page, in order; the last one is where it ended or failed.
    pub pages: Vec<Arc<Exchange>>,
    /// The messages of all pages that could be read.
    pub messages: Vec<String>,
    /// Whether all pages could be read.
    pub complete: bool,
}

/// What a poll cycle did.
#[derive(Debug, Clone)]
pub struct Collected {
    /// The last look at the inbox.
    pub listing: Listing,
    /// The download, when the message was listed: one call, or one for each chunk.
    pub downloads: Vec<Arc<Exchange>>,
    /// The acknowledgement, when the download was a success.
    pub acknowledge: Option<Arc<Exchange>>,
}

impl Listing {
    /// Whether the message was listed.
    #[must_use]
    pub fn contains(&self, message: &MessageId) -> bool {
        self.messages.iter().any(|listed| listed == message.as_str())
    }
}

/// Looks at a whole inbox, page by page.
pub async fn list_all(client: &mut ReferenceClient) -> Listing {
    let mut listing = Listing { pages: Vec::new(), messages: Vec::new(), complete: false };
    let mut answer = client.check_inbox().await;
    loop {
        listing.pages.push(Arc::clone(&answer.exchange));
        let Some(page) = Listed::read(&answer.body).ok().filter(|_| answer.exchange.status() == Some(200))
        else {
            return listing;
        };
        listing.messages.extend(page.messages);
        match page.links.next {
            Some(link) if listing.pages.len() < PAGES && is_followable(&link) => {
                answer = client.follow(&link).await
            }
            Some(_) => return listing,
            None => {
                listing.complete = true;
                return listing;
            }
        }
    }
}

/// A link is a relative reference to the same API; anything else is not followed.
fn is_followable(link: &str) -> bool {
    link.starts_with("/messageexchange/") && link.parse::<http::uri::PathAndQuery>().is_ok()
}

/// Waits for the message to be listed, downloads it and acknowledges it.
pub async fn collect(client: &mut ReferenceClient, message: &MessageId, accept_gzip: bool) -> Collected {
    let deadline = Instant::now() + client.delivery_timeout();
    let mut wait = FIRST_WAIT;
    let mut listing = list_all(client).await;
    while listing.complete && !listing.contains(message) && Instant::now() + wait < deadline {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
        listing = list_all(client).await;
    }
    let mut collected = Collected { listing, downloads: Vec::new(), acknowledge: None };
    if collected.listing.contains(message) {
        (collected.downloads, collected.acknowledge) = take(client, message, accept_gzip).await;
    }
    collected
}

/// Downloads a message, all chunks of it, and acknowledges it when it has it whole.
async fn take(
    client: &mut ReferenceClient,
    message: &MessageId,
    accept_gzip: bool,
) -> (Vec<Arc<Exchange>>, Option<Arc<Exchange>>) {
    let answers = client.download_whole(message, accept_gzip).await;
    let downloads: Vec<Arc<Exchange>> = answers.into_iter().map(|answer| answer.exchange).collect();
    let whole = downloads.last().is_some_and(|last| last.status() == Some(200) && last.failure.is_none());
    let acknowledge = if whole { Some(client.acknowledge(message).await.exchange) } else { None };
    (downloads, acknowledge)
}

/// Works an inbox off as the pack's case 601 has it: a page, everything on it that is expected, then
/// another look, until nothing is left. Begins when a full page is there. Gives up when nothing comes
/// for as long as a delivery may take. What others have sent stays, and takes room on the pages.
pub async fn drain(client: &mut ReferenceClient, expected: &BTreeSet<String>) {
    let mut left = expected.clone();
    let mut wait = FIRST_WAIT;
    let mut deadline = Instant::now() + client.delivery_timeout();
    while !left.is_empty() && Instant::now() < deadline {
        let Some(page) = page_with(client, &left).await else { return };
        let own: Vec<&String> = page.iter().filter(|id| left.contains(*id)).collect();
        let arriving = left.len() == expected.len() && page.len() < left.len().min(MAX_RESULTS_DEFAULT);
        if own.is_empty() || arriving {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            continue;
        }
        for id in own {
            left.remove(id);
            if let Ok(message) = MessageId::parse(id) {
                take(client, &message, false).await;
            }
        }
        (wait, deadline) = (FIRST_WAIT, Instant::now() + client.delivery_timeout());
    }
}

/// One poll cycle: a page, everything on it that is expected, each once, and another look, until nothing new
/// is listed. Ends when the inbox cannot be listed.
pub async fn cycle(client: &mut ReferenceClient, expected: &BTreeSet<String>, accept_gzip: bool) {
    let mut left = expected.clone();
    while let Some(page) = page_with(client, &left).await {
        let new: Vec<&String> = page.iter().filter(|id| left.remove(*id)).collect();
        if new.is_empty() {
            return;
        }
        for message in new.into_iter().filter_map(|id| MessageId::parse(id).ok()) {
            take(client, &message, accept_gzip).await;
        }
    }
}

/// The messages on the first page that has one of these, or else on the last. `None` when the inbox cannot be listed.
async fn page_with(client: &mut ReferenceClient, wanted: &BTreeSet<String>) -> Option<Vec<String>> {
    let mut answer = client.check_inbox().await;
    for _ in 0..PAGES {
        let listed = Listed::read(&answer.body).ok().filter(|_| answer.exchange.status() == Some(200));
        let page = listed?;
        let is_here = page.messages.iter().any(|id| wanted.contains(id));
        match page.links.next.filter(|link| !is_here && is_followable(link)) {
            Some(link) => answer = client.follow(&link).await,
            None => return Some(page.messages),
        }
    }
    None
}

/// What looking for a report on a message showed.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The report's own ID.
    pub report: MessageId,
    /// Its download.
    pub download: Arc<Exchange>,
}

/// Messages whose heads are looked at for a report, at most.
const HEADS: usize = 1000;

/// Waits for a report on a message, downloads it and acknowledges it. What else lies in the inbox is only
/// looked at by its head. `None` when there is none for as long as a delivery may take.
pub async fn collect_report(
    client: &mut ReferenceClient,
    about: &MessageId,
    is_report: impl Fn(&Exchange, &MessageId) -> bool,
) -> Option<Reported> {
    let deadline = Instant::now() + client.delivery_timeout();
    let (mut seen, mut wait) = (BTreeSet::new(), FIRST_WAIT);
    loop {
        let listing = list_all(client).await;
        for id in listing.messages.iter().filter_map(|id| MessageId::parse(id).ok()) {
            if seen.len() >= HEADS || !seen.insert(id.to_string()) {
                continue;
            }
            if is_report(&client.look_up(&id).await.exchange, about) {
                let (downloads, _) = take(client, &id, false).await;
                let download = downloads.into_iter().next()?;
                return Some(Reported { report: id, download });
            }
        }
        if !listing.complete || Instant::now() + wait >= deadline {
            return None;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
