//! A step as one writes it, such as `the (sender|receiver) sends chunk {chunk}[ compressed with gzip]`.

use std::collections::BTreeMap;

/// A step as one writes it: words that stand there, alternatives, parts that may be left out, and places
/// for something of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Stands there.
    Text(String),
    /// One of these does.
    OneOf(Vec<String>),
    /// All of these, or nothing.
    Optional(Vec<Part>),
    /// Something of one's own, by its name in the vocabulary.
    Word(String),
}

impl Phrase {
    /// Reads a phrase; what is wrong with it, when it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), parts: parts(text)? })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the words in it, in their order.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        let mut words = Vec::new();
        collect(&self.parts, &mut words);
        words
    }

    /// What stands in the places of a step that is written so, by the word's name; nothing when the step is not.
    /// `is_number` tells of which words there can be only a whole number.
    pub(super) fn taken<'a>(
        &'a self,
        step: &'a str,
        is_number: &dyn Fn(&str) -> bool,
    ) -> Option<Vec<(&'a str, &'a str)>> {
        let mut taken = Vec::new();
        let parts: Vec<&Part> = self.parts.iter().collect();
        take(&parts, step, is_number, &mut taken).then_some(taken)
    }

    /// Every way to write it, with an example in place of each word.
    #[must_use]
    pub fn samples(&self, like: &BTreeMap<&str, &str>) -> Vec<String> {
        let word = |word: &str| like.get(word).copied().unwrap_or("?").to_owned();
        every(&self.parts, &word, &<[String]>::to_vec)
    }

    /// For editors that take snippets in the form of the TextMate editor, as Visual Studio Code does: one
    /// for each way in which parts can be left out.
    #[must_use]
    pub fn snippets(&self, like: &BTreeMap<&str, &str>) -> Vec<String> {
        let word = |word: &str| format!("${{#:{}}}", escape(like.get(word).copied().unwrap_or("?")));
        let choose = |choice: &[String]| {
            let choice: Vec<String> = choice.iter().map(|one| escape(one)).collect();
            vec![format!("${{#|{}|}}", choice.join(","))]
        };
        let bodies = every(&self.parts, &word, &choose);
        bodies.into_iter().map(|body| numbered(&body)).collect()
    }
}

/// Snippets number the places to fill in, from 1.
fn numbered(body: &str) -> String {
    let pieces = body.split("${#");
    let numbered = pieces.enumerate().map(|(number, piece)| match number {
        0 => piece.to_owned(),
        number => format!("${{{number}{piece}"),
    });
    numbered.collect()
}

/// What has a meaning in a snippet.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        if matches!(c, '$' | '}' | '\\' | ',' | '|') {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

/// All texts that parts can come to.
fn every(
    parts: &[Part],
    word: &dyn Fn(&str) -> String,
    choose: &dyn Fn(&[String]) -> Vec<String>,
) -> Vec<String> {
    parts.iter().fold(vec![String::new()], |texts, part| {
        let ways = match part {
            Part::Text(text) => vec![text.clone()],
            Part::OneOf(choice) => choose(choice),
            Part::Word(name) => vec![word(name)],
            Part::Optional(inner) => {
                let mut ways = vec![String::new()];
                ways.extend(every(inner, word, choose));
                ways
            }
        };
        texts.iter().flat_map(|text| ways.iter().map(move |way| format!("{text}{way}"))).collect()
    })
}

/// Whether the text is these parts. What stands in the places of words is added; nothing when it is not.
fn take<'a>(
    parts: &[&'a Part],
    text: &'a str,
    is_number: &dyn Fn(&str) -> bool,
    taken: &mut Vec<(&'a str, &'a str)>,
) -> bool {
    let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
    match first {
        Part::Text(there) => {
            text.strip_prefix(there.as_str()).is_some_and(|text| take(rest, text, is_number, taken))
        }
        Part::OneOf(choice) => choice.iter().any(|one| {
            text.strip_prefix(one.as_str()).is_some_and(|text| take(rest, text, is_number, taken))
        }),
        Part::Optional(inner) => {
            let with: Vec<&Part> = inner.iter().chain(rest.iter().copied()).collect();
            take(&with, text, is_number, taken) || take(rest, text, is_number, taken)
        }
        Part::Word(name) => {
            let ends: Box<dyn Iterator<Item = usize>> = if is_number(name) {
                Box::new(number_end(text).into_iter())
            } else {
                Box::new(text.char_indices().map(|(end, _)| end).chain([text.len()]))
            };
            for end in ends {
                let (word, text) = text.split_at(end);
                taken.push((name, word));
                if take(rest, text, is_number, taken) {
                    return true;
                }
                taken.pop();
            }
            false
        }
    }
}

/// Where the number ends with which a text begins. Steps are matched with a sign as well.
fn number_end(text: &str) -> Option<usize> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < digits.len()).then_some(text.len() - rest.len())
}

fn collect<'a>(parts: &'a [Part], words: &mut Vec<&'a str>) {
    for part in parts {
        match part {
            Part::Word(name) => words.push(name),
            Part::Optional(inner) => collect(inner, words),
            Part::Text(_) | Part::OneOf(_) => {}
        }
    }
}

fn parts(mut text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    while let Some(place) = text.find(['{', '(', '[']) {
        let (before, marked) = text.split_at(place);
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let close = match marked.chars().next() {
            Some('{') => '}',
            Some('(') => ')',
            _ => ']',
        };
        let (inner, rest) =
            marked[1..].split_once(close).ok_or_else(|| format!("{marked:?} has no {close:?}"))?;
        parts.push(match close {
            '}' => Part::Word(inner.to_owned()),
            ')' => Part::OneOf(inner.split('|').map(str::to_owned).collect()),
            _ => Part::Optional(self::parts(inner)?),
        });
        text = rest;
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIKE: [(&str, &str); 2] = [("bytes", "4096"), ("id", "{own}, $1")];

    #[test]
    fn every_way_to_write_a_phrase_is_there() {
        let phrase = Phrase::parse("the (a|b) has {bytes} bytes[ and \"{id}\"]").unwrap();
        assert_eq!(phrase.words(), ["bytes", "id"]);
        assert_eq!(
            phrase.samples(&LIKE.into()),
            [
                "the a has 4096 bytes",
                "the a has 4096 bytes and \"{own}, $1\"",
                "the b has 4096 bytes",
                "the b has 4096 bytes and \"{own}, $1\"",
            ]
        );
    }

    #[test]
    fn what_stands_in_the_places_of_a_step_is_found_in_every_way_to_write_it() {
        let phrase = Phrase::parse("the (a|ab) has {bytes} bytes[ and \"{id}\"]").unwrap();
        let taken = |step| phrase.taken(step, &|word| word == "bytes");
        assert_eq!(taken("the ab has -12 bytes"), Some(vec![("bytes", "-12")]));
        assert_eq!(taken("the a has 7 bytes and \"x\" y\""), Some(vec![("bytes", "7"), ("id", "x\" y")]),);
        for other in
            ["the a has many bytes", "the a has - bytes", "the a has 7 bytes and", "the c has 7 bytes"]
        {
            assert_eq!(taken(other), None, "{other}");
        }
    }

    #[test]
    fn a_snippet_numbers_its_places_and_escapes_what_has_a_meaning() {
        let phrase = Phrase::parse("the (a|b) has {bytes} bytes[ and \"{id}\"]").unwrap();
        assert_eq!(
            phrase.snippets(&LIKE.into()),
            [
                "the ${1|a,b|} has ${2:4096} bytes",
                r#"the ${1|a,b|} has ${2:4096} bytes and "${3:{own\}\, \$1}""#
            ]
        );
    }

    #[test]
    fn a_bracket_that_is_never_closed_is_said() {
        for text in ["a {b", "a (b|c", "a [b", "a [b {c]"] {
            assert!(Phrase::parse(text).is_err(), "{text}");
        }
    }
}
