//! The stage of a scenario that has an endpoint to itself (`@own-endpoint`), and how a scenario ends
//! that cannot be played.

use chrono::{TimeDelta, Utc};

use super::{
    Fault, FaultKind, Outcome, OwnEndpoint, Role, Stage,
    emulated::Emulated,
    setting::{Lease, Remark},
    stage::client,
};
use crate::{
    emulator::{Arrangement, NoSuchTime},
    product::Product,
};

impl Stage {
    /// The endpoint that the scenario has to itself: its clock and its mailroom. `None` when the run is
    /// played against an endpoint that is not ours, whatever the scenario's tags say.
    #[must_use]
    pub fn own_endpoint(&self) -> Option<&OwnEndpoint> {
        match &self.lease {
            Lease::Alone(_, endpoint) => Some(endpoint),
            Lease::Own(_) | Lease::Shared(_) => None,
        }
    }

    /// The same, for a step that can do nothing without it.
    ///
    /// # Errors
    /// The scenario is not run, when the endpoint is not ours; a fault of the feature file, when it is
    /// and the scenario lacks the tag.
    pub fn demand_own_endpoint(&mut self) -> Result<&OwnEndpoint, Fault> {
        match &self.lease {
            Lease::Shared(_) => {
                Err(self.not_run("an endpoint of mesh-witness's own is needed, and this one is not ours"))
            }
            Lease::Own(_) => Err(untagged()),
            Lease::Alone(..) => self.own_endpoint().ok_or_else(untagged),
        }
    }

    /// Starts the scenario's endpoint anew, empty, with switches, workflows and mailboxes as arranged.
    /// The scenario's own mailboxes are there besides, with their IDs. For a scenario's beginning: what
    /// lay in mailboxes is gone, and so are connections.
    ///
    /// # Errors
    /// As [`Stage::demand_own_endpoint`]; and when the endpoint does not start.
    pub async fn arrange(&mut self, arrangement: Arrangement) -> Result<(), Fault> {
        self.demand_own_endpoint()?;
        if self.is_driven() {
            return Err(self.not_run("the endpoint is arranged for the reference client only"));
        }
        let emulated = self.setting.emulated_by().ok_or_else(untagged)?;
        let (pair, endpoint) =
            Emulated::alone(emulated, self.scenario, arrangement).await.map_err(|error| {
                Fault::new(
                    FaultKind::Harness,
                    error.to_string(),
                    "This is a fault of mesh-witness: please report it.",
                )
            })?;
        self.setting.ledger.anew(&pair.product.credentials.mailbox, Utc::now());
        self.lease = Lease::Alone(Box::new(pair), endpoint);
        let product = client(&self.setting, self.scenario, &self.lease, Role::Product);
        self.product = Product::Reference(Box::new(product));
        self.counterpart = client(&self.setting, self.scenario, &self.lease, Role::Counterpart);
        Ok(())
    }

    /// Lets days pass at the scenario's endpoint.
    ///
    /// # Errors
    /// As [`Stage::demand_own_endpoint`]; and when the clock cannot be moved as far as that.
    pub fn days_pass(&mut self, days: u32) -> Result<(), Fault> {
        let moved = self.demand_own_endpoint()?.clock().move_by(TimeDelta::days(i64::from(days)));
        moved.map_err(|error| immovable(&error))
    }

    /// Ends the scenario without blame: it cannot be played, and why. Return what this gives.
    pub fn not_run(&mut self, reason: impl Into<String>) -> Fault {
        self.end(Outcome::NotRun(reason.into()))
    }

    /// Ends the scenario without blame: it does not concern this product or this endpoint, and why.
    /// Return what this gives.
    pub fn not_applicable(&mut self, reason: impl Into<String>) -> Fault {
        self.end(Outcome::NotApplicable(reason.into()))
    }

    fn end(&mut self, outcome: Outcome) -> Fault {
        let reason = outcome.reason().unwrap_or_default().to_owned();
        self.ending = Some(outcome);
        Fault::new(FaultKind::Harness, reason, "Nothing is wrong; what is missing is said above.")
    }

    /// The step passes, and the scenario has a warning: it is not as it should be.
    pub fn warn(&self, fault: Fault) {
        self.setting.ledger.remark(self.scenario, Remark::Warning(fault));
    }

    /// Says in the report, at this step, what was measured.
    pub fn note(&self, text: impl Into<String>) {
        self.setting.ledger.remark(self.scenario, Remark::Note(text.into()));
    }

    pub(super) fn take_ending(&mut self) -> Option<Outcome> {
        self.ending.take()
    }
}

/// Of steps that let time pass.
pub(super) fn immovable(error: &NoSuchTime) -> Fault {
    let remedy = "Let fewer days pass in the feature file: in all no more than some thousands.";
    Fault::new(FaultKind::Configuration, error.to_string(), remedy)
}

fn untagged() -> Fault {
    Fault::new(
        FaultKind::Configuration,
        "this step moves time or changes the endpoint, and the scenario shares its endpoint with others",
        "Add the tag @own-endpoint to the scenario.",
    )
}
