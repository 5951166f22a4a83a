//! The little product: this test program itself, called once for each action as the command driver calls
//! a product. It does as it should, but for the defect that its arguments name.

use std::{env, fs, path::Path, time::Duration};

use futures_util::StreamExt;
use http_body_util::StreamBody;
use reqwest::{Body, Client, Method, Response, StatusCode};
use serde_json::Value;

use crate::{
    acting::{ABOUT, client, gunzip, gzip, has, told},
    token::Tokens,
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
            "handshake" => mailbox.validate().await,
            "send" => mailbox.send().await,
            "receive" => mailbox.receive().await,
            other => panic!("no action {other}"),
        }
        .unwrap();
    });
}

struct Mailbox {
    client: Client,
    tokens: Tokens,
}

impl Mailbox {
    fn new() -> Self {
        let client = client(|client| client);
        Self { client, tokens: Tokens::new() }
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: impl Into<Body>,
        headers: &[(&str, &str)],
    ) -> Response {
        let url = format!("{}/messageexchange/{}{path}", told("MESH_URL"), told("MESH_MAILBOX_ID"));
        let mut request = self.client.request(method, url);
        if let Some(token) = self.tokens.next() {
            request = request.header("Authorization", token);
        }
        if !has("asks-for-version-1") {
            request = request.header("Accept", "application/vnd.mesh.v2+json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await.unwrap()
    }

    async fn demand(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
        expected: u16,
    ) -> Result<Vec<u8>, String> {
        let response = self.call(method, path, body, headers).await;
        match response.status().as_u16() {
            status if status == expected => Ok(response.bytes().await.unwrap().to_vec()),
            status => Err(format!("{path}: {status}")),
        }
    }

    async fn validate(&mut self) -> Result<(), String> {
        if has("looks-before-it-validates") || has("never-validates") {
            self.list("/inbox").await?;
        }
        let about: &[(&str, &str)] = if has("says-nothing-of-its-system") { &ABOUT[..1] } else { &ABOUT };
        let times = match () {
            () if has("never-validates") => 0,
            () if has("validates-three-times") => 3,
            () => 1,
        };
        for _ in 0..times {
            self.demand(Method::POST, "", Vec::new(), about, 200).await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), String> {
        if has("validates-each-time") {
            self.validate().await?;
        }
        if has("sends-two-at-once") {
            return self.send_while_looking().await;
        }
        let parts = parts();
        let headers = headers(parts.len());
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        if has("sends-twice") {
            self.demand(Method::POST, "/outbox", parts[0].clone(), &headers, 202).await?;
        }
        let answer = self.demand(Method::POST, "/outbox", parts[0].clone(), &headers, 202).await?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let id = |name: &str| answer[name].as_str().map(str::to_owned);
        let message = id("message_id").or_else(|| id("messageID")).unwrap_or_default();
        self.send_rest(&message, &parts).await?;
        for _ in 0..if has("polls-tracking") { 6 } else { 0 } {
            let path = format!("/outbox/tracking?messageID={message}");
            self.demand(Method::GET, &path, Vec::new(), &[], 200).await?;
        }
        Ok(())
    }

    async fn send_rest(&mut self, message: &str, parts: &[Vec<u8>]) -> Result<(), String> {
        let mut rest: Vec<(usize, &Vec<u8>)> = (2..).zip(&parts[1..]).collect();
        if has("last-chunk-first") {
            rest.reverse();
        }
        if has("last-chunk-never") {
            rest.pop();
        }
        for (number, part) in rest {
            let total = if has("totals-differ") { parts.len() + number } else { parts.len() };
            let range = format!("{number}:{total}");
            let mut headers = encoding(number);
            if has("encoding-on-the-first-chunk-only") {
                headers.truncate(1);
            }
            if !has("chunks-without-range") {
                headers.push(("Mex-Chunk-Range", &range));
            }
            let path = format!("/outbox/{message}/{number}");
            self.demand(Method::POST, &path, part.clone(), &headers, 202).await?;
        }
        Ok(())
    }

    /// The send is under way until the inbox was listed: two calls at once, whatever the machine does.
    async fn send_while_looking(&mut self) -> Result<(), String> {
        let (listed, wait) = tokio::sync::oneshot::channel::<()>();
        let content = parts().remove(0);
        let rest = async move {
            let _ = wait.await;
            Ok::<_, std::io::Error>(hyper::body::Frame::data(bytes::Bytes::new()))
        };
        let first = async move { Ok(hyper::body::Frame::data(bytes::Bytes::from(content))) };
        let body = StreamBody::new(futures_util::stream::once(first).chain(futures_util::stream::once(rest)));
        let mut other = Self { client: self.client.clone(), tokens: Tokens::new() };
        let headers = headers(1);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let send = self.call(Method::POST, "/outbox", Body::wrap(body), &headers);
        let look = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let page = other.list("/inbox").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            let _ = listed.send(());
            page
        };
        let (send, page) = tokio::join!(send, look);
        page?;
        if send.status() == StatusCode::ACCEPTED { Ok(()) } else { Err(send.status().to_string()) }
    }

    async fn receive(&mut self) -> Result<(), String> {
        if has("validates-each-time") || has("validates-instead-of-looking") {
            self.validate().await?;
        }
        if has("validates-instead-of-looking") {
            return Ok(());
        }
        if has("counts-first") {
            self.demand(Method::GET, "/count", Vec::new(), &[], 200).await?;
        }
        if has("calls-what-there-is-not") {
            self.call(Method::GET, "/status", Vec::new(), &[]).await;
        }
        for _ in 0..if has("never-takes-no") { 5 } else { 0 } {
            self.call(Method::GET, "/inbox", Vec::new(), &[]).await;
        }
        let mut seen = Vec::new();
        let mut path = first_page();
        loop {
            let (listed, next) = self.list(&path).await?;
            let fresh: Vec<String> = listed.into_iter().filter(|id| !seen.contains(id)).collect();
            if fresh.is_empty() {
                break;
            }
            if has("acknowledges-unseen") {
                self.acknowledge(&fresh[0]).await?;
                seen.push(fresh[0].clone());
                continue;
            }
            for message in &fresh {
                self.take(message).await?;
            }
            if has("acknowledges-after-the-next-look") {
                self.list("/inbox").await?;
                self.acknowledge(&fresh[0]).await?;
            }
            seen.extend(fresh);
            if has("stops-after-one-page") {
                return Ok(());
            }
            path = next.map_or_else(first_page, |next| wrongly_encoded(&next));
        }
        for _ in 0..if has("looks-all-the-time") { 4 } else { 0 } {
            self.list("/inbox").await?;
        }
        Ok(())
    }

    /// The messages of a page, and what links to the next where this product follows that.
    async fn list(&mut self, path: &str) -> Result<(Vec<String>, Option<String>), String> {
        let repeats = match () {
            () if has("asks-again-and-again") => 6,
            () => usize::from(has("passes-over-retry-after")),
        };
        for _ in 0..repeats {
            self.call(Method::GET, path, Vec::new(), &[]).await;
        }
        let page = match self.demand(Method::GET, path, Vec::new(), &[], 200).await {
            // What it cannot have in its own way it asks for anew.
            Err(_) if path.contains("continue_from") => {
                self.demand(Method::GET, &first_page(), Vec::new(), &[], 200).await?
            }
            page => page?,
        };
        let page: Value = serde_json::from_slice(&page).unwrap_or_default();
        let ids = page["messages"].as_array().cloned().unwrap_or_default();
        let ids = ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
        let next = page["links"]["next"].as_str().filter(|_| has("encodes-the-link-anew"));
        Ok((ids, next.map(str::to_owned)))
    }

    async fn take(&mut self, message: &str) -> Result<(), String> {
        let gzip: &[(&str, &str)] =
            if told("MESH_COMPRESS") == "yes" { &[("Accept-Encoding", "gzip")] } else { &[] };
        let path = format!("/inbox/{message}");
        let mut content = Vec::new();
        let mut response = self.call(Method::GET, &path, Vec::new(), gzip).await;
        let more = match () {
            () if has("downloads-twice") => 1,
            () if has("downloads-three-times") => 2,
            () if has("insists-on-what-is-gone") && !response.status().is_success() => 5,
            () => 0,
        };
        for _ in 0..more {
            response = self.call(Method::GET, &path, Vec::new(), gzip).await;
        }
        let kind = response.headers().get("Mex-MessageType").is_some_and(|kind| kind == "REPORT");
        for number in 2.. {
            let status = response.status();
            if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
                if has("acknowledges-what-it-did-not-get") {
                    let _ = self.acknowledge(message).await;
                }
                return Ok(());
            }
            let packed =
                response.headers().get("Content-Encoding").is_some_and(|encoding| encoding == "gzip");
            let part = response.bytes().await.unwrap();
            content.extend(if packed { gunzip(&part) } else { part.to_vec() });
            match status.as_u16() {
                206 if has("acknowledges-after-the-first-chunk") => break,
                200 => break,
                206 => {}
                other => return Err(format!("download: {other}")),
            }
            response = self.call(Method::GET, &format!("/inbox/{message}/{number}"), Vec::new(), gzip).await;
        }
        fs::write(Path::new(&told("MESH_OUTPUT_DIR")).join(message), content).unwrap();
        if has("never-acknowledges")
            || has("acknowledges-after-the-next-look")
            || (kind && has("leaves-reports"))
        {
            return Ok(());
        }
        self.acknowledge(message).await
    }

    async fn acknowledge(&mut self, message: &str) -> Result<(), String> {
        let path = format!("/inbox/{message}/status/acknowledged");
        self.demand(Method::PUT, &path, Vec::new(), &[], 200).await.map(drop)
    }
}

/// The payload, in chunks where it was asked for, compressed where it was.
fn parts() -> Vec<Vec<u8>> {
    let payload = fs::read(told("MESH_PAYLOAD_FILE")).unwrap();
    let size = told("MESH_CHUNK_SIZE").parse().unwrap_or(payload.len()).max(1);
    let size = if has("small-chunks") { 1_000_000 } else { size };
    if has("compresses-then-splits") {
        let whole = gzip(&payload);
        return whole.chunks(whole.len() / 2 + 1).map(<[u8]>::to_vec).collect();
    }
    let is_plain =
        |number: usize| has("says-gzip-and-sends-plain") || (number > 1 && has("says-gzip-of-a-plain-chunk"));
    let packs = |number: usize| is_compressed(number) && !is_plain(number);
    let parts = (1..).zip(payload.chunks(size));
    parts.map(|(number, part)| if packs(number) { gzip(part) } else { part.to_vec() }).collect()
}

/// Whether it compresses this chunk, by its own account.
fn is_compressed(chunk: usize) -> bool {
    match () {
        () if has("compresses-the-first-chunk-only") => chunk == 1,
        () if has("compresses-all-but-the-first-chunk") => chunk > 1,
        () => {
            let always =
                ["compresses-then-splits", "encoding-on-the-first-chunk-only", "says-gzip-of-a-plain-chunk"];
            told("MESH_COMPRESS") == "yes" || always.into_iter().any(has)
        }
    }
}

/// What a chunk says of itself.
fn encoding(chunk: usize) -> Vec<(&'static str, &'static str)> {
    let mut headers = vec![("Content-Type", "application/octet-stream")];
    if is_compressed(chunk) {
        headers.push(("Content-Encoding", if has("says-deflate") { "deflate" } else { "gzip" }));
        if !has("no-flag-for-gzip") {
            headers.push(("Mex-Content-Compressed", "Y"));
        }
    }
    headers
}

/// The headers of a send.
fn headers(parts: usize) -> Vec<(&'static str, String)> {
    let mut headers: Vec<(&str, String)> =
        encoding(1).into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let mut add = |name, value: String| headers.push((name, value));
    match () {
        () if has("from-nobody") => {}
        () if has("from-another-mailbox") => add("Mex-From", "X26OTHER9".to_owned()),
        () => add("Mex-From", told("MESH_MAILBOX_ID")),
    }
    match () {
        () if has("to-nobody") => {}
        () if has("to-half-a-patient") => add("Mex-To", "GPPROVIDER_9990000018_SMITH".to_owned()),
        () => add("Mex-To", told("MESH_RECIPIENT_ID")),
    }
    if has("to-two") {
        add("Mex-To", "X26OTHER9".to_owned());
    }
    if !has("no-workflow") {
        add("Mex-WorkflowID", told("MESH_WORKFLOW_ID"));
    }
    match () {
        () if has("patient-in-local-id") => add("Mex-LocalID", "NHS 999 000 0018".to_owned()),
        () => add("Mex-LocalID", told("MESH_LOCAL_ID")),
    }
    match () {
        () if has("patient-in-subject") => add("Mex-Subject", "Letter, date of birth 30/04/1957".to_owned()),
        () if has("subject-too-long") => add("Mex-Subject", "x".repeat(501)),
        () => {}
    }
    if parts > 1 {
        add("Mex-Chunk-Range", format!("1:{parts}"));
    }
    headers
}

/// The first look at the inbox; some of these products take small pages.
fn first_page() -> String {
    let small = has("stops-after-one-page") || has("encodes-the-link-anew");
    if small { "/inbox?max_results=10" } else { "/inbox" }.to_owned()
}

/// Below the mailbox, with the place in the list encoded a second time.
fn wrongly_encoded(next: &str) -> String {
    let query = next.split_once('?').map(|(_, query)| query).unwrap_or_default();
    format!("/inbox?{}", query.replace('%', "%25").replace("continue_from=", "continue_from=0"))
}
