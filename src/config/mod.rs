//! The configuration file, `mesh-witness.yaml`: which endpoint, which mailboxes, whose product.
//!
//! What comes out of [`Config::load`] is right: every value is parsed, every file was read, every key
//! belongs to its certificate. What is wrong is said all at once, each with its line and a way to
//! mend it, and never with a secret in it. [`TEMPLATE`] shows every key.

mod apart;
mod assemble;
mod certificate;
mod document;
mod driver;
mod error;
mod identity;
mod interpolate;
mod keys;
mod lists;
mod mailbox;
mod pem;
mod recording;
mod rehearsal;
mod section;
mod trust;
mod values;
mod written;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use chrono::{DateTime, Utc};
use rustls::RootCertStore;

use crate::{
    client::{Origin, Timeouts},
    protocol::{SharedKey, WorkflowId},
    runner::{Chunking, Optional, Party},
    tape::Secret,
};

pub use certificate::Certificate;
pub use driver::can_be_asked;
pub use error::{ConfigError, Problem};
pub use identity::ClientIdentity;
pub use lists::{attestations, deviations};
pub use mailbox::{Mailbox, Mailboxes};
pub use pem::private_key;
pub use recording::Recording;
pub use rehearsal::{Rehearsal, Setup};
pub use written::Written;

pub use crate::product::Driver;

use document::Document;
use error::Complaint;
use pem::{ReadError, bytes_of};
use section::Reader;

/// A configuration file with every key, explained.
pub const TEMPLATE: &str = include_str!("mesh-witness.yaml");

/// Everything that a run against a real endpoint must be told. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// A name for the environment, for people: 1 to 100 characters on one line.
    pub environment: String,
    /// Where the messages go.
    pub endpoint: Endpoint,
    /// Whose messages.
    pub mailboxes: Mailboxes,
    /// The workflow ID that messages carry.
    pub workflow_id: WorkflowId,
    /// The product under test. Name and version have 1 to 100 characters, on one line.
    pub product: Party,
    /// How the product is asked to act.
    pub driver: Driver,
    /// The proxy that records the product, where a driver asks it.
    pub recording: Recording,
    /// Optional parts of the pack that the product does without.
    pub without: BTreeSet<Optional>,
    /// How large the messages of cases 501 and 502 are.
    pub chunking: Chunking,
    /// Who supplies the product: 1 to 100 characters, on one line.
    pub supplier: String,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// What a reader of the evidence must know, such as plain HTTP or a certificate about to expire.
    pub warnings: Vec<String>,
}

/// A MESH endpoint and how to be let in.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Scheme, host and port.
    pub url: Origin,
    /// The certificate authorities to trust, in the order of the file. At least one when the URL is
    /// `https`; then at least one is valid now.
    pub ca: Vec<Certificate>,
    /// The same for TLS.
    pub roots: Arc<RootCertStore>,
    /// The client certificate for mailboxes that have none of their own.
    pub identity: Option<Arc<ClientIdentity>>,
    /// The shared key of the environment.
    pub shared_key: SharedKey,
}

impl Config {
    /// Reads the configuration file at `path`, of at most 1 MiB, and the PEM files that it names.
    /// `env` looks up environment variables, for `${NAME}` in values; relative paths start from the
    /// folder of the file.
    ///
    /// # Errors
    /// [`ConfigError`] lists everything that is wrong, not only the first.
    pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::load_at(path, env, Utc::now())
    }

    /// Like [`load`](Self::load), at another time: certificates are to be valid at `now`.
    ///
    /// # Errors
    /// [`ConfigError`] lists everything that is wrong, not only the first.
    pub fn load_at(
        path: &Path,
        env: &dyn Fn(&str) -> Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Self, ConfigError> {
        loaded(path, env, now, assemble::config).map(|(config, _)| config)
    }

    /// The secrets by the names of their keys, for the tape to redact.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let Mailboxes { product, counterpart, .. } = &self.mailboxes;
        let key = |identity: &&Arc<ClientIdentity>| {
            Secret::key(format!("{}.client_key_file", identity.place()), identity.key().secret_der())
        };
        let mut secrets = vec![
            Secret::new("endpoint.shared_key", self.endpoint.shared_key.expose()),
            Secret::new("mailboxes.product.password", product.password.expose()),
            Secret::new("mailboxes.counterpart.password", counterpart.password.expose()),
        ];
        secrets.extend(self.identities().iter().map(key));
        secrets
    }

    /// The client certificates with their keys, each once.
    fn identities(&self) -> Vec<&Arc<ClientIdentity>> {
        let Mailboxes { product, counterpart, .. } = &self.mailboxes;
        let mut identities: Vec<&Arc<ClientIdentity>> = Vec::new();
        for identity in
            [&self.endpoint.identity, &product.identity, &counterpart.identity].into_iter().flatten()
        {
            if !identities.iter().any(|other| Arc::ptr_eq(other, identity)) {
                identities.push(identity);
            }
        }
        identities
    }

    /// Lines for a person about every certificate at `now`: where it is configured, whose it is, from
    /// whom, until when. No secret, no line break within a line.
    #[must_use]
    pub fn describe(&self, now: DateTime<Utc>) -> Vec<String> {
        let ca = self.endpoint.ca.iter().map(|certificate| ("endpoint.ca_file".to_owned(), certificate));
        let own = self.identities().into_iter().flat_map(|identity| {
            let place = format!("{}.client_certificate_file", identity.place());
            identity.certificates().iter().map(move |certificate| (place.clone(), certificate))
        });
        ca.chain(own).map(|(place, certificate)| format!("{place}: {}", certificate.describe(now))).collect()
    }
}

/// What `assemble` makes of the file, and the file without its secrets; or everything that is wrong with it.
fn loaded<T>(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    now: DateTime<Utc>,
    assemble: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<(T, Written), ConfigError> {
    let alone = |problem| ConfigError::new(path, problem, Vec::new(), 0);
    let bytes = bytes_of(path).map_err(|error| alone(unread(&error).of_file()))?;
    let document = Document::read(&bytes).map_err(alone)?;
    let mut reader = Reader::new(&document, path, env, now);
    let config = assemble(&mut reader);
    let (problems, unlisted) = reader.into_problems();
    let mut problems = problems.into_iter();
    match (problems.next(), config) {
        (None, Some(config)) => Ok((config, Written::of(document.root()))),
        (Some(first), _) => Err(ConfigError::new(path, first, problems.collect(), unlisted)),
        (None, None) => Err(alone(unexplained().of_file())),
    }
}

fn unread(error: &ReadError) -> Complaint {
    match error {
        ReadError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Complaint::new("does not exist", "correct the path, or write one: mesh-witness init")
        }
        ReadError::Io(error) => {
            Complaint::new(format!("cannot be read: {error}"), "name a file that this user may read")
        }
        ReadError::TooLarge => Complaint::new("is larger than 1 MiB", "check that it is the right file"),
    }
}

/// Cannot happen: whatever is missing was noted. Said all the same, so that nobody is left without
/// a word.
fn unexplained() -> Complaint {
    Complaint::new("could not be understood", "report this with the file, its secrets taken out")
}
