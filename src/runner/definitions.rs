//! The step definitions that are linked into this program, and which of them a step is.

use std::collections::{BTreeMap, HashMap};

use cucumber::{
    codegen::{StepConstructor, WorldInventory, inventory},
    gherkin::{Step, StepType},
    step::{Collection, Location},
};

use super::{MeshWorld, kind, vocabulary::Numbers};

/// A step definition that a scenario uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepDefinition {
    /// Its regular expression: cucumber keeps nothing else of what stands above it.
    pub pattern: String,
    /// Its source file, from the root of the project, such as `steps/send.rs`.
    pub path: String,
    /// Its line there, from 1.
    pub line: u32,
}

/// That a step was matched with a step definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepMatch {
    /// Which, as a place in [`RunRecord::definitions`](super::RunRecord::definitions).
    pub definition: usize,
    /// What the groups of its regular expression took, in the order of the text.
    pub arguments: Vec<StepArgument>,
}

/// What a group of a regular expression took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepArgument {
    /// Where in the step's text it begins, in bytes.
    pub start: usize,
    /// What it is.
    pub value: String,
}

/// The regular expression of each step definition, by its kind and its place in the source.
#[must_use]
pub fn registered() -> BTreeMap<(&'static str, Location), String> {
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

/// Finds the step definition of each step. Many scenarios have the same steps, and each is looked for once.
pub(super) struct Matcher<'a> {
    steps: &'a Collection<MeshWorld>,
    numbers: Numbers,
    patterns: BTreeMap<(&'static str, Location), String>,
    found: HashMap<(StepType, String), Found>,
    places: HashMap<(&'static str, Location), usize>,
    definitions: Vec<StepDefinition>,
}

/// Which step definition a step is.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// This one; `None` when it is not known whose it is.
    One(Option<StepMatch>),
    /// One, but for a number that cannot stand there: what is wrong with it.
    Unfit(String),
    /// None.
    Nothing,
    /// More than one, with all of them.
    Several(String),
}

impl<'a> Matcher<'a> {
    pub fn new(steps: &'a Collection<MeshWorld>) -> Self {
        let (found, places, definitions) = (HashMap::new(), HashMap::new(), Vec::new());
        Self { steps, numbers: Numbers::of(steps), patterns: registered(), found, places, definitions }
    }

    pub fn find(&mut self, step: &Step) -> &Found {
        let known = (step.ty, step.value.clone());
        if !self.found.contains_key(&known) {
            let found = self.look_for(step);
            self.found.insert(known.clone(), found);
        }
        self.found.get(&known).unwrap_or(&Found::Nothing)
    }

    /// All that were found, in the order in which they were.
    pub fn into_definitions(self) -> Vec<StepDefinition> {
        self.definitions
    }

    fn look_for(&mut self, step: &Step) -> Found {
        match self.steps.find(step) {
            Ok(Some((_, captures, location, _))) => {
                if let Some(problem) = location.and_then(|location| self.numbers.misfit(step, location)) {
                    return Found::Unfit(problem);
                }
                let definition = location.and_then(|location| self.place(kind(step.ty), location));
                let groups = (1..captures.len()).filter_map(|group| captures.get(group));
                let arguments = arguments(&step.value, groups);
                Found::One(definition.map(|definition| StepMatch { definition, arguments }))
            }
            Ok(None) => Found::Nothing,
            Err(error) => Found::Several(error.to_string()),
        }
    }

    fn place(&mut self, kind: &'static str, location: Location) -> Option<usize> {
        if let Some(place) = self.places.get(&(kind, location)) {
            return Some(*place);
        }
        let pattern = self.patterns.get(&(kind, location))?.clone();
        self.definitions.push(StepDefinition {
            pattern,
            path: within_project(location.path),
            line: location.line,
        });
        self.places.insert((kind, location), self.definitions.len() - 1);
        Some(self.definitions.len() - 1)
    }
}

/// The outermost groups that took anything: one within another is part of it.
fn arguments(text: &str, groups: impl Iterator<Item = (usize, usize)>) -> Vec<StepArgument> {
    let mut end = 0;
    let outermost = groups.filter(|group| {
        let is_outermost = group.0 >= end;
        end = end.max(group.1);
        is_outermost
    });
    let argument = |(start, end)| Some(StepArgument { start, value: text.get(start..end)?.to_owned() });
    outermost.filter_map(argument).collect()
}

/// The compiler has a path as it was given: `src/../steps/send.rs`, with whatever divides folders there.
fn within_project(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use cucumber::codegen::Regex;

    use super::*;

    #[test]
    fn a_path_is_told_from_the_root_of_the_project() {
        for path in ["src/../steps/send.rs", r"src\..\steps\send.rs", "steps/send.rs", "./steps/send.rs"] {
            assert_eq!(within_project(path), "steps/send.rs");
        }
    }

    #[test]
    fn an_argument_is_an_outermost_group_that_took_something() {
        let text = "sends 12 messages ünder \"x\"";
        let pattern = r#"^sends (\d(\d)?) messages (?:(over)|(ünder)) (?:"([^"]*)"|'([^']*)')$"#;
        let never: cucumber::Step<MeshWorld> = |_, _| Box::pin(std::future::pending());
        let steps = Collection::new().when(None, Regex::new(pattern).unwrap(), never);
        let step =
            Step::builder().keyword("When ".to_owned()).ty(StepType::When).value(text.to_owned()).build();
        let (_, captures, ..) = steps.find(&step).unwrap().unwrap();
        let found = arguments(text, (1..captures.len()).filter_map(|group| captures.get(group)));
        let found: Vec<_> = found.iter().map(|one| (one.start, one.value.as_str())).collect();
        assert_eq!(found, [(6, "12"), (18, "ünder"), (26, "x")]);
    }
}
