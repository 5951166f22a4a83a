//! Which scenarios and rules test which requirement: the page `docs/coverage.md`.

use std::collections::BTreeMap;

use cucumber::gherkin::{Feature, Scenario};

use super::{LoadedFeature, Requirement};

/// Which scenarios test which requirement.
#[derive(Debug)]
pub struct Coverage {
    /// In the order of the catalogue.
    pub rows: Vec<(Requirement, Vec<Tested>)>,
}

/// A scenario, or all rows of an outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The feature file.
    pub path: String,
    /// Number of the case, where it is one.
    pub case: Option<String>,
    /// Its title.
    pub name: String,
    /// How many are played by this title.
    pub times: usize,
}

impl Coverage {
    /// What features test of a catalogue.
    #[must_use]
    pub fn of(loaded: &[LoadedFeature], catalogue: Vec<Requirement>) -> Self {
        let mut tested: BTreeMap<String, Vec<Tested>> = BTreeMap::new();
        for loaded in loaded {
            for (scenario, tags) in scenarios(&loaded.feature) {
                let with = |prefix| tags.iter().filter_map(move |tag| tag.strip_prefix(prefix));
                let case = with("case-").next().map(str::to_owned);
                for id in with("req-") {
                    let of_it = tested.entry(id.to_owned()).or_default();
                    let (path, name) = (loaded.file.path.clone(), scenario.name.clone());
                    match of_it.last_mut().filter(|last| last.path == path && last.name == name) {
                        Some(last) => last.times += 1,
                        None => of_it.push(Tested { path, case: case.clone(), name, times: 1 }),
                    }
                }
            }
        }
        let row = |requirement: Requirement| {
            let tested = tested.remove(&requirement.id).unwrap_or_default();
            (requirement, tested)
        };
        Self { rows: catalogue.into_iter().map(row).collect() }
    }

    /// The requirements that are neither tested nor say why not.
    pub fn open(&self) -> impl Iterator<Item = &Requirement> {
        let open = self.rows.iter().filter(|(requirement, tested)| {
            tested.is_empty()
                && requirement.rules.is_empty()
                && requirement.untested.as_ref().is_none_or(|reason| reason.trim().is_empty())
        });
        open.map(|(requirement, _)| requirement)
    }

    /// As a page in Markdown.
    #[must_use]
    pub fn page(&self) -> String {
        let tested = self.rows.iter().filter(|(_, tested)| !tested.is_empty()).count();
        let by_rules = |(of, tested): &&(Requirement, Vec<_>)| tested.is_empty() && !of.rules.is_empty();
        let by_rules = self.rows.iter().filter(by_rules).count();
        let mut page = format!(
            "# Which scenarios test which requirement\n\n\
             Made from the feature files and [features/requirements.yaml](../features/requirements.yaml); a test fails when it\n\
             is stale, and `INSTA_UPDATE=always cargo test coverage` makes it anew.\n\n\
             {tested} of {} requirements are tested by scenarios, {by_rules} more by rules over all of the product's traffic\n\
             alone ([rules.md](rules.md)); each other one says why not.\n\n\
             | requirement | demands | scenarios and rules, or why there is none |\n|---|---|---|\n",
            self.rows.len()
        );
        for (requirement, tested) in &self.rows {
            let Requirement { id, statement, source, level, binds, rules, untested, .. } = requirement;
            let rules = rules.iter().map(|rule| format!("rule {}", rule.id()));
            let tests: Vec<String> = tested.iter().map(Tested::to_string).chain(rules).collect();
            let shown = match untested {
                Some(reason) if tests.is_empty() => format!("not tested: {reason}"),
                _ => tests.join("<br>"),
            };
            let demands = format!("{} {}: {statement} ({source})", binds.word(), level.word());
            page.push_str(&format!("| {id} | {} | {} |\n", cell(&demands), cell(&shown)));
        }
        page
    }
}

impl std::fmt::Display for Tested {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, case, name, times } = self;
        match case {
            Some(case) => write!(f, "case {case}: {name}")?,
            None => write!(f, "{path}: {name}")?,
        }
        if *times > 1 { write!(f, " ({times} rows)") } else { Ok(()) }
    }
}

/// Scenarios with all tags that apply to them.
fn scenarios(feature: &Feature) -> impl Iterator<Item = (&Scenario, Vec<&str>)> {
    let own = feature.scenarios.iter().map(|scenario| (scenario, [].as_slice()));
    let of_rules = feature
        .rules
        .iter()
        .flat_map(|rule| rule.scenarios.iter().map(|scenario| (scenario, rule.tags.as_slice())));
    own.chain(of_rules).map(|(scenario, of_rule)| {
        let tags = feature.tags.iter().chain(of_rule).chain(&scenario.tags);
        (scenario, tags.map(String::as_str).collect())
    })
}

/// What stands in a table ends neither its cell nor its row, and is no markup.
fn cell(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    ['|', '*', '_', '`', '<']
        .iter()
        .fold(text.replace("<br>", "\0"), |text, mark| text.replace(*mark, &format!("\\{mark}")))
        .replace('\0', "<br>")
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;
    use crate::runner::{BUILT_IN_CATALOGUE, built_in, load};

    fn coverage() -> Coverage {
        let packs: Vec<String> = built_in().into_iter().map(str::to_owned).collect();
        Coverage::of(&load(&packs).unwrap(), Requirement::read_all(BUILT_IN_CATALOGUE).unwrap())
    }

    #[test]
    fn the_coverage_page_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md");
        let page = coverage().page();
        if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            fs::write(&path, &page).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(page == kept, "docs/coverage.md is stale: INSTA_UPDATE=always cargo test coverage");
    }

    #[test]
    fn each_requirement_has_a_row_with_its_scenarios_and_rules_or_its_reason() {
        let coverage = coverage();
        assert_eq!(coverage.open().count(), 0);
        let page = coverage.page();
        for (requirement, tested) in &coverage.rows {
            let row = page.lines().find(|line| line.starts_with(&format!("| {} |", requirement.id))).unwrap();
            assert!(tested.iter().all(|one| row.contains(&cell(&one.name))), "{row}");
            assert!(
                requirement.rules.iter().all(|rule| row.contains(&format!("rule {}", rule.id()))),
                "{row}"
            );
            let is_tested = !tested.is_empty() || !requirement.rules.is_empty();
            assert_ne!(is_tested, row.contains("not tested: "), "{row}");
        }
    }

    #[test]
    fn a_requirement_with_neither_scenario_nor_reason_is_open() {
        let text = "- {id: A, statement: s, source: s, level: MUST, binds: product}\n\
                    - {id: B, statement: s, source: s, level: MUST, binds: product, untested: because}\n\
                    - {id: C, statement: s, source: s, level: MUST, binds: product, untested: ' '}\n\
                    - {id: D, statement: s, source: s, level: MUST, binds: product, rules: [refusals]}\n";
        let coverage = Coverage::of(&[], Requirement::read_all(text).unwrap());
        let open: Vec<&str> = coverage.open().map(|requirement| requirement.id.as_str()).collect();
        assert_eq!(open, ["A", "C"]);
    }
}
