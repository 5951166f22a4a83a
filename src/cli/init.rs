//! `init`: the beginning of a pack of one's own.

use std::{fs, io, path::Path};

use mesh_witness::config;

use super::{
    Exit, Failure,
    args::InitArguments,
    new_file::{Readers, is_taken, write_new},
    screen,
};

const FIRST_FEATURE: &str = include_str!("init/first.feature");
const REQUIREMENTS: &str = include_str!("init/requirements.yaml");

pub fn init(arguments: &InitArguments) -> Result<Exit, Failure> {
    let folder = &arguments.folder;
    let features = folder.join("features");
    let files = [
        (folder.join("mesh-witness.yaml"), config::TEMPLATE),
        (features.join("first.feature"), FIRST_FEATURE),
        (features.join("requirements.yaml"), REQUIREMENTS),
    ];
    // All or nothing: half a beginning would be in the way of the next attempt.
    if let Some((taken, _)) = files.iter().find(|(path, _)| is_taken(path)) {
        let what = format!("{}: is there already, and nothing is overwritten", taken.display());
        return Err(Failure::new(Exit::Usage, format!("{what}: name another folder, or move it away")));
    }
    let not_made = |path: &Path, error: &io::Error| {
        Failure::new(
            Exit::Environment,
            format!("{}: cannot be written: {error}: name another folder", path.display()),
        )
    };
    fs::create_dir_all(&features).map_err(|error| not_made(&features, &error))?;
    for (path, content) in &files {
        write_new(path, content.as_bytes(), Readers::All).map_err(|error| not_made(path, &error))?;
        screen::say(&format!("wrote {}", path.display()));
    }
    let (config, pack) = (folder.join("mesh-witness.yaml"), features.display());
    screen::say("");
    screen::say("Play the first scenario on the built-in emulator; it passes:");
    screen::say(&format!("  mesh-witness run --pack {pack}"));
    screen::say(
        "Write your own: `mesh-witness steps` lists what a scenario can say. Then, together with the assurance pack:",
    );
    screen::say(&format!("  mesh-witness run --pack witness --pack {pack}"));
    screen::say(&format!("Against a real endpoint: fill in {}, and", config.display()));
    screen::say(&format!("  mesh-witness check --config {0}", config.display()));
    screen::say(&format!("  mesh-witness run --config {} --pack {pack}", config.display()));
    Ok(Exit::Good)
}
