//! The calls that are measured, with tokens that are right.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use chrono::Utc;
use http::{Method, Request, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use uuid::Uuid;

use crate::client::{Answer, Connection};

pub const SHARED_KEY: &str = "TestKey";
/// The end of the path under which the ceiling has a large body.
pub const LARGE_PATH: &str = "/inbox/LARGE";

/// Mailboxes that both the emulator and the sandbox begin with.
#[derive(Debug, Clone, Copy)]
pub enum Mailbox {
    One = 0,
    Two = 1,
    Three = 2,
}

/// Makes calls.
pub struct Caller {
    credentials: [Credentials; 3],
    nonce: u128,
    made: AtomicU64,
}

impl Caller {
    pub fn new() -> Self {
        let credentials = ["X26ABC1", "X26ABC2", "X26ABC3"].map(|id| Credentials {
            mailbox: MailboxId::parse(id).expect("a mailbox ID"),
            password: Password::new("password"),
            shared_key: SharedKey::new(SHARED_KEY),
        });
        Self { credentials, nonce: Uuid::new_v4().as_u128(), made: AtomicU64::new(0) }
    }

    fn request(&self, method: Method, mailbox: Mailbox, rest: &str) -> http::request::Builder {
        let credentials = &self.credentials[mailbox as usize];
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let nonce = Uuid::from_u128(self.nonce.wrapping_add(number.into()));
        let token = Token::build(credentials, nonce, NonceCount::new(0), Utc::now());
        Request::builder()
            .method(method)
            .uri(format!("/messageexchange/{}{rest}", credentials.mailbox))
            .header("host", "localhost")
            .header("accept", "application/vnd.mesh.v2+json")
            .header(AUTHORIZATION, token.to_string())
    }

    pub async fn handshake(&self, connection: &mut Connection) {
        let request = self
            .request(Method::POST, Mailbox::One, "")
            .header("mex-clientversion", "bench")
            .header("mex-osname", "Linux")
            .header("mex-osversion", "1");
        good(connection.call(whole(request, Bytes::new())).await);
    }

    /// Gives the message's ID; of the ceiling, which gives none, one that is as good.
    pub async fn send(&self, connection: &mut Connection, to: Mailbox, body: Bytes) -> String {
        let request = self.sending(to);
        let answer = good(connection.call(whole(request, body)).await);
        let reply: serde_json::Value = serde_json::from_slice(&answer.beginning).unwrap_or_default();
        let id = reply["message_id"].as_str().or(reply["messageID"].as_str());
        id.unwrap_or("20200529155357895317_3573F8").to_owned()
    }

    fn sending(&self, to: Mailbox) -> http::request::Builder {
        self.request(Method::POST, Mailbox::One, "/outbox")
            .header("mex-to", self.credentials[to as usize].mailbox.as_str())
            .header("mex-workflowid", "TEST_WORKFLOW")
            .header("content-type", "application/octet-stream")
    }

    /// Sends a chunk, given by its number and how many there are, to the second mailbox. Gives the message's ID,
    /// which the first chunk gets.
    pub async fn send_chunk(
        &self,
        connection: &mut Connection,
        id: &str,
        (number, total): (usize, usize),
        body: Bytes,
    ) -> String {
        let request = match number {
            1 => self.sending(Mailbox::Two),
            _ => self.request(Method::POST, Mailbox::One, &format!("/outbox/{id}/{number}")),
        };
        let request = request.header("mex-chunk-range", format!("{number}:{total}"));
        let answer = good(connection.call(whole(request, body)).await);
        if number > 1 {
            return id.to_owned();
        }
        let reply: serde_json::Value = serde_json::from_slice(&answer.beginning).expect("JSON");
        reply["message_id"].as_str().expect("an ID").to_owned()
    }

    /// Downloads a chunk from the second mailbox, and shows it as it comes.
    pub async fn download_chunk(
        &self,
        connection: &mut Connection,
        id: &str,
        number: usize,
        show: impl FnMut(&[u8]),
    ) {
        let request = self.request(Method::GET, Mailbox::Two, &format!("/inbox/{id}/{number}"));
        good(connection.call_reading(whole(request, Bytes::new()), show).await);
    }

    pub async fn list(&self, connection: &mut Connection, mailbox: Mailbox) {
        let request = self.request(Method::GET, mailbox, "/inbox?max_results=100");
        good(connection.call(whole(request, Bytes::new())).await);
    }

    /// Gives the length of what came.
    pub async fn download(&self, connection: &mut Connection, mailbox: Mailbox, id: &str) -> usize {
        let request = self.request(Method::GET, mailbox, &format!("/inbox/{id}"));
        good(connection.call(whole(request, Bytes::new())).await).length
    }

    pub async fn acknowledge(&self, connection: &mut Connection, mailbox: Mailbox, id: &str) {
        let request = self.request(Method::PUT, mailbox, &format!("/inbox/{id}/status/acknowledged"));
        good(connection.call(whole(request, Bytes::new())).await);
    }

    pub async fn cycle(&self, connection: &mut Connection, body: Bytes) {
        let id = self.send(connection, Mailbox::Two, body).await;
        self.list(connection, Mailbox::Two).await;
        self.download(connection, Mailbox::Two, &id).await;
        self.acknowledge(connection, Mailbox::Two, &id).await;
    }
}

fn whole(request: http::request::Builder, body: Bytes) -> Request<Full<Bytes>> {
    request.body(Full::new(body)).expect("a request")
}

/// Speed counts only for answers that are right.
fn good(answer: Answer) -> Answer {
    let right = matches!(answer.status, StatusCode::OK | StatusCode::ACCEPTED | StatusCode::PARTIAL_CONTENT);
    assert!(right, "{}: {}", answer.status, String::from_utf8_lossy(&answer.beginning));
    answer
}
