//! Downloading, and whether what arrived is what was sent.

use cucumber::{then, when};
use mesh_witness::{
    rules,
    runner::{MeshWorld, StepResult},
};

#[when("the counterpart collects the message")]
async fn counterpart_collects(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.counterpart_collects().await).await
}

#[when("the product receives the message")]
async fn product_receives(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_receives(false).await).await
}

#[when("the product receives the message compressed")]
async fn product_receives_compressed(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_receives(true).await).await
}

#[then("the message was downloaded compressed with gzip")]
async fn downloaded_compressed(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| rules::download_compressed(&*stage.download_exchange()?)).await
}

#[then("the payload that arrived is the payload that was sent")]
async fn payload_arrived_unaltered(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.payload_unaltered()).await
}

#[then("the download gave the payload that was sent")]
async fn payload_downloaded_unaltered(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.payload_unaltered()).await
}
