//! The steps there are, as one writes them, and what each is for.
//!
//! cucumber knows a step by its regular expression alone. What a person needs besides stands in
//! `steps/vocabulary.yaml`; a phrase finds its step definition by being a step.

mod nearest;
mod numbers;
mod phrase;

use std::{collections::BTreeMap, sync::LazyLock};

use cucumber::{
    gherkin::{Step, StepType},
    step::{Collection, Location},
};
use serde::Deserialize;
use thiserror::Error;

use super::{MeshWorld, PackError, built_in, load};
pub(super) use nearest::{ALL, nearest, nearest_word};
pub(super) use numbers::Numbers;
pub use phrase::Phrase;

const TABLE: &str = include_str!("../../../steps/vocabulary.yaml");

/// The steps there are.
#[derive(Debug)]
pub struct Vocabulary {
    /// What may stand in the places of a step that are for something of one's own.
    pub words: Vec<Word>,
    /// What may stand, in braces, in some of those places.
    pub placeholders: Vec<Placeholder>,
    /// The steps, by subject.
    pub subjects: Vec<Subject>,
}

/// What may stand in a place of a step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// Its name, as it stands in braces in a phrase.
    pub name: String,
    /// What it can be.
    pub means: String,
    /// An example.
    pub like: String,
    /// Of a whole number, the least and the most that it can be.
    pub range: Option<(u64, u64)>,
}

/// What is replaced, in braces, by something that is known only when a scenario is played.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placeholder {
    /// Its name, without the braces.
    pub name: String,
    /// What it stands for.
    pub means: String,
}

/// Steps that belong together.
#[derive(Debug)]
pub struct Subject {
    /// What they are about.
    pub title: String,
    /// The steps.
    pub steps: Vec<Entry>,
}

/// One step.
#[derive(Debug)]
pub struct Entry {
    /// Its kind: `And` and `But` go on with the kind before.
    pub kind: StepType,
    /// How it is written.
    pub phrase: Phrase,
    /// What it does.
    pub does: String,
    /// An example, and why no built-in scenario has one; `None` when one has.
    pub unused: Option<Unused>,
}

/// A step that no built-in scenario uses.
#[derive(Debug)]
pub struct Unused {
    /// How it would be used.
    pub example: String,
    /// Why it is not.
    pub reason: String,
}

/// A step of a built-in scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The step without its keyword.
    pub text: String,
    /// Its table, row by row.
    pub table: Vec<Vec<String>>,
    /// Feature file and line, from 1.
    pub place: (String, usize),
}

/// A step, the place of its definition, and how a built-in scenario uses it.
pub type Matched<'a> = (&'a Entry, Location, Option<Example>);

/// What is wrong with the table of steps.
#[derive(Debug, Error)]
pub enum VocabularyError {
    /// Not YAML of this shape.
    #[error("steps/vocabulary.yaml is malformed: {0}")]
    Malformed(#[from] serde_yaml::Error),
    /// A step that is not described as it must be.
    #[error("steps/vocabulary.yaml: {0}")]
    Step(String),
    /// The built-in packs, from which examples come, cannot be read.
    #[error(transparent)]
    Pack(#[from] PackError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVocabulary {
    words: Vec<Word>,
    placeholders: Vec<Placeholder>,
    subjects: Vec<RawSubject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSubject {
    title: String,
    steps: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    given: Option<String>,
    when: Option<String>,
    then: Option<String>,
    does: String,
    example: Option<String>,
    unused: Option<String>,
}

impl Vocabulary {
    /// The steps that come with mesh-witness.
    ///
    /// # Errors
    /// None that tests let pass: the table is part of the program.
    pub fn built_in() -> Result<&'static Self, &'static VocabularyError> {
        static READ: LazyLock<Result<Vocabulary, VocabularyError>> =
            LazyLock::new(|| Vocabulary::read(TABLE));
        READ.as_ref()
    }

    fn read(text: &str) -> Result<Self, VocabularyError> {
        let RawVocabulary { words, placeholders, subjects } = serde_yaml::from_str(text)?;
        let subjects = subjects.into_iter().map(|raw| {
            let steps = raw.steps.into_iter().map(entry).collect::<Result<_, _>>()?;
            Ok::<_, VocabularyError>(Subject { title: raw.title, steps })
        });
        let vocabulary = Self { words, placeholders, subjects: subjects.collect::<Result<_, _>>()? };
        let explained = |word: &&str| vocabulary.words.iter().any(|known| known.name == *word);
        let unknown =
            vocabulary.entries().flat_map(|entry| entry.phrase.words()).find(|word| !explained(word));
        if let Some(word) = unknown {
            return Err(VocabularyError::Step(format!("{{{word}}} is explained nowhere")));
        }
        Ok(vocabulary)
    }

    /// Every step, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.subjects.iter().flat_map(|subject| &subject.steps)
    }

    /// An example of each word, by its name.
    #[must_use]
    pub fn like(&self) -> BTreeMap<&str, &str> {
        self.words.iter().map(|word| (word.name.as_str(), word.like.as_str())).collect()
    }

    /// The step definition of each step, and the shortest example of it in the built-in packs.
    ///
    /// # Errors
    /// When a step can be written in a way that is none, or that is another's.
    pub fn matched(&self, steps: &Collection<MeshWorld>) -> Result<Vec<Matched<'_>>, VocabularyError> {
        let mut examples = examples(steps)?;
        let like = self.like();
        let matched = self.entries().map(|entry| {
            let mut location = None;
            for sample in entry.phrase.samples(&like) {
                let found = find(steps, entry.kind, &sample);
                let found = found
                    .ok_or_else(|| VocabularyError::Step(format!("{sample:?} is no step, or several")))?;
                if location.replace(found).is_some_and(|before| before != found) {
                    return Err(VocabularyError::Step(format!("{sample:?} is another step")));
                }
            }
            let location =
                location.ok_or_else(|| VocabularyError::Step(format!("{:?} is empty", entry.phrase)))?;
            Ok((entry, location, examples.remove(&(kind(entry.kind), location))))
        });
        matched.collect()
    }
}

/// The shortest step of the built-in packs for each step definition; one without placeholders where
/// there is one, since it reads better.
fn examples(steps: &Collection<MeshWorld>) -> Result<BTreeMap<(&'static str, Location), Example>, PackError> {
    let packs: Vec<String> = built_in().into_iter().map(str::to_owned).collect();
    let mut examples = BTreeMap::new();
    let cost = |example: &Example| (example.text.contains('{'), example.text.len(), example.text.clone());
    for loaded in load(&packs)? {
        let scenarios = loaded.feature.scenarios.iter().flat_map(|scenario| &scenario.steps);
        let background = loaded.feature.background.iter().flat_map(|background| &background.steps);
        for step in background.chain(scenarios) {
            let Ok(Some((_, _, Some(location), _))) = steps.find(step) else { continue };
            let table = step.table.iter().flat_map(|table| table.rows.clone()).collect();
            let place = (loaded.shown.clone(), step.position.line);
            let example = Example { text: step.value.clone(), table, place };
            let best = examples.entry((kind(step.ty), location)).or_insert_with(|| example.clone());
            if cost(&example) < cost(best) {
                *best = example;
            }
        }
    }
    Ok(examples)
}

fn find(steps: &Collection<MeshWorld>, ty: StepType, text: &str) -> Option<Location> {
    let step = Step::builder().keyword(kind(ty).to_owned()).ty(ty).value(text.to_owned()).build();
    steps.find(&step).ok().flatten().and_then(|(_, _, location, _)| location)
}

/// The keyword of a kind of step.
#[must_use]
pub fn kind(ty: StepType) -> &'static str {
    match ty {
        StepType::Given => "Given",
        StepType::When => "When",
        StepType::Then => "Then",
    }
}

fn entry(raw: RawEntry) -> Result<Entry, VocabularyError> {
    let bad = |what: String| VocabularyError::Step(what);
    let (kind, text) = match (raw.given, raw.when, raw.then) {
        (Some(text), None, None) => (StepType::Given, text),
        (None, Some(text), None) => (StepType::When, text),
        (None, None, Some(text)) => (StepType::Then, text),
        _ => return Err(bad(format!("{:?}: one of given, when and then", raw.does))),
    };
    let unused = match (raw.example, raw.unused) {
        (Some(example), Some(reason)) => Some(Unused { example, reason }),
        (None, None) => None,
        _ => return Err(bad(format!("{text:?}: example and unused belong together"))),
    };
    let phrase = Phrase::parse(&text).map_err(bad)?;
    Ok(Entry { kind, phrase, does: raw.does, unused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_can_be_read() {
        assert!(Vocabulary::built_in().unwrap().entries().count() > 90);
    }

    #[test]
    fn a_table_with_a_mistake_is_none() {
        let good = "words: []\nplaceholders: []\nsubjects: [{title: t, steps: [{given: a b, does: c}]}]\n";
        assert_eq!(Vocabulary::read(good).unwrap().entries().count(), 1);
        for (from, to) in [
            ("given: a b", "given: a {b}"),
            ("given: a b", "given: \"a {b\""),
            ("given: a b", "given: a b, when: c"),
            ("given: a b, ", ""),
            ("does: c", "does: c, example: e"),
            ("does: c", "does: c, unused: e"),
            ("does: c", "docs: c"),
        ] {
            assert!(Vocabulary::read(&good.replace(from, to)).is_err(), "{to}");
        }
    }
}
