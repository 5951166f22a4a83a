//! What a run is told beyond its endpoint and its mailboxes: what the product does without, what
//! people have said, which deviations are known, and which earlier run it goes on with.

use std::{collections::BTreeSet, fmt, sync::Arc};

use chrono::{DateTime, NaiveDate, Utc};

use crate::protocol::MessageId;

/// What a run is told. The default is that of a run without a configuration.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Whether this is practice: no endpoint was configured, so nobody can be asked to attest anything.
    pub practice: bool,
    /// Optional parts of the pack that the product does without.
    pub without: BTreeSet<Optional>,
    /// How large the messages of cases 501 and 502 are.
    pub chunking: Chunking,
    /// What people have said.
    pub attestations: Vec<Attestation>,
    /// Failures that are known.
    pub deviations: Vec<Deviation>,
    /// The earlier run that this one goes on with.
    pub resumed: Option<Resumed>,
    /// Who can be asked to do something outside, such as having a mailbox disabled.
    pub operator: Option<Operator>,
}

/// A part of the pack that may be left out, which becomes a limitation on the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Optional {
    /// Cases 202 and 402.
    Compression,
    /// Cases 501 and 502.
    Chunking,
}

/// How large the messages of cases 501 and 502 are, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunking {
    /// The whole message. The pack asks for more than 200 MB.
    pub message_bytes: u64,
    /// Each chunk but the last. One request may carry 100 MB (OpenAPI, "Outbox workflow").
    pub chunk_bytes: u64,
}

/// What a named person said of a case that cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The case, such as `801`.
    pub case: String,
    /// Who said it.
    pub name: String,
    /// As what.
    pub role: String,
    /// What they said.
    pub statement: String,
    /// When: a day, or a moment to the second, in UTC.
    pub date: String,
    /// Whether it was said on the terminal or in a file.
    pub given: Given,
}

/// How an attestation was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// On the terminal, when the run began.
    Terminal,
    /// In the file that was named.
    File,
}

/// A failure that is known, by whom it is owned and until when it is put up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// What it is about.
    pub of: DeviationOf,
    /// Why it is there.
    pub reason: String,
    /// Where that is written: a ticket, a letter, a section of a document.
    pub reference: String,
    /// Who sees to it.
    pub owner: String,
    /// The last day on which it is put up with, in UTC.
    pub expires: NaiveDate,
}

/// What a deviation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviationOf {
    /// Every scenario of a requirement.
    Requirement(String),
    /// The scenario of a case.
    Case(String),
    /// The scenario of this title.
    Scenario(String),
    /// The rule of this ID.
    Rule(String),
}

/// An earlier run, whose bundle was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// Its run ID.
    pub run_id: String,
    /// What it left to be done.
    pub pending: Vec<Pending>,
}

/// A message of which something is expected days later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The case.
    pub case: String,
    /// The message.
    pub message: MessageId,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// From when on there is something to be seen.
    pub due: DateTime<Utc>,
}

/// A person at a terminal.
pub trait Person: Send + Sync {
    /// Asks them to do something and to say whether it was done. May block until they have answered.
    fn confirms(&self, request: &str) -> bool;

    /// Tells them how far it is.
    fn tell(&self, progress: &str);
}

/// Whoever runs this, where there is a terminal.
#[derive(Clone)]
pub struct Operator(Arc<dyn Person>);

impl Operator {
    /// This person.
    pub fn new(person: impl Person + 'static) -> Self {
        Self(Arc::new(person))
    }

    /// Asks them to do something and to say whether it was done. While nobody answers, the run can still
    /// be cut short.
    pub async fn confirms(&self, request: String) -> bool {
        let person = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || person.confirms(&request)).await.unwrap_or(false)
    }

    /// Tells them how far it is.
    pub fn tell(&self, progress: &str) {
        self.0.tell(progress);
    }
}

impl Default for Chunking {
    /// Small: three chunks, the last a smaller one.
    fn default() -> Self {
        Self { message_bytes: 2_500_000, chunk_bytes: 1_000_000 }
    }
}

impl Optional {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Compression, Self::Chunking];

    /// The word for it, in the configuration and in tags: `@optional-chunking`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Compression => "compression",
            Self::Chunking => "chunking",
        }
    }
}

impl Given {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::File => "file",
        }
    }
}

impl fmt::Display for DeviationOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requirement(id) => write!(f, "requirement {id}"),
            Self::Case(case) => write!(f, "case {case}"),
            Self::Scenario(title) => write!(f, "scenario {title:?}"),
            Self::Rule(id) => write!(f, "rule {id}"),
        }
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Operator")
    }
}
