//! Messages that a scenario begins with. That sending them works is judged here as well: a scenario that
//! cannot begin fails where it begins.

use cucumber::given;
use mesh_witness::{
    rules::endpoint,
    runner::{Body, Caller, Fault, MeshWorld, Role, StepResult},
};

use super::role;

#[given(regex = r"^the (sender|receiver) has sent a message$")]
async fn has_sent(world: &mut MeshWorld, side: String) -> StepResult {
    world.step(async |stage| sent(stage.caller().await?, role(&side)).await).await
}

#[given(regex = r#"^the (sender|receiver) has sent a message with the header (\S+) set to "([^"]*)"$"#)]
async fn has_sent_with(world: &mut MeshWorld, side: String, name: String, value: String) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        let caller = stage.caller().await?;
        caller.next_header(&name, Some(&value))?;
        sent(caller, role(&side)).await
    };
    world.step(step).await
}

#[given(regex = r"^the (sender|receiver) has sent a message of (\d+) bytes( compressed with gzip)?$")]
async fn has_sent_bytes(world: &mut MeshWorld, side: String, size: u64, gzip: String) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        let caller = stage.caller().await?;
        if gzip.is_empty() {
            caller.next_body(Body::Bytes(size));
        } else {
            caller.next_header("content-encoding", Some("gzip"))?;
            caller.next_body(Body::Gzip(size));
        }
        sent(caller, role(&side)).await
    };
    world.step(step).await
}

#[given(regex = r#"^the (sender|receiver) has sent (\d+) messages(?: with the workflow ID "([^"]*)")?$"#)]
async fn has_sent_many(world: &mut MeshWorld, side: String, count: usize, workflow: String) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        let caller = stage.caller().await?;
        for _ in 0..count {
            if !workflow.is_empty() {
                caller.next_header("mex-workflowid", Some(&workflow))?;
            }
            sent(caller, role(&side)).await?;
        }
        Ok(())
    };
    world.step(step).await
}

#[given(regex = r"^the (sender|receiver) has sent the first of (\d+) chunks( compressed with gzip)?$")]
async fn has_sent_first_chunk(world: &mut MeshWorld, side: String, total: usize, gzip: String) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        let caller = stage.caller().await?;
        first_chunk(caller, role(&side), total, !gzip.is_empty()).await
    };
    world.step(step).await
}

#[given(regex = r"^the (sender|receiver) has sent a message in (\d+) chunks( compressed with gzip)?$")]
async fn has_sent_chunks(world: &mut MeshWorld, side: String, total: usize, gzip: String) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        let (caller, gzip) = (stage.caller().await?, !gzip.is_empty());
        first_chunk(caller, role(&side), total, gzip).await?;
        for number in 2..=total {
            if gzip {
                caller.next_header("content-encoding", Some("gzip"))?;
                caller.next_body(Body::Gzip(500 + number as u64));
            }
            caller.send_chunk(role(&side), number).await?;
            endpoint::status(caller.last_answer()?, 202)?;
        }
        Ok(())
    };
    world.step(step).await
}

#[given(regex = r#"^the message is "([^"]*)"$"#)]
async fn the_message_is(world: &mut MeshWorld, id: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.talk_of(&id)).await
}

async fn sent(caller: &mut Caller, from: Role) -> Result<(), Fault> {
    caller.send(from).await?;
    endpoint::status(caller.last_answer()?, 202)
}

async fn first_chunk(caller: &mut Caller, from: Role, total: usize, gzip: bool) -> Result<(), Fault> {
    if gzip {
        caller.next_header("content-encoding", Some("gzip"))?;
        caller.next_body(Body::Gzip(500));
    }
    caller.send_first_chunk(from, total).await?;
    endpoint::status(caller.last_answer()?, 202)
}
