//! `record`: a recording proxy in front of a real endpoint.

mod guide;
mod setup;
mod tape;

use std::{io::Write, time::Duration};

use mesh_witness::proxy::{Entry, Proxy};

use self::{setup::Setup, tape::SharedTape};
use super::{Exit, Failure, args::RecordArguments, interruption::Interruption, screen};

/// How long calls that are under way may go on after a stop was asked for.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn record(arguments: RecordArguments) -> Result<Exit, Failure> {
    let Setup { settings, recording, folder, authority, warnings } = setup::setup(&arguments)?;
    setup::leads_elsewhere(&arguments, settings.target.origin()).await?;
    warnings.iter().for_each(|warning| screen::warning(warning));
    let tape = SharedTape::open(&folder)?;
    let keeper = tape.clone();
    let started = Proxy::start(settings, move |entry| {
        keeper.keep(entry)?;
        show(entry);
        Ok(())
    });
    let proxy = started.await.map_err(|error| Failure::new(Exit::Environment, error))?;
    let mut recording = recording;
    recording.listen = proxy.address();
    tape.begin(&recording)?;
    let mut interruption = Interruption::listen().map_err(|error| Failure::new(Exit::Environment, error))?;
    screen::say(guide::ready(&recording, authority.as_deref(), &folder).trim_end());
    // A reader that waits for the line must get it now.
    let _ = std::io::stdout().flush();
    let reason = tokio::select! {
        reason = interruption.comes() => reason,
        () = proxy.failed() => "the tape could not be written".to_owned(),
    };
    let patience = async {
        tokio::select! {
            () = tokio::time::sleep(PATIENCE) => {}
            _ = interruption.comes() => {}
        }
    };
    let (counts, kept) = proxy.stop(patience).await;
    kept.map_err(|error| tape.failed(&error))?;
    tape.end(reason, counts)?;
    screen::say(guide::closing(counts, &folder).trim_end());
    Ok(Exit::Good)
}

fn show(entry: &Entry) {
    for line in guide::lines(entry) {
        screen::say(&line);
    }
}
