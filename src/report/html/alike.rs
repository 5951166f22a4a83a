//! Which exchanges have a row in place of the whole of them. Where a scenario made hundreds, most are
//! alike: the first and the last of each kind are shown, and each that may be at fault; of the others the
//! page says where they are.

use std::collections::HashMap;

use crate::{
    report::exchanges,
    runner::{RunRecord, ScenarioRecord},
    tape::{Exchange, Header},
};

/// A scenario that made more exchanges than these has rows.
const MANY: usize = 100;
/// A step that did not pass shows all of its exchanges, up to as many.
const OF_A_FAULT: usize = 200;

/// For each exchange of the record, whether it has but a row.
pub(super) fn rows(record: &RunRecord) -> Vec<bool> {
    let mut rows = vec![false; record.exchanges.len()];
    // The exchanges of a scenario stand together.
    let mut first = 0;
    for group in record.exchanges.chunk_by(|one, next| one.scenario == next.scenario) {
        let places = first..first + group.len();
        first = places.end;
        if group.len() <= MANY {
            continue;
        }
        let scenario = group.first().and_then(|exchange| record.scenarios.get(exchange.scenario.0));
        let mut ends: HashMap<String, (usize, usize)> = HashMap::new();
        for (place, exchange) in places.clone().zip(group) {
            ends.entry(kind(exchange)).or_insert((place, place)).1 = place;
        }
        let mut full: Vec<usize> = ends.into_values().flat_map(<[usize; 2]>::from).collect();
        if let Some(scenario) = scenario {
            full.extend(at_fault(scenario, places.clone().zip(group.iter().map(AsRef::as_ref))));
        }
        rows.get_mut(places).into_iter().flatten().for_each(|row| *row = true);
        for place in full {
            rows.get_mut(place).into_iter().for_each(|row| *row = false);
        }
    }
    rows
}

/// What two exchanges have in common that differ only in names and numbers.
fn kind(exchange: &Exchange) -> String {
    let head = &exchange.request.head;
    let names = |headers: &[Header]| {
        let names = headers.iter().map(|header| header.name.to_ascii_lowercase());
        names.collect::<Vec<_>>().join(",")
    };
    let response = exchange.response.as_ref().map(|response| {
        let values = ["content-type", "content-encoding", "mex-messagetype", "mex-statuscode"];
        let values = values.map(|name| response.head.header(name).unwrap_or_default());
        let body = (response.body.size == 0, response.body.decoded.as_ref().map(std::mem::discriminant));
        (response.head.status, names(&response.head.headers), values, body)
    });
    let operation = exchanges::operation(exchange);
    let request =
        (exchange.actor, &head.method, operation, names(&head.headers), exchange.request.body.size == 0);
    let failure = exchange.failure.as_ref().map(|failure| failure.kind);
    let token = (exchange.token.as_ref().map(|token| token.hash), exchange.token_fault);
    format!("{request:?} {response:?} {failure:?} {token:?} {}", exchange.timings.connect.is_some())
}

/// Those that a fault may be about: which it names by their message, and those of a step that did not
/// pass.
fn at_fault<'a>(scenario: &ScenarioRecord, own: impl Iterator<Item = (usize, &'a Exchange)>) -> Vec<usize> {
    let faulty = || scenario.steps.iter().filter(|step| step.fault.is_some());
    let of_steps = faulty().filter(|step| step.exchanges.len() <= OF_A_FAULT);
    let mut places: Vec<usize> = of_steps.flat_map(|step| step.exchanges.iter().copied()).collect();
    let faults = faulty().filter_map(|step| step.fault.as_ref());
    let said: Vec<String> =
        faults.map(|fault| format!("{} {:?} {:?}", fault.what, fault.expected, fault.seen)).collect();
    if !said.is_empty() {
        let named = own.filter(|(_, exchange)| {
            let ids = exchanges::message_ids_of(exchange);
            ids.iter().any(|id| said.iter().any(|said| said.contains(id.as_str())))
        });
        places.extend(named.map(|(place, _)| place));
    }
    places
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        report::fixtures::{self, Wire},
        runner::{Fault, FaultKind},
    };

    fn id(number: usize) -> String {
        format!("202611211203043{number:05}_4F1A07")
    }

    /// A scenario whose one step made so many sends, each changed by its place.
    fn sends(count: usize, change: impl Fn(usize, &mut Exchange)) -> RunRecord {
        let mut record = fixtures::passed();
        record.scenarios.truncate(1);
        record.scenarios[0].steps.truncate(1);
        let send = |number: usize| {
            let reply = format!("{{\"message_id\": \"{}\"}}", id(number));
            let mut exchange = Wire::send("X26ABC1").reply(202, "Accepted", &[], reply.as_bytes()).exchange();
            change(number, &mut exchange);
            Arc::new(exchange)
        };
        record.exchanges = (0..count).map(send).collect();
        record.scenarios[0].steps[0].exchanges = (0..count).collect();
        record
    }

    fn shown(record: &RunRecord) -> Vec<usize> {
        rows(record).iter().enumerate().filter(|(_, row)| !**row).map(|(place, _)| place).collect()
    }

    #[test]
    fn up_to_a_hundred_all_are_shown_and_of_more_the_first_and_the_last() {
        assert_eq!(shown(&sends(100, |_, _| {})).len(), 100);
        assert_eq!(shown(&sends(101, |_, _| {})), [0, 100]);
    }

    #[test]
    fn one_of_another_kind_is_shown() {
        let status = |place: usize, exchange: &mut Exchange| {
            if place == 40 {
                exchange.response.as_mut().unwrap().head.status = 503;
            }
        };
        let header = |place: usize, exchange: &mut Exchange| {
            if place == 41 {
                exchange.request.head.headers.pop();
            }
        };
        let silent = |place: usize, exchange: &mut Exchange| {
            if place == 42 {
                exchange.response = None;
            }
        };
        let empty = |place: usize, exchange: &mut Exchange| {
            if place == 43 {
                exchange.response.as_mut().unwrap().body.size = 0;
            }
        };
        assert_eq!(shown(&sends(300, status)), [0, 40, 299]);
        assert_eq!(shown(&sends(300, header)), [0, 41, 299]);
        assert_eq!(shown(&sends(300, silent)), [0, 42, 299]);
        assert_eq!(shown(&sends(300, empty)), [0, 43, 299]);
    }

    #[test]
    fn what_a_fault_names_is_shown_and_so_is_a_step_that_did_not_pass() {
        let mut record = sends(300, |_, _| {});
        let what = format!("message {} is not what was sent", id(77));
        record.scenarios[0].steps[0].fault = Some(Fault::new(FaultKind::Product, what, "r"));
        assert_eq!(shown(&record), [0, 77, 299]);
        record.scenarios[0].steps[0].exchanges = (100..300).collect();
        assert_eq!(shown(&record).len(), 2 + 200, "few enough to be shown: the first, 77, and those");
        record.scenarios[0].steps[0].exchanges = (99..300).collect();
        assert_eq!(shown(&record), [0, 77, 299], "too many of them");
    }

    #[test]
    fn scenarios_are_looked_at_one_by_one() {
        let mut record = sends(160, |place, exchange| {
            exchange.scenario = crate::tape::ScenarioNumber(place / 80);
        });
        record.scenarios.push(record.scenarios[0].clone());
        assert_eq!(shown(&record).len(), 160, "80 each");
    }
}
