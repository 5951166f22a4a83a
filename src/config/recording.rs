//! How a product that a driver asks is recorded in front of the endpoint.

use std::{net::SocketAddr, path::PathBuf};

use super::{
    Certificate, Driver,
    error::Complaint,
    section::{Kind::Open, Need::Optional, Reader, Section},
    trust::authorities,
    values,
};

/// The proxy through which a driven product calls the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Where it listens, on this machine; port 0 for any free one.
    pub listen: SocketAddr,
    /// Where its certificates, and for a person `product.env`, are left; a folder that vanishes with the
    /// run when the file names none.
    pub folder: Option<PathBuf>,
    /// From which authorities the product's own certificate may be, besides the proxy's and the endpoint's.
    pub ca: Vec<Certificate>,
}

impl Default for Recording {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)), folder: None, ca: Vec::new() }
    }
}

/// The section of that name; `None` when something is wrong with it, which was noted.
pub(super) fn recording<'a>(
    reader: &mut Reader<'a>,
    top: &Section<'a>,
    driver: Option<&Driver>,
) -> Option<Recording> {
    let own = Recording::default();
    let Some(at) = reader.place(top, "recording") else { return Some(own) };
    if driver == Some(&Driver::Reference) {
        let mend = "take it out, or name a driver: product: {driver: {command: [./drive.sh]}}";
        reader.fault(&at, Complaint::new("is of no use to the reference client, which records itself", mend));
    }
    let section = reader.section(top, "recording", Optional)?;
    let before = reader.noted();
    let listen = reader.text(&section, "listen", Optional, Open);
    let listen = listen.and_then(|text| reader.checked(&text.at, values::listen(&text.value)));
    let folder = reader.text(&section, "folder", Optional, Open).map(|text| reader.file(&text).0);
    let (ca, _) = authorities(reader, &section, Optional)?;
    (reader.noted() == before).then(|| Recording { listen: listen.unwrap_or(own.listen), folder, ca })
}
