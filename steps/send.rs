//! Sending, and what a send must look like.

use cucumber::{
    gherkin::Step,
    {given, then, when},
};
use mesh_witness::{
    rules,
    runner::{MeshWorld, Role, StepResult},
};

#[when(expr = "the product sends a message of {int} bytes to the counterpart")]
async fn product_sends(world: &mut MeshWorld, size: u64) -> StepResult {
    world.step(async |stage| stage.send(Role::Product, size, false).await).await
}

#[when(expr = "the product sends a compressed message of {int} bytes to the counterpart")]
async fn product_sends_compressed(world: &mut MeshWorld, size: u64) -> StepResult {
    world.step(async |stage| stage.send(Role::Product, size, true).await).await
}

#[given(expr = "the counterpart has sent a message of {int} bytes to the product")]
async fn counterpart_has_sent(world: &mut MeshWorld, size: u64) -> StepResult {
    counterpart_sends(world, size, false).await
}

#[given(expr = "the counterpart has sent a compressed message of {int} bytes to the product")]
async fn counterpart_has_sent_compressed(world: &mut MeshWorld, size: u64) -> StepResult {
    counterpart_sends(world, size, true).await
}

async fn counterpart_sends(world: &mut MeshWorld, size: u64, compress: bool) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        stage.send(Role::Counterpart, size, compress).await?;
        stage.message_accepted()
    };
    world.step(step).await
}

#[then("MESH accepts the message and gives it a message ID")]
async fn message_accepted(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.message_accepted()).await
}

#[then("the message was sent with these headers")]
async fn sent_with_headers(world: &mut MeshWorld, step: &Step) -> StepResult {
    let rows = step.table.iter().flat_map(|table| &table.rows);
    let names: Vec<&str> = rows.flatten().map(String::as_str).collect();
    world.step(async |stage| rules::headers_sent(&*stage.send_exchange()?, &names)).await
}

#[then("the message was sent without compression")]
async fn sent_without_compression(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| rules::no_compression_declared(&*stage.send_exchange()?)).await
}

#[then("the message was sent compressed with gzip")]
async fn sent_compressed(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| rules::compression_declared(&*stage.send_exchange()?)).await
}
