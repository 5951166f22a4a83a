//! The reference client: calls the MESH API as it is documented, and writes every exchange to the tape.

mod agreed;
mod any;
mod call;
mod connection;
mod failure;
mod old_tls;
mod origin;
mod payload;
mod recording;
mod reference;
mod tap;
mod target;

pub(crate) use agreed::agreed;
pub use any::{AnyBody, AnyClient, AnyRequest};
pub use call::{Answer, TapeScope};
pub(crate) use connection::connect;
pub(crate) use failure::{failure, of_io};
pub use old_tls::OldTls;
pub use origin::{Origin, OriginError};
pub use payload::Payload;
pub(crate) use reference::handshake_headers;
pub use reference::{Outgoing, ReferenceClient};
pub use target::{Identity, Target, Timeouts, TlsParts, TlsVersions};
