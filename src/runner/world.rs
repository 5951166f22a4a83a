//! cucumber's World: the stage on which one scenario is played, and what stopped it.

use cucumber::World;

use super::{Fault, FaultKind, Outcome, Stage};

/// The state of one scenario. Step definitions act only through [`MeshWorld::step`].
#[derive(Debug, Default, World)]
pub struct MeshWorld {
    pub(super) stage: Option<Stage>,
    pub(super) fault: Option<Fault>,
    /// How the scenario ends when that is nobody's fault.
    pub(super) ending: Option<Outcome>,
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
                Some(reason) => Err(stage.not_run(reason)),
                None => action(stage).await,
            },
            None => Err(self.fault.clone().unwrap_or_else(unset)),
        };
        if let Err(fault) = &result {
            self.fault = Some(fault.clone());
            self.ending = self.stage.as_mut().and_then(Stage::take_ending);
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
