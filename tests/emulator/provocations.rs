//! What makes things hard on purpose, as a client that is not ours sees it.

use std::time::{Duration, Instant};

use mesh_witness::{
    emulator::{Arrangement, Calls, Deed, Provocation, Provocations, ProvokedStatus},
    protocol::MailboxId,
};
use reqwest::Method;

use crate::caller::{Caller, V2, json_of, status, token};

const PROVOKED: &str = "x-mesh-witness-provoked";

fn provocable() -> (Caller, Provocations) {
    let provocations = Provocations::default();
    let arrangement = Arrangement { provocations: Some(provocations.clone()), ..Arrangement::default() };
    (Caller::arranged(arrangement), provocations)
}

fn arm(provocations: &Provocations, mailbox: &str, calls: Calls, deed: Deed, times: Option<u32>) {
    let provocation = Provocation { calls, message: None, times, deed };
    provocations.arm(MailboxId::parse(mailbox).unwrap(), provocation).unwrap();
}

fn answered(status: u16, retry_after: Option<u32>) -> Deed {
    Deed::Answered { status: ProvokedStatus::of(status).unwrap(), retry_after }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_answers_before_the_token_is_looked_at_and_one_mailbox_alone() {
    let (caller, provocations) = provocable();
    arm(&provocations, "PRODUCT", Calls::InboxChecks, answered(503, Some(9)), Some(1));
    let once = token("PRODUCT");
    let with = |path: &str, token: &str| caller.bare(Method::GET, path).header("authorization", token);
    assert_eq!(status(with("COUNTERPART/inbox", &token("COUNTERPART"))).await, 200);
    let response = with("PRODUCT/inbox", &once).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "9"));
    assert_eq!(response.headers()[PROVOKED], "answered with 503, to be tried again after 9 s");
    assert!(response.text().await.unwrap().starts_with("<?xml"));
    let response = with("PRODUCT/inbox", &once).send().await.unwrap();
    assert_eq!(response.status(), 200, "the token was not used up");
    assert!(!response.headers().contains_key(PROVOKED));
}

#[tokio::test(flavor = "multi_thread")]
async fn mesh_itself_refuses_only_whom_it_has_let_in_and_does_nothing() {
    let (caller, provocations) = provocable();
    arm(&provocations, "PRODUCT", Calls::Sends, answered(417, None), None);
    let response = caller.sending("COUNTERPART", "x").send().await.unwrap();
    assert_eq!(response.status(), 417);
    assert_eq!(json_of(response).await["detail"][0]["code"], "16");
    let unknown = caller.bare(Method::POST, "PRODUCT/outbox").header("mex-to", "COUNTERPART");
    assert_eq!(status(unknown).await, 403, "without a token");
    provocations.disarm();
    assert!(caller.list("").await["messages"].as_array().unwrap().is_empty());
    caller.send(b"x").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_body_comes_with_the_length_of_the_whole() {
    let (caller, provocations) = provocable();
    let id = caller.send(b"0123456789").await;
    arm(&provocations, "COUNTERPART", Calls::Downloads, Deed::Cut, Some(1));
    let download = || caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}")).send();
    let mut response = download().await.unwrap();
    assert_eq!((response.status().as_u16(), response.content_length()), (200, Some(10)));
    assert_eq!(response.chunk().await.unwrap().unwrap(), "01234");
    assert!(response.chunk().await.is_err(), "and then the connection ends");
    assert_eq!(download().await.unwrap().text().await.unwrap(), "0123456789", "it was not collected by that");
    arm(&provocations, "COUNTERPART", Calls::InboxChecks, Deed::Cut, Some(1));
    let list = caller.call(Method::GET, "COUNTERPART/inbox").send().await.unwrap();
    assert!(list.bytes().await.is_err(), "a list as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_has_taken_effect() {
    let (caller, provocations) = provocable();
    arm(&provocations, "PRODUCT", Calls::Sends, Deed::Lost, Some(1));
    assert!(caller.sending("COUNTERPART", "x").send().await.is_err());
    assert_eq!(caller.list("").await["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_has_taken_effect_and_is_answered() {
    let (caller, provocations) = provocable();
    arm(&provocations, "PRODUCT", Calls::Sends, Deed::Delayed(Duration::from_millis(300)), Some(1));
    let began = Instant::now();
    let response = caller.sending("COUNTERPART", "x").send().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(response.headers()[PROVOKED], "done, and answered 0.3 s late");
    assert_eq!(response.status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_headers_come_with_the_known_ones() {
    let (caller, provocations) = provocable();
    let id = caller.send(b"x").await;
    arm(&provocations, "COUNTERPART", Calls::All, Deed::UnknownHeaders, None);
    let download = caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}")).header("accept", V2);
    let response = download.send().await.unwrap();
    assert_eq!(response.headers()["mex-messagetype"], "DATA");
    assert_eq!(response.headers()["mex-messagetype-hint"], "REPORT");
}

/// What nothing was arranged for cannot be provoked, and what is written stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn header_names_are_mixed_on_the_wire_and_nothing_else_is() {
    let (caller, provocations) = provocable();
    arm(&provocations, "COUNTERPART", Calls::All, Deed::MixedCase, None);
    let id = caller.send(b"a: B\r\nc: D\r\n\r\n").await;
    let response = caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}")).send().await.unwrap();
    assert_eq!(response.headers()[PROVOKED], "header names in mixed case");
    assert_eq!(response.headers()["mex-from"], "PRODUCT");
    assert_eq!(response.text().await.unwrap(), "a: B\r\nc: D\r\n\r\n");
}
