//! What MESH says no to.

use cucumber::{given, then, when};
use mesh_witness::runner::{MeshWorld, StepResult};

#[given("the product's mailbox has been disabled")]
async fn mailbox_disabled(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.disable_product_mailbox().await).await
}

#[then("the product's mailbox is enabled again")]
async fn mailbox_enabled(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.enable_product_mailbox().await).await
}

#[when("the product tries to check its inbox")]
async fn product_tries_its_inbox(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_tries_its_inbox().await).await
}

#[when(expr = "the product sends a message of {int} bytes to a mailbox that nobody has")]
async fn product_sends_to_nobody(world: &mut MeshWorld, size: u64) -> StepResult {
    world.step(async |stage| stage.product_sends_to_nobody(size).await).await
}

#[when("the product downloads a message that does not exist")]
async fn product_downloads_nothing(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_downloads_nothing().await).await
}

#[when("the product downloads the message again")]
async fn product_downloads_again(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_downloads_again().await).await
}

#[then(expr = "MESH answers with {int}")]
async fn answered(world: &mut MeshWorld, status: u16) -> StepResult {
    world.step(async |stage| stage.was_refused(status)).await
}

#[then("MESH refuses the message with 417, since its recipient is not registered")]
async fn recipient_refused(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.recipient_was_refused()).await
}

#[then("the product copes with the refusal")]
async fn product_copes(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_copes()).await
}

#[then("the product takes the report on it, where there is one")]
async fn product_takes_report(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_takes_report_on_refusal().await).await
}
