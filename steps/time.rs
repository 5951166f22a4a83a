//! Time, which only an endpoint of our own lets pass.

use cucumber::{given, when};
use mesh_witness::runner::{MeshWorld, StepResult};

#[when(expr = "{int} days pass at the endpoint")]
async fn days_pass(world: &mut MeshWorld, days: u32) -> StepResult {
    world.step(async |stage| stage.days_pass(days)).await
}

#[given("an endpoint whose time can be moved")]
async fn time_can_be_moved(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.needs_movable_time()).await
}
