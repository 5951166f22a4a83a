//! Times as they are written in identifiers, logs and `Date`. Every call has several, so a second is written once
//! for all that a thread writes in it.

use std::{
    cell::RefCell,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use http::HeaderValue;

use crate::protocol::TokenTimestamp;

/// A second, in each form in which it is written.
struct Second {
    of: i64,
    /// Year to second.
    digits: String,
    /// RFC 3339, without what follows the seconds.
    rfc_3339: String,
    date: HeaderValue,
}

thread_local! {
    /// The last that was written.
    static SECOND: RefCell<Option<Second>> = const { RefCell::new(None) };
}

/// A time to the microsecond in twenty digits, as identifiers that MESH gives begin with.
pub fn in_digits(at: DateTime<Utc>) -> String {
    let mut text = String::with_capacity(32);
    of_second(at, |second| text.push_str(&second.digits));
    push_number::<6>(&mut text, at.timestamp_subsec_micros());
    text
}

/// A time to the millisecond, as RFC 3339 has it.
pub fn rfc_3339(at: DateTime<Utc>) -> String {
    let mut text = String::with_capacity(32);
    of_second(at, |second| text.push_str(&second.rfc_3339));
    text.push('.');
    push_number::<3>(&mut text, at.timestamp_subsec_millis());
    text.push('Z');
    text
}

/// A time as the value of `Date`.
pub fn date(at: DateTime<Utc>) -> HeaderValue {
    of_second(at, |second| second.date.clone())
}

fn of_second<R>(at: DateTime<Utc>, take: impl FnOnce(&Second) -> R) -> R {
    SECOND.with_borrow_mut(|second| {
        let second = match second {
            Some(second) if second.of == at.timestamp() => second,
            other => other.insert(Second::write(at)),
        };
        take(second)
    })
}

impl Second {
    fn write(at: DateTime<Utc>) -> Self {
        let of = at.timestamp();
        let rfc_3339 = at.to_rfc3339_opts(SecondsFormat::Secs, true).trim_end_matches('Z').to_owned();
        // To the minute as in a token.
        let digits = format!("{}{:02}", TokenTimestamp::at(at), of.rem_euclid(60));
        let date = HeaderValue::try_from(http_date(of)).unwrap_or(HeaderValue::from_static(""));
        Self { of, digits, rfc_3339, date }
    }
}

/// As RFC 9110 has it, which writes no years before 1970 or beyond 9999. A clock that was moved out of them
/// stands at their edge in `Date`; how far it was moved is said beside it.
fn http_date(second: i64) -> String {
    const LAST: u64 = 253_402_300_799;
    let second = u64::try_from(second).unwrap_or_default().min(LAST);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

/// Writes the last so many digits of a number, with zeros in front. In a leap second the parts of a second go
/// beyond it, and begin anew.
fn push_number<const DIGITS: usize>(text: &mut String, mut number: u32) {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
    text.push_str(str::from_utf8(&digits).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_in_digits_has_twenty_and_its_parts_in_order() {
        let at = DateTime::from_timestamp_micros(1_590_767_637_895_317).unwrap();
        assert_eq!(in_digits(at), "20200529155357895317");
        let before_1970 = DateTime::from_timestamp(-1, 0).unwrap();
        assert_eq!(in_digits(before_1970), "19691231235959000000");
    }

    #[test]
    fn a_time_is_written_whatever_the_clock_shows() {
        let written = |seconds| date(DateTime::from_timestamp(seconds, 0).unwrap());
        assert_eq!(written(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(written(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(written(DateTime::<Utc>::MAX_UTC.timestamp()), "Fri, 31 Dec 9999 23:59:59 GMT");
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert_eq!(rfc_3339(at), at.to_rfc3339_opts(SecondsFormat::Millis, true));
            assert!(in_digits(at).len() >= 20);
        }
    }

    proptest! {
        #[test]
        fn what_was_written_before_makes_no_difference(
            times in prop::collection::vec((1_700_000_000_i64..1_700_000_003, 0..1_000_000_000_u32), 1..20),
            moved in prop::sample::select(vec![0, -86_400, 31_536_000]),
        ) {
            for (seconds, nanoseconds) in times {
                let at = DateTime::from_timestamp(seconds, nanoseconds).unwrap() + TimeDelta::seconds(moved);
                prop_assert_eq!(rfc_3339(at), at.to_rfc3339_opts(SecondsFormat::Millis, true));
                prop_assert_eq!(in_digits(at), at.format("%Y%m%d%H%M%S%6f").to_string());
                let date_alone = at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                prop_assert_eq!(date(at), date_alone.as_str());
            }
        }
    }
}
