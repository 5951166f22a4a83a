//! `conformance.md`: answers for the technical conformance section of the digital onboarding form, as
//! far as a run can know them. What only a person knows is marked.

use super::{headings, text};
use crate::{
    rules::traffic::Verdict as Judged,
    runner::{ChangeKind, Comparison, Outcome, RuleRecord, RunRecord, ScenarioRecord},
};

/// How long an answer may be on the form, in characters.
const LONGEST: usize = 2000;
/// What a person has to write.
const PERSON: &str = "**For a person to complete:**";

/// The file's content.
pub(super) fn render(record: &RunRecord) -> String {
    let mut parts = vec![
        "# Technical conformance: answers for the onboarding form".to_owned(),
        heading(record),
        section("Q.1 Have you received a mailbox on the integration environment?", &mailbox(record)),
        section("Q.1.2 Do you know your workflow group?", &workflow(record)),
        section("Q.2 Have you received a TLS certificate?", &certificate(record)),
        section(
            "Q.3 Have you submitted evidence of handshake, send, download and acknowledge?",
            &evidence(record),
        ),
        section("Q.4 What has changed since the initial witness test?", &changes(record)),
    ];
    parts.push(limitations(record));
    parts.push(declarations(record));
    parts.join("\n\n") + "\n"
}

fn heading(record: &RunRecord) -> String {
    let product = inline(&format!("{} {}", record.product.name, record.product.version));
    let supplier = inline(record.supplier.as_deref().unwrap_or("not stated"));
    let earlier = record.resumed.as_deref().map(|earlier| format!(", goes on with run {}", inline(earlier)));
    let earlier = earlier.unwrap_or_default();
    // Whoever copies an answer has to have seen them.
    let warnings: String =
        record.warnings.iter().map(|warning| format!("**Warning:** {}\n\n", inline(warning))).collect();
    format!(
        "{}\n\n{warnings}- Product: {product}\n- Supplier: {supplier}\n- Run: {}, {}{earlier}\n- Verdict: {}\n\nEach answer keeps within the {LONGEST} characters that the form takes.",
        inline(&super::standing(record)),
        inline(&record.run_id),
        text::second(record.started_at),
        record.verdict().word(),
    )
}

fn section(question: &str, answer: &str) -> String {
    const MORE: &str = "\n- and more: see report.html";
    format!("## {question}\n\n{}", fitted(answer, LONGEST, MORE))
}

/// No longer than the form takes, cut at the end of a line; `more` says where the rest is.
fn fitted(answer: &str, longest: usize, more: &str) -> String {
    if answer.chars().count() <= longest {
        return answer.to_owned();
    }
    let mut kept = String::new();
    for line in answer.lines() {
        if kept.chars().count() + line.chars().count() + more.chars().count() + 1 > longest {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept.trim_end().to_owned() + more
}

/// On an endpoint of our own, or on this machine, the form has no answer from this run.
fn practice(record: &RunRecord) -> Option<String> {
    let against = if record.environment.emulated {
        "the emulator"
    } else {
        "an endpoint on the machine that played it"
    };
    let what = format!("This run was played against {against}, so it answers nothing of integration.");
    (!record.environment.is_evidence()).then(|| format!("{what}\n\n{PERSON} yes or no."))
}

fn mailbox(record: &RunRecord) -> String {
    if let Some(answer) = practice(record) {
        return answer;
    }
    let validated = headings(record).first().is_some_and(|heading| heading.outcome == Outcome::Passed);
    let ids: Vec<String> = record
        .environment
        .mailboxes
        .iter()
        .map(|mailbox| format!("- `{}` ({})", inline(&mailbox.id), inline(&mailbox.role)))
        .collect();
    let word = if validated {
        "Yes. The product's mailbox was validated in this run."
    } else {
        "Not shown by this run: no handshake was accepted in a case of the product that passed."
    };
    format!("{word}\n\n{}", ids.join("\n"))
}

fn workflow(record: &RunRecord) -> String {
    let id = inline(&record.workflow_id);
    format!(
        "The messages of this run carried the workflow ID `{id}`.\n\n{PERSON} the workflow group that it belongs to, and any other that the product uses."
    )
}

fn certificate(record: &RunRecord) -> String {
    if let Some(answer) = practice(record) {
        return answer;
    }
    let tls = record.exchanges.iter().filter_map(|exchange| exchange.tls.as_ref());
    let mut shown: Vec<String> = Vec::new();
    for own in tls.filter_map(|tls| tls.client_certificate.as_ref()) {
        let (from, to) = (text::second(own.not_before), text::second(own.not_after));
        let line = format!(
            "- {}, issued by {}, serial {}, valid from {from} to {to}",
            inline(&own.subject),
            inline(&own.issuer),
            inline(&own.serial)
        );
        if !shown.contains(&line) {
            shown.push(line);
        }
    }
    if shown.is_empty() {
        return format!("Not shown by this run: no client certificate was presented.\n\n{PERSON} yes or no.");
    }
    format!("Yes. The endpoint accepted connections with:\n\n{}", shown.join("\n"))
}

fn evidence(record: &RunRecord) -> String {
    let headings = headings(record);
    if headings.is_empty() {
        return format!(
            "This run has no case of a product, so it shows none of the four.\n\n{PERSON} whether evidence was submitted, and which."
        );
    }
    let lines = headings.into_iter().map(|heading| {
        let seen = heading.seen.iter().map(|seen| {
            let message =
                seen.message.as_ref().map(|id| format!(" message `{}`", inline(id))).unwrap_or_default();
            let case = seen.case.as_ref().map(|case| format!(" (case {})", inline(case))).unwrap_or_default();
            format!("  - {} mailbox `{}`{message}{case}", text::second(seen.at), inline(&seen.mailbox))
        });
        let seen: Vec<String> = seen.collect();
        let line = format!("- **{}**: {}, {}", heading.name, heading.outcome.word(), heading.note);
        std::iter::once(line).chain(seen).collect::<Vec<_>>().join("\n")
    });
    let lines: Vec<String> = lines.collect();
    let submitted = if record.environment.is_evidence() {
        format!("{PERSON} whether this bundle was submitted, to whom and when.")
    } else {
        "No: this bundle is practice. Submit one that was played against integration.".to_owned()
    };
    format!("{}\n\n{submitted}", lines.join("\n"))
}

fn changes(record: &RunRecord) -> String {
    let Some(comparison) = &record.comparison else {
        return format!(
            "This run was compared with no other: `run --compare-with BUNDLE` does it.\n\n{PERSON} what has changed, with the numbers of requests for change."
        );
    };
    let asked =
        format!("\n\n{PERSON} the numbers of requests for change, and what was changed in the product.");
    const MORE: &str = "\n- and more: `mesh-witness compare` tells all of it";
    fitted(&compared(comparison), LONGEST - asked.chars().count(), MORE) + &asked
}

fn compared(comparison: &Comparison) -> String {
    let Comparison { old, new, .. } = comparison;
    let mut lines = vec![
        format!(
            "Compared with run {} of {} ({}{}):",
            inline(&old.run_id),
            inline(&old.started_at),
            inline(&old.environment),
            if old.emulated { ", emulated: practice" } else { "" }
        ),
        String::new(),
    ];
    if old.product != new.product {
        lines.push(format!("- product: {}, was {}", inline(&new.product), inline(&old.product)));
    }
    if old.verdict != new.verdict {
        lines.push(format!("- verdict: {}, was {}", inline(&new.verdict), inline(&old.verdict)));
    }
    if comparison.is_cut_short() {
        lines.push("- this run was cut short, and that one was not".to_owned());
    }
    for kind in ChangeKind::ALL {
        for change in comparison.of_kind(kind) {
            let word = |outcome: &Option<String>| inline(outcome.as_deref().unwrap_or("not there"));
            let (case, old, new) = (inline(&change.case), word(&change.old), word(&change.new));
            lines.push(format!("- {}: {case}, was {old}, is {new}", kind.word()));
        }
    }
    lines.push(format!("- unchanged: {}", comparison.unchanged));
    lines.join("\n")
}

/// All that stands between this run and a clean one: whoever reads this page alone must not take it for one.
fn limitations(record: &RunRecord) -> String {
    let selected = record
        .tags
        .as_deref()
        .map(|tags| format!("only scenarios with the tags {} were played", inline(tags)));
    let cut_short = record.cut_short.as_deref().map(|why| format!("the run was cut short: {}", inline(why)));
    let problems = record.deviation_problems.iter();
    let problems = problems.map(|problem| format!("the list of expected deviations: {}", inline(problem)));
    let cases = record.scenarios.iter().filter_map(|scenario| limitation(record, scenario));
    let rules = record.rules.iter().filter_map(|rule| broken(record, rule));
    let all = selected.into_iter().chain(cut_short).chain(problems).chain(cases).chain(rules);
    let lines: Vec<String> = all.map(|line| format!("- {line}")).collect();
    let none = "- none";
    format!(
        "## Limitations and what was not shown\n\n{}",
        if lines.is_empty() { none.to_owned() } else { lines.join("\n") }
    )
}

/// What a case did not show, and why; `None` when it showed all that it is for.
fn limitation(record: &RunRecord, scenario: &ScenarioRecord) -> Option<String> {
    let why = match (record.deviation_of(scenario), &scenario.outcome) {
        (Some(deviation), _) => text::deviation(deviation),
        (None, Outcome::Failed | Outcome::Error) => {
            let what = scenario.fault().map_or("why is not known", |fault| fault.what.as_str());
            format!("{}: {what}", scenario.outcome.word())
        }
        (None, outcome) => format!("{}: {}", outcome.word(), outcome.reason()?),
    };
    let case = scenario.case.as_deref().map(|case| format!("{} ", inline(case))).unwrap_or_default();
    Some(format!("{case}{}: {}", inline(&scenario.name), inline(&why)))
}

/// How a rule is broken, as expected or not.
fn broken(record: &RunRecord, rule: &RuleRecord) -> Option<String> {
    let Judged::Broken { findings } = &rule.result.verdict else { return None };
    let why = match record.deviation_of_rule(rule) {
        Some(deviation) => text::deviation(deviation),
        None => {
            let first = findings.first().map_or(rule.result.rule.title, |finding| finding.what.as_str());
            let more = findings.len().saturating_sub(1);
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            format!("broken: {first}{more}")
        }
    };
    Some(format!("rule {}: {}", rule.result.rule.id, inline(&why)))
}

fn declarations(record: &RunRecord) -> String {
    let said = record.scenarios.iter().filter_map(|scenario| scenario.attestation.as_ref());
    let lines: Vec<String> = said
        .map(|said| {
            format!(
                "- {}: {}, {}, {}: {}",
                inline(&said.case),
                inline(&said.name),
                inline(&said.role),
                inline(&said.date),
                inline(&said.statement)
            )
        })
        .collect();
    let none = "- none was made in this run";
    format!("## Declarations\n\n{}", if lines.is_empty() { none.to_owned() } else { lines.join("\n") })
}

/// One line in which nothing is Markdown or HTML.
fn inline(value: &str) -> String {
    const LONG: usize = 500;
    let line = text::line(text::clip(value, LONG).0);
    let mut shown = String::with_capacity(line.len());
    for character in line.chars() {
        match character {
            '<' => shown.push_str("&lt;"),
            '&' => shown.push_str("&amp;"),
            '`' | '*' | '[' | ']' | '|' => {
                shown.push('\\');
                shown.push(character);
            }
            other => shown.push(other),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use crate::{
        rules::traffic::{Finding, Grade},
        runner::{CaseOutline, RunOutline},
    };

    #[test]
    fn golden() {
        insta::assert_snapshot!(render(&fixtures::mixed()));
    }

    #[test]
    fn on_this_machine_nothing_is_answered_of_integration() {
        let page = render(&fixtures::on_this_machine());
        let opening = "# Technical conformance: answers for the onboarding form\n\nON THIS MACHINE: practice, not evidence. This run was played against INT at https://127.0.0.1:8700, not against an environment of NHS England.\n\n**Warning:** https://127.0.0.1:8700 is on this machine\n\n- Product: ";
        assert!(page.starts_with(opening), "{page}");
        assert!(!page.contains("Yes.") && page.contains("No: this bundle is practice."), "{page}");
        assert_eq!(page.matches("so it answers nothing of integration.").count(), 2, "{page}");
    }

    #[test]
    fn all_that_failed_is_a_limitation() {
        let mut record = fixtures::mixed();
        record.deviation_problems = vec!["case 202 passed".to_owned()];
        record.scenarios[1].case = None;
        let limitations = limitations(&record);
        let lines: Vec<&str> = limitations.lines().skip(2).collect();
        let what = |place: usize| record.scenarios[place].fault().unwrap().what.clone();
        assert_eq!(
            lines[..6],
            [
                "- only scenarios with the tags @set-200 or @set-400 were played",
                "- the run was cut short: interrupted by the user",
                "- the list of expected deviations: case 202 passed",
                &format!("- A compressed message says that it is compressed: failed: {}", what(1)),
                &format!("- 401 An uncompressed message is received and acknowledged: error: {}", what(2)),
                "- 402 A compressed message is received and acknowledged: not run: the run was cut short: interrupted by the user",
            ]
        );
        assert_eq!(lines.len() - 6, record.rules.iter().filter(|rule| rule.fails()).count());
        assert_eq!(super::limitations(&fixtures::passed()).lines().last(), Some("- none"));
    }

    #[test]
    fn a_broken_rule_is_a_limitation() {
        let mut record = fixtures::mixed();
        let finding = Finding {
            grade: Grade::Broken,
            what: "it did <this>".to_owned(),
            expected: String::new(),
            seen: String::new(),
            remedy: None,
            at: fixtures::start(),
            mailbox: None,
            message: None,
            exchanges: vec![1],
        };
        record.rules[0].result.verdict = Judged::Broken { findings: vec![finding.clone(), finding] };
        let id = record.rules[0].result.rule.id;
        let line = format!("- rule {id}: broken: it did &lt;this> (and 1 more)");
        assert!(limitations(&record).contains(&line), "{}", limitations(&record));
    }

    #[test]
    fn every_question_is_answered_within_the_form() {
        for record in [fixtures::passed(), fixtures::mixed(), fixtures::hostile()] {
            let page = render(&record);
            for question in ["## Q.1 ", "## Q.1.2 ", "## Q.2 ", "## Q.3 ", "## Q.4 "] {
                assert_eq!(page.matches(question).count(), 1, "{question}");
            }
            assert!(!page.contains("<script") && !page.contains("<img"));
        }
    }

    #[test]
    fn a_long_answer_is_cut_at_a_line() {
        let case = |number: usize, outcome: &str| CaseOutline {
            id: Some(number.to_string()),
            name: "a rather long title of a scenario that changed".to_owned(),
            path: "p".to_owned(),
            outcome: outcome.to_owned(),
            fault: None,
        };
        let run = |outcome: &str| RunOutline {
            run_id: "r".to_owned(),
            started_at: "t".to_owned(),
            environment: "INT".to_owned(),
            emulated: false,
            product: "p".to_owned(),
            cases: (0..100).map(|number| case(number, outcome)).collect(),
            rules: vec![],
            verdict: outcome.to_owned(),
            cut_short: false,
            deviation_problems: vec![],
        };
        let mut record = fixtures::passed();
        record.comparison = Some(Comparison::of(run("failed"), run("passed")));
        let answer = changes(&record);
        assert!(answer.chars().count() <= LONGEST, "{answer}");
        assert!(answer.contains("- verdict: passed, was failed\n"), "{answer}");
        assert!(answer.contains("and more: `mesh-witness compare` tells all of it\n"), "{answer}");
        assert!(answer.ends_with("what was changed in the product."), "a person is still asked: {answer}");
    }
}
