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
