//! What HTTP itself demands of an endpoint, byte by byte.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use mesh_witness::emulator::{Arrangement, Profile, Switches};

use crate::{
    caller::{V2, token},
    support::Endpoint,
};

/// What is answered to this, until the endpoint closes the connection.
fn answer_to(endpoint: &Endpoint, request: &str) -> String {
    let mut stream = TcpStream::connect(endpoint.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// RFC 9110, 10.1.1: the final status at once, where the head is enough to tell it; a client that waits must not be
/// made to send 100 MB for nothing. And "close", since what it may send all the same is not read.
#[test]
fn a_client_that_waits_to_be_asked_for_its_body_is_refused_without_being_asked() {
    let endpoint = Endpoint::start_plain();
    let head = "POST /messageexchange/PRODUCT/outbox HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n";
    let answer = answer_to(&endpoint, &format!("{head}Content-Length: 100000000\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("connection: close\r\n"), "{answer}");
    let answer = answer_to(&endpoint, &format!("{head}Content-Length: 5\r\n\r\nhello"));
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn a_client_that_waits_is_asked_for_a_body_that_is_needed() {
    let endpoint = Endpoint::start_with(false, Arrangement { admin: true, ..Arrangement::default() });
    let head = "POST /messageexchange/admin/clock HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let answer =
        answer_to(&endpoint, &format!("{head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{{}}"));
    assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 "), "{answer}");
}

/// RFC 9112, 3.2; mesh-sandbox answers 400 as well.
#[test]
fn a_request_without_exactly_one_host_is_refused_in_every_profile() {
    for profile in [Profile::Int, Profile::Spec, Profile::Sandbox] {
        let arrangement = Arrangement { switches: Switches::of(profile), ..Arrangement::default() };
        let endpoint = Endpoint::start_with(false, arrangement);
        let target = "/messageexchange/PRODUCT/count";
        for (target, version, hosts, status) in [
            (target.to_owned(), "1.1", "", 400),
            (target.to_owned(), "1.1", "Host: a\r\nHost: a\r\n", 400),
            (target.to_owned(), "1.1", "Host: a\r\n", 200),
            (target.to_owned(), "1.0", "", 200),
            (format!("http://a{target}"), "1.1", "", 400),
            (format!("http://a{target}"), "1.1", "Host: a\r\n", 200),
        ] {
            let token = token("PRODUCT");
            let head = format!("GET {target} HTTP/{version}\r\n{hosts}Authorization: {token}\r\n");
            let answer = answer_to(&endpoint, &format!("{head}Connection: close\r\n\r\n"));
            let line = answer.lines().next().unwrap();
            assert!(
                line.contains(&format!(" {status} ")),
                "{profile:?} {target} {version} {hosts:?}: {line}"
            );
        }
    }
}

/// RFC 9112, 6.1: else the body would be kept in the coding that nobody undid.
#[test]
fn a_transfer_coding_that_is_not_known_is_not_taken_for_the_body() {
    let endpoint = Endpoint::start_plain();
    for (coding, status) in [("chunked", 202), ("gzip, chunked", 400)] {
        let head = format!(
            "POST /messageexchange/PRODUCT/outbox HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\nMex-To: COUNTERPART\r\n\
             Mex-WorkflowID: W1\r\nConnection: close\r\nTransfer-Encoding: {coding}\r\n\r\n",
            token("PRODUCT")
        );
        let answer = answer_to(&endpoint, &format!("{head}3\r\nabc\r\n0\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{coding}: {answer}");
    }
}

/// RFC 9110, 5.3.
#[test]
fn a_list_may_come_in_several_lines_but_for_mesh_sandbox() {
    for (profile, accept, shape) in [
        (Profile::Int, format!("Accept: text/plain\r\nAccept: {V2}\r\n"), "{\"count\":0}"),
        (Profile::Int, format!("Accept: text/plain, {V2}\r\n"), "{\"count\":0}"),
        (Profile::Sandbox, format!("Accept: text/plain\r\nAccept: {V2}\r\n"), "internalID"),
    ] {
        let arrangement = Arrangement { switches: Switches::of(profile), ..Arrangement::default() };
        let endpoint = Endpoint::start_with(false, arrangement);
        let token = token("PRODUCT");
        let head = "GET /messageexchange/PRODUCT/count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
        let answer = answer_to(&endpoint, &format!("{head}Authorization: {token}\r\n{accept}\r\n"));
        assert!(answer.contains(shape), "{profile:?} {accept}: {answer}");
    }
}
