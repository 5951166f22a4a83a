//! From the command line and the configuration to what a run is played with.

use std::{path::Path, sync::Arc};

use aws_lc_rs::rand;
use chrono::{TimeDelta, Utc};
use mesh_witness::{
    client::{Identity, Origin, Target},
    config::{Config, Driver, Mailbox, Setup},
    emulator::{Arrangement, Pki, Transport},
    protocol::{Password, SharedKey, WorkflowId, hexadecimal},
    runner::{Emulated, Mailboxes, Optional, Pair, Party, Seat, Setting},
    tape::{Redactor, Secret},
};

use super::{Exit, Failure};

/// What a run is played with, and the secrets that must not turn up in its bundle.
pub struct Prepared {
    pub setting: Setting,
    pub secrets: Vec<Secret>,
    /// The configuration, without secrets; `None` when there was none.
    pub config: Option<String>,
}

/// An endpoint of our own on loopback, with secrets made for this run.
pub async fn emulated() -> Result<Prepared, Failure> {
    let unable = |error: &dyn std::error::Error| Failure::new(Exit::Environment, error);
    let password = random_hex(16)?;
    let key = random_hex(16)?;
    let shared_key = SharedKey::new(key.clone());
    let pki = Arc::new(Pki::new().map_err(|error| unable(&error))?);
    let secrets = vec![
        Secret::new("the emulator's mailbox password", password.clone()),
        Secret::new("the emulator's shared key", key),
    ];
    let password = Password::new(password);
    // Its mailboxes are made as scenarios need them, all with one password.
    let redactor = Redactor::with_common_password(&secrets, password.clone(), shared_key.clone());
    let transport = Transport::MutualTls(Arc::clone(&pki));
    let started = Emulated::start(pki, transport, shared_key, password, Arrangement::default()).await;
    let emulated = started.map_err(|error| unable(&error))?;
    let url = emulated.emulator.url();
    let mailboxes = Mailboxes::Emulated(emulated);
    let workflow = WorkflowId::parse("WITNESS_TEST").map_err(|error| unable(&error))?;
    let mut setting = Setting::new(
        run_id()?,
        "embedded emulator".to_owned(),
        url,
        reference_client(),
        None,
        workflow,
        Vec::new(),
        redactor,
        mailboxes,
    );
    setting.terms.practice = true;
    Ok(Prepared { setting, secrets, config: None })
}

/// What a configuration names: an endpoint, or a product that is driven on our own emulator. `live_host` is the live
/// endpoint that is asked for by name. `resuming`: the run goes on with an earlier one, so that an emulator's clock may
/// have been moved since.
pub async fn configured(file: &Path, live_host: Option<&str>, resuming: bool) -> Result<Prepared, Failure> {
    let setup = Setup::load(file, &|name| std::env::var(name).ok());
    let (setup, written) = setup.map_err(|error| Failure::new(Exit::Usage, error))?;
    let mut prepared = match setup {
        Setup::Endpoint(config) => {
            // Before anything is started or written.
            refuse_live(&config.endpoint.url, live_host)?;
            super::check::can_be_asked(file, &config.driver)?;
            let mut prepared = against(&config, resuming).await?;
            if config.driver != Driver::Reference {
                super::relayed::prepare(&config, &mut prepared.setting).await?;
            }
            prepared
        }
        Setup::Rehearsal(rehearsal) => {
            super::check::can_be_asked(file, &rehearsal.driver)?;
            super::rehearsal::prepare(*rehearsal).await?
        }
    };
    let redactor = &prepared.setting.redactor;
    let config = written.to_yaml(&|text| redactor.text(text));
    prepared.config = Some(config.map_err(|error| Failure::new(Exit::Usage, error))?);
    Ok(prepared)
}

/// Live MESH holds patients' messages: nobody plays there by mistake.
fn refuse_live(origin: &Origin, named: Option<&str>) -> Result<(), Failure> {
    if !origin.is_live_mesh() || named.is_some_and(|named| named.eq_ignore_ascii_case(&origin.host())) {
        return Ok(());
    }
    let host = origin.host();
    Err(Failure::new(
        Exit::Usage,
        format!(
            "endpoint.url: {host} is live MESH, where nothing is played by mistake; \
             use the integration environment, or say --live-host {host}"
        ),
    ))
}

/// The endpoint that a configuration names.
async fn against(config: &Config, resuming: bool) -> Result<Prepared, Failure> {
    let secrets = config.secrets();
    let seats = [&config.mailboxes.product, &config.mailboxes.counterpart];
    let credentials = seats.map(|mailbox| mailbox.credentials(&config.endpoint.shared_key));
    let redactor = Redactor::new(&secrets, &credentials);
    let [product, counterpart] = seats.map(|mailbox| seat(config, mailbox));
    let (mut product, mut counterpart) = (product?, counterpart?);
    if resuming && config.endpoint.url.is_loopback() {
        // Tokens must be of the endpoint's time. Elsewhere than on this machine it is everybody's.
        let moved = super::check::clock_moved(&product.target).await;
        for seat in [&mut product, &mut counterpart] {
            seat.target = follow(seat.target.clone(), moved);
        }
    }
    let pair = Pair { product, counterpart, dormant: config.mailboxes.dormant.clone(), unusable: None };
    let mut setting = Setting::new(
        run_id()?,
        redactor.text(&config.environment),
        config.endpoint.url.to_string(),
        Party { name: redactor.text(&config.product.name), version: redactor.text(&config.product.version) },
        Some(redactor.text(&config.supplier)),
        config.workflow_id.clone(),
        warnings(config),
        redactor,
        Mailboxes::Configured(Arc::new(tokio::sync::Mutex::new(pair))),
    );
    setting.terms.without = config.without.clone();
    setting.terms.chunking = config.chunking;
    Ok(Prepared { setting, secrets, config: None })
}

/// The endpoint with its clock as far from this machine's as it was moved.
fn follow(target: Target, moved: TimeDelta) -> Target {
    if moved.is_zero() {
        return target;
    }
    target.with_time(move || {
        let now = Utc::now();
        now.checked_add_signed(moved).unwrap_or(now)
    })
}

fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = config.warnings.clone();
    if config.endpoint.url.is_loopback() {
        let url = &config.endpoint.url;
        warnings
            .push(format!("{url} is on this machine: this is no evidence of an environment of NHS England"));
    }
    warnings
}

/// What the pack asks for, in bytes: cases 501 and 502, "greater than 200 MB".
const LARGE: u64 = 200_000_000;

/// That cases were played with less than the pack asks for, at an endpoint where that could pass for evidence.
pub fn smaller_than_asked(cases: &[&str], setting: &Setting) -> Option<String> {
    let bytes = setting.terms.chunking.message_bytes;
    let is_small = bytes <= LARGE && !setting.terms.without.contains(&Optional::Chunking);
    let chunked: Vec<&str> =
        ["501", "502"].into_iter().filter(|case| is_small && cases.contains(case)).collect();
    let (first, are) = (chunked.first()?, if chunked.len() == 1 { "is" } else { "are" });
    let named = if chunked.len() == 1 { (*first).to_owned() } else { chunked.join(" and ") };
    (!setting.emulated).then(|| {
        format!("{named} {are} played with {bytes} bytes (chunking.message_bytes); the pack asks for more than 200 MB")
    })
}

fn seat(config: &Config, mailbox: &Mailbox) -> Result<Seat, Failure> {
    let credentials = mailbox.credentials(&config.endpoint.shared_key);
    Ok(Seat { credentials, target: target(config, mailbox)?, validated: None })
}

/// The endpoint as a mailbox calls it: with its own certificate, where it has one.
pub fn target(config: &Config, mailbox: &Mailbox) -> Result<Target, Failure> {
    let authorities: Vec<_> =
        config.endpoint.ca.iter().map(|certificate| certificate.der().clone()).collect();
    let identity = mailbox
        .identity
        .as_ref()
        .map(|identity| Identity { chain: identity.chain(), key: identity.key().clone_key() });
    Target::new(config.endpoint.url.clone(), &authorities, identity.as_ref(), config.timeouts)
        .map_err(|error| Failure::new(Exit::Usage, format!("endpoint: TLS cannot be set up: {error}")))
}

fn reference_client() -> Party {
    Party { name: "mesh-witness reference client".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// Unique and sortable: `20261121T120304Z-3f9a5c`.
pub fn run_id() -> Result<String, Failure> {
    Ok(format!("{}-{}", Utc::now().format("%Y%m%dT%H%M%SZ"), random_hex(3)?))
}

pub fn random_hex(bytes: usize) -> Result<String, Failure> {
    let mut random = vec![0; bytes];
    rand::fill(&mut random)
        .map_err(|_| Failure::new(Exit::Environment, "this machine gives no random numbers"))?;
    Ok(hexadecimal(&random))
}
