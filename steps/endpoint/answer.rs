//! What the answer must be.

use cucumber::{gherkin::Step, then};
use mesh_witness::{
    rules::endpoint,
    runner::{MeshWorld, StepResult},
};

#[then(expr = "the answer is {int}")]
async fn has_status(world: &mut MeshWorld, status: u16) -> StepResult {
    world.step(async |stage| endpoint::status(stage.caller().await?.last_answer()?, status)).await
}

#[then(expr = "the answer is {int} without a body")]
async fn status_alone(world: &mut MeshWorld, status: u16) -> StepResult {
    let judge = async |stage: &mut mesh_witness::runner::Stage| {
        let caller = stage.caller().await?;
        endpoint::status(caller.last_answer()?, status)?;
        endpoint::no_body(caller.last_answer()?)
    };
    world.step(judge).await
}

#[then(expr = "the answer is {int} in the shape of {string}")]
async fn shaped(world: &mut MeshWorld, status: u16, shape: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.is_shaped(status, &shape)).await
}

#[then(
    regex = r#"^the answer is (\d+) with error code "([^"]*)"(?: and (the message|a message ID|no message ID))?$"#
)]
async fn is_error(world: &mut MeshWorld, status: u16, code: String, which: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.is_error(status, &code, &which)).await
}

#[then(regex = r#"^the answer is 400 for the (header|query|path) parameter "([^"]*)"$"#)]
async fn invalid(world: &mut MeshWorld, place: String, name: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.is_validation_error(&place, &name)).await
}

#[then("the answer is a refusal by TLS")]
async fn refused_by_tls(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| endpoint::certificate_refused(stage.caller().await?.last_answer()?)).await
}

#[then("the old version is not agreed to")]
async fn old_tls_refused(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| endpoint::old_tls_refused(stage.caller().await?.last_answer()?)).await
}

#[then(expr = "the answer has the header {word} set to {string}")]
async fn has_this_header(world: &mut MeshWorld, name: String, value: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.header_is(&name, &value)).await
}

#[then(expr = "the answer has a header {word}")]
async fn some_header(world: &mut MeshWorld, name: String) -> StepResult {
    world.step(async |stage| endpoint::has_header(stage.caller().await?.last_answer()?, &name)).await
}

#[then(expr = "the answer has no header {word}")]
async fn no_header(world: &mut MeshWorld, name: String) -> StepResult {
    world.step(async |stage| endpoint::header_is(stage.caller().await?.last_answer()?, &name, None)).await
}

#[then("the answer has these headers")]
async fn headers(world: &mut MeshWorld, step: &Step) -> StepResult {
    let rows: Vec<Vec<String>> = step.table.iter().flat_map(|table| table.rows.clone()).collect();
    let judge = async |stage: &mut mesh_witness::runner::Stage| {
        let caller = stage.caller().await?;
        for row in &rows {
            match row.as_slice() {
                [name, value] => caller.header_is(name, value)?,
                [name] => endpoint::has_header(caller.last_answer()?, name)?,
                _ => return Err(super::unknown("a row has a header's name and, maybe, its value")),
            }
        }
        Ok(())
    };
    world.step(judge).await
}

#[then(regex = r#"^its (\S+) is "([^"]*)"$"#)]
async fn field(world: &mut MeshWorld, pointer: String, value: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.field_is(&pointer, &value)).await
}

#[then("the content is what was sent")]
async fn content(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.caller().await?.content_is_what_was_sent(1)).await
}

#[then(expr = "the content is chunk {int} of what was sent")]
async fn chunk_content(world: &mut MeshWorld, chunk: usize) -> StepResult {
    world.step(async |stage| stage.caller().await?.content_is_what_was_sent(chunk)).await
}
