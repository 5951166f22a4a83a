//! The operations of the API, as a product that follows the documentation calls them.

use std::{fmt, num::NonZeroU32, time::Duration};

use async_compression::tokio::bufread::GzipEncoder;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio_util::io::{ReaderStream, StreamReader};
use uuid::Uuid;

use super::{
    call::{Answer, Call, TapeScope, nothing, streamed},
    connection::{Connection, RequestBody},
    payload::Payload,
    target::Target,
};
use crate::protocol::{
    ApiVersion, Credentials, MailboxId, MessageId, NonceCount, Operation, Sent, Token, WorkflowId,
    headers::{
        MEX_CHUNK_RANGE, MEX_CLIENT_VERSION, MEX_CONTENT_COMPRESSED, MEX_FILE_NAME, MEX_FROM, MEX_LOCAL_ID,
        MEX_OS_ARCHITECTURE, MEX_OS_NAME, MEX_OS_VERSION, MEX_SUBJECT, MEX_TO, MEX_WORKFLOW_ID,
    },
};

/// A client for one mailbox. One connection, used by one call at a time (pack case 801: at most one
/// thread per mailbox). Every call is made once: a send that failed may have been accepted all the
/// same, so repeating it blindly could deliver a message twice.
pub struct ReferenceClient {
    target: Target,
    credentials: Credentials,
    scope: TapeScope,
    nonce: Uuid,
    count: u32,
    connection: Option<Connection>,
}

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// To whom.
    pub to: MailboxId,
    /// What kind of message.
    pub workflow: WorkflowId,
    /// Our own reference; identifies no person.
    pub local_id: String,
    /// Free text.
    pub subject: String,
    /// Name of the file.
    pub file_name: String,
    /// Whether to compress it with gzip.
    pub compress: bool,
    /// The content.
    pub payload: Payload,
}

/// Chunks of a message that are asked for, whatever it says it has: of the longest message, 100 GB (OpenAPI, "Outbox
/// workflow"), those would be of 1 MB.
const MOST_CHUNKS: u32 = 100_000;

impl ReferenceClient {
    /// A client that has not called yet.
    #[must_use]
    pub fn new(target: Target, credentials: Credentials, scope: TapeScope) -> Self {
        Self { target, credentials, scope, nonce: Uuid::new_v4(), count: 0, connection: None }
    }

    /// Whose mailbox it calls for.
    #[must_use]
    pub fn mailbox(&self) -> &MailboxId {
        &self.credentials.mailbox
    }

    /// How long a message that was accepted may take to turn up.
    #[must_use]
    pub fn delivery_timeout(&self) -> Duration {
        self.target.timeouts().delivery
    }

    /// Closes its connection, so that the next call opens another.
    pub fn hang_up(&mut self) {
        self.connection = None;
    }

    /// "Validate a mailbox (Handshake)".
    pub async fn handshake(&mut self) -> Answer {
        let operation = Operation::Handshake(self.mailbox().clone());
        self.call(operation, &handshake_headers(), nothing(), false).await
    }

    /// "Send message": one request, the headers that the pack's cases 201 and 202 name.
    pub async fn send(&mut self, message: &Outgoing) -> Answer {
        self.send_first(message, &message.payload, None).await
    }

    /// "Send message" and "Send chunked message": one request for each `chunk_bytes` of the content, in
    /// order, each compressed by itself where it is to be. Ends with the first that is not accepted.
    pub async fn send_chunked(&mut self, message: &Outgoing, chunk_bytes: u64) -> Vec<Answer> {
        let parts: Vec<Payload> = message.payload.parts(chunk_bytes).collect();
        self.send_parts(message, &parts).await
    }

    /// The same, with chunks as they are given, of any sizes.
    pub async fn send_parts(&mut self, message: &Outgoing, parts: &[Payload]) -> Vec<Answer> {
        let total = parts.len();
        let mut answers: Vec<Answer> = Vec::new();
        let mut id = None;
        for (number, part) in (1..).zip(parts) {
            let range = format!("{number}:{total}");
            let answer = match (&id, NonZeroU32::new(number)) {
                (Some(id), Some(place)) => self.send_chunk(message, part, id, place, &range).await,
                _ => self.send_first(message, part, Some(&range)).await,
            };
            if id.is_none() {
                id = Sent::read(&answer.body, ApiVersion::V2).ok().map(|sent| sent.message_id);
            }
            let accepted = answer.exchange.status() == Some(202) && id.is_some();
            answers.push(answer);
            if !accepted {
                break;
            }
        }
        answers
    }

    async fn send_chunk(
        &mut self,
        message: &Outgoing,
        part: &Payload,
        id: &MessageId,
        place: NonZeroU32,
        range: &str,
    ) -> Answer {
        let size = part.size().to_string();
        // The OpenAPI's own example leaves Content-Encoding off, and NHS mesh-sandbox refuses that.
        let carried = if message.compress {
            (header::CONTENT_ENCODING, "gzip")
        } else {
            (header::CONTENT_LENGTH, size.as_str())
        };
        let headers = [(MEX_CHUNK_RANGE, range), (header::CONTENT_TYPE, "application/octet-stream"), carried];
        let operation = Operation::SendChunk(self.mailbox().clone(), id.clone(), place);
        self.call(operation, &headers, outgoing_body(part, message.compress), true).await
    }

    async fn send_first(&mut self, message: &Outgoing, part: &Payload, range: Option<&str>) -> Answer {
        let mailbox = self.mailbox().clone();
        let mut headers = vec![
            (MEX_FROM, mailbox.as_str()),
            (MEX_TO, message.to.as_str()),
            (MEX_WORKFLOW_ID, message.workflow.as_str()),
            (header::CONTENT_TYPE, "application/octet-stream"),
            (MEX_LOCAL_ID, &message.local_id),
            (MEX_SUBJECT, &message.subject),
            (MEX_FILE_NAME, &message.file_name),
        ];
        if message.compress {
            headers.extend([(header::CONTENT_ENCODING, "gzip"), (MEX_CONTENT_COMPRESSED, "Y")]);
        }
        headers.extend(range.map(|range| (MEX_CHUNK_RANGE, range)));
        let size = part.size().to_string();
        if !message.compress {
            headers.push((header::CONTENT_LENGTH, &size));
        }
        let body = outgoing_body(part, message.compress);
        self.call(Operation::SendMessage(mailbox.clone()), &headers, body, true).await
    }

    /// "Check an inbox", from the top.
    pub async fn check_inbox(&mut self) -> Answer {
        self.call(Operation::CheckInbox(self.mailbox().clone()), &[], nothing(), false).await
    }

    /// The next page of an inbox, by the link that the page before gave, as it is.
    pub async fn follow(&mut self, link: &str) -> Answer {
        let operation = Operation::CheckInbox(self.mailbox().clone());
        let headers = self.headers(&[]);
        let call = Call { operation, target: link.to_owned(), headers, body: nothing(), transfers: false };
        call.make(&self.target, &mut self.connection, &self.scope).await
    }

    /// "Get Message". The content is digested as it passes, and not held.
    pub async fn download(&mut self, message: &MessageId, accept_gzip: bool) -> Answer {
        let headers: &[_] = if accept_gzip { &[(header::ACCEPT_ENCODING, "gzip")] } else { &[] };
        let operation = Operation::GetMessage(self.mailbox().clone(), message.clone());
        self.call(operation, headers, nothing(), true).await
    }

    /// "Get Message", the first chunk, and "Get Message chunk" for the rest, until one is answered 200
    /// or is not answered well, or whole, or with another chunk. A message that is not chunked is one answer, one of more than
    /// a hundred thousand is left after so many.
    pub async fn download_whole(&mut self, message: &MessageId, accept_gzip: bool) -> Vec<Answer> {
        let first = self.download(message, accept_gzip).await;
        let total = first.exchange.answered_range().map_or(1, |range| range.total().get());
        // A chunk that broke off ends it: the message cannot become whole.
        let whole = |answer: &Answer| answer.exchange.status().filter(|_| answer.exchange.failure.is_none());
        let mut last = whole(&first);
        let mut answers = vec![first];
        for place in (2..=total.min(MOST_CHUNKS)).filter_map(NonZeroU32::new) {
            if last != Some(206) {
                break;
            }
            let headers: &[_] = if accept_gzip { &[(header::ACCEPT_ENCODING, "gzip")] } else { &[] };
            let operation = Operation::GetChunk(self.mailbox().clone(), message.clone(), place);
            let answer = self.call(operation, headers, nothing(), true).await;
            // Who answers with another chunk than was asked for may do so for ever, and the message cannot become whole.
            let is_another = answer.exchange.answered_range().is_some_and(|range| range.index() != place);
            last = whole(&answer).filter(|_| !is_another);
            answers.push(answer);
        }
        answers
    }

    /// "Get Message" with HEAD: what a message is about, without its content.
    pub async fn look_up(&mut self, message: &MessageId) -> Answer {
        let operation = Operation::HeadMessage(self.mailbox().clone(), message.clone());
        self.call(operation, &[], nothing(), false).await
    }

    /// "Track outbox", by message ID.
    pub async fn track(&mut self, message: &MessageId) -> Answer {
        let operation = Operation::TrackMessage(self.mailbox().clone());
        let target = format!("{}?messageID={message}", operation.request().1);
        let headers = self.headers(&[]);
        let call = Call { operation, target, headers, body: nothing(), transfers: false };
        call.make(&self.target, &mut self.connection, &self.scope).await
    }

    /// "Acknowledge message".
    pub async fn acknowledge(&mut self, message: &MessageId) -> Answer {
        let operation = Operation::Acknowledge(self.mailbox().clone(), message.clone());
        self.call(operation, &[], nothing(), false).await
    }

    async fn call(
        &mut self,
        operation: Operation,
        headers: &[(HeaderName, &str)],
        body: RequestBody,
        transfers: bool,
    ) -> Answer {
        let (_, target) = operation.request();
        let call = Call { operation, target, headers: self.headers(headers), body, transfers };
        call.make(&self.target, &mut self.connection, &self.scope).await
    }

    fn headers(&mut self, more: &[(HeaderName, &str)]) -> HeaderMap {
        let (count, now) = (NonceCount::new(self.count), self.target.now());
        let token = Token::build(&self.credentials, self.nonce, count, now).to_string();
        self.count += 1;
        let common = [
            (header::AUTHORIZATION, token.as_str()),
            (header::ACCEPT, ApiVersion::V2.media_type()),
            (header::USER_AGENT, concat!("mesh-witness/", env!("CARGO_PKG_VERSION"))),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in common.iter().chain(more) {
            // All values are identifiers or our own words, which headers can carry.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name.clone(), value);
            }
        }
        headers
    }
}

fn outgoing_body(payload: &Payload, compress: bool) -> RequestBody {
    let pieces = payload.pieces().map(Ok::<Bytes, std::io::Error>);
    if compress {
        let encoder = GzipEncoder::new(StreamReader::new(pieces));
        streamed(ReaderStream::with_capacity(encoder, 64 * 1024).into_stream())
    } else {
        streamed(pieces)
    }
}

/// What a handshake says of the client and its machine (OpenAPI, "Validate a mailbox (Handshake)").
pub(crate) fn handshake_headers() -> [(HeaderName, &'static str); 4] {
    [
        (MEX_CLIENT_VERSION, concat!("mesh-witness==", env!("CARGO_PKG_VERSION"))),
        (MEX_OS_NAME, std::env::consts::OS),
        // The version is asked for and nothing depends on it: no call to the system for that.
        (MEX_OS_VERSION, "not recorded"),
        (MEX_OS_ARCHITECTURE, std::env::consts::ARCH),
    ]
}

impl fmt::Debug for ReferenceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceClient")
            .field("mailbox", self.mailbox())
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        client::{Origin, Timeouts},
        protocol::{Password, SharedKey},
        tape::{Actor, Redactor, ScenarioNumber, Tape},
    };

    /// An endpoint that gives each of these answers in turn, and the last for ever.
    async fn answering(answers: &'static [&'static str]) -> ReferenceClient {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut request, last) = ([0; 4096], answers.last());
            for answer in answers.iter().chain(std::iter::repeat_with(|| last.unwrap())) {
                match stream.read(&mut request).await {
                    Ok(0) | Err(_) => break,
                    Ok(_) => stream.write_all(answer.as_bytes()).await.unwrap(),
                }
            }
        });
        let target = Target::new(origin, &[], None, Timeouts::default()).unwrap();
        let credentials = Credentials {
            mailbox: MailboxId::parse("X26ABC1").unwrap(),
            password: Password::new("p"),
            shared_key: SharedKey::new("k"),
        };
        let (redactor, scenario) = (Redactor::default(), ScenarioNumber(0));
        let scope = TapeScope { tape: Tape::new(), redactor, scenario, actor: Actor::Product };
        ReferenceClient::new(target, credentials, scope)
    }

    const FIRST: &str = "HTTP/1.1 206 OK\r\nMex-Chunk-Range: 1:100000\r\nContent-Length: 1\r\n\r\nx";
    const SECOND: &str = "HTTP/1.1 206 OK\r\nMex-Chunk-Range: 2:100000\r\nContent-Length: 1\r\n\r\nx";
    const NO_NUMBER: &str = "HTTP/1.1 206 OK\r\nContent-Length: 1\r\n\r\nx";
    const LAST: &str = "HTTP/1.1 200 OK\r\nMex-Chunk-Range: 3:100000\r\nContent-Length: 1\r\n\r\nx";

    #[tokio::test]
    async fn a_download_ends_with_the_last_chunk_or_with_another_than_was_asked_for() {
        let message = MessageId::parse("20200529155357895317_3573F8").unwrap();
        for (answers, count) in [
            (&[FIRST, SECOND, LAST][..], 3),
            (&[FIRST, NO_NUMBER, LAST], 3),
            (&[FIRST], 2),
            (&[FIRST, SECOND], 3),
            (&[LAST], 1),
        ] {
            let mut client = answering(answers).await;
            assert_eq!(client.download_whole(&message, false).await.len(), count, "{answers:?}");
        }
    }
}
