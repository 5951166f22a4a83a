//! `attestations/`: what named people have said, one file a case.

use serde::Serialize;

use super::ReportFile;
use crate::runner::{RunRecord, ScenarioRecord};

#[derive(Serialize)]
struct Said<'a> {
    case: &'a str,
    claim: &'a str,
    name: &'a str,
    role: &'a str,
    statement: &'a str,
    date: &'a str,
    given: &'static str,
    run_id: &'a str,
    product: String,
    standing: String,
}

pub(super) fn files(record: &RunRecord) -> Result<Vec<ReportFile>, serde_json::Error> {
    record.scenarios.iter().filter_map(|scenario| file(record, scenario)).collect()
}

fn file(record: &RunRecord, scenario: &ScenarioRecord) -> Option<Result<ReportFile, serde_json::Error>> {
    let said = scenario.attestation.as_ref()?;
    let claim = scenario.steps.last().map(|step| step.text.as_str()).unwrap_or_default();
    let safe: String = said.case.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let content = super::json(&Said {
        case: &said.case,
        claim,
        name: &said.name,
        role: &said.role,
        statement: &said.statement,
        date: &said.date,
        given: said.given.word(),
        run_id: &record.run_id,
        product: format!("{} {}", record.product.name, record.product.version),
        standing: super::standing(record),
    });
    Some(content.map(|content| ReportFile { path: format!("attestations/{safe}.json"), content }))
}
