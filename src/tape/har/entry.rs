//! From an entry of a HAR to an exchange.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::Method;

use super::form::{Entry, Pair, Request, Response, Text, Timings};
use crate::{
    protocol::{ContentEncoding, Operation, SCHEME},
    tape::{
        Actor, BodyRecord, BodyRecorder, Exchange, FailureKind, HashCheck, Redactor, RequestRecord,
        ResponseRecord, ScenarioNumber, TimingRecord, TokenFault, TokenRecord, TransportFailure, Vantage,
        disk::is_plausible,
    },
};

/// Longest phase of an exchange that is believed, in milliseconds: a week.
const LONGEST: f64 = 7.0 * 24.0 * 3600.0 * 1000.0;

/// Makes the exchange, or says why it cannot be made.
pub(super) fn exchange(entry: Entry, is_ours: bool, redactor: &Redactor) -> Result<Exchange, &'static str> {
    let Entry { started_date_time, time, request, response, timings, server_ip_address, own } = entry;
    let begun = read_time(started_date_time.as_deref().unwrap_or_default())?;
    let (queued, timings) = phases(&timings, time, begun.timestamp_subsec_nanos() == 0);
    let request = request.ok_or("it has no request")?;
    let (origin, target) = split_url(&request.url).ok_or("its URL cannot be read")?;
    let raw = raw_request(&request, &target);
    let path = target.split('?').next().unwrap_or_default();
    let operation =
        Method::from_bytes(request.method.as_bytes()).ok().and_then(|method| Operation::of(&method, path));
    let (mut head, mut token) = redactor.request_head(&raw);
    let mut token_fault = redactor.token_fault(&raw);
    if token_fault.is_some()
        && let Some(withheld) = header(&request.headers, "authorization").and_then(withheld)
    {
        (token, token_fault) = (withheld, Some(TokenFault::Withheld));
    }
    head.size = raw.len();
    let sent = is_gzip(&request.headers);
    let request_body = request.post_data.as_ref();
    let received = response.filter(|response| response.status.is_some_and(|status| status >= 100.0));
    let failure = received.is_none().then(|| TransportFailure {
        kind: FailureKind::Closed,
        detail: "the recording has no response".to_owned(),
    });
    let mut exchange = Exchange {
        scenario: ScenarioNumber(0),
        actor: Actor::Product,
        vantage: Vantage::Foreign,
        origin: redactor.text(&origin),
        peer: server_ip_address.and_then(|ip| Some(SocketAddr::new(ip.parse().ok()?, 443))),
        operation,
        request: RequestRecord { head, body: body(request_body, request.body_size, sent, redactor) },
        response: received.as_ref().map(|response| reply(response, redactor)),
        failure,
        started_at: begun + queued,
        timings,
        tls: None,
        token,
        token_fault,
        relay: None,
    };
    if is_ours {
        // Whoever wrote it took the secrets out that he knew of.
        let clean = |text| kept(text).map(|bytes| Bytes::from(redactor.bytes(&bytes)));
        exchange.actor = own.actor.unwrap_or(Actor::Product);
        exchange.vantage = own.vantage.unwrap_or(Vantage::Foreign);
        exchange.token = own.token.map(TokenRecord::from);
        exchange.token_fault = own.token_fault;
        exchange.tls = own.tls.map(Into::into);
        exchange.failure =
            own.failure.map(|failure| TransportFailure { detail: redactor.text(&failure.detail), ..failure });
        if let Some(body) = own.request_body {
            exchange.request.body = body.record(clean(request_body));
        }
        if let (Some(body), Some(response)) = (own.response_body, exchange.response.as_mut()) {
            let content = received.as_ref().and_then(|response| response.content.as_ref());
            response.body = body.record(clean(content));
        }
    }
    Ok(exchange)
}

/// Programs write times with and without a colon in the offset, and with up to nine decimals.
fn read_time(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let read = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let time = read.map_err(|_| match NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        Ok(_) => "its time has no time zone, so nobody can tell when it was: HAR 1.2 has one",
        Err(_) => "it has no time",
    })?;
    Some(time.with_timezone(&Utc)).filter(|time| is_plausible(*time)).ok_or("it has no time")
}

/// Scheme with host and port, and the target: path with query.
fn split_url(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, target) = rest.split_at_checked(end)?;
    let host = host.rsplit('@').next().unwrap_or_default();
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    Some((format!("{scheme}://{host}"), target))
}

/// The head as it may have been on the wire, to be read like any other. Pseudo headers of HTTP/2 repeat
/// the request line, and go.
fn raw_request(request: &Request, target: &str) -> Vec<u8> {
    let word = |text: &str| text.replace([' ', '\r', '\n'], "%20");
    let version = if request.http_version.is_empty() { "HTTP" } else { &request.http_version };
    let line = format!("{} {} {}\r\n", word(&request.method), word(target), word(version));
    (line + &raw_headers(&request.headers)).into_bytes()
}

fn raw_response(response: &Response, status: u16) -> Vec<u8> {
    let reason = response.status_text.replace(['\r', '\n'], " ");
    let version = response.http_version.replace([' ', '\r', '\n'], "");
    let version = if version.is_empty() { "HTTP" } else { &version };
    (format!("{version} {status} {reason}\r\n") + &raw_headers(&response.headers)).into_bytes()
}

fn raw_headers(headers: &Option<Vec<Option<Pair>>>) -> String {
    let pairs = pairs(headers).filter(|pair| !pair.name.starts_with(':'));
    let mut raw = pairs.fold(String::new(), |raw, Pair { name, value }| {
        raw + &name.replace([':', '\r', '\n'], " ") + ": " + &value.replace(['\r', '\n'], " ") + "\r\n"
    });
    raw.push_str("\r\n");
    raw
}

fn pairs(headers: &Option<Vec<Option<Pair>>>) -> impl Iterator<Item = &Pair> {
    headers.iter().flatten().flatten()
}

fn header<'a>(headers: &'a Option<Vec<Option<Pair>>>, name: &str) -> Option<&'a str> {
    pairs(headers).find(|pair| pair.name.eq_ignore_ascii_case(name)).map(|pair| pair.value.as_str())
}

fn is_gzip(headers: &Option<Vec<Option<Pair>>>) -> bool {
    ContentEncoding::is_gzip(header(headers, "content-encoding"))
}

/// Whether a text stands in the place of one that was not to be seen.
pub(crate) fn is_blacked_out(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let hidden = lower.contains(['*', '[', '<', '…', '•'])
        || ["redact", "removed", "hidden", "masked", "secret"].iter().any(|word| lower.contains(word));
    hidden || (!text.is_empty() && lower.bytes().all(|byte| matches!(byte, b'x' | b'.' | b'-')))
}

/// When a token, or the hash in it, was blacked out rather than malformed: what is left of it.
fn withheld(value: &str) -> Option<Option<TokenRecord>> {
    let value = value.trim();
    let fields: Vec<&str> = value.strip_prefix(SCHEME).unwrap_or(value).trim().split(':').collect();
    match fields.as_slice() {
        [mailbox, nonce, count, timestamp, hash] if is_blacked_out(hash) || hash.is_empty() => {
            Some(Some(TokenRecord {
                mailbox: (*mailbox).to_owned(),
                nonce: (*nonce).to_owned(),
                nonce_count: (*count).to_owned(),
                timestamp: (*timestamp).to_owned(),
                hash: HashCheck::Unknown,
            }))
        }
        [whole] if whole.is_empty() || is_blacked_out(whole) => Some(None),
        _ => None,
    }
}

fn reply(response: &Response, redactor: &Redactor) -> ResponseRecord {
    let status = response.status.filter(|status| *status < 1000.0).unwrap_or_default() as u16;
    let raw = raw_response(response, status);
    let gzip = is_gzip(&response.headers);
    let content = response.content.as_ref();
    let size = content.and_then(|content| content.size).or(response.body_size);
    ResponseRecord { head: redactor.response_head(&raw), body: body(content, size, gzip, redactor) }
}

fn is_base64(of: &Text) -> bool {
    let encoding = of.encoding.as_ref().or(of.own_encoding.as_ref());
    encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"))
}

/// Whether a text has the sign for bytes that are no text: whatever they were, the text is not the body.
fn is_lossy(of: &Text) -> bool {
    !is_base64(of) && of.text.as_ref().is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER))
}

/// The bytes that a text stands for; `None` when there is no text.
fn kept(text: Option<&Text>) -> Option<Bytes> {
    let Some(of) = text else { return Some(Bytes::new()) };
    let text = of.text.as_ref().filter(|text| !text.is_empty() || of.size == Some(0.0))?;
    if is_base64(of) {
        STANDARD.decode(text).ok().map(Bytes::from)
    } else {
        Some(Bytes::copy_from_slice(text.as_bytes()))
    }
}

/// The body as far as it is there. `size` is what the HAR says of it. A text that has another size is
/// not the body: programs write binary as text, and cut long bodies short.
fn body(text: Option<&Text>, size: Option<f64>, gzip: bool, redactor: &Redactor) -> BodyRecord {
    let known = size.map(|size| size as u64);
    let bytes = text.and_then(|of| of.text.is_some().then(|| kept(Some(of))).flatten());
    let Some(bytes) = bytes else {
        // A body that is known to be empty is whole; of any other there is only the size.
        return match known.unwrap_or_default() {
            0 => BodyRecord { kept: (known == Some(0)).then(Bytes::new), ..BodyRecord::empty() },
            size => BodyRecord::unknown(size),
        };
    };
    let is_still_gzip = gzip && bytes.starts_with(b"\x1f\x8b");
    let size = bytes.len() as u64;
    // JSON that is whole was not cut short, whatever size was noted: some note that before decoding.
    let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
    let known = known.filter(|known| *known > 0);
    let is_cut = known.is_some_and(|known| known != size) && (!gzip || is_still_gzip);
    if (is_cut || text.is_some_and(is_lossy)) && !is_json() {
        return BodyRecord::unknown(known.unwrap_or(size));
    }
    let mut recorder = BodyRecorder::new(is_still_gzip);
    recorder.update(&bytes);
    recorder.finish(redactor)
}

/// How long the call waited for a connection, which HAR 1.2 counts from the time of the entry, and the phases
/// after that. A time in whole seconds stays one, so that rules see that it says no more: the rest of the wait then
/// counts as connecting.
fn phases(of: &Timings, total: Option<f64>, is_coarse: bool) -> (TimeDelta, TimingRecord) {
    let bounded = |milliseconds: Option<f64>| milliseconds.unwrap_or_default().clamp(0.0, LONGEST);
    let phase = |milliseconds: f64| Duration::from_secs_f64(milliseconds.clamp(0.0, 2.0 * LONGEST) / 1000.0);
    let [blocked, dns, connect, ssl] = [of.blocked, of.dns, of.connect, of.ssl].map(bounded);
    let [send, wait, receive] = [of.send, of.wait, of.receive].map(bounded);
    // Some programs fill in the total only.
    let is_told = send + wait + receive > 0.0;
    let wait = if is_told { wait } else { bounded(total) - blocked - dns - connect.max(ssl) };
    let queued = if is_coarse { blocked - blocked % 1000.0 } else { blocked };
    let setup = (blocked - queued) + dns + (connect - ssl).max(0.0);
    let timings = TimingRecord {
        connect: (of.connect.is_some() || setup > 0.0).then(|| phase(setup)),
        tls: of.ssl.map(|_| phase(ssl)),
        send: phase(send),
        wait: phase(wait),
        receive: phase(receive),
    };
    (TimeDelta::from_std(phase(queued)).unwrap_or_default(), timings)
}
