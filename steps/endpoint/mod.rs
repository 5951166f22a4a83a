//! Judging an endpoint: any call, right or wrong, and what must come back. "The sender" and "the
//! receiver" are the scenario's two mailboxes.

mod answer;
mod arrange;
mod call;
mod inbox;
mod message;
mod say;

use mesh_witness::runner::{Fault, FaultKind, Role};

/// The side that a step names.
fn role(name: &str) -> Role {
    if name == "sender" { Role::Product } else { Role::Counterpart }
}

/// A word of a step that stands for nothing.
fn unknown(what: impl std::fmt::Display) -> Fault {
    Fault::new(
        FaultKind::Configuration,
        what.to_string(),
        "Change the words of the step in the feature file.",
    )
}
