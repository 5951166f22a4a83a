//! The configuration: either right, or wrong with a line that exists; never with a secret in a message.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use chrono::{DateTime, Utc};
use libfuzzer_sys::fuzz_target;
use mesh_witness::{
    config::{Config, ConfigError},
    emulator::Pki,
    protocol::MailboxId,
};

const SECRET: &str = "Pa55-from-the-environment";

/// A folder with `ca.pem`, `X26HC005.pem` and `X26HC005-key.pem`, which a configuration may name.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let mailbox = MailboxId::parse("X26HC005").expect("a mailbox ID");
    Pki::new().expect("an authority").write_to(&folder, &[mailbox]).expect("files");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.join("mesh-witness.yaml");
    fs::write(&path, bytes).expect("a file");
    let now = Utc::now();
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    match load(&path, now) {
        Ok(config) => {
            for line in config.describe(now).iter().chain(&config.warnings) {
                assert!(!line.contains(char::is_control), "{line:?}");
            }
            assert!((1..=100).contains(&config.environment.chars().count()));
            let again = load(&path, now).expect("right is right");
            assert_eq!(format!("{:?}", again.product), format!("{:?}", config.product));
        }
        Err(error) => {
            assert!(!error.problems().is_empty());
            let text = error.to_string();
            assert!(!text.contains(SECRET), "{text}");
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
            for problem in error.problems() {
                assert!(problem.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{text}");
            }
        }
    }
});

fn load(path: &std::path::Path, now: DateTime<Utc>) -> Result<Config, ConfigError> {
    Config::load_at(path, &|name| name.starts_with("MESH_").then(|| SECRET.to_owned()), now)
}
