//! How often the outbox is tracked.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{Act, Call, Examined, Finding, Grade, Traffic, shown};
use crate::protocol::Operation;

/// So many enquiries about one message within so long are polling: as often as an inbox is polled.
const POLLING: (usize, TimeDelta) = (6, TimeDelta::minutes(30));
/// So many are more than an occasional look.
const OFTEN: (usize, TimeDelta) = (3, TimeDelta::hours(1));

/// Tracking is not polled: the recipient may take hours.
pub(super) fn not_polled(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let mut asked: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    let mut answered = BTreeSet::new();
    for call in &traffic.calls {
        if matches!(call.operation(), Some(Operation::TrackMessage(_) | Operation::TrackLocalId(..))) {
            if traffic.asked(call).is_some_and(|asked| asked.act == Act::Track) && answered.insert(call.ask) {
                examined.pass_over("the run asked for the status");
                continue;
            }
            examined.look();
            asked.entry(&call.exchange.request.head.target).or_default().push(call);
        }
    }
    for calls in asked.into_values() {
        let crowd = |(most, span): (usize, TimeDelta)| {
            calls.windows(most).any(|window| match window {
                [first, .., last] => last.started_at() - first.started_at() <= span,
                _ => false,
            })
        };
        let grade = match (crowd(POLLING), crowd(OFTEN)) {
            (true, _) => Grade::Broken,
            (false, true) => Grade::Warning,
            (false, false) => continue,
        };
        let closest = calls
            .windows(2)
            .filter_map(|pair| Some(pair.last()?.started_at() - pair.first()?.started_at()))
            .min();
        examined.find(
            Finding::about(&calls, grade, "the status of one message was asked for again and again")
                .expected("now and then: it may be hours until the recipient collects a message")
                .seen(format!(
                    "{} times, as little as {} apart",
                    calls.len(),
                    shown(closest.unwrap_or_default())
                )),
        );
    }
    examined
}
