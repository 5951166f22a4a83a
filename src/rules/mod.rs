//! Judgement over recorded exchanges. Knows neither client nor emulator: only what is on the tape.

mod answers;
mod diagnosis;
pub mod endpoint;
mod fault;
mod messages;
#[cfg(test)]
mod tests;

pub use answers::{acknowledged, downloaded, handshake_accepted, inbox_listed, message_accepted};
pub use diagnosis::diagnose;
pub use fault::{Fault, FaultKind};
pub use messages::{
    acknowledged_directly, compression_declared, download_compressed, headers_sent, inbox_checked_directly,
    no_compression_declared, payload_unaltered,
};
