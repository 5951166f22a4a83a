//! Workflow IDs and the inbox filter over them.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A workflow ID: 1 to 300 visible characters or spaces (limit of `Mex-WorkflowID`; integration
/// has accepted free text with spaces).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkflowId(String);

/// Why a text is not a workflow ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to 300 printable ASCII characters")]
pub struct WorkflowIdError;

impl WorkflowId {
    /// Reads a workflow ID.
    ///
    /// # Errors
    /// [`WorkflowIdError`] when it is empty, too long, or has a character no header can carry.
    pub fn parse(text: &str) -> Result<Self, WorkflowIdError> {
        let printable = text.bytes().all(|b| matches!(b, b' '..=b'~')) && text.trim() == text;
        let right = (1..=300).contains(&text.len()) && printable;
        if right { Ok(Self(text.to_owned())) } else { Err(WorkflowIdError) }
    }

    /// The ID as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkflowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `workflow_filter` of an inbox check: equal, beginning with, containing, or not.
///
/// ```
/// use mesh_witness::protocol::{WorkflowFilter, WorkflowId};
/// let filter: WorkflowFilter = "!*_ACK*".parse()?;
/// assert!(filter.admits(&WorkflowId::parse("TEST_WORKFLOW").unwrap()));
/// assert!(!filter.admits(&WorkflowId::parse("TEST_WORKFLOW_ACK").unwrap()));
/// # Ok::<(), mesh_witness::protocol::WorkflowFilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowFilter {
    negated: bool,
    pattern: Pattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Equals(String),
    BeginsWith(String),
    Contains(String),
}

/// Why a text is not a workflow filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WorkflowFilterError {
    /// Outside the OpenAPI's limits.
    #[error("must have 2 to 255 characters")]
    Length,
    /// A star where none of the six documented forms has one.
    #[error("must be one of W, W*, *W*, !W, !W*, !*W*")]
    Form,
}

impl WorkflowFilter {
    /// Reads a filter as mesh-sandbox 1.0.137 does, which takes any text and loses the last character
    /// of what begins with a star.
    #[must_use]
    pub fn of_any_form(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self { negated: false, pattern: Pattern::Contains(String::new()) };
        }
        let (negated, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let shortened = |inner: &str| {
            let mut inner = inner.to_owned();
            inner.pop();
            inner
        };
        let inner = rest.strip_prefix('*').map(shortened);
        let word = inner.as_deref().unwrap_or(rest);
        let pattern = match (word.strip_suffix('*'), &inner) {
            (Some(begin), _) => Pattern::BeginsWith(begin.to_owned()),
            (None, Some(inner)) => Pattern::Contains(inner.clone()),
            (None, None) => Pattern::Equals(word.to_owned()),
        };
        Self { negated, pattern }
    }

    /// Whether a message with this workflow ID is listed.
    #[must_use]
    pub fn admits(&self, workflow: &WorkflowId) -> bool {
        let workflow = workflow.as_str();
        let matches = match &self.pattern {
            Pattern::Equals(text) => workflow == text,
            Pattern::BeginsWith(text) => workflow.starts_with(text.as_str()),
            Pattern::Contains(text) => workflow.contains(text.as_str()),
        };
        matches != self.negated
    }
}

impl FromStr for WorkflowFilter {
    type Err = WorkflowFilterError;

    fn from_str(text: &str) -> Result<Self, WorkflowFilterError> {
        if !(2..=255).contains(&text.chars().count()) {
            return Err(WorkflowFilterError::Length);
        }
        let (negated, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let pattern = match (rest.strip_prefix('*'), rest.strip_suffix('*')) {
            (None, None) => Pattern::Equals(rest.to_owned()),
            (None, Some(begin)) => Pattern::BeginsWith(begin.to_owned()),
            (Some(inner), Some(_)) => {
                Pattern::Contains(inner.strip_suffix('*').ok_or(WorkflowFilterError::Form)?.to_owned())
            }
            (Some(_), None) => return Err(WorkflowFilterError::Form),
        };
        let (Pattern::Equals(word) | Pattern::BeginsWith(word) | Pattern::Contains(word)) = &pattern;
        if word.is_empty() || word.contains('*') {
            return Err(WorkflowFilterError::Form);
        }
        Ok(Self { negated, pattern })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn admits(filter: &str, workflow: &str) -> bool {
        filter.parse::<WorkflowFilter>().unwrap().admits(&WorkflowId::parse(workflow).unwrap())
    }

    #[test]
    fn the_six_documented_forms() {
        assert!(admits("WORKFLOW1", "WORKFLOW1") && !admits("WORKFLOW1", "WORKFLOW12"));
        assert!(!admits("!WORKFLOW1", "WORKFLOW1") && admits("!WORKFLOW1", "WORKFLOW12"));
        assert!(admits("WORKFL*", "WORKFLOW1") && !admits("WORKFL*", "A_WORKFLOW1"));
        assert!(!admits("!WORKFL*", "WORKFLOW1") && admits("!WORKFL*", "A_WORKFLOW1"));
        assert!(admits("*_ACK*", "A_ACK") && admits("*_ACK*", "A_ACK_B") && !admits("*_ACK*", "A"));
        assert!(!admits("!*_ACK*", "A_ACK") && admits("!*_ACK*", "A"));
    }

    #[test]
    fn what_is_not_documented_is_not_a_filter() {
        for (text, error) in [
            ("", WorkflowFilterError::Length),
            ("A", WorkflowFilterError::Length),
            ("*_ACK", WorkflowFilterError::Form),
            ("**", WorkflowFilterError::Form),
            ("!*", WorkflowFilterError::Form),
            ("A*B", WorkflowFilterError::Form),
            ("A**", WorkflowFilterError::Form),
        ] {
            assert_eq!(text.parse::<WorkflowFilter>(), Err(error), "{text:?}");
        }
        assert_eq!("A".repeat(256).parse::<WorkflowFilter>(), Err(WorkflowFilterError::Length));
    }

    proptest! {
        #[test]
        fn a_negated_filter_admits_exactly_what_the_plain_one_does_not(
            word in "[A-Z_]{2,10}", form in 0..3, workflow in "[A-Z_]{1,20}",
        ) {
            let plain = match form { 0 => word, 1 => format!("{word}*"), _ => format!("*{word}*") };
            prop_assert_ne!(admits(&plain, &workflow), admits(&format!("!{plain}"), &workflow));
        }

        #[test]
        fn no_text_stops_the_parser(text in "\\PC{0,300}") {
            let _ = text.parse::<WorkflowFilter>();
        }
    }
}
