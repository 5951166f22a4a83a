//! Messages that the endpoint writes itself: reports to senders, and what synthetic receivers answer.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderName;

use super::{
    Mailroom, Message, Receiver, Report, Rooms,
    content::{Chunks, Content},
};
use crate::{
    emulator::switches::{ReportSubject, ReportTo},
    protocol::{
        ChunkRange, ContentEncoding, Failure, MailboxId, MessageId, SendHeaders, WorkflowId,
        headers::{MEX_FILE_NAME, MEX_LOCAL_ID, MEX_SUBJECT},
    },
};

/// A report that a test asks for.
#[derive(Debug, Clone)]
pub struct ReportRequest {
    /// Whose inbox it goes to.
    pub mailbox: MailboxId,
    /// The kind of message that it is about.
    pub workflow: WorkflowId,
    /// What it says.
    pub failure: Failure,
    /// Its file name.
    pub file_name: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// The local ID of the message that it is about.
    pub local_id: Option<String>,
    /// That message.
    pub linked: Option<MessageId>,
}

impl Mailroom {
    /// Puts a report into an inbox; `None` when there is no such mailbox.
    pub fn put_report(&self, request: ReportRequest) -> Option<MessageId> {
        let mut rooms = self.rooms();
        if !rooms.mailboxes.contains_key(&request.mailbox) {
            return None;
        }
        let labels = [
            (MEX_LOCAL_ID, request.local_id),
            (MEX_SUBJECT, request.subject),
            (MEX_FILE_NAME, request.file_name),
        ];
        let labels = labels.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let report = Report { linked: request.linked, failure: request.failure, to: None };
        Some(rooms.post(
            None,
            request.mailbox,
            request.workflow,
            labels,
            Some(report),
            self.clock.now(),
            None,
        ))
    }
}

impl Rooms {
    /// Tells the sender of a message what became of it (OpenAPI, "Asynchronous error reporting"). About
    /// a report there is no report.
    pub(super) fn report(&mut self, about: &Message, failure: Failure, at: DateTime<Utc>) {
        let Some(sender) = about.sender.clone().filter(|sender| self.mailboxes.contains_key(sender)) else {
            return;
        };
        let mut labels: Vec<(HeaderName, String)> = about.headers.passed_through.clone();
        labels.retain(|(name, _)| [MEX_LOCAL_ID, MEX_SUBJECT].contains(name));
        if self.switches.report_subject == ReportSubject::Prefixed {
            match labels.iter_mut().find(|(name, _)| *name == MEX_SUBJECT) {
                Some((_, subject)) => *subject = format!("NDR: {subject}"),
                None => labels.push((MEX_SUBJECT, "NDR".to_owned())),
            }
        }
        let to = (self.switches.report_to == ReportTo::Intended).then(|| about.headers.to.clone());
        let report = Report { linked: Some(about.id.clone()), failure, to };
        self.post(None, sender, about.workflow().clone(), labels, Some(report), at, None);
    }

    /// The business acknowledgement of a synthetic receiver. What is itself an acknowledgement is not
    /// answered, or two receivers would never end.
    pub(super) fn answer(&mut self, message: &Message, receiver: Receiver, at: DateTime<Utc>) {
        let accepted = match receiver {
            Receiver::Accepts => true,
            Receiver::Rejects => false,
            Receiver::Dormant | Receiver::Collects => return,
        };
        let (Some(sender), Ok(recipient)) = (&message.sender, &message.recipient) else { return };
        let workflow = message.workflow().as_str();
        if workflow.ends_with("_ACK") || !self.mailboxes.contains_key(sender) {
            return;
        }
        let Ok(workflow) = WorkflowId::parse(&format!("{workflow}_ACK")) else { return };
        let mut labels = message.headers.passed_through.clone();
        labels.retain(|(name, _)| *name == MEX_LOCAL_ID);
        let body = serde_json::json!({ "message_id": message.id.as_str(), "accepted": accepted }).to_string();
        self.post(Some(recipient.clone()), sender.clone(), workflow, labels, None, at, Some(body.into()));
    }

    #[expect(clippy::too_many_arguments, reason = "one for each thing that a message is")]
    fn post(
        &mut self,
        sender: Option<MailboxId>,
        recipient: MailboxId,
        workflow: WorkflowId,
        passed_through: Vec<(HeaderName, String)>,
        report: Option<Report>,
        at: DateTime<Utc>,
        body: Option<Bytes>,
    ) -> MessageId {
        let id = self.unused_id(at);
        let headers = SendHeaders {
            to: recipient.to_string(),
            workflow,
            chunk_range: ChunkRange::WHOLE,
            encoding: ContentEncoding::Identity,
            content_type: body.as_ref().map(|_| "application/json".to_owned()),
            passed_through,
        };
        let message = Message {
            id: id.clone(),
            sender,
            recipient: Ok(recipient),
            headers,
            sent_at: at,
            report: report.map(Box::new),
        };
        let chunks = body.map(|body| Chunks::first(self.space.own(body))).unwrap_or_default();
        self.enter_whole(Arc::new(message), Content { chunks, delivered_at: at });
        id
    }
}
