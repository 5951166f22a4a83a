//! Reports on messages that were not delivered.

use cucumber::{given, then, when};
use mesh_witness::runner::{MeshWorld, StepResult};

#[given(expr = "the product has sent a message of {int} bytes to a mailbox that nobody polls")]
async fn product_has_sent(world: &mut MeshWorld, size: u64) -> StepResult {
    world.step(async |stage| stage.product_has_sent_to_dormant(size).await).await
}

#[when("nobody has collected it for five days")]
async fn five_days_have_passed(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.five_days_have_passed()).await
}

#[when("the product looks for a report on it")]
async fn product_takes_report(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_takes_report().await).await
}

#[then("the report says that the message was not delivered")]
async fn report_says_undelivered(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.report_says_undelivered()).await
}

#[then("the report was acknowledged directly after its download")]
async fn report_acknowledged(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.report_acknowledged_directly()).await
}
