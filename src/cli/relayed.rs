//! A product that is driven at the endpoint that a configuration names: it calls a recording proxy of the run's.

use mesh_witness::{
    config::Config,
    product::driver::Access,
    proxy::Settings,
    runner::{RecordingLimits, Relay, Setting},
    tape::HostRule,
};

use super::{
    Failure,
    driving::{self, unable},
    front, setting,
};

const FOLDER_KEY: &str = "recording.folder";

/// Starts the proxy in front of the endpoint, and leaves for the product what it needs to call it.
pub async fn prepare(config: &Config, prepared: &mut Setting) -> Result<(), Failure> {
    let (product, recording) = (&config.mailboxes.product, &config.recording);
    let (folder, temporary) = driving::folder(recording.folder.as_deref(), FOLDER_KEY)?;
    let trusted: Vec<_> = recording.ca.iter().map(|certificate| certificate.der().clone()).collect();
    let host = config.endpoint.url.authority();
    let settings = Settings {
        listen: recording.listen,
        front: front::front(config, recording.listen, (&folder, FOLDER_KEY), trusted, true)?,
        target: setting::target(config, product)?,
        connect_to: None,
        host: HostRule::ReplacedBy(host.clone()),
        redactor: prepared.redactor.clone(),
    };
    let relay =
        Relay::start(settings, prepared.tape.clone(), RecordingLimits::default()).await.map_err(unable)?;
    let url = relay.url().to_owned();
    let file = |name: &str| folder.join(name);
    let access = Access {
        url: url.clone(),
        ca_file: file("ca.pem"),
        certificate_file: file("product.pem"),
        key_file: file("product-key.pem"),
        shared_key: config.endpoint.shared_key.clone(),
        mailbox: product.id.clone(),
        password: product.password.clone(),
        workflow: config.workflow_id.clone(),
        counterpart: config.mailboxes.counterpart.id.clone(),
        folder: temporary,
    };
    let redactor = prepared.redactor.clone();
    prepared.driven = Some(driving::drive(&config.driver, access, &redactor, &folder, FOLDER_KEY)?);
    prepared.relay = Some(relay);
    prepared.warnings.push(format!(
        "the product called {url}, a recording proxy of this run, which passed its calls on to {} and replaced the \
         value of the Host header by {host}; its connections, if it made any, are in data/relay",
        config.endpoint.url
    ));
    Ok(())
}
