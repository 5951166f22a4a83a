//! Certificates that no client should trust, each for one reason alone.

use std::{fmt, sync::Arc};

use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::NoServerSessionStorage,
};

use super::{Pki, PkiError, leaf_params, params, private_key, valid};
use crate::emulator::faults::AnyAuthority;

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untrusted {
    /// An authority has issued it that the client was not given.
    OtherAuthority,
    /// Nobody vouches for it but itself.
    SelfSigned,
    /// It names another host.
    OtherHost,
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// It is for clients, by its extended key usage: as every supplier has one of the same authority.
    NotForServers,
}

impl Untrusted {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::OtherAuthority,
        Self::SelfSigned,
        Self::OtherHost,
        Self::Expired,
        Self::NotYetValid,
        Self::NotForServers,
    ];
}

impl fmt::Display for Untrusted {
    /// After "a certificate".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherAuthority => "of another authority",
            Self::SelfSigned => "signed by itself",
            Self::OtherHost => "for another host",
            Self::Expired => "that has expired",
            Self::NotYetValid => "that is not valid yet",
            Self::NotForServers => "for clients alone",
        })
    }
}

/// A name that nobody calls (RFC 2606).
const ANOTHER_HOST: &str = "another-host.example";

impl Pki {
    /// What a server needs that presents such a certificate, and the certificate. Whoever stands in MESH's
    /// place asks for no client certificate in particular, and goes on with whoever comes.
    pub(in crate::emulator) fn untrusted(
        &self,
        wrong: Untrusted,
    ) -> Result<(ServerConfig, CertificateDer<'static>), PkiError> {
        let (chain, key) = self.presented(wrong)?;
        // There is always one; an empty one shows itself as unreadable.
        let certificate = chain.first().cloned().unwrap_or_else(|| CertificateDer::from(Vec::new()));
        let mut config = open(chain, key)?;
        // A session that is resumed shows no certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok((config, certificate))
    }

    /// What a server needs that has the endpoint's own certificate, and takes whoever comes.
    pub(in crate::emulator) fn open(&self) -> Result<ServerConfig, PkiError> {
        open(self.server.chain.clone(), self.server.key.clone_key())
    }

    /// Chain and key. Everything but what is wrong is as in the certificate that the server has.
    fn presented(
        &self,
        wrong: Untrusted,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), PkiError> {
        let names = match wrong {
            Untrusted::OtherHost => vec![ANOTHER_HOST.to_owned()],
            _ => self.names.clone(),
        };
        let common_name = if wrong == Untrusted::OtherHost { ANOTHER_HOST } else { &self.common_name };
        let purpose = match wrong {
            Untrusted::NotForServers => ExtendedKeyUsagePurpose::ClientAuth,
            _ => ExtendedKeyUsagePurpose::ServerAuth,
        };
        let mut params = leaf_params(common_name, names, purpose)?;
        match wrong {
            Untrusted::Expired => valid(&mut params, -30, -2),
            Untrusted::NotYetValid => valid(&mut params, 2, 366),
            _ => {}
        }
        let key = KeyPair::generate()?;
        let chain = match wrong {
            Untrusted::SelfSigned => {
                params.use_authority_key_identifier_extension = false;
                vec![params.self_signed(&key)?.der().clone()]
            }
            Untrusted::OtherAuthority => {
                // With its root, as whoever has made one up would send it.
                let (other, root) = authority("somebody else's CA")?;
                vec![params.signed_by(&key, &other)?.der().clone(), root]
            }
            _ => vec![params.signed_by(&key, &self.authority)?.der().clone()],
        };
        Ok((chain, private_key(&key)))
    }
}

/// A server that asks for a client certificate, and takes any or none.
fn open(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, PkiError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = AnyAuthority { provider: Arc::clone(&provider), mandatory: false };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// An authority that nobody was given.
fn authority(name: &str) -> Result<(Issuer<'static, KeyPair>, CertificateDer<'static>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = params(name, Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?.der().clone();
    Ok((Issuer::new(params, key), certificate))
}

#[cfg(test)]
mod tests {
    use rustls::{
        CertificateError, Error, RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        pki_types::{ServerName, UnixTime},
    };

    use super::*;

    /// What a client says that is given the authority, and calls 127.0.0.1.
    fn said(pki: &Pki, chain: &[CertificateDer<'static>], host: &str) -> Result<(), CertificateError> {
        let mut roots = RootCertStore::empty();
        roots.add(pki.authority()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        match verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::now()) {
            Ok(_) => Ok(()),
            Err(Error::InvalidCertificate(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_is_wrong_in_its_own_way_and_in_no_other() {
        let pki = Pki::new().unwrap();
        assert_eq!(said(&pki, &[pki.server_certificate()], "127.0.0.1"), Ok(()));
        for wrong in Untrusted::ALL {
            let (chain, _) = pki.presented(wrong).unwrap();
            let said = said(&pki, &chain, "127.0.0.1").unwrap_err();
            let as_expected = match wrong {
                Untrusted::OtherAuthority | Untrusted::SelfSigned => said == CertificateError::UnknownIssuer,
                Untrusted::OtherHost => matches!(said, CertificateError::NotValidForNameContext { .. }),
                Untrusted::Expired => matches!(said, CertificateError::ExpiredContext { .. }),
                Untrusted::NotYetValid => matches!(said, CertificateError::NotValidYetContext { .. }),
                Untrusted::NotForServers => matches!(said, CertificateError::InvalidPurposeContext { .. }),
            };
            assert!(as_expected, "{wrong}: {said:?}");
        }
        let (chain, _) = pki.presented(Untrusted::OtherHost).unwrap();
        assert_eq!(said(&pki, &chain, ANOTHER_HOST), Ok(()), "it is good for that host");
        let (chain, _) = pki.presented(Untrusted::OtherAuthority).unwrap();
        let mut other = RootCertStore::empty();
        other.add(chain[1].clone()).unwrap();
        assert_eq!(chain.len(), 2, "with the root of whoever has issued it");
    }
}
