//! Who is let in.

use std::fs;

use chrono::{TimeDelta, Utc};
use mesh_witness::emulator::{Profile, Switches};
use reqwest::{Method, StatusCode};
use rustls::version::{TLS12, TLS13};
use serde_json::json;

use crate::{
    caller::{Caller, client, handshake_headers, json_of, status, token, token_at},
    support::Endpoint,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_by_either_method_needs_its_headers() {
    let caller = Caller::new();
    for method in [Method::POST, Method::GET] {
        let response =
            caller.call(method.clone(), "PRODUCT").headers(handshake_headers()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{method}");
        assert!(response.bytes().await.unwrap().is_empty());
    }
    let response = caller.call(Method::POST, "PRODUCT").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json_of(response).await["detail"][0]["loc"], json!(["header", "mex-clientversion"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_one_call_to_its_own_mailbox_within_two_hours() {
    let caller = Caller::new();
    let with = |path: &str, token: &str| caller.bare(Method::GET, path).header("authorization", token);
    let once = token("PRODUCT");
    assert_eq!(status(with("PRODUCT/inbox", &once)).await, 200);
    assert_eq!(status(with("PRODUCT/inbox", &once)).await, 403);
    assert_eq!(status(with("PRODUCT/count", &once)).await, 403);
    assert_eq!(status(with("COUNTERPART/inbox", &token("PRODUCT"))).await, 403);
    assert_eq!(status(with("NOBODY/inbox", &token("NOBODY"))).await, 403);
    assert_eq!(status(caller.bare(Method::GET, "PRODUCT/inbox")).await, 403);
    assert_eq!(status(with("PRODUCT/inbox", &token("PRODUCT").replace("NHSMESH ", ""))).await, 403);
    assert_eq!(status(with("PRODUCT/inbox", &token_at("PRODUCT", TimeDelta::minutes(119)))).await, 200);
    assert_eq!(status(with("PRODUCT/inbox", &token_at("PRODUCT", TimeDelta::minutes(-119)))).await, 200);
    assert_eq!(status(with("PRODUCT/inbox", &token_at("PRODUCT", TimeDelta::minutes(122)))).await, 403);
    assert_eq!(status(with("PRODUCT/inbox", &token_at("PRODUCT", TimeDelta::minutes(-122)))).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_not_used_up_by_whoever_guessed_at_it() {
    let caller = Caller::new();
    let good = token("PRODUCT");
    let last = if good.ends_with('0') { "1" } else { "0" };
    let forged = format!("{}{last}", &good[..good.len() - 1]);
    let with = |token: &str| caller.bare(Method::GET, "PRODUCT/inbox").header("authorization", token);
    assert_eq!(status(with(&forged)).await, 403);
    assert_eq!(status(with(&good)).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_and_the_date_move_with_the_clock() {
    let caller = Caller::new();
    caller.endpoint.move_clock(TimeDelta::days(5));
    assert_eq!(status(caller.call(Method::GET, "PRODUCT/inbox")).await, 403);
    let moved = caller
        .bare(Method::GET, "PRODUCT/inbox")
        .header("authorization", token_at("PRODUCT", TimeDelta::days(5)));
    let response = moved.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let date = chrono::DateTime::parse_from_rfc2822(response.headers()["date"].to_str().unwrap()).unwrap();
    assert!(date.with_timezone(&Utc) - Utc::now() > TimeDelta::days(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_stays_used_when_the_clock_goes_and_comes_back() {
    let caller = Caller::new();
    let with = |token: &str| caller.bare(Method::GET, "PRODUCT/inbox").header("authorization", token);
    let once = token("PRODUCT");
    assert_eq!(status(with(&once)).await, 200);
    caller.endpoint.move_clock(TimeDelta::days(5));
    assert_eq!(status(with(&once)).await, 403);
    let later = token_at("PRODUCT", TimeDelta::days(5));
    assert_eq!(status(with(&later)).await, 200);
    caller.endpoint.move_clock(TimeDelta::days(-5));
    assert_eq!(status(with(&once)).await, 403);
    assert_eq!(status(with(&token("PRODUCT"))).await, 200);
    caller.endpoint.move_clock(TimeDelta::days(5));
    assert_eq!(status(with(&later)).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_not_told_that_a_path_is_malformed() {
    for (profile, malformed) in [(Profile::Int, 404), (Profile::Spec, 400)] {
        let caller = Caller::with(Switches::of(profile));
        for path in ["PRODUCT/inbox/A/0", "PRODUCT/inbox/%26", "PRODUCT/outbox/tracking/%0A"] {
            assert_eq!(status(caller.bare(Method::GET, path)).await, 403, "{path}");
            assert_eq!(status(caller.call(Method::GET, path)).await, malformed, "{path}");
        }
        let no_token_asked = caller.bare(Method::GET, "workflowsearch/%FF");
        assert_eq!(status(no_token_asked).await, malformed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_tls_versions_are_spoken_and_a_certificate_is_required() {
    let endpoint = Endpoint::start();
    let url = format!("{}/messageexchange/_ping", endpoint.url);
    for version in [&TLS12, &TLS13] {
        assert!(client(&endpoint, Some("PRODUCT"), &[version]).get(&url).send().await.is_ok());
        assert!(client(&endpoint, None, &[version]).get(&url).send().await.is_err());
    }
    let other = Endpoint::start();
    for name in ["PRODUCT.pem", "PRODUCT-key.pem"] {
        fs::copy(other.folder.path().join(name), endpoint.folder.path().join(name)).unwrap();
    }
    assert!(client(&endpoint, Some("PRODUCT"), &[&TLS12, &TLS13]).get(&url).send().await.is_err());
}
