//! Reads a feature file into the tree that the protocol has, and finds the scenarios that come of it.

use std::collections::HashMap;

use cucumber::gherkin::{self, LineCol, StepType};

use super::{
    envelope::{Id, Ids, Location},
    gherkin_document::{
        Background, Cell, Child, Comment, DataTable, DocString, Document, Examples, Feature, Row, Rule,
        Scenario, Step, Tag,
    },
    lines::{Lines, Text},
};
use crate::runner::{PackFile, ScenarioRecord, StepRecord, expanded};

/// Where a scenario stands in its document, and what it is made of.
#[derive(Clone)]
pub(super) struct Node {
    pub location: Location,
    /// The scenario, and of an outline its row.
    pub ids: Vec<Id>,
    pub tags: Vec<Tag>,
    /// Those of backgrounds first.
    pub steps: Vec<NodeStep>,
}

/// A step of a scenario, outlines filled in.
#[derive(Clone)]
pub(super) struct NodeStep {
    /// The step, and of an outline its row.
    pub ids: Vec<Id>,
    pub text: String,
    pub kind: &'static str,
    pub table: Option<Vec<Vec<String>>>,
}

/// A document with the scenarios that come of it, by the lines at which the run has them.
pub(super) struct Read {
    pub document: Document,
    nodes: HashMap<usize, Node>,
}

impl Read {
    /// What is in a file of the pack; `None` when it is no feature file.
    pub fn of(file: &PackFile, uri: String, ids: &mut Ids) -> Option<Self> {
        let feature = file.feature.as_deref()?;
        let text = std::str::from_utf8(&file.content).ok()?;
        let mut lines = Lines::of(text);
        marks(feature).for_each(|place| lines.mark(place.line));
        let expanded = expanded(feature).ok()?;
        let mut reader = Reader { lines: &lines, ids, nodes: HashMap::new() };
        let feature = reader.feature(feature, &expanded);
        let nodes = reader.nodes;
        let comment = |(line, text): (usize, &str)| Comment {
            location: Location { line, column: 1 },
            text: text.to_owned(),
        };
        let comments = lines.comments().into_iter().map(comment).collect();
        Some(Self { document: Document { uri, feature, comments }, nodes })
    }

    /// A document in which nothing stands yet, for scenarios of which only the record tells.
    pub fn told(uri: String, scenario: &ScenarioRecord) -> Self {
        let feature = Feature {
            location: Location { line: 1, column: 1 },
            tags: Vec::new(),
            language: "en".to_owned(),
            keyword: "Feature".to_owned(),
            name: scenario.feature.clone(),
            description: String::new(),
            children: Vec::new(),
        };
        Self { document: Document { uri, feature, comments: Vec::new() }, nodes: HashMap::new() }
    }

    pub fn language(&self) -> &str {
        &self.document.feature.language
    }

    /// Where a scenario stands. One that is not in the file as the run has it, which no run brings about, is added to
    /// the document as the record tells of it, so that none is ever left out.
    pub fn node(&mut self, scenario: &ScenarioRecord, ids: &mut Ids) -> Node {
        let known = self.nodes.get(&scenario.line).filter(|node| node.steps.len() == scenario.steps.len());
        if let Some(node) = known {
            return node.clone();
        }
        let location = Location { line: scenario.line, column: 1 };
        let tag = |name: &String| Tag { id: ids.next(), location, name: name.clone() };
        let tags: Vec<Tag> = scenario.tags.iter().map(tag).collect();
        let (steps, own): (Vec<Step>, Vec<NodeStep>) =
            scenario.steps.iter().map(|step| told(step, ids.next())).unzip();
        let id = ids.next();
        self.document.feature.children.push(Child::Scenario(Scenario {
            id,
            location,
            tags: tags.clone(),
            keyword: "Scenario".to_owned(),
            name: scenario.name.clone(),
            description: scenario.description.clone(),
            steps,
            examples: Vec::new(),
        }));
        Node { location, ids: vec![id], tags, steps: own }
    }
}

fn told(step: &StepRecord, id: Id) -> (Step, NodeStep) {
    let written = Step {
        id,
        location: Location { line: step.line, column: 1 },
        keyword: format!("{} ", step.keyword),
        keyword_type: None,
        text: step.text.clone(),
        doc_string: None,
        data_table: None,
    };
    (written, NodeStep { ids: vec![id], text: step.text.clone(), kind: "Unknown", table: None })
}

/// Where the keywords and steps of a feature stand.
fn marks(feature: &gherkin::Feature) -> impl Iterator<Item = LineCol> {
    let backgrounds = feature.background.iter().chain(feature.rules.iter().flat_map(|rule| &rule.background));
    let scenarios = feature.scenarios.iter().chain(feature.rules.iter().flat_map(|rule| &rule.scenarios));
    let of_backgrounds = backgrounds.clone().map(|background| background.position);
    let of_scenarios = scenarios.clone().map(|scenario| scenario.position);
    let examples =
        scenarios.clone().flat_map(|scenario| &scenario.examples).map(|examples| examples.position);
    let steps = backgrounds.flat_map(|background| &background.steps);
    let steps = steps.chain(scenarios.flat_map(|scenario| &scenario.steps)).map(|step| step.position);
    let rules = feature.rules.iter().map(|rule| rule.position);
    std::iter::once(feature.position)
        .chain(rules)
        .chain(of_backgrounds)
        .chain(of_scenarios)
        .chain(examples)
        .chain(steps)
}

struct Reader<'a, 'i> {
    lines: &'a Lines<'a>,
    ids: &'i mut Ids,
    nodes: HashMap<usize, Node>,
}

/// What a scenario has from where it stands.
#[derive(Clone, Default)]
struct Around {
    tags: Vec<Tag>,
    steps: Vec<NodeStep>,
}

impl Reader<'_, '_> {
    fn feature(&mut self, of: &gherkin::Feature, expanded: &gherkin::Feature) -> Feature {
        let location = self.place(of.position);
        let tags = self.tags(&of.tags, location);
        let mut children = Vec::new();
        let mut around = Around { tags: tags.clone(), steps: Vec::new() };
        children.extend(self.background(of.background.as_ref(), &mut around));
        children.extend(self.scenarios(&of.scenarios, &expanded.scenarios, &around));
        for (rule, expanded) in of.rules.iter().zip(&expanded.rules) {
            let rule = self.rule(rule, expanded, around.clone());
            children.push(Child::Rule(rule));
        }
        Feature {
            location,
            tags,
            language: self.lines.language().to_owned(),
            keyword: of.keyword.clone(),
            name: of.name.clone(),
            description: self.lines.description(location),
            children,
        }
    }

    fn rule(&mut self, of: &gherkin::Rule, expanded: &gherkin::Rule, mut around: Around) -> Rule {
        let location = self.place(of.position);
        let tags = self.tags(&of.tags, location);
        around.tags.extend(tags.iter().cloned());
        let mut children = Vec::new();
        children.extend(self.background(of.background.as_ref(), &mut around));
        children.extend(self.scenarios(&of.scenarios, &expanded.scenarios, &around));
        Rule {
            id: self.ids.next(),
            location,
            tags,
            keyword: of.keyword.clone(),
            name: of.name.clone(),
            description: self.lines.description(location),
            children,
        }
    }

    fn background(&mut self, of: Option<&gherkin::Background>, around: &mut Around) -> Option<Child> {
        let of = of?;
        let location = self.place(of.position);
        let steps: Vec<Step> = of.steps.iter().map(|step| self.step(step)).collect();
        around.steps.extend(steps.iter().zip(&of.steps).map(|(own, step)| node_step(vec![own.id], step)));
        Some(Child::Background(Background {
            id: self.ids.next(),
            location,
            keyword: of.keyword.clone(),
            name: of.name.clone(),
            description: self.lines.description(location),
            steps,
        }))
    }

    /// Scenarios as they stand there, and what comes of them: of an outline one for each row, in their order.
    fn scenarios(
        &mut self,
        of: &[gherkin::Scenario],
        expanded: &[gherkin::Scenario],
        around: &Around,
    ) -> Vec<Child> {
        let mut expanded = expanded.iter();
        let mut children = Vec::new();
        for one in of {
            let scenario = self.scenario(one);
            let rows = scenario.examples.iter().flat_map(|examples| {
                examples.table_body.iter().map(|row| (examples.tags.as_slice(), Some(row)))
            });
            let itself = scenario.examples.is_empty().then_some((&[][..], None));
            let rows: Vec<(&[Tag], Option<&Row>)> = itself.into_iter().chain(rows).collect();
            for (tags, row) in rows {
                let Some(played) = expanded.next() else { break };
                let node = node(&scenario, tags, row, played, around);
                self.nodes.insert(played.position.line, node);
            }
            children.push(Child::Scenario(scenario));
        }
        children
    }

    fn scenario(&mut self, of: &gherkin::Scenario) -> Scenario {
        let location = self.place(of.position);
        Scenario {
            tags: self.tags(&of.tags, location),
            steps: of.steps.iter().map(|step| self.step(step)).collect(),
            examples: of.examples.iter().map(|examples| self.examples(examples)).collect(),
            id: self.ids.next(),
            location,
            keyword: of.keyword.clone(),
            name: of.name.clone(),
            description: self.lines.description(location),
        }
    }

    fn examples(&mut self, of: &gherkin::Examples) -> Examples {
        let location = self.place(of.position);
        let mut rows = of.table.as_ref().map(|table| self.rows(table)).unwrap_or_default().into_iter();
        Examples {
            tags: self.tags(&of.tags, location),
            table_header: rows.next(),
            table_body: rows.collect(),
            id: self.ids.next(),
            location,
            keyword: of.keyword.clone(),
            name: of.name.clone().unwrap_or_default(),
            description: self.lines.description(location),
        }
    }

    fn step(&mut self, of: &gherkin::Step) -> Step {
        let location = self.place(of.position);
        let text = of.docstring.as_ref().and_then(|_| self.lines.text(location.line));
        let doc_string = text.map(|Text { location, delimiter, media_type, content }| DocString {
            location,
            media_type,
            content,
            delimiter,
        });
        let data_table = of.table.as_ref().filter(|table| !table.rows.is_empty()).map(|table| {
            let rows = self.rows(table);
            let location = rows.first().map_or(location, |row| row.location);
            DataTable { location, rows }
        });
        Step {
            id: self.ids.next(),
            location,
            keyword: of.keyword.clone(),
            keyword_type: (self.lines.language() == "en").then(|| keyword_type(of)),
            text: of.value.clone(),
            doc_string,
            data_table,
        }
    }

    fn rows(&mut self, table: &gherkin::Table) -> Vec<Row> {
        let places = self.lines.rows(table.position.line, table.rows.len());
        let row = |(values, (location, places)): (&Vec<String>, (Location, Vec<Location>))| {
            // Where a cell is not found it stands where its row does.
            let places = places.into_iter().chain(std::iter::repeat(location));
            let cells = values.iter().zip(places);
            let cell = |(value, location): (&String, Location)| Cell { location, value: value.clone() };
            Row { id: self.ids.next(), location, cells: cells.map(cell).collect() }
        };
        table.rows.iter().zip(places).map(row).collect()
    }

    fn tags(&mut self, names: &[String], keyword: Location) -> Vec<Tag> {
        let places = self.lines.tags(names, keyword).into_iter();
        places
            .map(|(location, name)| Tag { id: self.ids.next(), location, name: format!("@{name}") })
            .collect()
    }

    fn place(&self, of: LineCol) -> Location {
        self.lines.keyword(of.line, of.col)
    }
}

/// What comes of a scenario, or of a row of an outline.
fn node(
    scenario: &Scenario,
    tags: &[Tag],
    row: Option<&Row>,
    played: &gherkin::Scenario,
    around: &Around,
) -> Node {
    let with_row = |id: Id| std::iter::once(id).chain(row.map(|row| row.id)).collect::<Vec<Id>>();
    let own =
        scenario.steps.iter().zip(&played.steps).map(|(step, played)| node_step(with_row(step.id), played));
    Node {
        location: row.map_or(scenario.location, |row| row.location),
        ids: with_row(scenario.id),
        tags: around.tags.iter().chain(&scenario.tags).chain(tags).cloned().collect(),
        steps: around.steps.iter().cloned().chain(own).collect(),
    }
}

fn node_step(ids: Vec<Id>, of: &gherkin::Step) -> NodeStep {
    let kind = match of.ty {
        _ if is_asterisk(of) => "Unknown",
        StepType::Given => "Context",
        StepType::When => "Action",
        StepType::Then => "Outcome",
    };
    let table = of.table.as_ref().map(|table| table.rows.clone()).filter(|rows| !rows.is_empty());
    NodeStep { ids, text: of.value.clone(), kind, table }
}

/// By the English keyword: the parser does not say which of another language's goes on with the one before.
fn keyword_type(of: &gherkin::Step) -> &'static str {
    match of.ty {
        _ if is_asterisk(of) => "Unknown",
        _ if matches!(of.keyword.trim(), "And" | "But") => "Conjunction",
        StepType::Given => "Context",
        StepType::When => "Action",
        StepType::Then => "Outcome",
    }
}

fn is_asterisk(of: &gherkin::Step) -> bool {
    of.keyword.trim() == "*"
}
