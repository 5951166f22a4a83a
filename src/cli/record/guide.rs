//! What `record` tells a person: what to set in the product, what passed, what came of it.

use std::path::Path;

use mesh_witness::{
    proxy::{Counts, Entry},
    tape::{ConnectionFacts, Exchange, HostRule, Party, RecordingFacts},
};

/// What to set in the product.
pub fn ready(facts: &RecordingFacts, authority: Option<&Path>, folder: &Path) -> String {
    let (listen, endpoint) = (facts.listen, &facts.endpoint);
    let scheme = if authority.is_some() { "https" } else { "http" };
    let mut text = format!("listening on {scheme}://{listen}\n");
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!("  recording {} {endpoint}, product {}", facts.environment, facts.product));
    line(format!("  tape      {}", folder.display()));
    line("set in the product:".to_owned());
    let host = host_of(endpoint);
    let port = listen.port();
    match &facts.host {
        HostRule::ReplacedBy(value) => {
            line(format!("  URL       {scheme}://localhost:{port}"));
            line(format!("  The Host header is replaced by {value}; the tape says so."));
        }
        HostRule::AsSent => {
            line(format!("  URL       {scheme}://{host}:{port}"));
            line(format!(
                "  hosts     {} {host}   (a line in the hosts file of the product's machine)",
                reach(facts)
            ));
            line(format!(
                "  The Host header is passed on as sent, with the port if the product names it: {host}:{port}. If the \
                 endpoint wants its bare name, listen on port 443, or use --edit-host."
            ));
        }
    }
    if let Some(folder) = authority {
        let folder = folder.display();
        line(format!("  trust     {folder}/ca.pem"));
        if facts.product_certificate_required {
            line(format!(
                "  present   its own MESH certificate, if an authority of the configuration issued it; else {folder}/product.pem \
                 with {folder}/product-key.pem"
            ));
        }
    }
    line("Every call is shown here. Ctrl-C ends the recording.".to_owned());
    text
}

/// The address under which the product's machine reaches the proxy.
fn reach(facts: &RecordingFacts) -> String {
    let address = facts.listen.ip().to_canonical();
    if address.is_unspecified() { "ADDRESS-OF-THIS-MACHINE".to_owned() } else { address.to_string() }
}

fn host_of(endpoint: &str) -> String {
    let authority = endpoint.split_once("://").map_or(endpoint, |(_, authority)| authority);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host.to_owned(),
        _ => authority.to_owned(),
    }
}

/// What passed. Everything in it was made printable as it was recorded.
pub fn lines(entry: &Entry) -> Vec<String> {
    match entry {
        Entry::Exchange(exchange) => vec![exchange_line(exchange)],
        Entry::Connection(facts) => connection_line(facts).into_iter().collect(),
    }
}

fn exchange_line(exchange: &Exchange) -> String {
    let at = exchange.started_at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let operation = exchange.operation.as_ref();
    let mailbox = operation.and_then(|operation| operation.mailbox()).map_or("-", |mailbox| mailbox.as_str());
    let what = match operation {
        Some(operation) => operation.name().to_owned(),
        None => exchange.request.head.line(),
    };
    let status = exchange.status().map_or("---".to_owned(), |status| status.to_string());
    let milliseconds = exchange.timings.total().as_secs_f64() * 1000.0;
    let failure = exchange.failure.as_ref().map(|failure| format!("  {failure}")).unwrap_or_default();
    format!("{at} {status} {mailbox} {what} {milliseconds:.1} ms{failure}")
}

/// Only what is worth saying: a connection that was ended in good order is not.
fn connection_line(facts: &ConnectionFacts) -> Option<String> {
    let failure = facts.failure.as_ref().filter(|_| facts.exchanges == 0)?;
    let at = facts.began.format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let by = match facts.ended_by {
        Party::Product => "product",
        Party::Endpoint => "endpoint",
        Party::Proxy => "recording",
    };
    Some(format!(
        "{at} --- connection from {} without a call, ended by the {by}: {failure}",
        facts.product.peer
    ))
}

/// What came of it.
pub fn closing(counts: Counts, folder: &Path) -> String {
    let Counts { connections, exchanges, broken_off } = counts;
    let folder = folder.display();
    format!(
        "recorded {exchanges} exchanges on {connections} connections, {broken_off} of them broken off\n\
         tape {folder}; mesh-witness judge {folder} judges it\n"
    )
}
