//! More messages than one look at the inbox lists.

use cucumber::{given, then, when};
use mesh_witness::runner::{MeshWorld, StepResult};

#[given(expr = "the counterpart has sent {int} messages of {int} bytes to the product")]
async fn counterpart_has_sent_many(world: &mut MeshWorld, count: u64, size: u64) -> StepResult {
    world.step(async |stage| stage.counterpart_sends_many(count, size).await).await
}

#[when("the product works its inbox off")]
async fn product_works_off(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_works_inbox_off().await).await
}

#[then("it took 500 messages after the first look, and the rest after further looks")]
async fn worked_off_in_pages(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.worked_off_in_pages()).await
}

#[then("each message was downloaded once, unaltered, and acknowledged in the call that followed")]
async fn each_collected_once(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.each_collected_once()).await
}
