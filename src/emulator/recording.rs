//! What clients do to the endpoint, seen from its own side of the wire.
//!
//! A connection that is recorded has a tap on it: every byte that is read and written goes through a
//! [`Conversation`], which makes exchanges of them. A connection that nobody records has none.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
    time::timeout,
};

use super::authentication;
use crate::{
    client::agreed,
    protocol::{MailboxId, Operation},
    tape::{
        Actor, BodyRecord, Exchange, FailureKind, Presented, Redactor, RequestRecord, ResponseRecord,
        ScenarioNumber, TlsFacts, TransportFailure, Vantage,
    },
    wire::conversation::{Conversation, Direction, Draft, Message, Moment, Verdict},
};

/// How long to wait for calls that are under way to end.
const SETTLING: Duration = Duration::from_secs(2);

/// Takes exchanges as they end, without secrets. Clones are the same recorder.
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    redactor: Redactor,
    keep: Box<dyn Fn(Exchange) + Send + Sync>,
    passed_over: Option<MailboxId>,
    presented: Presented,
    /// On how many connections something is under way.
    under_way: watch::Sender<usize>,
}

impl Recorder {
    /// A recorder that hands exchanges to `keep`, which must not block for long. The redactor takes
    /// secrets out, and recomputes the hashes of tokens. `server_certificate` is what the endpoint presents.
    pub fn new(
        redactor: Redactor,
        server_certificate: Option<&rustls::pki_types::CertificateDer<'_>>,
        keep: impl Fn(Exchange) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            redactor,
            keep: Box::new(keep),
            passed_over: None,
            presented: server_certificate.map(|own| Presented::of(&[own])).unwrap_or_default(),
            under_way: watch::Sender::new(0),
        }))
    }

    /// The same, but for connections whose client certificate names this mailbox: who calls there records
    /// it on his own side.
    #[must_use]
    pub fn passing_over(self, mailbox: MailboxId) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self(Arc::new(Inner { passed_over: Some(mailbox), ..inner })),
            // One that is in use already stays as it is.
            Err(shared) => Self(shared),
        }
    }

    /// Waits until no call is under way, for two seconds at most: what a client saw the end of is on
    /// record by then.
    pub async fn settled(&self) {
        let mut under_way = self.0.under_way.subscribe();
        // A call that takes longer is recorded when it ends.
        let _ = timeout(SETTLING, under_way.wait_for(|count| *count == 0)).await;
    }

    /// Whether a client with a certificate of this name is recorded.
    pub(super) fn records(&self, common_name: Option<&str>) -> bool {
        self.0.passed_over.as_ref().is_none_or(|mailbox| !authentication::names(common_name, mailbox))
    }

    pub(super) fn tls_facts(&self, session: &rustls::ServerConnection) -> Arc<TlsFacts> {
        tls_facts(session, self.0.presented.clone())
    }

    pub(super) fn connection(&self, connection: Connection) -> Recording {
        Recording {
            recorder: self.clone(),
            connection,
            conversation: Conversation::default(),
            lost: false,
            busy: false,
        }
    }
}

/// What TLS agreed on, where the endpoint presented this.
pub(super) fn tls_facts(session: &rustls::ServerConnection, presented: Presented) -> Arc<TlsFacts> {
    let client = Presented::of(session.peer_certificates().unwrap_or_default());
    Arc::new(agreed(session).between(client, presented))
}

/// What all exchanges of a connection share.
pub struct Connection {
    /// Scheme, host and port of the endpoint.
    pub origin: Arc<str>,
    /// Where the client connected to.
    pub address: Option<SocketAddr>,
    /// What TLS agreed on.
    pub tls: Option<Arc<TlsFacts>>,
}

/// The record of one connection in the making.
pub struct Recording {
    recorder: Recorder,
    connection: Connection,
    conversation: Conversation,
    /// From here on it cannot be followed.
    lost: bool,
    busy: bool,
}

impl Recording {
    fn passed(&mut self, direction: Direction, bytes: &[u8], at: Moment) {
        if self.lost || bytes.is_empty() {
            return;
        }
        self.lost = self.conversation.came(direction, bytes, at) != Verdict::Relay;
        let finished = self.conversation.passed(direction, at.instant);
        self.keep(finished);
        if self.lost {
            self.over();
        }
        self.tell(!self.conversation.is_idle());
    }

    fn over(&mut self) {
        let left = self.conversation.over();
        self.keep(left);
    }

    fn keep(&self, drafts: Vec<Draft>) {
        drafts.into_iter().for_each(|draft| (self.recorder.0.keep)(self.exchange(draft)));
    }

    fn tell(&mut self, busy: bool) {
        if busy != self.busy {
            let change = |count: &mut usize| {
                *count = if busy { count.saturating_add(1) } else { count.saturating_sub(1) };
            };
            self.recorder.0.under_way.send_modify(change);
            self.busy = busy;
        }
    }

    fn exchange(&self, draft: Draft) -> Exchange {
        let redactor = &self.recorder.0.redactor;
        let timings = draft.timings();
        let answered = draft.response.as_ref().is_some_and(|response| response.is_whole);
        let raw = draft.request.as_ref().map(|request| request.head.clone()).unwrap_or_default();
        let token_fault = redactor.token_fault(&raw);
        let (head, token) = redactor.request_head(&raw);
        let body = |message: Message| message.body.finish(redactor);
        Exchange {
            // The one who keeps it knows better.
            scenario: ScenarioNumber(0),
            actor: Actor::Product,
            vantage: Vantage::Endpoint,
            origin: self.connection.origin.to_string(),
            peer: self.connection.address,
            operation: Operation::called(&head.method, &head.target),
            request: RequestRecord { head, body: draft.request.map_or_else(BodyRecord::empty, body) },
            response: draft.response.filter(|response| !response.head.is_empty()).map(|response| {
                ResponseRecord { head: redactor.response_head(&response.head), body: body(response) }
            }),
            failure: (!answered).then(|| TransportFailure {
                kind: FailureKind::Closed,
                detail: "the connection ended before the answer was whole".to_owned(),
            }),
            started_at: draft.began.utc,
            timings,
            tls: self.connection.tls.clone(),
            token,
            token_fault,
            relay: None,
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.over();
        self.tell(false);
    }
}

/// A connection with the tap on it.
pub struct Recorded<S> {
    stream: S,
    recording: Recording,
}

impl<S> Recorded<S> {
    pub fn new(stream: S, recording: Recording) -> Self {
        Self { stream, recording }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recorded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let came = buffer.filled().get(before..).unwrap_or_default();
        self.recording.passed(Direction::Up, came, Moment::now());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recorded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Before they are on their way: a client that has them may make its next call, on another connection,
        // before this thread comes to look at the time.
        let at = Moment::now();
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.recording.passed(Direction::Down, bytes.get(..count).unwrap_or_default(), at);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
