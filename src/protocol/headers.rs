//! Names of the headers that MESH gives a meaning (OpenAPI parameters; "Get Message").

use http::HeaderName;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: HeaderName = HeaderName::from_static($text);)*
    };
}

names! {
    /// Recipient mailbox.
    MEX_TO = "mex-to";
    /// Sender mailbox. The assurance pack expects it; the OpenAPI lists it only in its examples.
    MEX_FROM = "mex-from";
    /// What kind of message this is.
    MEX_WORKFLOW_ID = "mex-workflowid";
    /// Which chunk of how many.
    MEX_CHUNK_RANGE = "mex-chunk-range";
    /// Free text.
    MEX_SUBJECT = "mex-subject";
    /// The sender's own reference. Must not identify a person.
    MEX_LOCAL_ID = "mex-localid";
    /// Name of the file that was sent.
    MEX_FILE_NAME = "mex-filename";
    /// Checksum as the sender gave it.
    MEX_CONTENT_CHECKSUM = "mex-content-checksum";
    /// `Y` when the payload is compressed.
    MEX_CONTENT_COMPRESSED = "mex-content-compressed";
    /// `Y` when the payload is encrypted.
    MEX_CONTENT_ENCRYPTED = "mex-content-encrypted";
    /// Type of the content, passed through whatever `Content-Type` says (mesh-sandbox 1.0.137).
    MEX_CONTENT_TYPE = "mex-content-type";
    /// A reference of sender and recipient, passed through (mesh-sandbox 1.0.137; OpenAPI, `partnerId` of
    /// "Track outbox").
    MEX_PARTNER_ID = "mex-partnerid";
    /// How many chunks there are (mesh-sandbox 1.0.137).
    MEX_TOTAL_CHUNKS = "mex-total-chunks";
    /// `DATA` or `REPORT`.
    MEX_MESSAGE_TYPE = "mex-messagetype";
    /// Which message a report is about.
    MEX_LINKED_MESSAGE_ID = "mex-linkedmsgid";
    /// The message.
    MEX_MESSAGE_ID = "mex-messageid";
    /// Version of the transfer, `1.0`.
    MEX_VERSION = "mex-version";
    /// How the recipient is addressed, `ALL`.
    MEX_ADDRESS_TYPE = "mex-addresstype";
    /// `SUCCESS` or `ERROR`.
    MEX_STATUS_SUCCESS = "mex-statussuccess";
    /// `00` or an error code.
    MEX_STATUS_CODE = "mex-statuscode";
    /// In which phase.
    MEX_STATUS_EVENT = "mex-statusevent";
    /// In words.
    MEX_STATUS_DESCRIPTION = "mex-statusdescription";
    /// When, `yyyyMMddHHmmss`.
    MEX_STATUS_TIMESTAMP = "mex-statustimestamp";
    /// Version of the client (handshake).
    MEX_CLIENT_VERSION = "mex-clientversion";
    /// Operating system of the client (handshake).
    MEX_OS_NAME = "mex-osname";
    /// Its version (handshake).
    MEX_OS_VERSION = "mex-osversion";
    /// Its processor architecture (handshake, in the OpenAPI's example only).
    MEX_OS_ARCHITECTURE = "mex-osarchitecture";
}
