//! Products that a driver asks, from outside: what is passed, what is told, what is left behind.

#[path = "../support/acting.rs"]
mod acting;
mod careless;
mod command;
mod endpoint;
mod manual;
mod pooled;
mod product;
mod provoked;
#[path = "../support/mod.rs"]
mod support;
mod webhook;

use std::{fs, path::PathBuf};

use support::{Bundle, Outcome, witness};
use tempfile::TempDir;

/// A folder with a configuration in it.
pub struct Rig {
    pub folder: TempDir,
}

impl Rig {
    pub fn empty() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// A file of the folder.
    pub fn file(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Writes the configuration with this driver.
    pub fn config(&self, driver: &str) -> PathBuf {
        let text = format!("product:\n  name: Example Product\n  version: \"1\"\n  driver: {driver}\n");
        self.file("mesh-witness.yaml", &text, 0o644)
    }

    pub fn bundle(&self) -> PathBuf {
        self.folder.path().join("bundle.zip")
    }

    /// Plays with this driver.
    pub fn play(&self, driver: &str, more: &[&str]) -> Outcome {
        self.play_with(driver, "", more)
    }

    /// Plays with this driver and more lines of configuration.
    pub fn play_with(&self, driver: &str, lines: &str, more: &[&str]) -> Outcome {
        let (config, bundle) = (self.config(driver), self.bundle());
        let _ = fs::remove_file(&bundle);
        fs::write(&config, fs::read_to_string(&config).unwrap() + lines).unwrap();
        let mut arguments =
            vec!["run", "--config", config.to_str().unwrap(), "--bundle", bundle.to_str().unwrap()];
        arguments.extend(more);
        witness(&arguments)
    }

    pub fn read(&self) -> Bundle {
        Bundle::open(&self.bundle())
    }
}

/// The one file of the bundle whose name has this in it.
pub fn the_file(bundle: &Bundle, part: &str) -> String {
    let names: Vec<&String> = bundle.files.keys().filter(|name| name.contains(part)).collect();
    let [name] = names.as_slice() else { panic!("{part}: {names:?} of {:?}", bundle.files.keys()) };
    bundle.text(name)
}
