//! Ctrl-C, and the signals by which a service manager, CI or a terminal that is closed ends a program.

use std::io;

/// Waits to be told to stop. From its making on, none of these signals ends the program by itself.
pub struct Interruption {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// None where the program is to outlive its terminal.
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

impl Interruption {
    /// Listens. Make it before saying that the program is ready: whoever waits for that may stop it at once.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = (!outlives_terminal()).then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up,
        })
    }

    /// Listens. Make it before saying that the program is ready: whoever waits for that may stop it at once.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns when it comes, and says which.
    #[cfg(unix)]
    pub async fn comes(&mut self) -> String {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted by Ctrl-C".to_owned(),
            _ = self.terminate.recv() => "ended from outside (SIGTERM)".to_owned(),
            _ = hang_up => "its terminal was closed (SIGHUP)".to_owned(),
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

/// Whether whoever started the program has it ignore that its terminal is closed, as `nohup` does: listening
/// would undo that. Where the system does not tell, nothing is listened for.
#[cfg(unix)]
fn outlives_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is SIGHUP's, whose number is 1.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}
