//! Loads packs, plays them with cucumber, and turns what happened into one [`RunRecord`].

mod record;

pub use record::{
    Environment, Fault, FaultKind, MailboxRole, Outcome, PackFile, Party, RunRecord, ScenarioRecord,
    StepRecord, Verdict,
};
