//! `README.txt`: what the bundle is, and how to read and verify it with everybody's tools.

use askama::Template;

use super::{ReportFile, text};
use crate::{
    runner::{Outcome, RunRecord},
    tape::KEPT_BYTES,
};

#[derive(Template)]
#[template(path = "README.txt", escape = "none")]
struct Readme {
    verdict: String,
    counts: String,
    standing: String,
    cut_short: Option<String>,
    environment: String,
    url: String,
    product: String,
    supplier: Option<String>,
    run_id: String,
    started_at: String,
    tool_version: String,
    pack: Vec<String>,
    /// Where it is, filled up to a column, and what it is.
    others: Vec<(String, &'static str)>,
    kept_kib: usize,
    has_config: bool,
    has_tls: bool,
}

/// What only some runs have, file or folder, and what it is.
const OTHERS: [(&str, &str); 5] = [
    ("attestations/", "what named people have said"),
    ("deviations.yaml", "which failures were expected, as it was given"),
    ("product/", "what the product's driver put out"),
    ("attachments/", "what people have attached"),
    ("relay/", "the connections of the recording proxy"),
];

/// The file's content. `files` are all others of the bundle.
pub(super) fn render(record: &RunRecord, files: &[ReportFile]) -> Result<Vec<u8>, askama::Error> {
    let readme = Readme {
        verdict: record.verdict().word().to_uppercase(),
        counts: counts(record),
        standing: super::standing(record),
        cut_short: record.cut_short.as_deref().map(text::line),
        environment: text::line(&record.environment.name),
        url: text::line(&record.environment.url),
        product: text::line(&format!("{} {}", record.product.name, record.product.version)),
        supplier: record.supplier.as_deref().map(text::line),
        run_id: text::line(&record.run_id),
        started_at: text::second(record.started_at),
        tool_version: text::line(&record.tool_version),
        pack: record.pack.iter().map(|file| text::line(&file.path)).collect(),
        others: others(files),
        kept_kib: KEPT_BYTES / 1024,
        has_config: !record.is_without_configuration(),
        has_tls: super::tls::was_used(record),
    };
    Ok(readme.render()?.into_bytes())
}

fn others(files: &[ReportFile]) -> Vec<(String, &'static str)> {
    let is_there = |path: &str| files.iter().any(|file| file.path.starts_with(path));
    let there = OTHERS.into_iter().filter(|(path, _)| is_there(path));
    there.map(|(path, what)| (format!("{:<26}", format!("data/{path}")), what)).collect()
}

/// How many of each: what a verdict must not hide always, the rest where there is any.
fn counts(record: &RunRecord) -> String {
    let always = [Outcome::Passed, Outcome::Failed, Outcome::Error, Outcome::NotRun(String::new())];
    let count = |outcome: &Outcome| format!("{} {}", record.count(outcome), outcome.word());
    let more = Outcome::EACH.into_iter().filter(|outcome| !always.contains(outcome));
    let more = more.filter(|outcome| record.count(outcome) > 0);
    let mut cases: Vec<String> = always.iter().map(count).collect();
    cases.extend(more.map(|outcome| count(&outcome)));
    cases.extend(counted(record.expected_deviations(), "expected to fail"));
    if record.rules.is_empty() {
        return cases.join(", ");
    }
    let of = record.rule_counts();
    let mut rules = vec![format!("{} held", of.held), format!("{} broken", of.broken)];
    rules.extend(counted(of.warned, "with a warning"));
    rules.extend(counted(of.expected, "expected to be broken"));
    format!("{}; rules: {}", cases.join(", "), rules.join(", "))
}

fn counted(number: usize, what: &str) -> Option<String> {
    (number > 0).then(|| format!("{number} {what}"))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn golden() {
        insta::assert_snapshot!(String::from_utf8(render(&fixtures::mixed(), &[]).unwrap()).unwrap());
    }

    /// It names no file that is not there.
    #[test]
    fn what_a_run_had_none_of_is_not_named() {
        let named = |record: &RunRecord| {
            let readme = String::from_utf8(render(record, &[]).unwrap()).unwrap();
            ["data/config.redacted.yaml", "data/tls/"].map(|name| readme.contains(name))
        };
        let mut record = fixtures::passed();
        assert_eq!(named(&record), [false, true]);
        record.practice = false;
        record.exchanges.clear();
        assert_eq!(named(&record), [true, false]);
    }

    #[test]
    fn what_only_some_runs_have_is_named_where_it_is() {
        let file = |path: &str| ReportFile { path: path.to_owned(), content: vec![] };
        let readme =
            |files: &[ReportFile]| String::from_utf8(render(&fixtures::passed(), files).unwrap()).unwrap();
        assert!(!readme(&[file("pack/relay/x")]).contains("Beside them"));
        let readme = readme(&[
            file("relay/connections.ndjson"),
            file("attestations/801.json"),
            file("deviations.yaml"),
        ]);
        let expected = "Beside them:\n\n    \
             data/attestations/        what named people have said\n    \
             data/deviations.yaml      which failures were expected, as it was given\n    \
             data/relay/               the connections of the recording proxy\n\n\n\
             How to verify it";
        assert!(readme.contains(expected), "{readme}");
        assert!(readme.contains("data/conformance.md"), "{readme}");
    }

    /// A failure that is put up with is no failure that was not there.
    #[test]
    fn what_is_put_up_with_is_counted() {
        let mut record = fixtures::passed();
        record.scenarios[0].outcome = Outcome::Failed;
        record.scenarios[0].deviation = Some(0);
        let readme = String::from_utf8(render(&record, &[]).unwrap()).unwrap();
        assert!(readme.contains("0 failed") && readme.contains("1 expected to fail"), "{readme}");
    }

    #[test]
    fn it_tells_four_commands_and_none_of_ours() {
        let readme = String::from_utf8(render(&fixtures::passed(), &[]).unwrap()).unwrap();
        let commands: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("    $ ")).collect();
        assert_eq!(
            commands,
            [
                "unzip -d bundle BUNDLE.zip",
                "sha256sum -c manifest-sha256.txt",
                "sha256sum -c tagmanifest-sha256.txt",
                "bagit.py --validate .",
            ]
        );
    }
}
