//! What is wrong with a configuration file, in words that say how to mend it.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Everything that is wrong with one configuration file, by line. Never empty, never holds a secret.
///
/// Displays one problem a line: `mesh-witness.yaml:14: mailboxes.product.password: is empty; …`.
/// For the exit code, this is 2: the configuration is wrong, not the product.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.text())]
pub struct ConfigError {
    file: PathBuf,
    problems: Vec<Problem>,
    unlisted: usize,
}

/// One thing that is wrong, where it is, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the key that it is about, from 1; of its parent when the key is missing. `None` when
    /// it is about the file as a whole.
    pub line: Option<usize>,
    /// Column, from 1, in characters. Only where the text is no YAML.
    pub column: Option<usize>,
    /// The key with its parents, such as `mailboxes.product.password`. Empty when there is none.
    pub path: String,
    /// What is wrong, in one sentence without its full stop.
    pub what: String,
    /// How to mend it, likewise.
    pub mend: String,
}

impl ConfigError {
    /// An error of at least one problem, and `unlisted` more that are not worth listing.
    pub(super) fn new(file: &Path, first: Problem, others: Vec<Problem>, unlisted: usize) -> Self {
        let mut problems = vec![first];
        problems.extend(others);
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Self { file: file.to_owned(), problems, unlisted }
    }

    /// The file, as it was given.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What is wrong, at least one problem, ordered by line.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = self.problems.iter().map(|problem| self.line(problem)).collect();
        if self.unlisted > 0 {
            lines.push(format!("{}: and {} more like these", visible(&self.file_text()), self.unlisted));
        }
        lines.join("\n")
    }

    fn line(&self, problem: &Problem) -> String {
        let mut place = visible(&self.file_text());
        for number in [problem.line, problem.column].into_iter().flatten() {
            place.push_str(&format!(":{number}"));
        }
        if !problem.path.is_empty() {
            place.push_str(&format!(": {}", problem.path));
        }
        format!("{place}: {}; {}", problem.what, problem.mend)
    }

    fn file_text(&self) -> String {
        self.file.display().to_string()
    }
}

/// What is wrong with a value, before it is known where the value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl Complaint {
    pub(super) fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), mend: mend.into() }
    }

    /// The problem that it is when it concerns the file as a whole.
    pub(super) fn of_file(self) -> Problem {
        Problem { line: None, column: None, path: String::new(), what: self.what, mend: self.mend }
    }
}

/// `text` on one line: whatever a terminal would act on is escaped.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: Option<usize>, path: &str) -> Problem {
        Problem { line, column: None, path: path.to_owned(), what: "is wrong".into(), mend: "mend it".into() }
    }

    #[test]
    fn problems_are_listed_by_line() {
        let others = vec![problem(Some(2), "b"), problem(None, "")];
        let error = ConfigError::new(Path::new("a.yaml"), problem(Some(10), "c"), others, 3);
        assert_eq!(
            error.to_string(),
            "a.yaml: is wrong; mend it\na.yaml:2: b: is wrong; mend it\na.yaml:10: c: is wrong; mend it\n\
             a.yaml: and 3 more like these"
        );
    }

    #[test]
    fn a_file_name_cannot_act_on_the_terminal() {
        let error = ConfigError::new(Path::new("a\u{1b}[2J\n.yaml"), problem(Some(1), "c"), vec![], 0);
        assert_eq!(error.to_string(), "a\\u{1b}[2J\\n.yaml:1: c: is wrong; mend it");
    }
}
