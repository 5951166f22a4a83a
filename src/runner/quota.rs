//! How much of what a product does is recorded in one run: who calls without end would fill the memory, and leave
//! nothing that could be read back.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::tape::Exchange;

/// How much a product may have recorded in one run. What would be more ends the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingLimits {
    /// Exchanges.
    pub exchanges: usize,
    /// Bytes of heads and of bodies that are kept.
    pub bytes: usize,
}

impl Default for RecordingLimits {
    /// 100,000 exchanges, 128 MiB: a HAR of that can still be read back.
    fn default() -> Self {
        Self { exchanges: 100_000, bytes: 128 << 20 }
    }
}

/// What is left of the limits.
#[derive(Debug)]
pub(super) struct Quota {
    limits: RecordingLimits,
    spent: Mutex<Spent>,
    /// Why nothing more is taken.
    exhausted: watch::Sender<Option<String>>,
}

#[derive(Debug, Default)]
struct Spent {
    exchanges: usize,
    bytes: usize,
}

impl Quota {
    pub(super) fn new(limits: RecordingLimits) -> Self {
        Self { limits, spent: Mutex::default(), exhausted: watch::Sender::new(None) }
    }

    /// Takes what an exchange needs.
    ///
    /// # Errors
    /// When there is no room for it, and why. Nothing is taken after that, so that a recording has no holes.
    pub(super) fn take(&self, exchange: &Exchange) -> Result<(), String> {
        let RecordingLimits { exchanges, bytes } = self.limits;
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.exchanges = spent.exchanges.saturating_add(1);
        spent.bytes = spent.bytes.saturating_add(weight(exchange));
        if self.why().is_none() && spent.exchanges <= exchanges && spent.bytes <= bytes {
            return Ok(());
        }
        let why = format!(
            "the product made more calls than a run records ({exchanges} exchanges, {} MiB): nothing more was \
             recorded; look at what it does again and again, or play fewer cases at a time",
            bytes >> 20
        );
        self.exhausted.send_replace(Some(why.clone()));
        Err(why)
    }

    /// Why nothing more is taken, once that is so.
    pub(super) fn why(&self) -> Option<String> {
        self.exhausted.borrow().clone()
    }

    /// Waits until nothing more is taken, and says why.
    pub(super) async fn exhausted(&self) -> String {
        let mut exhausted = self.exhausted.subscribe();
        match exhausted.wait_for(Option::is_some).await.ok().and_then(|why| why.clone()) {
            Some(why) => why,
            // The sender lives as long as this does.
            None => std::future::pending().await,
        }
    }
}

/// About how many bytes the record of an exchange takes.
fn weight(exchange: &Exchange) -> usize {
    let body = |kept: &Option<bytes::Bytes>| kept.as_ref().map_or(0, bytes::Bytes::len);
    let request = exchange.request.head.size + body(&exchange.request.body.kept);
    let response = exchange.response.as_ref();
    request + response.map_or(0, |response| response.head.size + body(&response.body.kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::exchange;

    fn call() -> Exchange {
        exchange("GET /messageexchange/A/inbox", 200, "{}")
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_exhausts_it_for_good() {
        let large = 3 * weight(&call());
        for limits in [
            RecordingLimits { exchanges: 3, ..RecordingLimits::default() },
            RecordingLimits { bytes: large, ..RecordingLimits::default() },
        ] {
            let quota = Quota::new(limits);
            let taken = [(); 5].map(|()| quota.take(&call()).is_ok());
            assert_eq!(taken, [true, true, true, false, false], "{limits:?}");
            assert!(quota.exhausted().await.contains("more calls than a run records"));
        }
    }

    #[test]
    fn after_one_that_is_too_large_no_small_one_is_taken() {
        let quota = Quota::new(RecordingLimits { bytes: weight(&call()), ..RecordingLimits::default() });
        let mut large = call();
        large.request.head.size += 1;
        assert_eq!(quota.why(), None);
        assert!(quota.take(&large).is_err() && quota.take(&call()).is_err());
    }
}
