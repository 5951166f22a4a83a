//! Outlines, expanded: what is played of a feature.

use cucumber::{
    feature::{ExpandExamplesError, Ext as _},
    gherkin::{Examples, Feature, Rule, Scenario, Table},
};

/// A feature with a scenario for each row of an outline.
///
/// # Errors
/// When a name in angle brackets is no column.
pub(crate) fn expanded(feature: &Feature) -> Result<Feature, ExpandExamplesError> {
    one_row_each(feature).expand_examples()
}

/// Each row of an outline's examples as an outline of its own, which is played in the same way: cucumber copies an
/// outline with all its rows for every row.
fn one_row_each(feature: &Feature) -> Feature {
    let split = |scenarios: &[Scenario]| scenarios.iter().flat_map(rows_of).collect();
    let rules = feature.rules.iter().map(|rule| Rule { scenarios: split(&rule.scenarios), ..rule.clone() });
    Feature { scenarios: split(&feature.scenarios), rules: rules.collect(), ..feature.clone() }
}

fn rows_of(outline: &Scenario) -> Vec<Scenario> {
    if outline.examples.is_empty() {
        return vec![outline.clone()];
    }
    let bare = Scenario { examples: Vec::new(), ..outline.clone() };
    let tables = outline.examples.iter().filter_map(|examples| Some((examples, examples.table.as_ref()?)));
    let rows = tables.flat_map(|(examples, table)| {
        let body = table.rows.get(1..).unwrap_or_default().iter().enumerate();
        body.map(move |(below, row)| {
            let rows = table.rows.first().into_iter().chain([row]).cloned().collect();
            let (mut position, span) = (examples.position, examples.span);
            // By it cucumber tells the line of the row.
            position.line += below;
            let (keyword, name) = (examples.keyword.clone(), examples.name.clone());
            let (description, tags) = (examples.description.clone(), examples.tags.clone());
            let table = Some(Table { rows, span: table.span, position: table.position });
            Examples { keyword, name, description, table, tags, span, position }
        })
    });
    rows.map(|one| Scenario { examples: vec![one], ..bare.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use cucumber::gherkin::GherkinEnv;

    use super::*;

    /// Each row took as long as all of them: four thousand took most of a minute.
    #[test]
    fn what_is_played_of_a_row_does_not_hold_the_other_rows() {
        let rows: String = (0..2000).map(|row| format!("      | {row} |\n")).collect();
        let outline =
            format!("Feature: x\n  Scenario Outline: y\n    Given <a>\n    Examples:\n      | a |\n{rows}");
        let feature = Feature::parse(&outline, GherkinEnv::default()).unwrap();
        let split = one_row_each(&feature);
        assert_eq!(split.scenarios.len(), 2000);
        let held = |scenario: &Scenario| scenario.examples[0].table.as_ref().unwrap().rows.capacity();
        assert!(split.scenarios.iter().all(|scenario| held(scenario) <= 8));
    }
}
