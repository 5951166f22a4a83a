//! Messages in chunks.

use cucumber::{given, then, when};
use mesh_witness::runner::{MeshWorld, Role, StepResult};

#[given(regex = "^the counterpart has sent a large( compressed)? message in chunks to the product$")]
async fn counterpart_has_sent(world: &mut MeshWorld, compressed: String) -> StepResult {
    world.step(async |stage| stage.send_in_chunks(Role::Counterpart, !compressed.is_empty()).await).await
}

#[when(regex = "^the product sends a large( compressed)? message in chunks to the counterpart$")]
async fn product_sends(world: &mut MeshWorld, compressed: String) -> StepResult {
    world.step(async |stage| stage.send_in_chunks(Role::Product, !compressed.is_empty()).await).await
}

#[then("each chunk was compressed with gzip by itself")]
async fn sent_each_compressed(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.sent_each_compressed()).await
}

#[then("the chunks were downloaded compressed with gzip")]
async fn downloaded_each_compressed(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.downloaded_each_compressed()).await
}

#[then("the message was sent in chunks, up to the final block")]
async fn sent_in_chunks(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.sent_in_chunks().await).await
}

#[then("the product downloaded every chunk of it, and the whole is what was sent")]
async fn product_holds_whole(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.whole_unaltered(Role::Product).await).await
}

#[then("the counterpart downloaded every chunk of it, and the whole is what was sent")]
async fn counterpart_holds_whole(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.whole_unaltered(Role::Counterpart).await).await
}
