//! Judgement over recorded exchanges. Knows neither client nor emulator: only what is on the tape.

mod acts;
mod answers;
mod chunks;
mod compression;
mod diagnosis;
pub mod endpoint;
mod fault;
mod messages;
mod refusals;
mod resilience;
#[cfg(test)]
pub(crate) mod tests;
mod token;
pub mod traffic;
mod trust;
mod volume;
mod waiting;

pub use acts::{
    Poll, handshake_of, idle, inbox_check_of, inbox_checks, labels_in_place, left_nothing,
    looks_for_workflow, named_as_listed, needless_failure, no_end_of_its_own, not_labelled_as_another,
    of_workflow, overlooked_refusal, report_of, send_of, was_shown_inbox,
};
pub use answers::{acknowledged, downloaded, handshake_accepted, inbox_listed, message_accepted};
pub use chunks::{
    accepted_sends_of, chunks_unaltered, downloaded_in_chunks, downloads_of, is_sent, resumed, sends_of,
    sent_in_chunks,
};
pub use compression::{
    chunks_downloaded_compressed, chunks_say_their_encoding, compressed_by_itself, content_of,
    holds_first_chunk_alone, split_before_compression,
};
pub use diagnosis::diagnose;
pub use fault::{Fault, FaultKind};
pub use messages::{
    acknowledged_directly, compression_declared, download_compressed, headers_sent,
    holds_what_it_acknowledged, inbox_checked_directly, no_compression_declared, payload_unaltered,
    sent_as_asked,
};
pub use refusals::{
    answered, copes, is_report_on, of_product, recipient_refused, reports_on, says_undelivered,
};
pub use resilience::{
    acknowledges_only_whole, arrived_once, chunks_in_the_end, did_not_give_up, last_failed, last_of,
    left_alone, no_storm, sends_with_care, stops_sending_chunks, taken_in_the_end, took_for_success,
    unaltered_in_the_end, waits_as_told, waits_for_answers, was_found_by_tracking,
};
pub use token::{Against, Standing, TOKEN_SOURCE, TokenPart, explain_token, header_value, standing_of};
pub use trust::{
    met_impostor, no_storm_of_connections, sends_nothing_to_impostor, stays_with_mesh, took_impostor_for_mesh,
};
pub use volume::{WorkedOff, each_collected_once, worked_off_in_pages};
pub use waiting::{still_before, time_at_endpoint};
