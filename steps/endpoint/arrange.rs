//! What a scenario arranges at our own emulator, and how it connects.

use cucumber::given;
use mesh_witness::runner::{MeshWorld, Role, StepResult, TlsVariant};

use super::role;

const BOTH: [Role; 2] = [Role::Product, Role::Counterpart];

#[given(regex = r"^the (sender|receiver)'s mailbox is disabled$")]
async fn disabled(world: &mut MeshWorld, side: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.disable(role(&side))).await
}

#[given(regex = r"^the (sender|receiver)'s mailbox takes no chunked messages$")]
async fn takes_no_chunks(world: &mut MeshWorld, side: String) -> StepResult {
    world.step(async |stage| stage.caller().await?.take_no_chunks(role(&side))).await
}

#[given(
    regex = r"^a workflow that only the (sender|receiver) may send and only the (sender|receiver) may receive$"
)]
async fn restricted(world: &mut MeshWorld, from: String, to: String) -> StepResult {
    let (from, to) = ([role(&from)], [role(&to)]);
    world.step(async |stage| stage.caller().await?.register_workflow(&from, &to, true, true)).await
}

#[given("a workflow that takes no chunked messages")]
async fn without_chunks(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.caller().await?.register_workflow(&BOTH, &BOTH, false, false)).await
}

#[given(regex = r"^a workflow that (only the receiver receives|both receive|nobody receives)$")]
async fn received_by(world: &mut MeshWorld, who: String) -> StepResult {
    let receivers: &[Role] = match who.as_str() {
        "both receive" => &BOTH,
        "nobody receives" => &[],
        _ => &[Role::Counterpart],
    };
    world.step(async |stage| stage.caller().await?.register_workflow(&BOTH, receivers, false, true)).await
}

#[given(regex = r"^a patient whose practice has (no mailbox|the receiver's mailbox|two mailboxes)$")]
async fn patient(world: &mut MeshWorld, mailboxes: String) -> StepResult {
    let mailboxes: &[Role] = match mailboxes.as_str() {
        "no mailbox" => &[],
        "two mailboxes" => &BOTH,
        _ => &[Role::Counterpart],
    };
    world.step(async |stage| stage.caller().await?.register_patient(mailboxes)).await
}

#[given("the message was not collected in time")]
async fn expired(world: &mut MeshWorld) -> StepResult {
    world.step(async |stage| stage.caller().await?.let_expire()).await
}

#[given(
    regex = r"^the (sender|receiver) connects (without a client certificate|with a certificate of a foreign authority|with the other mailbox's certificate|with TLS 1\.2 at most)$"
)]
async fn connects(world: &mut MeshWorld, side: String, how: String) -> StepResult {
    let variant = match how.as_str() {
        "without a client certificate" => TlsVariant::NoCertificate,
        "with a certificate of a foreign authority" => TlsVariant::ForeignAuthority,
        "with the other mailbox's certificate" => TlsVariant::OtherMailbox,
        _ => TlsVariant::Only12,
    };
    world.step(async |stage| stage.caller().await?.connect_by(role(&side), variant)).await
}
