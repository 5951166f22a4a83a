//! The local certificate authority in its folder: made once, so that the product need be told only once.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use thiserror::Error;

use crate::{
    emulator::{Pki, PkiError},
    protocol::MailboxId,
    tape::CertificateFacts,
};

/// What the proxy presents to the product, and from whom the product's own certificate may be.
pub struct Authority {
    /// Whom the product must trust.
    pub certificate: CertificateDer<'static>,
    /// The proxy's certificate chain, leaf first.
    pub server: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub server_key: PrivateKeyDer<'static>,
    /// Whether it was made now, and not found.
    pub is_new: bool,
}

/// Why there is no authority.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// It could not be made or written.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Some of its files are there and some are not.
    #[error("{}: {missing} is missing; empty the folder, and all files are made anew, or name another", folder.display())]
    Incomplete {
        /// Where.
        folder: PathBuf,
        /// Which.
        missing: &'static str,
    },
    /// A file is not what it should be.
    #[error("{}: {why}; empty the folder, and all files are made anew, or name another", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

const FILES: [&str; 5] = ["ca.pem", "server.pem", "server-key.pem", "product.pem", "product-key.pem"];

impl Authority {
    /// The authority in `folder`, with a server certificate for `names`; made when the folder holds
    /// nothing of one. The authority's own key is never written.
    ///
    /// Its files: `ca.pem`, `server.pem`, `server-key.pem`, and for a product that has no certificate
    /// `product.pem` and `product-key.pem`, named after the mailbox. Keys are for their owner only.
    ///
    /// # Errors
    /// When files are missing, damaged, out of date or for other names, or cannot be written.
    pub fn open(folder: &Path, names: &[String], mailbox: &MailboxId) -> Result<Self, AuthorityError> {
        let missing: Vec<&'static str> =
            FILES.into_iter().filter(|name| !folder.join(name).exists()).collect();
        let is_new = missing.len() == FILES.len();
        match missing.first() {
            Some(missing) if !is_new => {
                return Err(AuthorityError::Incomplete { folder: folder.to_owned(), missing });
            }
            Some(_) => {
                let common_name = names.first().map_or("localhost", String::as_str);
                let pki = Pki::named(CertificateFacts::RECORDER, common_name, names.to_vec())?;
                pki.write_with_server(folder, "product", mailbox)?;
            }
            None => {}
        }
        let read = Self::read(folder, is_new)?;
        read.check(&folder.join("server.pem"), names)?;
        Ok(read)
    }

    fn read(folder: &Path, is_new: bool) -> Result<Self, AuthorityError> {
        let certificate = |name: &str| {
            let path = folder.join(name);
            CertificateDer::from_pem_file(&path).map_err(|error| unusable(path, error))
        };
        let path = folder.join("server-key.pem");
        let server_key = PrivateKeyDer::from_pem_file(&path).map_err(|error| unusable(path, error))?;
        Ok(Self {
            certificate: certificate("ca.pem")?,
            server: vec![certificate("server.pem")?],
            server_key,
            is_new,
        })
    }

    /// Whether a client that trusts the authority would take the server certificate for these names.
    fn check(&self, path: &Path, names: &[String]) -> Result<(), AuthorityError> {
        let wrong = |why: String| unusable(path.to_owned(), why);
        let mut roots = RootCertStore::empty();
        roots
            .add(self.certificate.clone())
            .map_err(|error| wrong(format!("its authority is unusable: {error}")))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let leaf = self.server.first().ok_or_else(|| wrong("it holds no certificate".to_owned()))?;
        for name in names {
            let server_name = ServerName::try_from(name.clone())
                .map_err(|_| wrong(format!("{name} is no name of a server")))?;
            verifier
                .verify_server_cert(leaf, &[], &server_name, &[], UnixTime::now())
                .map_err(|error| wrong(format!("it does not do for {name}: {error}")))?;
        }
        Ok(())
    }
}

fn unusable(path: PathBuf, why: impl ToString) -> AuthorityError {
    AuthorityError::Unusable { path, why: why.to_string() }
}

/// Reads the certificates of a PEM file of at most 1 MiB.
///
/// # Errors
/// When it cannot be read, or holds none.
pub fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    if std::fs::metadata(path)?.len() > 1 << 20 {
        return Err(io::Error::other("is larger than 1 MiB"));
    }
    let text = std::fs::read(path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(io::Error::other("holds no certificate in PEM")),
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn open(folder: &Path, names: &[String]) -> Result<Authority, String> {
        let mailbox = MailboxId::parse("X26HC005").unwrap();
        Authority::open(folder, names, &mailbox).map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let names = names(&["msg.intspineservices.nhs.uk", "localhost", "127.0.0.1"]);
        let made = open(folder.path(), &names).unwrap();
        let found = open(folder.path(), &names).unwrap();
        assert!(made.is_new && !found.is_new);
        assert_eq!((made.certificate, made.server), (found.certificate, found.server));
        let mut files: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["ca.pem", "product-key.pem", "product.pem", "server-key.pem", "server.pem"]);
        #[cfg(unix)]
        for key in ["server-key.pem", "product-key.pem"] {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(folder.path().join(key)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn one_that_does_not_do_is_refused_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path(), &names(&["localhost"])).unwrap();
        let before = fs::read(folder.path().join("server.pem")).unwrap();
        let error = open(folder.path(), &names(&["localhost", "mesh.example"])).err().unwrap();
        assert!(
            error.contains("it does not do for mesh.example") && error.contains("empty the folder"),
            "{error}"
        );
        fs::remove_file(folder.path().join("product-key.pem")).unwrap();
        let error = open(folder.path(), &names(&["localhost"])).err().unwrap();
        assert!(error.contains("product-key.pem is missing"), "{error}");
        assert_eq!(fs::read(folder.path().join("server.pem")).unwrap(), before);
        fs::write(folder.path().join("product-key.pem"), "x").unwrap();
        fs::write(folder.path().join("server-key.pem"), "x").unwrap();
        assert!(open(folder.path(), &names(&["localhost"])).err().unwrap().contains("server-key.pem"));
    }
}
