//! Checking an inbox.

use cucumber::{then, when};
use mesh_witness::runner::{MeshWorld, Role, StepResult};

#[when("the product checks its inbox")]
async fn product_checks_inbox(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_checks_inbox().await).await
}

#[then("the inbox check came directly after the send")]
async fn inbox_checked_directly(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.inbox_checked_directly()).await
}

#[then("the inbox listed the message")]
async fn inbox_listed_message(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.message_was_listed()).await
}

#[then("the message is gone from the product's inbox")]
async fn gone_from_product(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.message_is_gone(Role::Product).await).await
}

#[then("the message is gone from the counterpart's inbox")]
async fn gone_from_counterpart(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.message_is_gone(Role::Counterpart).await).await
}
