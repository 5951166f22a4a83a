//! Rules over whole recordings: what the traffic of a product must look like, whoever recorded it.
//!
//! [`judge`] is a pure function. Each [`Rule`] looks at the calls that it is about and says what it
//! found. A rule that had nothing to look at is not applicable, with the reason: it never holds.

mod acknowledging;
mod chunks;
mod compression;
mod connections;
mod course;
mod failures;
mod finding;
mod handshakes;
mod judging;
mod patients;
mod polling;
mod refusals;
mod responses;
mod sending;
mod table;
mod tokens;
mod tracking;
mod view;

pub use course::{Act, Anew, Asked, Course};
pub use finding::{Finding, Grade, remedies};
pub use judging::{Context, RuleResult, Verdict, judge, judge_numbered};
pub use table::{RULES, Rule, Severity, markdown, named};

pub(super) use tokens::judge_offset;
pub(super) use view::shown;

use course::Chance;
use finding::Examined;
use view::{BLACKED_OUT, Call, NO_BODY, NO_HEADERS, Stretch, Traffic};

/// Why what must be done from day to day is not judged in a run.
const BY_ITSELF: &str = "a run asks for each act, so it shows nothing of what the product does by itself from day to day: judge a recording";

#[cfg(test)]
mod tests;
