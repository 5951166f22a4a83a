//! How a recording proxy receives the product: the certificate that it presents, and whose it takes.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

use mesh_witness::{
    config::Config,
    emulator::PkiError,
    proxy::{Authority, AuthorityError, Front},
};
use rustls::pki_types::CertificateDer;

use super::{Exit, Failure};

/// Over TLS, with the local authority in a folder, which was named by `flag`. The product's certificate may be from
/// that authority, from one of the endpoint's, or from one of `trusted`; it need not have one unless `required`.
pub fn front(
    config: &Config,
    listen: SocketAddr,
    (folder, flag): (&Path, &str),
    trusted: Vec<CertificateDer<'static>>,
    required: bool,
) -> Result<Front, Failure> {
    let names = names(listen, &config.endpoint.url.host());
    let authority =
        Authority::open(folder, &names, &config.mailboxes.product.id).map_err(|error| match error {
            AuthorityError::Pki(PkiError::Write { path, source }) => {
                Failure::unwritable(flag, &path, &source)
            }
            other => Failure::new(Exit::Usage, format!("{flag}: {other}")),
        })?;
    let mut all = vec![authority.certificate.clone()];
    all.extend(config.endpoint.ca.iter().map(|certificate| certificate.der().clone()));
    all.extend(trusted);
    Front::tls((authority.server, authority.server_key), &all, required)
        .map_err(|error| Failure::new(Exit::Usage, error))
}

/// Under which names the product may call: the endpoint's own, and this machine's.
fn names(listen: SocketAddr, host: &str) -> Vec<String> {
    let mut names = vec![host.to_owned()];
    let address = listen.ip().to_canonical();
    let own = (!address.is_unspecified()).then_some(address);
    let loopback = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    for name in loopback.into_iter().chain(own.as_ref().map(IpAddr::to_string)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
