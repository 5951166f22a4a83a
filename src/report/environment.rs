//! `environment.json`: what a run was made on and against. Its schema is strict and part of the bundle.
//!
//! What the machine is called and who uses it is nobody's business, and is not there.

use serde::Serialize;

use super::text;
use crate::runner::{MailboxRole, RunRecord};

/// JSON Schema (2020-12) of the file, as committed.
pub(super) const SCHEMA: &str = include_str!("environment.schema.json");

#[derive(Serialize)]
struct Environment<'a> {
    schema: &'static str,
    evidence: bool,
    evidence_note: String,
    run_id: &'a str,
    tool: Tool<'a>,
    machine: Machine<'a>,
    endpoint: Endpoint<'a>,
    endpoint_configured: bool,
    clock_moved_seconds: Option<i64>,
    product: Product<'a>,
    supplier: Option<&'a str>,
    workflow_id: &'a str,
    mailboxes: Vec<Mailbox<'a>>,
    started_at: String,
    ended_at: String,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
    rust: Option<&'a str>,
}

#[derive(Serialize)]
struct Machine<'a> {
    os: &'a str,
    arch: &'a str,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    name: &'a str,
    url: &'a str,
    scheme: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    emulated: bool,
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'a str,
    version: &'a str,
    driver: &'a str,
}

#[derive(Serialize)]
struct Mailbox<'a> {
    id: &'a str,
    role: &'a str,
}

/// The file's content.
pub(super) fn render(record: &RunRecord) -> Result<Vec<u8>, serde_json::Error> {
    let moved = record.scenarios.iter().filter_map(|scenario| scenario.clock_moved);
    super::json(&Environment {
        schema: "mesh-witness/environment/1",
        evidence: record.environment.is_evidence(),
        evidence_note: super::standing(record),
        run_id: &record.run_id,
        tool: Tool {
            name: "mesh-witness",
            version: &record.tool_version,
            rust: record.platform.rust.as_deref(),
        },
        machine: Machine { os: &record.platform.os, arch: &record.platform.arch },
        endpoint: endpoint(record),
        endpoint_configured: !record.practice,
        clock_moved_seconds: moved.max_by_key(chrono::TimeDelta::abs).map(|moved| moved.num_seconds()),
        product: Product {
            name: &record.product.name,
            version: &record.product.version,
            driver: &record.driver,
        },
        supplier: record.supplier.as_deref(),
        workflow_id: &record.workflow_id,
        mailboxes: record
            .environment
            .mailboxes
            .iter()
            .map(|MailboxRole { id, role }| Mailbox { id, role })
            .collect(),
        started_at: text::millisecond(record.started_at),
        ended_at: text::millisecond(record.ended_at),
    })
}

/// The parts of the URL, so that nobody has to take it apart.
fn endpoint(record: &RunRecord) -> Endpoint<'_> {
    let of = &record.environment;
    let url = of.url.parse::<http::Uri>().ok();
    let scheme = url.as_ref().and_then(http::Uri::scheme_str).map(str::to_owned);
    let usual = match scheme.as_deref() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    };
    Endpoint {
        name: &of.name,
        url: &of.url,
        host: url.as_ref().and_then(http::Uri::host).map(str::to_owned),
        port: url.as_ref().and_then(http::Uri::port_u16).or(usual),
        scheme,
        emulated: of.emulated,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fixtures;
    use super::*;

    fn rendered(record: &RunRecord) -> Value {
        serde_json::from_slice(&render(record).unwrap()).unwrap()
    }

    #[test]
    fn golden() {
        insta::assert_snapshot!(String::from_utf8(render(&fixtures::mixed()).unwrap()).unwrap());
    }

    #[test]
    fn it_has_exactly_what_its_schema_has() {
        for record in [fixtures::passed(), fixtures::mixed(), fixtures::hostile()] {
            fixtures::holds_to(&rendered(&record), SCHEMA);
        }
    }

    #[test]
    fn the_endpoint_is_taken_apart_where_it_is_a_url() {
        let mut record = fixtures::passed();
        for (url, scheme, host, port) in [
            ("https://msg.example", Some("https"), Some("msg.example"), Some(443)),
            ("http://127.0.0.1:8700", Some("http"), Some("127.0.0.1"), Some(8700)),
            ("https://[::1]:8700", Some("https"), Some("[::1]"), Some(8700)),
            ("<script>", None, None, None),
        ] {
            record.environment.url = url.to_owned();
            let endpoint = &rendered(&record)["endpoint"];
            assert_eq!(
                (endpoint["scheme"].as_str(), endpoint["host"].as_str(), endpoint["port"].as_u64()),
                (scheme, host, port),
                "{url}"
            );
        }
    }

    #[test]
    fn a_clock_that_was_moved_is_told_by_the_farthest() {
        let mut record = fixtures::passed();
        assert_eq!(rendered(&record)["clock_moved_seconds"], Value::Null);
        record.scenarios[0].clock_moved = Some(chrono::TimeDelta::days(5));
        record.scenarios[1].clock_moved = Some(chrono::TimeDelta::days(-6));
        assert_eq!(rendered(&record)["clock_moved_seconds"], -6 * 86_400);
    }
}
