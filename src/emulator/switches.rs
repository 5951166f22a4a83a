//! What sources disagree about, one field each, and three sets of answers.
//!
//! "Pack" is the assurance pack as suppliers report it, "sandbox" is mesh-sandbox 1.0.137, "2016"
//! and "2021" are earlier editions of the specification.

use crate::protocol::{SendRules, TrackingTimes};

/// A set of answers under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// What is known of integration; where nothing is, the OpenAPI.
    #[default]
    Int,
    /// The OpenAPI to the letter: no status that it does not list.
    Spec,
    /// As mesh-sandbox 1.0.137 answers.
    Sandbox,
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$choice_doc:meta])* $choice:ident,)* })*) => {
        $($(#[$doc])* #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub enum $name { $($(#[$choice_doc])* $choice,)* })*
    };
}

choices! {
    /// By which methods a handshake may be made.
    HandshakeMethods {
        /// POST alone (OpenAPI, path).
        Post,
        /// GET as well (OpenAPI, curl example; sandbox).
        PostAndGet,
    }
    /// What a v1 handshake answers.
    HandshakeBody {
        /// Nothing (OpenAPI since May 2022).
        Empty,
        /// `mailboxId` (OpenAPI before; sandbox).
        MailboxId,
    }
    /// Whether a token is good once.
    TokenReplay {
        /// A repeat is 403 (OpenAPI, "MESH Authorization header").
        Refused,
        /// A repeat is let in (sandbox).
        Accepted,
    }
    /// Whether a token's time matters.
    TokenWindow {
        /// More than two hours away is 403 (OpenAPI, "MESH Authorization header").
        TwoHours,
        /// Any time will do (sandbox).
        Unlimited,
    }
    /// How a token's hash is compared.
    HashCase {
        /// Lower case, as NHS England's validator of authorisation headers does.
        Exact,
        /// In either case (sandbox).
        Any,
    }
    /// Whether lookups need a token. One that is sent is not looked at otherwise.
    LookupToken {
        /// None is needed (OpenAPI lists none; sandbox).
        NotNeeded,
        /// As every other call (hosts of the endpoint lookup guide authenticate).
        Needed,
    }
    /// What a send to nobody answers besides 417 and code 12.
    UnknownRecipient {
        /// A message ID, and a REPORT in the sender's inbox (seen on integration; 2016).
        IdAndReport,
        /// Nothing (sandbox).
        CodeOnly,
    }
    /// Which workflows restrict who sends and who receives.
    Workflows {
        /// Those that are registered; any other is free. Both NHS test suites send with random ones.
        Registered,
        /// All: one that is not registered is code 17 (OpenAPI, "Error codes").
        All,
        /// None (sandbox).
        Ignored,
    }
    /// What the download of a message answers that is acknowledged or expired.
    Past {
        /// 410 (pack case 705, 2016, 2021; OpenAPI for the expired).
        Gone,
        /// 404.
        Missing,
        /// The message, for thirty days (sandbox, for the acknowledged).
        Served,
    }
    /// What is answered to a call on a message of another mailbox.
    Foreign {
        /// 404, so that nothing is told (sandbox for HEAD, says Spine does so in tracking).
        Missing,
        /// 403 (sandbox for GET, acknowledge and chunk).
        Forbidden,
    }
    /// What a v2 acknowledgement answers.
    AcknowledgeBody {
        /// Nothing (OpenAPI, schema; sandbox).
        Empty,
        /// `message_id` (OpenAPI, example of "Track outbox").
        MessageId,
    }
    /// Statuses that the OpenAPI does not list for an operation: 404 of acknowledge and tracking,
    /// 413 of a send, 404 of a path parameter that is malformed; and the body with an error code of a
    /// 400, for which it has only that of a validation error.
    Unlisted {
        /// Answered all the same (sandbox answers 404 in both places).
        Answered,
        /// 400 with a validation error in their stead, which it lists everywhere.
        BadRequest,
    }
    /// What an encoding that is not gzip answers.
    OtherEncoding {
        /// 400.
        BadRequest,
        /// 422 (sandbox).
        Unprocessable,
    }
    /// Whether a later chunk must repeat the first one's `Content-Encoding`.
    ChunkEncoding {
        /// It may be left out; another one is 417 (OpenAPI, curl example of "Send chunked message").
        MayBeOmitted,
        /// Left out is 417 too (sandbox).
        Repeated,
    }
    /// Whether a later chunk must have `Mex-Chunk-Range`.
    ChunkHeader {
        /// It may be left out: the path has the number (OpenAPI: not required).
        Optional,
        /// Left out is 417 (sandbox).
        Required,
    }
    /// In which order chunks must come.
    ChunkOrder {
        /// One after the other, each once, all with the first one's total; else 417 (OpenAPI: "in
        /// the correct order").
        Strict,
        /// Any, also again; the last completes whatever there is (sandbox).
        Any,
    }
    /// What a chunk answers.
    ChunkReply {
        /// The message ID, as a send does (OpenAPI).
        MessageId,
        /// v1 has `blockID` too, v2 is `null` (sandbox; 2016 had `blockId`).
        BlockId,
    }
    /// `Mex-To` of a report.
    ReportTo {
        /// The mailbox that it lies in, the sender's (NHS developer forum; sandbox).
        Sender,
        /// To whom the undelivered message was addressed (OpenAPI, "Asynchronous error reporting").
        Intended,
    }
    /// `Mex-Subject` of a report.
    ReportSubject {
        /// That of the undelivered message (OpenAPI, "Asynchronous error reporting").
        Original,
        /// The same after `NDR: ` (2021; sandbox).
        Prefixed,
    }
    /// What v1 tracking does with what is not known.
    TrackingNulls {
        /// `null` (OpenAPI, example of v1).
        Shown,
        /// Left out (OpenAPI, schema of v1: no field may be `null`; sandbox).
        LeftOut,
    }
    /// How `GPPROVIDER` addresses are read.
    PatientRouting {
        /// Date of birth as `DDMMYYYY` (GP Connect messaging).
        DayFirst,
        /// Date of birth as `YYYYMMDD` (NHS guide to the MESH endpoint lookup).
        YearFirst,
        /// Not at all: nobody is registered under one (sandbox).
        Off,
    }
}

/// Every switch. [`Switches::default`] is the profile `int`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field is described at its type")]
pub struct Switches {
    pub handshake_methods: HandshakeMethods,
    pub handshake_body: HandshakeBody,
    pub token_replay: TokenReplay,
    pub token_window: TokenWindow,
    pub hash_case: HashCase,
    pub lookup_token: LookupToken,
    pub send: SendRules,
    pub unknown_recipient: UnknownRecipient,
    pub workflows: Workflows,
    pub acknowledged: Past,
    pub expired: Past,
    pub foreign: Foreign,
    pub acknowledge_body: AcknowledgeBody,
    pub unlisted: Unlisted,
    pub other_encoding: OtherEncoding,
    pub chunk_encoding: ChunkEncoding,
    pub chunk_header: ChunkHeader,
    pub chunk_order: ChunkOrder,
    pub chunk_reply: ChunkReply,
    pub report_to: ReportTo,
    pub report_subject: ReportSubject,
    pub tracking_nulls: TrackingNulls,
    pub tracking_times: TrackingTimes,
    pub patient_routing: PatientRouting,
}

impl Default for Switches {
    fn default() -> Self {
        Self::of(Profile::Int)
    }
}

impl Switches {
    /// The switches of a profile.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::Int => Self::int(),
            Profile::Spec => Self {
                handshake_methods: HandshakeMethods::Post,
                send: SendRules::spec(),
                unlisted: Unlisted::BadRequest,
                report_to: ReportTo::Intended,
                tracking_nulls: TrackingNulls::LeftOut,
                ..Self::int()
            },
            Profile::Sandbox => Self::sandbox(),
        }
    }

    fn int() -> Self {
        Self {
            handshake_methods: HandshakeMethods::PostAndGet,
            handshake_body: HandshakeBody::Empty,
            token_replay: TokenReplay::Refused,
            token_window: TokenWindow::TwoHours,
            hash_case: HashCase::Exact,
            lookup_token: LookupToken::NotNeeded,
            send: SendRules::default(),
            unknown_recipient: UnknownRecipient::IdAndReport,
            workflows: Workflows::Registered,
            acknowledged: Past::Gone,
            expired: Past::Gone,
            foreign: Foreign::Missing,
            acknowledge_body: AcknowledgeBody::Empty,
            unlisted: Unlisted::Answered,
            other_encoding: OtherEncoding::BadRequest,
            chunk_encoding: ChunkEncoding::MayBeOmitted,
            chunk_header: ChunkHeader::Optional,
            chunk_order: ChunkOrder::Strict,
            chunk_reply: ChunkReply::MessageId,
            report_to: ReportTo::Sender,
            report_subject: ReportSubject::Original,
            tracking_nulls: TrackingNulls::Shown,
            tracking_times: TrackingTimes::Iso,
            patient_routing: PatientRouting::DayFirst,
        }
    }

    fn sandbox() -> Self {
        Self {
            handshake_body: HandshakeBody::MailboxId,
            token_replay: TokenReplay::Accepted,
            token_window: TokenWindow::Unlimited,
            hash_case: HashCase::Any,
            send: SendRules::sandbox(),
            unknown_recipient: UnknownRecipient::CodeOnly,
            workflows: Workflows::Ignored,
            acknowledged: Past::Served,
            foreign: Foreign::Forbidden,
            other_encoding: OtherEncoding::Unprocessable,
            chunk_encoding: ChunkEncoding::Repeated,
            chunk_header: ChunkHeader::Required,
            chunk_order: ChunkOrder::Any,
            chunk_reply: ChunkReply::BlockId,
            report_subject: ReportSubject::Prefixed,
            tracking_nulls: TrackingNulls::LeftOut,
            patient_routing: PatientRouting::Off,
            ..Self::int()
        }
    }
}
