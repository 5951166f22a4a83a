//! Routes that only a test endpoint has: those of mesh-sandbox 1.0.137, and the clock.

use mesh_witness::emulator::{Arrangement, Profile, Switches};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::caller::{Caller, V2, handshake_headers, json_of, status};

fn with_admin() -> Caller {
    Caller::arranged(Arrangement { admin: true, ..Arrangement::default() })
}

async fn post(caller: &Caller, path: &str, body: Value) -> Response {
    caller.bare(Method::POST, path).body(body.to_string()).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_moved_and_every_answer_says_so() {
    let caller = with_admin();
    let response = caller.call(Method::GET, "PRODUCT/inbox").send().await.unwrap();
    assert_eq!(response.headers().get("x-mesh-witness-clock-moved"), None);
    let id = caller.send(b"hello").await;
    let moved = post(&caller, "admin/clock", json!({ "move_seconds": 6 * 86_400 })).await;
    assert_eq!(json_of(moved).await["moved_seconds"], 518_400);
    let response = caller.moved_call(Method::GET, &format!("COUNTERPART/inbox/{id}")).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-mesh-witness-clock-moved"]),
        (410, &"518400".parse().unwrap())
    );
    for bad in
        [json!({}), json!({ "move_seconds": i64::MAX }), json!({ "move_seconds": 1, "x": 1 }), json!([])]
    {
        assert_eq!(post(&caller, "admin/clock", bad).await.status(), 400);
    }
    assert_eq!(
        json_of(caller.bare(Method::GET, "admin/clock").send().await.unwrap()).await["moved_seconds"],
        518_400
    );
}

/// What expired and was reported meanwhile stays so.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_moved_and_is_back_is_told_until_all_is_reset() {
    let caller = with_admin();
    let told = async || {
        let response = caller.call(Method::GET, "PRODUCT/count").send().await.unwrap();
        response.headers().get("x-mesh-witness-clock-moved").map(|moved| moved.to_str().unwrap().to_owned())
    };
    for (seconds, moved) in [(3600, "3600"), (-3600, "0")] {
        post(&caller, "admin/clock", json!({ "move_seconds": seconds })).await;
        assert_eq!(told().await.as_deref(), Some(moved));
    }
    assert_eq!(status(caller.bare(Method::DELETE, "admin/reset/PRODUCT")).await, 200);
    assert_eq!(told().await.as_deref(), Some("0"), "other mailboxes may have what came of it");
    assert_eq!(status(caller.bare(Method::DELETE, "admin/reset")).await, 200);
    assert_eq!(told().await, None);
}

/// Any page that somebody has open in a browser can make such a call, and a browser then says whose page it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_a_browser_changes_nothing_by_admin_routes() {
    for profile in [Profile::Int, Profile::Sandbox] {
        let switches = Switches::of(profile);
        let caller = Caller::arranged(Arrangement { admin: true, switches, ..Arrangement::default() });
        for (method, path) in [
            (Method::POST, "admin/clock"),
            (Method::DELETE, "admin/reset"),
            (Method::POST, "admin/mailbox/PRODUCT"),
            (Method::GET, "admin/clock"),
        ] {
            let body = r#"{"move_seconds": 60}"#;
            let call = caller.bare(method, path).header("origin", "http://page.example").body(body);
            assert_eq!(status(call).await, 403, "{path}");
        }
        let clock = caller.bare(Method::GET, "admin/clock").send().await.unwrap();
        assert_eq!(json_of(clock).await["moved_seconds"], 0);
        let page = caller.call(Method::GET, "PRODUCT/count").header("origin", "http://page.example");
        assert_eq!(status(page).await, 200, "only admin routes are without a token");
    }
}

/// A list would be read as a request, field by field.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_no_request() {
    let caller = with_admin();
    let answer = post(&caller, "admin/clock", json!([1])).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(json_of(answer).await["detail"], "the body must be a JSON object");
    let clock = caller.bare(Method::GET, "admin/clock").send().await.unwrap();
    assert_eq!(json_of(clock).await["moved_seconds"], 0);
}

/// It was answered 200, and the header was missing.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_header_can_carry_is_refused_by_its_name() {
    let caller = with_admin();
    let report = json!({ "mailbox_id": "COUNTERPART", "code": "99", "description": "words", "workflow_id": "W1",
        "status": "error" });
    for name in ["code", "description", "subject", "local_id", "file_name"] {
        for bad in ["a\nb", "\u{20ac}", "s\0"] {
            let mut request = report.clone();
            request[name] = json!(bad);
            let answer = post(&caller, "admin/report", request).await;
            assert_eq!(answer.status(), 400, "{name}");
            let detail = json_of(answer).await["detail"].as_str().unwrap().to_owned();
            assert_eq!(detail, format!("{name}: cannot stand in a header"));
        }
    }
    let id = caller.send(b"hello").await;
    for name in ["code", "event", "description"] {
        let event = json!({ "status": "error", name: "a\nb" });
        let answer = post(&caller, &format!("admin/message/{id}/event"), event).await;
        assert_eq!((answer.status().as_u16(), name), (400, name));
    }
    assert_eq!(caller.list("").await["messages"], json!([id]));
    let mut request = report;
    request["description"] = json!("caf\u{e9}");
    let id = json_of(post(&caller, "admin/report", request).await).await["message_id"].clone();
    let path = format!("COUNTERPART/inbox/{}", id.as_str().unwrap());
    let got = caller.call(Method::GET, &path).send().await.unwrap();
    assert_eq!(got.headers()["mex-statusdescription"].as_bytes(), b"caf\xe9");
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_are_reset_one_by_one_or_all() {
    let caller = with_admin();
    for path in ["admin/reset/counterpart", "admin/reset"] {
        caller.send(b"hello").await;
        assert_eq!(status(caller.bare(Method::DELETE, "admin/reset/PRODUCT")).await, 200);
        assert_eq!(caller.list("").await["approx_inbox_count"], 1);
        assert_eq!(status(caller.bare(Method::DELETE, path)).await, 200);
        assert_eq!(caller.list("").await["messages"], json!([]));
    }
    assert_eq!(status(caller.bare(Method::DELETE, "admin/reset/NONESUCH")).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_put_into_an_inbox() {
    let caller = with_admin();
    let report = json!({ "mailbox_id": "COUNTERPART", "code": "99", "description": "words", "workflow_id": "W1",
        "subject": "S", "local_id": "L", "linked_message_id": "A_B" });
    let mut error = report.clone();
    error["status"] = json!("error");
    for (request, code, event, subject) in [(report, "14", "SEND", "NDR: S"), (error, "99", "TRANSFER", "S")]
    {
        let id = json_of(post(&caller, "admin/report", request).await).await["message_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = format!("COUNTERPART/inbox/{id}");
        let got = caller.call(Method::GET, &path).header("accept", V2).send().await.unwrap();
        let header = |name: &str| got.headers()[name].to_str().unwrap();
        assert_eq!((header("mex-messagetype"), header("mex-statuscode")), ("REPORT", code));
        assert_eq!((header("mex-statusevent"), header("mex-subject")), (event, subject));
        assert_eq!((header("mex-linkedmsgid"), header("mex-localid")), ("A_B", "L"));
    }
    let nobody = json!({ "mailbox_id": "NOBODY", "code": "1", "description": "x", "workflow_id": "W" });
    assert_eq!(post(&caller, "admin/report", nobody).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_move_a_message_and_its_details_tell() {
    let caller = with_admin();
    for event in ["acknowledged", "undeliverable", "error"] {
        let id = caller.send(b"hello").await;
        let moved =
            post(&caller, &format!("admin/message/{id}/event"), json!({ "status": event, "code": "14" }))
                .await;
        assert_eq!(moved.status(), 200);
        let details = caller.bare(Method::GET, &format!("admin/message/{id}")).send().await.unwrap();
        let details = json_of(details).await;
        let status = details["status"].as_str().unwrap().to_lowercase();
        assert_eq!((status.as_str(), &details["sender"]), (event, &json!("PRODUCT")));
    }
    assert_eq!(caller.list("").await["messages"], json!([]));
    assert_eq!(
        post(&caller, "admin/message/NONESUCH/event", json!({ "status": "error" })).await.status(),
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_disabled_and_enabled_again() {
    let caller = with_admin();
    let handshake = || caller.call(Method::POST, "PRODUCT").headers(handshake_headers());
    for (active, answer) in [(false, 403), (true, 200)] {
        let changed = post(&caller, "admin/mailbox/PRODUCT", json!({ "active": active })).await;
        assert_eq!(json_of(changed).await["active"], active);
        assert_eq!(status(handshake()).await, answer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_such_routes_where_nobody_arranged_for_them() {
    let caller = Caller::new();
    assert_eq!(status(caller.bare(Method::DELETE, "admin/reset")).await, 404);
    assert_eq!(status(caller.bare(Method::GET, "admin/clock")).await, 404);
    assert_eq!(status(caller.outside(Method::GET, "/health")).await, 200);
}
