//! Chunked messages (OpenAPI, "Send chunked message" and "Get Message chunk").

use mesh_witness::emulator::{Profile, Switches};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::caller::{Caller, V2, json_of, status, zipped};

async fn first(caller: &Caller, range: &str, body: Vec<u8>, encoding: Option<&str>) -> String {
    let mut call = caller.sending("COUNTERPART", body).header("mex-chunk-range", range);
    if let Some(encoding) = encoding {
        call = call.header("content-encoding", encoding);
    }
    let response = call.send().await.unwrap();
    assert_eq!(response.status(), 202);
    json_of(response).await["message_id"].as_str().unwrap().to_owned()
}

fn chunk(
    caller: &Caller,
    id: &str,
    number: u32,
    range: &str,
    body: impl Into<reqwest::Body>,
) -> RequestBuilder {
    let path = format!("PRODUCT/outbox/{id}/{number}");
    let call = caller.call(Method::POST, &path).header("accept", V2).body(body);
    if range.is_empty() { call } else { call.header("mex-chunk-range", range) }
}

async fn download(caller: &Caller, id: &str, chunk: &str) -> Response {
    let call = caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}{chunk}"));
    call.header("accept", V2).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_go_in_one_after_the_other_and_come_out_with_their_ranges() {
    let caller = Caller::new();
    let id = first(&caller, "1:3", b"one".to_vec(), None).await;
    for (number, range, body) in [(2, "2:3", "two"), (3, "3:3", "three")] {
        assert_eq!(caller.list("").await["messages"], json!([]), "not before it is whole");
        let response = chunk(&caller, &id, number, range, body).send().await.unwrap();
        assert_eq!(response.status(), 202);
        assert_eq!(json_of(response).await, json!({ "message_id": id }));
    }
    assert_eq!(caller.list("").await["messages"], json!([id]));
    for (path, status, range, body) in [
        ("", 206, "1:3", "one"),
        ("/1", 206, "1:3", "one"),
        ("/2", 206, "2:3", "two"),
        ("/3", 200, "3:3", "three"),
    ] {
        let response = download(&caller, &id, path).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["mex-chunk-range"], range);
        assert_eq!(response.headers()["content-type"], "application/octet-stream");
        assert_eq!(response.bytes().await.unwrap(), body);
    }
    assert_eq!(download(&caller, &id, "/4").await.status(), 404);
    let head = caller.call(Method::HEAD, &format!("COUNTERPART/inbox/{id}")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["mex-chunk-range"]), (200, &"1:3".parse().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_chunk_is_compressed_by_itself_both_ways() {
    let caller = Caller::new();
    let id = first(&caller, "1:2", zipped(b"one"), Some("gzip")).await;
    let last = chunk(&caller, &id, 2, "2:2", zipped(b"two"));
    assert_eq!(status(last).await, 202, "the OpenAPI's own example leaves the encoding out");
    for (path, plain) in [("", b"one" as &[u8]), ("/2", b"two")] {
        let path = format!("COUNTERPART/inbox/{id}{path}");
        let response =
            caller.call(Method::GET, &path).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        assert_eq!(response.bytes().await.unwrap(), zipped(plain));
        let response = caller.call(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.headers().get("content-encoding"), None);
        assert_eq!(response.bytes().await.unwrap(), plain);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_chunk_that_does_not_fit_has_its_answer() {
    let caller = Caller::new();
    let id = first(&caller, "1:3", b"one".to_vec(), None).await;
    for (number, range) in [(3, "3:3"), (1, "1:3"), (2, "2:4"), (2, "3:3"), (4, "4:4")] {
        let response = chunk(&caller, &id, number, range, "x").send().await.unwrap();
        assert_eq!(response.status(), 417, "{number} {range}");
        let body = json_of(response).await;
        assert_eq!((&body["message_id"], &body["detail"][0]["event"]), (&json!(id), &json!("SEND")));
    }
    assert_eq!(status(chunk(&caller, &id, 2, "two", "x")).await, 400);
    let changed = chunk(&caller, &id, 2, "2:3", zipped(b"x")).header("content-encoding", "gzip");
    assert_eq!(status(changed).await, 417);
    let response = chunk(&caller, &id, 2, "2:3", "").send().await.unwrap();
    assert_eq!(response.status(), 417);
    assert_eq!(json_of(response).await["detail"][0]["code"], "02");
    assert_eq!(status(chunk(&caller, "NONESUCH", 2, "2:3", "x")).await, 404);
    assert_eq!(status(chunk(&caller, &id, 2, "", "x")).await, 202, "the header is not required");
    assert_eq!(status(chunk(&caller, &id, 2, "2:3", "x")).await, 417, "a repeat");
    assert_eq!(status(chunk(&caller, &id, 3, "3:3", "x")).await, 202);
    assert_eq!(status(chunk(&caller, &id, 3, "3:3", "x")).await, 423, "after the last");
    let begun_in_the_middle = caller.sending("COUNTERPART", "x").header("mex-chunk-range", "2:3");
    assert_eq!(status(begun_in_the_middle).await, 417);
    let foreign = caller.call(Method::POST, &format!("COUNTERPART/outbox/{id}/3")).body("x");
    assert_eq!(status(foreign).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_longer_than_a_request_may_be_is_refused_and_may_be_sent_again() {
    let caller = Caller::new();
    let id = first(&caller, "1:2", b"one".to_vec(), None).await;
    assert_eq!(status(chunk(&caller, &id, 2, "2:2", vec![0; 100_000_001])).await, 413);
    assert_eq!(status(chunk(&caller, &id, 2, "2:2", "two")).await, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_takes_chunks_in_any_order_and_answers_them_in_its_own_way() {
    let caller = Caller::with(Switches::of(Profile::Sandbox));
    let id = first(&caller, "1:3", b"one".to_vec(), None).await;
    let response = chunk(&caller, &id, 1, "1:3", "again").send().await.unwrap();
    assert_eq!(json_of(response).await, Value::Null);
    assert_eq!(status(chunk(&caller, &id, 2, "", "x")).await, 417, "the header is required");
    assert_eq!(status(chunk(&caller, &id, 3, "3:3", "three")).await, 202);
    assert_eq!(download(&caller, &id, "/2").await.status(), 404, "it never came");
    assert_eq!(download(&caller, &id, "").await.bytes().await.unwrap(), "again");
}
