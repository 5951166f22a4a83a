//! The timestamp: its form, and how far it is from the time.

use chrono::{Datelike, TimeDelta, Timelike};

use super::{Against, Standing, TokenPart, characters};
use crate::{
    protocol::TokenTimestamp,
    rules::traffic::{Grade, judge_offset, shown},
    tape::TokenFault,
};

/// Clocks that differ by less are taken to agree, as in the rules over recorded traffic.
const CLOSE: TimeDelta = TimeDelta::minutes(5);

pub(super) fn timestamp(text: &str, against: &Against<'_>) -> TokenPart {
    match TokenTimestamp::parse(text) {
        Ok(timestamp) => distance(timestamp, against),
        Err(_) => {
            let part = TokenPart::wrong("timestamp", form(text), TokenFault::Timestamp.demand());
            part.mend("Take the time in UTC and write year, month, day, hour of 24 and minute, twelve digits with nothing between.")
        }
    }
}

/// What is wrong with a text that is no timestamp.
fn form(text: &str) -> String {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let reads = |text: String| TokenTimestamp::parse(&text).is_ok();
    // Twelve digits; year, and then what should be month and day.
    let swapped = || match (text.get(..4), text.get(4..6), text.get(6..8), text.get(8..)) {
        (Some(year), Some(first), Some(second), Some(rest)) => format!("{year}{second}{first}{rest}"),
        _ => String::new(),
    };
    match text.len() {
        0 => "it is empty".to_owned(),
        14 if is_digits && reads(text.chars().take(12).collect()) => "it has seconds".to_owned(),
        12 if is_digits && reads(swapped()) => "month and day are swapped".to_owned(),
        12 if is_digits => "there is no such date or time".to_owned(),
        10 if is_digits => "it is seconds since 1970, or has two digits for the year".to_owned(),
        13 if is_digits => "it is milliseconds since 1970".to_owned(),
        8 if is_digits => "it is a date without a time".to_owned(),
        _ if text.contains(['-', '/', '.', ':', 'T', ' ']) => {
            "it has something between the digits, as other formats have".to_owned()
        }
        _ => format!("it has {}", characters(text)),
    }
}

fn distance(timestamp: TokenTimestamp, against: &Against<'_>) -> TokenPart {
    let clock = TokenTimestamp::at(against.made_at.unwrap_or(against.now));
    let off = timestamp.time() - clock.time();
    let standing = |grade| match grade {
        Grade::Broken => Standing::Wrong,
        Grade::Warning => Standing::Doubtful,
    };
    if off.abs() <= CLOSE {
        return TokenPart::right("timestamp", format!("{timestamp}, {}", ago(off)));
    }
    // A token may be older than its explanation, but not younger.
    let is_old = against.made_at.is_none() && off < TimeDelta::zero();
    let (standing, what, remedy) = if is_old && off.abs() <= TokenTimestamp::WINDOW {
        let what = "the token is some time old, or the clock by which it was made is behind";
        let remedy = "Make a token directly before its request. If this one was, synchronise the clock (NTP). --at says when it was made.";
        (Standing::Doubtful, what, remedy)
    } else if is_old {
        let what = "it is outside the two hours that MESH allows";
        let remedy = "Make a new token for each request. If this one was new, its time is not UTC, or the clock is wrong: --at says when it was made.";
        (Standing::Wrong, what, remedy)
    } else if let Some((grade, what, remedy)) = judge_offset(off) {
        let remedy = remedy
            .unwrap_or("Take the time in UTC when the request is made, and synchronise the clock (NTP).");
        (standing(grade), what, remedy)
    } else {
        return TokenPart::right("timestamp", format!("{timestamp}, {}", ago(off)));
    };
    TokenPart {
        name: "timestamp",
        standing,
        what: what.to_owned(),
        expected: Some(format!("{clock}, give or take a few minutes")),
        seen: Some(format!("{timestamp}, {}", ago(off))),
        remedy: Some([remedy, hint(timestamp, off, against)].join(" ").trim_end().to_owned()),
    }
}

/// What else would explain such a distance.
fn hint(timestamp: TokenTimestamp, off: TimeDelta, against: &Against<'_>) -> &'static str {
    let time = timestamp.time();
    let is_near = |of: TimeDelta| (off - of).abs() <= CLOSE;
    if is_near(TimeDelta::hours(-12)) && time.hour() <= 12 {
        "Twelve hours behind is also what hh in a format gives, the hour of a clock of twelve: HH is the hour of 24."
    } else if time.minute() == time.month() && off.abs() < TimeDelta::hours(1) {
        "The minutes are the number of the month: in a format, MM is the month and mm are the minutes."
    } else if against.made_at.is_none() && off > TimeDelta::zero() && off < TimeDelta::hours(1) {
        "It may be British Summer Time all the same, an hour ahead of UTC, if the token was made a while ago: --at says when."
    } else {
        ""
    }
}

fn ago(off: TimeDelta) -> String {
    if off.is_zero() {
        "to the minute".to_owned()
    } else if off > TimeDelta::zero() {
        format!("{} ahead of UTC", shown(off))
    } else {
        format!("{} behind UTC", shown(off))
    }
}
