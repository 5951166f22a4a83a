//! MESH as data: what the OpenAPI and the assurance pack say, as types.
//!
//! Nothing here does I/O, waits, or reads a clock: times come in as arguments.
//! Every type is parsed once and is valid from then on; what cannot be valid cannot be built.

mod chunk_range;
mod client_name;
mod credentials;
mod encoding;
mod error;
mod hash_mistake;
pub mod headers;
mod hexadecimal;
mod ids;
mod inbox;
mod lookup;
mod operation;
mod patient;
mod replies;
pub mod sandbox;
mod sending;
mod token;
mod tracking;
mod version;
mod workflow;

pub use chunk_range::{ChunkRange, ChunkRangeError};
pub use client_name::{ClientName, ClientNameError, LabelError};
pub use credentials::{Credentials, Password, SharedKey};
pub use encoding::{AcceptEncoding, ContentEncoding, UnsupportedEncoding};
pub use error::{ErrorCode, ErrorEvent, Failure, MeshError, ValidationError};
pub use hash_mistake::{HashMistake, HashOf, Slip, hash_mistakes};
pub use hexadecimal::hexadecimal;
pub use ids::{IdError, LocalId, MailboxId, MessageId, OdsCode};
pub use inbox::{InboxPage, InboxQuery, MAX_RESULTS_DEFAULT};
pub use lookup::Found;
pub use operation::{Operation, PathError, path_of};
pub use patient::{DateOrder, NhsNumber, NhsNumberError, PatientAddress, PatientAddressError};
pub use replies::{Acknowledged, Listed, Sent};
pub use sending::{
    LARGEST_MESSAGE, LARGEST_REQUEST, MissingTo, SEND_LIMITS, SendHeaders, SendRefusal, SendRules,
    read_chunk_range, read_encoding,
};
pub use token::{
    NonceCount, SCHEME, Token, TokenError, TokenRefusal, TokenTimestamp, check_token, hash_matches,
};
pub use tracking::{Correspondent, Tracked, TrackingStatus, TrackingTimes, compact_time, tracking_query};
pub use version::ApiVersion;
pub use workflow::{WorkflowFilter, WorkflowFilterError, WorkflowId, WorkflowIdError};
