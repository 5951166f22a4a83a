//! From an entry of a HAR to an exchange.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{
    content::{body, kept},
    form::{Entry, Pair, Request, Response, Timings},
    source::Source,
};
use crate::{
    protocol::{ContentEncoding, Operation, SCHEME},
    tape::{
        Actor, Exchange, FailureKind, HashCheck, Redactor, RequestRecord, ResponseRecord, ScenarioNumber,
        TimingRecord, TokenFault, TokenRecord, TransportFailure, Vantage, disk::is_plausible,
    },
};

/// Longest phase of an exchange that is believed, in milliseconds: a week.
const LONGEST: f64 = 7.0 * 24.0 * 3600.0 * 1000.0;

/// Why an entry is left out when the file has changed, or the disk failed.
const UNREADABLE: &str = "its body could not be read again";

/// Makes the exchange, or says why it cannot be made.
pub(super) fn exchange(
    entry: Entry,
    is_ours: bool,
    redactor: &Redactor,
    source: &dyn Source,
) -> Result<Exchange, &'static str> {
    let Entry { started_date_time, time, request, response, timings, server_ip_address, own } = entry;
    let begun = read_time(started_date_time.as_deref().unwrap_or_default())?;
    let (queued, timings) = phases(&timings, time, begun.timestamp_subsec_nanos() == 0);
    let request = request.ok_or("it has no request")?;
    let (origin, target) = split_url(&request.url).ok_or("its URL cannot be read")?;
    let raw = raw_request(&request, &target);
    let operation = Operation::called(&request.method, &target);
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
    let sent = body(request_body, request.body_size, sent, redactor, source).map_err(|_| UNREADABLE)?;
    // Of ours it is known whether there was a response, whatever its status line said.
    let was_answered = is_ours && own.response_body.is_some();
    let is_response =
        |response: &Response| was_answered || response.status.is_some_and(|status| status >= 100.0);
    let received = response.filter(is_response);
    let response = received.as_ref().map(|response| reply(response, redactor, source)).transpose();
    let response = response.map_err(|_| UNREADABLE)?;
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
        request: RequestRecord { head, body: sent },
        response,
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
        let clean = |text| kept(text, source).map(|bytes| Bytes::from(redactor.bytes(&bytes)));
        exchange.actor = own.actor.unwrap_or(Actor::Product);
        exchange.vantage = own.vantage.unwrap_or(Vantage::Foreign);
        exchange.token = own.token.map(TokenRecord::from);
        exchange.token_fault = own.token_fault;
        exchange.tls = own.tls.map(Into::into);
        exchange.relay = own.relay.map(Into::into);
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

fn reply(response: &Response, redactor: &Redactor, source: &dyn Source) -> io::Result<ResponseRecord> {
    let status = response.status.filter(|status| *status < 1000.0).unwrap_or_default() as u16;
    let raw = raw_response(response, status);
    let gzip = is_gzip(&response.headers);
    let content = response.content.as_ref();
    let size = content.and_then(|content| content.size).or(response.body_size);
    let body = body(content, size, gzip, redactor, source)?;
    Ok(ResponseRecord { head: redactor.response_head(&raw), body })
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
