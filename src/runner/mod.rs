//! Loads packs, plays them with cucumber, and turns what happened into one [`RunRecord`].

mod caller;
mod catalogue;
#[cfg(test)]
mod citations;
mod collector;
mod comparison;
mod coverage;
mod definitions;
mod deviations;
mod emulated;
mod judging;
mod named_rule;
mod outcome;
mod pace;
mod pack;
mod panic_hook;
mod place;
mod plan;
mod play;
mod quota;
mod record;
mod relayed;
mod setting;
mod stage;
mod stage_caller;
mod stage_endpoint;
mod staged;
mod terms;
mod vocabulary;
mod world;

pub use crate::rules::{Fault, FaultKind};
pub use caller::{Body, Caller, Mistake, MistakeError, TlsVariant};
pub use catalogue::{BUILT_IN_CATALOGUE, Binds, CatalogueError, Level, Requirement};
pub use collector::{Observer, Progress};
pub use comparison::{CaseOutline, Change, ChangeKind, Comparison, RunOutline};
pub use coverage::{Coverage, Tested};
pub use definitions::{StepArgument, StepDefinition, StepMatch, registered};
pub use emulated::{Emulated, OwnEndpoint};
pub use judging::RuleRecord;
pub use named_rule::NamedRule;
pub use outcome::{Outcome, Verdict};
pub use pace::{BETWEEN_CHECKS, Pace};
pub(crate) use pack::expanded;
pub use pack::{CATALOGUE, LoadedFeature, OwnCatalogue, PackError, built_in, load};
pub use place::{Permit, Place};
pub use plan::{Plan, PlanError};
pub use play::play;
pub use quota::RecordingLimits;
pub use record::{
    Environment, MailboxRole, PackFile, Party, Platform, RuleCounts, RunRecord, ScenarioRecord, StepRecord,
};
pub use relayed::Relay;
pub use setting::{EvidenceFile, Mailboxes, Pair, Seat, Setting};
pub use stage::{Role, Stage, answered};
pub use staged::{Staged, StagedSettings};
pub use terms::{
    Attestation, Chunking, Deviation, DeviationOf, Given, Operator, Optional, Pending, Person, Resumed, Terms,
};
pub use vocabulary::{
    Entry, Example, Phrase, Placeholder, Subject, Unused, Vocabulary, VocabularyError, Word, kind,
};
pub use world::{MeshWorld, StepResult};
