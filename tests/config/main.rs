//! The configuration file, from outside: good ones load, bad ones are told what is wrong with them.

mod bad_files;
mod cases;
mod good_files;
mod pki;
mod secrets;

use std::{fs, path::PathBuf, sync::OnceLock};

use mesh_witness::config::{Config, ConfigError};
use tempfile::TempDir;

/// A good configuration. Tests break it, one line at a time.
pub const GOOD: &str = "\
environment: INT
endpoint:
  url: https://msg.intspineservices.nhs.uk
  ca_file: ca.pem
  client_certificate_file: client.pem
  client_key_file: client-key.pem
  shared_key: ${MESH_SHARED_KEY}
mailboxes:
  product:
    id: X26HC005
    password: ${MESH_PRODUCT_PASSWORD}
  counterpart:
    id: X26HC006
    password: ${MESH_COUNTERPART_PASSWORD}
workflow_id: TEST_WORKFLOW
product:
  name: Example Product
  version: 1.2.3
supplier:
  name: Example Supplier Ltd
";

pub fn env(name: &str) -> Option<String> {
    match name {
        "MESH_SHARED_KEY" => Some("the shared key".to_owned()),
        "MESH_PRODUCT_PASSWORD" => Some("password one".to_owned()),
        "MESH_COUNTERPART_PASSWORD" => Some("password two".to_owned()),
        "EMPTY" => Some(String::new()),
        "TWO_LINES" => Some("first\nsecond\n".to_owned()),
        "LOWER" => Some("lower".to_owned()),
        "STARS" => Some("***".to_owned()),
        "FORTY_TWO" => Some("42".to_owned()),
        _ => None,
    }
}

/// A folder with certificates and keys; one for all tests, which only read there.
pub fn pki_folder() -> PathBuf {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let made = || {
        let folder = tempfile::tempdir().unwrap();
        pki::write(folder.path());
        folder
    };
    FOLDER.get_or_init(made).path().to_owned()
}

/// What comes of `content` as a configuration file beside the certificates and keys.
pub fn load(content: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile_in(pki_folder()).unwrap();
    fs::write(file.path(), content).unwrap();
    Config::load_at(file.path(), env, pki::now())
}

/// The good configuration with `old` replaced by `new`.
pub fn changed(old: &str, new: &str) -> String {
    assert_eq!(GOOD.matches(old).count(), 1, "{old:?} must stand once in the good configuration");
    GOOD.replace(old, new)
}
