//! Which exchanges and which messages a scenario was about.

use std::collections::HashSet;

use crate::{
    protocol::Operation,
    runner::RunRecord,
    tape::{Exchange, ScenarioNumber},
};

/// Places in [`RunRecord::exchanges`] of all that a scenario made or looked at, ascending.
///
/// `scenario` is its place in [`RunRecord::scenarios`]; there is nothing for a place that is none.
#[must_use]
pub fn exchanges_of(record: &RunRecord, scenario: usize) -> Vec<usize> {
    let number = ScenarioNumber(scenario);
    // They stand together: the record is ordered by scenario.
    let first = record.exchanges.partition_point(|exchange| exchange.scenario < number);
    let end = record.exchanges.partition_point(|exchange| exchange.scenario <= number);
    let made = first..end;
    let steps = record.scenarios.get(scenario).map(|scenario| scenario.steps.as_slice()).unwrap_or_default();
    let seen = steps.iter().flat_map(|step| step.exchanges.iter().copied());
    let mut all: Vec<usize> = made.chain(seen.filter(|at| *at < record.exchanges.len())).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// IDs of the messages that a scenario sent, downloaded, or acknowledged, each once, in the order in
/// which they came up; for the server's logs to be searched by.
#[must_use]
pub fn message_ids(record: &RunRecord, scenario: usize) -> Vec<String> {
    let all = exchanges_of(record, scenario);
    let exchanges = all.into_iter().filter_map(|at| record.exchanges.get(at));
    let mut seen = HashSet::new();
    exchanges.flat_map(|exchange| message_ids_of(exchange)).filter(|id| seen.insert(id.clone())).collect()
}

/// Where the request went: scheme, host, port, path and query.
pub(super) fn url(exchange: &Exchange) -> String {
    let target = &exchange.request.head.target;
    if target.starts_with('/') {
        format!("{}{target}", exchange.origin)
    } else if target.contains("://") {
        target.clone() // the absolute form, as it is sent to a proxy
    } else {
        format!("{}/{target}", exchange.origin)
    }
}

/// Its operation in MESH's words, or that it is none of the API's.
pub(super) fn operation(exchange: &Exchange) -> &'static str {
    exchange.operation.as_ref().map_or("not an operation of the API", Operation::name)
}

/// The message that the path names, or that the reply to a send names.
pub(super) fn message_ids_of(exchange: &Exchange) -> Vec<String> {
    let Some(operation) = &exchange.operation else { return Vec::new() };
    let named = operation.message().map(ToString::to_string);
    let given = matches!(operation, Operation::SendMessage(_)).then(|| exchange.given_id()).flatten();
    named.into_iter().chain(given.map(|id| id.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn ids_come_from_replies_to_sends_and_from_paths() {
        let record = fixtures::passed();
        assert_eq!(message_ids(&record, 0), [fixtures::MESSAGES[0]]);
        assert_eq!(message_ids(&record, 2), [fixtures::MESSAGES[2]]);
        assert_eq!(message_ids(&record, 99), [] as [&str; 0]);
    }

    #[test]
    fn a_url_has_its_host_whatever_the_query_says() {
        let mut exchange = fixtures::Wire::send("X26ABC1").exchange();
        for (target, shown) in [
            ("/a?b=c://d", format!("{}/a?b=c://d", exchange.origin)),
            ("http://proxied.example/a", "http://proxied.example/a".to_owned()),
            ("*", format!("{}/*", exchange.origin)),
        ] {
            exchange.request.head.target = target.to_owned();
            assert_eq!(url(&exchange), shown);
        }
    }

    #[test]
    fn an_exchange_belongs_to_a_scenario_once_and_places_that_are_none_are_left_out() {
        let mut record = fixtures::passed();
        let before = exchanges_of(&record, 0);
        record.scenarios[0].steps[0].exchanges = vec![before[0], 10_000];
        assert_eq!(exchanges_of(&record, 0), before);
    }
}
