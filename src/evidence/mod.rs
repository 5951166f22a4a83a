//! The bundle: a BagIt 1.0 bag in a zip, which a person opens with a double-click and a machine
//! checks with `sha256sum`.
//!
//! [`Bag`] says what is in it, [`seal`] writes it and makes sure that no secret went along, and
//! [`verify`] tells, years later, whether it is still what was sealed.

mod archive;
mod bag;
mod compare;
mod container;
mod digest;
mod draft;
mod manifest;
mod path;
mod read;
mod seal;
mod verify;

pub use archive::{ArchiveError, pack};
pub use bag::{Bag, BagError, BagFile, BagInfo, PayloadFile};
pub use compare::{OutlineError, left_by, outline, outline_of_summary};
pub use container::NotAZip;
pub use draft::{Draft, WriteError, try_place};
pub use manifest::LineError;
pub use path::{BagPath, LONGEST, PathError};
pub use read::read_file;
pub use seal::{SealError, Sealed, SecretInFile, WIRE_FILE, seal, without_secrets};
pub use verify::{Container, Limits, Problem, Summary, Verified, VerifyError, verify, verify_within};
