//! The operations, one step each, and any other call.

use cucumber::{given, when};
use http::Method;
use mesh_witness::{
    client::OldTls,
    runner::{MeshWorld, StepResult},
};

use super::{role, unknown};

#[when(regex = r"^the (sender|receiver) validates its mailbox( by GET)?$")]
async fn handshake(world: &mut MeshWorld, side: String, by_get: String) -> StepResult {
    let method = if by_get.is_empty() { Method::POST } else { Method::GET };
    world.step(async |stage| stage.caller().await?.handshake(role(&side), method).await).await
}

#[when(regex = r"^the (sender|receiver) checks its inbox$")]
async fn check_inbox(world: &mut MeshWorld, side: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.check_inbox(role(&side), "").await).await
}

#[when(regex = r#"^the (sender|receiver) checks its inbox with "([^"]*)"$"#)]
async fn check_inbox_with(world: &mut MeshWorld, side: String, query: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.check_inbox(role(&side), &query).await).await
}

#[when(regex = r"^the (sender|receiver) follows links.next$")]
async fn follow(world: &mut MeshWorld, side: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.follow_next(role(&side)).await).await
}

#[when(regex = r"^the (sender|receiver) counts its messages$")]
async fn count(world: &mut MeshWorld, side: String) -> StepResult {
    ask(world, &side, Method::GET, "/messageexchange/{mailbox}/count").await
}

#[when(regex = r"^the (sender|receiver) downloads the message$")]
async fn download(world: &mut MeshWorld, side: String) -> StepResult {
    ask(world, &side, Method::GET, "/messageexchange/{mailbox}/inbox/{message}").await
}

#[when(regex = r"^the (sender|receiver) looks at the head of the message$")]
async fn head(world: &mut MeshWorld, side: String) -> StepResult {
    ask(world, &side, Method::HEAD, "/messageexchange/{mailbox}/inbox/{message}").await
}

#[when(regex = r"^the (sender|receiver) downloads chunk (\S+) of the message$")]
async fn download_chunk(world: &mut MeshWorld, side: String, number: String) -> StepResult {
    let path = format!("/messageexchange/{{mailbox}}/inbox/{{message}}/{number}");
    ask(world, &side, Method::GET, &path).await
}

#[given(regex = r"^the (sender|receiver) has acknowledged the message$")]
#[when(regex = r"^the (sender|receiver) acknowledges the message$")]
async fn acknowledge(world: &mut MeshWorld, side: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.acknowledge(role(&side)).await).await
}

#[when(regex = r"^the (sender|receiver) sends a message$")]
async fn send(world: &mut MeshWorld, side: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.send(role(&side)).await).await
}

#[when(regex = r"^the (sender|receiver) sends the first of (\d+) chunks$")]
async fn first_chunk(world: &mut MeshWorld, side: String, total: usize) -> StepResult {
    world.step(async |stage| stage.caller().await?.send_first_chunk(role(&side), total).await).await
}

#[when(regex = r"^the (sender|receiver) sends chunk (\d+)$")]
async fn send_chunk(world: &mut MeshWorld, side: String, number: usize) -> StepResult {
    world.step(async |stage| stage.caller().await?.send_chunk(role(&side), number).await).await
}

#[when(regex = r"^the (sender|receiver) tracks the message$")]
async fn track(world: &mut MeshWorld, side: String) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        let caller = stage.caller().await?;
        caller.next_query("messageID={message}")?;
        caller.ask(role(&side), Method::GET, "/messageexchange/{mailbox}/outbox/tracking", &[]).await
    };
    world.step(step).await
}

#[when(regex = r"^the (sender|receiver) tracks the local ID$")]
async fn track_local_id(world: &mut MeshWorld, side: String) -> StepResult {
    ask(world, &side, Method::GET, "/messageexchange/{mailbox}/outbox/tracking/{local ID in a path}").await
}

#[when(regex = r#"^the (sender|receiver) looks up "([^"]*)" for the workflow ID "([^"]*)"$"#)]
async fn look_up(world: &mut MeshWorld, side: String, ods_code: String, workflow: String) -> StepResult {
    let path = format!("/messageexchange/endpointlookup/{ods_code}/{workflow}");
    ask(world, &side, Method::GET, &path).await
}

#[when(regex = r#"^the (sender|receiver) searches for the workflow ID "([^"]*)"$"#)]
async fn search(world: &mut MeshWorld, side: String, workflow: String) -> StepResult {
    ask(world, &side, Method::GET, &format!("/messageexchange/workflowsearch/{workflow}")).await
}

#[when(regex = r#"^the (sender|receiver) calls (GET|POST|PUT|HEAD|DELETE) "([^"]*)"$"#)]
async fn call(world: &mut MeshWorld, side: String, method: String, path: String) -> StepResult {
    match method.parse() {
        Ok(method) => ask(world, &side, method, &path).await,
        Err(_) => world.step(async |_| Err(unknown("this is no method"))).await,
    }
}

#[when(regex = r"^the (sender|receiver) tries to check its inbox$")]
async fn try_to_check(world: &mut MeshWorld, side: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.try_to_check_inbox(role(&side)).await).await
}

#[when(regex = r"^the (sender|receiver) offers nothing newer than TLS 1\.([01])$")]
async fn offer_old_tls(world: &mut MeshWorld, side: String, minor: u8) -> StepResult {
    let version = if minor == 0 { OldTls::Tls10 } else { OldTls::Tls11 };
    world.step(async |stage| stage.caller().await?.offer_old_tls(role(&side), version).await).await
}

async fn ask(world: &mut MeshWorld, side: &str, method: Method, path: &str) -> StepResult {
    world.step(async |stage| stage.caller().await?.ask(role(side), method, path, &[]).await).await
}
