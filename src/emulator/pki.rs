//! A certificate authority for one run: server certificate for loopback, client certificates by
//! MESH's naming convention. Keys live in memory unless [`Pki::write_to`] is asked for.

mod untrusted;

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{Datelike, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use thiserror::Error;

use super::faults::{AnyAuthority, Faults, TlsFault};
use crate::protocol::{ClientName, MailboxId};

pub use untrusted::Untrusted;

/// The authority and the server's certificate.
pub struct Pki {
    authority: Issuer<'static, KeyPair>,
    authority_certificate: rcgen::Certificate,
    server: ServerIdentity,
    /// The server's.
    common_name: String,
    /// The server's names and addresses.
    names: Vec<String>,
}

/// A client certificate and its key.
pub struct ClientIdentity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub key: PrivateKeyDer<'static>,
    certificate_pem: String,
    key_pem: String,
}

struct ServerIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    certificate_pem: String,
    key_pem: String,
}

/// Why certificates could not be made or written.
#[derive(Debug, Error)]
pub enum PkiError {
    /// Making a key or a certificate failed.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not take what was made.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The verifier of client certificates could not be built.
    #[error("cannot set up the check of client certificates: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// Another process has its certificates there.
    #[error("{}: another process is using it; stop that one, or name another folder", .path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("{}: cannot be written: {source}; name a folder that you may write to", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A folder that holds the certificates of this process, and no other's, for as long as this is there.
#[derive(Debug)]
pub struct PkiFolder {
    _locked: fs::File,
}

impl PkiFolder {
    /// Takes a folder, or makes one. The file that is locked stays: another process may just be waiting for it.
    ///
    /// # Errors
    /// When another process has taken it, or it cannot be written.
    pub fn take(folder: &Path) -> Result<Self, PkiError> {
        let path = folder.join(LOCK);
        let unusable = |source| PkiError::Write { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(|source| PkiError::Write { path: folder.to_owned(), source })?;
        let file =
            fs::File::options().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(PkiError::InUse { path: folder.to_owned() }),
            // Some network disks lock nothing.
            Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(fs::TryLockError::Error(error)) => return Err(unusable(error)),
        }
        Ok(Self { _locked: file })
    }
}

impl Pki {
    /// Makes an authority and a server certificate for `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    /// When the machine cannot make keys.
    pub fn new() -> Result<Self, PkiError> {
        Self::named("mesh-witness emulator CA", "localhost", LOOPBACK.map(str::to_owned).to_vec())
    }

    /// The same for an endpoint that listens on this address, which may be no loopback address.
    ///
    /// # Errors
    /// When the machine cannot make keys.
    pub fn listening_on(address: IpAddr) -> Result<Self, PkiError> {
        let mut names = LOOPBACK.map(str::to_owned).to_vec();
        let address = address.to_canonical();
        if !address.is_unspecified() && !names.contains(&address.to_string()) {
            names.push(address.to_string());
        }
        Self::named("mesh-witness emulator CA", "localhost", names)
    }

    /// Makes an authority of this name and a server certificate with this common name and these names
    /// and addresses.
    ///
    /// # Errors
    /// When the machine cannot make keys, or a name is none.
    pub fn named(authority: &str, common_name: &str, names: Vec<String>) -> Result<Self, PkiError> {
        let authority_key = KeyPair::generate()?;
        let mut params = params(authority, Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_certificate = params.self_signed(&authority_key)?;
        let authority = Issuer::new(params, authority_key);
        let purpose = ExtendedKeyUsagePurpose::ServerAuth;
        let (certificate, key) = leaf(&authority, common_name, names.clone(), purpose)?;
        let server = ServerIdentity {
            chain: vec![certificate.der().clone()],
            key: private_key(&key),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        };
        Ok(Self { authority, authority_certificate, server, common_name: common_name.to_owned(), names })
    }

    /// A client certificate named after the mailbox: `x26abc1.x26.api.mesh-client.nhs.uk`
    /// (OpenAPI, "Get a TLS certificate"; the first three characters stand in for the ODS code).
    ///
    /// # Errors
    /// When the machine cannot make keys.
    pub fn client(&self, mailbox: &MailboxId) -> Result<ClientIdentity, PkiError> {
        let label = mailbox.as_str().to_ascii_lowercase();
        let ods: String = label.chars().take(3).collect();
        let name = format!("{label}.{ods}.{}", ClientName::DOMAIN);
        let (certificate, key) =
            leaf(&self.authority, &name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(ClientIdentity {
            chain: vec![certificate.der().clone()],
            key: private_key(&key),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// The authority, for a client's list of trusted roots.
    #[must_use]
    pub fn authority(&self) -> CertificateDer<'static> {
        self.authority_certificate.der().clone()
    }

    /// The server's own certificate.
    #[must_use]
    pub fn server_certificate(&self) -> CertificateDer<'static> {
        // There is always one; an empty one shows itself as unreadable.
        self.server.chain.first().cloned().unwrap_or_else(|| CertificateDer::from(Vec::new()))
    }

    /// What the server needs: its certificate, and a client certificate of this authority required.
    pub(super) fn server_config(&self, faults: &Faults) -> Result<rustls::ServerConfig, PkiError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.authority())?;
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = if faults.has_tls(TlsFault::AnyAuthority) {
            Arc::new(AnyAuthority { provider: Arc::clone(&provider), mandatory: true })
        } else if faults.has_tls(TlsFault::NoCertificateNeeded) {
            builder.allow_unauthenticated().build()?
        } else {
            builder.build()?
        };
        let versions: &[_] = if faults.has_tls(TlsFault::Only13) {
            &[&rustls::version::TLS13]
        } else {
            rustls::DEFAULT_VERSIONS
        };
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.server.chain.clone(), self.server.key.clone_key())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Writes `ca.pem` and, for each mailbox, `MAILBOX.pem` and `MAILBOX-key.pem` into a folder,
    /// the keys readable by their owner only.
    ///
    /// # Errors
    /// When the folder cannot be made or a file cannot be written.
    pub fn write_to(&self, folder: &Path, mailboxes: &[MailboxId]) -> Result<(), PkiError> {
        self.write_authority(folder)?;
        for mailbox in mailboxes {
            let client = self.client(mailbox)?;
            write_pair(folder, mailbox.as_str(), &client.certificate_pem, &client.key_pem)?;
        }
        Ok(())
    }

    /// Writes `ca.pem`, `server.pem` and `server-key.pem`, and for the holder of a mailbox `NAME.pem`
    /// and `NAME-key.pem`, into a folder, the keys readable by their owner only.
    ///
    /// # Errors
    /// When the folder cannot be made or a file cannot be written.
    pub fn write_with_server(&self, folder: &Path, name: &str, mailbox: &MailboxId) -> Result<(), PkiError> {
        self.write_authority(folder)?;
        write_pair(folder, "server", &self.server.certificate_pem, &self.server.key_pem)?;
        let client = self.client(mailbox)?;
        write_pair(folder, name, &client.certificate_pem, &client.key_pem)
    }

    fn write_authority(&self, folder: &Path) -> Result<(), PkiError> {
        fs::create_dir_all(folder).map_err(|source| PkiError::Write { path: folder.to_owned(), source })?;
        write(folder.join("ca.pem"), &self.authority_certificate.pem(), false)
    }
}

/// Name of the file that is locked while a process has its certificates in a folder.
const LOCK: &str = "emulate.lock";
/// For whom the emulator's certificate is.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

fn write_pair(folder: &Path, name: &str, certificate: &str, key: &str) -> Result<(), PkiError> {
    write(folder.join(format!("{name}.pem")), certificate, false)?;
    write(folder.join(format!("{name}-key.pem")), key, true)
}

fn write(path: PathBuf, text: &str, secret: bool) -> Result<(), PkiError> {
    write_file(&path, text, secret).map_err(|source| PkiError::Write { path, source })
}

fn write_file(path: &Path, text: &str, secret: bool) -> io::Result<()> {
    use io::Write;
    #[cfg_attr(
        not(unix),
        expect(unused_mut, reason = "who may read a file is said only where that is in its mode")
    )]
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.permissions(fs::Permissions::from_mode(if secret { 0o600 } else { 0o644 }));
    }
    #[cfg(not(unix))]
    let _ = secret;
    let mut file = file.tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn params(common_name: &str, alternative_names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(alternative_names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    valid(&mut params, -1, 366);
    Ok(params)
}

/// From one day to another, counted from today.
fn valid(params: &mut CertificateParams, from: i64, to: i64) {
    let day = |days| {
        let date = (Utc::now() + TimeDelta::days(days)).date_naive();
        // Months and days of a calendar date always fit.
        date_time_ymd(date.year(), date.month() as u8, date.day() as u8)
    };
    (params.not_before, params.not_after) = (day(from), day(to));
}

fn leaf(
    authority: &Issuer<'static, KeyPair>,
    common_name: &str,
    alternative_names: Vec<String>,
    purpose: ExtendedKeyUsagePurpose,
) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let key = KeyPair::generate()?;
    let params = leaf_params(common_name, alternative_names, purpose)?;
    Ok((params.signed_by(&key, authority)?, key))
}

fn leaf_params(
    common_name: &str,
    alternative_names: Vec<String>,
    purpose: ExtendedKeyUsagePurpose,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = params(common_name, alternative_names)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn private_key(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

    use super::*;

    #[test]
    fn files_are_written_and_keys_are_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = MailboxId::parse("X26ABC1").unwrap();
        Pki::new().unwrap().write_to(&folder.path().join("new"), &[mailbox]).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join("new").join(name)).unwrap();
        assert!(read("ca.pem").starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(read("X26ABC1.pem").starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(read("X26ABC1-key.pem").contains("PRIVATE KEY"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |name: &str| {
                fs::metadata(folder.path().join("new").join(name)).unwrap().permissions().mode() & 0o777
            };
            assert_eq!((mode("X26ABC1-key.pem"), mode("ca.pem")), (0o600, 0o644));
        }
    }

    #[test]
    fn the_certificate_is_also_for_the_address_that_is_listened_on() {
        let addresses = |listen: &str| {
            let certificate = Pki::listening_on(listen.parse().unwrap()).unwrap().server_certificate();
            let (_, certificate) = X509Certificate::from_der(&certificate).unwrap();
            let names = certificate.subject_alternative_name().unwrap().unwrap();
            let is_address = |name: &&GeneralName<'_>| matches!(name, GeneralName::IPAddress(_));
            names.value.general_names.iter().filter(is_address).map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(addresses("192.0.2.7").len(), 3);
        for known in ["127.0.0.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"] {
            assert_eq!(addresses(known).len(), 2, "{known}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Pki::new().unwrap().write_to(file.path(), &[]).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()), "{error}");
    }
}
