//! `check`: is the configuration right, and is anybody there? Uses no mailbox and no token, so it
//! may be run at any time.

use std::path::Path;

use chrono::Utc;
use mesh_witness::config::Config;

use super::{Exit, Failure, args::CheckArguments};

pub async fn check(arguments: CheckArguments) -> Result<Exit, Failure> {
    let config = load(&arguments.config)?;
    println!("{}: is right", arguments.config.display());
    for line in config.describe(Utc::now()) {
        println!("  {line}");
    }
    for warning in &config.warnings {
        super::screen::warning(warning);
    }
    reach(&config).await
}

fn load(file: &Path) -> Result<Config, Failure> {
    Config::load(file, &|name| std::env::var(name).ok()).map_err(|error| Failure::new(Exit::Usage, error))
}
