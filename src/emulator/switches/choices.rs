//! The answers that a switch chooses between, each with its name and its source.

use crate::protocol::{MissingTo, TrackingTimes};

/// What a switch chooses.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every answer by its name.
    const NAMED: &'static [(&'static str, Self)];
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$choice_doc:meta])* $choice:ident = $word:literal,)* })*) => { $(
        $(#[$doc])* #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub enum $name { $($(#[$choice_doc])* $choice,)* }

        impl Choice for $name {
            const NAMED: &'static [(&'static str, Self)] = &[$(($word, Self::$choice),)*];
        }
    )* };
}

choices! {
    /// By which methods a handshake may be made.
    HandshakeMethods {
        /// POST alone (OpenAPI, path).
        Post = "post",
        /// GET as well (OpenAPI, curl example; sandbox).
        PostAndGet = "post-and-get",
    }
    /// What a v1 handshake answers.
    HandshakeBody {
        /// Nothing (OpenAPI since May 2022).
        Empty = "empty",
        /// `mailboxId` (OpenAPI before; sandbox).
        MailboxId = "mailbox-id",
    }
    /// Whether a token is good once.
    TokenReplay {
        /// A repeat is 403 (OpenAPI, "MESH Authorization header").
        Refused = "refused",
        /// A repeat is let in (sandbox).
        Accepted = "accepted",
    }
    /// Whether a token's time matters.
    TokenWindow {
        /// More than two hours away is 403 (OpenAPI, "MESH Authorization header").
        TwoHours = "two-hours",
        /// Any time will do (sandbox).
        Unlimited = "unlimited",
    }
    /// How a token's hash is compared.
    HashCase {
        /// Lower case, as NHS England's validator of authorisation headers does.
        Exact = "exact",
        /// In either case (sandbox).
        Any = "any",
    }
    /// Whether lookups need a token. One that is sent is not looked at otherwise.
    LookupToken {
        /// None is needed (OpenAPI lists none; sandbox).
        NotNeeded = "not-needed",
        /// As every other call (hosts of the endpoint lookup guide authenticate).
        Needed = "needed",
    }
    /// What a send to nobody answers besides 417 and code 12.
    UnknownRecipient {
        /// A message ID, and a REPORT in the sender's inbox (seen on integration; 2016).
        IdAndReport = "id-and-report",
        /// Nothing (sandbox).
        CodeOnly = "code-only",
    }
    /// Which workflows restrict who sends and who receives.
    Workflows {
        /// Those that are registered; any other is free. Both NHS test suites send with random ones.
        Registered = "registered",
        /// All: one that is not registered is code 17 (OpenAPI, "Error codes").
        All = "all",
        /// None (sandbox).
        Ignored = "ignored",
    }
    /// What the download of a message answers that is acknowledged or expired.
    Past {
        /// 410 (pack case 705, 2016, 2021; OpenAPI for the expired).
        Gone = "gone",
        /// 404.
        Missing = "missing",
        /// The message, for thirty days (sandbox, for the acknowledged).
        Served = "served",
    }
    /// What the download of a message answers of which chunks are still to come.
    Uploading {
        /// 404.
        Missing = "missing",
        /// 410 (sandbox).
        Gone = "gone",
    }
    /// What is answered to a call on a message of another mailbox.
    Foreign {
        /// 404, so that nothing is told (sandbox for HEAD, says Spine does so in tracking).
        Missing = "missing",
        /// 403 (sandbox for GET, acknowledge and chunk).
        Forbidden = "forbidden",
    }
    /// What a v2 acknowledgement answers.
    AcknowledgeBody {
        /// Nothing (OpenAPI, schema; sandbox).
        Empty = "empty",
        /// `message_id` (OpenAPI, example of "Track outbox").
        MessageId = "message-id",
    }
    /// Statuses that the OpenAPI does not list for an operation: 404 of acknowledge and tracking,
    /// 413 of a send, 404 of a path parameter that is malformed; and the body with an error code of a
    /// 400, for which it has only that of a validation error.
    Unlisted {
        /// Answered all the same (sandbox answers 404 in both places).
        Answered = "answered",
        /// 400 with a validation error in their stead, which it lists everywhere.
        BadRequest = "bad-request",
    }
    /// What an encoding that is not gzip answers.
    OtherEncoding {
        /// 400.
        BadRequest = "bad-request",
        /// 422 (sandbox).
        Unprocessable = "unprocessable",
    }
    /// Whether a later chunk must repeat the first one's `Content-Encoding`.
    ChunkEncoding {
        /// It may be left out; another one is 417 (OpenAPI, curl example of "Send chunked message").
        MayBeOmitted = "may-be-omitted",
        /// Left out is 417 too (sandbox).
        Repeated = "repeated",
    }
    /// Whether a later chunk must have `Mex-Chunk-Range`.
    ChunkHeader {
        /// It may be left out: the path has the number (OpenAPI: not required).
        Optional = "optional",
        /// Left out is 417 (sandbox).
        Required = "required",
    }
    /// In which order chunks must come.
    ChunkOrder {
        /// One after the other, each once, all with the first one's total; else 417 (OpenAPI: "in
        /// the correct order").
        Strict = "strict",
        /// Any, also again; the last completes whatever there is (sandbox).
        Any = "any",
    }
    /// What a chunk answers.
    ChunkReply {
        /// The message ID, as a send does (OpenAPI).
        MessageId = "message-id",
        /// v1 has `blockID` too, v2 is `null` (sandbox; 2016 had `blockId`).
        BlockId = "block-id",
    }
    /// `Mex-To` of a report.
    ReportTo {
        /// The mailbox that it lies in, the sender's (NHS developer forum; sandbox).
        Sender = "sender",
        /// To whom the undelivered message was addressed (OpenAPI, "Asynchronous error reporting").
        Intended = "intended",
    }
    /// `Mex-Subject` of a report.
    ReportSubject {
        /// That of the undelivered message (OpenAPI, "Asynchronous error reporting").
        Original = "original",
        /// The same after `NDR: ` (2021; sandbox).
        Prefixed = "prefixed",
    }
    /// What v1 tracking does with what is not known.
    TrackingNulls {
        /// `null` (OpenAPI, example of v1).
        Shown = "shown",
        /// Left out (OpenAPI, schema of v1: no field may be `null`; sandbox).
        LeftOut = "left-out",
    }
    /// How `GPPROVIDER` addresses are read.
    PatientRouting {
        /// Date of birth as `DDMMYYYY` (GP Connect messaging).
        DayFirst = "day-first",
        /// Date of birth as `YYYYMMDD` (NHS guide to the MESH endpoint lookup).
        YearFirst = "year-first",
        /// Not at all: nobody is registered under one (sandbox).
        Off = "off",
    }
    /// How strictly a token is read.
    TokenForm {
        /// `NHSMESH`, one space, a GUID, a count of at most ten digits, a time (OpenAPI, "MESH
        /// Authorization header").
        Exact = "exact",
        /// The scheme in any case or left out, any nonce, digits, any time (sandbox).
        Lenient = "lenient",
    }
    /// How headers, queries and paths are read, and which flaw is told first.
    Reading {
        /// As the OpenAPI has it: one flaw is told; `Accept` is read with its weights.
        OpenApi = "openapi",
        /// IDs in a path in either case, all flaws are told, `Accept` is read up to its first MESH
        /// type, checksums have their alphabet, filters any form, an unknown message ID begins a v1
        /// list at the top (sandbox).
        Sandbox = "sandbox",
    }
    /// With which body a call is refused.
    Refusals {
        /// Those of the OpenAPI, and none where it has none, as for 403.
        OpenApi = "openapi",
        /// An error in every body, in the caller's version (sandbox).
        Sandbox = "sandbox",
    }
    /// What message IDs look like.
    MessageIds {
        /// The time and six hexadecimal digits (OpenAPI, examples).
        Timed = "timed",
        /// 32 hexadecimal digits (sandbox).
        Hexadecimal = "hexadecimal",
    }
    /// The media type of v2 bodies.
    MediaTypes {
        /// That of the version (OpenAPI, "API Versioning").
        Versioned = "versioned",
        /// `application/json` for sends, counts and lookups (sandbox).
        PlainForSome = "plain-for-some",
    }
    /// Which headers a download has.
    DownloadHeaders {
        /// Those of the OpenAPI's example, with `ETag` and `N` where something is not so.
        OpenApi = "openapi",
        /// No `ETag`, nothing that is not so, chunk headers on every message (sandbox).
        Sandbox = "sandbox",
    }
    /// Whether what was sent plainly is compressed for a client that takes gzip.
    Compression {
        /// Never.
        AsSent = "as-sent",
        /// In v2, and any `gzip` in `Accept-Encoding` will do (sandbox).
        OnTheFly = "on-the-fly",
    }
    /// Who may ask for a message's headers alone.
    Head {
        /// Its recipient, as for a download.
        Recipient = "recipient",
        /// Its sender as well, whatever became of it; others are answered 404 (sandbox).
        SenderToo = "sender-too",
    }
    /// What tracking says.
    TrackingBody {
        /// As in the OpenAPI's schemas and examples.
        OpenApi = "openapi",
        /// Empty texts, success from the start, no status details but of a report (sandbox).
        Sandbox = "sandbox",
    }
    /// Calls that only mesh-sandbox knows: rich inbox and outbox, update, mailbox details.
    Extras {
        /// None.
        Missing = "missing",
        /// Answered (sandbox).
        Served = "served",
    }
    /// Whether the sender gets a report of what an admin call makes of a message.
    EventReports {
        /// As if it had come about by itself.
        Sent = "sent",
        /// None (sandbox).
        Unsent = "unsent",
    }
}

impl Choice for bool {
    const NAMED: &'static [(&'static str, Self)] = &[("yes", true), ("no", false)];
}

impl Choice for MissingTo {
    const NAMED: &'static [(&'static str, Self)] =
        &[("code", Self::Code), ("validation", Self::Validation), ("by-emptiness", Self::ByEmptiness)];
}

impl Choice for TrackingTimes {
    const NAMED: &'static [(&'static str, Self)] = &[("iso", Self::Iso), ("compact", Self::Compact)];
}
