//! `tls/`: what was seen of TLS, on each leg that was seen: `facts.json`, and the certificates that were presented,
//! a PEM file for each chain. Nothing where no TLS was used.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{ReportFile, har_own, text};
use crate::{
    runner::RunRecord,
    tape::{CertificateFacts, Chain, Exchange, Sha256, TlsFacts, certificate_facts},
};

/// JSON Schema (2020-12) of the facts, as committed.
pub(super) const SCHEMA: &str = include_str!("tls.schema.json");

/// Digits of base64 on a line of PEM (RFC 7468, 2).
const LINE: usize = 64;

#[derive(Serialize)]
struct Facts {
    schema: &'static str,
    evidence: bool,
    evidence_note: String,
    connections: Vec<Connection>,
    chains: Vec<ChainOf>,
}

/// Connections that were alike.
#[derive(Serialize)]
struct Connection {
    leg: &'static str,
    origin: Option<String>,
    seen_by: &'static str,
    version: String,
    cipher: String,
    alpn: Option<String>,
    server_chain: Option<usize>,
    client_chains: Vec<usize>,
    exchanges: usize,
    without_client_certificate: usize,
    first_exchange: usize,
    first_at: String,
}

#[derive(Serialize)]
struct ChainOf {
    number: usize,
    side: &'static str,
    file: Option<String>,
    certificates: Vec<Certificate>,
    #[serde(skip)]
    der: Chain,
}

#[derive(Default, Serialize, PartialEq)]
struct Certificate {
    subject: Option<String>,
    issuer: Option<String>,
    serial: Option<String>,
    sha256: String,
    not_before: Option<String>,
    not_after: Option<String>,
}

/// Chains that were presented: the server's and the client's.
type Sides = (Option<usize>, Option<usize>);

/// Whether there is anything to tell.
pub(super) fn was_used(record: &RunRecord) -> bool {
    let product =
        |exchange: &Exchange| exchange.relay.as_ref().is_some_and(|relay| relay.product_tls.is_some());
    record.exchanges.iter().any(|exchange| exchange.tls.is_some() || product(exchange))
}

/// The files, or none.
pub(super) fn files(record: &RunRecord) -> Result<Vec<ReportFile>, serde_json::Error> {
    let (connections, mut chains) = seen(record);
    if connections.is_empty() {
        return Ok(Vec::new());
    }
    // Without a configuration the emulator makes two for each scenario, which vanish with the run.
    let are_throw_away = record.is_without_configuration();
    for chain in &mut chains {
        let is_thrown_away = are_throw_away && chain.side == "client";
        if !chain.der.is_empty() && !is_thrown_away {
            chain.file = Some(format!("tls/{}-{}.pem", chain.side, chain.number));
        }
    }
    let file = |path: &str, content: Vec<u8>| ReportFile { path: path.to_owned(), content };
    let pems =
        chains.iter().filter_map(|chain| Some(file(chain.file.as_ref()?, pem(&chain.der).into_bytes())));
    let pems: Vec<ReportFile> = pems.collect();
    let facts = Facts {
        schema: "mesh-witness/tls/1",
        evidence: record.environment.is_evidence(),
        evidence_note: super::standing(record),
        connections,
        chains,
    };
    let mut files = vec![
        file("tls/facts.json", super::json(&facts)?),
        file("schemas/tls.schema.json", SCHEMA.as_bytes().to_vec()),
    ];
    files.extend(pems);
    Ok(files)
}

/// Connections and chains, in the order in which they first came up.
fn seen(record: &RunRecord) -> (Vec<Connection>, Vec<ChainOf>) {
    let (mut connections, mut chains) = (Vec::new(), Vec::new());
    // The exchanges of a connection share what is known of its TLS.
    let mut known: HashMap<*const TlsFacts, Sides> = HashMap::new();
    for (place, exchange) in record.exchanges.iter().enumerate() {
        let product = exchange.relay.as_ref().and_then(|relay| relay.product_tls.as_ref());
        let legs = [("to_endpoint", exchange.tls.as_ref()), ("from_product", product)];
        for (leg, tls) in legs.into_iter().filter_map(|(leg, tls)| Some((leg, tls?))) {
            let sides = *known.entry(Arc::as_ptr(tls)).or_insert_with(|| {
                let server = chain(&mut chains, "server", &tls.server_chain, tls.server_certificate.as_ref());
                let client = chain(&mut chains, "client", &tls.client_chain, tls.client_certificate.as_ref());
                (server, client)
            });
            let origin = (leg == "to_endpoint").then(|| exchange.origin.clone());
            let seen_by = har_own::vantage(exchange.vantage);
            let new = Connection {
                leg,
                origin,
                seen_by,
                version: tls.version.clone(),
                cipher: tls.cipher.clone(),
                alpn: tls.alpn.clone(),
                server_chain: sides.0,
                client_chains: Vec::new(),
                exchanges: 0,
                without_client_certificate: 0,
                first_exchange: place + 1,
                first_at: text::millisecond(exchange.started_at),
            };
            count(&mut connections, new, sides.1);
        }
    }
    (connections, chains)
}

/// Counts an exchange with those whose connection was alike.
fn count(connections: &mut Vec<Connection>, new: Connection, client: Option<usize>) {
    let place = connections.iter().position(|known| known.is_like(&new)).unwrap_or(connections.len());
    if place == connections.len() {
        connections.push(new);
    }
    let Some(connection) = connections.get_mut(place) else { return };
    connection.exchanges += 1;
    match client {
        Some(client) if connection.client_chains.contains(&client) => {}
        Some(client) => connection.client_chains.push(client),
        None => connection.without_client_certificate += 1,
    }
}

impl Connection {
    fn is_like(&self, other: &Self) -> bool {
        (self.leg, self.seen_by, self.server_chain) == (other.leg, other.seen_by, other.server_chain)
            && (&self.version, &self.cipher, &self.alpn) == (&other.version, &other.cipher, &other.alpn)
            && self.origin == other.origin
    }
}

/// The number of a chain, which is new or was seen before; `None` when nothing was presented. Where the chain itself
/// is not known, its first certificate may be.
fn chain(
    chains: &mut Vec<ChainOf>,
    side: &'static str,
    der: &Chain,
    own: Option<&CertificateFacts>,
) -> Option<usize> {
    let mut certificates: Vec<Certificate> = der.certificates().map(certificate).collect();
    if certificates.is_empty() {
        certificates.push(told(own?));
    }
    let known = chains.iter().find(|known| known.side == side && known.certificates == certificates);
    if let Some(known) = known {
        return Some(known.number);
    }
    let number = chains.iter().filter(|known| known.side == side).count() + 1;
    chains.push(ChainOf { number, side, file: None, certificates, der: der.clone() });
    Some(number)
}

/// One that cannot be read is known by its digest.
fn certificate(der: &[u8]) -> Certificate {
    certificate_facts(der)
        .as_ref()
        .map_or_else(|| Certificate { sha256: Sha256::of(der).to_string(), ..Certificate::default() }, told)
}

fn told(of: &CertificateFacts) -> Certificate {
    Certificate {
        subject: Some(of.subject.clone()),
        issuer: Some(of.issuer.clone()),
        serial: Some(of.serial.clone()),
        sha256: of.fingerprint.clone(),
        not_before: Some(text::second(of.not_before)),
        not_after: Some(text::second(of.not_after)),
    }
}

/// As RFC 7468 has it, its own certificate first.
fn pem(chain: &Chain) -> String {
    let mut pem = String::new();
    for der in chain.certificates() {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let digits = STANDARD.encode(der);
        let mut rest = digits.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(LINE.min(rest.len()));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    use serde_json::Value;

    use super::super::fixtures;
    use super::*;
    use crate::tape::{Presented, RelayFacts, RelayTimes};

    const PEM: &str = include_str!("fixtures/chain.pem");

    fn ders() -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(PEM.as_bytes()).map(Result::unwrap).collect()
    }

    /// A record in which the server presented a chain, and the client what is given.
    fn presented(mut record: RunRecord, client: &[CertificateDer<'_>]) -> RunRecord {
        for exchange in &mut record.exchanges {
            let exchange = Arc::make_mut(exchange);
            exchange.tls = exchange.tls.take().map(|tls| {
                let tls = TlsFacts { alpn: Some("http/1.1".to_owned()), ..TlsFacts::clone(&tls) };
                Arc::new(tls.between(Presented::of(client), Presented::of(&ders())))
            });
        }
        record
    }

    fn facts(files: &[ReportFile]) -> Value {
        serde_json::from_slice(&files[0].content).unwrap()
    }

    fn paths(files: &[ReportFile]) -> Vec<&str> {
        files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn golden() {
        let record = presented(fixtures::mixed(), &ders()[..1]);
        let files = files(&record).unwrap();
        insta::assert_snapshot!(String::from_utf8(files[0].content.clone()).unwrap());
    }

    #[test]
    fn the_chain_is_there_as_it_was_sent() {
        let record = presented(fixtures::mixed(), &ders()[..1]);
        let files = files(&record).unwrap();
        assert_eq!(
            paths(&files),
            ["tls/facts.json", "schemas/tls.schema.json", "tls/server-1.pem", "tls/client-1.pem"]
        );
        assert_eq!(String::from_utf8(files[2].content.clone()).unwrap(), PEM);
        assert!(PEM.starts_with(std::str::from_utf8(&files[3].content).unwrap()));
    }

    #[test]
    fn what_the_emulator_made_for_a_scenario_is_told_and_not_kept() {
        let record = presented(fixtures::passed(), &ders()[..1]);
        let files = files(&record).unwrap();
        assert_eq!(paths(&files), ["tls/facts.json", "schemas/tls.schema.json", "tls/server-1.pem"]);
        let chains = &facts(&files)["chains"];
        assert_eq!((&chains[1]["side"], &chains[1]["file"]), (&"client".into(), &Value::Null));
        assert_eq!(chains[1]["certificates"][0]["subject"], "O=Example, CN=msg.int.example");
    }

    #[test]
    fn it_has_exactly_what_its_schema_has() {
        for record in
            [fixtures::passed(), fixtures::mixed(), presented(fixtures::mixed(), &[]), fixtures::hostile()]
        {
            fixtures::holds_to(&facts(&files(&record).unwrap()), SCHEMA);
        }
    }

    #[test]
    fn without_tls_there_is_nothing() {
        let mut record = fixtures::passed();
        record.exchanges.iter_mut().for_each(|exchange| Arc::make_mut(exchange).tls = None);
        assert_eq!(files(&record).unwrap(), []);
    }

    #[test]
    fn no_client_certificate_is_told() {
        let record = presented(fixtures::passed(), &[]);
        let facts = facts(&files(&record).unwrap());
        let connection = &facts["connections"][0];
        assert_eq!(connection["without_client_certificate"], record.exchanges.len());
        assert_eq!(connection["client_chains"], serde_json::json!([]));
    }

    #[test]
    fn both_legs_of_a_recording_proxy_are_told() {
        let mut record = fixtures::passed();
        let product =
            TlsFacts { version: "TLSv1.2".to_owned(), cipher: "C".to_owned(), ..TlsFacts::default() };
        let product =
            Arc::new(product.between(Presented::of(&ders()[..1]), Presented::of(&[b"no certificate"])));
        let relay = Arc::new(RelayFacts {
            connection: 1,
            position: 1,
            product: "127.0.0.1:1".parse().unwrap(),
            product_tls: Some(product),
            host_replaced_by: None,
            interim: vec![],
            times: RelayTimes::default(),
            broken_off_by: None,
            notes: vec![],
        });
        for exchange in &mut record.exchanges {
            let exchange: &mut Exchange = Arc::make_mut(exchange);
            exchange.vantage = crate::tape::Vantage::Proxy;
            exchange.relay = Some(Arc::clone(&relay));
        }
        let files = files(&record).unwrap();
        let facts = facts(&files);
        let legs: Vec<&Value> =
            facts["connections"].as_array().unwrap().iter().map(|one| &one["leg"]).collect();
        assert_eq!(legs, ["to_endpoint", "from_product"]);
        let own = &facts["connections"][1];
        assert_eq!(
            (&own["origin"], &own["seen_by"], &own["version"]),
            (&Value::Null, &"proxy".into(), &"TLSv1.2".into())
        );
        // What cannot be read is there as it is, and known by its digest.
        let of = own["server_chain"].as_u64().unwrap();
        let chain = facts["chains"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["side"] == "server" && one["number"] == of);
        let certificate = &chain.unwrap()["certificates"][0];
        assert_eq!(certificate["subject"], Value::Null);
        assert_eq!(certificate["sha256"], Sha256::of(b"no certificate").to_string());
    }
}
