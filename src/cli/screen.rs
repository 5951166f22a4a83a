//! What a person sees on the terminal. Colours and live lines only where there is a terminal.

mod rules;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    sync::OnceLock,
    time::Duration,
};

use chrono::SecondsFormat;
use indicatif::{ProgressBar, ProgressStyle};
use mesh_witness::report::{self, Heading};
use mesh_witness::runner::{
    Deviation, Fault, Outcome, Progress, RunRecord, ScenarioRecord, StepRecord, Verdict,
};
use mesh_witness::tape::printable;

/// Why something could not be printed to standard output, the first time.
static UNPRINTED: OnceLock<io::Error> = OnceLock::new();

/// Prints a line to standard output. Whoever read it may have gone (`run | head`): that is no reason
/// to stop, let alone to lose a bundle. Of any other error there is a word [at the end](unprinted).
pub fn say(text: &str) {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(UNPRINTED.set(error)),
        _ => {}
    }
}

/// Why not all could be printed that was to be, such as a full disk.
pub fn unprinted() -> Option<&'static io::Error> {
    UNPRINTED.get()
}

/// Prints a line to standard error, under the same terms.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints an error.
pub fn error(message: &str) {
    tell(&format!("{}: {message}", marked("error", "1;31")));
}

/// Says why nothing seems to happen.
pub fn notice(message: &str) {
    tell(&format!("  {message}"));
}

/// Prints a warning.
pub fn warning(message: &str) {
    tell(&format!("{}: {message}", marked("warning", "1;33")));
}

/// A word in a colour, where standard error is a terminal that takes it.
fn marked(word: &str, code: &str) -> String {
    let takes_it = io::stderr().is_terminal() && takes_colours();
    if takes_it { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
}

/// Whether whoever started the program wants colours (no-color.org), and their terminal knows any.
fn takes_colours() -> bool {
    let variable = |name| std::env::var_os(name).unwrap_or_default();
    variable("NO_COLOR").is_empty() && variable("TERM") != "dumb"
}

/// The screen of one run. Writes to standard error when standard output is for programs.
pub struct Screen {
    colours: bool,
    quiet: bool,
    live: ProgressBar,
    /// For runs of many scenarios, each feature with what came of it so far; else nothing.
    features: RefCell<BTreeMap<String, Tally>>,
    /// Failures that are known. [`ScenarioRecord::deviation`] is a place in here.
    deviations: Vec<Deviation>,
}

/// A feature while it is played.
#[derive(Default)]
struct Tally {
    left: usize,
    passed: usize,
    warned: usize,
    expected: usize,
    others: usize,
}

/// With more scenarios than these, a line each would bury what matters: then a feature has one line, and
/// only scenarios that did not pass have theirs.
const ONE_LINE_EACH: usize = 40;

impl Screen {
    /// A screen; `quiet` when standard output belongs to a program, `live` when a line of it may change.
    /// `deviations` are the failures that are known.
    pub fn new(quiet: bool, live: bool, deviations: Vec<Deviation>) -> Self {
        let terminal = std::io::stdout().is_terminal() && !quiet;
        let colours = terminal && takes_colours();
        let live = if terminal && live { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("  {spinner:.blue} {wide_msg}") {
            live.set_style(style);
        }
        Self { colours, quiet, live, features: RefCell::default(), deviations }
    }

    /// The line that changes, for whoever has to ask something in between.
    pub fn live(&self) -> ProgressBar {
        self.live.clone()
    }

    /// What is going to be played.
    pub fn opening(
        &self,
        scenarios: &[ScenarioRecord],
        environment: &str,
        url: &str,
        banner: Option<&str>,
        product: &str,
    ) {
        self.line(&format!("{} {}", self.bold("mesh-witness"), env!("CARGO_PKG_VERSION")));
        // Whatever is configured may hide or reorder what stands around it.
        self.line(&format!("  endpoint  {}, {}", shown(environment), shown(url)));
        if let Some(banner) = banner {
            self.line(&format!("            {}", self.yellow(banner)));
        }
        self.line(&format!("  product   {}", shown(product)));
        self.line(&format!("  playing   {}", plural(scenarios.len(), "scenario")));
        self.line("");
        if scenarios.len() > ONE_LINE_EACH {
            let mut features = self.features.borrow_mut();
            for scenario in scenarios.iter().filter(|scenario| scenario.is_to_be_played()) {
                features.entry(scenario.path.clone()).or_default().left += 1;
            }
        }
    }

    /// What happens while it is played.
    pub fn progress(&self, progress: &Progress<'_>) {
        match progress {
            Progress::Started(scenario) => {
                self.live.enable_steady_tick(Duration::from_millis(120));
                self.live.set_message(title(scenario));
            }
            Progress::Step(scenario, done) => {
                let next = scenario.steps.get(*done).map(|step| first_line(&step.text)).unwrap_or_default();
                self.live.set_message(format!("{}: {}", title(scenario), shown(next)));
            }
            Progress::Ended(scenario) => self.ended(scenario),
        }
    }

    fn ended(&self, scenario: &ScenarioRecord) {
        let mut features = self.features.borrow_mut();
        let Some(tally) = features.get_mut(&scenario.path) else { return self.scenario(scenario) };
        tally.left = tally.left.saturating_sub(1);
        match scenario.outcome {
            Outcome::Passed => tally.passed += 1,
            Outcome::Warning => tally.warned += 1,
            _ if scenario.deviation.is_some() => tally.expected += 1,
            _ => tally.others += 1,
        }
        if scenario.outcome != Outcome::Passed {
            self.scenario(scenario);
        }
        if tally.left == 0 {
            let mark = match (tally.others, tally.expected, tally.warned) {
                (0, 0, 0) => self.green("✓"),
                (0, 0, _) => self.yellow("!"),
                (0, ..) => self.yellow("~"),
                _ => self.red("✗"),
            };
            let counts = [
                format!("{} passed", tally.passed),
                format!("{} with a warning", tally.warned),
                plural(tally.expected, "expected deviation"),
                format!("{} not", tally.others),
            ];
            let told = [true, tally.warned > 0, tally.expected > 0, tally.others > 0];
            let counts = counts.into_iter().zip(told).filter(|(_, told)| *told);
            let counts = counts.map(|(count, _)| count).collect::<Vec<_>>().join(", ");
            self.line(&format!("  {mark} {:<44} {}", shown(&scenario.feature), self.dim(&counts)));
        }
    }

    /// What came of the run, after its last scenario.
    /// `left_out` scenarios may not be played where it was.
    pub fn closing(&self, record: &RunRecord, left_out: usize) {
        self.live.finish_and_clear();
        let unplayed = record.scenarios.iter().filter(|scenario| scenario.ended_at.is_none());
        if record.scenarios.len() > ONE_LINE_EACH {
            let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
            for scenario in unplayed {
                if let Outcome::NotRun(reason) = &scenario.outcome {
                    *reasons.entry(reason).or_default() += 1;
                }
            }
            for (reason, count) in reasons {
                let count = plural(count, "scenario");
                self.line(&format!("  {} {count} not run: {reason}", self.yellow("-")));
            }
        } else {
            unplayed.for_each(|scenario| self.scenario(scenario));
        }
        self.line("");
        let seconds = (record.ended_at - record.started_at).as_seconds_f64();
        let headings = report::headings(record);
        for heading in &headings {
            self.line(&format!("  {:<12} {}", heading.name.to_lowercase(), self.dim(&told(heading))));
        }
        if !headings.is_empty() {
            self.line("");
        }
        for problem in &record.deviation_problems {
            self.line(&format!("  {} {problem}", self.red("✗")));
        }
        self.rules(record);
        let counts = Outcome::EACH.map(|outcome| (record.count(&outcome), outcome.word()));
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts = counts.map(|(count, word)| format!("{count} {word}"));
        let expected = record.expected_deviations();
        let expected = (expected > 0).then(|| plural(expected, "expected deviation"));
        let broken = record.rule_counts().broken;
        let broken = (broken > 0).then(|| format!("{} broken", plural(broken, "rule")));
        let counts = counts.chain(expected).chain(broken).collect::<Vec<_>>().join(", ");
        let verdict = record.verdict();
        let word = self.coloured(verdict, &verdict.word().to_uppercase());
        self.line(&format!("  {word}  {counts} in {seconds:.2} s"));
        if left_out > 0 {
            self.line(
                "  what may not be played here was left out, so this is no pass; --tags selects what may be",
            );
        }
        if verdict == Verdict::Incomplete && !record.has_measured() {
            self.line("  nothing was measured, so this is no pass");
        }
        if let Some(reason) = &record.cut_short {
            self.line(&format!("  cut short: {reason}"));
        }
    }

    /// Where the bundle is and how to look at it.
    pub fn bundle(&self, path: &str, size: u64) {
        self.line(&format!("  bundle  {path} ({} KB)", size.div_ceil(1000)));
        self.line("          unzip it and open data/report.html; data/README.txt says how to verify it");
    }

    fn scenario(&self, scenario: &ScenarioRecord) {
        let (mark, note) = match &scenario.outcome {
            Outcome::Passed => (self.green("✓"), timing(scenario)),
            Outcome::Failed => (self.red("✗"), "failed".to_owned()),
            Outcome::Warning => (self.yellow("!"), "passed, with a warning".to_owned()),
            Outcome::Attested => (self.green("✓"), attested(scenario)),
            Outcome::Error => (self.yellow("!"), "error: not the product's fault".to_owned()),
            Outcome::NotApplicable(reason) => (self.dim("-"), format!("not applicable: {reason}")),
            Outcome::NotRun(reason) => (self.yellow("-"), format!("not run: {reason}")),
        };
        if let Some(deviation) = scenario.deviation.and_then(|place| self.deviations.get(place)) {
            return self.deviation(scenario, deviation);
        }
        self.line(&format!("  {mark} {:<44} {}", title(scenario), self.dim(&note)));
        for step in &scenario.steps {
            if let Some(fault) = &step.fault {
                self.fault(step, fault);
            }
        }
    }

    /// A failure that is known needs no mending by whoever reads this: only why it is there.
    fn deviation(&self, scenario: &ScenarioRecord, deviation: &Deviation) {
        let note = format!("expected deviation, until {}", deviation.expires);
        self.line(&format!("  {} {:<44} {}", self.yellow("~"), title(scenario), self.dim(&note)));
        if let Some(fault) = scenario.fault() {
            self.line(&format!("      {}", fault.what));
        }
        let rows =
            [("reason", &deviation.reason), ("source", &deviation.reference), ("owner", &deviation.owner)];
        for (name, text) in rows {
            self.line(&format!("        {} {text}", self.dim(&format!("{name:<9}"))));
        }
    }

    fn fault(&self, step: &StepRecord, fault: &Fault) {
        self.line(&format!("      {} {}", step.keyword, shown(first_line(&step.text))));
        self.line(&format!("        {}", self.bold(&fault.what)));
        let rows = [
            ("expected", fault.expected.as_deref()),
            ("seen", fault.seen.as_deref()),
            ("to mend", Some(fault.remedy.as_str())),
            ("source", fault.source.as_deref()),
        ];
        for (name, text) in rows {
            if let Some(text) = text {
                self.line(&format!("        {} {text}", self.dim(&format!("{name:<9}"))));
            }
        }
    }

    fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        if self.live.is_hidden() {
            say(text);
        } else {
            self.live.suspend(|| say(text));
        }
    }

    fn coloured(&self, verdict: Verdict, text: &str) -> String {
        match verdict {
            Verdict::Passed => self.green(text),
            Verdict::Failed => self.red(text),
            Verdict::Error | Verdict::Incomplete | Verdict::CutShort => self.yellow(text),
        }
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.styled("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.styled("2", text)
    }

    fn green(&self, text: &str) -> String {
        self.styled("1;32", text)
    }

    fn red(&self, text: &str) -> String {
        self.styled("1;31", text)
    }

    fn yellow(&self, text: &str) -> String {
        self.styled("1;33", text)
    }
}

/// As it stands in a file of somebody's: it may hide or reorder what stands around it.
fn title(scenario: &ScenarioRecord) -> String {
    let name = shown(&scenario.name);
    match &scenario.case {
        Some(case) => format!("{} {name}", shown(case)),
        None => name,
    }
}

fn shown(text: &str) -> String {
    printable(text.as_bytes())
}

fn timing(scenario: &ScenarioRecord) -> String {
    let steps = plural(scenario.steps.len(), "step");
    match (scenario.started_at, scenario.ended_at) {
        (Some(from), Some(to)) => format!("{steps}, {:.2} s", (to - from).as_seconds_f64()),
        _ => steps,
    }
}

fn attested(scenario: &ScenarioRecord) -> String {
    let by = scenario.attestation.as_ref().map(|said| format!(" by {}, {}", said.name, said.role));
    format!("attested{}", by.unwrap_or_default())
}

/// When a heading was first seen, and with which message.
fn told(heading: &Heading) -> String {
    let first = heading.seen.first().map(|seen| {
        let message = seen.message.as_ref().map(|message| format!(" {message}")).unwrap_or_default();
        format!(", first {} {}{message}", seen.at.to_rfc3339_opts(SecondsFormat::Secs, true), seen.mailbox)
    });
    format!("{}{}", heading.note, first.unwrap_or_default())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("{count} {word}") } else { format!("{count} {word}s") }
}
