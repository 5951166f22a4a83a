//! Connections to an endpoint that nobody should trust.

use super::brief;
use crate::{report::text, runner::RunRecord, tape::Attempt};

/// How many are shown of a scenario: a product may try for as long as it is let.
const SHOWN: usize = 20;

/// Those of a scenario.
pub(super) struct Attempts {
    pub(super) shown: Vec<AttemptRow>,
    pub(super) more: usize,
}

/// One of them.
pub(super) struct AttemptRow {
    pub(super) millisecond: String,
    pub(super) wrong: String,
    /// What the certificate says of itself.
    pub(super) certificate: Option<String>,
    pub(super) server_name: String,
    pub(super) outcome: String,
    /// Whether anything came over it.
    pub(super) is_bad: bool,
}

impl Attempts {
    /// `None` for a scenario without any.
    pub(super) fn of(record: &RunRecord, scenario: usize) -> Option<Self> {
        let own = || record.attempts.iter().filter(|attempt| attempt.scenario.0 == scenario);
        let count = own().count();
        // What came over one is not left out for others that were refused.
        let mut shown: Vec<&Attempt> =
            own().map(AsRef::as_ref).filter(|attempt| attempt.received > 0).collect();
        shown.extend(own().map(AsRef::as_ref).filter(|attempt| attempt.received == 0));
        shown.truncate(SHOWN);
        shown.sort_by_key(|attempt| attempt.began);
        let more = count - shown.len();
        (count > 0).then(|| Self { shown: shown.into_iter().map(AttemptRow::of).collect(), more })
    }
}

impl AttemptRow {
    fn of(attempt: &Attempt) -> Self {
        let certificate = attempt.certificate.as_ref().map(|certificate| {
            brief(&format!(
                "{}, issued by {}, valid from {} to {}, SHA-256 {}",
                certificate.subject,
                certificate.issuer,
                text::second(certificate.not_before),
                text::second(certificate.not_after),
                certificate.fingerprint
            ))
        });
        Self {
            millisecond: text::millisecond(attempt.began),
            wrong: brief(&attempt.wrong),
            certificate,
            server_name: attempt.server_name.as_deref().map_or_else(|| "no name".to_owned(), brief),
            outcome: brief(&attempt.to_string()),
            is_bad: attempt.received > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::*;

    #[test]
    fn what_came_is_shown_however_many_were_refused() {
        let mut record = fixtures::with_attempts();
        let refused = record.attempts[0].clone();
        let last = record.attempts.pop().unwrap();
        record.attempts.extend(std::iter::repeat_n(refused, 100));
        record.attempts.push(last);
        let attempts = Attempts::of(&record, 0).unwrap();
        assert_eq!((attempts.shown.len(), attempts.more), (SHOWN, 83));
        assert_eq!(attempts.shown.iter().filter(|row| row.is_bad).count(), 2);
        assert!(Attempts::of(&record, 1).is_none());
    }

    #[test]
    fn the_page_says_what_was_presented_and_what_became_of_it() {
        let page = String::from_utf8(super::super::render(&fixtures::with_attempts()).unwrap()).unwrap();
        for words in [
            "a certificate of another authority",
            "CN=somebody else&#39;s CA",
            "the handshake was not completed; the client ended it with the alert unknown_ca",
            "the handshake was completed, and 512 bytes came; the client closed it",
            "700 bytes came, without TLS",
        ] {
            assert!(page.contains(words), "{words}");
        }
    }
}
