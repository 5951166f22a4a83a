//! Messages in one piece: sent, listed, downloaded, acknowledged.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::caller::{Caller, V1, V2, json_of, status, zipped};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_its_way_in_both_versions() {
    for (accept, sent_as, acknowledged) in
        [(V1, "messageID", true), ("application/json", "messageID", true), (V2, "message_id", false)]
    {
        let caller = Caller::new();
        let response = caller.sending("COUNTERPART", "hello").header("accept", accept);
        let request = caller
            .call(Method::POST, "PRODUCT/outbox")
            .header("mex-to", "COUNTERPART")
            .header("mex-workflowid", "W1");
        drop(response);
        let response = request
            .header("accept", accept)
            .header("mex-localid", "mine")
            .header("content-type", "text/csv")
            .body("hello")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let id = json_of(response).await[sent_as].as_str().unwrap().to_owned();

        let listed =
            caller.call(Method::GET, "COUNTERPART/inbox").header("accept", accept).send().await.unwrap();
        let listed = json_of(listed).await;
        assert_eq!(listed["messages"], json!([id]));
        assert_eq!(listed.get("links").is_some(), accept == V2);

        let path = format!("COUNTERPART/inbox/{id}");
        let download = caller.call(Method::GET, &path).header("accept", accept).send().await.unwrap();
        assert_eq!(download.status(), StatusCode::OK);
        let header = |name: &str| download.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("mex-from"), "PRODUCT");
        assert_eq!(header("mex-to"), "COUNTERPART");
        assert_eq!(header("mex-localid"), "mine");
        assert_eq!(header("mex-messageid"), id);
        assert_eq!(header("mex-messagetype"), "DATA");
        assert_eq!(header("mex-content-compressed"), "N");
        assert_eq!(header("mex-filename"), format!("{id}.dat"));
        assert_eq!(
            header("content-type"),
            if accept == V2 { "text/csv" } else { "application/octet-stream" }
        );
        assert_eq!(download.bytes().await.unwrap(), "hello");

        let ack = caller
            .call(Method::PUT, &format!("{path}/status/acknowledged"))
            .header("accept", accept)
            .send()
            .await
            .unwrap();
        assert_eq!(ack.status(), StatusCode::OK);
        let body = ack.bytes().await.unwrap();
        if acknowledged {
            assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({ "messageId": id }));
        } else {
            assert!(body.is_empty());
        }
        assert_eq!(caller.list("").await["messages"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_410_and_what_never_was_is_404() {
    let caller = Caller::new();
    let id = caller.send(b"hello").await;
    let path = format!("COUNTERPART/inbox/{id}");
    assert_eq!(status(caller.call(Method::GET, &format!("PRODUCT/inbox/{id}"))).await, 404);
    assert_eq!(status(caller.call(Method::HEAD, &path)).await, 200);
    assert_eq!(status(caller.call(Method::PUT, &format!("{path}/status/acknowledged"))).await, 200);
    assert_eq!(status(caller.call(Method::PUT, &format!("{path}/status/acknowledged"))).await, 200);
    assert_eq!(status(caller.call(Method::GET, &path)).await, 410);
    assert_eq!(status(caller.call(Method::HEAD, &path)).await, 410);
    let response =
        caller.call(Method::GET, "COUNTERPART/inbox/NONESUCH").header("accept", V2).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let body = json_of(response).await;
    assert_eq!((&body["message_id"], &body["detail"][0]["code"]), (&json!("NONESUCH"), &json!("20")));
    assert_eq!(status(caller.call(Method::PUT, "COUNTERPART/inbox/NONESUCH/status/acknowledged")).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_goes_in_and_comes_out_as_it_is_asked_for() {
    let caller = Caller::new();
    let plain = b"hello hello hello hello hello".repeat(1000);
    let wire = zipped(&plain);
    let send = caller.sending("COUNTERPART", wire.clone()).header("content-encoding", "gzip");
    let id = json_of(send.send().await.unwrap()).await["message_id"].as_str().unwrap().to_owned();
    let path = format!("COUNTERPART/inbox/{id}");
    let compressed = caller.call(Method::GET, &path).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert_eq!(compressed.headers()["mex-content-compressed"], "Y");
    assert_eq!(compressed.bytes().await.unwrap(), wire);
    for accept in ["identity", "gzip;q=0", "deflate"] {
        let plainly = caller.call(Method::GET, &path).header("accept-encoding", accept).send().await.unwrap();
        assert_eq!(plainly.headers().get("content-encoding"), None);
        assert_eq!(plainly.headers()["mex-content-compressed"], "N", "{accept}");
        assert_eq!(plainly.bytes().await.unwrap(), plain, "{accept}");
    }
    // What differs in a byte is another representation (RFC 9110, 8.8.3.3), and which comes is up to this header.
    let described = async |id: &str, accept: &str| {
        let call = caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}"));
        let got = call.header("accept-encoding", accept).send().await.unwrap();
        ["etag", "vary"].map(|name| got.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
    };
    let vary = Some("accept-encoding".to_owned());
    assert_eq!(described(&id, "gzip").await, [Some(format!("\"{id}-gzip\"")), vary.clone()]);
    assert_eq!(described(&id, "identity").await, [Some(format!("\"{id}\"")), vary]);
    let as_it_is = caller.send(b"hello").await;
    assert_eq!(described(&as_it_is, "gzip").await, [Some(format!("\"{as_it_is}\"")), None]);
    let broken = caller.sending("COUNTERPART", "not gzip").header("content-encoding", "gzip");
    assert_eq!(status(broken).await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_content_type_is_none() {
    let caller = Caller::new();
    let send = caller.sending("COUNTERPART", "hello").header("content-type", "");
    let id = json_of(send.send().await.unwrap()).await["message_id"].as_str().unwrap().to_owned();
    let got = caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}")).header("accept", V2);
    assert_eq!(got.send().await.unwrap().headers()["content-type"], "application/octet-stream");
}

/// OpenAPI, "Check an inbox": the example of `continue_from` for `accept: application/json` is a message ID.
#[tokio::test(flavor = "multi_thread")]
async fn in_v1_a_list_continues_from_a_message() {
    let caller = Caller::new();
    let mut sent = Vec::new();
    for _ in 0..4 {
        sent.push(caller.send(b"hello").await);
    }
    let from = async |id: &str, accept: &str| {
        let path = format!("COUNTERPART/inbox?continue_from={id}");
        let response = caller.call(Method::GET, &path).header("accept", accept).send().await.unwrap();
        let status = response.status().as_u16();
        (status, json_of(response).await["messages"].clone())
    };
    assert_eq!(from(&sent[1], V1).await, (200, json!(sent[2..])));
    assert_eq!(from(&sent[3], V1).await, (200, json!([])));
    let path = format!("COUNTERPART/inbox/{}/status/acknowledged", sent[1]);
    assert_eq!(status(caller.call(Method::PUT, &path)).await, 200);
    assert_eq!(from(&sent[1], V1).await, (200, json!(sent[2..])), "acknowledged meanwhile");
    assert_eq!(from("20220228174323123_ACDED1AAA", V1).await.0, 400, "nobody's");
    assert_eq!(from(&sent[1], V2).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refused_send_has_its_answer() {
    let caller = Caller::new();
    let response = caller.sending("NOBODY", "hello").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::EXPECTATION_FAILED);
    let body = json_of(response).await;
    assert_eq!(body["detail"][0], json!({ "event": "SEND", "code": "12", "msg": "Unregistered to address" }));
    assert!(body["message_id"].is_string());
    assert_eq!(status(caller.sending("COUNTERPART", "")).await, 417);
    assert_eq!(status(caller.sending("", "hello")).await, 400);
    assert_eq!(status(caller.sending("COUNTERPART", "hello").header("mex-from", "COUNTERPART")).await, 400);
    assert_eq!(
        status(caller.sending("COUNTERPART", "hello").header("mex-subject", "s".repeat(501))).await,
        400
    );
    assert_eq!(status(caller.sending("COUNTERPART", "hello").header("mex-chunk-range", "2:1")).await, 400);
    assert_eq!(status(caller.sending("COUNTERPART", vec![0; 100_000_001])).await, 413);
    assert_eq!(caller.list("").await["messages"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_arrives_whole() {
    let caller = Caller::new();
    let body: Vec<u8> = (0..20_000_000u32).map(|index| (index % 251) as u8).collect();
    let id = json_of(caller.sending("COUNTERPART", body.clone()).send().await.unwrap()).await["message_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let download = caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}")).send().await.unwrap();
    assert_eq!(download.headers()["content-length"], "20000000");
    assert!(download.bytes().await.unwrap() == body);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_by_their_links() {
    let caller = Caller::new();
    for _ in 0..25 {
        caller.send(b"x").await;
    }
    let mut link = "/messageexchange/COUNTERPART/inbox?max_results=10".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = caller.list(link.strip_prefix("/messageexchange/COUNTERPART/inbox").unwrap()).await;
        assert_eq!(page["approx_inbox_count"], 25);
        sizes.push(page["messages"].as_array().unwrap().len());
        match page["links"]["next"].as_str() {
            Some(next) => link = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    for bad in
        ["max_results=9", "max_results=x", "continue_from=short", "workflow_filter=A", "workflow_filter=*A"]
    {
        assert_eq!(status(caller.call(Method::GET, &format!("COUNTERPART/inbox?{bad}"))).await, 400, "{bad}");
    }
    let invented = "continue_from=aW52ZW50ZWQgYnkgc29tZWJvZHkgZWxzZQ%3D%3D";
    assert_eq!(status(caller.call(Method::GET, &format!("COUNTERPART/inbox?{invented}"))).await, 400);
    let count = caller.call(Method::GET, "COUNTERPART/count").header("accept", V2).send().await.unwrap();
    assert_eq!(json_of(count).await, json!({ "count": 25 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_api_is_404_and_ping_needs_no_token() {
    let caller = Caller::new();
    assert_eq!(status(caller.bare(Method::GET, "_ping")).await, 200);
    assert_eq!(status(caller.bare(Method::DELETE, "PRODUCT")).await, 404);
    assert_eq!(status(caller.bare(Method::GET, "PRODUCT/nonsense")).await, 404);
    assert_eq!(status(caller.bare(Method::GET, "inbox/PRODUCT/nonsense")).await, 404);
}
