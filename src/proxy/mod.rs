//! A recording reverse proxy between the product under test and a real endpoint.
//!
//! From the wire inwards: [`server`](self) accepts the product's connections, `connection` serves one, with
//! a connection of its own to the endpoint; `relay` passes bytes on as they come; `conversation` follows
//! them with `http1` and pairs requests and responses; `recording` makes exchanges of those, and `reel`
//! takes them to the tape. Nothing is ever answered in the endpoint's place: where it fails, the product
//! sees its connection fail.

mod activity;
mod authority;
mod connection;
mod endpoint;
mod front;
mod host;
mod leg;
mod recording;
mod reel;
mod relay;
mod server;

pub use crate::wire::conversation::{Conversation, Direction, Draft, Message, Moment, Passage, Verdict};
pub use authority::{Authority, AuthorityError, certificates};
pub use front::Front;
pub use reel::{Counts, Entry};
pub use server::{Gauge, Proxy, Settings, StartError};
