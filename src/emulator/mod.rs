//! A MESH endpoint on this machine, over mutual TLS unless asked otherwise.
//!
//! From the wire inwards: [`server`](self) accepts connections, `routes` turns HTTP into calls on
//! the [`Mailroom`], which is the domain and knows no HTTP, and that keeps bodies in its store.
//! Time comes from a [`Clock`] that can be moved.

mod authentication;
mod clock;
mod faults;
mod mailroom;
mod pki;
mod provocations;
mod recording;
mod replay;
mod routes;
mod server;
pub mod switches;
mod timestamps;

pub use authentication::{Authentication, Policy, Refusal};
pub use clock::{Clock, NoSuchTime};
pub use faults::{Fault, Faults, TlsFault};
pub use mailroom::{
    Limits, Mailbox, Mailroom, Patient, Receiver, ReportRequest, SetAside, SpillError, StoreError, Workflow,
};
pub use pki::{ClientIdentity, Pki, PkiError, PkiFolder, Untrusted};
pub use provocations::{
    Calls, Deed, Elsewhere, Impostor, PROVOKED, Provocation, Provocations, ProvokedStatus, RedirectStatus,
    Stranger, TooMany,
};
pub use recording::Recorder;
pub use routes::{Call, SERVER, TokenOutcome, Watcher};
pub use server::{Arrangement, Emulator, Settings, StartError, Transport, raise_open_files};
pub use switches::{Profile, Switches};
