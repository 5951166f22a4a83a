//! What sources disagree about, one field each, and three sets of answers.
//!
//! "Pack" is the assurance pack as suppliers report it, "sandbox" is mesh-sandbox 1.0.137, "2016"
//! and "2021" are earlier editions of the specification.

mod by_name;
mod choices;
#[cfg(test)]
mod tests;

pub use by_name::{SwitchError, Turned};
pub use choices::*;

use chrono::TimeDelta;

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

/// How long messages stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// In an inbox: five days (OpenAPI, "Message expiration").
    pub inbox: TimeDelta,
    /// Anywhere: thirty days (the same).
    pub message: TimeDelta,
}

impl Expiry {
    /// In an inbox, where what is forgotten does not wait any longer.
    #[must_use]
    pub fn in_inbox(&self) -> TimeDelta {
        self.inbox.min(self.message)
    }
}

impl Default for Expiry {
    fn default() -> Self {
        Self { inbox: TimeDelta::days(5), message: TimeDelta::days(30) }
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
    pub token_form: TokenForm,
    pub reading: Reading,
    pub refusals: Refusals,
    pub message_ids: MessageIds,
    pub media_types: MediaTypes,
    pub download_headers: DownloadHeaders,
    pub compression: Compression,
    pub head: Head,
    pub uploading: Uploading,
    pub tracking_body: TrackingBody,
    pub extras: Extras,
    pub event_reports: EventReports,
    pub expiry: Expiry,
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
            token_form: TokenForm::Exact,
            reading: Reading::OpenApi,
            refusals: Refusals::OpenApi,
            message_ids: MessageIds::Timed,
            media_types: MediaTypes::Versioned,
            download_headers: DownloadHeaders::OpenApi,
            compression: Compression::AsSent,
            head: Head::Recipient,
            uploading: Uploading::Missing,
            tracking_body: TrackingBody::OpenApi,
            extras: Extras::Missing,
            event_reports: EventReports::Sent,
            expiry: Expiry::default(),
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
            token_form: TokenForm::Lenient,
            reading: Reading::Sandbox,
            refusals: Refusals::Sandbox,
            message_ids: MessageIds::Hexadecimal,
            media_types: MediaTypes::PlainForSome,
            download_headers: DownloadHeaders::Sandbox,
            compression: Compression::OnTheFly,
            head: Head::SenderToo,
            uploading: Uploading::Gone,
            tracking_body: TrackingBody::Sandbox,
            extras: Extras::Served,
            event_reports: EventReports::Unsent,
            ..Self::int()
        }
    }
}
