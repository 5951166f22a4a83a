//! What differs between the profiles, as far as no other subject has it.

use chrono::TimeDelta;
use mesh_witness::emulator::{Arrangement, Mailbox, Profile, Switches};
use mesh_witness::protocol::{MailboxId, Password};
use reqwest::Method;
use serde_json::json;

use crate::{
    caller::{Caller, V1, handshake_headers, json_of, status, token, token_at},
    support::PASSWORD,
};

fn caller(profile: Profile) -> Caller {
    Caller::with(Switches::of(profile))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_differs_in_method_and_body() {
    let spec = caller(Profile::Spec);
    assert_eq!(status(spec.call(Method::GET, "PRODUCT").headers(handshake_headers())).await, 405);
    assert_eq!(status(spec.call(Method::POST, "PRODUCT").headers(handshake_headers())).await, 200);
    let sandbox = caller(Profile::Sandbox);
    let call = sandbox.call(Method::GET, "PRODUCT").headers(handshake_headers()).header("accept", V1);
    assert_eq!(json_of(call.send().await.unwrap()).await, json!({ "mailboxId": "PRODUCT" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_lets_tokens_in_again_at_any_time_and_in_capitals() {
    let sandbox = caller(Profile::Sandbox);
    let with = |token: &str| sandbox.bare(Method::GET, "PRODUCT/inbox").header("authorization", token);
    let once = token("PRODUCT");
    assert_eq!((status(with(&once)).await, status(with(&once)).await), (200, 200));
    assert_eq!(status(with(&token_at("PRODUCT", TimeDelta::days(-400)))).await, 200);
    let token = token("PRODUCT");
    let (front, hash) = token.rsplit_once(':').unwrap();
    let shouted = format!("{front}:{}", hash.to_uppercase());
    assert_eq!(status(with(&shouted)).await, 200);
    let int = caller(Profile::Int);
    assert_eq!(status(int.bare(Method::GET, "PRODUCT/inbox").header("authorization", &shouted)).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_serves_what_is_acknowledged_and_tells_what_is_anothers() {
    let sandbox = caller(Profile::Sandbox);
    let id = sandbox.send(b"hello").await;
    let path = format!("COUNTERPART/inbox/{id}");
    assert_eq!(status(sandbox.call(Method::PUT, &format!("{path}/status/acknowledged"))).await, 200);
    assert_eq!(status(sandbox.call(Method::GET, &path)).await, 200);
    assert_eq!(sandbox.list("").await["messages"], json!([]));
    assert_eq!(status(sandbox.call(Method::GET, &format!("PRODUCT/inbox/{id}"))).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_sends_differ() {
    let br = |caller: &Caller| caller.sending("COUNTERPART", "x").header("content-encoding", "br");
    let from = |caller: &Caller| caller.sending("COUNTERPART", "x").header("mex-from", "OTHER");
    let large = |caller: &Caller| caller.sending("COUNTERPART", vec![0; 100_000_001]);
    let gone = |caller: &Caller| caller.call(Method::PUT, "PRODUCT/inbox/NONESUCH/status/acknowledged");
    for (profile, answers) in [
        (Profile::Int, [400, 400, 413, 404]),
        (Profile::Spec, [400, 400, 400, 400]),
        (Profile::Sandbox, [422, 202, 413, 404]),
    ] {
        let caller = caller(profile);
        let found = [
            status(br(&caller)).await,
            status(from(&caller)).await,
            status(large(&caller)).await,
            status(gone(&caller)).await,
        ];
        assert_eq!(found, answers, "{profile:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_mailbox_is_403_in_everything() {
    let mailbox = |id: &str, active| Mailbox {
        active,
        ..Mailbox::new(MailboxId::parse(id).unwrap(), Password::new(PASSWORD))
    };
    // The endpoint registers both with their password; what is known besides stays.
    let mailboxes = vec![mailbox("PRODUCT", false), mailbox("COUNTERPART", true)];
    let caller = Caller::arranged(Arrangement { mailboxes, ..Arrangement::default() });
    assert_eq!(status(caller.call(Method::POST, "PRODUCT").headers(handshake_headers())).await, 403);
    assert_eq!(status(caller.call(Method::GET, "PRODUCT/inbox")).await, 403);
    assert_eq!(status(caller.sending("COUNTERPART", "x")).await, 403);
    assert_eq!(status(caller.call(Method::GET, "COUNTERPART/inbox")).await, 200);
}

/// What is malformed in a path has no status of its own in the OpenAPI; 400 is listed everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_path_parameter_differs() {
    // Without a token nobody is told anything of a mailbox. mesh-sandbox finds nothing, and says that a blank is none.
    for (profile, expected) in [
        (Profile::Int, [404, 404, 403]),
        (Profile::Spec, [400, 400, 403]),
        (Profile::Sandbox, [200, 400, 403]),
    ] {
        let caller = caller(profile);
        let paths = ["endpointlookup/%23%FF/0", "workflowsearch/%0A", "PRODUCT/inbox/%26"];
        for (path, expected) in paths.into_iter().zip(expected) {
            assert_eq!(status(caller.bare(Method::GET, path)).await, expected, "{profile:?} {path}");
        }
        assert_eq!(status(caller.bare(Method::GET, "PRODUCT/nonsense")).await, 404, "{profile:?}");
    }
}

/// The OpenAPI lists 403 for every operation on a mailbox, and 404 for hardly any.
#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_can_be_none_is_refused_like_one_that_is_none() {
    for profile in [Profile::Int, Profile::Spec, Profile::Sandbox] {
        let caller = caller(profile);
        for path in ["product%21/inbox", "NOBODY/inbox"] {
            assert_eq!(status(caller.bare(Method::GET, path)).await, 403, "{profile:?} {path}");
        }
    }
    assert_eq!(status(caller(Profile::Int).bare(Method::GET, "product/inbox")).await, 403);
}

/// Found by an OpenAPI-driven generator: codes are documented in the body of a 417 only.
#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_a_400_differs() {
    for (profile, media_type, place) in [
        (Profile::Int, "application/vnd.mesh.v2+json", "/detail/0/code"),
        (Profile::Spec, "application/json", "/detail/0/loc/1"),
    ] {
        let caller = caller(profile);
        let response = caller.sending("COUNTERPART", "x").header("mex-from", "OTHER").send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["content-type"], media_type, "{profile:?}");
        let body = json_of(response).await;
        assert!(body.pointer(place).is_some_and(|found| found == "07" || found == "mex-from"), "{body}");
    }
}
