//! What a product does when MESH says no.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{Call, Examined, Finding, Grade, Traffic, shown};

/// Calls that follow the one before within this are one storm.
const STORM: TimeDelta = TimeDelta::seconds(60);
/// So many in a row look like a storm, and so many are one.
const SUSPECT: usize = 3;
const SURE: usize = 5;

/// Whether a status says no for good.
pub(super) fn is_refusal(status: u16) -> bool {
    matches!(status, 403 | 404 | 410 | 417 | 423)
}

/// A call that is refused is not repeated over and over.
pub(super) fn storms(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for calls in traffic.mailboxes().into_values() {
        // What a run asks for anew is not repeated by the product.
        let mut runs: HashMap<(Option<usize>, String, u16), Vec<&Call>> = HashMap::new();
        let mut ended: Vec<(u16, Vec<&Call>)> = Vec::new();
        for call in calls {
            let Some(status) = call.status() else { continue };
            // 403 is about the mailbox, the others about one thing that was asked.
            let about = |status: u16| match status {
                403 => String::new(),
                _ => format!(
                    "{} {} {}",
                    call.exchange.request.head.method,
                    call.exchange.request.head.target,
                    call.exchange.request.body.sha256
                ),
            };
            if status != 403
                && let Some(run) = runs.remove(&(call.ask, String::new(), 403))
            {
                ended.push((403, run));
            }
            if !is_refusal(status) {
                continue;
            }
            examined.look();
            let run = runs.entry((call.ask, about(status), status)).or_default();
            if run.last().is_some_and(|last| call.started_at() - last.ended_at > STORM) {
                ended.push((status, std::mem::take(run)));
            }
            run.push(call);
        }
        ended.extend(runs.into_iter().map(|((_, _, status), run)| (status, run)));
        for (status, run) in ended {
            let grade = match run.len() {
                short if short < SUSPECT => continue,
                short if short < SURE => Grade::Warning,
                _ => Grade::Broken,
            };
            let span =
                run.last().zip(run.first()).map(|(last, first)| last.started_at() - first.started_at());
            let what = if status == 403 {
                "a mailbox went on calling after it was refused"
            } else {
                "a call that was refused was repeated"
            };
            let mut finding = Finding::about(&run, grade, what).expected(sane(status));
            finding.message = finding.message.filter(|_| status != 403);
            examined.find(finding.seen(format!(
                "{} answers of {status} in a row within {}",
                run.len(),
                shown(span.unwrap_or_default())
            )));
        }
    }
    examined
}

/// What to do instead.
fn sane(status: u16) -> &'static str {
    match status {
        403 => {
            "calls to stop, and a person to be told: password, shared key, clock or the mailbox itself is wrong"
        }
        404 => "the message to be let go of: there is none of this ID in the mailbox",
        410 => "the message to be let go of: it is gone",
        417 => "the message to be handed to a person: the recipient or the workflow is not registered",
        _ => "the upload to stop: the message is complete already",
    }
}
