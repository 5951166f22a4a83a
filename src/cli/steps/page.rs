//! The steps for people: on the terminal, and as the page `docs/steps.md`.

use std::fmt::Write as _;

use mesh_witness::runner::{Vocabulary, kind};

use super::Told;

const NOTATION: &str = "(a|b): one of these. [ text]: may be left out. {bytes}: something of your own, explained below; \
quotation marks around it are written. And and But go on with the keyword before.";

/// For the terminal.
pub fn text(vocabulary: &Vocabulary, told: &[Told<'_>]) -> String {
    let mut text = format!("{NOTATION}\n");
    let mut subject = "";
    for one in told {
        if subject != one.subject {
            subject = one.subject;
            let _ = write!(text, "\n{subject}\n");
        }
        let _ = write!(
            text,
            "\n  {} {}\n      {}\n",
            kind(one.entry.kind),
            one.entry.phrase.as_str(),
            one.entry.does
        );
        for line in one.example() {
            let _ = writeln!(text, "      | {line}");
        }
    }
    text.push_str("\nWords\n\n");
    for word in &vocabulary.words {
        let _ = writeln!(text, "  {{{}}}: {}, such as {}", word.name, word.means, word.like);
    }
    text.push_str("\nPlaceholders, written with their braces\n\n");
    for one in &vocabulary.placeholders {
        let _ = writeln!(text, "  {{{}}}: {}", one.name, one.means);
    }
    text
}

/// The page.
pub fn markdown(vocabulary: &Vocabulary, told: &[Told<'_>]) -> String {
    let mut page = HEAD.to_owned();
    let mut subject = "";
    for one in told {
        if subject != one.subject {
            subject = one.subject;
            let _ = write!(page, "\n## {subject}\n");
        }
        let _ = write!(
            page,
            "\n**{}** `{}`  \n{}\n",
            kind(one.entry.kind),
            one.entry.phrase.as_str(),
            code(&one.entry.does)
        );
        let _ = write!(page, "\n```gherkin\n{}\n```\n", one.example().join("\n"));
        match (&one.example, &one.entry.unused) {
            (Some(example), _) => {
                let _ = write!(page, "\nFrom {}.\n", example.place.0);
            }
            (None, Some(unused)) => {
                let _ = write!(page, "\nNo built-in scenario uses it: {}\n", unused.reason);
            }
            (None, None) => {}
        }
    }
    page.push_str("\n## Words\n\n| word | what it can be | such as |\n|---|---|---|\n");
    for word in &vocabulary.words {
        let _ = writeln!(page, "| `{{{}}}` | {} | `{}` |", word.name, word.means, word.like);
    }
    page.push_str("\n## Placeholders\n\nWritten with their braces, where a word says that it may have them.\n\n| placeholder | stands for |\n|---|---|\n");
    for one in &vocabulary.placeholders {
        let _ = writeln!(page, "| `{{{}}}` | {} |", one.name, one.means);
    }
    page
}

/// Placeholders in running text.
fn code(text: &str) -> String {
    text.replace('{', "`{").replace('}', "}`")
}

const HEAD: &str = "# The steps

What scenarios can be written with. Made by `mesh-witness steps --format markdown`; a test fails when this page is stale.

- `(a|b)`: one of these words
- `[ text]`: may be left out
- `{bytes}`: something of your own, explained under [words](#words); quotation marks around it are written
- `And` and `But` go on with the keyword before

## A pack of your own

`mesh-witness init DIR` writes a commented configuration, a first scenario and a catalogue with its requirement;
`mesh-witness run --pack DIR/features` plays it, and `--pack witness` beside it plays the assurance pack too. A step that is
not there is named with file and line, with the nearest ones, before anything is played.

`requirements.yaml` in the pack's folder is its catalogue: its requirements stand in the report's matrix and in
`requirements.csv` after the built-in ones. Scenarios name them by `@req-…`, and are named themselves by `@case-…`. An id that is in
no catalogue, and an id that says one thing in yours and another in the built-in one, are errors.

An entry of it that binds the product may name rules over all of the product's traffic ([rules.md](rules.md)), as in `rules:
[token-repeated, refusals]`. What the run shows of it is then the worst of its scenarios and of those rules: a rule that is broken
fails it, one that warns is a warning, one that had nothing to look at says nothing. Where no scenario tests it, its rules decide alone;
otherwise that they hold shows nothing by itself. A rule that there is not is an error, with its line.

## In an editor

`mesh-witness steps --format vscode > .vscode/mesh-witness.code-snippets` makes snippets for Visual Studio Code, and for
editors that take the same format: the beginning of a step offers it, the tabulator goes from word to word. The scope is
the languages `cucumber`, `gherkin` and `feature`, as extensions for feature files call theirs.

`mesh-witness steps --format json` is for any other editor or program. Its fields:

| field | what it is |
|---|---|
| `format` | `mesh-witness steps 1`; the number changes when a field does |
| `tool_version` | of mesh-witness |
| `words`, `placeholders` | lists of `name`, `means` and, for words, `like`, an example |
| `steps[].keyword` | `Given`, `When` or `Then` |
| `steps[].step` | the step as on this page |
| `steps[].pattern` | the regular expression that decides, without the keyword |
| `steps[].subject`, `does` | as on this page |
| `steps[].words` | the words in it, in their order |
| `steps[].snippets` | the step as snippets in TextMate's form, one for each way to leave parts out |
| `steps[].example` | an example, one line each, with its keyword and its table |
| `steps[].example_from` | feature file and line of the example; null where there is none |
| `steps[].unused` | why no built-in scenario uses it; null where one does |
";
