//! What is found out after a send was answered: REPORT messages, expiry, 410 (pack cases 702, 703, 705).

use chrono::TimeDelta;
use mesh_witness::emulator::{Profile, Switches};
use reqwest::{Method, Response};
use serde_json::json;

use crate::caller::{Caller, json_of, status};

async fn reports(caller: &Caller) -> Vec<Response> {
    let call = caller.moved_call(Method::GET, "PRODUCT/inbox");
    let listed = json_of(call.send().await.unwrap()).await;
    let mut reports = Vec::new();
    for id in listed["messages"].as_array().unwrap() {
        let path = format!("PRODUCT/inbox/{}", id.as_str().unwrap());
        reports.push(caller.moved_call(Method::GET, &path).send().await.unwrap());
    }
    reports
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_collects_is_reported_after_five_days_and_then_gone() {
    let caller = Caller::new();
    let labelled =
        caller.sending("COUNTERPART", "hello").header("mex-localid", "mine").header("mex-subject", "S");
    let id = json_of(labelled.send().await.unwrap()).await["message_id"].as_str().unwrap().to_owned();
    caller.endpoint.move_clock(TimeDelta::days(5) - TimeDelta::minutes(5));
    assert!(reports(&caller).await.is_empty());
    caller.endpoint.move_clock(TimeDelta::minutes(10));
    let mut reports = reports(&caller).await;
    let report = reports.pop().unwrap();
    assert!(reports.is_empty());
    for (name, value) in [
        ("mex-messagetype", "REPORT"),
        ("mex-linkedmsgid", id.as_str()),
        ("mex-statusevent", "SEND"),
        ("mex-statuscode", "14"),
        ("mex-statussuccess", "ERROR"),
        ("mex-statusdescription", "Message not collected by recipient after 5 days"),
        ("mex-localid", "mine"),
        ("mex-subject", "S"),
        ("mex-workflowid", "W1"),
        ("mex-to", "PRODUCT"),
    ] {
        assert_eq!(header(&report, name), value, "{name}");
    }
    assert_eq!(header(&report, "mex-statustimestamp").len(), 14);
    assert_ne!(header(&report, "mex-messageid"), id);
    assert_eq!(report.headers().get("mex-from"), None);
    assert_eq!(report.status(), 200);
    let own = header(&report, "mex-messageid").to_owned();
    assert!(report.bytes().await.unwrap().is_empty());

    let gone = caller.moved_call(Method::GET, &format!("COUNTERPART/inbox/{id}"));
    assert_eq!(status(gone).await, 410);
    let tracked = caller.moved_call(Method::GET, &format!("PRODUCT/outbox/tracking?messageID={id}"));
    assert_eq!(json_of(tracked.send().await.unwrap()).await["status"], "undeliverable");
    let acknowledged = caller.moved_call(Method::PUT, &format!("PRODUCT/inbox/{own}/status/acknowledged"));
    assert_eq!(status(acknowledged).await, 200);
    caller.endpoint.move_clock(TimeDelta::days(26));
    let deleted = caller.moved_call(Method::GET, &format!("COUNTERPART/inbox/{id}"));
    assert_eq!(status(deleted).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_recipient_is_417_with_an_id_and_a_report_about_it() {
    let caller = Caller::new();
    let response = caller.sending("NOBODY", "hello").send().await.unwrap();
    assert_eq!(response.status(), 417);
    let id = json_of(response).await["message_id"].as_str().unwrap().to_owned();
    let report = reports(&caller).await.pop().unwrap();
    assert_eq!((header(&report, "mex-statuscode"), header(&report, "mex-linkedmsgid")), ("12", id.as_str()));
    let tracked = caller.moved_call(Method::GET, &format!("PRODUCT/outbox/tracking?messageID={id}"));
    assert_eq!(json_of(tracked.send().await.unwrap()).await["status"], "error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_addressed_and_entitled_by_switch() {
    let report = async |profile| {
        let caller = Caller::with(Switches::of(profile));
        assert_eq!(status(caller.sending("COUNTERPART", "x").header("mex-subject", "S")).await, 202);
        caller.endpoint.move_clock(TimeDelta::days(6));
        let report = reports(&caller).await.pop().unwrap();
        (header(&report, "mex-to").to_owned(), header(&report, "mex-subject").to_owned())
    };
    assert_eq!(report(Profile::Spec).await, ("COUNTERPART".to_owned(), "S".to_owned()));
    assert_eq!(report(Profile::Sandbox).await, ("PRODUCT".to_owned(), "NDR: S".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_who_cannot_be_routed_to_is_a_report_not_an_answer() {
    let caller = Caller::new();
    let send = async |to: &str| {
        let call = caller.call(Method::POST, "PRODUCT/outbox").header("mex-to", to).body("x");
        status(call.header("mex-workflowid", "GPCONNECT_SEND_DOCUMENT")).await
    };
    assert_eq!(send("GPPROVIDER_9990000018_30041957_SMITH").await, 202);
    assert_eq!(send("GPPROVIDER_9990000019_30041957_SMITH").await, 202);
    let codes: Vec<String> =
        reports(&caller).await.iter().map(|report| header(report, "mex-statuscode").to_owned()).collect();
    assert_eq!(json!(codes), json!(["EPL-153", "EPL-152"]));
}
