//! Judgement over recorded exchanges. Knows neither client nor emulator: only what is on the tape.

mod acts;
mod answers;
mod chunks;
mod diagnosis;
pub mod endpoint;
mod fault;
mod messages;
mod refusals;
#[cfg(test)]
pub(crate) mod tests;
pub mod traffic;
mod volume;

pub use acts::{
    Poll, handshake_of, idle, inbox_check_of, inbox_checks, needless_failure, overlooked_refusal, report_of,
    send_of,
};
pub use answers::{acknowledged, downloaded, handshake_accepted, inbox_listed, message_accepted};
pub use chunks::{chunks_unaltered, downloaded_in_chunks, downloads_of, sends_of, sent_in_chunks};
pub use diagnosis::diagnose;
pub use fault::{Fault, FaultKind};
pub use messages::{
    acknowledged_directly, compression_declared, download_compressed, headers_sent, inbox_checked_directly,
    no_compression_declared, payload_unaltered,
};
pub use refusals::{
    answered, copes, is_report_on, of_product, recipient_refused, reports_on, says_undelivered,
};
pub use volume::{each_collected_once, worked_off_in_pages};
