//! `run/exchanges.har`: HAR 1.2, for every tool that reads traffic.
//!
//! HAR has no place for much of what the tape knows; that stands in fields that begin with `_`.
//! Connections on which no exchange should come about stand beside the entries.
//! Whoever reads it gets every exchange, in order of time, with headers as they were on the wire.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{exchanges, har_attempts::AttemptOf, har_own::Own, text};
use crate::{
    runner::RunRecord,
    tape::{BodyRecord, Exchange, Header, TimingRecord},
};

/// What HAR says for a number that is not known, or a phase that did not take place.
const UNKNOWN: i64 = -1;

#[derive(Serialize)]
struct Har<'a> {
    log: Log<'a>,
}

#[derive(Serialize)]
struct Log<'a> {
    version: &'static str,
    creator: Creator<'a>,
    entries: Vec<Entry<'a>>,
    comment: String,
    #[serde(rename = "_attempts", skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<AttemptOf<'a>>,
}

#[derive(Serialize)]
struct Creator<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    started_date_time: String,
    time: f64,
    request: Request<'a>,
    response: Response<'a>,
    cache: Empty,
    timings: Timings,
    #[serde(rename = "serverIPAddress", skip_serializing_if = "Option::is_none")]
    server_ip_address: Option<String>,
    #[serde(flatten)]
    own: Own<'a>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: &'a str,
    url: String,
    http_version: &'a str,
    cookies: [Pair<'a>; 0],
    headers: Vec<Pair<'a>>,
    query_string: Vec<OwnedPair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData<'a>>,
    headers_size: usize,
    body_size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    status_text: &'a str,
    http_version: &'a str,
    cookies: [Pair<'a>; 0],
    headers: Vec<Pair<'a>>,
    content: Content<'a>,
    #[serde(rename = "redirectURL")]
    redirect_url: &'a str,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
struct Pair<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct OwnedPair {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostData<'a> {
    mime_type: &'a str,
    text: String,
    /// HAR knows an encoding for content only.
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    size: u64,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'static str>,
}

/// Milliseconds.
#[derive(Serialize)]
struct Timings {
    blocked: f64,
    dns: f64,
    connect: f64,
    ssl: f64,
    send: f64,
    wait: f64,
    receive: f64,
}

/// The file's content.
pub(super) fn render(record: &RunRecord) -> Result<Vec<u8>, serde_json::Error> {
    let mut order: Vec<(usize, &Arc<Exchange>)> = record.exchanges.iter().enumerate().collect();
    order.sort_by_key(|(place, exchange)| (exchange.started_at, *place));
    let har = Har {
        log: Log {
            version: "1.2",
            creator: Creator { name: "mesh-witness", version: &record.tool_version },
            entries: order.into_iter().map(|(place, exchange)| entry(record, place, exchange)).collect(),
            comment: super::standing(record),
            attempts: record.attempts.iter().map(|attempt| AttemptOf::of(record, attempt)).collect(),
        },
    };
    super::json(&har)
}

fn entry<'a>(record: &'a RunRecord, place: usize, exchange: &'a Exchange) -> Entry<'a> {
    let (timings, time) = timings(&exchange.timings);
    Entry {
        started_date_time: text::microsecond(exchange.started_at),
        time,
        request: request(exchange),
        response: response(exchange),
        cache: Empty {},
        timings,
        server_ip_address: exchange.peer.map(|peer| peer.ip().to_string()),
        own: Own::of(record, place, exchange),
    }
}

fn request(exchange: &Exchange) -> Request<'_> {
    let head = &exchange.request.head;
    let body = &exchange.request.body;
    let query = head.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let query = form_urlencoded::parse(query.as_bytes());
    let post_data = (body.size > 0).then(|| {
        let (text, encoding, comment) = kept(body);
        let text = text.unwrap_or_default();
        PostData { mime_type: mime_type(head.header("content-type")), text, encoding, comment }
    });
    Request {
        method: &head.method,
        url: exchanges::url(exchange),
        http_version: &head.version,
        cookies: [],
        headers: pairs(&head.headers),
        query_string: query
            .map(|(name, value)| OwnedPair { name: name.into(), value: value.into() })
            .collect(),
        post_data,
        headers_size: head.size,
        body_size: body.size,
    }
}

fn response(exchange: &Exchange) -> Response<'_> {
    let Some(response) = &exchange.response else { return no_response() };
    let head = &response.head;
    let body = &response.body;
    let (text, encoding, comment) = kept(body);
    Response {
        status: head.status,
        status_text: &head.reason,
        http_version: &head.version,
        cookies: [],
        headers: pairs(&head.headers),
        content: Content {
            size: body.content_size().unwrap_or(body.size),
            mime_type: mime_type(head.header("content-type")),
            text,
            encoding,
            comment,
        },
        redirect_url: head.header("location").unwrap_or_default(),
        headers_size: i64::try_from(head.size).unwrap_or(UNKNOWN),
        body_size: i64::try_from(body.size).unwrap_or(UNKNOWN),
    }
}

/// As browsers write it: status 0.
fn no_response() -> Response<'static> {
    Response {
        status: 0,
        status_text: "",
        http_version: "",
        cookies: [],
        headers: vec![],
        content: Content { size: 0, mime_type: mime_type(None), text: None, encoding: None, comment: None },
        redirect_url: "",
        headers_size: UNKNOWN,
        body_size: UNKNOWN,
    }
}

fn pairs(headers: &[Header]) -> Vec<Pair<'_>> {
    headers.iter().map(|Header { name, value }| Pair { name, value }).collect()
}

fn mime_type(header: Option<&str>) -> &str {
    header.unwrap_or("x-unknown")
}

/// The content that was kept, its encoding, and what to say when there is none.
fn kept(body: &BodyRecord) -> (Option<String>, Option<&'static str>, Option<&'static str>) {
    let decoded = body.decoded.is_some().then_some("as it was before it was compressed with gzip");
    match body.kept.as_ref().map(|kept| (kept, std::str::from_utf8(kept))) {
        Some((_, Ok(text))) => (Some(text.to_owned()), None, decoded),
        Some((bytes, Err(_))) => (Some(STANDARD.encode(bytes)), Some("base64"), decoded),
        None => (None, None, Some("not kept; its size and digest are in the fields that begin with _")),
    }
}

/// The phases, and their sum, in milliseconds. `connect` includes `ssl`, as HAR wants it.
fn timings(of: &TimingRecord) -> (Timings, f64) {
    // Cut to microseconds before they are added, so that the sum is that of the numbers shown.
    let milliseconds = |microseconds: u128| microseconds as f64 / 1000.0;
    let shown = |microseconds: Option<u128>| microseconds.map_or(UNKNOWN as f64, milliseconds);
    let ssl = of.tls.map(|tls| tls.as_micros());
    let connect = of.connect.map(|connect| connect.as_micros() + ssl.unwrap_or_default()).or(ssl);
    let (send, wait, receive) = (of.send.as_micros(), of.wait.as_micros(), of.receive.as_micros());
    let timings = Timings {
        blocked: shown(None),
        dns: shown(None),
        connect: shown(connect),
        ssl: shown(ssl),
        send: milliseconds(send),
        wait: milliseconds(wait),
        receive: milliseconds(receive),
    };
    (timings, milliseconds(connect.unwrap_or_default() + send + wait + receive))
}

/// Exchanges with their numbers, as whoever judges a bundle gets them.
#[cfg(test)]
pub(crate) fn written_and_read(exchanges: &[Arc<Exchange>]) -> Vec<(usize, Arc<Exchange>)> {
    use crate::tape::{HarLimits, Redactor, read_har_bytes};
    let record = RunRecord { exchanges: exchanges.to_vec(), ..super::fixtures::passed() };
    let har = render(&record).map(|har| read_har_bytes(&har, &Redactor::default(), &HarLimits::default()));
    let har = har.expect("it is written").expect("it is read");
    assert!(har.is_ours && har.left_out.is_empty() && har.mended == 0, "{:?}", har.left_out);
    har.entries.into_iter().map(|entry| (entry.number, Arc::new(entry.exchange))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fixtures;
    use super::*;

    fn har(record: &RunRecord) -> Value {
        serde_json::from_slice(&render(record).unwrap()).unwrap()
    }

    #[test]
    fn golden() {
        insta::assert_snapshot!(String::from_utf8(render(&fixtures::mixed()).unwrap()).unwrap());
    }

    #[test]
    fn entries_are_in_order_of_time() {
        let mut record = fixtures::passed();
        record.exchanges.reverse();
        let log = &har(&record)["log"];
        let times: Vec<&str> = log["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["startedDateTime"].as_str().unwrap())
            .collect();
        assert!(times.is_sorted() && times.len() == record.exchanges.len(), "{times:?}");
    }

    #[test]
    fn binary_is_kept_as_base64_and_what_was_not_kept_says_so() {
        let mut record = fixtures::passed();
        let exchange = fixtures::exchange_of(&mut record, 1);
        exchange.request.body.kept = Some(vec![0xff, 0, 1].into());
        exchange.response.as_mut().unwrap().body.kept = None;
        let entry = &har(&record)["log"]["entries"][1];
        assert_eq!(entry["request"]["postData"]["text"], "/wAB");
        assert_eq!(entry["request"]["postData"]["_encoding"], "base64");
        assert_eq!(entry["response"]["content"].get("text"), None);
        assert!(entry["response"]["content"]["comment"].as_str().unwrap().starts_with("not kept"));
    }

    /// So a bundle can be judged as well as a tape.
    #[test]
    fn what_is_written_is_read_back() {
        let mut record = fixtures::mixed();
        through_a_proxy(fixtures::exchange_of(&mut record, 0));
        // No status line, no body that was kept, and gzip that holds nothing.
        let odd = fixtures::exchange_of(&mut record, 1);
        let response = odd.response.as_mut().unwrap();
        (response.head.status, response.head.reason) = (0, String::new());
        response.body.kept = None;
        odd.request.body.kept = None;
        fixtures::exchange_of(&mut record, 2).request.body = gzip_of_nothing();
        for (number, read) in written_and_read(&record.exchanges) {
            assert_eq!(shown(&read), shown(&record.exchanges[number - 1]), "{number}");
        }
    }

    fn gzip_of_nothing() -> BodyRecord {
        let mut recorder = crate::tape::BodyRecorder::new(true);
        recorder.update(&fixtures::gzipped(b""));
        recorder.finish(&crate::tape::Redactor::default())
    }

    fn through_a_proxy(exchange: &mut Exchange) {
        use crate::tape::{Party, RelayFacts, RelayTimes, TlsFacts, Vantage};
        let tls =
            TlsFacts { alpn: Some("http/1.1".to_owned()), ..(**exchange.tls.as_ref().unwrap()).clone() };
        exchange.vantage = Vantage::Proxy;
        exchange.relay = Some(Arc::new(RelayFacts {
            connection: 3,
            position: 2,
            product: "127.0.0.1:50000".parse().unwrap(),
            product_tls: Some(Arc::new(tls)),
            host_replaced_by: Some("msg.example".to_owned()),
            interim: vec![100],
            times: RelayTimes { request_came_us: Some(5), response_out_us: Some(7), ..RelayTimes::default() },
            broken_off_by: Some(Party::Product),
            notes: vec!["a note".to_owned()],
        }));
    }

    /// All of an exchange but for what HAR has no place for: the scenario's place in the run, the port that was
    /// connected to, the size of heads, and chains of certificates, which no tape's line has either.
    fn shown(of: &Exchange) -> String {
        let mut of = of.clone();
        of.scenario = crate::tape::ScenarioNumber(0);
        of.peer.iter_mut().for_each(|peer| peer.set_port(443));
        of.request.head.size = 0;
        of.response.iter_mut().for_each(|response| response.head.size = 0);
        let operation = format!("{:?}", of.operation);
        // Certificates have whole seconds, unlike those of these fixtures.
        let seconds = |of: &mut Option<Arc<crate::tape::TlsFacts>>| {
            let mut tls = of.as_deref().cloned()?;
            for certificate in
                [&mut tls.client_certificate, &mut tls.server_certificate].into_iter().flatten()
            {
                for time in [&mut certificate.not_before, &mut certificate.not_after] {
                    *time = chrono::DateTime::from_timestamp(time.timestamp(), 0)?;
                }
            }
            Some(Arc::new(tls))
        };
        of.tls = seconds(&mut of.tls);
        if let Some(relay) = of.relay.as_deref().cloned() {
            let mut relay = relay;
            relay.product_tls = seconds(&mut relay.product_tls);
            of.relay = Some(Arc::new(relay));
        }
        operation + &serde_json::to_string_pretty(&of).unwrap()
    }

    #[test]
    fn a_query_is_taken_apart() {
        let mut record = fixtures::passed();
        fixtures::exchange_of(&mut record, 0).request.head.target = "/a?b=c%20d&e".to_owned();
        let request = &har(&record)["log"]["entries"][0]["request"];
        assert_eq!(request["queryString"][0], serde_json::json!({"name": "b", "value": "c d"}));
        assert_eq!(request["queryString"][1], serde_json::json!({"name": "e", "value": ""}));
    }
}
