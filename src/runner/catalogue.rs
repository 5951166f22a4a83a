//! The catalogue of requirements, to which scenarios refer by tags such as `@req-SEND-01`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use super::{NamedRule, OwnCatalogue};

/// The built-in catalogue, `features/requirements.yaml`.
pub const BUILT_IN_CATALOGUE: &str = include_str!("../../features/requirements.yaml");

/// What is demanded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// What tags refer to, such as `SEND-01`.
    pub id: String,
    /// In our own words.
    pub statement: String,
    /// Document and place.
    pub source: String,
    /// How strict it is.
    pub level: Level,
    /// Whom it binds.
    pub binds: Binds,
    /// The rules over all of the product's traffic that are about it.
    #[serde(default)]
    pub rules: Vec<NamedRule>,
    /// Why neither a scenario nor a rule tests it; `None` when one does.
    #[serde(default)]
    pub untested: Option<String>,
    /// Whether there is a scenario that tests it, selected for a run or not. No catalogue says so: the packs do.
    #[serde(skip)]
    pub has_scenario: bool,
}

/// How strict a requirement is, in the words of RFC 2119.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Without it there is no certificate.
    Must,
    /// Without it there is a question to answer.
    Should,
    /// Left out, it is a limitation.
    May,
}

/// Whom a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Binds {
    /// The product under test.
    Product,
    /// The endpoint.
    Endpoint,
}

/// Why a catalogue is none.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// Not YAML of this shape.
    #[error("the catalogue of requirements is malformed: {0}")]
    Malformed(#[from] serde_yaml::Error),
    /// Not text.
    #[error("the catalogue of requirements is not UTF-8: save it as UTF-8")]
    NotUtf8,
    /// Two requirements by one name.
    #[error("the catalogue of requirements has {0} twice")]
    Twice(String),
    /// What binds the endpoint names rules, which judge what a product does.
    #[error(
        "{0} binds the endpoint and names rules, which judge the product's traffic: let it bind the product, or take out its rules"
    )]
    RulesOfEndpoint(String),
    /// Two catalogues with different requirements by one name.
    #[error(
        "requirement {id} is in {other} and, saying something else, in {one}: give one of them another id"
    )]
    Clash {
        /// The name.
        id: String,
        /// The catalogue that was read later.
        one: String,
        /// The catalogue that had it first.
        other: String,
    },
}

/// The built-in catalogue with those of a user's own packs after it. A requirement that stands in two
/// of them word for word is one requirement.
///
/// # Errors
/// When the built-in one is wrong, or when two say different things by one name.
pub fn join<'a>(own: impl Iterator<Item = &'a OwnCatalogue>) -> Result<Vec<Requirement>, CatalogueError> {
    let mut joined = Requirement::read_all(BUILT_IN_CATALOGUE)?;
    let built_in = || "the built-in catalogue (features/requirements.yaml)".to_owned();
    let mut places: BTreeMap<String, (String, usize)> = joined
        .iter()
        .enumerate()
        .map(|(place, requirement)| (requirement.id.clone(), (built_in(), place)))
        .collect();
    for catalogue in own {
        for requirement in &catalogue.requirements {
            match places.get(&requirement.id) {
                None => {
                    places.insert(requirement.id.clone(), (catalogue.shown.clone(), joined.len()));
                    joined.push(requirement.clone());
                }
                Some((_, place)) if joined.get(*place) == Some(requirement) => {}
                Some((other, _)) => {
                    let (id, one) = (requirement.id.clone(), catalogue.shown.clone());
                    return Err(CatalogueError::Clash { id, one, other: other.clone() });
                }
            }
        }
    }
    Ok(joined)
}

impl Requirement {
    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is not YAML of this shape, names a requirement twice, or a rule that there is not.
    pub fn read_all(text: &str) -> Result<Vec<Self>, CatalogueError> {
        let all: Vec<Self> = serde_yaml::from_str(text)?;
        let mut seen = BTreeSet::new();
        for requirement in &all {
            if !seen.insert(&requirement.id) {
                return Err(CatalogueError::Twice(requirement.id.clone()));
            }
            if requirement.binds == Binds::Endpoint && !requirement.rules.is_empty() {
                return Err(CatalogueError::RulesOfEndpoint(requirement.id.clone()));
            }
        }
        Ok(all)
    }
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        }
    }
}

impl Binds {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Endpoint => "endpoint",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rules::traffic::{RULES, Severity},
        runner::{built_in, load, pack::tested_by},
    };

    fn tagged() -> BTreeSet<String> {
        let packs: Vec<String> = built_in().into_iter().map(str::to_owned).collect();
        tested_by(&load(&packs).unwrap())
    }

    /// What is known of the built-in packs without parsing them.
    #[test]
    fn what_the_built_in_packs_test_is_known_whatever_is_loaded() {
        assert_eq!(tested_by(&[]), tagged());
    }

    /// The coverage check: a scenario refers to what is in the catalogue, and what is in the
    /// catalogue is tested, or says why not, and not both.
    #[test]
    fn every_requirement_is_tested_or_says_why_not() {
        let catalogue = Requirement::read_all(BUILT_IN_CATALOGUE).unwrap();
        let tagged = tagged();
        let known: BTreeSet<String> = catalogue.iter().map(|requirement| requirement.id.clone()).collect();
        let unknown: Vec<&String> = tagged.difference(&known).collect();
        assert!(unknown.is_empty(), "scenarios name requirements that are in no catalogue: {unknown:?}");
        for requirement in &catalogue {
            let tested = tagged.contains(&requirement.id) || !requirement.rules.is_empty();
            assert_ne!(
                tested,
                requirement.untested.is_some(),
                "{}: tested, or untested with a reason",
                requirement.id
            );
        }
    }

    /// Otherwise it could be broken, and no requirement would show it.
    #[test]
    fn every_rule_is_about_a_requirement() {
        let catalogue = Requirement::read_all(BUILT_IN_CATALOGUE).unwrap();
        let named: BTreeSet<&str> =
            catalogue.iter().flat_map(|requirement| &requirement.rules).map(|rule| rule.id()).collect();
        let left: Vec<&str> = RULES.iter().map(|rule| rule.id).filter(|id| !named.contains(id)).collect();
        assert!(left.is_empty(), "rules that no requirement names: {left:?}");
    }

    /// A MUST of which a rule is no more than a SHOULD could be broken with a warning.
    #[test]
    fn a_rule_binds_no_less_than_the_requirement_that_it_is_about() {
        for requirement in Requirement::read_all(BUILT_IN_CATALOGUE).unwrap() {
            for rule in &requirement.rules {
                let severity = rule.rule().severity;
                let is_as_strict = match requirement.level {
                    Level::Must => severity == Severity::Must,
                    Level::Should => severity <= Severity::Should,
                    Level::May => true,
                };
                assert!(is_as_strict, "{}: rule {} is a {}", requirement.id, rule.id(), severity.word());
            }
        }
    }

    #[test]
    fn every_case_has_a_requirement_and_a_description() {
        for loaded in load(&[]).unwrap() {
            for scenario in loaded.feature.scenarios {
                let has = |prefix: &str| scenario.tags.iter().any(|tag| tag.starts_with(prefix));
                assert!(has("case-") && has("req-"), "{}", scenario.name);
                let description = scenario.description.unwrap_or_default();
                assert!(
                    description.contains("Proves:") && description.contains("If it fails:"),
                    "{}",
                    scenario.name
                );
            }
        }
    }

    /// The tags decide where a scenario may run: one that is misspelt would let it run anywhere.
    #[test]
    fn every_endpoint_scenario_has_a_requirement_and_no_tag_that_means_nothing() {
        let known = ["endpoint", "int-safe", "emulator-only", "slow", "large", "tls", "own-endpoint"];
        for loaded in load(&["endpoint".to_owned()]).unwrap() {
            assert!(loaded.feature.tags.iter().any(|tag| tag == "endpoint"), "{}", loaded.shown);
            for scenario in &loaded.feature.scenarios {
                let tags = || loaded.feature.tags.iter().chain(&scenario.tags);
                assert!(tags().any(|tag| tag.starts_with("req-")), "{}", scenario.name);
                for tag in tags().filter(|tag| !tag.starts_with("req-")) {
                    assert!(known.contains(&tag.as_str()), "{}: @{tag}", scenario.name);
                }
                let both = |tag: &str| tags().any(|own| own == tag);
                assert!(!(both("int-safe") && both("emulator-only")), "{}", scenario.name);
            }
        }
    }

    #[test]
    fn a_rule_that_there_is_not_is_told_with_its_line_and_the_nearest() {
        let with = |rules: &str| {
            format!(
                "# a comment\n- id: A-1\n  statement: s\n  source: s\n  level: MUST\n  binds: product\n  rules:\n{rules}"
            )
        };
        let good = Requirement::read_all(&with("    - token-repeated\n    - refusals\n")).unwrap();
        let ids: Vec<&str> = good[0].rules.iter().map(|rule| rule.id()).collect();
        assert_eq!(ids, ["token-repeated", "refusals"]);
        for (rules, line, says) in [
            (
                "    - refusals\n    - token-repeat\n",
                9,
                "no rule \"token-repeat\": did you mean token-repeated?",
            ),
            ("    - xyzzyplugh\n", 8, "no rule \"xyzzyplugh\": docs/rules.md has all there are"),
            ("    - [refusals]\n", 8, "the name of a rule"),
        ] {
            let error = Requirement::read_all(&with(rules)).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains(&format!("at line {line} ")), "{error}");
        }
    }

    /// Rules look at what a product does: an endpoint that is tested could never break them.
    #[test]
    fn what_binds_an_endpoint_names_no_rules() {
        let text = "- {id: A-1, statement: s, source: s, level: MUST, binds: endpoint, rules: [refusals]}\n";
        let error = Requirement::read_all(text).unwrap_err().to_string();
        assert!(error.starts_with("A-1 binds the endpoint and names rules"), "{error}");
    }

    #[test]
    fn a_catalogue_with_a_mistake_is_none() {
        let one = "- {id: A-1, statement: s, source: s, level: MUST, binds: product}\n";
        assert_eq!(Requirement::read_all(one).unwrap().len(), 1);
        assert!(matches!(Requirement::read_all(&format!("{one}{one}")), Err(CatalogueError::Twice(_))));
        for bad in ["level: MOST", "binds: everybody", "colour: red"] {
            let text = one.replace("}", &format!(", {bad}}}"));
            assert!(matches!(Requirement::read_all(&text), Err(CatalogueError::Malformed(_))), "{bad}");
        }
    }
}
