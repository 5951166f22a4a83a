//! Which certificate an endpoint presents, and when that changes.

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use super::Impostor;

/// How long to wait for connections to end by themselves.
const SETTLING: Duration = Duration::from_secs(2);
/// How long to wait for connections that were told to end, and end within a shorter time.
const ENDING: Duration = Duration::from_secs(10);

/// What is presented now. A connection goes on with what it began with.
#[derive(Default)]
pub struct Presenting(Mutex<Current>);

#[derive(Clone, Default)]
struct Current {
    /// Whoever listens to it is a connection that began in this time.
    term: Arc<watch::Sender<()>>,
    impostor: Option<Arc<Impostor>>,
}

/// For how long a connection may go on: until something else is presented, or for ever.
#[derive(Debug, Default)]
pub struct Term(Option<watch::Receiver<()>>);

impl Term {
    /// Comes back when it is over.
    pub async fn over(&mut self) {
        match &mut self.0 {
            // Whoever could tell is gone with the endpoint.
            Some(term) => drop(term.changed().await),
            None => pending().await,
        }
    }
}

impl Presenting {
    /// What a connection that begins now is shown, and for how long it may go on; no impostor: the endpoint's
    /// own certificate.
    pub fn now(&self) -> (Option<Arc<Impostor>>, Term) {
        let now = self.lock();
        (now.impostor.clone(), Term(Some(now.term.subscribe())))
    }

    /// Presents something else from now on, and ends every connection that began before: whoever keeps
    /// connections open would not see it. When this returns, they have ended.
    pub async fn change(&self, impostor: Option<Arc<Impostor>>) {
        let next = Current { impostor, ..Current::default() };
        let before = std::mem::replace(&mut *self.lock(), next);
        // Nobody may listen.
        let _ = before.term.send(());
        let _ = timeout(ENDING, before.term.closed()).await;
    }

    /// Waits until no connection to an impostor is left, for two seconds; what a client has left open is
    /// ended then.
    pub async fn settled(&self) {
        let now = self.lock().clone();
        if now.impostor.is_some() && timeout(SETTLING, now.term.closed()).await.is_err() {
            self.change(now.impostor).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
