//! The stage of a scenario that judges an endpoint.

use std::sync::Arc;

use super::{Caller, Fault, FaultKind, OwnEndpoint, Role, Stage};

impl Stage {
    /// Whoever makes any call, for judging an endpoint. On mailboxes that are shared, both are validated
    /// first, once in a run: a password that is wrong must not look like an endpoint that is.
    ///
    /// # Errors
    /// When a mailbox that is shared is not let in.
    pub async fn caller(&mut self) -> Result<&mut Caller, Fault> {
        self.setting.ledger.by_hand(self.scenario);
        if self.caller.is_none() && self.setting.takes_turns() {
            for role in [Role::Product, Role::Counterpart] {
                // Nothing but the configuration is to blame for a product that is our own.
                let ours = |fault: Fault| match fault.kind {
                    FaultKind::Product => Fault { kind: FaultKind::Configuration, ..fault },
                    _ => fault,
                };
                self.validate(role).await.map_err(ours)?;
            }
        }
        let own = self.own_endpoint().map(OwnEndpoint::mailroom).map(Arc::clone);
        let seats = [&self.lease.product, &self.lease.counterpart];
        let (setting, scenario) = (Arc::clone(&self.setting), self.scenario);
        Ok(self.caller.get_or_insert_with(|| Caller::new(setting, scenario, seats, own)))
    }

    /// Leaves the mailboxes as they were found, as far as this scenario has filled them.
    pub(super) async fn close(self) {
        if let (true, Some(caller)) = (self.setting.takes_turns(), self.caller) {
            caller.tidy_up().await;
        }
    }
}
