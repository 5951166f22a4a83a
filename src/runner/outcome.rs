//! What came of a step, a scenario and a whole run.

/// What came of a scenario or a step. Strictly apart: only [`Failed`](Self::Failed) counts against
/// the thing under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it must be.
    Passed,
    /// The thing under test is wrong.
    Failed,
    /// It is as it must be, and not as it should be.
    Warning,
    /// A named person said so; nothing was measured.
    Attested,
    /// It does not concern this product or this endpoint, and why.
    NotApplicable(String),
    /// Not played, and why.
    NotRun(String),
    /// The harness, the configuration or the environment broke.
    Error,
}

/// What came of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that counts was played and is as it must be, and there was something.
    Passed,
    /// Something under test is wrong, or a deviation that was expected is not there any more.
    Failed,
    /// Nothing is known to be wrong with the product, but not everything could be judged.
    Error,
    /// Nothing went wrong, but something that counts was not played.
    Incomplete,
    /// The run was cut short before anything was found wrong.
    CutShort,
}

impl Outcome {
    /// One of each, for counting; reasons are empty.
    pub const EACH: [Self; 7] = [
        Self::Passed,
        Self::Failed,
        Self::Warning,
        Self::Attested,
        Self::NotApplicable(String::new()),
        Self::NotRun(String::new()),
        Self::Error,
    ];

    /// The word for it, as everywhere in the bundle.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warning => "warning",
            Self::Attested => "attested",
            Self::NotApplicable(_) => "not applicable",
            Self::NotRun(_) => "not run",
            Self::Error => "error",
        }
    }

    /// Why it was not played or does not apply.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::NotApplicable(reason) | Self::NotRun(reason) => Some(reason),
            Self::Passed | Self::Failed | Self::Warning | Self::Attested | Self::Error => None,
        }
    }

    /// Whether it was played, or said by a person, and is as it must be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Passed | Self::Warning | Self::Attested)
    }

    /// Whether it is the same outcome; reasons make no difference.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Verdict {
    /// The word for it, as everywhere in the bundle.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Incomplete => "incomplete",
            Self::CutShort => "cut short",
        }
    }
}
