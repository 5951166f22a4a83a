//! The poll cycle: list until the message is there, download, acknowledge.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    client::ReferenceClient,
    protocol::{Listed, MessageId},
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
    /// The download, when the message was listed.
    pub download: Option<Arc<Exchange>>,
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
        match page.links.next.filter(|_| listing.pages.len() < PAGES) {
            Some(link) if is_followable(&link) => answer = client.follow(&link).await,
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
    let mut collected = Collected { listing, download: None, acknowledge: None };
    if collected.listing.contains(message) {
        let download = client.download(message, accept_gzip).await.exchange;
        if download.status() == Some(200) && download.failure.is_none() {
            collected.acknowledge = Some(client.acknowledge(message).await.exchange);
        }
        collected.download = Some(download);
    }
    collected
}
