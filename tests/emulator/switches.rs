//! Switches one by one: from the command line, and in mixtures that no profile has.

use mesh_witness::emulator::{
    Switches,
    switches::{Turned, Workflows},
};
use proptest::{prelude::*, test_runner::TestRunner};
use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::{
    access_log::{start, token},
    caller::{self, Caller, V1, V2, plain_client},
    support::witness,
};

/// What the program answers to the mailbox `A`, whose password is `a`.
struct Called {
    client: Client,
    url: String,
}

impl Called {
    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
        let call = self.client.request(method, format!("{}/messageexchange/A{path}", self.url));
        let call = call.header("authorization", token("A", "a")).header("accept", V2).body(body);
        headers.iter().fold(call, |call, (name, value)| call.header(*name, *value)).send().await.unwrap()
    }

    async fn send(&self, headers: &[(&str, &str)], bytes: usize) -> (u16, Value) {
        let headers = [&[("mex-to", "A"), ("mex-workflowid", "W")], headers].concat();
        let answer = self.call(Method::POST, "/outbox", &headers, vec![b'x'; bytes]).await;
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_turned_on_the_command_line_and_the_others_stay_as_the_profile_has_them() {
    for (switches, download, handshake) in [
        (vec![], 410, 200),
        (vec!["--switch", "acknowledged=missing"], 404, 200),
        (vec!["--switch", "acknowledged=served", "--switch", "handshake_methods=post"], 200, 405),
        (vec!["--profile", "sandbox", "--switch", "handshake_methods=post"], 200, 405),
    ] {
        let (_running, url) = start(&[&["--mailbox", "A:a"], switches.as_slice()].concat());
        let called = Called { client: plain_client(), url };
        let (_, sent) = called.send(&[], 1).await;
        let path = format!("/inbox/{}", sent["message_id"].as_str().unwrap());
        called.call(Method::PUT, &format!("{path}/status/acknowledged"), &[], vec![]).await;
        assert_eq!(called.call(Method::GET, &path, &[], vec![]).await.status(), download, "{switches:?}");
        let headers = ["mex-clientversion", "mex-osname", "mex-osversion"].map(|name| (name, "x"));
        let answer = called.call(Method::GET, "", &headers, vec![]).await;
        assert_eq!(answer.status(), handshake, "{switches:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_longer_than_asked_for_in_one_request_or_in_chunks() {
    let (_running, url) = start(&["--mailbox", "A:a", "--max-message-size", "1kB"]);
    let called = Called { client: plain_client(), url };
    for (bytes, status) in [(1000, 202), (1001, 413)] {
        assert_eq!(called.send(&[], bytes).await.0, status, "{bytes}");
    }
    for (bytes, status) in [(400, 202), (401, 413)] {
        let (_, first) = called.send(&[("mex-chunk-range", "1:2")], 600).await;
        let path = format!("/outbox/{}/2", first["message_id"].as_str().unwrap());
        let answer = called.call(Method::POST, &path, &[("mex-chunk-range", "2:2")], vec![b'x'; bytes]).await;
        assert_eq!(answer.status(), status, "{bytes}");
    }
}

#[test]
fn what_cannot_be_turned_is_told() {
    for (arguments, told) in [
        (vec!["--switch", "chunks"], "--switch: chunks: must be NAME=CHOICE; `emulate --help` lists them"),
        (vec!["--switch", "chunk-order=any"], "no switch `chunk-order`; did you mean `chunk_order`?"),
        (vec!["--switch", "chunk_order=some"], "`chunk_order` is strict or any, and not `some`"),
        (vec!["--switch", "head=recipient", "--switch", "head=sender-too"], "`head` is given twice"),
        (vec!["--max-message-size", "0"], "it is from one byte to 100GB"),
        (vec!["--max-message-size", "101GB"], "it is from one byte to 100GB"),
        (vec!["--max-message-size", "99999999999999999999GB"], "it is a whole number"),
        (vec!["--max-message-size", "20GiB"], "a number of bytes, or one with kB, MB or GB"),
        (vec!["--max-message-size", "1.5GB"], "it is a whole number"),
        (vec!["--listen", "localhost:8700"], "it is an IP address and a port, such as 127.0.0.1:8700"),
        (vec!["--shared-key", ""], "it is empty; give the environment's key"),
    ] {
        let outcome = witness(&[&["emulate", "--plain-http"], arguments.as_slice()].concat());
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert!(outcome.stderr.contains(told), "{arguments:?}: {}", outcome.stderr);
    }
}

/// Nobody has thought of each of them.
#[test]
fn no_mixture_of_them_answers_with_a_fault_of_its_own() {
    let turned = |(place, choice): (prop::sample::Index, prop::sample::Index)| {
        let switches = Switches::default().turned();
        let Turned { switch, choices, .. } = switches[place.index(switches.len())].clone();
        (switch, choices[choice.index(choices.len())])
    };
    let mixture =
        prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>().prop_map(turned), 1..40);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() });
    let play = |mixture: Vec<(&'static str, &'static str)>| {
        let mut switches = Switches::default();
        mixture.iter().for_each(|(switch, choice)| switches.turn(switch, choice).unwrap());
        let is_sent = if switches.workflows == Workflows::All { 417 } else { 202 };
        let answers = runtime.block_on(exchange(&Caller::with(switches)));
        prop_assert!(answers.iter().all(|(status, _)| *status < 500), "{answers:?}");
        prop_assert!(answers[..3].iter().all(|(status, _)| *status == is_sent), "{answers:?}");
        Ok(())
    };
    runner.run(&mixture, play).unwrap();
}

/// Sends whole and in chunks, looks, fetches, acknowledges, tracks, and does some of it wrongly.
async fn exchange(caller: &Caller) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    let mut ids = Vec::new();
    for (to, more) in [
        ("COUNTERPART", vec![]),
        ("COUNTERPART", vec![("mex-localid", "L1")]),
        ("COUNTERPART", vec![("mex-chunk-range", "1:2")]),
        ("NOBODY", vec![]),
        ("", vec![]),
        ("GPPROVIDER_9990000018_30041957_SMITH", vec![]),
        ("COUNTERPART", vec![("content-encoding", "br")]),
        ("COUNTERPART", vec![("mex-chunk-range", "2:2"), ("mex-from", "OTHER")]),
    ] {
        let call =
            more.iter().fold(caller.sending(to, "body"), |call, (name, value)| call.header(*name, *value));
        let answer = call.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        ids.extend(body["message_id"].as_str().map(str::to_owned));
        answers.push((status, text));
    }
    let mut calls = vec![
        (Method::GET, "COUNTERPART".to_owned()),
        (Method::GET, "COUNTERPART/inbox?workflow_filter=!W1&max_results=10".to_owned()),
        (Method::GET, "COUNTERPART/inbox?continue_from=x".to_owned()),
        (Method::GET, "COUNTERPART/count".to_owned()),
        (Method::GET, "PRODUCT/inbox".to_owned()),
        (Method::GET, "PRODUCT/outbox/tracking?localID=L1".to_owned()),
        (Method::GET, "PRODUCT/outbox/tracking?messageID=none".to_owned()),
        (Method::GET, "COUNTERPART/inbox/rich".to_owned()),
        (Method::GET, "counterpart/inbox".to_owned()),
    ];
    for id in &ids {
        for (method, path) in [
            (Method::POST, format!("PRODUCT/outbox/{id}/2")),
            (Method::POST, format!("PRODUCT/outbox/{id}/2")),
            (Method::HEAD, format!("PRODUCT/inbox/{id}")),
            (Method::HEAD, format!("COUNTERPART/inbox/{id}")),
            (Method::GET, format!("COUNTERPART/inbox/{id}")),
            (Method::GET, format!("COUNTERPART/inbox/{id}/2")),
            (Method::PUT, format!("COUNTERPART/inbox/{id}/status/acknowledged")),
            (Method::GET, format!("COUNTERPART/inbox/{id}")),
            (Method::GET, format!("PRODUCT/outbox/tracking?messageID={id}")),
        ] {
            calls.push((method, path));
        }
    }
    for (method, path) in calls {
        let mailbox = path.split(['/', '?']).next().unwrap_or_default().to_uppercase();
        for accept in [V1, V2] {
            let body = if method == Method::POST { "chunk" } else { "" };
            let call = caller.bare(method.clone(), &path).header("authorization", caller::token(&mailbox));
            let answer = call.header("accept", accept).body(body).send().await.unwrap();
            answers.push((
                answer.status().as_u16(),
                format!("{method} {path}: {}", answer.text().await.unwrap()),
            ));
        }
    }
    answers
}
