//! What is said of the calls that follow, before they are made.

use cucumber::given;
use mesh_witness::runner::{Body, MeshWorld, Mistake, Stage, StepResult};

use super::unknown;

#[given("a sender and a receiver, each with a mailbox")]
async fn two_sides(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.caller().await.map(drop)).await
}

#[given(expr = "answers are asked for in {word}")]
async fn in_version(world: &mut MeshWorld, version: String) -> StepResult {
    let say = async |stage: &mut Stage| {
        stage.caller().await?.ask_for_version(&version);
        Ok(())
    };
    world.step(say).await
}

#[given("answers are asked for in no version")]
async fn in_no_version(world: &mut MeshWorld) -> StepResult {
    let say = async |stage: &mut Stage| {
        stage.caller().await?.ask_for_version("no version");
        Ok(())
    };
    world.step(say).await
}

#[given(expr = "answers are asked for as {string}")]
async fn accepting(world: &mut MeshWorld, accept: String) -> StepResult {
    let say = async |stage: &mut Stage| {
        stage.caller().await?.ask_for_version(&accept);
        Ok(())
    };
    world.step(say).await
}

#[given(regex = r"^the next token is (.+)$")]
async fn next_token(world: &mut MeshWorld, phrase: String) -> StepResult {
    let mistake = async |stage: &mut Stage| {
        let mistake: Mistake = phrase.parse().map_err(unknown)?;
        stage.caller().await?.next_token(mistake);
        Ok(())
    };
    world.step(mistake).await
}

#[given(expr = "the next call has the header {word} set to {string}")]
async fn next_header(world: &mut MeshWorld, name: String, value: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.next_header(&name, Some(&value))).await
}

#[given(expr = "the next call has no header {word}")]
async fn no_header(world: &mut MeshWorld, name: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.next_header(&name, None)).await
}

#[given(expr = "the next call has the body {string}")]
async fn body_text(world: &mut MeshWorld, text: String) -> StepResult {
    let body = if text.is_empty() { Body::Empty } else { Body::Text(text) };
    let say = async |stage: &mut Stage| {
        stage.caller().await?.next_body(body);
        Ok(())
    };
    world.step(say).await
}

#[given(expr = "the next call has a body of {int} bytes")]
async fn body_bytes(world: &mut MeshWorld, size: u64) -> StepResult {
    let say = async |stage: &mut Stage| {
        stage.caller().await?.next_body(Body::Bytes(size));
        Ok(())
    };
    world.step(say).await
}

#[given(expr = "the next call has a body of {int} bytes compressed with gzip")]
async fn body_gzip(world: &mut MeshWorld, size: u64) -> StepResult {
    let say = async |stage: &mut Stage| {
        let caller = stage.caller().await?;
        caller.next_header("content-encoding", Some("gzip"))?;
        caller.next_body(Body::Gzip(size));
        Ok(())
    };
    world.step(say).await
}

#[given(expr = "the next call has the query {string}")]
async fn next_query(world: &mut MeshWorld, query: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.next_query(&query)).await
}
