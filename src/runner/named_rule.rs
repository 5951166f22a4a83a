//! A rule over all of the product's traffic, as an entry of a catalogue names it.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::vocabulary::nearest_word;
use crate::rules::traffic::{RULES, Rule, named};

/// A rule that there is.
#[derive(Debug, Clone, Copy)]
pub struct NamedRule(&'static Rule);

impl NamedRule {
    /// Its name.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.0.id
    }

    /// The rule.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        self.0
    }
}

impl PartialEq for NamedRule {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for NamedRule {}

impl<'de> Deserialize<'de> for NamedRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Name)
    }
}

/// Refuses a name while it is read, so that the error has its line.
struct Name;

impl de::Visitor<'_> for Name {
    type Value = NamedRule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a rule, such as token-repeated")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<NamedRule, E> {
        named(id).map(NamedRule).ok_or_else(|| {
            let meant = match nearest_word(id, RULES.iter().map(|rule| rule.id)) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "docs/rules.md has all there are".to_owned(),
            };
            E::custom(format!("there is no rule {id:?}: {meant}"))
        })
    }
}
