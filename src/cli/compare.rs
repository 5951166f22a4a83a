//! `compare`: how two runs differ.

use mesh_witness::{
    evidence,
    runner::{ChangeKind, Comparison, RunOutline},
};

use super::{Exit, Failure, args::CompareArguments, screen};

pub fn compare(arguments: &CompareArguments) -> Result<Exit, Failure> {
    let outline = |path| evidence::outline(path).map_err(|error| Failure::new(Exit::Usage, error));
    let comparison = Comparison::of(outline(&arguments.old)?, outline(&arguments.new)?);
    lines(&comparison).iter().for_each(|line| screen::say(line));
    Ok(if comparison.is_worse() { Exit::Failed } else { Exit::Good })
}

fn lines(comparison: &Comparison) -> Vec<String> {
    let mut lines = vec![side("old", &comparison.old), side("new", &comparison.new)];
    for kind in ChangeKind::ALL {
        for change in comparison.of_kind(kind) {
            let word = |outcome: &Option<String>| outcome.clone().unwrap_or_else(|| "not there".to_owned());
            let (old, new) = (word(&change.old), word(&change.new));
            let worse = if change.worse { " (worse)" } else { "" };
            lines.push(format!("{:<14} {}: {old} -> {new}{worse}", kind.word(), change.case));
            lines.extend(change.fault.as_ref().map(|fault| format!("{:<14} {fault}", "")));
        }
    }
    lines.push(format!("{:<14} {}", "unchanged", comparison.unchanged));
    if comparison.is_cut_short() {
        lines.push("the new run was cut short, and the old one was not".to_owned());
    }
    let verdict = if comparison.is_worse() { "something got worse" } else { "nothing got worse" };
    lines.push(verdict.to_owned());
    lines
}

fn side(name: &str, run: &RunOutline) -> String {
    let emulated = if run.emulated { " (emulated: practice)" } else { "" };
    let RunOutline { run_id, environment, product, verdict, .. } = run;
    format!("{name:<14} {run_id}, {environment}{emulated}, {product}, {verdict}")
}
