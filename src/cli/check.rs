//! `check`: is the configuration right, and is anybody there? Uses no mailbox and no token, so it
//! may be run at any time.

use std::{path::Path, sync::Arc};

use chrono::{TimeDelta, Utc};
use http::Uri;
use mesh_witness::{
    client::{AnyBody, AnyClient, AnyRequest, TapeScope, Target},
    config::{self, Driver, Setup},
    protocol::{Operation, TokenTimestamp},
    rules::{self, FaultKind},
    tape::{Actor, Exchange, Redactor, ScenarioNumber, Tape},
};

use super::{Exit, Failure, args::CheckArguments, screen, setting};

pub async fn check(arguments: CheckArguments) -> Result<Exit, Failure> {
    let file = &arguments.config;
    match load(file)? {
        Setup::Endpoint(config) => {
            can_be_asked(file, &config.driver)?;
            is_right(file, &config.warnings, &config.describe(Utc::now()));
            reach(&setting::target(&config, &config.mailboxes.product)?).await
        }
        Setup::Rehearsal(rehearsal) => {
            can_be_asked(file, &rehearsal.driver)?;
            let own = "endpoint: none, so a run brings its own: practice, not evidence";
            is_right(file, &rehearsal.warnings, &[own.to_owned()]);
            Ok(Exit::Good)
        }
    }
}

fn load(file: &Path) -> Result<Setup, Failure> {
    let setup = Setup::load(file, &|name| std::env::var(name).ok());
    setup.map(|(setup, _)| setup).map_err(|error| Failure::new(Exit::Usage, error))
}

/// A program that is not there would end a run before anything is played.
pub fn can_be_asked(file: &Path, driver: &Driver) -> Result<(), Failure> {
    config::can_be_asked(file, driver).map_err(|error| Failure::new(Exit::Usage, error))
}

fn is_right(file: &Path, warnings: &[String], lines: &[String]) {
    screen::say(&format!("{}: is right", file.display()));
    lines.iter().for_each(|line| screen::say(&format!("  {line}")));
    warnings.iter().for_each(|warning| screen::warning(warning));
}

/// Asks `_ping`, which needs neither mailbox nor token, and compares clocks.
async fn reach(target: &Target) -> Result<Exit, Failure> {
    let exchange = ping(target).await?;
    let Some(response) = exchange.response.as_ref().filter(|_| exchange.failure.is_none()) else {
        return Err(unreached(&exchange));
    };
    let head = &response.head;
    let (origin, path) = (&exchange.origin, Operation::Ping.request().1);
    screen::say(&format!("{origin}{path}: answers {} {}", head.status, head.reason));
    let Some(theirs) = exchange.date() else { return Ok(Exit::Good) };
    let ahead = Utc::now() - theirs;
    screen::say(&format!("  clock     this machine is {} s ahead of the endpoint", ahead.num_seconds()));
    if ahead.abs() <= TokenTimestamp::WINDOW {
        return Ok(Exit::Good);
    }
    let message = "the clock of this machine is more than two hours from the endpoint's: tokens would be refused; set the clock";
    Err(Failure::new(Exit::Environment, message))
}

/// In the words that a run has for it.
fn unreached(exchange: &Exchange) -> Failure {
    let fault = rules::diagnose(exchange, "an answer", "MESH API", &[]);
    let exit = if fault.kind == FaultKind::Configuration { Exit::Usage } else { Exit::Environment };
    let rows = [("seen", fault.seen), ("to mend", Some(fault.remedy))];
    let rows = rows.into_iter().filter_map(|(name, text)| Some(format!("\n  {name:<9} {}", text?)));
    Failure::new(exit, format!("{}{}", fault.what, rows.collect::<String>()))
}

/// Asks `_ping`.
async fn ping(target: &Target) -> Result<Arc<Exchange>, Failure> {
    let (method, path) = Operation::Ping.request();
    let scope = TapeScope {
        tape: Tape::new(),
        redactor: Redactor::default(),
        scenario: ScenarioNumber(0),
        actor: Actor::Counterpart,
    };
    let path = path.parse::<Uri>().map_err(|error| Failure::new(Exit::Environment, error))?;
    let request =
        AnyRequest { method, target: path, headers: vec![], body: AnyBody::Bytes(Default::default()) };
    Ok(AnyClient::new(target.clone(), scope).call(request).await.exchange)
}

/// How far an emulator's clock was moved; nothing where it was not, where nobody answers, and where
/// something else than an emulator does.
pub async fn clock_moved(target: &Target) -> TimeDelta {
    let exchange = ping(target).await.ok();
    let head = exchange.as_ref().and_then(|exchange| Some(&exchange.response.as_ref()?.head));
    head.and_then(|head| mesh_witness::tape::clock_moved(|name| head.header(name))).unwrap_or_default()
}
