//! What is wrong, where that is demanded, and how to mend it.

use std::fmt;

/// Why something did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whose fault it is.
    pub kind: FaultKind,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What was expected, where there is something to compare.
    pub expected: Option<String>,
    /// What was seen instead.
    pub seen: Option<String>,
    /// How to mend it.
    pub remedy: String,
    /// Which document demands it: an operation of the OpenAPI or a case of the pack.
    pub source: Option<String>,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The product's, or its account's.
    Product,
    /// The call's or the configuration's.
    Configuration,
    /// The endpoint's or the environment's.
    Endpoint,
    /// The endpoint's, in a scenario in which the endpoint is what is under test.
    EndpointUnderTest,
    /// Our own.
    Harness,
}

impl Fault {
    /// A fault of which only what is wrong and how to mend it is known yet.
    #[must_use]
    pub fn new(kind: FaultKind, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, what: what.into(), expected: None, seen: None, remedy: remedy.into(), source: None }
    }

    /// Adds what was expected and what was seen.
    #[must_use]
    pub fn comparing(mut self, expected: impl Into<String>, seen: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.seen = Some(seen.into());
        self
    }

    /// Adds which document demands it.
    #[must_use]
    pub fn from_source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }
}

impl FaultKind {
    /// The word for it, as everywhere in the bundle.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Configuration => "configuration",
            Self::Endpoint => "endpoint",
            Self::EndpointUnderTest => "endpoint under test",
            Self::Harness => "harness",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
