//! The step definitions that are linked into this program.

use std::collections::BTreeMap;

use cucumber::{
    codegen::{StepConstructor, WorldInventory, inventory},
    gherkin::StepType,
    step::Location,
};
use mesh_witness::runner::{MeshWorld, kind};

/// The regular expression of each step definition, by its kind and its place in the source.
pub fn patterns() -> BTreeMap<(&'static str, Location), String> {
    type Of = MeshWorld;
    let mut patterns = BTreeMap::new();
    for step in inventory::iter::<<Of as WorldInventory>::Given>() {
        add(&mut patterns, StepType::Given, step);
    }
    for step in inventory::iter::<<Of as WorldInventory>::When>() {
        add(&mut patterns, StepType::When, step);
    }
    for step in inventory::iter::<<Of as WorldInventory>::Then>() {
        add(&mut patterns, StepType::Then, step);
    }
    patterns
}

fn add(
    patterns: &mut BTreeMap<(&'static str, Location), String>,
    ty: StepType,
    step: &impl StepConstructor<MeshWorld>,
) {
    let (location, regex, _) = step.inner();
    patterns.insert((kind(ty), location), regex().as_str().to_owned());
}
