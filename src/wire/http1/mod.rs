//! HTTP/1.1 as it passes: where a message begins and ends, learnt from its bytes without touching
//! them (RFC 9112). What cannot be read as HTTP is said to be so, never guessed at.

mod body;
mod framing;
mod head;
mod lane;

pub use framing::{Framing, of_request, of_response};
pub use lane::{Event, Lane};
