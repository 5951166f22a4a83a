//! What a product does when MESH says no.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{
    Call, Examined, Finding, Grade, Traffic,
    failures::{Same, same},
    shown,
};

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
        let mut runs: Vec<(u16, Vec<&Call>)> = Vec::new();
        // 403 is about the mailbox, the others about one thing that was asked.
        // What a run asks for anew is not repeated by the product.
        let mut forbidden: HashMap<Option<usize>, Vec<&Call>> = HashMap::new();
        let mut refused: HashMap<(Same<'_>, u16), Vec<&Call>> = HashMap::new();
        for call in calls {
            let Some(status) = call.status() else { continue };
            if status == 403 {
                examined.look();
                forbidden.entry(call.ask).or_default().push(call);
                continue;
            }
            runs.extend(forbidden.remove(&call.ask).map(|run| (403, run)));
            if !is_refusal(status) {
                continue;
            }
            match same(call) {
                Ok(same) => {
                    examined.look();
                    refused.entry((same, status)).or_default().push(call);
                }
                Err(why) => examined.pass_over(why),
            }
        }
        runs.extend(forbidden.into_values().map(|run| (403, run)));
        runs.extend(refused.into_iter().map(|((_, status), run)| (status, run)));
        for (status, run) in runs {
            let mut storms: Vec<Finding> = run
                .chunk_by(|before, call| call.started_at() - before.ended_at <= STORM)
                .filter_map(|storm| repeated(status, storm, grade(storm.len())?))
                .collect();
            // Nothing but 403 can be otherwise later on.
            if storms.is_empty() && status != 403 && run.len() > SURE {
                storms.extend(repeated(status, &run, Grade::Warning));
            }
            storms.into_iter().for_each(|storm| examined.find(storm));
        }
    }
    examined
}

/// How bad so many in a row are.
fn grade(times: usize) -> Option<Grade> {
    match times {
        ..SUSPECT => None,
        SUSPECT..SURE => Some(Grade::Warning),
        SURE.. => Some(Grade::Broken),
    }
}

fn repeated(status: u16, run: &[&Call], grade: Grade) -> Option<Finding> {
    let span = run.last()?.started_at() - run.first()?.started_at();
    let what = if status == 403 {
        "a mailbox went on calling after it was refused"
    } else {
        "a call that was refused was repeated"
    };
    let mut finding = Finding::about(run, grade, what).expected(sane(status));
    finding.message = finding.message.filter(|_| status != 403);
    Some(finding.seen(format!("{} answers of {status} in a row within {}", run.len(), shown(span))))
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
