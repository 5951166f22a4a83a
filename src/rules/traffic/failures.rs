//! What a product does when MESH is not available, or cannot make anything of a call.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Call, Examined, Finding, Grade, NO_BODY, Traffic, refusals::is_refusal, shown};
use crate::{
    protocol::path_of,
    rules::resilience::{MANY, TOLERANCE, WITHIN, most_within},
    tape::{Exchange, Sha256, Vantage},
};

/// What makes two calls the same: within which ask, what was asked for, to whom and under which reference it was
/// sent, and what. What was compressed anew differs in its time stamp only.
pub(super) type Same<'a> = (Option<usize>, &'a str, &'a str, [Option<&'a str>; 4], Sha256);

/// Headers that tell sends apart.
const TELLING: [&str; 4] = ["mex-to", "mex-workflowid", "mex-localid", "mex-chunk-range"];

/// # Errors
/// Why it cannot be told of a send, of which a recording may lack the headers or the body.
pub(super) fn same(call: &Call) -> Result<Same<'_>, &'static str> {
    let request = &call.exchange.request;
    if call.uploads() {
        if let Some(why) = TELLING.into_iter().find_map(|name| call.lacks(name)) {
            return Err(why);
        }
        if !call.has_body() {
            return Err(NO_BODY);
        }
    }
    let body = request.body.sha256_to_compare();
    let headers = TELLING.map(|name| call.header(name).map(str::trim).filter(|_| call.uploads()));
    // An inbox check is one, whatever is asked for with it: some programs add something new each time.
    let target = &request.head.target;
    let target = if call.is_list() { path_of(target) } else { target };
    Ok((call.ask, &request.head.method, target, headers, body))
}

/// A call that is not answered well is not made again and again. What is refused for good is another rule's.
pub(super) fn repeated(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for calls in traffic.mailboxes().into_values() {
        // What a run asks for anew is not repeated by the product.
        let mut failed: HashMap<Same<'_>, Vec<&Call>> = HashMap::new();
        for call in calls {
            let refused = call.status().is_some_and(is_refusal);
            if call.is_good() || refused || call.may_have_been_answered() {
                continue;
            }
            match same(call) {
                Ok(same) => {
                    examined.look();
                    failed.entry(same).or_default().push(call);
                }
                Err(why) => examined.pass_over(why),
            }
        }
        for calls in failed.into_values() {
            let exchanges: Vec<&Exchange> = calls.iter().map(|call| call.exchange.as_ref()).collect();
            let most = most_within(&exchanges);
            if most <= MANY {
                continue;
            }
            let name = calls.first().map_or("a call", |call| call.name());
            let what = format!("{name} was made again and again while it was not answered well");
            let seconds = WITHIN.num_seconds();
            examined.find(
                Finding::about(&calls, Grade::Warning, what)
                    .expected(format!("no more than {MANY} of these calls within {seconds} s"))
                    .seen(format!("{most} of them within {seconds} s")),
            );
        }
    }
    examined
}

/// Times of recorders that have no more than seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);

/// A call that is to be made again later is not made before that.
pub(super) fn put_off(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for calls in traffic.mailboxes().into_values() {
        // The last answer that named a time, by what was asked for.
        let mut told: HashMap<Same<'_>, (&Call, DateTime<Utc>)> = HashMap::new();
        for call in calls {
            let same = match same(call) {
                Ok(same) => same,
                Err(why) => {
                    if not_before(call).is_some() {
                        examined.pass_over(why);
                    }
                    continue;
                }
            };
            if let Some((before, until)) = told.remove(&same) {
                let tolerance = if call.exchange.vantage == Vantage::Foreign { SECOND } else { TOLERANCE };
                if call.started_at() + tolerance < until {
                    let after = call.started_at() - before.ended_at;
                    examined.find(
                        Finding::about(
                            &[before, call],
                            Grade::Warning,
                            format!("{} was made again sooner than MESH asked for", call.name()),
                        )
                        .expected(format!("no such call for {}", shown(until - before.ended_at)))
                        .seen(format!("the same call after {:.1} s", after.as_seconds_f64())),
                    );
                }
            }
            if let Some(until) = not_before(call) {
                examined.look();
                told.insert(same, (call, until));
            }
        }
    }
    examined
}

/// Until when a call is not to be made again.
fn not_before(call: &Call) -> Option<DateTime<Utc>> {
    call.status().filter(|status| matches!(status, 429 | 503))?;
    call.ended_at.checked_add_signed(call.exchange.retry_after()?)
}
