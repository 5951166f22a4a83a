//! What was meant by something that is not there.

use cucumber::gherkin::Step;

use super::{Vocabulary, kind};

/// How like something must be to be named, of 1.
const ALIKE: f64 = 0.5;
/// How much less like than the best it may be.
const BEHIND: f64 = 0.3;
/// How many are named.
const NAMED: usize = 3;

/// The steps that are most like one that is not there, of whatever kind.
pub fn nearest(step: &Step) -> String {
    let Ok(vocabulary) = Vocabulary::built_in() else { return ALL.to_owned() };
    let like = vocabulary.like();
    let alike = vocabulary.entries().map(|entry| {
        let samples = entry.phrase.samples(&like).into_iter();
        let likeness = samples.map(|sample| strsim::normalized_damerau_levenshtein(&sample, &step.value));
        (likeness.fold(0.0, f64::max), format!("{} {}", kind(entry.kind), entry.phrase.as_str()))
    });
    let named = best(alike.collect());
    match named.as_slice() {
        [] => ALL.to_owned(),
        named => format!("did you mean: {}", named.join("; or: ")),
    }
}

/// Where all steps are listed.
pub const ALL: &str = "`mesh-witness steps` lists the steps there are";

/// The word that is most like one that is not there, whatever its case.
pub fn nearest_word<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = word.to_lowercase();
    let alike = known.map(|known| {
        (strsim::normalized_damerau_levenshtein(&known.to_lowercase(), &lower), known.to_owned())
    });
    best(alike.collect()).into_iter().next()
}

/// Those that are alike enough, the most alike first.
fn best(mut alike: Vec<(f64, String)>) -> Vec<String> {
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let most = alike.first().map_or(0.0, |(likeness, _)| *likeness);
    let enough = |(likeness, _): &(f64, String)| *likeness > ALIKE && *likeness >= most - BEHIND;
    alike.into_iter().filter(enough).map(|(_, text)| text).take(NAMED).collect()
}

#[cfg(test)]
mod tests {
    use cucumber::gherkin::StepType;

    use super::*;

    fn meant(ty: StepType, text: &str) -> String {
        nearest(&Step::builder().keyword(kind(ty).to_owned()).ty(ty).value(text.to_owned()).build())
    }

    #[test]
    fn the_nearest_step_is_named_first_as_one_writes_it() {
        for (text, first) in [
            ("the product checks it's inbox", "When the product checks its inbox"),
            ("the sender send a message", "When the (sender|receiver) sends a message"),
            ("the anser is 202", "Then the answer is {status}"),
        ] {
            let meant = meant(StepType::When, text);
            assert!(meant.starts_with(&format!("did you mean: {first}")), "{meant}");
            assert!(meant.matches("; or: ").count() < NAMED, "{meant}");
        }
        assert!(meant(StepType::When, "the product checks it's inbox").contains("; or: When the "));
    }

    #[test]
    fn what_is_like_nothing_gets_the_list() {
        assert_eq!(meant(StepType::Given, "a somersault of three and a half turns"), ALL);
    }

    #[test]
    fn the_nearest_word_is_named_whatever_its_case() {
        let known = ["SEND-01", "SEND-02", "POLL-01"];
        assert_eq!(nearest_word("send-02", known.into_iter()).as_deref(), Some("SEND-02"));
        assert_eq!(nearest_word("SND-01", known.into_iter()).as_deref(), Some("SEND-01"));
        assert_eq!(nearest_word("XYZZY", known.into_iter()), None);
    }
}
