//! One call: the request goes out, the response comes in, and the whole goes onto the tape.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Stream, TryStreamExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};

use super::{
    connection::{Connection, RequestBody},
    failure::{self, failure},
    recording::Recording,
    tap::TapHandle,
    target::Target,
};
use crate::{
    protocol::{ContentEncoding, Operation},
    tape::{Actor, BodyRecorder, Exchange, FailureKind, Redactor, ScenarioNumber, Tape, TransportFailure},
};

/// Where on the tape a client writes.
#[derive(Debug, Clone)]
pub struct TapeScope {
    /// The tape.
    pub tape: Tape,
    /// Takes secrets out of what is written.
    pub redactor: Redactor,
    /// The scenario that is played.
    pub scenario: ScenarioNumber,
    /// As whom the client acts.
    pub actor: Actor,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As it stands on the tape.
    pub exchange: Arc<Exchange>,
    /// The response's body, up to 1 MiB of it; empty for a download, which only the tape digests.
    pub body: Bytes,
}

/// Longest reply that is read into memory: an inbox page of 5000 messages has some 150 KB.
pub const COLLECTED_BYTES: usize = 1 << 20;

/// A call of an operation that is ready to go.
pub struct Call {
    pub operation: Operation,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: RequestBody,
    /// Whether the request or the response carries a message, which may take long.
    pub transfers: bool,
}

/// Any request that is ready to go, whether or not it is as the API has it.
pub struct AnyCall {
    pub method: Method,
    /// What of the API it calls; `None` when it is none of its operations.
    pub operation: Option<Operation>,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: RequestBody,
    /// Whether the request or the response carries a message, which may take long.
    pub transfers: bool,
    /// How much of the response is read into memory, in bytes; the tape keeps its own share.
    pub collected: usize,
}

/// A body of pieces that are made as they are sent.
pub fn streamed(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> RequestBody {
    StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync()
}

/// No body.
pub fn nothing() -> RequestBody {
    Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync()
}

impl Call {
    /// Makes the call, on the connection that is open or on a new one, and puts it on the tape.
    ///
    /// A failed call is an answer like any other: the tape says what happened. Nothing is repeated.
    pub async fn make(self, target: &Target, open: &mut Option<Connection>, scope: &TapeScope) -> Answer {
        let (method, _) = self.operation.request();
        let downloads = self.transfers && method == Method::GET;
        let call = AnyCall {
            method,
            operation: Some(self.operation),
            target: self.target,
            headers: self.headers,
            body: self.body,
            transfers: self.transfers,
            collected: if downloads { 0 } else { COLLECTED_BYTES },
        };
        call.make(target, open, scope).await
    }
}

impl AnyCall {
    /// Makes the call, as [`Call::make`] does.
    ///
    /// Boxed, so that HTTP and TLS are compiled with the library, once, and not with each program that awaits a call.
    pub fn make<'a>(
        self,
        target: &'a Target,
        open: &'a mut Option<Connection>,
        scope: &'a TapeScope,
    ) -> BoxFuture<'a, Answer> {
        self.made(target, open, scope).boxed()
    }

    async fn made(self, target: &Target, open: &mut Option<Connection>, scope: &TapeScope) -> Answer {
        let mut recording = Recording::begin(scope, target, self.operation.clone(), self.unsent_head(target));
        let connection = match open.take().filter(|connection| !connection.sender.is_closed()) {
            Some(connection) => Ok(connection),
            None => Connection::open(target).await,
        };
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(failure) => return recording.not_connected(failure),
        };
        recording.connected(&mut connection);
        let sent = SentBody::new(&self.headers);
        let mut received = None;
        let failure = self.exchange(target, &mut connection, &sent, &mut received).await.err();
        if failure.is_none() && received.as_ref().is_some_and(|received| received.leaves_open) {
            *open = Some(connection);
        }
        recording.finish(sent.finish(), received, failure)
    }

    async fn exchange(
        self,
        target: &Target,
        connection: &mut Connection,
        sent: &SentBody,
        received: &mut Option<Received>,
    ) -> Result<(), TransportFailure> {
        let limits = Limits {
            stall: target.timeouts.response,
            total: if self.transfers { target.timeouts.transfer } else { target.timeouts.response },
        };
        let collected = self.collected;
        let request = self.into_request(&target.origin.authority(), sent.clone());
        let tap = connection.tap.clone();
        let work = async {
            connection.sender.ready().await?;
            let response = connection.sender.send_request(request).await?;
            let received = received.insert(Received::new(&response, collected));
            received.read(response.into_body()).await
        };
        match limits.apply(&tap, work).await {
            Ok(()) => Ok(()),
            Err(Stopped::Late(why)) => Err(failure(FailureKind::TimedOut, why)),
            Err(Stopped::Http(error)) => {
                Err(connection.cause(target).await.unwrap_or_else(|| failure::of_http(&error)))
            }
        }
    }

    /// The head as it would have gone out, for a request that never did.
    fn unsent_head(&self, target: &Target) -> Vec<u8> {
        let authority = target.origin.authority();
        let mut raw =
            format!("{} {} HTTP/1.1\r\nhost: {authority}\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                raw.extend_from_slice(part);
            }
        }
        raw
    }

    fn into_request(self, authority: &str, sent: SentBody) -> Request<RequestBody> {
        let method = self.method;
        let body = self.body.map_frame(move |frame| {
            if let Some(data) = frame.data_ref() {
                sent.update(data);
            }
            frame
        });
        let mut request = Request::new(body.boxed_unsync());
        *request.method_mut() = method;
        // Targets are made of identifiers, or of a link whose characters were checked: they parse.
        *request.uri_mut() = self.target.parse().unwrap_or_default();
        if let Ok(host) = HeaderValue::from_str(authority) {
            request.headers_mut().insert(header::HOST, host);
        }
        request.headers_mut().extend(self.headers);
        request
    }
}

/// The request's body as it goes out, shared with the connection that sends it.
#[derive(Clone)]
struct SentBody(Arc<Mutex<BodyRecorder>>);

impl SentBody {
    fn new(headers: &HeaderMap) -> Self {
        Self(Arc::new(Mutex::new(BodyRecorder::new(is_gzip(headers)))))
    }

    fn update(&self, data: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).update(data);
    }

    fn finish(&self) -> BodyRecorder {
        let mut recorder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut recorder, BodyRecorder::new(false))
    }
}

/// The response's body as it comes in.
pub struct Received {
    pub recorder: BodyRecorder,
    pub collected: BytesMut,
    limit: usize,
    /// Whether the connection may be used again.
    leaves_open: bool,
}

impl Received {
    fn new(response: &Response<Incoming>, limit: usize) -> Self {
        Self {
            recorder: BodyRecorder::new(is_gzip(response.headers())),
            collected: BytesMut::new(),
            limit,
            leaves_open: leaves_open(response),
        }
    }

    async fn read(&mut self, mut body: Incoming) -> Result<(), hyper::Error> {
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                self.recorder.update(&data);
                let room = self.limit - self.collected.len();
                self.collected.extend_from_slice(&data[..data.len().min(room)]);
            }
        }
        Ok(())
    }
}

/// Whether a connection is left open after this answer (RFC 9112, Persistence). That it is closed shows only
/// a moment later, too late for a call that follows at once.
fn leaves_open(response: &Response<Incoming>) -> bool {
    let values = response.headers().get_all(header::CONNECTION).into_iter();
    let mut words = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let closes = words.any(|word| word.trim().eq_ignore_ascii_case("close"));
    !closes && response.version() >= Version::HTTP_11
}

fn is_gzip(headers: &HeaderMap) -> bool {
    ContentEncoding::is_gzip(headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()))
}

/// How long an exchange may stand still, and how long it may take.
struct Limits {
    stall: Duration,
    total: Duration,
}

enum Stopped {
    Late(String),
    Http(hyper::Error),
}

impl Limits {
    async fn apply(
        &self,
        tap: &TapHandle,
        work: impl Future<Output = Result<(), hyper::Error>>,
    ) -> Result<(), Stopped> {
        let begun = Instant::now();
        let mut work = std::pin::pin!(work);
        loop {
            let stalls = tap.last_activity().unwrap_or(begun) + self.stall;
            let deadline = stalls.min(begun + self.total);
            tokio::select! {
                result = &mut work => return result.map_err(Stopped::Http),
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
            let now = Instant::now();
            if now >= begun + self.total {
                return Err(Stopped::Late(format!("not done within {} s", self.total.as_secs())));
            }
            if now >= tap.last_activity().unwrap_or(begun) + self.stall {
                return Err(Stopped::Late(format!("no answer within {} s", self.stall.as_secs())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::client::Origin;

    /// That a connection will be closed is known before it is: to call on it would be a race.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_endpoint_may_close_the_connection_after_each_answer() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
                let _ = stream.write_all(answer).await;
            }
        });
        let target = Target::new(origin, &[], None, crate::client::Timeouts::default()).unwrap();
        let (redactor, scenario) = (Redactor::default(), ScenarioNumber(0));
        let scope = TapeScope { tape: Tape::new(), redactor, scenario, actor: Actor::Product };
        let mut open = None;
        for call in 0..1000 {
            let ping = Call {
                operation: Operation::Ping,
                target: "/messageexchange/_ping".to_owned(),
                headers: HeaderMap::new(),
                body: nothing(),
                transfers: false,
            };
            let answer = ping.make(&target, &mut open, &scope).await;
            assert_eq!(answer.exchange.failure, None, "call {call}");
        }
    }
}
