//! Plays a plan, to its end or until it is cut short.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use cucumber::{Cucumber, Parser, cli, gherkin, parser, runner, step::Collection};
use futures_util::{FutureExt, future::LocalBoxFuture, stream};

use super::{
    Environment, Fault, FaultKind, MeshWorld, Observer, Outcome, Pending, Plan, Platform, Resumed, RunRecord,
    Setting, Stage,
    collector::{Collector, Growing, Records},
    deviations,
    judging::judged,
    panic_hook::KeptHook,
    place::{names_this_machine, reached_on_this_machine},
};
use crate::{
    emulator::PROVOKED,
    product::{Driven, Driver},
    tape::{Exchange, ScenarioNumber},
};

/// Plays a plan. `interrupted` ends the run before its time when it comes to an end, with the reason.
///
/// The future is not `Send`: await it, do not spawn it.
pub async fn play(
    plan: Plan,
    setting: Arc<Setting>,
    steps: Collection<MeshWorld>,
    concurrency: usize,
    observer: Observer,
    interrupted: impl Future<Output = String>,
) -> RunRecord {
    let started_at = Utc::now();
    let records = Records::new(&plan.scenarios, &plan.requirements);
    let collector = Collector::new(records.clone(), Arc::clone(&setting), observer);
    let concurrency = if setting.takes_turns() { 1 } else { concurrency.max(1) };
    let hook = KeptHook::new();
    let run = run(plan.features, Arc::clone(&setting), steps, concurrency, collector);
    let cut_short = tokio::select! {
        () = run => None,
        reason = interrupted => Some(reason),
        why = setting.unrecordable() => Some(why),
    };
    drop(hook);
    let unrecorded = setting.end_recording().await;
    let cut_short = cut_short.or(unrecorded);
    let untidy = match &setting.driven {
        Some(driven) => driven.end(cut_short.is_some()).await.err(),
        None => None,
    };
    let (mut scenarios, exchanges) = assemble(records.snapshot(), &setting, cut_short.as_deref());
    let mut attempts = setting.tape.attempts();
    attempts.sort_by_key(|attempt| (attempt.scenario, attempt.began));
    let course = setting.ledger.course(&exchanges, setting.driven.is_none());
    let mut rules = judged(&exchanges, &course, setting.emulated);
    let ended_at = Utc::now();
    let connected = exchanges.iter().filter_map(|exchange| Some((&*exchange.origin, exchange.peer?)));
    let here = reached_on_this_machine(&setting.url, connected);
    let today = ended_at.date_naive();
    let known = &setting.terms.deviations;
    let deviation_problems = deviations::apply(known, &mut scenarios, &mut rules, today, cut_short.is_some());
    let pending = left(setting.ledger.pending(), setting.terms.resumed.as_ref(), &scenarios);
    RunRecord {
        run_id: setting.run_id.clone(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: Platform::here(),
        started_at,
        ended_at,
        cut_short,
        environment: Environment {
            name: setting.environment.clone(),
            url: setting.url.clone(),
            emulated: setting.emulated || exchanges.iter().any(|exchange| exchange.is_from_emulator()),
            on_this_machine: names_this_machine(&setting.url) || here.is_some(),
            mailboxes: setting.ledger.mailboxes(),
        },
        product: setting.product.clone(),
        driver: setting.driven.as_ref().map_or(Driver::Reference.word(), Driven::word).to_owned(),
        supplier: setting.supplier.clone(),
        workflow_id: setting.workflow.to_string(),
        tags: plan.tags,
        warnings: warnings(&setting, here, &scenarios).into_iter().chain(untidy).collect(),
        pack: plan.pack,
        definitions: plan.definitions,
        requirements: plan.requirements,
        scenarios,
        rules,
        course,
        practice: setting.terms.practice,
        deviations: setting.terms.deviations.clone(),
        deviation_problems,
        resumed: setting.terms.resumed.as_ref().map(|resumed| resumed.run_id.clone()),
        pending,
        comparison: None,
        exchanges,
        attempts,
    }
}

/// What is left to be done: by this run, and by the one that it went on with where this one did not get to it,
/// so that no five days are waited for again.
fn left(
    mut pending: Vec<Pending>,
    resumed: Option<&Resumed>,
    scenarios: &[super::ScenarioRecord],
) -> Vec<Pending> {
    let is_done = |label: &str| {
        scenarios.iter().enumerate().any(|(number, scenario)| {
            let own = scenario.case.clone().unwrap_or_else(|| unnumbered(ScenarioNumber(number)));
            own == label && !matches!(scenario.outcome, Outcome::NotRun(_) | Outcome::Error)
        })
    };
    for earlier in resumed.into_iter().flat_map(|run| &run.pending) {
        if !is_done(&earlier.case) && !pending.iter().any(|own| own.case == earlier.case) {
            pending.push(earlier.clone());
        }
    }
    pending
}

/// What a scenario that is no case of the pack is called.
fn unnumbered(number: ScenarioNumber) -> String {
    format!("s{}", number.0 + 1)
}

fn warnings(setting: &Setting, here: Option<IpAddr>, scenarios: &[super::ScenarioRecord]) -> Vec<String> {
    let moved = scenarios.iter().filter(|scenario| scenario.clock_moved.is_some());
    let moved: Vec<&str> = moved.map(|scenario| scenario.case.as_deref().unwrap_or(&scenario.name)).collect();
    let mut warnings = setting.warnings.clone();
    if let Some(address) = here.filter(|_| !setting.emulated && !names_this_machine(&setting.url)) {
        let url = &setting.url;
        warnings.push(format!(
            "{url} led to {address}, which is on this machine: this is no evidence of an environment of NHS England"
        ));
    }
    if !moved.is_empty() {
        let cases = moved.join(", ");
        warnings.push(format!(
            "The emulated endpoint's clock was moved on purpose in {cases}: no such time has really passed"
        ));
    }
    let provoked = setting.ledger.all_provoked();
    let provoked = provoked.iter().filter_map(|number| scenarios.get(number.0));
    let provoked: Vec<&str> = provoked.map(|scenario| scenario.name.as_str()).collect();
    if !provoked.is_empty() {
        let names = provoked.join("; ");
        warnings.push(format!(
            "The endpoint made things hard for the product on purpose, in these scenarios, and says so in a header of each answer that came of it ({PROVOKED}): {names}"
        ));
    }
    warnings
}

/// Boxed, so that the runner of steps is compiled with the library, once, and not with each program that plays.
fn run(
    features: Vec<gherkin::Feature>,
    setting: Arc<Setting>,
    steps: Collection<MeshWorld>,
    concurrency: usize,
    collector: Collector,
) -> LocalBoxFuture<'static, ()> {
    // A tag that merely begins with "retry" would repeat a scenario: nothing is ever repeated here.
    let runner = runner::Basic::<MeshWorld>::default()
        .steps(steps)
        .max_concurrent_scenarios(concurrency)
        .retry_options(|_, _, _, _| None);
    let options = cli::Opts {
        re_filter: None,
        tags_filter: None,
        parser: cli::Empty,
        runner: runner::basic::Cli::default(),
        writer: cli::Empty,
        custom: cli::Empty,
    };
    Cucumber::<MeshWorld, _, _, _, _, cli::Empty>::custom(Parsed, runner, collector)
        .before(move |feature, rule, scenario, world| {
            let setting = Arc::clone(&setting);
            let tags =
                feature.tags.iter().chain(rule.iter().flat_map(|rule| &rule.tags)).chain(&scenario.tags);
            let tags = tags.cloned().collect();
            async move { set_up(setting, scenario, tags, world).await }.boxed_local()
        })
        .after(|_, _, _, _, world| {
            // Ends the scenario's turn at mailboxes that are shared.
            let stage = world.and_then(|world| world.stage.take());
            async {
                if let Some(stage) = stage {
                    stage.close().await;
                }
            }
            .boxed_local()
        })
        .with_cli(options)
        .run(features)
        .map(drop)
        .boxed_local()
}

/// The tag of a scenario that moves time or disables mailboxes.
const OWN_ENDPOINT: &str = "own-endpoint";
/// The tag of a scenario in which the mailbox that nobody polls takes part.
const DORMANT: &str = "dormant";

async fn set_up(
    setting: Arc<Setting>,
    scenario: &gherkin::Scenario,
    tags: BTreeSet<String>,
    world: &mut MeshWorld,
) {
    let number = ScenarioNumber(scenario.position.col);
    let has = |tag: &str| tags.contains(tag);
    match setting.lease(number, has(OWN_ENDPOINT), has(DORMANT)).await {
        Ok(lease) => {
            let case = scenario.tags.iter().find_map(|tag| tag.strip_prefix("case-"));
            let label = case.map_or_else(|| unnumbered(number), str::to_owned);
            world.stage = Some(Stage::new(setting, number, label, tags, lease));
        }
        Err(error) => {
            let remedy = "This is a fault of mesh-witness: please report it.";
            world.fault = Some(Fault::new(FaultKind::Harness, error.to_string(), remedy));
        }
    }
}

/// Puts exchanges in the order of scenarios, then of their start, so that two runs of the same thing
/// look the same, and notes for each step which it made or looked at.
fn assemble(
    growing: Vec<Growing>,
    setting: &Setting,
    cut_short: Option<&str>,
) -> (Vec<super::ScenarioRecord>, Vec<Arc<Exchange>>) {
    let mut exchanges = Arc::unwrap_or_clone(setting.tape.exchanges());
    exchanges.sort_by_key(|exchange| (exchange.scenario, exchange.started_at));
    let places: HashMap<*const Exchange, usize> =
        exchanges.iter().enumerate().map(|(place, exchange)| (Arc::as_ptr(exchange), place)).collect();
    let scenarios = growing.into_iter().enumerate().map(|(number, growing)| {
        let number = ScenarioNumber(number);
        // They stand together, so that a long run costs no more a scenario than a short one.
        let first = exchanges.partition_point(|exchange| exchange.scenario < number);
        let own = exchanges.iter().enumerate().skip(first);
        let own = || own.clone().take_while(|(_, exchange)| exchange.scenario == number);
        let mut seen: Vec<(DateTime<Utc>, usize)> =
            own().map(|(place, exchange)| (exchange.started_at, place)).collect();
        for look in setting.ledger.looks(number) {
            seen.extend(places.get(&Arc::as_ptr(&look.exchange)).map(|place| (look.at, *place)));
        }
        let moved = own().filter_map(|(_, exchange)| exchange.clock_moved_by());
        let clock_moved = moved.max_by_key(TimeDelta::abs);
        super::ScenarioRecord { clock_moved, ..finished(growing, &seen, cut_short) }
    });
    (scenarios.collect(), exchanges)
}

fn finished(
    growing: Growing,
    seen: &[(DateTime<Utc>, usize)],
    cut_short: Option<&str>,
) -> super::ScenarioRecord {
    let Growing { mut record, .. } = growing;
    for (at, place) in seen {
        let step = record.step_at(*at);
        if let Some(step) = record.steps.get_mut(step) {
            step.exchanges.push(*place);
        }
    }
    for step in &mut record.steps {
        step.exchanges.sort_unstable();
        step.exchanges.dedup();
    }
    if let (Some(reason), None) = (cut_short, record.ended_at) {
        let reason = match record.started_at {
            Some(_) => format!("cut short while it was played: {reason}"),
            None => format!("the run was cut short before: {reason}"),
        };
        record.outcome = Outcome::NotRun(reason);
    }
    record
}

/// Hands cucumber what was parsed beforehand. The stream is always ready: cucumber would spin on one
/// that is not.
struct Parsed;

impl Parser<Vec<gherkin::Feature>> for Parsed {
    type Cli = cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<parser::Result<gherkin::Feature>>>;

    fn parse(self, input: Vec<gherkin::Feature>, _: cli::Empty) -> Self::Output {
        stream::iter(input.into_iter().map(Ok).collect::<Vec<_>>())
    }
}
