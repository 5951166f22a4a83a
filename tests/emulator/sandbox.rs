//! The profile `sandbox`: what `tests/peers/sandbox_profile.py` compares with the original, in short.

use chrono::TimeDelta;
use mesh_witness::emulator::{Arrangement, Profile, Switches, switches::Expiry};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::caller::{Caller, V1, V2, json_of, status, token, zipped};

fn sandbox() -> Caller {
    let switches = Switches::of(Profile::Sandbox);
    Caller::arranged(Arrangement { switches, admin: true, ..Arrangement::default() })
}

async fn answer(call: RequestBuilder) -> (u16, Value) {
    let response = call.send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn first_of_two(caller: &Caller) -> String {
    let first = caller.sending("COUNTERPART", "x").header("mex-chunk-range", "1:2").send().await.unwrap();
    json_of(first).await["message_id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_told_why_in_its_own_version() {
    let caller = sandbox();
    let (status, body) = answer(caller.bare(Method::GET, "PRODUCT/inbox")).await;
    let words = "Error reading from Authorization header";
    assert_eq!(
        (status, body),
        (403, json!({ "errorEvent": "", "errorCode": "", "errorDescription": words }))
    );
    let nobody = caller.bare(Method::GET, "NOBODY/inbox").header("authorization", token("NOBODY"));
    let (status, body) = answer(nobody.header("accept", V2)).await;
    let detail = json!([{ "event": "SEND", "code": "EPL-151", "msg": "No mailbox matched" }]);
    assert_eq!((status, body), (403, json!({ "detail": detail })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_may_be_in_lower_case_and_a_token_without_its_scheme() {
    let caller = sandbox();
    let bare = token("PRODUCT").replace("NHSMESH ", "");
    let call = caller.bare(Method::GET, "product/inbox").header("authorization", &bare);
    assert_eq!(status(call).await, 200);
    let int = Caller::with(Switches::of(Profile::Int));
    assert_eq!(status(int.bare(Method::GET, "PRODUCT/inbox").header("authorization", bare)).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_is_refused_in_the_order_and_with_the_statuses_of_the_sandbox() {
    let caller = sandbox();
    let id = first_of_two(&caller).await;
    let chunk = |path: String, range: &str| {
        caller.call(Method::POST, &path).header("mex-chunk-range", range).header("accept", V2).body("x")
    };
    let of = |number: u32| format!("PRODUCT/outbox/{id}/{number}");
    assert_eq!(status(chunk("PRODUCT/outbox/NONESUCH/2".to_owned(), "3:3")).await, 417);
    assert_eq!(status(chunk("PRODUCT/outbox/NONESUCH/2".to_owned(), "2:2")).await, 404);
    let (beyond, body) = answer(chunk(of(3), "3:3")).await;
    assert_eq!((beyond, &body["message"].is_string()), (406, &true), "{body}");
    let (status, body) = answer(chunk(of(2), "2:2").header("content-encoding", "gzip")).await;
    assert_eq!((status, &body["detail"][0]["msg"]), (417, &json!("cannot change content encoding")));
    let (status, body) = answer(chunk(of(2), "2:2")).await;
    assert_eq!((status, body), (202, Value::Null));
    assert_eq!(answer(chunk(of(2), "2:2")).await.0, 423);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_has_the_headers_of_the_sandbox_and_is_compressed_on_the_fly() {
    let caller = sandbox();
    let id = caller.send(b"hello").await;
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()), "{id}");
    let get =
        |version| caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}")).header("accept", version);
    let plain = get(V1).header("accept-encoding", "gzip").send().await.unwrap();
    let header = |name: &str| plain.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(
        (header("mex-chunk-range"), header("mex-total-chunks")),
        (Some("1:1".into()), Some("1".into()))
    );
    assert_eq!(
        (header("etag"), header("mex-content-compressed"), header("content-encoding")),
        (None, None, None)
    );
    assert!(header("last-modified").unwrap().ends_with(" UTC"));
    let zip = get(V2).header("accept-encoding", "gzip;q=0").send().await.unwrap();
    assert_eq!(zip.headers()["content-encoding"], "gzip");
    assert_eq!(zip.headers()["mex-content-compressed"], "Y");
    let mut text = String::new();
    let bytes = zip.bytes().await.unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    assert_eq!(text, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_may_ask_for_the_headers_and_nobody_else_is_told() {
    let caller = sandbox();
    let id = first_of_two(&caller).await;
    let head = |mailbox: &str| caller.call(Method::HEAD, &format!("{mailbox}/inbox/{id}"));
    assert_eq!((status(head("PRODUCT")).await, status(head("COUNTERPART")).await), (200, 410));
    let whole = caller.send(b"x").await;
    assert_eq!(status(caller.call(Method::HEAD, &format!("PRODUCT/inbox/{whole}"))).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn flaws_are_told_all_at_once_and_before_them_a_wrong_accept() {
    let caller = sandbox();
    let (status, body) = answer(caller.call(Method::POST, "PRODUCT/outbox").body("x")).await;
    assert_eq!((status, body["detail"].as_array().unwrap().len()), (400, 2), "{body}");
    assert_eq!(body["detail"][0]["loc"], json!(["header", "mex-to"]));
    let wrong = caller.call(Method::POST, "PRODUCT").header("accept", "application/vnd.mesh.v2");
    assert_eq!(answer(wrong).await.1["errorDescription"], "Accept header api format incorrect");
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_goes_on_after_a_message_and_links_leave_the_default_out() {
    let caller = sandbox();
    let (first, second) = (caller.send(b"1").await, caller.send(b"2").await);
    let after = caller.call(Method::GET, &format!("COUNTERPART/inbox?continue_from={first}"));
    assert_eq!(answer(after).await.1, json!({ "messages": [second] }));
    assert_eq!(caller.list("?max_results=500").await["links"]["self"], "/messageexchange/COUNTERPART/inbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rich_lists_have_everything_and_end() {
    let caller = sandbox();
    for _ in 0..3 {
        caller.send(b"x").await;
    }
    let last = caller.send(b"x").await;
    assert_eq!(
        status(caller.call(Method::PUT, &format!("COUNTERPART/inbox/{last}/status/acknowledged"))).await,
        200
    );
    let mut path = "COUNTERPART/inbox/rich?max_results=3".to_owned();
    let mut listed = Vec::new();
    loop {
        let page = answer(caller.call(Method::GET, &path)).await.1;
        listed.extend(page["messages"].as_array().unwrap().iter().map(|one| one["status"].clone()));
        match page["links"]["next"].as_str() {
            Some(next) => path = next.replace("/messageexchange/", ""),
            None => break,
        }
    }
    assert_eq!(listed, ["acknowledged", "accepted", "accepted", "accepted"]);
    let sent = answer(caller.call(Method::GET, "PRODUCT/outbox/rich")).await.1;
    assert_eq!(sent["messages"].as_array().unwrap().len(), 4);
    assert_eq!(status(caller.bare(Method::GET, "PRODUCT/outbox/rich")).await, 403);
    let int = Caller::with(Switches::of(Profile::Int));
    assert_eq!(status(int.call(Method::GET, "PRODUCT/outbox/rich")).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_not_reported() {
    let caller = sandbox();
    let id = caller.send(b"x").await;
    let event = caller.bare(Method::POST, &format!("admin/message/{id}/event"));
    assert_eq!(status(event.body(r#"{"status": "undeliverable"}"#)).await, 200);
    assert_eq!(answer(caller.call(Method::GET, "PRODUCT/inbox")).await.1, json!({ "messages": [] }));
    assert_eq!(status(caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}"))).await, 410);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_finds_an_id_in_either_case_and_a_message_wherever_it_is() {
    let caller = sandbox();
    let id = caller.send(b"x").await;
    let event = |body: &'static str| {
        caller.bare(Method::POST, &format!("admin/message/{}/event", id.to_lowercase())).body(body)
    };
    let tracked = || caller.call(Method::GET, &format!("PRODUCT/outbox/tracking?messageID={id}"));
    for told in ["acknowledged", "undeliverable"] {
        let body = if told == "acknowledged" {
            r#"{"status":"acknowledged"}"#
        } else {
            r#"{"status":"undeliverable"}"#
        };
        assert_eq!(status(event(body)).await, 200);
        assert_eq!(answer(tracked().header("accept", V2)).await.1["status"], told);
    }
    assert_eq!(status(event(r#"{"status": "error", "code": "21"}"#)).await, 200);
    let head = caller.call(Method::HEAD, &format!("PRODUCT/inbox/{id}")).send().await.unwrap();
    assert_eq!(head.headers()["mex-statuscode"], "21");
    assert_eq!(head.headers()["mex-statussuccess"], "ERROR");
    assert!(answer(tracked()).await.1.get("failureDiagnostic").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_no_empty_header_and_as_many_chunks_as_one_asks_for() {
    let caller = sandbox();
    let body = json!({ "mailbox_id": "PRODUCT", "code": "", "description": "", "workflow_id": "W",
        "subject": "", "local_id": "", "linked_message_id": "" });
    let made = answer(caller.bare(Method::POST, "admin/report").body(body.to_string())).await.1;
    let path = format!("PRODUCT/inbox/{}/7", made["message_id"].as_str().unwrap());
    let got = caller.call(Method::GET, &path).send().await.unwrap();
    assert_eq!((got.status().as_u16(), &got.headers()["mex-chunk-range"]), (200, &"7:0".parse().unwrap()));
    assert_eq!(got.headers()["mex-subject"], "NDR");
    assert!(!got.headers().contains_key("mex-localid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_read_decoded_and_with_a_slash_too_many() {
    let caller = sandbox();
    let id = caller.send(b"x").await;
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(status(caller.call(Method::HEAD, &format!("COUNTERPART/inbox/{encoded}"))).await, 200);
    let beyond = caller.call(Method::GET, &format!("COUNTERPART/inbox/{id}/99999999999"));
    assert_eq!(status(beyond).await, 404);
    // The client follows the redirects of the first two.
    for (method, path, answer) in [
        (Method::DELETE, "product/inbox/", 405),
        (Method::PUT, "PRODUCT/update/", 405),
        (Method::DELETE, "PRODUCT/outbox/rich", 405),
        (Method::GET, "endpointlookup//W", 404),
    ] {
        let call = caller.bare(method, path).send().await.unwrap();
        assert_eq!(call.status().as_u16(), answer, "{path}");
        assert_eq!(call.url().path(), format!("/messageexchange/{}", path.trim_end_matches('/')));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_route_by_another_method_is_none_and_whoever_may_not_use_them_finds_none() {
    let caller = sandbox();
    let report = caller.bare(Method::GET, "admin/report").send().await.unwrap();
    assert_eq!((report.status().as_u16(), &report.headers()["allow"]), (405, &"POST".parse().unwrap()));
    let not_found = (404, json!({ "detail": "Not Found" }));
    assert_eq!(answer(caller.bare(Method::GET, "admin/nonsense")).await, not_found);
    assert_eq!(
        answer(caller.outside(Method::GET, "/admin/mailbox/%50RODUCT")).await.1["mailbox_id"],
        "PRODUCT"
    );
    let elsewhere = Caller::with(Switches::of(Profile::Sandbox));
    assert_eq!(answer(elsewhere.bare(Method::GET, "admin/mailbox/PRODUCT")).await, not_found);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_messages_stay_is_a_switch() {
    let expiry = Expiry { inbox: TimeDelta::days(1), message: TimeDelta::days(2) };
    let caller = Caller::with(Switches { expiry, ..Switches::of(Profile::Int) });
    let id = caller.send(b"x").await;
    let get = || caller.moved_call(Method::GET, &format!("COUNTERPART/inbox/{id}"));
    for (hours, answer) in [(23, 200), (2, 410), (22, 410), (2, 404)] {
        caller.endpoint.clock.move_by(TimeDelta::hours(hours)).unwrap();
        assert_eq!(status(get()).await, answer, "after {hours} hours more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_and_tracking_say_after_how_many_days_nobody_had_collected_a_message() {
    let expiry = Expiry { inbox: TimeDelta::days(2), ..Expiry::default() };
    let caller = Caller::with(Switches { expiry, ..Switches::of(Profile::Int) });
    let id = caller.send(b"x").await;
    caller.endpoint.clock.move_by(TimeDelta::days(3)).unwrap();
    let words = "Message not collected by recipient after 2 days";
    let tracking = format!("PRODUCT/outbox/tracking?messageID={id}");
    assert_eq!(answer(caller.moved_call(Method::GET, &tracking)).await.1["status_description"], words);
    let listed = answer(caller.moved_call(Method::GET, "PRODUCT/inbox")).await.1;
    let report = format!("PRODUCT/inbox/{}", listed["messages"][0].as_str().unwrap());
    let report = caller.moved_call(Method::GET, &report).send().await.unwrap();
    assert_eq!(report.headers()["mex-statusdescription"], words);
}

/// In every profile.
#[tokio::test(flavor = "multi_thread")]
async fn partner_and_content_type_are_handed_on() {
    for profile in [Profile::Int, Profile::Spec, Profile::Sandbox] {
        let caller = Caller::with(Switches::of(profile));
        let sent = caller.sending("COUNTERPART", zipped(b"{}")).header("content-encoding", "gzip");
        let sent = sent.header("mex-content-type", "application/json").header("mex-partnerid", "P1");
        let id = json_of(sent.header("content-type", "text/plain").send().await.unwrap()).await;
        let path = format!("COUNTERPART/inbox/{}", id["message_id"].as_str().unwrap());
        let got = caller.call(Method::GET, &path).header("accept", V2).send().await.unwrap();
        for (name, value) in [
            ("mex-partnerid", "P1"),
            ("mex-content-type", "application/json"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(got.headers()[name], value, "{profile:?}");
        }
    }
}
