//! What will be played: the scenarios that a tag expression selects, checked beforehand.

use cucumber::{
    gherkin::{Feature, LineCol, Rule, Scenario, Step, tagexpr::TagOperation},
    step::Collection,
    tag::Ext as _,
};
use thiserror::Error;

use super::{
    BUILT_IN_CATALOGUE, CatalogueError, LoadedFeature, MeshWorld, Outcome, PackFile, Requirement,
    ScenarioRecord, StepRecord, record::NOT_REACHED,
};

/// What will be played, and its record before anything was.
#[derive(Debug)]
pub struct Plan {
    pub(super) features: Vec<Feature>,
    pub(super) scenarios: Vec<ScenarioRecord>,
    pub(super) pack: Vec<PackFile>,
    /// For messages, the path of each feature by which a person knows it.
    shown: Vec<String>,
    pub(super) tags: Option<String>,
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
    /// Steps that cannot be played, each with its place.
    #[error("{}", .0.join("\n"))]
    Steps(Vec<String>),
}

impl Plan {
    /// Selects scenarios and checks that every step of theirs can be played.
    ///
    /// # Errors
    /// When nothing is selected, when a scenario has no steps, and when a step is unknown or
    /// ambiguous: none of these may end up as a scenario that looks passed.
    pub fn new(
        loaded: Vec<LoadedFeature>,
        tags: Option<&str>,
        steps: &Collection<MeshWorld>,
    ) -> Result<Self, PlanError> {
        let expression = tags.map(parse_tags).transpose()?;
        let mut plan = Self {
            features: Vec::new(),
            scenarios: Vec::new(),
            pack: Vec::new(),
            shown: Vec::new(),
            tags: tags.map(str::to_owned),
            requirements: Requirement::read_all(BUILT_IN_CATALOGUE)?,
        };
        for loaded in loaded {
            plan.add(loaded, expression.as_ref());
        }
        if plan.scenarios.is_empty() {
            return Err(PlanError::Nothing(match tags {
                Some(tags) => format!("no scenario has tags as in {tags:?}"),
                None => "the feature files hold no scenario".to_owned(),
            }));
        }
        plan.check(steps)?;
        plan.pack.push(PackFile { path: "requirements.yaml".to_owned(), content: BUILT_IN_CATALOGUE.into() });
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

    /// How many scenarios will be played.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scenarios.len()
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

    /// Never: a plan has something to play.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scenarios.is_empty()
    }

    fn add(&mut self, loaded: LoadedFeature, expression: Option<&TagOperation>) {
        let LoadedFeature { shown, mut file, mut feature } = loaded;
        let taken = self.pack.iter().filter(|other| other.path == file.path).count();
        if taken > 0 {
            file.path = format!("{}-{}", taken + 1, file.path.replace('/', "-"));
        }
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

    /// Takes a scenario into the record, and writes its number into the column of its position:
    /// nothing else uses the column, and it tells apart what line and name may not, such as the rows
    /// of an outline.
    fn number(&mut self, path: &str, feature: &Feature, rule: Option<&Rule>, scenario: &mut Scenario) {
        let line = scenario.position.line;
        scenario.position = LineCol { line, col: self.scenarios.len() };
        let background = feature.background.iter().chain(rule.and_then(|rule| rule.background.as_ref()));
        let steps = background
            .flat_map(|background| &background.steps)
            .chain(&scenario.steps)
            .map(unplayed)
            .collect();
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

    fn check(&self, steps: &Collection<MeshWorld>) -> Result<(), PlanError> {
        let mut problems = Vec::new();
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
            let all = own.chain(rules).chain(scenarios.flat_map(|scenario| &scenario.steps));
            problems.extend(all.filter_map(|step| unplayable(shown, step, steps)));
        }
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(PlanError::Steps(problems)) }
    }
}

fn unplayed(step: &Step) -> StepRecord {
    StepRecord {
        keyword: step.keyword.trim().to_owned(),
        text: text(step),
        line: step.position.line,
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

fn unplayable(path: &str, step: &Step, steps: &Collection<MeshWorld>) -> Option<String> {
    let place = format!("{path}:{}: {}{}", step.position.line, step.keyword, step.value);
    match steps.find(step) {
        Ok(Some(_)) => None,
        Ok(None) => Some(format!("{place}: there is no such step; {}", nearest(step))),
        Err(error) => Some(format!("{place}: more than one step matches: {error}")),
    }
}

/// The step of the built-in packs that is most like an unknown one, and of the same kind.
fn nearest(step: &Step) -> String {
    let packs: Vec<String> = super::built_in().into_iter().map(str::to_owned).collect();
    let known = super::load(&packs).unwrap_or_default().into_iter().flat_map(|loaded| {
        let scenarios = loaded.feature.scenarios.into_iter().flat_map(|scenario| scenario.steps);
        loaded.feature.background.into_iter().flat_map(|background| background.steps).chain(scenarios)
    });
    let likeness = |known: &Step| strsim::normalized_damerau_levenshtein(&known.value, &step.value);
    let best = known.map(|known| (likeness(&known), known)).max_by(|(a, _), (b, _)| a.total_cmp(b));
    match best {
        Some((likeness, known)) if likeness > 0.5 => {
            format!("did you mean: {:?} {}", known.ty, known.value)
        }
        _ => "see the feature files that come with mesh-witness for the steps there are".to_owned(),
    }
}

fn parse_tags(expression: &str) -> Result<TagOperation, PlanError> {
    expression.parse().map_err(|error| PlanError::Tags {
        expression: expression.to_owned(),
        detail: format!("{error}").lines().map(str::trim).collect::<Vec<_>>().join(" "),
    })
}
