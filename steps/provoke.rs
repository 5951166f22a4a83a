//! Making things hard for a product on purpose, and asking it to act then.

use std::time::Duration;

use cucumber::{given, when};
use mesh_witness::{
    emulator::{Calls, Deed, Untrusted},
    runner::{Fault, FaultKind, MeshWorld, StepResult, answered},
};

/// The product's calls, in the words of the steps.
fn calls(words: &str) -> Result<Calls, Fault> {
    let all = [
        Calls::Handshakes,
        Calls::Sends,
        Calls::SentChunks,
        Calls::InboxChecks,
        Calls::Downloads,
        Calls::DownloadedChunks,
        Calls::Acknowledgements,
    ];
    all.into_iter().find(|calls| calls.to_string() == words).ok_or_else(|| {
        let remedy = "This is a fault of mesh-witness: please report it.";
        Fault::new(FaultKind::Harness, format!("the step names a call that is none: {words}"), remedy)
    })
}

#[given(
    regex = r"^the product's next (handshake|inbox check|send|sent chunk|download|downloaded chunk|acknowledgement) will be answered with (\d+)$"
)]
async fn next_answered(world: &mut MeshWorld, which: String, status: u16) -> StepResult {
    world.step(async |stage| stage.provoke(calls(&which)?, answered(status, None)?, Some(1))).await
}

#[given(
    regex = r"^the product's next (inbox check|send|download|acknowledgement) will be answered with (\d+), to be tried again after (\d+) seconds$"
)]
async fn next_put_off(world: &mut MeshWorld, which: String, status: u16, seconds: u32) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        stage.provoke(calls(&which)?, answered(status, Some(seconds))?, Some(1))
    };
    world.step(step).await
}

#[given(
    regex = r"^every (handshake|inbox check|send|sent chunk|download|downloaded chunk|acknowledgement) of the product's will be answered with (\d+)$"
)]
async fn every_answered(world: &mut MeshWorld, which: String, status: u16) -> StepResult {
    world.step(async |stage| stage.provoke(calls(&which)?, answered(status, None)?, None)).await
}

#[given(expr = "every download of the second message will be answered with {int}")]
async fn second_answered(world: &mut MeshWorld, status: u16) -> StepResult {
    world.step(async |stage| stage.provoke_second_download(answered(status, None)?)).await
}

#[given(
    regex = r"^the connection will end in the middle of the product's next (download|downloaded chunk|inbox check)$"
)]
async fn next_cut(world: &mut MeshWorld, which: String) -> StepResult {
    world.step(async |stage| stage.provoke(calls(&which)?, Deed::Cut, Some(1))).await
}

#[given(regex = r"^the answer to the product's next (send|acknowledgement) will be lost$")]
async fn next_lost(world: &mut MeshWorld, which: String) -> StepResult {
    world.step(async |stage| stage.provoke(calls(&which)?, Deed::Lost, Some(1))).await
}

#[given(
    regex = r"^the answer to the product's next (inbox check|send|download|acknowledgement) will be (\d+) seconds late$"
)]
async fn next_late(world: &mut MeshWorld, which: String, seconds: u64) -> StepResult {
    let late = Deed::Delayed(Duration::from_secs(seconds.min(600)));
    world.step(async |stage| stage.provoke(calls(&which)?, late, Some(1))).await
}

#[given(
    regex = r"^every (handshake|inbox check|send|download|acknowledgement) of the product's will be redirected with (\d+) to another host( without TLS)?$"
)]
async fn every_redirected(world: &mut MeshWorld, which: String, status: u16, open: String) -> StepResult {
    world.step(async |stage| stage.redirect(calls(&which)?, status, open.is_empty()).await).await
}

#[given(
    regex = r"^whoever answers at MESH's address has a certificate (of another authority|signed by itself|for another host|that has expired|that is not valid yet|for clients alone)$"
)]
async fn impostor(world: &mut MeshWorld, wrong: String) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        let known = Untrusted::ALL.into_iter().find(|untrusted| untrusted.to_string() == wrong);
        let untrusted = known.ok_or_else(|| {
            let remedy = "This is a fault of mesh-witness: please report it.";
            let what = format!("the step names a certificate that is none: {wrong}");
            Fault::new(FaultKind::Harness, what, remedy)
        })?;
        stage.present(untrusted).await
    };
    world.step(step).await
}

#[given("every answer to the product has header names in mixed case")]
async fn mixed_case(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.provoke(Calls::All, Deed::MixedCase, None)).await
}

#[given("every answer to the product has headers that nobody knows")]
async fn unknown_headers(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.provoke(Calls::All, Deed::UnknownHeaders, None)).await
}

#[given("the counterpart has sent a message in chunks of very different sizes to the product")]
async fn uneven_chunks(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.send_in_uneven_chunks().await).await
}

#[given("a report on an earlier message waits in the product's inbox")]
async fn report_waits(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.report_waits()).await
}

#[when("MESH is well again")]
async fn well_again(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.well_again().await).await
}

#[when("the time is over that MESH asked the product to wait")]
async fn wait_is_over(world: &mut MeshWorld) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        stage.wait_as_told().await;
        Ok(())
    };
    world.step(step).await
}

#[when(regex = "^the product is asked for a poll cycle( with gzip)?$")]
async fn poll_cycle(world: &mut MeshWorld, with_gzip: String) -> StepResult {
    world.step(async |stage| stage.product_makes_cycle(!with_gzip.is_empty()).await).await
}

#[when("the product is asked to validate its mailbox")]
async fn handshake(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_tries_handshake().await).await
}

#[when(expr = "the product is asked to send a message of {int} bytes to the counterpart")]
async fn send(world: &mut MeshWorld, size: u64) -> StepResult {
    world.step(async |stage| stage.product_tries_to_send(size).await).await
}

#[when(regex = "^the product is asked to send a large( compressed)? message in chunks to the counterpart$")]
async fn send_in_chunks(world: &mut MeshWorld, compressed: String) -> StepResult {
    let step = async |stage: &mut mesh_witness::runner::Stage| {
        stage.product_tries_to_send_in_chunks(!compressed.is_empty()).await
    };
    world.step(step).await
}

#[when("the product is asked to send the message again")]
async fn send_again(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.product_tries_to_send_again().await).await
}
