//! What ends a connection in good order: the endpoint stops, or presents another certificate.

use tokio::sync::watch;

use crate::emulator::provocations::Term;

/// When a connection is to end. Whoever asks it to waits until this is dropped.
pub(super) struct Ends {
    stop: watch::Receiver<()>,
    term: Term,
}

impl Ends {
    /// When the endpoint stops, and not before.
    pub fn with(stop: watch::Receiver<()>) -> Self {
        Self { stop, term: Term::default() }
    }

    /// Or when this is over.
    pub fn until(self, term: Term) -> Self {
        Self { term, ..self }
    }

    /// Comes back when it is to end.
    pub async fn come(&mut self) {
        tokio::select! {
            // Nobody can tell it any more when the sender is gone.
            _ = self.stop.changed() => {}
            () = self.term.over() => {}
        }
    }
}
