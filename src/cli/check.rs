//! `check`: is the configuration right, and is anybody there? Uses no mailbox and no token, so it
//! may be run at any time.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use mesh_witness::{
    client::Target,
    config::Config,
    protocol::{Operation, TokenTimestamp},
};
use reqwest::{Client, Response};

use super::{Exit, Failure, args::CheckArguments, screen, setting};

pub async fn check(arguments: CheckArguments) -> Result<Exit, Failure> {
    let config = load(&arguments.config)?;
    screen::say(&format!("{}: is right", arguments.config.display()));
    for line in config.describe(Utc::now()) {
        screen::say(&format!("  {line}"));
    }
    for warning in &config.warnings {
        screen::warning(warning);
    }
    reach(&setting::target(&config, &config.mailboxes.product)?).await
}

fn load(file: &Path) -> Result<Config, Failure> {
    Config::load(file, &|name| std::env::var(name).ok()).map_err(|error| Failure::new(Exit::Usage, error))
}

/// Asks `_ping`, which needs neither mailbox nor token, and compares clocks.
async fn reach(target: &Target) -> Result<Exit, Failure> {
    let response = ping(target).await?;
    screen::say(&format!("{}: answers {}", response.url(), response.status()));
    let Some(ahead) = clock_ahead(&response, Utc::now()) else {
        return Ok(Exit::Good);
    };
    screen::say(&format!("  clock     this machine is {} s ahead of the endpoint", ahead.num_seconds()));
    if ahead.abs() <= TokenTimestamp::WINDOW {
        return Ok(Exit::Good);
    }
    let message = "the clock of this machine is more than two hours from the endpoint's: tokens would be refused; set the clock";
    Err(Failure::new(Exit::Environment, message))
}

/// Asks `_ping`.
async fn ping(target: &Target) -> Result<Response, Failure> {
    let (_, path) = Operation::Ping.request();
    let url = format!("{}{path}", target.origin());
    let waits = target.timeouts();
    let unable = |error: reqwest::Error| Failure::new(Exit::Environment, format!("{url}: {}", chain(&error)));
    let mut client = Client::builder()
        .connect_timeout(waits.connect)
        .timeout(waits.response)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    // Asked for even where nothing is encrypted. Another that was chosen before will do.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if let Some(tls) = target.tls_config() {
        client = client.tls_backend_preconfigured(tls);
    }
    client.build().map_err(unable)?.get(&url).send().await.map_err(unable)
}

/// How far an emulator's clock was moved; nothing where it was not, where nobody answers, and where
/// something else than an emulator does.
pub async fn clock_moved(target: &Target) -> TimeDelta {
    let Ok(response) = ping(target).await else { return TimeDelta::zero() };
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    mesh_witness::tape::clock_moved(header).unwrap_or_default()
}

fn clock_ahead(response: &Response, now: DateTime<Utc>) -> Option<TimeDelta> {
    let date = response.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    Some(now - DateTime::parse_from_rfc2822(date).ok()?.with_timezone(&Utc))
}

/// An error and its causes in one line: the cause is what a person can act on.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
