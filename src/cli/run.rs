//! `run`: plays packs and leaves a bundle.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use cucumber::World as _;
use mesh_witness::{
    client::Origin,
    evidence::{self, Bag, BagInfo, BagPath, PayloadFile, WriteError},
    product::Driven,
    report::{self, ReportFile},
    runner::{
        self, Comparison, FaultKind, MeshWorld, Outcome, Permit, Plan, RuleRecord, RunRecord, ScenarioRecord,
        Verdict,
    },
    tape::{Secret, SecretSet},
};

use super::{
    Exit, Failure,
    args::{Format, RunArguments},
    interruption::Interruption,
    screen::{self, Screen},
    setting, terms,
};

/// Where the bundle has the configuration, relative to `data/`.
const CONFIG_FILE: &str = "config.redacted.yaml";

pub async fn run(arguments: RunArguments) -> Result<Exit, Failure> {
    let usage = |error: &dyn std::error::Error| Failure::new(Exit::Usage, error);
    let features = runner::load(&arguments.pack).map_err(|error| usage(&error))?;
    let steps = MeshWorld::collection();
    let mut plan = Plan::new(features, arguments.tags.as_deref(), &steps).map_err(|error| usage(&error))?;
    plan.paths().try_for_each(has_place)?;
    let mut prepared = match &arguments.config {
        Some(file) => {
            let live_host = arguments.live_host.as_deref();
            setting::configured(file, live_host, arguments.resume.is_some()).await?
        }
        None => setting::emulated().await?,
    };
    let old = arguments.compare_with.as_deref().map(evidence::outline).transpose();
    let old = old.map_err(|error| usage(&error))?;
    let url = prepared.setting.url.clone();
    let origin = Origin::parse(&url).map_err(|error| Failure::new(Exit::Usage, error))?;
    let path = arguments.bundle.clone().unwrap_or_else(|| default_path(&prepared.setting.run_id));
    // A run may take hours and be witnessed: not one of which nothing can be kept.
    evidence::try_place(&path).map_err(|error| not_placed(&error))?;
    let secrets = SecretSet::new(&prepared.secrets);
    plan.files().try_for_each(|(path, content)| without_secrets(path, content, &secrets))?;
    let mut more = terms::told(&mut prepared.setting.terms, &arguments, &plan, &url, &secrets)?;
    more.extend(
        prepared.config.map(|config| ReportFile { path: CONFIG_FILE.to_owned(), content: config.into() }),
    );
    let mut setting = prepared.setting;
    let cases: Vec<&str> = plan.cases().collect();
    setting.warnings.extend(setting::smaller_than_asked(&cases, &setting));
    setting.notice = Arc::new(|text: &str| screen::notice(text));
    // A person who types must not be written over.
    let is_manual = setting.driven.as_ref().is_some_and(Driven::is_manual);
    let deviations = setting.terms.deviations.clone();
    let screen = Rc::new(Screen::new(arguments.format == Format::Json, !is_manual, deviations));
    setting.terms.operator = terms::operator(&arguments, screen.live());
    let setting = Arc::new(setting);
    let permit = Permit {
        place: setting.place(),
        encrypted: origin.is_encrypted(),
        beyond_int_safe: arguments.beyond_int_safe,
    };
    let left_out = plan.leave_out(|scenario| permit.forbids(scenario));
    setting.warnings.iter().for_each(|warning| screen::warning(warning));
    let product = format!("{} {}", setting.product.name, setting.product.version);
    screen.opening(plan.scenarios(), &setting.environment, &setting.url, setting.banner(), &product);
    let observer = {
        let screen = Rc::clone(&screen);
        Box::new(move |progress: &runner::Progress<'_>| screen.progress(progress))
    };
    let mut interruption = Interruption::listen().map_err(|error| Failure::new(Exit::Environment, error))?;
    let mut record = runner::play(
        plan,
        Arc::clone(&setting),
        steps,
        usize::from(arguments.concurrency),
        observer,
        async move { interruption.comes().await },
    )
    .await;
    screen.closing(&record, left_out);
    if let Some(old) = old {
        let own = report::summary(&record).map_err(|error| not_written(&error))?;
        let new = evidence::outline_of_summary(&own)
            .map_err(|why| Failure::new(Exit::Environment, format!("there is no bundle: {why}")))?;
        record.comparison = Some(Comparison::of(old, new));
    }
    let kept = setting.evidence_files().into_iter();
    let kept = kept.map(|file| ReportFile { path: file.path, content: file.content });
    let files = report::files(&record, kept.chain(more).collect()).map_err(|error| not_written(&error))?;
    let summary = files.iter().find(|file| file.path == "summary.json").map(|file| file.content.clone());
    let (written, size) = write_bundle(&record, files, &path, &prepared.secrets)?;
    match arguments.format {
        Format::Text => screen.bundle(&written.display().to_string(), size),
        Format::Json => screen::say(String::from_utf8_lossy(&summary.unwrap_or_default()).trim_end()),
    }
    Ok(exit(&record, left_out))
}

/// A run is not played whose bundle could not hold what was played.
fn has_place(path: &str) -> Result<(), Failure> {
    BagPath::parse(&format!("data/pack/{path}")).map(drop).map_err(|error| {
        let why = format!(
            "{path}: a bundle cannot hold a feature file or catalogue of this name: {error}; rename it"
        );
        Failure::new(Exit::Usage, why)
    })
}

/// What is to go into the bundle as it was given: a secret in it would cost the bundle when all has been played.
pub fn without_secrets(shown: &str, content: &[u8], secrets: &SecretSet) -> Result<(), Failure> {
    evidence::without_secrets(shown, content, secrets, vocabulary)
        .map_err(|error| Failure::new(Exit::Usage, error))
}

fn default_path(run_id: &str) -> PathBuf {
    Path::new("reports").join(format!("mesh-witness-{run_id}.zip"))
}

/// Writes and seals the bundle; where it is, and its size in bytes.
fn write_bundle(
    record: &RunRecord,
    files: Vec<ReportFile>,
    path: &Path,
    secrets: &[Secret],
) -> Result<(PathBuf, u64), Failure> {
    let payload =
        files.into_iter().map(|file| PayloadFile { path: file.path, content: file.content }).collect();
    let info = BagInfo {
        run_id: record.run_id.clone(),
        started_at: record.started_at,
        description: format!(
            "MESH witness test run, verdict {}: {}",
            record.verdict().word(),
            record.environment.worth()
        ),
        supplier: record.supplier.clone(),
        software_agent: format!("mesh-witness {}", record.tool_version),
    };
    let bag = Bag::new(payload, info).map_err(|error| not_written(&error))?;
    let sealed = evidence::seal(path, &bag, secrets, vocabulary).map_err(|error| not_written(&error))?;
    for name in &sealed.unscannable {
        screen::warning(&format!(
            "{name} is a word that the report uses anyway, so only the recorded traffic could be searched for it; \
             use a secret that is no word"
        ));
    }
    if sealed.path != path {
        screen::warning(&format!(
            "{} has appeared while the run went on and was left as it is; the bundle is {}",
            path.display(),
            sealed.path.display()
        ));
    }
    let size = std::fs::metadata(&sealed.path).map_err(|error| not_written(&error))?.len();
    Ok((sealed.path, size))
}

/// Before anything is played: whoever named what cannot be written to names something else.
fn not_placed(error: &WriteError) -> Failure {
    let exit = if error.is_of_the_name() { Exit::Usage } else { Exit::Environment };
    Failure::new(exit, format!("there is no bundle: {error}"))
}

fn not_written(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Environment, format!("there is no bundle: {error}"))
}

/// Our own words, which are not secret: all of them stand in this program.
fn vocabulary() -> Vec<u8> {
    std::env::current_exe().and_then(std::fs::read).unwrap_or_default()
}

/// A fault of the product counts before one of the configuration, and that before one of the
/// endpoint; nothing but a run in which all passed is 0.
fn exit(record: &RunRecord, left_out: usize) -> Exit {
    // A failure that was expected is not counted here either.
    let nothing_wrong = |scenario: &ScenarioRecord| {
        record.is_excused(scenario) || !matches!(scenario.outcome, Outcome::Failed | Outcome::Error)
    };
    let nothing_wrong = record.scenarios.iter().all(nothing_wrong)
        && record.deviation_problems.is_empty()
        && !record.rules.iter().any(RuleRecord::fails);
    if left_out > 0 && record.cut_short.is_none() && nothing_wrong {
        // More was asked for than may be played there.
        return Exit::Usage;
    }
    let configuration = record.faults().any(|(_, fault)| fault.kind == FaultKind::Configuration);
    match record.verdict() {
        Verdict::Passed => Exit::Good,
        Verdict::Failed => Exit::Failed,
        Verdict::Error | Verdict::CutShort if configuration => Exit::Usage,
        Verdict::Error | Verdict::Incomplete | Verdict::CutShort => Exit::Environment,
    }
}
