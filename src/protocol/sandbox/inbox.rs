//! Queries of the inbox, and of the lists that only mesh-sandbox has.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use http::StatusCode;

use super::{Flaw, Refused};
use crate::protocol::{InboxQuery, MessageId, WorkflowFilter};

/// What is asked of a rich inbox or outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RichQuery {
    /// Longest page wanted.
    pub max_results: usize,
    /// Nothing older.
    pub since: Option<DateTime<Utc>>,
    /// Where the page before ended, as `links.next` had it.
    pub continue_from: Option<String>,
}

/// Reads the query of "Check an inbox", undecoded, without the `?`.
///
/// # Errors
/// 400 with everything that is out of its limits.
pub fn inbox_query(query: &str) -> Result<InboxQuery, Refused> {
    let (mut flaws, mut read) = (Vec::new(), InboxQuery::whole());
    if let Some(text) = last(query, "max_results") {
        match Flaw::number("query", "max_results", &text, 10, 5000) {
            Ok(number) => read.max_results = usize::try_from(number).unwrap_or_default(),
            Err(flaw) => flaws.push(flaw),
        }
    }
    read.continue_from = last(query, "continue_from");
    flaws.extend(length("continue_from", read.continue_from.as_deref(), 24, 1000));
    let filter = last(query, "workflow_filter");
    flaws.extend(length("workflow_filter", filter.as_deref(), 2, 255));
    if !flaws.is_empty() {
        return Err(Refused::flaws(flaws));
    }
    Ok(match filter {
        Some(text) => read.filtered(WorkflowFilter::of_any_form(&text), text),
        None => read,
    })
}

/// Reads the `messageID` of a tracking query, undecoded, without the `?`, in either case.
///
/// # Errors
/// 400 when there is none, 404 when it can be no message's.
pub fn tracking_query(query: &str) -> Result<MessageId, Refused> {
    let name = "messageID";
    let given = last(query, name).ok_or_else(|| Refused::flaws(vec![Flaw::missing("query", name)]))?;
    if let Some(flaw) = length(name, Some(&given), 1, usize::MAX) {
        return Err(Refused::flaws(vec![flaw]));
    }
    MessageId::parse(&given.to_uppercase()).map_err(|_| Refused::words(StatusCode::NOT_FOUND, "Not Found"))
}

impl RichQuery {
    /// Reads the query of a rich list, undecoded, without the `?`.
    ///
    /// # Errors
    /// 400 with everything that is out of its limits.
    pub fn read(query: &str, least: i64, most: i64) -> Result<Self, Refused> {
        let mut flaws = Vec::new();
        let continue_from = last(query, "continue_from");
        flaws.extend(length("continue_from", continue_from.as_deref(), 24, 1000));
        let text = last(query, "max_results").unwrap_or_else(|| "100".to_owned());
        let number = Flaw::number("query", "max_results", &text, least, most);
        let max_results = number.map_err(|flaw| flaws.push(flaw)).unwrap_or_default();
        let no_time = |text: String| time(&text).ok_or_else(|| Flaw::no_time("query", "start_time", &text));
        let since = last(query, "start_time").map(no_time).transpose();
        let since = since.map_err(|flaw| flaws.push(flaw)).ok().flatten();
        if !flaws.is_empty() {
            return Err(Refused::flaws(flaws));
        }
        let max_results = usize::try_from(max_results).unwrap_or_default();
        Ok(Self { max_results, since, continue_from })
    }
}

/// Of a parameter that is there more than once, the last.
fn last(query: &str, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.filter(|(given, _)| given == name).last().map(|(_, value)| value.into_owned())
}

fn length(name: &str, text: Option<&str>, least: usize, most: usize) -> Option<Flaw> {
    Flaw::of_length("query", name, text?, least, most)
}

/// ISO 8601, with or without zone; without, it is UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let naive = || {
        let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
        let time = time.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"));
        time.map(|time| time.and_utc()).ok()
    };
    let date = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    zoned.ok().or_else(naive).or_else(date)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::{ApiVersion, WorkflowId};

    #[test]
    fn all_that_is_out_of_bounds_is_told_at_once() {
        let refused = inbox_query("max_results=9&continue_from=x&workflow_filter=T").unwrap_err();
        assert_eq!(refused.body(ApiVersion::V1).1["detail"].as_array().unwrap().len(), 3);
        assert_eq!(inbox_query("max_results=%2B10").unwrap().max_results, 10);
    }

    #[test]
    fn a_filter_may_have_any_form() {
        for (filter, workflow, admitted) in [
            ("*_ACKX", "W_ACK", true), // the last character is lost
            ("T*T", "TT", false),
            ("  ", "W", true),
            (" W ", "W", true),
            ("!*", "W", false),
            ("**", "W", true),
            ("W*", "W1", true),
            ("!W*", "W1", false),
            ("*_A*", "W_ACK", true),
            ("!W", "W", false),
        ] {
            let filter = WorkflowFilter::of_any_form(filter);
            assert_eq!(
                filter.admits(&WorkflowId::parse(workflow).unwrap()),
                admitted,
                "{filter:?} {workflow}"
            );
        }
    }

    #[test]
    fn a_time_is_read_with_and_without_zone() {
        for text in ["2026-11-21T10:00:00Z", "2026-11-21T10:00:00", "2026-11-21 10:00:00.5", "2026-11-21"] {
            assert!(time(text).is_some(), "{text}");
        }
        assert!(RichQuery::read("start_time=noon", 1, 2000).is_err());
        assert_eq!(RichQuery::read("", 1, 2000).unwrap().max_results, 100);
    }

    proptest! {
        #[test]
        fn no_query_stops_the_reader(query in "\\PC{0,200}") {
            let _ = inbox_query(&query);
            let _ = RichQuery::read(&query, 1, 2000);
        }
    }
}
