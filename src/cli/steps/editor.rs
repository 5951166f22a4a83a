//! What editors and programs read of the steps.

use mesh_witness::runner::{Vocabulary, kind};
use serde_json::{Map, Value, json};

use super::Told;

/// All that is known of each step.
pub fn json(vocabulary: &Vocabulary, told: &[Told<'_>]) -> Value {
    let named = |name: &str, means: &str| json!({"name": name, "means": means});
    let words = vocabulary
        .words
        .iter()
        .map(|word| json!({"name": word.name, "means": word.means, "like": word.like}));
    let placeholders = vocabulary.placeholders.iter().map(|one| named(&one.name, &one.means));
    let like = vocabulary.like();
    let steps = told.iter().map(|one| {
        json!({
            "keyword": kind(one.entry.kind),
            "step": one.entry.phrase.as_str(),
            "pattern": one.pattern,
            "subject": one.subject,
            "does": one.entry.does,
            "words": one.entry.phrase.words(),
            "snippets": one.entry.phrase.snippets(&like),
            "example": one.example(),
            "example_from": one.example.as_ref().map(|example| format!("{}:{}", example.place.0, example.place.1)),
            "unused": one.entry.unused.as_ref().map(|unused| &unused.reason),
        })
    });
    json!({
        "format": "mesh-witness steps 1",
        "tool_version": env!("CARGO_PKG_VERSION"),
        "words": words.collect::<Vec<_>>(),
        "placeholders": placeholders.collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
    })
}

/// Snippets as Visual Studio Code has them; the scope names the languages by which extensions for Gherkin
/// go. The keyword is left to the author, who may have written `And`.
pub fn snippets(vocabulary: &Vocabulary, told: &[Told<'_>]) -> Value {
    let like = vocabulary.like();
    let mut all = Map::new();
    for one in told {
        for (place, body) in one.entry.phrase.snippets(&like).into_iter().enumerate() {
            let keyword = kind(one.entry.kind);
            let more = if place == 0 { String::new() } else { format!(" ({})", place + 1) };
            let samples = one.entry.phrase.as_str();
            all.insert(
                format!("{keyword} {samples}{more}"),
                json!({
                    "scope": "cucumber,gherkin,feature",
                    "prefix": samples.replace(['{', '}', '[', ']', '"'], ""),
                    "body": [body],
                    "description": format!("{keyword}: {}", one.entry.does),
                }),
            );
        }
    }
    Value::Object(all)
}
