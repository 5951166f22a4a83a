//! "Track outbox", "Look up MESH address" and "Lookup by workflow".

use mesh_witness::{
    emulator::{Arrangement, Mailbox, Profile, Switches, Workflow, switches::LookupToken},
    protocol::{MailboxId, Password, WorkflowId},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    caller::{Caller, V1, V2, json_of, status, token},
    support::PASSWORD,
};

async fn track(caller: &Caller, id: &str, accept: &str) -> Value {
    let path = format!("PRODUCT/outbox/tracking?messageID={id}");
    json_of(caller.call(Method::GET, &path).header("accept", accept).send().await.unwrap()).await
}

async fn send_as(caller: &Caller, local_id: &str) -> String {
    let call = caller.sending("COUNTERPART", "hello").header("mex-localid", local_id);
    json_of(call.send().await.unwrap()).await["message_id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_tracked_from_accepted_to_acknowledged_in_both_versions() {
    let caller = Caller::new();
    let id = send_as(&caller, "mine").await;
    let v1 = track(&caller, &id, V1).await;
    assert_eq!(
        (&v1["status"], &v1["statusSuccess"], &v1["fileSize"]),
        (&json!("Accepted"), &Value::Null, &json!(5))
    );
    assert_eq!((&v1["dtsId"], &v1["messageId"], &v1["localId"]), (&json!(id), &json!(id), &json!("mine")));
    assert_eq!(v1["uploadTimestamp"].as_str().unwrap().len(), 14);
    let v2 = track(&caller, &id, V2).await;
    assert_eq!((&v2["status"], &v2["status_success"]), (&json!("accepted"), &json!(true)));
    assert_eq!((&v2["recipient"], &v2["recipient_ods_code"]), (&json!("COUNTERPART"), &json!("COU")));
    assert!(chrono::DateTime::parse_from_rfc3339(v2["upload_timestamp"].as_str().unwrap()).is_ok());
    let path = format!("COUNTERPART/inbox/{id}/status/acknowledged");
    assert_eq!(status(caller.call(Method::PUT, &path)).await, 200);
    assert_eq!(track(&caller, &id, V1).await["status"], "Acknowledged");
    assert_eq!(track(&caller, &id, V2).await["status"], "acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn tracking_in_v1_says_what_the_sender_declared() {
    let int = Caller::new();
    let spec = Caller::with(Switches::of(Profile::Spec));
    for (caller, undeclared) in [(int, Some(&Value::Null)), (spec, None)] {
        let plain = caller.send(b"x").await;
        let declared = caller.sending("COUNTERPART", "x").header("mex-content-compressed", "Y");
        let declared = declared.header("mex-content-encrypted", "Y").send().await.unwrap();
        let declared = json_of(declared).await["message_id"].as_str().unwrap().to_owned();
        let (plain, declared) = (track(&caller, &plain, V1).await, track(&caller, &declared, V1).await);
        for name in ["compressFlag", "isCompressed", "encryptedFlag"] {
            assert_eq!((plain.get(name), &declared[name]), (undeclared, &json!("Y")), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_tracks_anothers_message() {
    let caller = Caller::new();
    let id = send_as(&caller, "mine").await;
    for path in [
        format!("COUNTERPART/outbox/tracking?messageID={id}"),
        "COUNTERPART/outbox/tracking/mine".to_owned(),
        "PRODUCT/outbox/tracking?messageID=NONESUCH".to_owned(),
        "PRODUCT/outbox/tracking/nonesuch".to_owned(),
    ] {
        assert_eq!(status(caller.call(Method::GET, &path)).await, 404, "{path}");
        assert_eq!(status(caller.bare(Method::GET, &path)).await, 403, "{path}");
    }
    assert_eq!(status(caller.call(Method::GET, "PRODUCT/outbox/tracking")).await, 400);
    let spec = Caller::with(Switches::of(Profile::Spec));
    let unknown = spec.call(Method::GET, "PRODUCT/outbox/tracking?messageID=NONESUCH");
    assert_eq!(status(unknown).await, 400, "the OpenAPI lists no 404");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_id_is_tracked_while_it_is_unique() {
    let caller = Caller::new();
    let id = send_as(&caller, "my file/1 100%").await;
    let path = "PRODUCT/outbox/tracking/my%20file%2F1%20100%25";
    let found = json_of(caller.call(Method::GET, path).header("accept", V2).send().await.unwrap()).await;
    assert_eq!((&found["messageId"], &found["status"]), (&json!(id), &json!("Accepted")));
    send_as(&caller, "my file/1 100%").await;
    assert_eq!(status(caller.call(Method::GET, path)).await, 300);
}

fn arranged(switches: Switches) -> Caller {
    let id = |text: &str| MailboxId::parse(text).unwrap();
    let mailbox = |text: &str| Mailbox {
        ods_code: "X26".to_owned(),
        name: format!("Mailbox {text}"),
        ..Mailbox::new(id(text), Password::new(PASSWORD))
    };
    let workflow = Workflow {
        id: WorkflowId::parse("A WORKFLOW").unwrap(),
        senders: [id("PRODUCT")].into(),
        receivers: [id("COUNTERPART"), id("OTHER"), id("NOT_THERE")].into(),
        restricted: true,
        takes_chunks: true,
    };
    let other = Mailbox { ods_code: "X27".to_owned(), ..mailbox("OTHER") };
    let mailboxes = vec![mailbox("PRODUCT"), mailbox("COUNTERPART"), other];
    Caller::arranged(Arrangement { switches, mailboxes, workflows: vec![workflow], ..Arrangement::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_find_registered_receivers_and_need_no_token() {
    let caller = arranged(Switches::default());
    let ask = async |path: &str, accept: &str| {
        let response = caller.bare(Method::GET, path).header("accept", accept).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        json_of(response).await
    };
    let one = json!([{ "mailbox_id": "COUNTERPART", "mailbox_name": "Mailbox COUNTERPART" }]);
    assert_eq!(ask("endpointlookup/X26/A%20WORKFLOW", V2).await["results"], one);
    let v1 = ask("endpointlookup/X26/A%20WORKFLOW", V1).await;
    let endpoint =
        json!([{ "address": "COUNTERPART", "description": "Mailbox COUNTERPART", "endpoint_type": "MESH" }]);
    assert_eq!(v1["results"], endpoint);
    assert!(v1["query_id"].is_string());
    for accept in [V1, V2] {
        let found = ask("workflowsearch/A%20WORKFLOW", accept).await;
        assert_eq!(found["results"].as_array().unwrap().len(), 2);
        assert_eq!(found["results"][0], one[0]);
    }
    assert_eq!(ask("endpointlookup/X99/A%20WORKFLOW", V2).await["results"], json!([]));
    assert_eq!(ask("workflowsearch/NONESUCH", V2).await["results"], json!([]));
    let with_token = caller.bare(Method::GET, "workflowsearch/W").header("authorization", token("PRODUCT"));
    assert_eq!(status(with_token).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_need_a_token_where_the_switch_says_so() {
    let caller = arranged(Switches { lookup_token: LookupToken::Needed, ..Switches::default() });
    assert_eq!(status(caller.bare(Method::GET, "workflowsearch/W")).await, 403);
    let with_token = caller.bare(Method::GET, "workflowsearch/W").header("authorization", token("PRODUCT"));
    assert_eq!(status(with_token).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_workflow_is_417_with_its_code() {
    let caller = arranged(Switches::default());
    for (from, to, code) in [("COUNTERPART", "PRODUCT", "16"), ("PRODUCT", "PRODUCT", "17")] {
        let call = caller.call(Method::POST, &format!("{from}/outbox")).header("mex-to", to).body("x");
        let response = call.header("mex-workflowid", "A WORKFLOW").header("accept", V1).send().await.unwrap();
        assert_eq!(response.status(), 417);
        assert_eq!(json_of(response).await["errorCode"], code);
    }
    let sandbox = arranged(Switches::of(Profile::Sandbox));
    let call = sandbox.call(Method::POST, "COUNTERPART/outbox").header("mex-to", "PRODUCT").body("x");
    assert_eq!(status(call.header("mex-workflowid", "A WORKFLOW")).await, 202);
}
