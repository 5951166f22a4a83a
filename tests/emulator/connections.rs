//! What HTTP itself demands of an endpoint, byte by byte.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use mesh_witness::emulator::Arrangement;

use crate::support::Endpoint;

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
