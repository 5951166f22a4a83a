//! Validating a mailbox.

use cucumber::given;
use mesh_witness::runner::{MeshWorld, Role, StepResult};

#[given("a mailbox for the product and another for an independent counterpart")]
async fn two_mailboxes(world: &mut MeshWorld) -> StepResult {
    // Setting the scenario up has leased them; a scenario without them stops here.
    world.step(async |_| Ok(())).await
}

#[given("the product has validated its mailbox within the last 24 hours")]
async fn product_validated(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.validate(Role::Product).await).await
}
