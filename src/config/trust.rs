//! The PEM files that a configuration names: whom to trust, and who one is.

use std::sync::Arc;

use rustls::RootCertStore;

use super::{
    certificate::Certificate,
    error::{Complaint, visible},
    identity::{ClientIdentity, PairComplaint},
    pem::Pem,
    section::{
        Kind::Open,
        Need::{self, Optional},
        Reader, Section, Text,
    },
};

type Authorities = (Vec<Certificate>, Arc<RootCertStore>);

/// The CA certificates; none when there need not be any. `None` when something is wrong.
pub(super) fn authorities(reader: &mut Reader<'_>, section: &Section<'_>, need: Need) -> Option<Authorities> {
    let none = || (Vec::new(), Arc::new(RootCertStore::empty()));
    let before = reader.noted();
    let Some(text) = reader.text(section, "ca_file", need, Open) else {
        return (reader.noted() == before).then(none);
    };
    let certificates = read(reader, &text).map(Pem::into_certificates);
    let certificates = certificates.and_then(|result| reader.checked(&text.at, result))?;
    let roots = trusted(reader, &text, &certificates);
    Some((certificates, Arc::new(checked(reader, &text, roots)?)))
}

fn trusted(
    reader: &mut Reader<'_>,
    text: &Text,
    certificates: &[Certificate],
) -> Result<RootCertStore, Complaint> {
    let mut roots = RootCertStore::empty();
    let mut over = Vec::new();
    for certificate in certificates {
        let subject = certificate.subject();
        if !certificate.is_ca() {
            return Err(Complaint::new(
                format!("holds the certificate of {subject}, which is not one of a certificate authority"),
                "name a file that holds only certificates of authorities",
            ));
        }
        roots.add(certificate.der().clone()).map_err(|_| {
            Complaint::new(
                format!("holds a certificate that TLS cannot use, that of {subject}"),
                "take it out, or ask for an X.509 version 3 certificate",
            )
        })?;
        over.extend(certificate.valid_at(reader.now).err());
    }
    // Bundles keep the old authority beside the new one: only when none is left is it an error.
    match over.pop() {
        Some(complaint) if over.len() + 1 == certificates.len() => return Err(complaint),
        last => over.extend(last),
    }
    let over = over.into_iter().map(|complaint| complaint.what);
    let soon = certificates.iter().filter_map(|certificate| certificate.soon_over(reader.now));
    let warnings: Vec<String> = over.chain(soon).map(|what| format!("{}: {what}", text.at.path)).collect();
    reader.warnings.extend(warnings);
    Ok(roots)
}

const CERTIFICATE: &str = "client_certificate_file";
const KEY: &str = "client_key_file";

/// The client identity of a section, `Some(None)` when it names none. `None` when something is wrong.
pub(super) fn identity(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
) -> Option<Option<Arc<ClientIdentity>>> {
    let before = reader.noted();
    let certificate = reader.text(section, CERTIFICATE, Optional, Open);
    let key = reader.text(section, KEY, Optional, Open);
    let fine = reader.noted() == before;
    match (certificate, key) {
        (None, None) if fine => Some(None),
        (Some(certificate), Some(key)) => pair(reader, section, &certificate, &key).map(Arc::new).map(Some),
        (Some(alone), None) if fine => half(reader, section, &alone, CERTIFICATE, KEY),
        (None, Some(alone)) if fine => half(reader, section, &alone, KEY, CERTIFICATE),
        _ => None,
    }
}

fn pair(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    certificate: &Text,
    key: &Text,
) -> Option<ClientIdentity> {
    let (certificate_pem, key_pem) = (read(reader, certificate), read(reader, key));
    if let (Some(first), Some(second)) = (&certificate_pem, &key_pem)
        && first.has_only_a_key()
        && second.has_only_certificates()
    {
        let what = format!("holds a private key, and {KEY} a certificate: they are swapped");
        let mend = format!("exchange the values of {CERTIFICATE} and {KEY}");
        return checked(reader, certificate, Err(Complaint::new(what, mend)));
    }
    let chain = certificate_pem.and_then(|pem| reader.checked(&certificate.at, pem.into_certificates()));
    let secret = key_pem.and_then(|pem| reader.checked(&key.at, pem.into_key()));
    match ClientIdentity::new(section.path, chain?, secret?, reader.now) {
        Ok(identity) => Some(identity),
        Err(PairComplaint::Certificate(complaint)) => checked(reader, certificate, Err(complaint)),
        Err(PairComplaint::Key(complaint)) => checked(reader, key, Err(complaint)),
    }
}

fn half<T>(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    alone: &Text,
    there: &str,
    missing: &str,
) -> Option<T> {
    let complaint = Complaint::new(
        format!("is missing, but {there} is there"),
        format!("add {missing}, or take {there} out: a client certificate needs both"),
    );
    reader.fault(&section.beside(alone, missing), complaint);
    None
}

fn read(reader: &mut Reader<'_>, text: &Text) -> Option<Pem> {
    let (path, shown) = reader.file(text);
    let pem = Pem::read(&path, &shown);
    reader.checked(&text.at, pem)
}

/// `result` without its error, which is noted with the file that it is about.
fn checked<T>(reader: &mut Reader<'_>, text: &Text, result: Result<T, Complaint>) -> Option<T> {
    let (_, shown) = reader.file(text);
    let about = |complaint: Complaint| Complaint {
        what: format!("{} {}", visible(&shown), complaint.what),
        ..complaint
    };
    reader.checked(&text.at, result.map_err(about))
}
