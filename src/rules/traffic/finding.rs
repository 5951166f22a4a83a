//! What a rule found.

use chrono::{DateTime, Utc};

use super::{Call, Rule};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// It may be right, or is only recommended otherwise.
    Warning,
    /// It is wrong.
    Broken,
}

/// One thing that is not as it should be. Holds no secret, and nothing that identifies a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// How to mend it, where that differs from the rule's own remedy.
    pub remedy: Option<&'static str>,
    /// When it came about, UTC.
    pub at: DateTime<Utc>,
    /// Whose mailbox it was.
    pub mailbox: Option<String>,
    /// Which message it was about.
    pub message: Option<String>,
    /// Numbers of the exchanges that show it, ascending.
    pub exchanges: Vec<usize>,
}

impl Finding {
    /// A finding about some calls, of which the last shows it. There must be one.
    pub(super) fn about(calls: &[&Call], grade: Grade, what: impl Into<String>) -> Self {
        let last = calls.last();
        let mut exchanges: Vec<usize> = calls.iter().map(|call| call.number).collect();
        exchanges.sort_unstable();
        exchanges.dedup();
        Self {
            grade,
            what: what.into(),
            expected: String::new(),
            seen: String::new(),
            remedy: None,
            at: last.map_or(DateTime::UNIX_EPOCH, |call| call.started_at()),
            mailbox: last.and_then(|call| call.mailbox.clone()),
            message: last.and_then(|call| call.message().map(str::to_owned)),
            exchanges,
        }
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    pub(super) fn seen(mut self, seen: impl Into<String>) -> Self {
        self.seen = seen.into();
        self
    }

    pub(super) fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

/// How to mend each of a rule's findings, told at the last of those that are mended alike and follow one
/// another: told with each, a remedy would stand there hundreds of times.
#[must_use]
pub fn remedies(rule: &Rule, findings: &[Finding]) -> Vec<Option<&'static str>> {
    let of = |finding: &Finding| finding.remedy.unwrap_or(rule.remedy);
    let next = findings.iter().skip(1).map(|next| Some(of(next))).chain([None]);
    findings.iter().zip(next).map(|(own, next)| Some(of(own)).filter(|_| next != Some(of(own)))).collect()
}

/// What a rule looked at and what it made of it.
#[derive(Debug, Default)]
pub(super) struct Examined {
    /// How many things it could judge: calls, messages or days, whatever it is about.
    pub looked_at: usize,
    /// What was not right.
    pub findings: Vec<Finding>,
    /// Why other things could not be judged, each reason with how many.
    pub unjudged: Vec<(String, usize)>,
}

impl Examined {
    /// One more thing was judged.
    pub fn look(&mut self) {
        self.looked_at += 1;
    }

    /// A finding.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// One more thing could not be judged.
    pub fn pass_over(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        match self.unjudged.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.unjudged.push((reason, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RULES;
    use super::*;

    #[test]
    fn a_remedy_is_told_at_the_last_of_those_that_it_mends() {
        let rule = &RULES[0];
        let finding = |remedy| Finding { remedy, ..Finding::about(&[], Grade::Broken, "what") };
        let (own, other) = (Some(rule.remedy), Some("other"));
        for (of, told) in [
            (vec![], vec![]),
            (vec![None, None, None], vec![None, None, own]),
            (vec![other, other], vec![None, other]),
            (vec![None, other, other, None], vec![own, None, other, own]),
        ] {
            let findings: Vec<Finding> = of.into_iter().map(finding).collect();
            assert_eq!(remedies(rule, &findings), told);
        }
    }
}
