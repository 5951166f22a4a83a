//! How much is under way, so that one can wait until all that was seen to end is kept.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Counts what is under way. Clones count the same.
#[derive(Debug, Clone, Default)]
pub struct Activity(watch::Sender<usize>);

/// Something that is under way until this is dropped.
#[derive(Debug)]
pub struct UnderWay(watch::Sender<usize>);

impl Activity {
    /// Something begins.
    pub fn begin(&self) -> UnderWay {
        self.0.send_modify(|count| *count = count.saturating_add(1));
        UnderWay(self.0.clone())
    }

    /// Waits until nothing is under way.
    pub async fn rest(&self) {
        // It cannot end without a count: this is a sender too.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// A connection, which is busy or not.
#[derive(Debug)]
pub struct Busy {
    activity: Activity,
    held: Mutex<Option<UnderWay>>,
}

impl Busy {
    /// A connection that is busy, since it has only just been made.
    pub fn new(activity: &Activity) -> Self {
        Self { activity: activity.clone(), held: Mutex::new(Some(activity.begin())) }
    }

    /// Says whether it is.
    pub fn set(&self, busy: bool) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match (busy, held.is_some()) {
            (true, false) => *held = Some(self.activity.begin()),
            (false, true) => *held = None,
            _ => {}
        }
    }
}
