//! PEM files: what is in one, and what is wrong with it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
    pem::{PemObject, SectionKind},
};

use super::{
    certificate::Certificate,
    error::{Complaint, Problem, visible},
};

/// The most that a configuration or PEM file may have, in bytes.
pub(super) const MOST_BYTES: u64 = 1024 * 1024;

/// What a PEM file holds, as far as it matters here.
pub(super) struct Pem {
    certificates: Vec<Certificate>,
    keys: Vec<PrivateKeyDer<'static>>,
    sealed_key: bool,
    request: bool,
    pkcs7: bool,
    public_key: bool,
    /// The file as a person is to see it.
    shown: String,
}

/// The bytes of a file of at most [`MOST_BYTES`].
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES { Err(ReadError::TooLarge) } else { Ok(bytes) }
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the file is larger than 1 MiB")]
    TooLarge,
}

/// The one private key in a PEM file.
///
/// # Errors
/// [`Problem`] says what the file has instead, and how to mend it.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    let shown = path.display().to_string();
    let missing = || Complaint::new(format!("{} does not exist", visible(&shown)), "correct the path");
    let key = match path.try_exists() {
        Ok(false) => Err(missing()),
        _ => Pem::read(path, &shown).and_then(Pem::into_key),
    };
    key.map_err(Complaint::of_file)
}

impl Pem {
    /// Reads the file at `path`, which a person is shown as `shown`: the two differ when part of
    /// the path comes from the environment.
    pub(super) fn read(path: &Path, shown: &str) -> Result<Self, Complaint> {
        let shown = visible(shown);
        let bytes = bytes_of(path).map_err(|error| unread(&error, &shown))?;
        // Windows' editor may put it there, and shows it to nobody.
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let has = |label: &str| bytes.windows(label.len()).any(|window| window == label.as_bytes());
        if !has("-----BEGIN ") {
            return Err(no_pem(bytes, &shown));
        }
        let mut pem = Self {
            certificates: Vec::new(),
            keys: Vec::new(),
            sealed_key: has("-----BEGIN ENCRYPTED PRIVATE KEY-----") || has("Proc-Type: 4,ENCRYPTED"),
            request: false,
            pkcs7: has("-----BEGIN PKCS7-----"),
            public_key: false,
            shown,
        };
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
            match section {
                Ok((kind, der)) => pem.take(kind, der)?,
                // The base64 of a sealed key of the old kind begins with headers: not damage.
                Err(_) if pem.sealed_key => {}
                Err(_) => return Err(pem.damaged("has a part that is damaged or cut off")),
            }
        }
        Ok(pem)
    }

    fn take(&mut self, kind: SectionKind, der: Vec<u8>) -> Result<(), Complaint> {
        match kind {
            SectionKind::Certificate => {
                let certificate = Certificate::read(CertificateDer::from(der)).ok_or_else(|| {
                    self.damaged(&format!(
                        "holds as certificate {} something that is none",
                        self.certificates.len() + 1
                    ))
                })?;
                self.certificates.push(certificate);
            }
            SectionKind::PrivateKey => self.keys.push(PrivatePkcs8KeyDer::from(der).into()),
            SectionKind::RsaPrivateKey => self.keys.push(PrivatePkcs1KeyDer::from(der).into()),
            SectionKind::EcPrivateKey => self.keys.push(PrivateSec1KeyDer::from(der).into()),
            SectionKind::Csr => self.request = true,
            SectionKind::PublicKey => self.public_key = true,
            _ => {}
        }
        Ok(())
    }

    /// The certificates, at least one.
    pub(super) fn into_certificates(self) -> Result<Vec<Certificate>, Complaint> {
        if !self.certificates.is_empty() {
            return Ok(self.certificates);
        }
        let shown = &self.shown;
        Err(if self.pkcs7 {
            Complaint::new(
                format!("{shown} holds certificates as PKCS#7, not as PEM certificates"),
                format!("convert it: openssl pkcs7 -in {} -print_certs -out certificate.pem", quoted(shown)),
            )
        } else if self.has_key() {
            Complaint::new(
                format!("{shown} holds a private key, not a certificate"),
                "name the certificate's file here, and keep the key's to `client_key_file`",
            )
        } else if self.request {
            Complaint::new(
                format!("{shown} holds a certificate request, not a certificate"),
                "name the file that came back for the request",
            )
        } else {
            Complaint::new(
                format!("{shown} holds no certificate"),
                "name a file with a -----BEGIN CERTIFICATE----- in it",
            )
        })
    }

    /// The one private key.
    pub(super) fn into_key(mut self) -> Result<PrivateKeyDer<'static>, Complaint> {
        let shown = &self.shown;
        if self.keys.len() > 1 {
            return Err(Complaint::new(
                format!("{shown} holds {} private keys", self.keys.len()),
                "leave only the one of the client certificate",
            ));
        }
        if let Some(key) = self.keys.pop() {
            return Ok(key);
        }
        Err(if self.sealed_key {
            Complaint::new(
                format!("{shown} holds an encrypted private key"),
                format!("decrypt it: openssl pkey -in {} -out decrypted-key.pem", quoted(shown)),
            )
        } else if !self.certificates.is_empty() {
            Complaint::new(
                format!("{shown} holds a certificate, not a private key"),
                "name the file of the key that the certificate was requested with",
            )
        } else if self.public_key {
            Complaint::new(
                format!("{shown} holds a public key, not a private key"),
                "name the file of the private key",
            )
        } else {
            Complaint::new(
                format!("{shown} holds no private key"),
                "name a file with a -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY in it",
            )
        })
    }

    pub(super) fn has_only_a_key(&self) -> bool {
        self.has_key() && self.certificates.is_empty()
    }

    pub(super) fn has_only_certificates(&self) -> bool {
        !self.has_key() && !self.certificates.is_empty()
    }

    fn has_key(&self) -> bool {
        self.sealed_key || !self.keys.is_empty()
    }

    fn damaged(&self, what: &str) -> Complaint {
        Complaint::new(format!("{} {what}", self.shown), "copy the file again, whole and as plain text")
    }
}

fn unread(error: &ReadError, shown: &str) -> Complaint {
    if let ReadError::Io(error) = error
        && error.kind() == io::ErrorKind::NotFound
    {
        let mend = if shown.contains("/~/") {
            "write ${HOME} for ~, which only a shell understands"
        } else {
            "correct the path; a relative one starts from the folder of the configuration file"
        };
        return Complaint::new(format!("{shown} does not exist"), mend);
    }
    Complaint::new(format!("{shown} cannot be read: {error}"), "name a PEM file that this user may read")
}

/// For a file without a single PEM section: most often it has the right thing in another wrapping.
fn no_pem(bytes: &[u8], shown: &str) -> Complaint {
    let input = quoted(shown);
    if bytes.is_empty() {
        Complaint::new(format!("{shown} is empty"), "copy the file again")
    } else if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        Complaint::new(
            format!("{shown} is text in UTF-16, as PowerShell writes it, not PEM"),
            "save it as UTF-8 or ASCII",
        )
    } else if Certificate::read(CertificateDer::from(bytes.to_vec())).is_some() {
        Complaint::new(
            format!("{shown} is a certificate in DER, not in PEM"),
            format!("convert it: openssl x509 -inform der -in {input} -out certificate.pem"),
        )
    } else if is_pkcs12(bytes) {
        Complaint::new(
            format!("{shown} is a PKCS#12 store, not PEM"),
            format!(
                "convert it: openssl pkcs12 -in {input} -nokeys -out certificate.pem, \
                 and openssl pkcs12 -in {input} -nocerts -nodes -out key.pem"
            ),
        )
    } else if bytes.first() == Some(&DER_SEQUENCE) && PrivateKeyDer::try_from(bytes).is_ok() {
        Complaint::new(
            format!("{shown} is a private key in DER, not in PEM"),
            format!("convert it: openssl pkey -inform der -in {input} -out key.pem"),
        )
    } else {
        Complaint::new(format!("{shown} is no PEM file"), "name a file with a -----BEGIN …----- in it")
    }
}

const DER_SEQUENCE: u8 = 0x30;

/// PFX ::= SEQUENCE { version INTEGER 3, … } (RFC 7292): both tags and the version stand in the
/// first bytes, with 0 to 4 bytes of length between.
fn is_pkcs12(bytes: &[u8]) -> bool {
    let lengths = match bytes {
        [DER_SEQUENCE, length, ..] if *length >= 0x80 => usize::from(length & 0x7f),
        [DER_SEQUENCE, ..] => 0,
        _ => return false,
    };
    bytes.get(2 + lengths..).is_some_and(|inside| inside.starts_with(&[0x02, 0x01, 0x03]))
}

fn quoted(path: &str) -> String {
    if path.contains(char::is_whitespace) { format!("\"{path}\"") } else { path.to_owned() }
}
