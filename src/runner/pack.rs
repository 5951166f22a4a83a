//! Packs of feature files: the built-in ones, and folders of a user's own.

mod files;
mod outline;

use std::{collections::BTreeSet, io, path::PathBuf, sync::Arc};

use cucumber::gherkin::{Feature, GherkinEnv};
use thiserror::Error;

use super::{CatalogueError, PackFile, Requirement};
use files::{files, own_catalogue};
pub(crate) use outline::expanded;

/// The built-in feature files: path and content.
static BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/features.rs"));

/// A feature file that was read and parsed.
#[derive(Debug, Clone)]
pub struct LoadedFeature {
    /// The path by which a person knows it, for messages.
    pub shown: String,
    /// As it goes into the bundle.
    pub file: PackFile,
    /// As it is played: outlines expanded. [`PackFile::feature`] has them as they stand there.
    pub feature: Feature,
    /// The catalogue of the pack that it belongs to, where that has one of its own.
    pub catalogue: Option<Arc<OwnCatalogue>>,
}

/// The catalogue of requirements of a user's own pack.
#[derive(Debug, Clone)]
pub struct OwnCatalogue {
    /// The path by which a person knows it, for messages.
    pub shown: String,
    /// As it goes into the bundle.
    pub file: PackFile,
    /// What it demands.
    pub requirements: Vec<Requirement>,
}

/// What a catalogue is called, in the folder of its pack.
pub const CATALOGUE: &str = "requirements.yaml";

/// Why a pack cannot be played.
#[derive(Debug, Error)]
pub enum PackError {
    /// No built-in pack and no folder by that name.
    #[error("there is no pack {name:?}: name a built-in one ({built_in}), or a folder with .feature files")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The built-in ones.
        built_in: String,
    },
    /// A file or folder cannot be read.
    #[error("{}: cannot be read: {source}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder without a single feature file.
    #[error("{}: has no file that ends in .feature", .0.display())]
    Empty(PathBuf),
    /// Something in the folder that would be passed over, and looks as if it were played.
    #[error("{}: {problem}", .path.display())]
    Entry {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, and how to mend that.
        problem: &'static str,
    },
    /// Larger than any feature file is.
    #[error("{}: is larger than {limit}", .path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// The limit, in words.
        limit: String,
    },
    /// Its catalogue of requirements is none.
    #[error("{}: {source}", .path.display())]
    Catalogue {
        /// Which.
        path: PathBuf,
        /// Why.
        source: CatalogueError,
    },
    /// Not Gherkin.
    #[error("{path}:{line}:{column}: is not Gherkin: {detail}")]
    Syntax {
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// The line, and what could stand there, over several lines.
        detail: String,
    },
    /// Gherkin, but not a feature that can be played.
    #[error("{path}:{line}:1: {detail}")]
    Unplayable {
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// Why.
        detail: String,
    },
}

/// Loads the packs by name or folder, in the order given; the witness pack when none is.
///
/// # Errors
/// The first pack or file that cannot be played.
pub fn load(packs: &[String]) -> Result<Vec<LoadedFeature>, PackError> {
    let witness = ["witness".to_owned()];
    let packs = if packs.is_empty() { &witness } else { packs };
    let mut features = Vec::new();
    for pack in packs {
        let catalogue = own_catalogue(pack)?;
        for (shown, mut file) in files(pack)? {
            if let Some((read, feature)) = parse(&shown, &file)? {
                file.feature = Some(Arc::new(read));
                features.push(LoadedFeature { shown, file, feature, catalogue: catalogue.clone() });
            }
        }
    }
    Ok(features)
}

/// Names of the built-in packs: the folders below `features/`.
#[must_use]
pub fn built_in() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        BUILT_IN.iter().filter_map(|(path, _)| Some(path.split_once('/')?.0)).collect();
    names.dedup();
    names
}

/// The requirements that scenarios test: those of the built-in packs, loaded or not, and those of all that is loaded.
pub(super) fn tested_by(loaded: &[LoadedFeature]) -> BTreeSet<String> {
    let texts = BUILT_IN.iter().filter_map(|(_, content)| std::str::from_utf8(content).ok());
    let built_in = texts.flat_map(str::split_whitespace).filter_map(|word| word.strip_prefix('@'));
    let features = loaded.iter().map(|loaded| &loaded.feature);
    let own = features.flat_map(|feature| {
        let of_rules = feature.rules.iter().flat_map(|rule| {
            rule.tags.iter().chain(rule.scenarios.iter().flat_map(|scenario| &scenario.tags))
        });
        let of_scenarios = feature.scenarios.iter().flat_map(|scenario| &scenario.tags);
        feature.tags.iter().chain(of_rules).chain(of_scenarios).map(String::as_str)
    });
    built_in.chain(own).filter_map(|tag| tag.strip_prefix("req-").map(str::to_owned)).collect()
}

/// What stands there, and what is played: outlines expanded. `None` for a file in which there is nothing but
/// blanks and comments.
fn parse(shown: &str, file: &PackFile) -> Result<Option<(Feature, Feature)>, PackError> {
    let unplayable = |line, detail: String| PackError::Unplayable { path: shown.to_owned(), line, detail };
    let text = std::str::from_utf8(&file.content).map_err(|error| {
        let line = file.content[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        unplayable(line, "is not UTF-8: save it as UTF-8".to_owned())
    })?;
    // A byte order mark is no Gherkin, though many editors write one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    if !text.lines().any(is_content) {
        return Ok(None);
    }
    let mut feature =
        Feature::parse(&text, GherkinEnv::default()).map_err(|error| syntax(shown, &text, &error))?;
    feature.path = Some(PathBuf::from(&file.path));
    check_outlines(&feature).map_err(|(line, detail)| unplayable(line, detail))?;
    let played = expanded(&feature).map_err(|error| {
        let what = format!("<{}> is no column of the examples: add it, or correct the name", error.name);
        unplayable(error.pos.line, what)
    })?;
    Ok(Some((feature, played)))
}

/// An outline whose examples have no rows would vanish without a word; one that has none at all would be
/// played once, as it stands.
fn check_outlines(feature: &Feature) -> Result<(), (usize, String)> {
    let scenarios = feature.scenarios.iter().chain(feature.rules.iter().flat_map(|rule| &rule.scenarios));
    for scenario in scenarios {
        let is_outline = matches!(scenario.keyword.trim(), "Scenario Outline" | "Scenario Template");
        if is_outline && scenario.examples.is_empty() {
            return Err((
                scenario.position.line,
                "this outline has no examples: add some, or make it a Scenario".to_owned(),
            ));
        }
        for examples in &scenario.examples {
            if examples.table.as_ref().is_none_or(|table| table.rows.len() < 2) {
                return Err((
                    examples.position.line,
                    "these examples have no rows: add some, or take them out".to_owned(),
                ));
            }
        }
    }
    Ok(())
}

/// The parser gives up where it had hoped to read on, often lines after what is wrong. The line to
/// blame is the one after the longest beginning of the file that is Gherkin.
fn syntax(shown: &str, text: &str, error: &impl std::error::Error) -> PackError {
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let lines: Vec<&str> = text.lines().collect();
    let gave_up = cause.strip_prefix("Error at ").and_then(|rest| rest.split(':').next()?.parse().ok());
    let last = gave_up.unwrap_or(lines.len()).min(lines.len());
    let is_gherkin = |count: &usize| {
        let beginning = format!("{}\n", lines[..*count].join("\n"));
        Feature::parse(&beginning, GherkinEnv::default()).is_ok()
    };
    let first = lines.iter().position(|line| is_content(line)).unwrap_or(0);
    // Whoever writes a file by hand has an end to wait for.
    let nearest = last.saturating_sub(BLAME_LINES).max(first);
    let good = (nearest + 1..last).rev().find(is_gherkin).unwrap_or(nearest);
    let blamed = (good..lines.len()).find(|line| is_content(lines[*line])).unwrap_or(good);
    let found = lines.get(blamed).copied().unwrap_or_default();
    let column = found.len() - found.trim_start().len() + 1;
    let hint = if cause.contains("table row") {
        "each row of a table must have as many cells as its first"
    } else if blamed == first {
        "a feature file begins with tags, or with Feature: and its title"
    } else {
        "a step begins with Given, When, Then, And, But or *, a table row begins and ends with |, a text ends with the three quotes it began with"
    };
    let line = blamed + 1;
    let shown_line: String = found.trim_end().chars().take(120).collect();
    let detail = format!("this cannot stand here\n    {line} | {shown_line}\n  {hint}");
    PackError::Syntax { path: shown.to_owned(), line, column, detail }
}

/// How many lines before the place where the parser gave up the fault is looked for.
const BLAME_LINES: usize = 500;

fn is_content(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Option<Feature>, String> {
        let file = PackFile::new("own/x.feature", text);
        let parsed = parse("x.feature", &file).map_err(|error| error.to_string())?;
        Ok(parsed.map(|(_, expanded)| expanded))
    }

    #[test]
    fn the_built_in_packs_parse() {
        for pack in built_in() {
            assert!(!load(&[pack.to_owned()]).unwrap().is_empty(), "{pack}");
        }
    }

    #[test]
    fn what_is_not_gherkin_is_named_by_line_and_column() {
        let start = "Feature: x\n\n  Scenario: y\n    Given a\n";
        for (text, place, hint) in [
            (format!("{start}    Gibberish b\n"), "5:5", "a step begins with"),
            (
                format!("{start}    Gibberish b\n    When c\n\n  Scenario: z\n    Given d\n"),
                "5:5",
                "a step begins with",
            ),
            (format!("{start}    | a | b |\n    | c |\n    When c\n"), "6:5", "as many cells"),
            (format!("{start}    \"\"\"\n    text\n"), "5:5", "three quotes"),
            ("# comment\n\nScenario: y\n  Given a\n".to_owned(), "3:1", "begins with tags"),
            ("nonsense\n".to_owned(), "1:1", "begins with tags"),
        ] {
            let error = parsed(&text).unwrap_err();
            assert!(error.starts_with(&format!("x.feature:{place}: is not Gherkin")), "{text}: {error}");
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn marks_line_ends_and_comments_are_no_obstacle() {
        assert!(parsed("\u{feff}Feature: x\r\n  Scenario: y\r\n    Given a\r\n").unwrap().is_some());
        assert!(parsed("Feature: x\n  Scenario: y\n    Given a").unwrap().is_some());
        assert!(parsed("# nothing here\n\n").unwrap().is_none());
    }

    #[test]
    fn examples_without_rows_are_an_error() {
        let error = parsed("Feature: x\n  Scenario Outline: y\n    Given <a>\n    Examples:\n      | a |\n")
            .unwrap_err();
        assert!(error.starts_with("x.feature:4:1: these examples have no rows"), "{error}");
    }

    #[test]
    fn an_outline_is_played_once_for_each_row_at_its_line_with_the_tags_of_its_examples() {
        let outline = "Feature: x\n  @o\n  Scenario Outline: y <a>\n    Given <b>\n    @e\n    Examples:\n      | a | b |\n      | 1 | 2 |\n      | 3 | 4 |\n    Examples:\n      | b | a |\n      | 5 | 6 |\n";
        let feature = parsed(outline).unwrap().unwrap();
        let told = |scenario: &cucumber::gherkin::Scenario| {
            let (name, step) = (scenario.name.clone(), scenario.steps[0].value.clone());
            format!("{} {name} {step} {}", scenario.position.line, scenario.tags.join(" "))
        };
        let played: Vec<String> = feature.scenarios.iter().map(told).collect();
        assert_eq!(played, ["8 y 1 2 o e", "9 y 3 4 o e", "12 y 6 5 o"]);
    }

    #[test]
    fn an_outline_without_examples_and_a_name_that_is_no_column_are_errors() {
        let outline = "Feature: x\n  Scenario Outline: y\n    Given <a>\n";
        let error = parsed(outline).unwrap_err();
        assert!(error.starts_with("x.feature:2:1: this outline has no examples"), "{error}");
        let error = parsed(&format!("{outline}    Examples:\n      | b |\n      | 1 |\n")).unwrap_err();
        assert_eq!(error, "x.feature:3:1: <a> is no column of the examples: add it, or correct the name");
    }

    #[test]
    fn a_folder_without_features_and_a_pack_that_is_none_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().display().to_string();
        assert!(matches!(load(&[name]), Err(PackError::Empty(_))));
        let error = load(&["nonesuch".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("witness"), "{error}");
    }
}
