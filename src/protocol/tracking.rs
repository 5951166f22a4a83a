//! What "Track outbox" says of a message that was sent.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{ApiVersion, ContentEncoding, Failure, MessageId, ValidationError, WorkflowId};

/// Where a message is on its way. The OpenAPI names accepted and acknowledged; the other three are
/// those of mesh-sandbox 1.0.137.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrackingStatus {
    /// Chunks are still to come.
    Uploading,
    /// In the recipient's inbox.
    Accepted,
    /// The recipient has acknowledged it.
    Acknowledged,
    /// Not collected in time.
    Undeliverable,
    /// Could not be delivered to anybody.
    Error,
}

impl TrackingStatus {
    /// The status as v1 (Title-case) or v2 (lower-case) writes it (OpenAPI, examples of "Track outbox").
    #[must_use]
    pub fn as_str(self, version: ApiVersion) -> &'static str {
        let (title, lower) = match self {
            Self::Uploading => ("Uploading", "uploading"),
            Self::Accepted => ("Accepted", "accepted"),
            Self::Acknowledged => ("Acknowledged", "acknowledged"),
            Self::Undeliverable => ("Undeliverable", "undeliverable"),
            Self::Error => ("Error", "error"),
        };
        if version == ApiVersion::V1 { title } else { lower }
    }
}

/// A mailbox as tracking and lookup describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Correspondent {
    /// Mailbox ID; for a recipient that is not registered, the address as it was given.
    pub mailbox: String,
    /// Name of the mailbox.
    pub name: String,
    /// ODS code of the organisation.
    pub ods_code: String,
    /// Organisation code.
    pub org_code: String,
    /// Organisation name.
    pub org_name: String,
}

/// Everything that "Track outbox" can say of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// The message.
    pub message_id: MessageId,
    /// The sender's own reference.
    pub local_id: Option<String>,
    /// The kind of message.
    pub workflow: WorkflowId,
    /// File name, as the sender gave it.
    pub file_name: Option<String>,
    /// Subject, as the sender gave it.
    pub subject: Option<String>,
    /// Checksum, as the sender gave it.
    pub checksum: Option<String>,
    /// A reference of sender and recipient, as the sender gave it.
    pub partner_id: Option<String>,
    /// Whether the sender said that the content is compressed.
    pub compressed: bool,
    /// Whether the sender said that the content is encrypted.
    pub encrypted: bool,
    /// What it reports; `None` for data.
    pub reported: Option<Failure>,
    /// About which message.
    pub linked: Option<MessageId>,
    /// Chunks that it has or will have.
    pub chunk_count: u32,
    /// How its body is encoded.
    pub encoding: ContentEncoding,
    /// Bytes taken in so far, as sent.
    pub size: u64,
    /// When the send was accepted.
    pub sent_at: DateTime<Utc>,
    /// When it leaves, or left, the inbox if it is not collected.
    pub expires_at: DateTime<Utc>,
    /// When the status was reached.
    pub status_at: DateTime<Utc>,
    /// Where it is.
    pub status: TrackingStatus,
    /// What went wrong, when something did.
    pub failure: Option<Failure>,
    /// From whom.
    pub sender: Correspondent,
    /// To whom.
    pub recipient: Correspondent,
}

/// How v2 writes the times of upload and expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrackingTimes {
    /// ISO 8601 with zone (OpenAPI, schema of "Track outbox" v2: date-time).
    #[default]
    Iso,
    /// `yyyyMMddHHmmss` (OpenAPI, example of "Track outbox" v2).
    Compact,
}

impl Tracked {
    /// The body, in the shape of a version. v1 shows what is not known as `null`, as its example does.
    #[must_use]
    pub fn body(&self, version: ApiVersion, times: TrackingTimes) -> Value {
        match version {
            ApiVersion::V1 => self.v1(),
            ApiVersion::V2 => self.v2(times),
        }
    }

    fn v1(&self) -> Value {
        let failure = self.failure.as_ref();
        let declared = |whether: bool| whether.then_some("Y");
        let encoding = if self.encoding == ContentEncoding::Gzip { "gzip" } else { "" };
        let acknowledged =
            (self.status == TrackingStatus::Acknowledged).then(|| compact_time(self.status_at));
        json!({
            "addressType": "ALL",
            "checksum": self.checksum,
            "chunkCount": self.chunk_count,
            "compressFlag": declared(self.compressed),
            "contentEncoding": encoding,
            "downloadTimestamp": acknowledged,
            "dtsId": self.message_id.as_str(),
            "encryptedFlag": declared(self.encrypted),
            "expiryTime": compact_time(self.expires_at),
            "failureDate": failure.map(|_| compact_time(self.status_at)),
            "failureDiagnostic": failure.map(|failure| &failure.description),
            "fileName": self.file_name.clone().unwrap_or_else(|| format!("{}.dat", self.message_id)),
            "fileSize": self.size,
            "isCompressed": declared(self.compressed),
            "linkedMsgId": null,
            "localId": self.local_id,
            "meshRecipientOdsCode": self.recipient.ods_code,
            "messageId": self.message_id.as_str(),
            "messageType": "DATA",
            "partnerId": self.partner_id,
            "recipient": self.recipient.mailbox,
            "recipientName": self.recipient.name,
            "recipientOrgCode": self.recipient.org_code,
            "recipientOrgName": self.recipient.org_name,
            "recipientSmtp": "",
            "sender": self.sender.mailbox,
            "senderName": self.sender.name,
            "senderOdsCode": self.sender.ods_code,
            "senderOrgCode": self.sender.org_code,
            "senderOrgName": self.sender.org_name,
            "senderSmtp": "",
            "status": self.status.as_str(ApiVersion::V1),
            "statusCode": failure.map(|failure| &failure.code),
            "statusDescription": failure.map(|failure| &failure.description),
            "statusEvent": failure.map(|failure| &failure.event),
            "statusSuccess": failure.map(|_| "ERROR"),
            "statusTimestamp": failure.map(|_| compact_time(self.status_at)),
            "subject": self.subject,
            "uploadTimestamp": compact_time(self.sent_at),
            "version": "1.0",
            "workflowId": self.workflow.as_str(),
        })
    }

    fn v2(&self, times: TrackingTimes) -> Value {
        let time = |time| match times {
            TrackingTimes::Iso => iso(time),
            TrackingTimes::Compact => compact_time(time),
        };
        let mut body = json!({
            "message_id": self.message_id.as_str(),
            "workflow_id": self.workflow.as_str(),
            "expiry_time": time(self.expires_at),
            "upload_timestamp": time(self.sent_at),
            "recipient": self.recipient.mailbox,
            "recipient_name": self.recipient.name,
            "recipient_ods_code": self.recipient.ods_code,
            "recipient_org_code": self.recipient.org_code,
            "recipient_org_name": self.recipient.org_name,
            "status": self.status.as_str(ApiVersion::V2),
            "status_success": self.failure.is_none(),
            "status_timestamp": iso(self.status_at),
        });
        let (event, code, description) = match &self.failure {
            Some(failure) => (failure.event.as_str(), failure.code.as_str(), failure.description.as_str()),
            None => ("TRANSFER", "00", "Transferred to recipient mailbox"),
        };
        if self.status != TrackingStatus::Uploading {
            body["status_event"] = json!(event);
            body["status_code"] = json!(code);
            body["status_description"] = json!(description);
        }
        for (name, value) in [("local_id", &self.local_id), ("filename", &self.file_name)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        body
    }
}

/// Reads the `messageID` of a tracking query, undecoded, without the `?`. mesh-sandbox and NHS
/// mesh-client write `messageID`, as the OpenAPI does.
///
/// # Errors
/// When it is missing, or no message ID.
pub fn tracking_query(query: &str) -> Result<MessageId, ValidationError> {
    let given = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "messageID");
    let (_, id) = given.ok_or_else(|| ValidationError::missing("query", "messageID"))?;
    MessageId::parse(&id).map_err(|error| ValidationError::new("query", "messageID", error))
}

/// UTC to the second in digits, as tracking in v1 and `Mex-StatusTimestamp` have it.
#[must_use]
pub fn compact_time(time: DateTime<Utc>) -> String {
    time.format("%Y%m%d%H%M%S").to_string()
}

fn iso(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::protocol::ErrorCode;

    fn tracked(status: TrackingStatus, failure: Option<Failure>) -> Tracked {
        let at = |day| Utc.with_ymd_and_hms(2026, 11, day, 12, 0, 30).unwrap();
        Tracked {
            message_id: MessageId::parse("20200529155357895317_3573F8").unwrap(),
            local_id: Some("mine".to_owned()),
            workflow: WorkflowId::parse("W1").unwrap(),
            file_name: None,
            subject: None,
            checksum: None,
            partner_id: None,
            compressed: false,
            encrypted: false,
            reported: None,
            linked: None,
            chunk_count: 1,
            encoding: ContentEncoding::Identity,
            size: 5,
            sent_at: at(21),
            expires_at: at(26),
            status_at: at(22),
            status,
            failure,
            sender: Correspondent::default(),
            recipient: Correspondent { mailbox: "BOB".to_owned(), ..Correspondent::default() },
        }
    }

    #[test]
    fn each_version_writes_status_and_times_in_its_own_way() {
        let tracked = tracked(TrackingStatus::Accepted, None);
        let v1 = tracked.body(ApiVersion::V1, TrackingTimes::Iso);
        assert_eq!((&v1["status"], &v1["statusSuccess"]), (&json!("Accepted"), &Value::Null));
        assert_eq!(
            (&v1["uploadTimestamp"], &v1["expiryTime"]),
            (&json!("20261121120030"), &json!("20261126120030"))
        );
        let v2 = tracked.body(ApiVersion::V2, TrackingTimes::Iso);
        assert_eq!((&v2["status"], &v2["status_success"]), (&json!("accepted"), &json!(true)));
        assert_eq!(v2["upload_timestamp"], "2026-11-21T12:00:30Z");
        assert_eq!(v2.get("filename"), None);
        let v2 = tracked.body(ApiVersion::V2, TrackingTimes::Compact);
        assert_eq!(
            (&v2["upload_timestamp"], &v2["status_timestamp"]),
            (&json!("20261121120030"), &json!("2026-11-22T12:00:30Z"))
        );
    }

    #[test]
    fn v1_says_what_the_sender_declared() {
        let v1 = |compressed, encrypted| {
            let tracked = Tracked { compressed, encrypted, ..tracked(TrackingStatus::Accepted, None) };
            let v1 = tracked.body(ApiVersion::V1, TrackingTimes::Iso);
            ["compressFlag", "isCompressed", "encryptedFlag"].map(|name| v1[name].clone())
        };
        assert_eq!(v1(true, false), [json!("Y"), json!("Y"), Value::Null]);
        assert_eq!(v1(false, true), [Value::Null, Value::Null, json!("Y")]);
    }

    #[test]
    fn a_failure_says_code_event_and_words() {
        let tracked = tracked(TrackingStatus::Undeliverable, Some(ErrorCode::Undelivered.into()));
        let v1 = tracked.body(ApiVersion::V1, TrackingTimes::Iso);
        assert_eq!(
            (&v1["statusCode"], &v1["statusEvent"], &v1["statusSuccess"]),
            (&json!("14"), &json!("SEND"), &json!("ERROR"))
        );
        let v2 = tracked.body(ApiVersion::V2, TrackingTimes::Iso);
        assert_eq!((&v2["status_code"], &v2["status_success"]), (&json!("14"), &json!(false)));
    }

    #[test]
    fn the_query_must_name_a_message() {
        assert_eq!(tracking_query("messageID=A_B").unwrap().as_str(), "A_B");
        for bad in ["", "messageId=A", "messageID=", "messageID=A%2FB"] {
            assert_eq!(tracking_query(bad).unwrap_err().loc, ["query", "messageID"], "{bad}");
        }
    }
}
