//! Time, which only an endpoint of our own lets pass.

use cucumber::when;
use mesh_witness::runner::{MeshWorld, StepResult};

#[when(expr = "{int} days pass at the endpoint")]
async fn days_pass(world: &mut MeshWorld, days: u32) -> StepResult {
    world.step(async |stage| stage.days_pass(days)).await
}
