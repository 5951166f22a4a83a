//! What mesh-sandbox says of a message: to its sender, in its lists, and to whoever tests.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::protocol::{
    ApiVersion, ContentEncoding, Correspondent, Failure, Tracked, TrackingStatus, compact_time,
};

/// The body of "Track outbox", in the shape of a version.
#[must_use]
pub fn tracking_body(tracked: &Tracked, version: ApiVersion) -> Value {
    present(match version {
        ApiVersion::V1 => v1(tracked),
        ApiVersion::V2 => v2(tracked),
    })
}

/// The body of `GET admin/message/ID`.
#[must_use]
pub fn message_details(tracked: &Tracked) -> Value {
    let known = Known::of(tracked);
    let report = known.report;
    present(json!({
        "checksum": tracked.checksum.as_deref().unwrap_or_default(),
        "chunk_count": known.chunks,
        "content_encoding": known.encoding,
        "download_timestamp": known.acknowledged.map(precise),
        "expiry_time": precise(tracked.expires_at),
        "failure_date": known.failed.map(|_| precise(tracked.status_at)),
        "failure_diagnostic": known.diagnostic(),
        "filename": known.file_name,
        "file_size": known.size,
        "is_compressed": known.data.then_some(tracked.compressed),
        "is_encrypted": known.data.then_some(tracked.encrypted),
        "linked_msg_id": tracked.linked.as_ref().map(|id| id.as_str()),
        "local_id": known.text(&tracked.local_id),
        "message_id": tracked.message_id.as_str(),
        "message_type": known.kind,
        "recipient": tracked.recipient.mailbox,
        "recipient_name": tracked.recipient.name,
        "recipient_ods_code": tracked.recipient.ods_code,
        "recipient_org_code": tracked.recipient.org_code,
        "recipient_org_name": tracked.recipient.org_name,
        "sender": known.sender.mailbox,
        "sender_name": known.sender.name,
        "sender_ods_code": known.sender.ods_code,
        "sender_org_code": known.sender.org_code,
        "sender_org_name": known.sender.org_name,
        "status": tracked.status.as_str(ApiVersion::V1),
        "status_code": report.map(|failure| &failure.code),
        "status_description": report.map(|failure| &failure.description),
        "status_event": report.map(|failure| &failure.event),
        "status_success": known.success(),
        "status_timestamp": report.map(|_| precise(tracked.sent_at)),
        "subject": known.text(&tracked.subject),
        "upload_timestamp": precise(tracked.sent_at),
        "workflow_id": tracked.workflow.as_str(),
    }))
}

/// An entry of the rich inbox.
#[must_use]
pub fn rich_inbox_entry(tracked: &Tracked) -> Value {
    let known = Known::of(tracked);
    let failed = known.failed.filter(|failure| !failure.code.is_empty());
    let code = known.report.or(failed).map(|failure| &failure.code);
    present(rich(tracked, &known, known.text(&tracked.local_id), json!(code)))
}

/// An entry of the rich outbox.
#[must_use]
pub fn rich_outbox_entry(tracked: &Tracked) -> Value {
    let known = Known::of(tracked);
    let code = known.failed.map(|failure| failure.code.clone()).unwrap_or_default();
    present(rich(tracked, &known, json!(tracked.local_id.as_deref().unwrap_or_default()), json!(code)))
}

/// A time as mesh-sandbox writes it: UTC without saying so, to the microsecond.
#[must_use]
pub fn precise(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

fn rich(tracked: &Tracked, known: &Known<'_>, local_id: Value, status_code: Value) -> Value {
    json!({
        "message_id": tracked.message_id.as_str(),
        "expiry_timestamp": precise(tracked.expires_at),
        "local_id": local_id,
        "message_type": if known.data { "DATA" } else { "REPORT" },
        "recipient": tracked.recipient.mailbox,
        "recipient_name": tracked.recipient.name,
        "sender": known.sender.mailbox,
        "sender_name": known.sender.name,
        "sent_date": precise(tracked.sent_at),
        "status": tracked.status.as_str(ApiVersion::V2),
        "status_code": status_code,
        "workflow_id": tracked.workflow.as_str(),
        "total_chunks": known.chunks,
    })
}

fn v1(tracked: &Tracked) -> Value {
    let known = Known::of(tracked);
    let flag = |set| if set { "Y" } else { "" };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    json!({
        "addressType": "ALL",
        "checksum": text(&tracked.checksum),
        "chunkCount": known.chunks,
        "compressFlag": flag(tracked.compressed),
        "contentEncoding": known.encoding,
        "downloadTimestamp": known.acknowledged.map(compact_time).unwrap_or_default(),
        "dtsId": tracked.message_id.as_str(),
        "encryptedFlag": flag(tracked.encrypted),
        "expiryTime": compact_time(tracked.expires_at),
        "failureDate": known.failed.map(|_| compact_time(tracked.status_at)),
        "failureDiagnostic": known.diagnostic(),
        "fileName": known.file_name,
        "fileSize": known.size,
        "isCompressed": flag(tracked.compressed),
        "linkedMsgId": tracked.linked.as_ref().map(|id| id.as_str()),
        "localId": text(&tracked.local_id),
        "meshRecipientOdsCode": tracked.recipient.ods_code,
        "messageId": tracked.message_id.as_str(),
        "messageType": known.kind,
        "partnerId": text(&tracked.partner_id),
        "recipient": tracked.recipient.mailbox,
        "recipientName": tracked.recipient.name,
        "recipientOrgCode": tracked.recipient.org_code,
        "recipientOrgName": tracked.recipient.org_name,
        "recipientSmtp": "",
        "sender": tracked.sender.mailbox,
        "senderName": tracked.sender.name,
        "senderOdsCode": tracked.sender.ods_code,
        "senderOrgCode": tracked.sender.org_code,
        "senderOrgName": tracked.sender.org_name,
        "senderSmtp": "",
        "status": tracked.status.as_str(ApiVersion::V1),
        "statusSuccess": known.success(),
        "subject": text(&tracked.subject),
        "uploadTimestamp": compact_time(tracked.sent_at),
        "version": "1.0",
        "workflowId": tracked.workflow.as_str(),
    })
}

fn v2(tracked: &Tracked) -> Value {
    let known = Known::of(tracked);
    json!({
        "message_id": tracked.message_id.as_str(),
        "local_id": tracked.local_id.as_deref().unwrap_or_default(),
        "workflow_id": tracked.workflow.as_str(),
        "filename": known.file_name,
        "expiry_time": precise(tracked.expires_at),
        "upload_timestamp": precise(tracked.sent_at),
        "recipient": tracked.recipient.mailbox,
        "recipient_name": tracked.recipient.name,
        "recipient_ods_code": tracked.recipient.ods_code,
        "recipient_org_code": tracked.recipient.org_code,
        "recipient_org_name": tracked.recipient.org_name,
        "status": tracked.status.as_str(ApiVersion::V2),
        "status_success": known.success() == "SUCCESS",
    })
}

/// What mesh-sandbox derives from what it knows.
struct Known<'a> {
    data: bool,
    kind: &'static str,
    chunks: u32,
    size: u64,
    encoding: Option<&'static str>,
    file_name: String,
    sender: Correspondent,
    /// Why it was not delivered: undeliverable is no error there.
    failed: Option<&'a Failure>,
    report: Option<&'a Failure>,
    acknowledged: Option<DateTime<Utc>>,
}

impl<'a> Known<'a> {
    fn of(tracked: &'a Tracked) -> Self {
        let data = tracked.reported.is_none();
        let given_name = tracked.file_name.clone().filter(|name| !name.is_empty());
        let zipped = if tracked.encoding == ContentEncoding::Gzip { "gzip" } else { "" };
        let centre = || Correspondent {
            mailbox: String::new(),
            name: "Central System Mailbox".to_owned(),
            ods_code: "X26".to_owned(),
            org_code: "X26".to_owned(),
            org_name: "NHS England".to_owned(),
        };
        Self {
            data,
            kind: if data { "Data" } else { "Report" },
            chunks: if data { tracked.chunk_count } else { 0 },
            size: if tracked.status == TrackingStatus::Uploading { 0 } else { tracked.size },
            encoding: data.then_some(zipped),
            file_name: given_name.unwrap_or_else(|| format!("{}.dat", tracked.message_id)),
            sender: if data { tracked.sender.clone() } else { centre() },
            failed: tracked.failure.as_ref().filter(|_| tracked.status == TrackingStatus::Error),
            report: tracked.reported.as_ref(),
            acknowledged: (tracked.status == TrackingStatus::Acknowledged).then_some(tracked.status_at),
        }
    }

    fn success(&self) -> &'static str {
        if self.data && self.failed.is_none() { "SUCCESS" } else { "ERROR" }
    }

    /// Why it failed, if whoever made it fail said so.
    fn diagnostic(&self) -> Option<&'a str> {
        Some(self.failed?.description.as_str()).filter(|words| !words.is_empty())
    }

    /// A text that was not given is empty in data and not there in a report.
    fn text(&self, text: &Option<String>) -> Value {
        if self.data { json!(text.as_deref().unwrap_or_default()) } else { json!(text) }
    }
}

fn present(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}
