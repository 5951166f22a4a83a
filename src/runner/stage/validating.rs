//! Handshakes: once a run and mailbox, whoever needs one.

use std::sync::Arc;

use super::{Ask, Fault, Role, Stage};
use crate::{rules, tape::Exchange};

impl Stage {
    /// Validates a mailbox, unless this run has done so: once in 24 hours is what MESH asks for, and
    /// assessors have taken exception to bursts.
    ///
    /// # Errors
    /// When the handshake is not accepted. A mailbox pair that is shared is not used any further then.
    pub async fn validate(&mut self, role: Role) -> Result<(), Fault> {
        let seat = match role {
            Role::Product => &self.lease.product,
            Role::Counterpart => &self.lease.counterpart,
        };
        if let Some(earlier) = seat.validated.clone() {
            self.look(&earlier);
            return Ok(());
        }
        let handshake = match role {
            Role::Product => self.product_handshake().await?,
            Role::Counterpart => self.counterpart.handshake().await.exchange,
        };
        let mut result = rules::handshake_accepted(&handshake, &self.setting.tape.exchanges());
        if result.is_err() && handshake.status() == Some(403) && role == Role::Product {
            // Whether the other mailbox fares better tells a wrong password from a wrong shared key.
            self.counterpart.handshake().await;
            result = rules::handshake_accepted(&handshake, &self.setting.tape.exchanges());
        }
        match result {
            Ok(()) => {
                let seat = match role {
                    Role::Product => &mut self.lease.product,
                    Role::Counterpart => &mut self.lease.counterpart,
                };
                seat.validated = Some(Arc::clone(&handshake));
                if let Some(staging) = self.staging() {
                    staging.validated(role, &handshake);
                }
                if role == Role::Product { self.stands_by_it() } else { Ok(()) }
            }
            Err(fault) => Err(self.give_up(fault)),
        }
    }

    async fn product_handshake(&mut self) -> Result<Arc<Exchange>, Fault> {
        let made = self.ask(Ask::Handshake).await.and_then(|acts| rules::handshake_of(&acts));
        made.map_err(|fault| self.give_up(fault))
    }

    /// A mailbox that cannot be validated is of no use to the scenarios that follow.
    fn give_up(&mut self, fault: Fault) -> Fault {
        let why = format!("not played, since in case {} {}", self.label, fault.what);
        if let Some(staging) = self.staging() {
            staging.unusable(&why);
        }
        self.lease.unusable = Some(why);
        fault
    }
}
