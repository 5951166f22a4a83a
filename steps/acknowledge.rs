//! Acknowledging.

use cucumber::then;
use mesh_witness::runner::{MeshWorld, StepResult};

#[then("the acknowledgement came directly after the download")]
async fn acknowledged_directly(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.acknowledged_directly()).await
}
