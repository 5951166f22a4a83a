//! `steps`: what scenarios can be written with.

mod editor;
mod page;

use cucumber::{World as _, step::Collection};
use mesh_witness::runner::{Entry, Example, MeshWorld, Vocabulary, VocabularyError, kind, registered};

use super::{
    Exit, Failure,
    args::{StepsArguments, StepsFormat},
    screen,
};

/// A step, with all that is told of it.
struct Told<'a> {
    subject: &'a str,
    entry: &'a Entry,
    /// The regular expression of its step definition.
    pattern: String,
    /// How a built-in scenario uses it.
    example: Option<Example>,
}

pub fn steps(arguments: &StepsArguments) -> Result<Exit, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Environment, format!("cannot list the steps: {error}"))
    };
    let vocabulary = Vocabulary::built_in().map_err(|error| failed(error))?;
    let told = told(vocabulary, &MeshWorld::collection()).map_err(|error| failed(&error))?;
    let json =
        |value: serde_json::Value| serde_json::to_string_pretty(&value).map_err(|error| failed(&error));
    let text = match arguments.format {
        StepsFormat::Text => page::text(vocabulary, &told),
        StepsFormat::Markdown => page::markdown(vocabulary, &told),
        StepsFormat::Json => json(editor::json(vocabulary, &told))?,
        StepsFormat::Vscode => json(editor::snippets(vocabulary, &told))?,
    };
    screen::say(text.trim_end());
    Ok(Exit::Good)
}

fn told<'a>(
    vocabulary: &'a Vocabulary,
    steps: &Collection<MeshWorld>,
) -> Result<Vec<Told<'a>>, VocabularyError> {
    let patterns = registered();
    let subjects = vocabulary
        .subjects
        .iter()
        .flat_map(|subject| subject.steps.iter().map(move |_| subject.title.as_str()));
    let matched = vocabulary.matched(steps)?.into_iter().zip(subjects);
    let told = matched.map(|((entry, location, example), subject)| {
        let pattern = patterns.get(&(kind(entry.kind), location)).cloned().unwrap_or_default();
        Told { subject, entry, pattern, example }
    });
    Ok(told.collect())
}

impl Told<'_> {
    /// The example as it stands in a feature file, row by row of its table.
    fn example(&self) -> Vec<String> {
        let own = self.entry.unused.as_ref().map(|unused| unused.example.as_str());
        let text = self.example.as_ref().map(|example| example.text.as_str()).or(own).unwrap_or_default();
        let rows = self.example.iter().flat_map(|example| &example.table);
        let rows = rows.map(|row| format!("  | {} |", row.join(" | ")));
        std::iter::once(format!("{} {text}", kind(self.entry.kind))).chain(rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, env, fs, path::Path};

    use super::*;

    fn vocabulary() -> (&'static Vocabulary, Vec<Told<'static>>) {
        let vocabulary = Vocabulary::built_in().unwrap();
        (vocabulary, told(vocabulary, &MeshWorld::collection()).unwrap())
    }

    /// The table says of each step definition what it is for, once, and of nothing else.
    #[test]
    fn each_step_definition_is_described_once() {
        let vocabulary = Vocabulary::built_in().unwrap();
        let matched = vocabulary.matched(&MeshWorld::collection()).unwrap();
        let described: BTreeSet<_> =
            matched.iter().map(|(entry, location, _)| (kind(entry.kind), *location)).collect();
        assert_eq!(described.len(), matched.len(), "a step definition is described twice");
        let registered = registered();
        let missing: Vec<_> = registered
            .iter()
            .filter(|(step, _)| !described.contains(*step))
            .map(|(_, pattern)| pattern)
            .collect();
        assert!(missing.is_empty(), "steps/vocabulary.yaml does not describe: {missing:#?}");
    }

    #[test]
    fn each_step_has_an_example_of_a_built_in_scenario_or_says_why_not() {
        let (_, told) = vocabulary();
        let steps = MeshWorld::collection();
        for one in &told {
            let phrase = one.entry.phrase.as_str();
            assert!(one.entry.does.ends_with('.') && !one.entry.does.contains('\n'), "{phrase}");
            assert_ne!(
                one.example.is_some(),
                one.entry.unused.is_some(),
                "{phrase}: an example in a built-in scenario, or `unused` with the reason"
            );
            let example = one.example().remove(0);
            let text = example.split_once(' ').unwrap().1;
            let step = cucumber::gherkin::Step::builder().keyword(String::new()).ty(one.entry.kind);
            assert!(steps.find(&step.value(text.to_owned()).build()).unwrap().is_some(), "{example}");
        }
    }

    #[test]
    fn the_page_of_steps_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/steps.md");
        let (vocabulary, told) = vocabulary();
        let page = page::markdown(vocabulary, &told);
        if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            fs::write(&path, &page).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(page == kept, "docs/steps.md is stale: INSTA_UPDATE=always cargo test page_of_steps");
    }

    /// What the table says of shapes, tokens and placeholders is what the code takes.
    #[test]
    fn phrases_for_tokens_and_shapes_are_all_there_and_right() {
        let (vocabulary, _) = vocabulary();
        let means = |name: &str| &vocabulary.words.iter().find(|word| word.name == name).unwrap().means;
        let (_, tokens) = means("token").split_once(": ").unwrap();
        let tokens: Vec<&str> = tokens.trim_end_matches(" (any number of minutes)").split("; ").collect();
        for token in &tokens {
            assert!(token.parse::<mesh_witness::runner::Mistake>().is_ok(), "{token}");
        }
        let error = "nonsense".parse::<mesh_witness::runner::Mistake>().unwrap_err().to_string();
        let (_, all) = error.split_once("it can be: ").unwrap();
        assert_eq!(all.split("; ").collect::<Vec<_>>(), tokens);
        let (_, shapes) = means("shape").split_once(": ").unwrap();
        for shape in shapes.replace(" or ", ", ").split(", ") {
            assert!(mesh_witness::rules::endpoint::Shape::named(shape).is_some(), "{shape}");
        }
    }

    #[test]
    fn what_editors_read_has_every_step() {
        let (vocabulary, told) = vocabulary();
        let json = editor::json(vocabulary, &told);
        let steps = json["steps"].as_array().unwrap();
        assert_eq!(steps.len(), told.len());
        for (step, told) in steps.iter().zip(&told) {
            let pattern = step["pattern"].as_str().unwrap();
            assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{pattern}");
            assert_eq!(step["step"], told.entry.phrase.as_str());
            assert!(!step["snippets"].as_array().unwrap().is_empty());
        }
        let snippets = editor::snippets(vocabulary, &told);
        let bodies: BTreeSet<&str> =
            snippets.as_object().unwrap().values().map(|one| one["body"][0].as_str().unwrap()).collect();
        assert!(bodies.contains("the ${1|sender,receiver|} sends chunk ${2:2}"), "{bodies:#?}");
        let all: usize = told.iter().map(|one| one.entry.phrase.snippets(&vocabulary.like()).len()).sum();
        assert_eq!(snippets.as_object().unwrap().len(), all);
    }
}
