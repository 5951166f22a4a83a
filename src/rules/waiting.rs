//! Whether a wait of days is over (pack case 703): by this machine's clock and by the endpoint's, so that
//! neither alone can make five days of less.

use chrono::{DateTime, Utc};

use crate::tape::Exchange;

/// What time it was at the endpoint when an exchange began: this machine's time, and as much more as an
/// emulator says that its own was moved.
#[must_use]
pub fn time_at_endpoint(exchange: &Exchange) -> DateTime<Utc> {
    moved_as_in(exchange.started_at, Some(exchange))
}

/// What time it is, when that is still before `due`: the earlier of both clocks, this machine's, which shows
/// `now`, and the endpoint's, by the `Date` of `last`, its latest answer. Where an emulator says that its
/// clock was moved, as much is added to this machine's; a run that met one is practice.
#[must_use]
pub fn still_before(
    due: DateTime<Utc>,
    now: DateTime<Utc>,
    last: Option<&Exchange>,
) -> Option<DateTime<Utc>> {
    let here = moved_as_in(now, last);
    let there = last.and_then(Exchange::date);
    let earlier = there.map_or(here, |there| there.min(here));
    (earlier < due).then_some(earlier)
}

fn moved_as_in(time: DateTime<Utc>, exchange: Option<&Exchange>) -> DateTime<Utc> {
    let moved = exchange.and_then(Exchange::clock_moved_by).unwrap_or_default();
    time.checked_add_signed(moved).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::rules::tests::{exchange, noon};

    /// An answer at this time by the endpoint's clock.
    fn answered(at: DateTime<Utc>, more: &str) -> Exchange {
        let date = at.format("%a, %d %b %Y %H:%M:%S GMT");
        let mut answered = exchange("POST /messageexchange/A", 200, "");
        let head = format!("HTTP/1.1 200 OK\r\nDate: {date}\r\n{more}\r\n");
        let response = answered.response.as_mut().unwrap();
        response.head = crate::tape::Redactor::default().response_head(head.as_bytes());
        answered
    }

    const MOVED: &str = "Server: mesh-witness-emulator/1\r\nx-mesh-witness-clock-moved: 432000\r\n";

    fn days(days: i64) -> TimeDelta {
        TimeDelta::days(days)
    }

    #[test]
    fn both_clocks_must_have_come_to_it() {
        let (due, before, after) = (noon(), noon() - days(1), noon() + days(1));
        assert_eq!(still_before(due, due, Some(&answered(due, ""))), None, "the very second is enough");
        assert_eq!(still_before(due, after, Some(&answered(after, ""))), None);
        let ahead = still_before(due, after, Some(&answered(before, "")));
        assert_eq!(ahead, Some(before), "this machine's clock is ahead");
        let behind = still_before(due, before, Some(&answered(after, "")));
        assert_eq!(behind, Some(before), "the endpoint's clock is ahead");
    }

    #[test]
    fn an_endpoint_that_does_not_date_its_answers_leaves_this_machines_clock() {
        let (due, before) = (noon(), noon() - days(1));
        let undated = exchange("POST /messageexchange/A", 200, "");
        for last in [None, Some(&undated)] {
            assert_eq!(still_before(due, due, last), None);
            assert_eq!(still_before(due, before, last), Some(before));
        }
    }

    #[test]
    fn only_an_emulator_is_believed_that_its_clock_was_moved() {
        let (now, due) = (noon(), noon() + days(5));
        let emulated = answered(due, MOVED);
        assert_eq!(still_before(due, now, Some(&emulated)), None);
        assert_eq!(still_before(due + days(1), now, Some(&emulated)), Some(due), "moved, and not enough");
        let claimed = answered(due, "Server: nginx\r\nx-mesh-witness-clock-moved: 432000\r\n");
        assert_eq!(still_before(due, now, Some(&claimed)), Some(now));
        let undated = answered(now, MOVED);
        assert_eq!(still_before(due, now, Some(&undated)), Some(now), "its Date must agree");
    }

    #[test]
    fn what_was_sent_was_sent_at_the_endpoints_time() {
        assert_eq!(time_at_endpoint(&answered(noon(), "")), noon());
        assert_eq!(time_at_endpoint(&answered(noon(), MOVED)), noon() + days(5));
    }
}
