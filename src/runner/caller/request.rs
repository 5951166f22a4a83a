//! The operations as steps name them, each with the headers that a good client sends.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderName, HeaderValue, Method, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Caller, Known, Side, misplaced};
use crate::{
    client::{AnyBody, Payload, handshake_headers},
    protocol::headers::{MEX_CHUNK_RANGE, MEX_FILE_NAME, MEX_FROM, MEX_LOCAL_ID, MEX_TO, MEX_WORKFLOW_ID},
    rules::endpoint,
    runner::{Fault, Role},
    tape::Sha256,
};

/// A body in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// This text.
    Text(String),
    /// So many made-up bytes, compressed with gzip.
    Gzip(u64),
    /// So many made-up bytes.
    Bytes(u64),
}

/// Between two looks whether a message was delivered.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);
/// Larger bodies are made as they are sent.
const HELD: u64 = 1 << 20;

impl Body {
    /// What goes out, where it is held.
    /// What is held whole; nothing of what is too long for that.
    fn bytes(&self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::Text(text) => Bytes::from(text.clone()),
            Self::Gzip(size) => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                // Writing to memory cannot fail; a body that were empty for it would be refused.
                let _ = encoder.write_all(&made_up(*size));
                Bytes::from(encoder.finish().unwrap_or_default())
            }
            Self::Bytes(size) if *size > HELD => Bytes::new(),
            Self::Bytes(size) => Bytes::from(made_up(*size)),
        }
    }

    fn outgoing(&self) -> AnyBody {
        match self {
            Self::Bytes(size) if *size > HELD => AnyBody::Payload(Payload::new("endpoint", *size)),
            held => AnyBody::Bytes(held.bytes()),
        }
    }

    /// Digest of the content, decoded where it is compressed.
    async fn digest(&self) -> Sha256 {
        match self {
            Self::Gzip(size) => Sha256::of(&made_up(*size)),
            Self::Bytes(size) if *size > HELD => Payload::new("endpoint", *size).digest().await,
            held => Sha256::of(&held.bytes()),
        }
    }
}

/// Every byte value in turn.
fn made_up(size: u64) -> Vec<u8> {
    (0..size).map(|place| (place % 251) as u8).collect()
}

impl Caller {
    /// "Validate a mailbox (Handshake)".
    ///
    /// # Errors
    /// When no whole answer came; so for every other call here.
    pub async fn handshake(&mut self, role: Role, method: Method) -> Result<(), Fault> {
        self.ask(role, method, "/messageexchange/{mailbox}", &handshake_headers()).await
    }

    /// "Check an inbox", with a query, which may be empty.
    ///
    /// # Errors
    /// See [`Caller::handshake`].
    pub async fn check_inbox(&mut self, role: Role, query: &str) -> Result<(), Fault> {
        if !query.is_empty() {
            self.next_query(query)?;
        }
        self.ask(role, Method::GET, "/messageexchange/{mailbox}/inbox", &[]).await?;
        self.note_listing()
    }

    /// The page that `links.next` of the last one names.
    ///
    /// # Errors
    /// When there is no such link, or it leads elsewhere; else see [`Caller::handshake`].
    pub async fn follow_next(&mut self, role: Role) -> Result<(), Fault> {
        let link = endpoint::next_link(self.answer()?)?;
        let start = format!("/messageexchange/{}/inbox", self.mailbox(role.into()));
        endpoint::leads_to(self.answer()?, &link, &start)?;
        self.ask(role, Method::GET, &link, &[]).await?;
        self.note_listing()
    }

    fn note_listing(&mut self) -> Result<(), Fault> {
        let listing = std::sync::Arc::clone(self.answer()?);
        self.listings.push(listing);
        Ok(())
    }

    /// Any other operation that sends nothing, by method and path.
    ///
    /// # Errors
    /// See [`Caller::handshake`].
    pub async fn ask(
        &mut self,
        role: Role,
        method: Method,
        path: &str,
        usual: &[(HeaderName, &'static str)],
    ) -> Result<(), Fault> {
        let next = std::mem::take(&mut self.next);
        let body = next.body.as_ref().map_or(AnyBody::Bytes(Bytes::new()), Body::outgoing);
        let usual =
            usual.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        self.send_off(role.into(), method, path, next, usual, body).await.map(drop)
    }

    /// "Acknowledge message".
    ///
    /// # Errors
    /// See [`Caller::handshake`].
    pub async fn acknowledge(&mut self, role: Role) -> Result<(), Fault> {
        let path = "/messageexchange/{mailbox}/inbox/{message}/status/acknowledged";
        self.ask(role, Method::PUT, path, &[]).await?;
        if self.answer()?.status() == Some(200) {
            let acknowledged = self.fill("{message}")?;
            self.setting.acknowledged(&self.mailbox(role.into()));
            let own = self.messages.iter_mut().filter(|message| message.id == acknowledged);
            own.for_each(|message| message.acknowledged = true);
        }
        Ok(())
    }

    /// "Send message", to the other mailbox unless the step says otherwise. When it is accepted, the
    /// message is remembered.
    ///
    /// # Errors
    /// See [`Caller::handshake`].
    pub async fn send(&mut self, role: Role) -> Result<(), Fault> {
        let (side, next) = (Side::from(role), std::mem::take(&mut self.next));
        self.sends += 1;
        let body = next.body.clone().unwrap_or_else(|| {
            Body::Text(format!("mesh-witness, scenario {}, message {}", self.scenario.0 + 1, self.sends))
        });
        let local_id = format!("{}-{}-{}", self.setting.run_id, self.scenario.0 + 1, self.sends);
        let usual = [
            (MEX_FROM, self.mailbox(side)),
            (MEX_TO, self.mailbox(side.other())),
            (MEX_WORKFLOW_ID, self.setting.workflow.to_string()),
            (MEX_LOCAL_ID, local_id),
            (MEX_FILE_NAME, "endpoint.txt".to_owned()),
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        ];
        let usual: Vec<_> = usual
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)))
            .collect();
        let sent = |name: &HeaderName| {
            let said =
                next.headers.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.clone());
            let usual = || usual.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone());
            said.unwrap_or_else(usual).and_then(|value| Some(value.to_str().ok()?.to_owned()))
        };
        let (local_id, workflow) = (sent(&MEX_LOCAL_ID), sent(&MEX_WORKFLOW_ID).unwrap_or_default());
        let whole = sent(&MEX_CHUNK_RANGE).is_none();
        let to = if sent(&MEX_TO) == Some(self.mailbox(side)) { side } else { side.other() };
        let path = "/messageexchange/{mailbox}/outbox";
        let exchange = self.send_off(side, Method::POST, path, next, usual, body.outgoing()).await?;
        let given = exchange.given_id().map(|id| id.to_string());
        if exchange.status() == Some(417) {
            self.refused = given.clone().or_else(|| self.refused.take());
        }
        if exchange.status() == Some(202) {
            let id = given.ok_or_else(|| endpoint::without_id(&exchange))?;
            let content = vec![body.digest().await];
            self.setting.waits_for(&self.mailbox(to));
            self.message = Some(id.clone());
            self.messages.push(Known { id, to, content, local_id, workflow, acknowledged: false });
            if whole {
                self.await_delivery(to).await;
            }
        }
        Ok(())
    }

    /// Waits until a message that was accepted is there: on integration that takes its time. Our own
    /// emulator delivers at once. Asks for the head of the message, since an inbox may not be listed so
    /// often.
    async fn await_delivery(&mut self, to: Side) {
        if self.is_exact() {
            return;
        }
        let (answer, begun) = (self.answer.clone(), Instant::now());
        let patience = self.sides.get(&to).map_or(Duration::ZERO, |to| to.target.timeouts().delivery);
        let path = "/messageexchange/{mailbox}/inbox/{message}";
        while self.ask(to.role(), Method::HEAD, path, &[]).await.is_ok()
            && self.answer().is_ok_and(|answer| answer.status() == Some(404))
            && begun.elapsed() < patience
        {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        self.answer = answer;
    }

    /// The first of so many chunks, by "Send message".
    ///
    /// # Errors
    /// See [`Caller::handshake`].
    pub async fn send_first_chunk(&mut self, role: Role, total: usize) -> Result<(), Fault> {
        self.chunks = total;
        self.next.headers.insert(0, (MEX_CHUNK_RANGE, HeaderValue::from_str(&format!("1:{total}")).ok()));
        self.send(role).await
    }

    /// "Send chunked message": the chunk with this number, of as many as the first one said.
    ///
    /// # Errors
    /// See [`Caller::handshake`].
    pub async fn send_chunk(&mut self, role: Role, number: usize) -> Result<(), Fault> {
        let mut next = std::mem::take(&mut self.next);
        let body = next.body.take().unwrap_or_else(|| Body::Text(format!("chunk {number}")));
        let range = HeaderValue::from_str(&format!("{number}:{}", self.chunks.max(number)));
        let usual = range.map(|range| (MEX_CHUNK_RANGE, range)).into_iter().collect();
        let path = format!("/messageexchange/{{mailbox}}/outbox/{{message}}/{number}");
        let exchange = self.send_off(role.into(), Method::POST, &path, next, usual, body.outgoing()).await?;
        if exchange.status() == Some(202) {
            let digest = body.digest().await;
            let id = self.message.clone();
            if let Some(known) = self.messages.iter_mut().find(|known| Some(&known.id) == id.as_ref()) {
                known.content.push(digest);
            }
            if number == self.chunks {
                self.await_delivery(Side::from(role).other()).await;
            }
        }
        Ok(())
    }

    /// Fills placeholders in; `{mailbox}` is the sender's.
    ///
    /// # Errors
    /// When a placeholder is unknown, or not known yet.
    pub fn fill(&self, text: &str) -> Result<String, Fault> {
        self.fill_for(Side::Sender, text)
    }

    pub(super) fn fill_for(&self, side: Side, text: &str) -> Result<String, Fault> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            filled.push_str(before);
            filled.push_str(&self.value(side, name)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, side: Side, name: &str) -> Result<String, Fault> {
        let unknown = || misplaced(format!("{{{name}}} stands for nothing here"));
        if let Some(count) = name.strip_suffix(" characters") {
            let count = count.parse().ok().filter(|count| *count <= 100_000).ok_or_else(unknown)?;
            return Ok("A".repeat(count));
        }
        match name {
            "mailbox" => Ok(self.mailbox(side)),
            "other mailbox" => Ok(self.mailbox(side.other())),
            "sender" => Ok(self.mailbox(Side::Sender)),
            "receiver" => Ok(self.mailbox(Side::Receiver)),
            "workflow" => Ok(self.setting.workflow.to_string()),
            "own workflow in lower case" => Ok(self.own_workflow.to_ascii_lowercase()),
            "refused" => self.refused.clone().ok_or_else(unknown),
            "own workflow" => Ok(self.own_workflow.clone()),
            "ods" => Ok(self.mailbox(side).chars().take(3).collect()),
            "tab" => Ok("\t".to_owned()),
            "first" => self.first_sent(),
            "message" => self.message.clone().ok_or_else(unknown),
            "local ID" => self.known()?.local_id.clone().ok_or_else(unknown),
            "local ID in a path" => {
                let local_id = self.known()?.local_id.clone().ok_or_else(unknown)?;
                Ok(utf8_percent_encode(&local_id, NON_ALPHANUMERIC).to_string())
            }
            "patient" => Ok(self.patient_number()),
            _ => Err(unknown()),
        }
    }
}
