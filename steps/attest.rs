//! What a person attests.

use cucumber::then;
use mesh_witness::runner::{MeshWorld, StepResult};

#[then(regex = "^a named person attests that .+$")]
async fn attested(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.attested()).await
}
