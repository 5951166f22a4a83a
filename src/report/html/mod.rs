//! `report.html`: one file that asks the network for nothing and runs no script.
//!
//! Everything that comes from a record is made printable here, bounded, and escaped by the template.

mod alike;
mod attempts;
mod case;
mod exchange;
mod matrix;
mod rules;
mod wire;

use askama::Template;
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};

use self::{
    case::{Case, ExchangeUse, FaultView},
    matrix::{HeadingView, MatrixRow},
    rules::RulesView,
};
use super::text;
use crate::runner::{Outcome, RunRecord, ScenarioRecord, Verdict};

/// How much of a single value is shown, in bytes: enough for any that is meant to be read.
const MAX_TEXT: usize = 2 * 1024;
/// How much of what was expected and seen is shown, in bytes.
const MAX_COMPARED: usize = 4 * 1024;

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    style: String,
    style_digest: String,
    title: String,
    practice: Option<Practice>,
    verdict: Badge,
    headline: String,
    explanation: &'static str,
    cut_short: Option<String>,
    counts: Vec<(usize, Badge)>,
    facts: Vec<Fact>,
    mailboxes: Vec<(String, String)>,
    warnings: Vec<String>,
    deviation_problems: Vec<String>,
    headings: Vec<HeadingView>,
    matrix: Vec<MatrixRow>,
    open: &'static str,
    problems: Vec<Problem>,
    expected: Vec<Problem>,
    rules: Option<RulesView>,
    cases: Vec<Case>,
}

/// That it is no evidence.
struct Practice {
    banner: &'static str,
    /// For the page's title: in lower case.
    briefly: String,
    against: String,
}

/// An outcome: a word, and a class that gives it a colour and a shape.
#[derive(Clone, Copy, PartialEq)]
struct Badge {
    class: &'static str,
    word: &'static str,
}

/// A name and its value.
struct Fact {
    name: &'static str,
    value: String,
    /// Something that is compared or copied letter by letter.
    code: bool,
}

/// A scenario that did not pass, and how to mend it.
struct Problem {
    anchor: String,
    badge: Badge,
    title: String,
    /// Anchor and title of each other scenario of which the very same is to be said.
    others: Vec<(String, String)>,
    reason: Option<String>,
    fault: Option<FaultView>,
}

/// The file's content.
pub(super) fn render(record: &RunRecord) -> Result<Vec<u8>, askama::Error> {
    let style = style(record);
    let verdict = record.verdict();
    let word = verdict_badge(verdict).word;
    let product = format!("{} {}", record.product.name, record.product.version);
    let page = Page {
        style_digest: STANDARD.encode(digest::digest(&digest::SHA256, style.as_bytes())),
        style,
        title: brief(&format!("{word}: {product} on {}", record.environment.name)),
        practice: practice(record),
        verdict: verdict_badge(verdict),
        headline: headline(record),
        explanation: explanation(record),
        cut_short: record.cut_short.as_deref().map(brief),
        counts: counts(record),
        facts: facts(record),
        mailboxes: record
            .environment
            .mailboxes
            .iter()
            .map(|one| (brief(&one.id), brief(&one.role)))
            .collect(),
        warnings: record.warnings.iter().map(|warning| brief(warning)).collect(),
        deviation_problems: record.deviation_problems.iter().map(|problem| brief(problem)).collect(),
        headings: matrix::headings(record),
        matrix: matrix::rows(record),
        open: open(record.verdict()),
        problems: problems(record),
        expected: expected(record),
        rules: rules::rules(record),
        cases: case::cases(record),
    };
    Ok(page.render()?.into_bytes())
}

fn practice(record: &RunRecord) -> Option<Practice> {
    let banner = record.environment.banner()?;
    let against = if record.environment.emulated {
        "the emulator of mesh-witness".to_owned()
    } else {
        brief(&format!("{} at {}", record.environment.name, record.environment.url))
    };
    Some(Practice { banner, briefly: banner.to_lowercase(), against })
}

/// The style sheet; a run that was emulated says so in the margin of every printed page.
fn style(record: &RunRecord) -> String {
    let run_id: String =
        record.run_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    let sheet = include_str!("../../../templates/report.css");
    format!("{sheet}@page {{ @bottom-left {{ content: \"mesh-witness run {run_id}\"; }} }}\n")
}

fn verdict_badge(verdict: Verdict) -> Badge {
    match verdict {
        Verdict::Passed => Badge { class: "passed", word: "Passed" },
        Verdict::Failed => Badge { class: "failed", word: "Failed" },
        Verdict::Error => Badge { class: "error", word: "Error" },
        Verdict::Incomplete => Badge { class: "not-run", word: "Incomplete" },
        Verdict::CutShort => Badge { class: "not-run", word: "Cut short" },
    }
}

fn badge(outcome: &Outcome) -> Badge {
    let class = match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Warning => "warning",
        Outcome::Attested => "attested",
        Outcome::NotApplicable(_) => "not-applicable",
        Outcome::NotRun(_) => "not-run",
        Outcome::Error => "error",
    };
    Badge { class, word: outcome.word() }
}

/// A failure that was expected is shown as that, whatever kind of failure it is.
fn badge_of(scenario: &ScenarioRecord) -> Badge {
    match scenario.deviation {
        Some(_) => Badge { class: "expected", word: scenario.word() },
        None => badge(&scenario.outcome),
    }
}

fn headline(record: &RunRecord) -> String {
    let all = record.scenarios.len();
    if all == 0 {
        return "Nothing was played".to_owned();
    }
    let counts = [Outcome::Passed, Outcome::Warning, Outcome::Attested].map(|outcome| record.count(&outcome));
    let [passed, warned, attested] = counts;
    let mut line = format!("{} of {all} scenario{} passed", passed + warned, text::plural(all as u64));
    if warned > 0 {
        line.push_str(&format!(", {warned} with a warning"));
    }
    let unasked = |scenario: &&ScenarioRecord| scenario.deviation.is_none() && record.is_excused(scenario);
    let unasked = record.scenarios.iter().filter(unasked).count();
    if unasked > 0 {
        line.push_str(&format!(", {unasked} not attested"));
    }
    if attested > 0 {
        line.push_str(&format!(", {attested} attested"));
    }
    let expected = record.expected_deviations();
    if expected > 0 {
        line.push_str(&format!(", {expected} expected deviation{}", text::plural(expected as u64)));
    }
    let broken = record.rule_counts().broken;
    if broken > 0 {
        line.push_str(&format!(", {broken} rule{} broken", text::plural(broken as u64)));
    }
    line
}

fn explanation(record: &RunRecord) -> &'static str {
    match record.verdict() {
        Verdict::Passed => "Everything that counts was played, and all of it is as it must be.",
        Verdict::Incomplete if !record.has_measured() => {
            "Nothing was found wrong, and nothing was measured: this run shows nothing of what is under test."
        }
        Verdict::Incomplete => {
            "Nothing was found wrong, but something that counts was not played. What it is stands below."
        }
        Verdict::Failed => {
            "Something under test is not as it must be. What it is and how to mend it stands below."
        }
        Verdict::Error => {
            "Nothing is known to be wrong with the product, but not everything could be judged."
        }
        Verdict::CutShort => {
            "The run ended before everything was played. Nothing was found wrong until then."
        }
    }
}

/// Those outcomes that everybody looks for, and the others where there are any.
fn counts(record: &RunRecord) -> Vec<(usize, Badge)> {
    let always = |outcome: &Outcome| {
        matches!(outcome, Outcome::Passed | Outcome::Failed | Outcome::Error | Outcome::NotRun(_))
    };
    let counted = Outcome::EACH.map(|outcome| (record.count(&outcome), outcome));
    let mut counts: Vec<(usize, Badge)> = counted
        .iter()
        .filter(|(count, outcome)| *count > 0 || always(outcome))
        .map(|(count, outcome)| (*count, badge(outcome)))
        .collect();
    if record.expected_deviations() > 0 {
        counts.push((record.expected_deviations(), Badge { class: "expected", word: "expected deviation" }));
    }
    counts
}

fn facts(record: &RunRecord) -> Vec<Fact> {
    let fact = |name, value: &str, code| Fact { name, value: brief(value), code };
    let took = text::between(record.started_at, record.ended_at);
    let mut facts = vec![
        fact("Product", &format!("{} {}", record.product.name, record.product.version), false),
        fact("Supplier", record.supplier.as_deref().unwrap_or("not stated"), false),
        fact("Environment", &record.environment.name, false),
        fact("Endpoint", &record.environment.url, true),
        fact("Workflow ID", &record.workflow_id, true),
        fact("Run", &record.run_id, true),
        fact("Started (UTC)", &text::second(record.started_at), true),
        fact("Ended (UTC)", &text::second(record.ended_at), true),
        fact("Duration", &text::duration(took), false),
        fact("Exchanges", &text::grouped(record.exchanges.len() as u64), false),
        fact("Selected by tags", record.tags.as_deref().unwrap_or("all scenarios"), record.tags.is_some()),
        fact("Made by", &format!("mesh-witness {}", record.tool_version), false),
    ];
    facts.extend(record.resumed.as_deref().map(|earlier| fact("Goes on with run", earlier, true)));
    facts
}

/// Everything that did not pass, and was not expected: what is wrong first, rules after cases, then what broke, then what was
/// not played.
fn problems(record: &RunRecord) -> Vec<Problem> {
    let rank = |scenario: &ScenarioRecord| match (&scenario.outcome, scenario.deviation) {
        _ if scenario.deviation.is_none() && record.is_excused(scenario) => 5,
        (_, Some(_)) => 5,
        (Outcome::Failed, None) => 0,
        (Outcome::Error, None) => 1,
        (Outcome::NotRun(_), None) => 2,
        (Outcome::Warning, None) => 4,
        (Outcome::Passed | Outcome::Attested | Outcome::NotApplicable(_), None) => 5,
    };
    let mut problems: Vec<(usize, &ScenarioRecord)> =
        record.scenarios.iter().enumerate().filter(|(_, scenario)| rank(scenario) < 5).collect();
    problems.sort_by_key(|(number, scenario)| (rank(scenario), *number));
    let failed = problems.partition_point(|(_, scenario)| rank(scenario) == 0);
    let rest = problems.split_off(failed);
    let shown = |(number, scenario): (usize, &ScenarioRecord)| problem(record, number, scenario);
    let failed = problems.into_iter().map(shown);
    gathered(failed.chain(rules::problems(record)).chain(rest.into_iter().map(shown)))
}

/// Those of which the very same is to be said, at the first of them: a product that does one thing wrong may
/// fail in most cases by it.
fn gathered(all: impl Iterator<Item = Problem>) -> Vec<Problem> {
    let mut kept: Vec<Problem> = Vec::new();
    for problem in all {
        let alike = |other: &&mut Problem| {
            (other.badge, &other.reason, &other.fault) == (problem.badge, &problem.reason, &problem.fault)
        };
        match kept.iter_mut().find(alike) {
            Some(first) => first.others.push((problem.anchor, problem.title)),
            None => kept.push(problem),
        }
    }
    kept
}

/// What the list of problems is called. Nothing of it may have failed.
fn open(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Failed | Verdict::Error => "What failed and how to mend it",
        Verdict::Passed | Verdict::Incomplete | Verdict::CutShort => "What is open, and why",
    }
}

/// Failures that were expected, apart from those that were not.
fn expected(record: &RunRecord) -> Vec<Problem> {
    let scenarios = record.scenarios.iter().enumerate().filter(|(_, scenario)| scenario.deviation.is_some());
    gathered(scenarios.map(|(number, scenario)| problem(record, number, scenario)))
}

fn problem(record: &RunRecord, number: usize, scenario: &ScenarioRecord) -> Problem {
    let fault = scenario.fault().map(FaultView::of);
    let reason = match (record.deviation_of(scenario), &scenario.outcome) {
        (Some(deviation), _) => Some(brief(&text::deviation(deviation))),
        (None, Outcome::NotRun(reason)) => Some(brief(reason)),
        (None, _) if fault.is_none() => Some("No step says why.".to_owned()),
        (None, _) => None,
    };
    let badge = badge_of(scenario);
    let (anchor, title) = (case::anchor(number), case::title(scenario));
    Problem { anchor, badge, title, others: vec![], reason, fault }
}

/// One line, made printable, and bounded.
fn brief(value: &str) -> String {
    bounded(&text::line(text::clip(value, MAX_TEXT * 2).0), MAX_TEXT, value.len())
}

/// Several lines, made printable, and bounded.
fn passage(value: &str) -> String {
    bounded(&text::lines(text::clip(value, MAX_COMPARED * 2).0), MAX_COMPARED, value.len())
}

fn bounded(shown: &str, limit: usize, size: usize) -> String {
    match text::clip(shown, limit) {
        (all, 0) => all.to_owned(),
        (start, _) => format!("{start}… ({} in all)", text::bytes(size as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use crate::runner::{Fault, FaultKind};

    /// A section of the page, by the ID of its heading.
    fn section(record: &RunRecord, id: &str) -> String {
        let page = String::from_utf8(render(record).unwrap()).unwrap();
        let (_, from) = page.split_once(&format!("<h2 id=\"{id}\">")).unwrap();
        from.split_once("</section>").unwrap().0.to_owned()
    }

    #[test]
    fn what_is_to_be_said_of_several_cases_is_said_once() {
        let mut record = fixtures::passed();
        for (number, what) in [(0, "no Mex-From"), (1, "no Mex-From"), (2, "another")] {
            let scenario = &mut record.scenarios[number];
            scenario.outcome = Outcome::Failed;
            scenario.steps[1].fault = Some(Fault::new(FaultKind::Product, what, "add it"));
        }
        let mend = section(&record, "mend");
        let times = |text: &str| mend.matches(text).count();
        assert_eq!((times("no Mex-From"), times("add it"), times("another")), (1, 2, 1), "{mend}");
        for number in 0..3 {
            assert_eq!(times(&format!("<a href=\"#case-{}\">", number + 1)), 1, "{mend}");
        }
        assert!(mend.contains("The same in 1 more"), "{mend}");
    }

    #[test]
    fn a_run_in_which_nothing_failed_does_not_say_that_something_did() {
        let mut record = fixtures::passed();
        record.scenarios[0].outcome = Outcome::NotRun("nobody was there".to_owned());
        assert!(section(&record, "mend").starts_with("What is open, and why"));
        record.scenarios[0].outcome = Outcome::Failed;
        assert!(section(&record, "mend").starts_with("What failed and how to mend it"));
    }

    #[test]
    fn a_rule_says_once_how_all_that_it_found_is_mended() {
        let record = fixtures::mixed();
        let broken = record.rules.iter().filter(|rule| rules_found(rule) > 1);
        let rules = section(&record, "rules");
        let mut looked_at = 0;
        for rule in broken {
            looked_at += 1;
            let remedy = rule.result.rule.remedy.replace('\'', "&#39;").replace('"', "&#34;");
            assert_eq!(rules.matches(&remedy).count(), 1, "{}", rule.result.rule.id);
        }
        assert!(looked_at > 1);
    }

    #[test]
    fn a_requirement_is_shown_with_its_rules_and_the_step_that_failed() {
        let mut record = fixtures::mixed();
        let broken = record.rules.iter().find(|rule| rule.fails()).unwrap().result.rule.id;
        let text = format!(
            "- {{id: SEND-01, statement: s, source: o, level: MUST, binds: product}}\n\
             - {{id: RULE-01, statement: s, source: o, level: MUST, binds: product, rules: [{broken}, tracking-polled]}}\n"
        );
        record.requirements = crate::runner::Requirement::read_all(&text).unwrap();
        let matrix = section(&record, "requirements");
        let (by_scenarios, by_rules) = matrix.split_once("RULE-01").unwrap();
        let failed = &record.scenarios[1].steps.last().unwrap().text;
        assert!(
            by_scenarios.contains(&format!("202, &#34;{failed}&#34;: The request declares gzip")),
            "{matrix}"
        );
        assert!(by_rules.contains("failed") && by_rules.contains(&format!("rule {broken}: ")), "{matrix}");
        let link = format!("<a href=\"#rule-{broken}\">rule {broken}</a>");
        assert!(by_rules.contains(&link), "{matrix}");
        assert!(by_rules.contains("<a href=\"#rules\">rule tracking-polled</a>"), "{matrix}");
        record.rules.clear();
        let matrix = section(&record, "requirements");
        let unjudged = format!("<span class=\"quiet\">rule {broken}</span>");
        assert!(matrix.contains(&unjudged), "no link to what is not there: {matrix}");
    }

    fn rules_found(rule: &crate::runner::RuleRecord) -> usize {
        super::super::rules::findings(&rule.result.verdict).len()
    }
}
