//! The judgement for people: worst first, then what holds, then what could not be judged.

use mesh_witness::{
    report::second,
    rules::traffic::{Finding, Grade, RuleResult, Verdict, remedies},
    tape::printable,
};

use super::{Judgement, source::Recording};

/// Findings of one rule that are shown; the rest is counted.
const SHOWN: usize = 10;
/// Exchanges of one finding that are shown.
const NUMBERS: usize = 12;

/// The lines to print. Every one is printable.
pub fn lines(judgement: &Judgement<'_>) -> Vec<String> {
    let Judgement { recording, mailbox, results } = judgement;
    let mut lines = opening(recording);
    if let Some(mailbox) = mailbox {
        lines.push(format!("  judged    {mailbox} only"));
    }
    let broken = results.iter().filter(|result| matches!(result.verdict, Verdict::Broken { .. }));
    let warned = results.iter().filter(|result| matches!(result.verdict, Verdict::Warned { .. }));
    for result in broken.chain(warned) {
        rule(result, recording.numbers, &mut lines);
    }
    held(results, &mut lines);
    unjudged(results, &mut lines);
    lines.push(String::new());
    lines.push(closing(results));
    lines.iter().map(|line| printable(line.as_bytes())).collect()
}

fn opening(recording: &Recording) -> Vec<String> {
    let Recording { kind, path, by, exchanges, notes, .. } = recording;
    let mut lines =
        vec![format!("{path}"), format!("  source    {kind} by {by}, {} exchanges", exchanges.len())];
    if let Some((from, to)) = recording.span() {
        lines.push(format!("  recorded  {} to {}", second(from), second(to)));
    }
    lines.extend(notes.iter().map(|note| format!("  note      {note}")));
    lines
}

fn rule(result: &RuleResult, numbers: &str, lines: &mut Vec<String>) {
    let (word, findings) = match &result.verdict {
        Verdict::Broken { findings } => ("FAILED", findings),
        Verdict::Warned { findings } => ("WARNING", findings),
        Verdict::Held { .. } | Verdict::NotApplicable { .. } => return,
    };
    let rule = result.rule;
    lines.push(String::new());
    lines.push(format!("{word}  {} ({})  {}", rule.id, rule.severity.word(), rule.title));
    let shown = findings.get(..SHOWN).unwrap_or(findings);
    for (one, remedy) in shown.iter().zip(remedies(rule, shown)) {
        finding(one, numbers, lines);
        lines.extend(remedy.map(|remedy| format!("    to mend   {remedy}")));
    }
    if findings.len() > SHOWN {
        lines.push(format!("    and {} more: --format json has them", findings.len() - SHOWN));
    }
    lines.push(format!("    source    {}", rule.source));
}

fn finding(of: &Finding, numbers: &str, lines: &mut Vec<String>) {
    let Finding { grade, what, expected, seen, at, mailbox, message, exchanges, .. } = of;
    let mailbox = mailbox.as_deref().unwrap_or("no mailbox");
    let message = message.as_ref().map(|id| format!("  message {id}")).unwrap_or_default();
    let mut shown: Vec<String> = exchanges.iter().take(NUMBERS).map(ToString::to_string).collect();
    if exchanges.len() > NUMBERS {
        shown.push(format!("and {} more", exchanges.len() - NUMBERS));
    }
    let plural = if exchanges.len() == 1 { "" } else { "s" };
    lines.push(format!("  {}  {mailbox}  {numbers}{plural} {}{message}", second(*at), shown.join(", ")));
    let doubt = if *grade == Grade::Warning { "warning: " } else { "" };
    lines.push(format!("    {doubt}{what}"));
    lines.push(format!("    expected  {expected}"));
    lines.push(format!("    seen      {seen}"));
}

fn held(results: &[RuleResult], lines: &mut Vec<String>) {
    let held = results.iter().filter_map(|result| match result.verdict {
        Verdict::Held { looked_at } => Some(format!("  {:<26} looked at {looked_at}", result.rule.id)),
        _ => None,
    });
    let held: Vec<String> = held.collect();
    if !held.is_empty() {
        lines.extend([String::new(), "HELD".to_owned()]);
        lines.extend(held);
    }
}

fn unjudged(results: &[RuleResult], lines: &mut Vec<String>) {
    let mut left = Vec::new();
    for result in results {
        if let Verdict::NotApplicable { reason } = &result.verdict {
            left.push(format!("  {:<26} {reason}", result.rule.id));
        }
        let partly = result.unjudged.iter();
        left.extend(
            partly.map(|(reason, count)| format!("  {:<26} {count} of it: {reason}", result.rule.id)),
        );
    }
    if !left.is_empty() {
        lines.extend([String::new(), "NOT JUDGED".to_owned()]);
        lines.extend(left);
    }
}

fn closing(results: &[RuleResult]) -> String {
    let count = |is: fn(&Verdict) -> bool| results.iter().filter(|result| is(&result.verdict)).count();
    let broken = count(|verdict| matches!(verdict, Verdict::Broken { .. }));
    let warned = count(|verdict| matches!(verdict, Verdict::Warned { .. }));
    let held = count(|verdict| matches!(verdict, Verdict::Held { .. }));
    let not = count(|verdict| matches!(verdict, Verdict::NotApplicable { .. }));
    let word = if broken > 0 { "FAILED" } else { "nothing broken" };
    format!("{word}: {broken} rules broken, {warned} with warnings, {held} held, {not} not applicable")
}
