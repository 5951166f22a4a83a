//! How the outcomes of two runs differ.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::{Outcome, Verdict};

/// One side of a comparison: what a bundle's summary says of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutline {
    /// The run ID.
    pub run_id: String,
    /// When it began, as written in the summary.
    pub started_at: String,
    /// The environment's name.
    pub environment: String,
    /// Whether that was emulated.
    pub emulated: bool,
    /// The product's name and version.
    pub product: String,
    /// The word for its verdict.
    pub verdict: String,
    /// Whether it was cut short, which the verdict does not tell when something had been found wrong.
    pub cut_short: bool,
    /// Its cases.
    pub cases: Vec<CaseOutline>,
    /// What the rules say of the product's traffic, each as a case; empty when the bundle says nothing of it.
    pub rules: Vec<CaseOutline>,
    /// What was wrong with the list of expected deviations, each a sentence.
    pub deviation_problems: Vec<String>,
}

/// A case of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseOutline {
    /// Number of the case; `None` for a scenario that is none.
    pub id: Option<String>,
    /// Its title.
    pub name: String,
    /// Its feature file.
    pub path: String,
    /// The word for its outcome.
    pub outcome: String,
    /// What was wrong.
    pub fault: Option<String>,
}

/// The difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The earlier run.
    pub old: RunOutline,
    /// The later run.
    pub new: RunOutline,
    /// What differs or still fails, in the order of the later run; what only the earlier has comes last.
    pub changes: Vec<Change>,
    /// How many cases and rules are as they were, and not failing.
    pub unchanged: usize,
}

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// Whether it is for the worse.
    pub worse: bool,
    /// Number and title of the case.
    pub case: String,
    /// The earlier outcome; `None` when the earlier run did not have the case.
    pub old: Option<String>,
    /// The later outcome; `None` when the later run does not have it.
    pub new: Option<String>,
    /// What is wrong now.
    pub fault: Option<String>,
}

/// Kinds of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It went wrong, and is as it must be now.
    Fixed,
    /// It went wrong, and still does.
    StillFailing,
    /// It did not go wrong, and does now.
    NewlyFailing,
    /// It has another outcome, or is in one of the runs only.
    Changed,
}

impl Comparison {
    /// Compares two runs, case by case.
    #[must_use]
    pub fn of(old: RunOutline, new: RunOutline) -> Self {
        let mut taken = BTreeSet::new();
        let (mut changes, mut unchanged) = (Vec::new(), 0);
        let before: Vec<&CaseOutline> = old.cases.iter().chain(&old.rules).collect();
        let mut places: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (place, case) in before.iter().enumerate() {
            places.entry(case.named()).or_default().push_back(place);
        }
        // Against a run in which no rule was judged, only what is wrong tells anything.
        let is_told = |rule: &&CaseOutline| !old.rules.is_empty() || is_failing(&rule.outcome);
        for case in new.cases.iter().chain(new.rules.iter().filter(is_told)) {
            let place = places.get_mut(&case.named()).and_then(VecDeque::pop_front);
            taken.extend(place);
            match change(place.and_then(|place| before.get(place).copied()), Some(case)) {
                Some(change) => changes.push(change),
                None => unchanged += 1,
            }
        }
        let gone = before.into_iter().enumerate().filter(|(place, _)| !taken.contains(place));
        changes.extend(gone.filter_map(|(_, case)| change(Some(case), None)));
        changes.extend(problems(&old.deviation_problems, &new.deviation_problems));
        Self { old, new, changes, unchanged }
    }

    /// Whether anything got worse: also when no case says so, since a run may be cut short, or be no practice
    /// any more, in which declarations need not be made.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let passed = |run: &RunOutline| run.verdict == Verdict::Passed.word();
        self.changes.iter().any(|change| change.worse)
            || (passed(&self.old) && !passed(&self.new))
            || self.is_cut_short()
    }

    /// Whether the later run was cut short and the earlier was not.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.new.cut_short && !self.old.cut_short
    }

    /// The changes of one kind.
    pub fn of_kind(&self, kind: ChangeKind) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.kind == kind)
    }
}

impl CaseOutline {
    /// What makes it the same in two runs. The title besides the number: a case may have several scenarios.
    fn named(&self) -> (Option<&str>, &str, &str) {
        (self.id.as_deref(), &self.path, &self.name)
    }
}

impl ChangeKind {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::NewlyFailing, Self::StillFailing, Self::Changed, Self::Fixed];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::StillFailing => "still failing",
            Self::NewlyFailing => "newly failing",
            Self::Changed => "changed",
        }
    }
}

/// `None` when it is as it was, and not failing.
fn change(old: Option<&CaseOutline>, new: Option<&CaseOutline>) -> Option<Change> {
    let word = |case: Option<&CaseOutline>| case.map(|case| case.outcome.clone());
    let (before, after) = (word(old), word(new));
    let failing = |outcome: &Option<String>| outcome.as_deref().is_some_and(is_failing);
    let worth = |outcome: &Option<String>| outcome.as_deref().map_or(1, worth);
    let (kind, worse) = match (failing(&before), failing(&after)) {
        // A failure that was put up with and is not any more has got worse, and the other way round.
        (true, true) => (ChangeKind::StillFailing, worth(&after) < worth(&before)),
        (false, true) => (ChangeKind::NewlyFailing, true),
        (true, false) if after.as_deref().is_some_and(worth_of_good) => (ChangeKind::Fixed, false),
        // A fault that is not shown any more is not mended.
        (true, false) => (ChangeKind::Changed, !after.as_deref().is_some_and(is_told)),
        _ if before == after => return None,
        // What is not shown any more is worse than what was never there.
        (false, false) => (ChangeKind::Changed, after.is_none() || worth(&after) < worth(&before)),
    };
    let named = new.or(old)?;
    let case = match &named.id {
        Some(id) => format!("{id} {}", named.name),
        None => named.name.clone(),
    };
    let fault = new.and_then(|case| case.fault.clone());
    Some(Change { kind, worse, case, old: before, new: after, fault })
}

/// What is wrong with the list of expected deviations fails a run as a case does.
fn problems<'a>(old: &'a [String], new: &'a [String]) -> impl Iterator<Item = Change> + 'a {
    let of = |problem: &String, kind: ChangeKind, old: &str, new: &str| Change {
        kind,
        worse: kind == ChangeKind::NewlyFailing,
        case: format!("list of deviations: {problem}"),
        old: Some(old.to_owned()),
        new: Some(new.to_owned()),
        fault: None,
    };
    let (failed, passed) = (Outcome::Failed.word(), Outcome::Passed.word());
    let now = new.iter().map(move |problem| match old.contains(problem) {
        true => of(problem, ChangeKind::StillFailing, failed, failed),
        false => of(problem, ChangeKind::NewlyFailing, passed, failed),
    });
    let gone = old.iter().filter(move |problem| !new.contains(problem));
    now.chain(gone.map(move |problem| of(problem, ChangeKind::Fixed, failed, passed)))
}

fn is_failing(outcome: &str) -> bool {
    matches!(outcome, "failed" | "error" | "expected deviation")
}

fn worth_of_good(outcome: &str) -> bool {
    matches!(outcome, "passed" | "warning" | "attested")
}

/// Whether something is said of the case: what was not run, and a word of a later version, says nothing.
fn is_told(outcome: &str) -> bool {
    worth(outcome) > worth("not run")
}

/// How much an outcome shows; a word of a later version shows nothing.
fn worth(outcome: &str) -> u8 {
    match outcome {
        "passed" | "attested" => 4,
        "warning" => 3,
        "not applicable" => 2,
        "not run" => 1,
        "expected deviation" => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(cases: &[(&str, &str)]) -> RunOutline {
        let case = |(id, outcome): &(&str, &str)| CaseOutline {
            id: Some((*id).to_owned()),
            name: format!("case {id}"),
            path: "witness/x.feature".to_owned(),
            outcome: (*outcome).to_owned(),
            fault: None,
        };
        RunOutline {
            run_id: String::new(),
            started_at: String::new(),
            environment: String::new(),
            emulated: false,
            product: String::new(),
            verdict: String::new(),
            cut_short: false,
            cases: cases.iter().map(case).collect(),
            rules: vec![],
            deviation_problems: vec![],
        }
    }

    fn only(old: &[(&str, &str)], new: &[(&str, &str)]) -> Option<(ChangeKind, bool)> {
        let comparison = Comparison::of(run(old), run(new));
        assert!(comparison.changes.len() <= 1);
        comparison.changes.first().map(|change| (change.kind, change.worse))
    }

    #[test]
    fn each_kind_of_change_is_told() {
        use ChangeKind::{Changed, Fixed, NewlyFailing, StillFailing};
        for (old, new, told) in [
            ("passed", "passed", None),
            ("not run", "not run", None),
            ("failed", "passed", Some((Fixed, false))),
            ("error", "attested", Some((Fixed, false))),
            ("failed", "failed", Some((StillFailing, false))),
            ("failed", "error", Some((StillFailing, false))),
            ("expected deviation", "failed", Some((StillFailing, true))),
            ("failed", "expected deviation", Some((StillFailing, false))),
            ("passed", "failed", Some((NewlyFailing, true))),
            ("not run", "error", Some((NewlyFailing, true))),
            ("passed", "expected deviation", Some((NewlyFailing, true))),
            ("passed", "warning", Some((Changed, true))),
            ("passed", "not run", Some((Changed, true))),
            ("passed", "not applicable", Some((Changed, true))),
            ("not run", "passed", Some((Changed, false))),
            // A fault that is not shown any more is not mended.
            ("failed", "not run", Some((Changed, true))),
            ("error", "not run", Some((Changed, true))),
            ("expected deviation", "not run", Some((Changed, true))),
            ("failed", "a word of tomorrow", Some((Changed, true))),
            ("failed", "not applicable", Some((Changed, false))),
        ] {
            assert_eq!(only(&[("201", old)], &[("201", new)]), told, "{old} to {new}");
        }
        assert_eq!(only(&[("201", "passed")], &[]), Some((Changed, true)));
        assert_eq!(only(&[("201", "failed")], &[]), Some((Changed, true)));
        assert_eq!(only(&[], &[("201", "passed")]), Some((Changed, false)));
        assert_eq!(only(&[], &[("201", "failed")]), Some((NewlyFailing, true)));
    }

    #[test]
    fn what_is_as_it_was_is_counted() {
        let both = run(&[("201", "passed"), ("202", "failed")]);
        let comparison = Comparison::of(both.clone(), both);
        assert_eq!((comparison.unchanged, comparison.changes.len(), comparison.is_worse()), (1, 1, false));
    }

    /// A run that a stale entry of the list fails has the outcomes that it had before.
    #[test]
    fn what_is_newly_wrong_with_the_list_of_deviations_is_worse() {
        use ChangeKind::{Fixed, NewlyFailing, StillFailing};
        let with = |problems: &[&str]| RunOutline {
            deviation_problems: problems.iter().map(|&problem| problem.to_owned()).collect(),
            ..run(&[("201", "passed")])
        };
        for (old, new, kind, worse) in [
            (&[][..], &["stale"][..], NewlyFailing, true),
            (&["stale"], &["stale"], StillFailing, false),
            (&["stale"], &[], Fixed, false),
        ] {
            let comparison = Comparison::of(with(old), with(new));
            let kinds: Vec<ChangeKind> = comparison.changes.iter().map(|change| change.kind).collect();
            assert_eq!((kinds, comparison.is_worse()), (vec![kind], worse), "{old:?} to {new:?}");
        }
    }

    /// The same declarations may be missing in both; in practice they do not count.
    #[test]
    fn a_run_that_is_passed_no_more_is_worse_whatever_its_cases_say() {
        let with = |verdict: Verdict| RunOutline {
            verdict: verdict.word().to_owned(),
            ..run(&[("201", "passed"), ("801", "not run")])
        };
        for (old, new, worse) in [
            (Verdict::Passed, Verdict::Passed, false),
            (Verdict::Passed, Verdict::Incomplete, true),
            (Verdict::Passed, Verdict::CutShort, true),
            (Verdict::Passed, Verdict::Failed, true),
            (Verdict::Failed, Verdict::Passed, false),
            (Verdict::Incomplete, Verdict::Incomplete, false),
        ] {
            assert_eq!(Comparison::of(with(old), with(new)).is_worse(), worse, "{old:?} to {new:?}");
        }
    }

    /// Verdict *failed* hides that a run was cut short, and a run that was cut short may have no case that got worse.
    #[test]
    fn a_run_that_is_cut_short_is_worse_than_one_that_was_not() {
        let with = |verdict: Verdict, cut_short: bool| RunOutline {
            verdict: verdict.word().to_owned(),
            cut_short,
            ..run(&[("201", "not run")])
        };
        let (ended, cut) = (with(Verdict::Failed, false), with(Verdict::CutShort, true));
        assert!(Comparison::of(ended.clone(), cut.clone()).is_worse());
        assert!(Comparison::of(with(Verdict::Error, false), with(Verdict::Failed, true)).is_worse());
        assert!(!Comparison::of(cut.clone(), cut.clone()).is_worse());
        assert!(!Comparison::of(cut, ended).is_worse());
        // What was wrong is mended, and what was not played was not played before.
        let incomplete = with(Verdict::Incomplete, false);
        assert!(!Comparison::of(with(Verdict::Failed, false), incomplete).is_worse());
    }

    #[test]
    fn a_rule_that_is_broken_is_worse_and_one_that_was_never_judged_is_no_news() {
        let with = |outcome: &str| RunOutline { rules: run(&[("token-hash", outcome)]).cases, ..run(&[]) };
        let told = |old: RunOutline, new: RunOutline| {
            let comparison = Comparison::of(old, new);
            comparison.changes.first().map(|change| (change.kind, change.worse))
        };
        assert_eq!(told(with("passed"), with("failed")), Some((ChangeKind::NewlyFailing, true)));
        assert_eq!(told(with("failed"), with("passed")), Some((ChangeKind::Fixed, false)));
        assert_eq!(told(run(&[]), with("passed")), None);
        assert_eq!(told(run(&[]), with("failed")), Some((ChangeKind::NewlyFailing, true)));
        assert_eq!(told(with("passed"), run(&[])), Some((ChangeKind::Changed, true)));
    }

    /// Two scenarios of one case, as the two of case 705.
    #[test]
    fn scenarios_of_one_case_are_told_apart() {
        let mut old = run(&[("705", "passed"), ("705", "failed")]);
        old.cases[1].name = "another".to_owned();
        let mut new = old.clone();
        new.cases.swap(0, 1);
        assert!(!Comparison::of(old, new).is_worse());
    }
}
