//! Ctrl-C, and the signal by which a service manager or CI ends a program.

use std::io;

/// Waits to be told to stop. From its making on, neither signal ends the program by itself.
pub struct Interruption {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Interruption {
    /// Listens. Make it before saying that the program is ready: whoever waits for that may stop it at once.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Listens. Make it before saying that the program is ready: whoever waits for that may stop it at once.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns when it comes, and says which.
    #[cfg(unix)]
    pub async fn comes(&mut self) -> String {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted by Ctrl-C".to_owned(),
            _ = self.terminate.recv() => "ended from outside (SIGTERM)".to_owned(),
        }
    }

    /// Returns when it comes, and says which.
    #[cfg(not(unix))]
    pub async fn comes(&mut self) -> String {
        if tokio::signal::ctrl_c().await.is_err() {
            // It cannot be listened for, so it never comes.
            std::future::pending::<()>().await;
        }
        "interrupted by Ctrl-C".to_owned()
    }
}
