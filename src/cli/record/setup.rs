//! From the command line and the configuration to a proxy.

use std::path::{Path, PathBuf};

use chrono::Utc;
use mesh_witness::{
    client::Origin,
    config::Config,
    proxy::{Front, Settings, certificates},
    tape::{HostRule, RecordingFacts, Redactor},
};

use tokio::net::lookup_host;

use super::super::{Exit, Failure, args::RecordArguments, front, setting};

/// What a recording is made with.
pub struct Setup {
    pub settings: Settings,
    /// But for where it listens.
    pub recording: RecordingFacts,
    /// Where the tape is.
    pub folder: PathBuf,
    /// Where the local authority's files are; `None` without TLS.
    pub authority: Option<PathBuf>,
    pub warnings: Vec<String>,
}

pub fn setup(arguments: &RecordArguments) -> Result<Setup, Failure> {
    let config = Config::load(&arguments.config, &|name| std::env::var(name).ok()).map_err(usage)?;
    let mut warnings = config.warnings.clone();
    warnings.extend(allowed(arguments, &config)?);
    let folder = arguments.tape.clone().unwrap_or_else(|| {
        Path::new("reports").join(format!("tape-{}", Utc::now().format("%Y%m%dT%H%M%SZ")))
    });
    let pki = arguments.pki.clone().unwrap_or_else(|| folder.parent().unwrap_or(Path::new(".")).join("pki"));
    let (front, authority) = if arguments.plain_http {
        (Front::Plain, None)
    } else {
        (front(arguments, &config, &pki)?, Some(pki))
    };
    let secrets = config.secrets();
    let mailboxes = [&config.mailboxes.product, &config.mailboxes.counterpart];
    let redactor =
        Redactor::new(&secrets, &mailboxes.map(|mailbox| mailbox.credentials(&config.endpoint.shared_key)));
    let host = if arguments.edit_host {
        HostRule::ReplacedBy(config.endpoint.url.authority())
    } else {
        HostRule::AsSent
    };
    let recording = RecordingFacts {
        environment: redactor.text(&config.environment),
        endpoint: config.endpoint.url.to_string(),
        listen: arguments.listen,
        product: redactor.text(&format!("{} {}", config.product.name, config.product.version)),
        supplier: redactor.text(&config.supplier),
        host: host.clone(),
        product_certificate_required: !arguments.plain_http && !arguments.no_product_certificate,
    };
    let settings = Settings {
        listen: arguments.listen,
        front,
        target: setting::target(&config, &config.mailboxes.product)?,
        connect_to: arguments.connect_to,
        host,
        redactor,
    };
    Ok(Setup { settings, recording, folder, authority, warnings })
}

/// What must be asked for by name, and what is to be warned of when it was.
fn allowed(arguments: &RecordArguments, config: &Config) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    let host = config.endpoint.url.host();
    let named = arguments.live_host.as_deref();
    if named.is_some_and(|named| !named.eq_ignore_ascii_case(&host)) {
        return Err(usage(format!(
            "--live-host: the configuration's endpoint is {host}; leave the flag out, or name that"
        )));
    }
    if config.endpoint.url.is_live_mesh() {
        if named.is_none() {
            return Err(usage(format!(
                "endpoint.url: {host} is a live endpoint, where messages are patients' own; \
                 name an integration endpoint, or say --live-host {host}"
            )));
        }
        warnings.push(format!("{host} is LIVE: what is recorded holds patients' own data"));
    }
    let listen = arguments.listen;
    if !listen.ip().to_canonical().is_loopback() {
        if arguments.plain_http || arguments.no_product_certificate {
            return Err(usage(format!(
                "--listen: {listen} can be reached by other machines, and without a certificate any of them could \
                 call the endpoint as you; listen on 127.0.0.1, or leave out --plain-http and --no-product-certificate"
            )));
        }
        if !arguments.open_to_network {
            return Err(usage(format!(
                "--listen: {listen} can be reached by other machines; listen on 127.0.0.1, or say --open-to-network"
            )));
        }
        warnings.push(format!(
            "OPEN TO THE NETWORK: whoever reaches {listen} with a certificate that is trusted here calls {host} \
             with your client certificate"
        ));
    }
    if arguments.no_product_certificate || arguments.plain_http {
        warnings.push(format!(
            "the product need not present a certificate: every program on this machine can call {host} with your \
             client certificate"
        ));
    }
    Ok(warnings)
}

/// Whether the endpoint's name leads back to this machine: then the hosts file has the product's line.
pub async fn leads_elsewhere(arguments: &RecordArguments, endpoint: &Origin) -> Result<(), Failure> {
    if arguments.connect_to.is_some() || endpoint.is_loopback() {
        return Ok(());
    }
    let host = endpoint.host();
    // A name that is not found is the endpoint's matter, and every call will say so.
    let Ok(mut found) = lookup_host((host.as_str(), endpoint.port())).await else { return Ok(()) };
    match found.find(|address| address.ip().to_canonical().is_loopback()) {
        Some(_) => Err(usage(format!(
            "endpoint.url: {host} leads to this machine, by a line in its hosts file: say where the endpoint is with \
             --connect-to ADDRESS:{} (nslookup {host} tells)",
            endpoint.port()
        ))),
        None => Ok(()),
    }
}

/// How the product is received, over TLS.
fn front(arguments: &RecordArguments, config: &Config, pki: &Path) -> Result<Front, Failure> {
    let mut trusted = Vec::new();
    for file in &arguments.product_ca {
        let found = certificates(file)
            .map_err(|error| usage(format!("--product-ca: {}: {error}", file.display())))?;
        trusted.extend(found);
    }
    front::front(config, arguments.listen, (pki, "--pki"), trusted, !arguments.no_product_certificate)
}

fn usage(error: impl ToString) -> Failure {
    Failure::new(Exit::Usage, error)
}
