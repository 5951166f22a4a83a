//! Messages and chunks as records: JSON, so that a person can read what a database holds.

use std::{borrow::Cow, sync::Arc};

use chrono::{DateTime, Utc};
use http::HeaderName;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::row::own_row;
use crate::{
    emulator::mailroom::{
        Message, Report, StoredBody,
        content::{Chunks, Content},
        message::{Entry, State},
    },
    protocol::{ContentEncoding, ErrorCode, Failure, MailboxId, MessageId, SendHeaders, WorkflowId},
};

type Text<'a> = Cow<'a, str>;
/// Seconds and nanoseconds.
type Time = (i64, u32);

/// A message, but for chunks that have records of their own.
#[derive(Serialize, Deserialize)]
pub struct Record<'a> {
    id: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipient: Option<Text<'a>>,
    /// Why there is no recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Text<'a>>,
    to: Text<'a>,
    workflow: Text<'a>,
    chunks: u32,
    gzip: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<Text<'a>>,
    labels: Vec<(Text<'a>, Text<'a>)>,
    sent_at: Time,
    /// Where that is another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivered_at: Option<Time>,
    /// Where in the inbox it waited, once nothing more is done with it; without it, where its number says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<ReportRecord<'a>>,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished: Option<u64>,
    state: StateRecord<'a>,
    /// The body in the same row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<ChunkRecord>,
}

#[derive(Serialize, Deserialize)]
struct ReportRecord<'a> {
    linked: Option<Text<'a>>,
    failure: FailureRecord<'a>,
    to: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct FailureRecord<'a> {
    event: Text<'a>,
    code: Text<'a>,
    description: Text<'a>,
}

#[derive(Serialize, Deserialize)]
enum StateRecord<'a> {
    Uploading { until: Time },
    Waiting { place: u64, delivered_at: Time, until: Time },
    Acknowledged { at: Time, delivered_at: Option<Time> },
    Undeliverable { at: Time, delivered_at: Option<Time> },
    Failed { at: Time, failure: FailureRecord<'a> },
}

/// A chunk, but for its body.
#[derive(Serialize, Deserialize)]
pub struct ChunkRecord {
    pub size: u64,
    pub decoded_size: u64,
    /// The name of the body's file; without one, the body is in the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Uuid>,
}

/// Why nobody is a message's recipient: what the routing of patients says, and code 12.
const REFUSED: [ErrorCode; 6] = [
    ErrorCode::UnregisteredTo,
    ErrorCode::SeveralMailboxes,
    ErrorCode::NoMailbox,
    ErrorCode::InvalidNhsNumber,
    ErrorCode::NhsNumberNotFound,
    ErrorCode::DemographicsMismatch,
];

/// A message as a row.
pub fn write(entry: &Entry) -> Vec<u8> {
    let message = &entry.message;
    let headers = &message.headers;
    let labels = headers.passed_through.iter();
    let record = Record {
        id: message.id.as_str().into(),
        sender: message.sender.as_ref().map(|id| id.as_str().into()),
        recipient: message.recipient.as_ref().ok().map(|id| id.as_str().into()),
        refused: message.recipient.as_ref().err().map(|code| code.as_str().into()),
        to: headers.to.as_str().into(),
        workflow: headers.workflow.as_str().into(),
        chunks: headers.chunk_range.total().get(),
        gzip: headers.encoding == ContentEncoding::Gzip,
        content_type: headers.content_type.as_deref().map(Into::into),
        labels: labels.map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect(),
        sent_at: time(message.sent_at),
        delivered_at: (entry.delivered_at != message.sent_at).then(|| time(entry.delivered_at)),
        place: (entry.state.is_final() && entry.place != entry.number).then_some(entry.place),
        report: message.report.as_deref().map(report),
        size: entry.size,
        finished: entry.finished,
        state: state(entry),
        body: own_row(entry).map(|(body, _)| chunk(body, None)),
    };
    // Strings and numbers always have a form in JSON.
    serde_json::to_vec(&record).unwrap_or_default()
}

/// A chunk as a row.
pub fn write_chunk(body: &StoredBody, file: Option<Uuid>) -> Vec<u8> {
    serde_json::to_vec(&chunk(body, file)).unwrap_or_default()
}

fn chunk(body: &StoredBody, file: Option<Uuid>) -> ChunkRecord {
    ChunkRecord { size: body.size(), decoded_size: body.decoded_size(), file }
}

fn time(time: DateTime<Utc>) -> Time {
    (time.timestamp(), time.timestamp_subsec_nanos())
}

fn failure(failure: &Failure) -> FailureRecord<'_> {
    FailureRecord {
        event: failure.event.as_str().into(),
        code: failure.code.as_str().into(),
        description: failure.description.as_str().into(),
    }
}

fn report(report: &Report) -> ReportRecord<'_> {
    ReportRecord {
        linked: report.linked.as_ref().map(|id| id.as_str().into()),
        failure: failure(&report.failure),
        to: report.to.as_deref().map(Into::into),
    }
}

fn state(entry: &Entry) -> StateRecord<'_> {
    let delivered =
        |content: &Option<Arc<Content>>| content.as_ref().map(|content| time(content.delivered_at));
    match &entry.state {
        State::Uploading { until, .. } => StateRecord::Uploading { until: time(*until) },
        State::Waiting { content, until } => StateRecord::Waiting {
            place: entry.place,
            delivered_at: time(content.delivered_at),
            until: time(*until),
        },
        State::Acknowledged { at, content } => {
            StateRecord::Acknowledged { at: time(*at), delivered_at: delivered(content) }
        }
        State::Undeliverable { at, content } => {
            StateRecord::Undeliverable { at: time(*at), delivered_at: delivered(content) }
        }
        State::Failed { at, failure: why } => StateRecord::Failed { at: time(*at), failure: failure(why) },
    }
}

/// The name in a row that can be read as far as that, to be able to say which message it is.
pub fn name(row: &[u8]) -> Option<String> {
    let record: serde_json::Value = serde_json::from_slice(row).ok()?;
    record.get("id")?.as_str().map(str::to_owned)
}

/// A message from its record and its chunks. `own` makes a body of what is said of the one in its row.
pub fn read(
    number: u64,
    row: &[u8],
    mut chunks: Chunks,
    own: impl FnOnce(&ChunkRecord) -> StoredBody,
) -> Result<Entry, String> {
    let record: Record<'_> = serde_json::from_slice(row).map_err(|error| error.to_string())?;
    let recipient = match (&record.recipient, &record.refused) {
        (Some(id), _) => Ok(read_mailbox(id)?),
        (None, code) => {
            let code = code.as_deref().unwrap_or_default();
            Err(REFUSED.into_iter().find(|known| known.as_str() == code).ok_or("has no recipient")?)
        }
    };
    let label = |(name, value): (Text<'_>, Text<'_>)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        Ok::<_, String>((name, value.into_owned()))
    };
    let encoding = if record.gzip { ContentEncoding::Gzip } else { ContentEncoding::Identity };
    let message = Message {
        id: read_message(&record.id)?,
        sender: record.sender.as_deref().map(read_mailbox).transpose()?,
        recipient,
        headers: SendHeaders {
            to: record.to.into_owned(),
            workflow: WorkflowId::parse(&record.workflow).map_err(|error| error.to_string())?,
            chunk_range: format!("1:{}", record.chunks).parse().map_err(|_| "has no chunks")?,
            encoding,
            content_type: record.content_type.map(Cow::into_owned),
            passed_through: record.labels.into_iter().map(label).collect::<Result<_, _>>()?,
        },
        sent_at: read_time(record.sent_at)?,
        report: record.report.map(read_report).transpose()?.map(Box::new),
    };
    if let Some(body) = &record.body {
        chunks.insert(1, own(body));
    }
    // While it is uploaded, its size is that of what came.
    let size = match &record.state {
        StateRecord::Uploading { .. } => chunks.size(),
        _ => record.size,
    };
    let delivered_at = record.delivered_at.map_or(Ok(message.sent_at), read_time)?;
    let place = match &record.state {
        StateRecord::Waiting { place, .. } => *place,
        _ => record.place.unwrap_or(number),
    };
    let state = read_state(record.state, chunks)?;
    let (message, finished) = (Arc::new(message), record.finished);
    Ok(Entry { message, number, size, place, delivered_at, finished, state })
}

fn read_mailbox(text: &str) -> Result<MailboxId, String> {
    MailboxId::parse(text).map_err(|error| error.to_string())
}

fn read_message(text: &str) -> Result<MessageId, String> {
    MessageId::parse(text).map_err(|error| error.to_string())
}

fn read_time((seconds, nanoseconds): Time) -> Result<DateTime<Utc>, String> {
    DateTime::from_timestamp(seconds, nanoseconds).ok_or_else(|| "has a time that there is not".to_owned())
}

fn read_failure(record: FailureRecord<'_>) -> Failure {
    Failure {
        event: record.event.into_owned(),
        code: record.code.into_owned(),
        description: record.description.into_owned(),
    }
}

fn read_report(record: ReportRecord<'_>) -> Result<Report, String> {
    Ok(Report {
        linked: record.linked.as_deref().map(read_message).transpose()?,
        failure: read_failure(record.failure),
        to: record.to.map(Cow::into_owned),
    })
}

fn read_state(record: StateRecord<'_>, chunks: Chunks) -> Result<State, String> {
    let content = |delivered_at, chunks| -> Result<_, String> {
        Ok(Arc::new(Content { chunks, delivered_at: read_time(delivered_at)? }))
    };
    Ok(match record {
        StateRecord::Uploading { until } => {
            State::Uploading { chunks: Arc::new(chunks), until: read_time(until)? }
        }
        StateRecord::Waiting { delivered_at, until, .. } => {
            State::Waiting { content: content(delivered_at, chunks)?, until: read_time(until)? }
        }
        StateRecord::Acknowledged { at, delivered_at } => State::Acknowledged {
            at: read_time(at)?,
            content: delivered_at.map(|delivered_at| content(delivered_at, chunks)).transpose()?,
        },
        StateRecord::Undeliverable { at, delivered_at } => State::Undeliverable {
            at: read_time(at)?,
            content: delivered_at.map(|delivered_at| content(delivered_at, chunks)).transpose()?,
        },
        StateRecord::Failed { at, failure } => {
            State::Failed { at: read_time(at)?, failure: Box::new(read_failure(failure)) }
        }
    })
}
