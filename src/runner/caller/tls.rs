//! Connections that a good client would not make.

use std::sync::Arc;

use super::{Caller, Fault, Side, misplaced, scope};
use crate::{
    client::{AnyClient, Identity, OldTls, Target, TlsParts, TlsVersions},
    emulator::Pki,
    protocol::MailboxId,
    runner::Role,
    tape::FailureKind,
};

/// How a client connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVariant {
    /// Without a client certificate.
    NoCertificate,
    /// With the certificate that it should have, but of an authority that the endpoint does not know.
    ForeignAuthority,
    /// With the other mailbox's certificate.
    OtherMailbox,
    /// With the right certificate, and nothing newer than TLS 1.2.
    Only12,
}

impl Caller {
    /// Has a mailbox's client connect in another way from now on.
    ///
    /// # Errors
    /// When the endpoint is not our own emulator, whose authority alone makes certificates here.
    pub fn connect_by(&mut self, role: Role, variant: TlsVariant) -> Result<(), Fault> {
        let side = Side::from(role);
        let missing = || {
            misplaced("only our own emulator makes certificates: tag the scenario @emulator-only".to_owned())
        };
        let pki = Arc::clone(&self.setting.emulated_by().ok_or_else(missing)?.pki);
        let named = if variant == TlsVariant::OtherMailbox { side.other() } else { side };
        let mailbox = MailboxId::parse(&self.mailbox(named)).map_err(|error| misplaced(error.to_string()))?;
        let scope = scope(&self.setting, self.scenario, side);
        let calling = self.side(side)?;
        let (origin, timeouts) = (calling.target.origin().clone(), calling.target.timeouts());
        let target = Target::later(origin, timeouts, move || {
            let said = |error: crate::emulator::PkiError| error.to_string();
            let client = match variant {
                TlsVariant::NoCertificate => None,
                TlsVariant::ForeignAuthority => {
                    Some(Pki::new().map_err(said)?.client(&mailbox).map_err(said)?)
                }
                _ => Some(pki.client(&mailbox).map_err(said)?),
            };
            Ok(TlsParts {
                authorities: vec![pki.authority()],
                identity: client.map(|client| Identity { chain: client.chain, key: client.key }),
                versions: if variant == TlsVariant::Only12 { TlsVersions::Only12 } else { TlsVersions::Both },
            })
        });
        calling.client = AnyClient::new(target, scope);
        Ok(())
    }

    /// Offers an old version of TLS and nothing else.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn offer_old_tls(&mut self, role: Role, version: OldTls) -> Result<(), Fault> {
        let exchange = self.side(role.into())?.client.offer_old_tls(version).await.exchange;
        let refused = matches!(&exchange.failure, Some(failure) if failure.kind == FailureKind::Tls);
        self.answer = Some(Arc::clone(&exchange));
        match &exchange.failure {
            Some(_) if !refused => Err(crate::rules::diagnose(&exchange, "an alert", "RFC 8996", &[])),
            _ => Ok(()),
        }
    }

    /// Makes a call that TLS may refuse: that is then what the scenario asks about.
    ///
    /// # Errors
    /// When it fails for another reason than the client's certificate.
    pub async fn try_to_check_inbox(&mut self, role: Role) -> Result<(), Fault> {
        match self.check_inbox(role, "").await {
            Err(fault)
                if self.answer.as_ref().is_none_or(|answer| !crate::rules::endpoint::tls_refused(answer)) =>
            {
                Err(fault)
            }
            _ => Ok(()),
        }
    }
}
