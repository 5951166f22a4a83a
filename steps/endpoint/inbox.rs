//! What an inbox must list.

use cucumber::{then, when};
use mesh_witness::runner::{MeshWorld, StepResult};

#[then("the inbox lists the message")]
async fn lists(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.caller().await?.lists_the_message(true)).await
}

#[then("the inbox does not list the message")]
async fn does_not_list(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.caller().await?.lists_the_message(false)).await
}

#[then("the inbox lists what was sent, oldest first")]
async fn lists_all(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.caller().await?.lists_all_sent(None)).await
}

#[then(expr = "the inbox lists what was sent with the workflow ID {string}, oldest first")]
async fn lists_all_of(world: &mut MeshWorld, workflow: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.lists_all_sent(Some(&workflow))).await
}

#[then(expr = "the page has {int} message(s)")]
async fn page_has(world: &mut MeshWorld, count: usize) -> StepResult {
    world.step(async |stage| stage.caller().await?.page_has(count)).await
}

#[when("the one message listed is taken for the report")]
async fn report(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.caller().await?.talk_of_the_only_one_listed()).await
}
