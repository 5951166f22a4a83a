//! What a driver needs, whatever the product plays against: a folder with certificates, the settings for
//! whoever sets the product up, the terminal.

use std::{
    fs,
    io::{self, BufReader, IsTerminal, Write},
    path::{Path, PathBuf},
};

use mesh_witness::{
    config::Driver,
    product::driver::{Access, Console, Driven, DriverError},
    tape::Redactor,
};
use tempfile::TempDir;

use super::{Exit, Failure, screen};

/// Where certificates go: the folder that the configuration names under `key`, or one that vanishes with the run.
pub fn folder(named: Option<&Path>, key: &str) -> Result<(PathBuf, Option<TempDir>), Failure> {
    let Some(folder) = named else {
        let folder = tempfile::Builder::new().prefix("mesh-witness-product-").tempdir().map_err(unable)?;
        return Ok((folder.path().to_owned(), Some(folder)));
    };
    fs::create_dir_all(folder).map_err(|error| {
        Failure::new(Exit::Usage, format!("{key}: {}: cannot be made: {error}", folder.display()))
    })?;
    Ok((folder.to_owned(), None))
}

/// Asks the product through its driver. What it must be set up with is left in `folder`, which the configuration
/// names under `key`.
pub fn drive(
    driver: &Driver,
    access: Access,
    redactor: &Redactor,
    folder: &Path,
    key: &str,
) -> Result<Driven, Failure> {
    let settings = tell(driver, &access, folder, key)?;
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    let console = (terminal && matches!(driver, Driver::Manual { .. }))
        .then(|| Console::new(BufReader::new(io::stdin()), screen::tell));
    let driven = Driven::new(driver.clone(), access, redactor.clone(), console).map_err(|error| {
        let exit = if matches!(error, DriverError::Webhook(_)) { Exit::Environment } else { Exit::Usage };
        Failure::new(exit, error)
    })?;
    if let Some(path) = settings {
        screen::tell(&format!(
            "  the product's settings, with mailbox password and shared key: {}",
            path.display()
        ));
    }
    Ok(driven)
}

/// For whoever sets the product up by hand: everything in one file, for its owner only.
fn tell(driver: &Driver, access: &Access, folder: &Path, key: &str) -> Result<Option<PathBuf>, Failure> {
    if matches!(driver, Driver::Command { .. }) {
        return Ok(None);
    }
    let lines = [
        ("MESH_URL", access.url.clone()),
        ("MESH_CA_FILE", access.ca_file.display().to_string()),
        ("MESH_CLIENT_CERT", access.certificate_file.display().to_string()),
        ("MESH_CLIENT_KEY", access.key_file.display().to_string()),
        ("MESH_MAILBOX_ID", access.mailbox.to_string()),
        ("MESH_MAILBOX_PASSWORD", access.password.expose().to_owned()),
        ("MESH_SHARED_KEY", access.shared_key.expose().to_owned()),
        ("MESH_WORKFLOW_ID", access.workflow.to_string()),
        ("MESH_RECIPIENT_ID", access.counterpart.to_string()),
    ];
    let text: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let path = folder.join("product.env");
    let written = || -> io::Result<()> {
        // Readable by its owner only, as tempfile makes it.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(&path)?;
        Ok(())
    };
    written().map_err(|error| {
        Failure::new(Exit::Usage, format!("{key}: {}: cannot be written: {error}", path.display()))
    })?;
    Ok(Some(path))
}

/// This machine is at fault.
pub fn unable(error: impl std::error::Error) -> Failure {
    Failure::new(Exit::Environment, error)
}
