//! How values are written: times, durations, sizes, and text that cannot do harm where it stands.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::{
    runner::{Deviation, Fault},
    tape::printable,
};

/// UTC to the second, as servers log it: `2026-11-21T12:03:04Z`.
#[must_use]
pub fn second(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// UTC to the millisecond: `2026-11-21T12:03:04.123Z`.
pub(super) fn millisecond(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time to the microsecond, where it is known so well: what programs reckon with.
pub(super) fn microsecond(at: DateTime<Utc>) -> String {
    let is_whole = at.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    at.to_rfc3339_opts(if is_whole { SecondsFormat::Millis } else { SecondsFormat::Micros }, true)
}

/// A duration in the unit that suits it: `0.42 ms`, `120 ms`, `12.5 s`, `3 min 7 s`.
pub(super) fn duration(of: Duration) -> String {
    let seconds = of.as_secs();
    if seconds >= 60 {
        format!("{} min {} s", grouped(seconds / 60), seconds % 60)
    } else if seconds >= 1 {
        format!("{:.1} s", of.as_secs_f64())
    } else if of.as_millis() >= 100 {
        format!("{} ms", of.as_millis())
    } else {
        format!("{:.2} ms", of.as_secs_f64() * 1000.0)
    }
}

/// How far a clock was moved: `5 days`, `-1 day`, `3 h`, `90 s`.
pub(super) fn moved(by: TimeDelta) -> String {
    let (days, hours, seconds) = (by.num_days(), by.num_hours(), by.num_seconds());
    if seconds == days * 86_400 {
        format!("{days} day{}", plural(days.unsigned_abs()))
    } else if seconds == hours * 3600 {
        format!("{hours} h")
    } else {
        format!("{seconds} s")
    }
}

/// A failure that was expected: until when, why, where that is written, and who sees to it.
pub(super) fn deviation(of: &Deviation) -> String {
    let Deviation { reason, reference, owner, expires, .. } = of;
    let reason = reason.trim_end_matches('.');
    format!("Expected until {expires}: {reason}. Source: {reference}. Seen to by {owner}.")
}

/// All that a person needs to mend it, a part a line.
pub(super) fn fault(of: &Fault) -> String {
    let mut lines = vec![of.what.clone()];
    let parts = [
        ("expected", of.expected.as_deref()),
        ("seen", of.seen.as_deref()),
        ("to mend it", Some(of.remedy.as_str())),
        ("demanded by", of.source.as_deref()),
    ];
    lines.extend(parts.into_iter().filter_map(|(label, text)| Some(format!("{label}: {}", text?))));
    lines.join("\n")
}

/// The time between two moments; none when the clock was set back in between.
pub(super) fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from).to_std().unwrap_or_default()
}

/// A number with commas between thousands: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A size in bytes: `1 byte`, `1,234 bytes`.
pub(super) fn bytes(size: u64) -> String {
    format!("{} byte{}", grouped(size), plural(size))
}

/// The `s` of a plural.
pub(super) fn plural(number: u64) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// One line that is safe to show anywhere: control characters, line breaks and characters that
/// reorder or hide text are written out. What the tape made printable stays as it is.
pub(super) fn line(text: &str) -> String {
    printable(text.as_bytes())
}

/// As [`line`], but line breaks stay.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The beginning of a text, at most `limit` bytes of it, and how many bytes were left off.
pub(super) fn clip(text: &str, limit: usize) -> (&str, usize) {
    let end = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    (&text[..end], text.len() - end)
}

/// Text for XML: what XML 1.0 has no place for is written out, as `\u{1b}`.
pub(super) fn xml(text: &str) -> String {
    lines(text).chars().filter(|character| is_xml(*character)).collect()
}

/// Text for a CDATA section, which `]]>` would end.
pub(super) fn cdata(text: &str) -> String {
    xml(text).replace("]]>", "]]]]><![CDATA[>")
}

/// `Char` of XML 1.0.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_for_people() {
        let at = DateTime::from_timestamp_millis(1_795_262_584_123).unwrap();
        assert_eq!(second(at), "2026-11-21T12:03:04Z");
        assert_eq!(millisecond(at), "2026-11-21T12:03:04.123Z");
        for (milliseconds, shown) in
            [(0, "0.00 ms"), (99, "99.00 ms"), (999, "999 ms"), (12_500, "12.5 s"), (187_000, "3 min 7 s")]
        {
            assert_eq!(duration(Duration::from_millis(milliseconds)), shown);
        }
        for (size, shown) in
            [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_234_567, "1,234,567 bytes")]
        {
            assert_eq!(bytes(size), shown);
        }
        assert_eq!(between(at, at - chrono::TimeDelta::seconds(1)), Duration::ZERO);
    }

    #[test]
    fn a_clip_does_not_cut_a_character() {
        assert_eq!(clip("abc", 3), ("abc", 0));
        assert_eq!(clip("aé", 2), ("a", 2));
    }

    #[test]
    fn hidden_characters_are_written_out_and_line_breaks_stay_where_they_may() {
        assert_eq!(line("a\nb\u{202e}"), "a\\u{a}b\\u{202e}");
        assert_eq!(lines("a\r\nb\x1b"), "a\nb\\u{1b}");
    }

    #[test]
    fn every_character_becomes_one_that_xml_has() {
        for character in char::MIN..=char::MAX {
            let shown = xml(&character.to_string());
            assert!(shown.chars().all(is_xml), "{character:?} became {shown:?}");
        }
        assert_eq!(xml("a\x1bb\u{fffe}"), "a\\u{1b}b\\u{fffe}");
    }

    #[test]
    fn nothing_ends_a_cdata_section_early() {
        let shown = format!("<![CDATA[{}]]>", cdata("]]>]]>"));
        assert_eq!(shown, "<![CDATA[]]]]><![CDATA[>]]]]><![CDATA[>]]>");
    }
}
