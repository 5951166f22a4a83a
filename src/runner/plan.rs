//! What will be played: the scenarios that a tag expression selects, checked beforehand.

use std::sync::Arc;

use cucumber::{
    gherkin::{Feature, LineCol, Rule, Scenario, Step, tagexpr::TagOperation},
    step::Collection,
    tag::Ext as _,
};
use thiserror::Error;

use super::{
    BUILT_IN_CATALOGUE, CATALOGUE, CatalogueError, LoadedFeature, MeshWorld, Outcome, OwnCatalogue, PackFile,
    Requirement, ScenarioRecord, StepDefinition, StepRecord, catalogue,
    definitions::{Found, Matcher},
    pack::tested_by,
    record::NOT_REACHED,
    vocabulary::{ALL, nearest, nearest_word},
};

/// What will be played, and its record before anything was.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) features: Vec<Feature>,
    pub(super) scenarios: Vec<ScenarioRecord>,
    pub(super) pack: Vec<PackFile>,
    /// For messages, the path of each feature by which a person knows it.
    shown: Vec<String>,
    pub(super) tags: Option<String>,
    /// The step definitions that are used. Their places stand in the steps.
    pub(super) definitions: Vec<StepDefinition>,
    pub(super) requirements: Vec<Requirement>,
}

/// Why there is nothing to play.
#[derive(Debug, Error)]
pub enum PlanError {
    /// Not a tag expression.
    #[error(
        "--tags {expression:?}: is not a tag expression: {detail}; write tags with their @, as in \"@case-201 or @case-202\""
    )]
    Tags {
        /// As given.
        expression: String,
        /// Why.
        detail: String,
    },
    /// The expression selects nothing, or the packs hold nothing.
    #[error("nothing to play: {0}")]
    Nothing(String),
    /// The catalogue of requirements is not right.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Steps that cannot be played and requirements that are in no catalogue, each with its place.
    #[error("{}", .0.join("\n"))]
    Steps(Vec<String>),
}

impl Plan {
    /// Selects scenarios and checks that every step of theirs can be played.
    ///
    /// # Errors
    /// When nothing is selected, when a scenario has no steps, and when a step is unknown or
    /// ambiguous: none of these may end up as a scenario that looks passed. When a scenario names a
    /// requirement that is in no catalogue, or two catalogues say different things by one name.
    pub fn new(
        loaded: Vec<LoadedFeature>,
        tags: Option<&str>,
        steps: &Collection<MeshWorld>,
    ) -> Result<Self, PlanError> {
        let expression = tags.map(parse_tags).transpose()?;
        let own = own_catalogues(&loaded);
        let tested = tested_by(&loaded);
        let mut plan = Self {
            features: Vec::new(),
            scenarios: Vec::new(),
            pack: Vec::new(),
            shown: Vec::new(),
            tags: tags.map(str::to_owned),
            definitions: Vec::new(),
            requirements: catalogue::join(own.iter().map(Arc::as_ref))?,
        };
        for requirement in &mut plan.requirements {
            requirement.has_scenario = tested.contains(&requirement.id);
        }
        for loaded in loaded {
            plan.add(loaded, expression.as_ref());
        }
        if plan.scenarios.is_empty() {
            return Err(PlanError::Nothing(match tags {
                Some(tags) => format!("no scenario has tags as in {tags:?}"),
                None => "the feature files hold no scenario".to_owned(),
            }));
        }
        let mut matcher = Matcher::new(steps);
        plan.check(&mut matcher)?;
        plan.define(matcher);
        plan.pack.push(PackFile::new(CATALOGUE, BUILT_IN_CATALOGUE));
        for catalogue in own {
            let file = plan.placed(catalogue.file.clone());
            plan.pack.push(file);
        }
        Ok(plan)
    }

    /// What will be played, in the order of the packs.
    #[must_use]
    pub fn scenarios(&self) -> &[ScenarioRecord] {
        &self.scenarios
    }

    /// Leaves out of the play what is not wanted; how many scenarios that is. They stay in the record,
    /// not run for that reason.
    pub fn leave_out(&mut self, reason: impl Fn(&ScenarioRecord) -> Option<String>) -> usize {
        let mut left_out = 0;
        for record in &mut self.scenarios {
            if let Some(reason) = reason(record) {
                record.outcome = Outcome::NotRun(reason);
                left_out += 1;
            }
        }
        let stays = |scenario: &Scenario| {
            let record = self.scenarios.get(scenario.position.col);
            record.is_some_and(ScenarioRecord::is_to_be_played)
        };
        for feature in &mut self.features {
            feature.scenarios.retain(stays);
            feature.rules.iter_mut().for_each(|rule| rule.scenarios.retain(stays));
        }
        left_out
    }

    /// Paths of the feature files and catalogues of which the plan was made, as they stand in the pack.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.pack.iter().map(|file| file.path.as_str())
    }

    /// The cases of the pack that are selected.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.scenarios.iter().filter_map(|scenario| scenario.case.as_deref())
    }

    /// The same files, each with its content, as they go into the bundle.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.pack.iter().map(|file| (file.path.as_str(), file.content.as_slice()))
    }

    /// The cases that a person is to attest: number, and what they say.
    #[must_use]
    pub fn attestations(&self) -> Vec<(String, String)> {
        let asking = self.scenarios.iter().filter(|scenario| scenario.asks_for_attestation());
        let claim = |scenario: &ScenarioRecord| {
            let text = &scenario.steps.last()?.text;
            let (_, claim) = text.split_once("attests that ")?;
            Some((scenario.case.clone()?, claim.to_owned()))
        };
        asking.filter_map(claim).collect()
    }

    /// What a record of it begins with.
    #[cfg(test)]
    pub(crate) fn into_parts(self) -> (Vec<PackFile>, Vec<ScenarioRecord>) {
        (self.pack, self.scenarios)
    }

    fn add(&mut self, loaded: LoadedFeature, expression: Option<&TagOperation>) {
        let LoadedFeature { shown, file, mut feature, .. } = loaded;
        let file = self.placed(file);
        let wanted = |feature: &Feature, rule: Option<&Rule>, scenario: &Scenario| {
            let tags =
                feature.tags.iter().chain(rule.iter().flat_map(|rule| &rule.tags)).chain(&scenario.tags);
            expression.is_none_or(|expression| expression.eval(tags))
        };
        let mut scenarios = std::mem::take(&mut feature.scenarios);
        scenarios.retain(|scenario| wanted(&feature, None, scenario));
        let mut rules = std::mem::take(&mut feature.rules);
        for rule in &mut rules {
            let mut within = std::mem::take(&mut rule.scenarios);
            within.retain(|scenario| wanted(&feature, Some(rule), scenario));
            rule.scenarios = within;
        }
        for scenario in &mut scenarios {
            self.number(&file.path, &feature, None, scenario);
        }
        for rule in &mut rules {
            let mut within = std::mem::take(&mut rule.scenarios);
            within.iter_mut().for_each(|scenario| self.number(&file.path, &feature, Some(rule), scenario));
            rule.scenarios = within;
        }
        rules.retain(|rule| !rule.scenarios.is_empty());
        if !scenarios.is_empty() || !rules.is_empty() {
            self.features.push(Feature { scenarios, rules, ..feature });
            self.pack.push(file);
            self.shown.push(shown);
        }
    }

    /// With a path that no other file of the pack has, on a file system that ignores case either.
    fn placed(&self, mut file: PackFile) -> PackFile {
        let is_taken = |path: &str| {
            let path = path.to_lowercase();
            path == CATALOGUE || self.pack.iter().any(|other| other.path.to_lowercase() == path)
        };
        let flat = file.path.replace('/', "-");
        let mut number = 1_usize;
        while is_taken(&file.path) {
            number += 1;
            file.path = format!("{number}-{flat}");
        }
        file
    }

    /// Takes a scenario into the record, and writes its number into the column of its position:
    /// nothing else uses the column, and it tells apart what line and name may not, such as the rows
    /// of an outline.
    fn number(&mut self, path: &str, feature: &Feature, rule: Option<&Rule>, scenario: &mut Scenario) {
        let line = scenario.position.line;
        scenario.position = LineCol { line, col: self.scenarios.len() };
        let steps = all_steps(feature, rule, scenario).map(unplayed).collect();
        let tags = feature.tags.iter().chain(rule.iter().flat_map(|rule| &rule.tags)).chain(&scenario.tags);
        let tags: Vec<String> = tags.map(|tag| format!("@{tag}")).collect();
        let with = |prefix: &str| {
            tags.iter().filter_map(|tag| tag.strip_prefix(prefix)).map(str::to_owned).collect::<Vec<_>>()
        };
        self.scenarios.push(ScenarioRecord {
            case: with("@case-").into_iter().next(),
            requirements: with("@req-"),
            feature: feature.name.clone(),
            path: path.to_owned(),
            line,
            name: scenario.name.clone(),
            description: description(scenario),
            outcome: Outcome::NotRun(NOT_REACHED.to_owned()),
            started_at: None,
            ended_at: None,
            steps,
            deviation: None,
            attestation: None,
            clock_moved: None,
            tags,
        });
    }

    fn check(&self, steps: &mut Matcher<'_>) -> Result<(), PlanError> {
        let (mut problems, mut suggestions) = (Vec::new(), SUGGESTIONS);
        for (feature, shown) in self.features.iter().zip(&self.shown) {
            let own = feature.background.iter().flat_map(|background| &background.steps);
            let rules = feature
                .rules
                .iter()
                .flat_map(|rule| rule.background.iter().flat_map(|background| &background.steps));
            let scenarios =
                feature.scenarios.iter().chain(feature.rules.iter().flat_map(|rule| &rule.scenarios));
            for scenario in scenarios.clone().filter(|scenario| scenario.steps.is_empty()) {
                let line = scenario.position.line;
                problems.push(format!("{}:{line}: the scenario {:?} has no steps, so it proves nothing: write some, or take it out", shown, scenario.name));
            }
            problems.extend(self.unknown_requirements(feature, shown));
            let all = own.chain(rules).chain(scenarios.flat_map(|scenario| &scenario.steps));
            problems.extend(all.filter_map(|step| unplayable(shown, step, steps, &mut suggestions)));
        }
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(PlanError::Steps(problems)) }
    }

    /// Writes down which step definition each step is.
    fn define(&mut self, mut steps: Matcher<'_>) {
        for feature in &self.features {
            let plain = feature.scenarios.iter().map(|scenario| (None, scenario));
            let in_rules = feature
                .rules
                .iter()
                .flat_map(|rule| rule.scenarios.iter().map(move |scenario| (Some(rule), scenario)));
            for (rule, scenario) in plain.chain(in_rules) {
                let Some(record) = self.scenarios.get_mut(scenario.position.col) else { continue };
                for (record, step) in record.steps.iter_mut().zip(all_steps(feature, rule, scenario)) {
                    if let Found::One(matched) = steps.find(step) {
                        record.matched.clone_from(matched);
                    }
                }
            }
        }
        self.definitions = steps.into_definitions();
    }

    /// What a feature's scenarios name and no catalogue has: nobody could see what became of it.
    fn unknown_requirements(&self, feature: &Feature, shown: &str) -> Vec<String> {
        let known = |id: &str| self.requirements.iter().any(|requirement| requirement.id == id);
        let in_rules = feature
            .rules
            .iter()
            .flat_map(|rule| rule.scenarios.iter().map(|scenario| (scenario, rule.tags.as_slice())));
        let scenarios = feature.scenarios.iter().map(|scenario| (scenario, [].as_slice())).chain(in_rules);
        let named = scenarios.flat_map(|(scenario, of_rule)| {
            let tags = scenario.tags.iter().chain(of_rule).chain(&feature.tags);
            tags.filter_map(move |tag| Some((scenario, tag.strip_prefix("req-")?)))
        });
        let unknown = named.filter(|(_, id)| !known(id));
        let problem = |(scenario, id): (&Scenario, &str)| {
            let line = scenario.position.line;
            let ids = self.requirements.iter().map(|requirement| requirement.id.as_str());
            let remedy = match nearest_word(id, ids) {
                Some(meant) => format!("did you mean: @req-{meant}"),
                None => format!("add it to {CATALOGUE} in the folder of the pack"),
            };
            format!(
                "{shown}:{line}: {:?} is tagged @req-{id}, which is in no catalogue; {remedy}",
                scenario.name
            )
        };
        unknown.map(problem).collect()
    }
}

/// Each once, in the order of the packs.
fn own_catalogues(loaded: &[LoadedFeature]) -> Vec<Arc<OwnCatalogue>> {
    let mut own: Vec<Arc<OwnCatalogue>> = Vec::new();
    for catalogue in loaded.iter().filter_map(|loaded| loaded.catalogue.as_ref()) {
        if own.iter().all(|other| other.shown != catalogue.shown) {
            own.push(Arc::clone(catalogue));
        }
    }
    own
}

/// The steps of a scenario, those of the backgrounds first.
fn all_steps<'a>(
    feature: &'a Feature,
    rule: Option<&'a Rule>,
    scenario: &'a Scenario,
) -> impl Iterator<Item = &'a Step> {
    let background = feature.background.iter().chain(rule.and_then(|rule| rule.background.as_ref()));
    background.flat_map(|background| &background.steps).chain(&scenario.steps)
}

fn unplayed(step: &Step) -> StepRecord {
    StepRecord {
        keyword: step.keyword.trim().to_owned(),
        text: text(step),
        line: step.position.line,
        matched: None,
        started_at: None,
        ended_at: None,
        outcome: Outcome::NotRun("not reached".to_owned()),
        fault: None,
        notes: Vec::new(),
        exchanges: Vec::new(),
    }
}

/// The step with its table, one row a line.
fn text(step: &Step) -> String {
    let rows = step.table.iter().flat_map(|table| &table.rows);
    rows.fold(step.value.clone(), |text, row| format!("{text}\n| {} |", row.join(" | ")))
}

/// The parser drops blank lines, so a line that begins with a label, such as `If it fails:`, is what
/// begins a paragraph.
fn description(scenario: &Scenario) -> String {
    let lines = scenario.description.iter().flat_map(|text| text.lines()).map(str::trim);
    let with_breaks = lines.map(|line| if is_labelled(line) { format!("\n{line}") } else { line.to_owned() });
    with_breaks.collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn is_labelled(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(label, _)| {
        let words = label.chars().all(|c| c.is_alphabetic() || c == ' ');
        words && label.len() <= 30 && label.starts_with(char::is_uppercase)
    })
}

/// How many steps of a run are told what may have been meant. To look for it is work, and whoever has more steps wrong has
/// read enough.
const SUGGESTIONS: usize = 30;
/// How much of a step's text is told, in characters.
const TOLD: usize = 300;

fn unplayable(path: &str, step: &Step, steps: &mut Matcher<'_>, suggestions: &mut usize) -> Option<String> {
    let (told, cut) = match step.value.char_indices().nth(TOLD) {
        Some((end, _)) => (&step.value[..end], "…"),
        None => (step.value.as_str(), ""),
    };
    let place = format!("{path}:{}: {}{told}{cut}", step.position.line, step.keyword);
    match steps.find(step) {
        Found::One(_) => beneath(step).map(|problem| format!("{place}: {problem}")),
        Found::Unfit(problem) => Some(format!("{place}: {problem}")),
        Found::Nothing => {
            // No step is as long, so nothing would be like it.
            let meant = if cut.is_empty() && *suggestions > 0 {
                *suggestions -= 1;
                nearest(step)
            } else {
                ALL.to_owned()
            };
            Some(format!("{place}: there is no such step; {meant}"))
        }
        Found::Several(error) => Some(format!("{place}: more than one step matches: {error}")),
    }
}

/// What a step looks at that is not there, or that is there and that it does not look at: either would pass
/// for proved.
fn beneath(step: &Step) -> Option<&'static str> {
    let takes_table = step.value.ends_with("these headers");
    match (takes_table, step.table.as_ref().is_some_and(|table| !table.rows.is_empty())) {
        (true, false) => Some("it lacks the table below it, one header a row, and without it proves nothing"),
        (false, true) => Some("nothing looks at the table below it: take it out"),
        _ => step.docstring.is_some().then_some("nothing looks at the text below it: take it out"),
    }
}

fn parse_tags(expression: &str) -> Result<TagOperation, PlanError> {
    expression.parse().map_err(|error| PlanError::Tags {
        expression: expression.to_owned(),
        detail: format!("{error}").lines().map(str::trim).collect::<Vec<_>>().join(" "),
    })
}
