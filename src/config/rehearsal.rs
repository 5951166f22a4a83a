//! A configuration without an endpoint: the product, which a driver asks, plays against the emulator.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use chrono::Utc;

use super::{
    Config, ConfigError, Driver, Mailboxes, Written,
    assemble::{self, name},
    error::Complaint,
    loaded,
    section::{Kind::Open, Need::Optional, Reader, Section},
    values,
};
use crate::{
    client::Timeouts,
    protocol::{SharedKey, WorkflowId},
    runner::{Chunking, Optional as OptionalPart, Party},
};

/// What a run is to be played against.
#[derive(Debug, Clone)]
pub enum Setup {
    /// The endpoint that the file names.
    Endpoint(Box<Config>),
    /// The emulator: the file names none, and has a driver for the product.
    Rehearsal(Box<Rehearsal>),
}

/// Everything that a run of a driven product on the emulator is told. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// A name for the environment, for people; the emulator's own when the file has none.
    pub environment: Option<String>,
    /// The product under test.
    pub product: Party,
    /// How it is asked to act. Never the reference client.
    pub driver: Driver,
    /// Optional parts of the pack that the product does without.
    pub without: BTreeSet<OptionalPart>,
    /// How large the messages of cases 501 and 502 are.
    pub chunking: Chunking,
    /// Who supplies the product.
    pub supplier: Option<String>,
    /// The workflow ID that messages carry.
    pub workflow_id: Option<WorkflowId>,
    /// IDs and passwords of the two mailboxes, where the product is set up for its own.
    pub mailboxes: Option<Mailboxes>,
    /// The shared key, likewise.
    pub shared_key: Option<SharedKey>,
    /// Where the emulator listens, on this machine; port 0 for any free one.
    pub listen: SocketAddr,
    /// Where certificates, and for a person `product.env`, are left; a folder that vanishes with the run
    /// when the file names none.
    pub folder: Option<PathBuf>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// What a reader of the evidence must know.
    pub warnings: Vec<String>,
}

impl Setup {
    /// Reads the configuration file of a run, as [`Config::load`] does. Beside it, the file without its secrets.
    ///
    /// # Errors
    /// [`ConfigError`] lists everything that is wrong, not only the first.
    pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<(Self, Written), ConfigError> {
        loaded(path, env, Utc::now(), |reader| {
            let top = reader.top()?;
            let is_driven = reader.holds_driver();
            if is_driven && !reader.has(&top, "endpoint") {
                rehearsal(reader, &top).map(|rehearsal| Self::Rehearsal(Box::new(rehearsal)))
            } else {
                assemble::of_top(reader, &top).map(|config| Self::Endpoint(Box::new(config)))
            }
        })
    }
}

fn rehearsal<'a>(reader: &mut Reader<'a>, top: &Section<'a>) -> Option<Rehearsal> {
    let before = reader.noted();
    let environment = if reader.has(top, "environment") { name(reader, top, "environment") } else { None };
    let mailboxes = if reader.has(top, "mailboxes") { assemble::mailboxes(reader, top) } else { None };
    let workflow = reader.text(top, "workflow_id", Optional, Open);
    let workflow_id = workflow.and_then(|text| reader.checked(&text.at, values::workflow_id(&text.value)));
    let product = assemble::product_of(reader, top);
    let supplier = reader.section(top, "supplier", Optional);
    let supplier = supplier.and_then(|section| name(reader, &section, "name"));
    let timeouts = assemble::timeouts(reader, top);
    let chunking = assemble::chunking(reader, top, Chunking::default());
    let (listen, folder, shared_key) = emulator(reader, top);
    if let Some(at) = reader.place(top, "recording") {
        let mend = "take it out, or name an endpoint; emulator: {listen: …, folder: …} says the same of the emulator";
        reader.fault(&at, Complaint::new("is of no use without an endpoint", mend));
    }
    let (product, driver, without) = product?;
    if let (Some(mailboxes), Some(at)) = (&mailboxes, reader.place(top, "mailboxes"))
        && (mailboxes.product.identity.is_some() || mailboxes.counterpart.identity.is_some())
    {
        let mend = "leave it off: the emulator makes certificates, and the product is given its own";
        reader.fault(&at, Complaint::new("names a client certificate", mend));
    }
    let listen = listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let mut shown = vec![("emulator.listen", format!("https://{listen}"))];
    shown.extend(mailboxes.iter().flat_map(assemble::ids));
    shown.extend(workflow_id.iter().map(|id| ("workflow_id", id.to_string())));
    assemble::apart(reader, &shown);
    if reader.noted() > before {
        return None;
    }
    Some(Rehearsal {
        environment,
        product,
        driver,
        without,
        chunking,
        supplier,
        workflow_id,
        mailboxes,
        shared_key,
        listen,
        folder,
        timeouts,
        warnings: std::mem::take(&mut reader.warnings),
    })
}

type Emulator = (Option<SocketAddr>, Option<PathBuf>, Option<SharedKey>);

fn emulator<'a>(reader: &mut Reader<'a>, top: &Section<'a>) -> Emulator {
    let Some(section) = reader.section(top, "emulator", Optional) else { return (None, None, None) };
    let listen = reader.text(&section, "listen", Optional, Open);
    let listen = listen.and_then(|text| reader.checked(&text.at, values::listen(&text.value)));
    let folder = reader.text(&section, "folder", Optional, Open).map(|text| reader.file(&text).0);
    let key = if reader.has(&section, "shared_key") {
        assemble::secret(reader, &section, "shared_key").map(SharedKey::new)
    } else {
        None
    };
    (listen, folder, key)
}
