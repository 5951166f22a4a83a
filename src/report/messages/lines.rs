//! Where things stand in the text of a feature file. The parser tells what there is and, of most of it, on which line
//! it begins, but not where tags, cells and comments are, and it leaves out how descriptions are indented.

use std::{cell::RefCell, collections::BTreeSet, ops::Range};

use super::envelope::Location;

/// The lines of a feature file, counted from 1.
pub(super) struct Lines<'a> {
    lines: Vec<&'a str>,
    /// Lines on which a description must have ended.
    marks: BTreeSet<usize>,
    /// Lines of doc strings, in which nothing else stands.
    texts: RefCell<Vec<Range<usize>>>,
}

/// The text below a step.
pub(super) struct Text {
    pub location: Location,
    pub delimiter: &'static str,
    pub media_type: Option<String>,
    pub content: String,
}

impl<'a> Lines<'a> {
    pub fn of(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { lines: text.lines().collect(), marks: BTreeSet::new(), texts: RefCell::default() }
    }

    /// What begins on or after this line ends every description before it.
    pub fn mark(&mut self, line: usize) {
        let line = self.content_from(line);
        self.marks.insert(line);
    }

    /// Where a keyword stands: the parser takes comments before one for part of it.
    pub fn keyword(&self, line: usize, column: usize) -> Location {
        let found = self.content_from(line);
        let text = self.line(found);
        // Tags may stand before it.
        let before = if found == line { column.saturating_sub(1) } else { 0 };
        let rest = text.get(before..).unwrap_or(text);
        let start = text.len() - rest.trim_start().len();
        Location { line: found, column: column_of(text, start) }
    }

    /// Where these tags stand: above the keyword, or before it on its line.
    pub fn tags<'t>(&self, names: &'t [String], keyword: Location) -> Vec<(Location, &'t str)> {
        let may_be_above = |line: &usize| {
            let text = self.line(*line).trim_start();
            *line > 0 && (is_blank_or_comment(text) || text.starts_with('@'))
        };
        let first = (0..keyword.line).rev().take_while(may_be_above).last().unwrap_or(keyword.line);
        let mut found = (first..=keyword.line).flat_map(|line| {
            let text = self.line(line);
            let is_keywords = line == keyword.line;
            let end = if is_keywords { byte_of(text, keyword.column) } else { text.len() };
            let is_tagged = text.trim_start().starts_with('@');
            let text = text.get(..end).filter(|_| is_tagged).unwrap_or_default();
            text.match_indices('@').map(move |(at, _)| {
                let rest = &text[at + 1..];
                let end = rest.find(|c: char| c.is_whitespace() || c == '@').unwrap_or(rest.len());
                (Location { line, column: column_of(text, at) }, &rest[..end])
            })
        });
        let place = |name: &'t String| {
            let found = found.find(|(_, found)| found == name);
            (found.map_or(keyword, |(location, _)| location), name.as_str())
        };
        names.iter().map(place).collect()
    }

    /// What stands below the line of a keyword until something else begins, as it is indented.
    pub fn description(&self, keyword: Location) -> String {
        let ends = |line: &usize| {
            let text = self.line(*line).trim_start();
            self.marks.contains(line) || text.starts_with(['@', '|'])
        };
        let below =
            (keyword.line + 1..=self.lines.len()).take_while(|line| !ends(line)).map(|line| self.line(line));
        let below: Vec<&str> = below.filter(|text| !text.trim_start().starts_with('#')).collect();
        let is_text = |text: &&str| !text.trim().is_empty();
        let first = below.iter().position(is_text).unwrap_or(below.len());
        let end = below.iter().rposition(is_text).map_or(first, |last| last + 1);
        below.get(first..end).unwrap_or_default().join("\n")
    }

    /// Where the rows of a table stand, and the cells of each.
    pub fn rows(&self, first: usize, count: usize) -> Vec<(Location, Vec<Location>)> {
        let mut next = first;
        let mut rows = Vec::new();
        while rows.len() < count {
            let line = self.content_from(next);
            let text = self.line(line);
            let start = text.len() - text.trim_start().len();
            rows.push((Location { line, column: column_of(text, start) }, cells(text, line)));
            next = line + 1;
        }
        rows
    }

    /// The doc string below the line of a step.
    pub fn text(&self, step: usize) -> Option<Text> {
        let line = self.content_from(step + 1);
        let opening = self.line(line);
        let rest = opening.trim_start();
        let delimiter = ["\"\"\"", "```"].into_iter().find(|delimiter| rest.starts_with(delimiter))?;
        let indent = opening.len() - rest.len();
        let closes = |line: &usize| self.line(*line).trim_start().starts_with(delimiter);
        let end = (line + 1..=self.lines.len()).find(closes).unwrap_or(self.lines.len());
        let unindented = |line: usize| {
            let text = self.line(line);
            let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
            text.get(blanks.min(indent)..).unwrap_or_default()
        };
        let content = (line + 1..end).map(unindented).collect::<Vec<_>>().join("\n");
        self.texts.borrow_mut().push(line..end + 1);
        let media_type = rest[delimiter.len()..].trim();
        Some(Text {
            location: Location { line, column: column_of(opening, indent) },
            delimiter,
            media_type: (!media_type.is_empty()).then(|| media_type.to_owned()),
            content,
        })
    }

    /// Comments, each with its line; what says in which language the file is, is none.
    pub fn comments(&self) -> Vec<(usize, &'a str)> {
        let texts = self.texts.borrow();
        let is_comment = |(line, text): &(usize, &str)| {
            text.trim_start().starts_with('#')
                && language_of(text).is_none()
                && !texts.iter().any(|range| range.contains(line))
        };
        self.lines.iter().enumerate().map(|(at, text)| (at + 1, *text)).filter(is_comment).collect()
    }

    /// The language of the keywords.
    pub fn language(&self) -> &'a str {
        let before = self.lines.iter().take_while(|text| is_blank_or_comment(text.trim_start()));
        before.copied().find_map(language_of).unwrap_or("en")
    }

    /// The first line from there on that holds something; the last when none does.
    fn content_from(&self, line: usize) -> usize {
        let holds = |line: &usize| !is_blank_or_comment(self.line(*line).trim_start());
        (line..=self.lines.len()).find(holds).unwrap_or(line)
    }

    fn line(&self, line: usize) -> &'a str {
        line.checked_sub(1).and_then(|at| self.lines.get(at)).copied().unwrap_or_default()
    }
}

fn is_blank_or_comment(text: &str) -> bool {
    text.is_empty() || text.starts_with('#')
}

/// The language that a comment names: `# language: fr`.
fn language_of(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix('#')?.trim_start().strip_prefix("language")?;
    let name = rest.trim_start().strip_prefix(':')?.trim();
    let is_name =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || "-_".contains(c));
    Some(name).filter(is_name)
}

/// Where the cells of a row begin: at their first character that is no blank.
fn cells(text: &str, line: usize) -> Vec<Location> {
    let mut bars = Vec::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '|' => bars.push(at),
            _ => {}
        }
    }
    let cell = |pair: &[usize]| {
        let (start, end) = (pair.first()? + 1, *pair.get(1)?);
        let cell = text.get(start..end)?;
        let blanks = cell.len() - cell.trim_start().len();
        Some(Location { line, column: column_of(text, start + blanks) })
    };
    bars.windows(2).filter_map(cell).collect()
}

/// The column, from 1 and in characters, of a byte.
fn column_of(text: &str, byte: usize) -> usize {
    text.get(..byte).map_or(1, |before| before.chars().count() + 1)
}

fn byte_of(text: &str, column: usize) -> usize {
    text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> Location {
        Location { line, column }
    }

    #[test]
    fn a_comment_before_a_keyword_is_none_of_it() {
        let lines = Lines::of("Feature: x\n  # one\n\n  # two\n  Scenario: y\n");
        assert_eq!(lines.keyword(2, 3), at(5, 3));
        assert_eq!(lines.keyword(1, 1), at(1, 1));
        assert_eq!(lines.comments(), [(2, "  # one"), (4, "  # two")]);
    }

    #[test]
    fn tags_are_found_above_and_before_their_keyword() {
        let text = "\u{feff}# language: en\n@a  @b@c # not @d\n\n  @é @a\n  # no @e\n  @f Feature: @g\n";
        let lines = Lines::of(text);
        let names: Vec<String> = ["a", "b", "c", "é", "a", "f"].map(str::to_owned).to_vec();
        let keyword = lines.keyword(6, 6);
        assert_eq!(keyword, at(6, 6));
        let places: Vec<Location> = lines.tags(&names, keyword).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [at(2, 1), at(2, 5), at(2, 7), at(4, 3), at(4, 6), at(6, 3)]);
        // One that is nowhere to be found stands where its keyword does.
        assert_eq!(lines.tags(&["g".to_owned()], keyword), [(keyword, "g")]);
        assert_eq!(lines.language(), "en");
    }

    #[test]
    fn a_description_keeps_its_indentation_and_loses_blank_lines_around_it_and_comments() {
        let mut lines =
            Lines::of("Feature: x\n\n  one\n    two\n  # no\n\n  three\n\n\n  Scenario: y\n    Given z\n");
        lines.mark(10);
        lines.mark(11);
        assert_eq!(lines.description(at(1, 1)), "  one\n    two\n\n  three");
        assert_eq!(lines.description(at(10, 3)), "");
    }

    #[test]
    fn cells_are_found_whatever_is_in_them() {
        let lines = Lines::of("  | a | b\\|c |   | é|x|\n  # no\n  |d|\n");
        let rows = lines.rows(1, 2);
        assert_eq!(rows[0], (at(1, 3), vec![at(1, 5), at(1, 9), at(1, 18), at(1, 20), at(1, 22)]));
        assert_eq!(rows[1], (at(3, 3), vec![at(3, 4)]));
    }

    #[test]
    fn a_text_below_a_step_is_read_as_it_is_indented_and_holds_no_comments() {
        let lines = Lines::of("Given a\n  # before\n  ```xml\n  # <a>\n    <b>\n <c>\n  ```\n# after\n");
        let text = lines.text(1).unwrap();
        assert_eq!(
            (text.location, text.delimiter, text.media_type.as_deref()),
            (at(3, 3), "```", Some("xml"))
        );
        assert_eq!(text.content, "# <a>\n  <b>\n<c>");
        assert_eq!(lines.comments(), [(2, "  # before"), (8, "# after")]);
        assert!(lines.text(7).is_none());
    }
}
