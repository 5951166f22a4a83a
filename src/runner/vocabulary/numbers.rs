//! Whole numbers in steps, held against what they can be, for all steps in one place.
//!
//! A step definition takes a number as whatever it needs it as. One that does not fit there would only be found when it
//! is played, by the number's parser, which knows neither file nor line.

use cucumber::{
    gherkin::Step,
    step::{Collection, Location},
};

use super::{MeshWorld, Phrase, Vocabulary, find, kind};

/// The steps with numbers in them.
#[derive(Debug, Default)]
pub struct Numbers {
    phrases: Vec<(&'static str, Location, &'static Phrase)>,
}

impl Numbers {
    /// Of those steps that are linked into this program.
    pub fn of(steps: &Collection<MeshWorld>) -> Self {
        let Ok(vocabulary) = Vocabulary::built_in() else { return Self::default() };
        let like = vocabulary.like();
        let counting = vocabulary.entries().filter(|entry| entry.phrase.words().into_iter().any(is_number));
        let placed = counting.filter_map(|entry| {
            let sample = entry.phrase.samples(&like).into_iter().next()?;
            Some((kind(entry.kind), find(steps, entry.kind, &sample)?, &entry.phrase))
        });
        Self { phrases: placed.collect() }
    }

    /// What is wrong with the first number of a step that cannot be what it is.
    pub fn misfit(&self, step: &Step, definition: Location) -> Option<String> {
        let of_it = self.phrases.iter().filter(|(ty, place, _)| (*ty, *place) == (kind(step.ty), definition));
        let mut taken = of_it.filter_map(|(.., phrase)| phrase.taken(&step.value, &is_number));
        taken.next()?.into_iter().find_map(|(word, value)| unfit(word, value))
    }
}

fn unfit(name: &str, value: &str) -> Option<String> {
    let word = Vocabulary::built_in().ok()?.words.iter().find(|word| word.name == name)?;
    let (least, most) = word.range?;
    let fits = value.parse().is_ok_and(|number: u64| (least..=most).contains(&number));
    // Whoever has a hundred thousand digits there knows which number is meant by the first of them.
    let shown: String = value.chars().take(30).collect();
    let cut = if shown.len() < value.len() { "…" } else { "" };
    (!fits).then(|| {
        format!("{shown}{cut} does not fit: it is {}; write a number from {least} to {most}", word.means)
    })
}

fn is_number(name: &str) -> bool {
    let words = Vocabulary::built_in().map(|vocabulary| vocabulary.words.iter());
    words.is_ok_and(|mut words| words.any(|word| word.name == name && word.range.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_fits_from_the_least_to_the_most() {
        for (word, value) in [("bytes", "0"), ("bytes", "100000000000"), ("days", "3660"), ("status", "599")]
        {
            assert_eq!(unfit(word, value), None, "{word} {value}");
        }
        let long = "9".repeat(1000);
        for (word, value) in [
            ("bytes", "-1"),
            ("bytes", "18446744073709551615"),
            ("days", "3661"),
            ("status", "65536"),
            ("count", &long),
        ] {
            let problem = unfit(word, value).unwrap();
            assert!(problem.contains("; write a number from ") && problem.len() < 250, "{problem}");
        }
    }
}
