//! cucumber's World: the stage on which one scenario is played, and what stopped it.

use cucumber::World;

use super::{Fault, FaultKind, Stage};

/// The state of one scenario. Step definitions act only through [`MeshWorld::step`].
#[derive(Debug, Default, World)]
pub struct MeshWorld {
    pub(super) stage: Option<Stage>,
    pub(super) fault: Option<Fault>,
    pub(super) not_run: Option<String>,
}

/// What a step definition returns.
pub type StepResult = Result<(), Fault>;

impl MeshWorld {
    /// Plays one step. A fault is kept for the record; the scenario ends with it.
    ///
    /// # Errors
    /// The fault.
    pub async fn step(&mut self, action: impl AsyncFnOnce(&mut Stage) -> StepResult) -> StepResult {
        let result = match &mut self.stage {
            Some(stage) => match stage.unusable() {
                Some(reason) => {
                    self.not_run = Some(reason.clone());
                    Err(Fault::new(
                        FaultKind::Harness,
                        reason,
                        "Mend what stopped the earlier scenario first.",
                    ))
                }
                None => action(stage).await,
            },
            None => Err(self.fault.clone().unwrap_or_else(unset)),
        };
        if let Err(fault) = &result {
            self.fault = Some(fault.clone());
        }
        result
    }
}

fn unset() -> Fault {
    Fault::new(
        FaultKind::Harness,
        "the scenario was not set up",
        "This is a fault of mesh-witness: please report it.",
    )
}
