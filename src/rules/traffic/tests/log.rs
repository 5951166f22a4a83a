//! Traffic in the making: calls of one mailbox, a second apart, as a good product makes them. What a
//! test is about, it changes.

use std::{io::Write, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use crate::rules::traffic::{Act, Asked, Course};
use crate::{
    protocol::{Credentials, MailboxId, NonceCount, Operation, Password, SharedKey, Token},
    tape::{
        Actor, BodyRecord, BodyRecorder, CertificateFacts, Exchange, Redactor, RequestRecord, ResponseRecord,
        ScenarioNumber, TimingRecord, TlsFacts, Vantage,
    },
};

pub const V2: (&str, &str) = ("Accept", "application/vnd.mesh.v2+json");

pub struct Log {
    pub exchanges: Vec<Exchange>,
    pub now: DateTime<Utc>,
    pub mailbox: &'static str,
    pub from_start: bool,
    pub course: Option<Course>,
    /// Numbers from which on the recording goes on.
    pub resumed: Vec<usize>,
    count: u32,
}

pub fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn credentials(mailbox: &str) -> Credentials {
    Credentials {
        mailbox: MailboxId::parse(mailbox).unwrap(),
        password: Password::new("password-of-nobody"),
        shared_key: SharedKey::new("key-of-nobody"),
    }
}

fn body(bytes: &[u8], gzip: bool) -> BodyRecord {
    let mut recorder = BodyRecorder::new(gzip);
    recorder.update(bytes);
    recorder.finish(&Redactor::default())
}

impl Log {
    pub fn new() -> Self {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        Self {
            exchanges: vec![],
            now,
            mailbox: "X26ABC1",
            from_start: false,
            course: None,
            resumed: vec![],
            count: 0,
        }
    }

    /// The token of the next call, whole.
    pub fn token(&mut self) -> String {
        let nonce = uuid::uuid!("1c820cd4-be3e-43ff-807f-e65362892722");
        self.count += 1;
        Token::build(&credentials(self.mailbox), nonce, NonceCount::new(self.count), self.now).to_string()
    }

    pub fn wait(&mut self, seconds: i64) -> &mut Self {
        self.now += TimeDelta::seconds(seconds);
        self
    }

    /// What a run asks for: the calls, and what the product says then. Its program has ended.
    pub fn asked(&mut self, act: Act, succeeded: Option<bool>, calls: impl FnOnce(&mut Self)) -> &mut Self {
        let asked = Asked { from: self.now, ..Asked::now(self.mailbox, act) };
        let place = self.course.get_or_insert_default().ask(asked);
        calls(self);
        let now = self.now;
        self.course.get_or_insert_default().acted(place, now, succeeded, true);
        self.wait(1)
    }

    /// The same, where more may come of it: the product was told by an HTTP call, or by a person.
    pub fn asked_from_afar(&mut self, act: Act, calls: impl FnOnce(&mut Self)) -> &mut Self {
        self.asked(act, Some(true), calls);
        if let Some(asked) = self.course.as_mut().and_then(|course| course.asks.last_mut()) {
            asked.is_over = false;
        }
        self
    }

    /// The endpoint starts anew.
    pub fn anew(&mut self) -> &mut Self {
        let (mailbox, now) = (self.mailbox, self.now);
        self.course.get_or_insert_default().anew(mailbox, now);
        self.wait(1)
    }

    pub fn hours(&mut self, hours: i64) -> &mut Self {
        self.wait(hours * 3600)
    }

    pub fn call(&mut self, request: &str, headers: &[(&str, &str)], sent: &[u8]) -> &mut Self {
        let token = self.token();
        self.call_with(&token, request, headers, sent)
    }

    pub fn call_with(
        &mut self,
        authorization: &str,
        request: &str,
        headers: &[(&str, &str)],
        sent: &[u8],
    ) -> &mut Self {
        let (method, rest) = request.split_once(' ').unwrap();
        let target = format!("/messageexchange/{}{rest}", self.mailbox);
        let mut raw = format!("{method} {target} HTTP/1.1\r\n");
        if !authorization.is_empty() {
            raw += &format!("Authorization: {authorization}\r\n");
        }
        headers.iter().for_each(|(name, value)| raw += &format!("{name}: {value}\r\n"));
        let redactor = Redactor::new(&[], &[credentials(self.mailbox)]);
        let (head, token) = redactor.request_head(raw.as_bytes());
        let gzip = head.header("content-encoding") == Some("gzip");
        let certificate = CertificateFacts {
            subject: "CN=server001.x26.api.mesh-client.nhs.uk".to_owned(),
            issuer: "CN=authority".to_owned(),
            serial: "1".to_owned(),
            fingerprint: "ab".to_owned(),
            not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
            not_after: "2028-01-01T00:00:00Z".parse().unwrap(),
        };
        self.exchanges.push(Exchange {
            relay: None,
            scenario: ScenarioNumber(0),
            actor: Actor::Product,
            vantage: Vantage::Client,
            origin: "https://localhost".to_owned(),
            peer: None,
            operation: Operation::called(method, &target),
            request: RequestRecord { head, body: body(sent, gzip) },
            response: None,
            failure: None,
            started_at: self.now,
            timings: TimingRecord { wait: Duration::from_millis(100), ..TimingRecord::default() },
            tls: Some(Arc::new(TlsFacts {
                version: "TLSv1.3".to_owned(),
                cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
                client_certificate: Some(certificate),
                ..TlsFacts::default()
            })),
            token_fault: redactor.token_fault(raw.as_bytes()),
            token,
        });
        self.wait(1).reply(200, &[], b"")
    }

    /// Answers the last call.
    pub fn reply(&mut self, status: u16, headers: &[(&str, &str)], reply: &[u8]) -> &mut Self {
        let mut raw = format!("HTTP/1.1 {status} Status\r\n");
        headers.iter().for_each(|(name, value)| raw += &format!("{name}: {value}\r\n"));
        let gzip = headers.contains(&("Content-Encoding", "gzip"));
        self.last().response = Some(ResponseRecord {
            head: Redactor::default().response_head(raw.as_bytes()),
            body: body(reply, gzip),
        });
        self
    }

    pub fn last(&mut self) -> &mut Exchange {
        self.exchanges.last_mut().unwrap()
    }

    /// The last call was never answered.
    pub fn unanswered(&mut self) -> &mut Self {
        self.last().response = None;
        self
    }

    pub fn handshake(&mut self) -> &mut Self {
        let headers = [("Mex-ClientVersion", "1"), ("Mex-OSName", "Linux"), ("Mex-OSVersion", "6"), V2];
        self.call("POST ", &headers, b"")
    }

    pub fn list(&mut self, ids: &[&str]) -> &mut Self {
        let page = serde_json::json!({ "messages": ids, "links": { "self": "x" } }).to_string();
        self.call("GET /inbox", &[V2], b"").reply(200, &[], page.as_bytes())
    }

    /// A v2 page with a next one behind it.
    pub fn list_with_next(&mut self, ids: &[&str], next: &str) -> &mut Self {
        let page = serde_json::json!({ "messages": ids, "links": { "self": "x", "next": next } }).to_string();
        self.call("GET /inbox", &[V2], b"").reply(200, &[], page.as_bytes())
    }

    pub fn get(&mut self, id: &str) -> &mut Self {
        self.call(&format!("GET /inbox/{id}"), &[V2], b"").reply(
            200,
            &[("Mex-MessageType", "DATA")],
            b"hello",
        )
    }

    pub fn get_report(&mut self, id: &str) -> &mut Self {
        self.call(&format!("GET /inbox/{id}"), &[V2], b"").reply(200, &[("mex-messagetype", "REPORT")], b"")
    }

    /// A chunk of a download; the first is of the message itself.
    pub fn get_chunk(&mut self, id: &str, chunk: u32, of: u32) -> &mut Self {
        let path = if chunk == 1 { format!("GET /inbox/{id}") } else { format!("GET /inbox/{id}/{chunk}") };
        let status = if chunk < of { 206 } else { 200 };
        let range = format!("{chunk}:{of}");
        self.call(&path, &[V2], b"").reply(status, &[("Mex-Chunk-Range", &range)], b"part")
    }

    pub fn ack(&mut self, id: &str) -> &mut Self {
        self.call(&format!("PUT /inbox/{id}/status/acknowledged"), &[V2], b"")
    }

    /// A send with these headers besides those of every send; accepted as `ID`.
    pub fn send(&mut self, headers: &[(&str, &str)], sent: &[u8]) -> &mut Self {
        let mailbox = self.mailbox;
        let mut all = vec![V2, ("Mex-From", mailbox), ("Mex-To", "X26ABC2"), ("Mex-WorkflowID", "TEST")];
        all.extend(headers);
        let reply = format!(r#"{{"message_id":"{}"}}"#, super::ID);
        self.call("POST /outbox", &all, sent).reply(202, &[], reply.as_bytes())
    }

    /// A chunk of a message that is sent, gzip.
    pub fn send_chunk(&mut self, chunk: u32, range: &str, sent: &[u8]) -> &mut Self {
        let headers =
            [("Mex-Chunk-Range", range), ("Content-Encoding", "gzip"), ("Mex-Content-Compressed", "Y")];
        if chunk == 1 {
            return self.send(&headers, sent);
        }
        let all = [headers.as_slice(), &[V2]].concat();
        self.call(&format!("POST /outbox/{}/{chunk}", super::ID), &all, sent).reply(202, &[], b"{}")
    }

    pub fn tape(&self) -> Vec<Arc<Exchange>> {
        self.exchanges.iter().cloned().map(Arc::new).collect()
    }

    /// As a program of someone else would have recorded it.
    pub fn foreign(&mut self) -> &mut Self {
        for exchange in &mut self.exchanges {
            exchange.vantage = Vantage::Foreign;
            exchange.tls = None;
        }
        self
    }
}
