//! A product for these tests: this very test program, called once for each action as the command driver
//! calls a product. It does as it should, but for quirks that its arguments name. An argument `NAME=VALUE` stands in
//! for the variable that it is told.

use std::{env, fs, io::Read, path::Path, time::Duration};

use chrono::Utc;
use mesh_witness::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token};
use reqwest::{
    Client, Method,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    acting::{ABOUT, argument, client, gunzip, gzip, has, told},
    careless,
};

/// Not a test by itself: the product's program.
#[test]
#[ignore = "is the product, which the tests call"]
fn acts() {
    let action = env::args().next_back().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut mailbox = Mailbox::new();
        match action.as_str() {
            "handshake" => mailbox.demand(Method::POST, "", Vec::new(), &ABOUT, 200).await.map(drop),
            "send" => mailbox.send().await,
            "receive" => mailbox.receive().await,
            other => panic!("no action {other}"),
        }
        .unwrap();
    });
    if let Some(process) = argument("KILLS") {
        // Gone already, or gone now.
        let _ = std::process::Command::new("kill").args(["-KILL", &process]).status();
    }
    assert!(!has("always-fails"), "as it was told");
}

struct Mailbox {
    client: Client,
    count: u32,
    nonce: Uuid,
    credentials: Credentials,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    content: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        // The HTTP library knows no case; what the emulator says of it stands for the case on the wire.
        let mixed = self.headers.get("x-mesh-witness-provoked").and_then(text_of)
            == Some("header names in mixed case");
        if has("knows-names-in-lower-case-only") && mixed {
            return None;
        }
        if has("knows-names-by-their-beginning") {
            let begins = |other: &&HeaderName| other.as_str().starts_with(name);
            return text_of(self.headers.get(self.headers.keys().filter(begins).last()?)?);
        }
        text_of(self.headers.get(name)?)
    }

    /// How many chunks there are, by the header where a product goes by that, or the status.
    fn has_more(&self, number: u32) -> bool {
        if has("knows-names-in-lower-case-only") || has("knows-names-by-their-beginning") {
            let total =
                self.header("mex-chunk-range").and_then(|range| range.split(':').nth(1)?.parse().ok());
            return number < total.unwrap_or(1);
        }
        self.status == 206
    }
}

fn text_of(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

/// A file beside the configuration in which a product with a memory keeps what it has seen.
const MEMORY: &str = "memory";

/// What programs do to what they take for a text.
fn edited(content: Vec<u8>) -> Vec<u8> {
    match () {
        () if has("converts-line-ends") => {
            let text: String = content.iter().map(|byte| char::from(*byte)).collect();
            text.replace("\r\n", "\n").chars().map(|byte| byte as u8).collect()
        }
        () if has("strips-white-space") => content.trim_ascii().to_vec(),
        () if has("strips-the-byte-order-mark") => {
            content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content).to_vec()
        }
        () => content,
    }
}

/// The payload in chunks of this size, compressed.
fn parts(payload: &[u8], size: usize, compress: bool) -> Vec<Vec<u8>> {
    if compress && has("compresses-then-splits") {
        return gzip(payload).chunks(size).map(<[u8]>::to_vec).collect();
    }
    let packed = |number: usize| match () {
        () if has("compresses-the-first-alone") => compress && number == 1,
        () if has("compresses-all-but-the-first") => compress && number > 1,
        () => compress,
    };
    let parts = (1..).zip(payload.chunks(size));
    parts.map(|(number, part)| if packed(number) { gzip(part) } else { part.to_vec() }).collect()
}

type Unpacking = fn(&[u8]) -> Vec<u8>;

/// How a product unpacks what it has joined before.
fn joins() -> Option<Unpacking> {
    fn all(content: &[u8]) -> Vec<u8> {
        if content.starts_with(b"\x1f\x8b") { gunzip(content) } else { content.to_vec() }
    }
    fn first(content: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        match flate2::read::GzDecoder::new(content).read_to_end(&mut plain) {
            Ok(_) => plain,
            Err(_) => content.to_vec(),
        }
    }
    match () {
        () if has("joins-then-unpacks") => Some(all),
        () if has("joins-then-unpacks-the-first") => Some(first),
        () => None,
    }
}

impl Mailbox {
    fn new() -> Self {
        let client = client(|client| {
            let client = client.timeout(Duration::from_secs(if has("gives-up") { 1 } else { 600 }));
            let client = match careless::tls() {
                Some(tls) => client.tls_backend_preconfigured(tls),
                None => client,
            };
            if has("follows-redirects") { client.redirect(Policy::limited(3)) } else { client }
        });
        let credentials = Credentials {
            mailbox: MailboxId::parse(&told("MESH_MAILBOX_ID")).unwrap(),
            password: Password::new(told("MESH_MAILBOX_PASSWORD")),
            shared_key: SharedKey::new(told("MESH_SHARED_KEY")),
        };
        Self { client, count: 0, nonce: Uuid::new_v4(), credentials }
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let repeats = match () {
            () if has("storms") => 30,
            () if has("insists-on-its-recipient") || has("insists-on-headers") => 2,
            () => usize::from(has("calls-again-at-once")),
        };
        for _ in 0..repeats {
            let answer = match self.call_once(method.clone(), path, body.clone(), headers).await {
                Err(_) if has("storms") => continue,
                answer => answer?,
            };
            let insists = match answer.status {
                417 => has("insists-on-its-recipient"),
                404 => has("insists-on-headers"),
                _ => false,
            };
            if !insists && !matches!(answer.status, 403 | 429 | 503) {
                return Ok(answer);
            }
        }
        self.call_once(method, path, body, headers).await
    }

    async fn call_once(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let token = Token::build(&self.credentials, self.nonce, NonceCount::new(self.count), Utc::now());
        self.count += 1;
        let mut url = format!("{}/messageexchange/{}{path}", told("MESH_URL"), self.credentials.mailbox);
        if has("varies-its-query") && path == "/inbox" {
            url += &format!("?_={}", self.count);
        }
        let request = |url: &str| {
            let mut request = self.client.request(method.clone(), url);
            request = request.header("Authorization", token.to_string());
            request = request.header("Accept", "application/vnd.mesh.v2+json");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            if has("is-impatient") && (path == "/outbox" || path.starts_with("/inbox/")) {
                request = request.timeout(Duration::from_secs(1));
            }
            request.body(body.clone())
        };
        if has("stays-away") && path == "/outbox" {
            return Err(format!("{path}: not today"));
        }
        let mut sent = request(&url).send().await;
        if sent.is_err() && has("falls-back-to-plain-http") {
            sent = request(&url.replacen("https:", "http:", 1)).send().await;
        }
        let mut response = sent.map_err(|error| format!("{path}: {error}"))?;
        if has("follows-with-its-token") && response.status().is_redirection() {
            let location = text_of(&response.headers()["location"]).unwrap().to_owned();
            response = request(&location).send().await.map_err(|error| format!("{path}: {error}"))?;
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut answer = Answer { status, headers, content: Vec::new() };
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => answer.content.extend_from_slice(&piece),
                Err(error) if !has("takes-half-for-whole") => return Err(format!("{path}: {error}")),
                _ => break,
            }
        }
        // The list is let through, so that what comes after it is seen.
        let lower = has("knows-names-in-lower-case-only") && path != "/inbox";
        if lower && answer.header("content-length").is_none() {
            answer.content.clear();
        }
        Ok(answer)
    }

    async fn demand(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
        expected: u16,
    ) -> Result<Vec<u8>, String> {
        let answer = match self.call(method, path, body, headers).await {
            Err(_) if has("takes-no-for-yes") => return Ok(Vec::new()),
            other => other?,
        };
        if answer.status == expected || has("takes-no-for-yes") {
            Ok(answer.content)
        } else {
            Err(format!("{path}: {}", answer.status))
        }
    }

    async fn send(&mut self) -> Result<(), String> {
        let sent = self.send_once().await;
        let chunk_failed = |why: &String| why.ends_with(": 503") && !why.starts_with("/outbox:");
        if has("begins-anew") && sent.as_ref().is_err_and(chunk_failed) {
            return self.send_once().await;
        }
        sent
    }

    async fn send_once(&mut self) -> Result<(), String> {
        let mut payload = edited(fs::read(told("MESH_PAYLOAD_FILE")).unwrap());
        let memory = format!("{MEMORY}-{}", told("MESH_LOCAL_ID"));
        if has("sends-half-the-second-time") && fs::exists(&memory).unwrap() {
            payload.truncate(payload.len() / 2);
        }
        let begun = fs::read_to_string(&memory).unwrap_or_default();
        if has("sends-half-the-second-time") {
            fs::write(&memory, "").unwrap();
        }
        let size = told("MESH_CHUNK_SIZE").parse().unwrap_or(payload.len());
        let compress = told("MESH_COMPRESS") == "yes";
        let parts = parts(&payload, size, compress);
        let mut common = vec![("Content-Type", "application/octet-stream")];
        if compress {
            common.extend([("Content-Encoding", "gzip"), ("Mex-Content-Compressed", "Y")]);
        }
        if has("says-nothing-of-gzip") {
            common.truncate(1);
        }
        let (me, to) = (told("MESH_MAILBOX_ID"), told("MESH_RECIPIENT_ID"));
        let (mut workflow, mut local_id) = (told("MESH_WORKFLOW_ID"), told("MESH_LOCAL_ID"));
        if has("labels-as-the-one-before") {
            let before = fs::read_to_string(MEMORY).unwrap_or_else(|_| local_id.clone());
            fs::write(MEMORY, std::mem::replace(&mut local_id, before)).unwrap();
        }
        if has("workflow-of-its-own") {
            "API-DOCS-TEST".clone_into(&mut workflow);
        }
        let range = format!("1:{}", parts.len());
        let mut first = common.clone();
        first.extend([("Mex-From", &*me), ("Mex-To", &to), ("Mex-WorkflowID", &workflow)]);
        if parts.len() > 1 {
            first.push(("Mex-Chunk-Range", &range));
        }
        let subject = told("MESH_SUBJECT");
        let with = |local_id| match has("mixes-up-labels") {
            true => [&first[..], &[("Mex-LocalID", &*subject), ("Mex-Subject", local_id)]].concat(),
            false => [&first[..], &[("Mex-LocalID", local_id)]].concat(),
        };
        if has("sends-twice") {
            self.demand(Method::POST, "/outbox", parts[0].clone(), &with(&local_id), 202).await?;
        }
        if has("sends-a-copy") {
            let copy = [&with(&local_id)[..], &[("Mex-To", &*me)]].concat();
            let copy: Vec<_> = copy.into_iter().filter(|header| *header != ("Mex-To", &*to)).collect();
            self.demand(Method::POST, "/outbox", parts[0].clone(), &copy, 202).await?;
        }
        let mut answer = match begun.split_once(' ') {
            Some((message, _)) => Ok(format!("{{\"message_id\": \"{message}\"}}").into_bytes()),
            None => self.demand(Method::POST, "/outbox", parts[0].clone(), &with(&local_id), 202).await,
        };
        if answer.is_err() && has("tracks-what-was-not-answered") {
            let path = format!("/outbox/tracking/{local_id}");
            let tracked = self.demand(Method::GET, &path, Vec::new(), &[], 200).await?;
            let tracked: Value = serde_json::from_slice(&tracked).unwrap();
            return if tracked["status"] == "Accepted" { Ok(()) } else { Err("not accepted".to_owned()) };
        }
        if answer.is_err() && has("sends-again") {
            answer = self.demand(Method::POST, "/outbox", parts[0].clone(), &with("again"), 202).await;
        }
        let answer: Value = serde_json::from_slice(&answer?).unwrap_or_default();
        let message = answer["message_id"].as_str().unwrap_or("none").to_owned();
        if message == "none" && !has("takes-no-for-yes") {
            return Err("no message ID".to_owned());
        }
        let mut refused = Ok(());
        let done = begun.split_once(' ').map_or(1, |(_, done)| done.parse().unwrap());
        for (number, part) in (2..).zip(&parts[1..]).skip_while(|(number, _)| *number <= done) {
            if has("goes-on-where-it-stopped") {
                fs::write(&memory, format!("{message} {}", number - 1)).unwrap();
            }
            let from = if has("counts-chunks-from-zero") { number - 1 } else { number };
            let range = format!("{from}:{}", parts.len());
            let mut headers = common.clone();
            if has("says-gzip-once") {
                headers.truncate(1);
            }
            headers.push(("Mex-Chunk-Range", &range));
            let path = format!("/outbox/{message}/{number}");
            let sent = self.demand(Method::POST, &path, part.clone(), &headers, 202).await;
            refused = refused.and(sent.map(drop));
            if !has("goes-on-sending") {
                refused.clone()?;
            }
        }
        refused
    }

    async fn receive(&mut self) -> Result<(), String> {
        let mut seen: Vec<String> = Vec::new();
        if has("takes-each-once") {
            seen.extend(fs::read_to_string(MEMORY).unwrap_or_default().lines().map(str::to_owned));
        }
        loop {
            let inbox = match () {
                () if has("looks-for-another-workflow") => "/inbox?workflow_filter=OTHER",
                () if has("takes-small-pages") => "/inbox?max_results=300",
                () if has("takes-large-pages") => "/inbox?max_results=5000",
                () => "/inbox",
            };
            let listed = self.demand(Method::GET, inbox, Vec::new(), &[], 200).await?;
            let listed: Value = match serde_json::from_slice(&listed) {
                Err(error) if !has("takes-no-for-yes") && !has("takes-half-for-whole") => {
                    return Err(error.to_string());
                }
                listed => listed.unwrap_or_default(),
            };
            let listed = listed["messages"].as_array().cloned().unwrap_or_default();
            let fresh: Vec<String> = listed.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
            let fresh: Vec<String> = fresh.into_iter().filter(|id| !seen.contains(id)).collect();
            if fresh.is_empty() || has("takes-nothing") {
                return Ok(());
            }
            let most = if has("looks-after-each-message") { 1 } else { fresh.len() };
            for message in fresh.into_iter().take(most) {
                seen.push(message.clone());
                if has("takes-each-once") {
                    fs::write(MEMORY, seen.join("\n")).unwrap();
                }
                self.take(&message).await?;
                if has("loses-every-second") && seen.len().is_multiple_of(2) {
                    fs::remove_file(Path::new(&told("MESH_OUTPUT_DIR")).join(&message)).unwrap();
                }
            }
            if has("takes-the-first-page-only") {
                return Ok(());
            }
        }
    }

    async fn take(&mut self, message: &str) -> Result<(), String> {
        let offers =
            (told("MESH_COMPRESS") == "yes" || has("always-offers-gzip")) && !has("never-offers-gzip");
        let gzip: &[(&str, &str)] = if offers { &[("Accept-Encoding", "gzip")] } else { &[] };
        let mut parts: Vec<Vec<u8>> = Vec::new();
        if has("acknowledges-unread") {
            self.acknowledge(message).await?;
        }
        if has("reads-reports-by-their-headers") {
            let head = self.call(Method::HEAD, &format!("/inbox/{message}"), Vec::new(), gzip).await?;
            if head.header("mex-messagetype") == Some("REPORT") {
                return self.acknowledge(message).await;
            }
        }
        if has("looks-at-headers-first") {
            let head = self.call(Method::HEAD, &format!("/inbox/{message}"), Vec::new(), gzip).await?;
            match head.status {
                200 | 206 => {}
                404 | 410 => return Ok(()),
                other => return Err(format!("head: {other}")),
            }
        }
        let mut answer = self.call(Method::GET, &format!("/inbox/{message}"), Vec::new(), gzip).await?;
        let mut lost = has("loses-chunked") && answer.status == 206;
        if has("downloads-twice") {
            answer = self.call(Method::GET, &format!("/inbox/{message}"), Vec::new(), gzip).await?;
        }
        for number in 1.. {
            match answer.status {
                200 | 206 => {}
                _ if has("acknowledges-what-it-was-refused") => break,
                _ if number > 1 && has("takes-any-answer-for-the-last-chunk") => break,
                404 | 410 if has("keeps-refusals") => {
                    let file = Path::new(&told("MESH_OUTPUT_DIR")).join(message);
                    return fs::write(file, &answer.content).map_err(|error| error.to_string());
                }
                404 | 410 if !has("gives-up-at-a-missing-message") => return Ok(()),
                other => return Err(format!("download: {other}")),
            }
            let packed = answer.header("content-encoding") == Some("gzip");
            lost |= packed && has("loses-compressed");
            let more = answer.has_more(number);
            if has("passes-over-reports") && answer.header("mex-messagetype") == Some("REPORT") {
                return Ok(());
            }
            let unpacks = packed && !has("keeps-gzip") && joins().is_none();
            parts.push(if unpacks { gunzip(&answer.content) } else { answer.content });
            if !more {
                break;
            }
            let path = format!("/inbox/{message}/{}", number + 1);
            answer = self.call(Method::GET, &path, Vec::new(), gzip).await?;
        }
        let mut content = edited(parts.concat());
        if has("thinks-chunks-are-alike") {
            let size = parts.first().map_or(0, Vec::len);
            parts.iter_mut().for_each(|part| part.truncate(size));
            content = parts.concat();
        }
        if let Some(unpack) = joins() {
            content = unpack(&content);
        }
        if has("keeps-text") {
            content = String::from_utf8_lossy(&content).into_owned().into_bytes();
        }
        let file = Path::new(&told("MESH_OUTPUT_DIR")).join(message);
        if !has("keeps-nothing") && !lost {
            fs::write(&file, content).unwrap();
        }
        let acknowledged = self.acknowledge(message).await;
        if acknowledged.is_err() && has("forgets-what-it-could-not-acknowledge") {
            fs::remove_file(&file).unwrap();
        }
        acknowledged
    }

    async fn acknowledge(&mut self, message: &str) -> Result<(), String> {
        let path = format!("/inbox/{message}/status/acknowledged");
        self.demand(Method::PUT, &path, Vec::new(), &[], 200).await.map(drop)
    }
}
