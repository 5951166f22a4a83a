//! A product that is driven against our own emulator.

use std::{
    fs,
    io::{self, BufReader, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use mesh_witness::{
    config::{Driver, Mailbox, Rehearsal},
    emulator::Pki,
    product::driver::{Access, Console, Driven, DriverError},
    protocol::{Credentials, MailboxId, Password, SharedKey, WorkflowId},
    runner::{Mailboxes, Party, Setting, Staged, StagedSettings},
    tape::{Redactor, Secret},
};
use tempfile::TempDir;

use super::{
    Exit, Failure, screen,
    setting::{Prepared, random_hex, run_id},
};

/// Starts the emulator, and leaves for the product what it needs to call it.
pub async fn prepare(rehearsal: Rehearsal) -> Result<Prepared, Failure> {
    let [product, counterpart] = credentials(&rehearsal)?;
    let secrets = secrets(&product, &counterpart);
    let redactor = Redactor::new(&secrets, &[product.clone(), counterpart.clone()]);
    let dormant = dormant(&rehearsal)?;
    let pki = Arc::new(Pki::new().map_err(unable)?);
    let (folder, temporary) = folder(&rehearsal)?;
    pki.write_to(&folder, std::slice::from_ref(&product.mailbox))
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let staged = Staged::start(StagedSettings {
        listen: rehearsal.listen,
        pki,
        product: product.clone(),
        counterpart: counterpart.clone(),
        dormant,
        timeouts: rehearsal.timeouts,
        redactor: redactor.clone(),
    });
    let staged = staged.await.map_err(unable)?;
    let url = staged.url().to_owned();
    let workflow = match &rehearsal.workflow_id {
        Some(workflow) => workflow.clone(),
        None => WorkflowId::parse("WITNESS_TEST").map_err(unable)?,
    };
    let file = |name: String| folder.join(name);
    let access = Access {
        url: url.clone(),
        ca_file: file("ca.pem".to_owned()),
        certificate_file: file(format!("{}.pem", product.mailbox)),
        key_file: file(format!("{}-key.pem", product.mailbox)),
        shared_key: product.shared_key.clone(),
        mailbox: product.mailbox.clone(),
        password: product.password.clone(),
        workflow: workflow.clone(),
        counterpart: counterpart.mailbox.clone(),
        folder: temporary,
    };
    let settings_file = tell(&rehearsal.driver, &access, &folder)?;
    let driven = drive(&rehearsal.driver, access, &redactor)?;
    let clean = |text: &str| redactor.text(text);
    let environment = rehearsal.environment.as_deref().map_or_else(|| "embedded emulator".to_owned(), clean);
    let party = Party { name: clean(&rehearsal.product.name), version: clean(&rehearsal.product.version) };
    let supplier = rehearsal.supplier.as_deref().map(clean);
    if let Some(path) = settings_file {
        screen::tell(&format!(
            "  the product's settings, with mailbox password and shared key: {}",
            path.display()
        ));
    }
    let mailboxes = Mailboxes::Staged(staged);
    let warnings = rehearsal.warnings.clone();
    let mut setting =
        Setting::new(run_id()?, environment, url, party, supplier, workflow, warnings, redactor, mailboxes);
    setting.driven = Some(driven);
    setting.terms.practice = true;
    setting.terms.without = rehearsal.without.clone();
    setting.terms.chunking = rehearsal.chunking;
    Ok(Prepared { setting, secrets })
}

/// As configured, or made for this run.
fn credentials(rehearsal: &Rehearsal) -> Result<[Credentials; 2], Failure> {
    let shared_key = match &rehearsal.shared_key {
        Some(key) => key.clone(),
        None => SharedKey::new(random_hex(16)?),
    };
    let own = |id: &str| -> Result<Credentials, Failure> {
        let mailbox = MailboxId::parse(id).map_err(unable)?;
        Ok(Credentials { mailbox, password: Password::new(random_hex(16)?), shared_key: shared_key.clone() })
    };
    let given = |mailbox: &Mailbox| mailbox.credentials(&shared_key);
    match &rehearsal.mailboxes {
        Some(mailboxes) => Ok([given(&mailboxes.product), given(&mailboxes.counterpart)]),
        None => Ok([own("X26P0001")?, own("X26C0001")?]),
    }
}

fn secrets(product: &Credentials, counterpart: &Credentials) -> Vec<Secret> {
    vec![
        Secret::new("the product's mailbox password", product.password.expose()),
        Secret::new("the counterpart's mailbox password", counterpart.password.expose()),
        Secret::new("the emulator's shared key", product.shared_key.expose()),
    ]
}

fn dormant(rehearsal: &Rehearsal) -> Result<MailboxId, Failure> {
    match rehearsal.mailboxes.as_ref().and_then(|mailboxes| mailboxes.dormant.clone()) {
        Some(mailbox) => Ok(mailbox),
        None => MailboxId::parse("X26D0001").map_err(unable),
    }
}

/// Where certificates go: the folder that the configuration names, or one that vanishes with the run.
fn folder(rehearsal: &Rehearsal) -> Result<(PathBuf, Option<TempDir>), Failure> {
    match &rehearsal.folder {
        Some(folder) => {
            fs::create_dir_all(folder).map_err(|error| {
                let message = format!("emulator.folder: {}: cannot be made: {error}", folder.display());
                Failure::new(Exit::Usage, message)
            })?;
            Ok((folder.clone(), None))
        }
        None => {
            let folder =
                tempfile::Builder::new().prefix("mesh-witness-product-").tempdir().map_err(unable)?;
            Ok((folder.path().to_owned(), Some(folder)))
        }
    }
}

/// For whoever sets the product up by hand: everything in one file, for its owner only.
fn tell(driver: &Driver, access: &Access, folder: &Path) -> Result<Option<PathBuf>, Failure> {
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
        Failure::new(Exit::Usage, format!("emulator.folder: {}: cannot be written: {error}", path.display()))
    })?;
    Ok(Some(path))
}

fn drive(driver: &Driver, access: Access, redactor: &Redactor) -> Result<Driven, Failure> {
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    let console = (terminal && matches!(driver, Driver::Manual { .. }))
        .then(|| Console::new(BufReader::new(io::stdin()), screen::tell));
    Driven::new(driver.clone(), access, redactor.clone(), console).map_err(|error| {
        let exit = if matches!(error, DriverError::Webhook(_)) { Exit::Environment } else { Exit::Usage };
        Failure::new(exit, error)
    })
}

fn unable(error: impl std::error::Error) -> Failure {
    Failure::new(Exit::Environment, error)
}
