//! What a product does when things are hard.

use cucumber::then;
use mesh_witness::runner::{MeshWorld, Stage, StepResult};

/// A step that finds nothing worse than a warning.
async fn warning(world: &mut MeshWorld, judge: fn(&Stage)) -> StepResult {
    let step = async |stage: &mut Stage| {
        judge(stage);
        Ok(())
    };
    world.step(step).await
}

#[then("the product does not call again and again")]
async fn no_storm(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.did_not_storm()).await
}

#[then("the product waits as long as it was asked to")]
async fn waits(world: &mut MeshWorld) -> StepResult {
    warning(world, Stage::waited_as_told).await
}

#[then("the product does not take the failure for a success")]
async fn noticed(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.noticed()).await
}

#[then("the product sends nothing to whoever that is")]
async fn no_trust(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.sent_nothing_to_impostor()).await
}

#[then("the product does not follow with its token or in the clear")]
async fn not_elsewhere(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.stayed_with_mesh()).await
}

#[then("the product does not blindly send it again")]
async fn sent_with_care(world: &mut MeshWorld) -> StepResult {
    warning(world, Stage::sent_with_care).await
}

#[then("the product waits for the answer")]
async fn waited(world: &mut MeshWorld) -> StepResult {
    warning(world, Stage::waited_for_answers).await
}

#[then("the product sends no further chunk")]
async fn no_further_chunk(world: &mut MeshWorld) -> StepResult {
    warning(world, Stage::stopped_sending_chunks).await
}

#[then("the message is sent")]
async fn sent(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.sent_in_the_end().await).await
}

#[then("the counterpart has the message once")]
async fn arrived_once(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.arrived_once().await).await
}

#[then("the product has acknowledged nothing that it had not downloaded whole")]
async fn acknowledged_only_whole(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.acknowledged_only_whole()).await
}

#[then("the product has taken everything that waited")]
async fn took_everything(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.took_everything()).await
}

#[then("the product has taken everything but the second message")]
async fn took_everything_else(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.took_everything_else()).await
}

#[then("the product has the message whole, chunk by chunk")]
async fn whole_in_the_end(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.whole_in_the_end().await).await
}
