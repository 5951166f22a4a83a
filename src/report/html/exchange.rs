//! One exchange: who, what, when, over which connection, with which token, and how to play it again.

use super::{
    Fact, alike, brief,
    case::ExchangeUse,
    wire::{Budget, Message},
};
use crate::{
    report::{exchanges, text},
    runner::RunRecord,
    tape::{
        CertificateFacts, Exchange, HashCheck, Party, RelayFacts, TimingRecord, TlsFacts, TokenRecord,
        Vantage,
    },
};

/// An exchange.
pub(super) struct ExchangeView {
    pub(super) anchor: String,
    pub(super) number: usize,
    pub(super) actor: String,
    pub(super) operation: &'static str,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) status: String,
    pub(super) status_short: String,
    pub(super) status_class: &'static str,
    pub(super) millisecond: String,
    pub(super) second: String,
    pub(super) ids: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) failure: Option<String>,
    /// `sent`, unless there was nobody to send it to.
    pub(super) request_way: &'static str,
    pub(super) request: Message,
    pub(super) response: Option<Message>,
    pub(super) timings: Vec<(&'static str, String)>,
    pub(super) tls: Option<Tls>,
    /// Why, when there is none.
    pub(super) no_tls: &'static str,
    pub(super) token: Option<Token>,
    pub(super) curl: Option<String>,
}

/// What TLS agreed on.
pub(super) struct Tls {
    pub(super) facts: Vec<Fact>,
    pub(super) certificates: Vec<Certificate>,
}

/// A certificate, or that there was none.
pub(super) struct Certificate {
    pub(super) whose: &'static str,
    pub(super) subject: String,
    pub(super) facts: Vec<Fact>,
}

/// A token, without its hash.
pub(super) struct Token {
    pub(super) facts: Vec<Fact>,
    pub(super) hash: &'static str,
    pub(super) hash_class: &'static str,
}

/// An exchange of which there is a row alone, since there are others like it.
pub(super) struct Row {
    pub(super) anchor: String,
    pub(super) number: usize,
    pub(super) millisecond: String,
    pub(super) actor: String,
    pub(super) operation: &'static str,
    pub(super) ids: Vec<String>,
    pub(super) status: String,
    pub(super) status_class: &'static str,
}

/// Shows each exchange once, as long as there is room on the page.
pub(super) struct Viewer<'a> {
    record: &'a RunRecord,
    shown: Vec<bool>,
    rows: Vec<bool>,
    budget: Budget,
}

impl<'a> Viewer<'a> {
    /// Nothing is shown yet.
    pub(super) fn new(record: &'a RunRecord) -> Self {
        let shown = vec![false; record.exchanges.len()];
        Self { record, shown, rows: alike::rows(record), budget: Budget::new() }
    }

    /// Whether the exchange at a place was shown.
    pub(super) fn was_shown(&self, place: usize) -> bool {
        self.shown.get(place).copied().unwrap_or(false)
    }

    /// The exchanges at these places, in their order.
    pub(super) fn views(&mut self, places: impl IntoIterator<Item = usize>) -> Vec<ExchangeUse> {
        let mut views = Vec::new();
        for view in places.into_iter().filter_map(|place| self.view(place)) {
            match (views.last_mut(), view) {
                (Some(ExchangeUse::Alike(rows)), ExchangeUse::Alike(more)) => rows.extend(more),
                (_, view) => views.push(view),
            }
        }
        views
    }

    /// The exchange at a place, or a link to it when it was shown before; `None` for a place that is none.
    fn view(&mut self, place: usize) -> Option<ExchangeUse> {
        let exchange = self.record.exchanges.get(place)?;
        let shown = self.shown.get_mut(place)?;
        if std::mem::replace(shown, true) {
            let label = format!("{}, {}", exchanges::operation(exchange), status(exchange).0);
            return Some(ExchangeUse::linked(place, &label));
        }
        if self.rows.get(place) == Some(&true) {
            return Some(ExchangeUse::Alike(vec![row(place, exchange)]));
        }
        Some(ExchangeUse::Shown(Box::new(view(place, exchange, &mut self.budget))))
    }
}

/// Where an exchange stands on the page.
pub(super) fn number_anchor(place: usize) -> String {
    format!("exchange-{}", place + 1)
}

fn view(place: usize, exchange: &Exchange, budget: &mut Budget) -> ExchangeView {
    let (status_short, status_class) = status(exchange);
    let head = &exchange.request.head;
    ExchangeView {
        anchor: number_anchor(place),
        number: place + 1,
        actor: exchange.actor.to_string(),
        operation: exchanges::operation(exchange),
        method: brief(text::clip(&head.method, 40).0),
        target: short(&head.target),
        status: status_text(exchange, &status_short),
        status_short,
        status_class,
        millisecond: text::millisecond(exchange.started_at),
        second: text::second(exchange.started_at),
        ids: exchanges::message_ids_of(exchange),
        facts: facts(exchange),
        failure: exchange.failure.as_ref().map(|failure| brief(&failure.to_string())),
        request_way: if exchange.peer.is_some() { "sent" } else { "prepared, not sent," },
        request: Message::request(&exchange.request, budget),
        response: exchange.response.as_ref().map(|response| Message::response(response, budget)),
        timings: timings(&exchange.timings),
        tls: exchange.tls.as_deref().map(tls),
        no_tls: no_tls(exchange),
        token: exchange.token.as_ref().map(token),
        curl: budget.curl(exchange),
    }
}

fn row(place: usize, exchange: &Exchange) -> Row {
    let (status, status_class) = status(exchange);
    Row {
        anchor: number_anchor(place),
        number: place + 1,
        millisecond: text::millisecond(exchange.started_at),
        actor: exchange.actor.to_string(),
        operation: exchanges::operation(exchange),
        ids: exchanges::message_ids_of(exchange),
        status,
        status_class,
    }
}

/// The status in short, and the class that it is shown by.
fn status(exchange: &Exchange) -> (String, &'static str) {
    match exchange.status() {
        None => ("no response".to_owned(), "status-none"),
        Some(status @ 200..=299) => (status.to_string(), "status-good"),
        Some(status) => (status.to_string(), "status-other"),
    }
}

fn status_text(exchange: &Exchange, short: &str) -> String {
    let reason = exchange.response.as_ref().map(|response| response.head.reason.as_str()).unwrap_or_default();
    brief(format!("{short} {}", text::clip(reason, 60).0).trim_end())
}

/// A target for a heading: its beginning.
fn short(target: &str) -> String {
    const SHOWN: usize = 160;
    match text::clip(target, SHOWN) {
        (all, 0) => brief(all),
        (start, _) => format!("{}…", brief(start)),
    }
}

fn facts(exchange: &Exchange) -> Vec<Fact> {
    let vantage = match exchange.vantage {
        Vantage::Client => "by the client that made it",
        Vantage::Endpoint => "by the endpoint that answered it",
        Vantage::Proxy => "by a proxy in between",
        Vantage::Foreign => "by a program of someone else",
    };
    let peer = exchange.peer.map_or_else(|| "nobody".to_owned(), |peer| peer.to_string());
    let mut facts = vec![
        Fact { name: "Seen", value: vantage.to_owned(), code: false },
        Fact { name: "Endpoint", value: brief(&exchange.origin), code: true },
        Fact { name: "Connected to", value: peer, code: true },
    ];
    facts.extend(exchange.relay.as_deref().into_iter().flat_map(relayed));
    facts
}

/// What a proxy in between knows besides.
fn relayed(of: &RelayFacts) -> Vec<Fact> {
    let presented = of.product_tls.as_ref().and_then(|tls| tls.client_certificate.as_ref());
    let presented = presented.map_or_else(|| "nothing".to_owned(), |leaf| brief(&leaf.subject));
    let by = of.broken_off_by.map(|party| match party {
        Party::Product => "the product",
        Party::Endpoint => "the endpoint",
        Party::Proxy => "the proxy",
    });
    let host = of.host_replaced_by.as_ref().map(|host| {
        format!("as below to the proxy, which put {} in its place for the endpoint", brief(host))
    });
    let fact = |name, value: String, code| Fact { name, value, code };
    let mut facts = vec![
        fact(
            "Product called from",
            format!("{}, connection {}, call {}", of.product, of.connection, of.position),
            true,
        ),
        fact("Product presented", presented, true),
    ];
    facts.extend(host.map(|host| fact("Host header", host, false)));
    facts.extend(by.map(|by| fact("Broken off by", by.to_owned(), false)));
    facts.extend(of.notes.iter().map(|note| fact("Note", brief(note), false)));
    facts
}

fn timings(of: &TimingRecord) -> Vec<(&'static str, String)> {
    let phase = |duration: Option<std::time::Duration>, without: &str| {
        duration.map_or_else(|| without.to_owned(), text::duration)
    };
    let reused = "connection was open";
    vec![
        ("Connect", phase(of.connect, reused)),
        ("TLS", phase(of.tls, if of.connect.is_some() { "none" } else { reused })),
        ("Send", text::duration(of.send)),
        ("Wait", text::duration(of.wait)),
        ("Receive", text::duration(of.receive)),
        ("Total", text::duration(of.total())),
    ]
}

fn tls(of: &TlsFacts) -> Tls {
    Tls {
        facts: vec![
            Fact { name: "Version", value: brief(&of.version), code: true },
            Fact { name: "Cipher suite", value: brief(&of.cipher), code: true },
        ],
        certificates: vec![
            certificate("Client certificate", of.client_certificate.as_ref()),
            certificate("Server certificate", of.server_certificate.as_ref()),
        ],
    }
}

fn no_tls(exchange: &Exchange) -> &'static str {
    if !exchange.origin.starts_with("https:") {
        "None: plain HTTP."
    } else if exchange.peer.is_none() {
        "None: no connection came about."
    } else {
        "None: its handshake failed."
    }
}

fn certificate(whose: &'static str, of: Option<&CertificateFacts>) -> Certificate {
    let Some(of) = of else { return Certificate { whose, subject: String::new(), facts: vec![] } };
    let fact = |name, value: &str| Fact { name, value: brief(value), code: true };
    let validity = format!("{} to {}", text::second(of.not_before), text::second(of.not_after));
    let facts = vec![
        fact("Subject", &of.subject),
        fact("Issuer", &of.issuer),
        fact("Serial", &of.serial),
        fact("SHA-256", &of.fingerprint),
        fact("Valid (UTC)", &validity),
    ];
    Certificate { whose, subject: brief(text::clip(&of.subject, 100).0), facts }
}

fn token(of: &TokenRecord) -> Token {
    let fact = |name, value: &str| Fact { name, value: brief(value), code: true };
    let (hash, hash_class) = match of.hash {
        HashCheck::Matches => {
            ("Recomputed with the configured password and shared key: it matches.", "hash-matches")
        }
        HashCheck::Differs => {
            ("Recomputed with the configured password and shared key: it differs.", "hash-differs")
        }
        HashCheck::Unknown => {
            ("Not recomputed: no credentials are configured for this mailbox.", "hash-unknown")
        }
    };
    Token {
        facts: vec![
            fact("Mailbox", &of.mailbox),
            fact("Nonce", &of.nonce),
            fact("Nonce count", &of.nonce_count),
            fact("Timestamp", &of.timestamp),
        ],
        hash,
        hash_class,
    }
}
