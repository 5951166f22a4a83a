//! From what was seen of a call to its place on the tape.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{
    call::{Answer, Received, TapeScope},
    connection::Connection,
    tap::TapHandle,
    target::Target,
};
use crate::{
    protocol::Operation,
    tape::{
        BodyRecord, BodyRecorder, Exchange, RequestRecord, ResponseRecord, TimingRecord, TlsFacts,
        TransportFailure, Vantage,
    },
};

/// A call that is going on.
pub struct Recording<'a> {
    scope: &'a TapeScope,
    origin: String,
    operation: Option<Operation>,
    unsent_head: Vec<u8>,
    started_at: DateTime<Utc>,
    started: Instant,
    connection: Option<Facts>,
    agreed: Option<Arc<TlsFacts>>,
}

struct Facts {
    peer: SocketAddr,
    tls: Option<Arc<TlsFacts>>,
    tap: TapHandle,
    connect: Option<Duration>,
    handshake: Option<Duration>,
    ready: Instant,
}

impl<'a> Recording<'a> {
    pub fn begin(
        scope: &'a TapeScope,
        target: &Target,
        operation: Option<Operation>,
        unsent_head: Vec<u8>,
    ) -> Self {
        let origin = target.origin.to_string();
        let (started_at, started) = (Utc::now(), Instant::now());
        Self { scope, origin, operation, unsent_head, started_at, started, connection: None, agreed: None }
    }

    /// From here on the tap tells what happens.
    pub fn connected(&mut self, connection: &mut Connection) {
        connection.tap.begin();
        let opening = connection.opening.take();
        self.connection = Some(Facts {
            peer: connection.peer,
            tls: connection.tls.clone(),
            tap: connection.tap.clone(),
            connect: opening.map(|opening| opening.connect),
            handshake: opening.and_then(|opening| opening.tls),
            ready: Instant::now(),
        });
    }

    /// The connection did not come about.
    pub fn not_connected(self, failure: TransportFailure) -> Answer {
        let timings = TimingRecord { connect: Some(self.started.elapsed()), ..TimingRecord::default() };
        let head = self.unsent_head.clone();
        self.write(&head, BodyRecord::empty(), None, Some(failure), timings)
    }

    /// TLS was agreed upon, and nothing was asked.
    pub fn agreed(self, tls: Arc<TlsFacts>) -> Answer {
        let timings = TimingRecord { tls: Some(self.started.elapsed()), ..TimingRecord::default() };
        let head = self.unsent_head.clone();
        let recording = Self { agreed: Some(tls), ..self };
        recording.write(&head, BodyRecord::empty(), None, None, timings)
    }

    /// The call has ended, well or not.
    pub fn finish(
        self,
        sent: BodyRecorder,
        received: Option<Received>,
        failure: Option<TransportFailure>,
    ) -> Answer {
        let Some(facts) = &self.connection else {
            return self.write(&[], BodyRecord::empty(), None, failure, TimingRecord::default());
        };
        let seen = std::mem::take(&mut *facts.tap.lock());
        let between = |from: Option<Instant>, to: Option<Instant>| match (from, to) {
            (Some(from), Some(to)) => to.saturating_duration_since(from),
            _ => Duration::ZERO,
        };
        let end = seen.last_received.or_else(|| Some(Instant::now()));
        let timings = TimingRecord {
            connect: facts.connect,
            tls: facts.handshake,
            send: between(Some(facts.ready), seen.last_sent),
            wait: between(seen.last_sent.or(Some(facts.ready)), seen.first_received.or(end)),
            receive: between(seen.first_received, end),
        };
        let redactor = &self.scope.redactor;
        let head = if seen.sent.bytes.is_empty() { self.unsent_head.clone() } else { seen.sent.bytes };
        let (recorder, body) = match received {
            Some(received) => (received.recorder, received.collected.freeze()),
            None => (BodyRecorder::new(false), Bytes::new()),
        };
        let response = (!seen.received.bytes.is_empty()).then(|| ResponseRecord {
            head: redactor.response_head(&seen.received.bytes),
            body: recorder.finish(redactor),
        });
        let sent = sent.finish(redactor);
        let answer = self.write(&head, sent, response, failure, timings);
        Answer { body, ..answer }
    }

    fn write(
        self,
        head: &[u8],
        body: BodyRecord,
        response: Option<ResponseRecord>,
        failure: Option<TransportFailure>,
        timings: TimingRecord,
    ) -> Answer {
        let scope = self.scope;
        let token_fault = scope.redactor.token_fault(head);
        let (head, token) = scope.redactor.request_head(head);
        let failure = failure
            .map(|failure| TransportFailure { detail: scope.redactor.text(&failure.detail), ..failure });
        let exchange = Exchange {
            scenario: scope.scenario,
            actor: scope.actor,
            vantage: Vantage::Client,
            origin: self.origin,
            peer: self.connection.as_ref().map(|facts| facts.peer),
            operation: self.operation,
            request: RequestRecord { head, body },
            response,
            failure,
            started_at: self.started_at,
            timings,
            tls: self.connection.and_then(|facts| facts.tls).or(self.agreed),
            token,
            token_fault,
            relay: None,
        };
        Answer { exchange: scope.tape.append(exchange), body: Bytes::new() }
    }
}
