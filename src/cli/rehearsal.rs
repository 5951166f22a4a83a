//! A product that is driven against our own emulator.

use std::sync::Arc;

use mesh_witness::{
    config::{Mailbox, Rehearsal},
    emulator::Pki,
    product::driver::Access,
    protocol::{Credentials, MailboxId, Password, SharedKey, WorkflowId},
    runner::{Mailboxes, Party, RecordingLimits, Setting, Staged, StagedSettings},
    tape::{Redactor, Secret},
};

use super::{
    Exit, Failure,
    driving::{self, unable},
    setting::{Prepared, random_hex, run_id},
};

const FOLDER_KEY: &str = "emulator.folder";

/// Starts the emulator, and leaves for the product what it needs to call it.
pub async fn prepare(rehearsal: Rehearsal) -> Result<Prepared, Failure> {
    let [product, counterpart] = credentials(&rehearsal)?;
    let secrets = secrets(&product, &counterpart);
    let redactor = Redactor::new(&secrets, &[product.clone(), counterpart.clone()]);
    let dormant = dormant(&rehearsal)?;
    let pki = Arc::new(Pki::new().map_err(unable)?);
    let (folder, temporary) = driving::folder(rehearsal.folder.as_deref(), FOLDER_KEY)?;
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
        limits: RecordingLimits::default(),
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
    let driven = driving::drive(&rehearsal.driver, access, &redactor, &folder, FOLDER_KEY)?;
    let clean = |text: &str| redactor.text(text);
    let environment = rehearsal.environment.as_deref().map_or_else(|| "embedded emulator".to_owned(), clean);
    let party = Party { name: clean(&rehearsal.product.name), version: clean(&rehearsal.product.version) };
    let supplier = rehearsal.supplier.as_deref().map(clean);
    let mailboxes = Mailboxes::Staged(staged);
    let warnings = rehearsal.warnings.clone();
    let mut setting =
        Setting::new(run_id()?, environment, url, party, supplier, workflow, warnings, redactor, mailboxes);
    setting.driven = Some(driven);
    setting.terms.practice = true;
    setting.terms.without = rehearsal.without.clone();
    setting.terms.chunking = rehearsal.chunking;
    Ok(Prepared { setting, secrets, config: None })
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
