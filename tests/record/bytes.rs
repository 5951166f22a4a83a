//! What arrives is what was sent, byte for byte, and what is recorded is what passed.

use mesh_witness::tape::{Exchange, HostRule, Sha256};
use proptest::{collection::vec, prelude::*};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::rig::{Rig, in_runtime, read_to_end, read_up_to};

/// A message on the wire, and what a reader should make of it.
#[derive(Debug, Clone)]
struct Message {
    wire: Vec<u8>,
    head: usize,
    body: Vec<u8>,
}

/// A request, its response, and where to cut them.
#[derive(Debug, Clone)]
struct Call {
    request: Message,
    interim: bool,
    response: Message,
    cuts: Vec<usize>,
}

fn headers() -> impl Strategy<Value = String> {
    let header = (
        prop_oneof![
            "[Mm][Ee][Xx]-[A-Za-z]{1,6}",
            "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}",
            Just("X-Dup".to_owned())
        ],
        prop_oneof!["[ \t]{0,2}[!-~]{0,20}[ \t]{0,2}", "é[ -~]{0,9}"],
    );
    vec(header, 0..6).prop_map(|headers| {
        let framing = |name: &str| {
            ["content-length", "transfer-encoding", "content-encoding", "host"]
                .iter()
                .any(|one| name.eq_ignore_ascii_case(one))
        };
        let line = |(name, value): &(String, String)| format!("{name}:{value}\r\n");
        headers.iter().filter(|(name, _)| !framing(name)).map(line).collect()
    })
}

/// A body of a given length or in chunks, and the headers that say so.
fn body() -> impl Strategy<Value = (String, Vec<u8>, Vec<u8>)> {
    let sized =
        (vec(any::<u8>(), 0..3000), prop_oneof!["Content-Length: ", "content-length:", "CONTENT-LENGTH:  "])
            .prop_map(|(body, name)| (format!("{name}{}\r\n", body.len()), body.clone(), body));
    let chunk = (
        vec(any::<u8>(), 1..700),
        "(;[a-z]{1,5}(=[a-z]{1,5})?|;[a-z]=\"[ -!#-Z]{0,5}\"|[ \t])?",
        any::<bool>(),
    );
    let chunked = (vec(chunk, 0..5), "([A-Z]{1,5}: ?[a-z]{0,5}\r\n){0,2}", any::<bool>()).prop_map(
        |(chunks, trailers, lower)| {
            let mut wire = Vec::new();
            let mut body = Vec::new();
            for (content, extension, upper) in chunks {
                let size =
                    if upper { format!("{:X}", content.len()) } else { format!("0{:x}", content.len()) };
                wire.extend_from_slice(format!("{size}{extension}\r\n").as_bytes());
                wire.extend_from_slice(&content);
                wire.extend_from_slice(b"\r\n");
                body.extend(content);
            }
            wire.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
            let coding =
                if lower { "transfer-encoding: chunked\r\n" } else { "Transfer-Encoding:Chunked\r\n" };
            (coding.to_owned(), wire, body)
        },
    );
    prop_oneof![sized, chunked, Just((String::new(), Vec::new(), Vec::new()))]
}

fn message(line: String, headers: &str, (framing, wire, body): (String, Vec<u8>, Vec<u8>)) -> Message {
    let head = format!("{line}\r\n{headers}{framing}\r\n").into_bytes();
    Message { head: head.len(), wire: [head, wire].concat(), body }
}

fn call() -> impl Strategy<Value = Call> {
    let request = ("(GET|POST|PUT|HEAD|X-Y)", "/[!-~]{0,30}", headers(), body());
    let response = (prop_oneof![200u16..204, 205u16..304, 400u16..600], headers(), body());
    (request, response, any::<bool>(), vec(1usize..4000, 0..6)).prop_map(
        |((method, target, more, body), (status, other, mut answer), interim, cuts)| {
            if answer.0.is_empty() {
                answer.0 = "Content-Length: 0\r\n".to_owned();
            }
            if method == "HEAD" {
                (answer.1, answer.2) = (Vec::new(), Vec::new());
            }
            Call {
                request: message(format!("{method} {target} HTTP/1.1"), &more, body),
                interim,
                response: message(format!("HTTP/1.1 {status} Odd  reason"), &other, answer),
                cuts,
            }
        },
    )
}

/// Writes in pieces that end at the cuts.
async fn write_cut(stream: &mut TcpStream, wire: &[u8], cuts: &[usize]) {
    let mut rest = wire;
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
        rest = after;
    }
    stream.write_all(rest).await.unwrap();
}

const INTERIM: &[u8] = b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n";

fn assert_recorded(exchange: &Exchange, call: &Call) {
    let head = &exchange.request.head;
    assert_eq!(head.size, call.request.head);
    assert!(String::from_utf8_lossy(&call.request.wire).starts_with(&head.line()), "{head:?}");
    let body = &exchange.request.body;
    assert_eq!((body.size, body.sha256), (call.request.body.len() as u64, Sha256::of(&call.request.body)));
    let response = exchange.response.as_ref().unwrap();
    assert_eq!(response.head.size, call.response.head);
    let body = &response.body;
    assert_eq!((body.size, body.sha256), (call.response.body.len() as u64, Sha256::of(&call.response.body)));
    assert!(exchange.failure.is_none(), "{exchange:?}");
    let relay = exchange.relay.as_ref().unwrap();
    assert_eq!(relay.interim, if call.interim { vec![100] } else { vec![] });
    let names = |wire: &[u8], head: usize| {
        let text = String::from_utf8_lossy(&wire[..head]).into_owned();
        let lines = text.split("\r\n").skip(1).filter(|line| !line.is_empty());
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let recorded = |headers: &[mesh_witness::tape::Header]| {
        headers.iter().map(|header| header.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(recorded(&head.headers), names(&call.request.wire, call.request.head));
    assert_eq!(recorded(&response.head.headers), names(&call.response.wire, call.response.head));
}

async fn one_by_one(calls: Vec<Call>) {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.connect().await;
    for call in &calls {
        let request = async {
            write_cut(&mut client, &call.request.wire, &call.cuts).await;
            let count = call.response.wire.len() + if call.interim { INTERIM.len() } else { 0 };
            read_up_to(&mut client, count).await
        };
        let response = async {
            let came = read_up_to(&mut server, call.request.wire.len()).await;
            if call.interim {
                server.write_all(INTERIM).await.unwrap();
            }
            write_cut(&mut server, &call.response.wire, &call.cuts).await;
            came
        };
        let (answer, came) = tokio::join!(request, response);
        assert_eq!(came, call.request.wire);
        let sent =
            if call.interim { [INTERIM, &call.response.wire].concat() } else { call.response.wire.clone() };
        assert_eq!(answer, sent);
    }
    drop(client);
    assert_eq!(read_to_end(&mut server).await.0, b"");
    drop(server);
    let (counts, kept) = rig.finish().await;
    let exchanges = kept.exchanges();
    assert_eq!((exchanges.len(), counts.broken_off), (calls.len(), 0), "{exchanges:?}");
    exchanges.iter().zip(&calls).for_each(|(exchange, call)| assert_recorded(exchange, call));
    assert_eq!(kept.connections().len(), 1);
}

/// All requests at once, then all responses at once.
async fn pipelined(calls: Vec<Call>) {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.connect().await;
    let requests: Vec<u8> = calls.iter().flat_map(|call| call.request.wire.clone()).collect();
    let responses: Vec<u8> = calls.iter().flat_map(|call| call.response.wire.clone()).collect();
    let cuts: Vec<usize> = calls.iter().flat_map(|call| call.cuts.clone()).collect();
    let client = async {
        write_cut(&mut client, &requests, &cuts).await;
        client.shutdown().await.unwrap();
        read_to_end(&mut client).await.0
    };
    let server = async {
        let came = read_up_to(&mut server, requests.len()).await;
        write_cut(&mut server, &responses, &cuts).await;
        // The half that is closed is closed here too, and the other half is not.
        let rest = read_to_end(&mut server).await.0;
        drop(server);
        (came, rest)
    };
    let (answers, (came, rest)) = tokio::join!(client, server);
    assert_eq!((came, rest), (requests, Vec::new()));
    assert_eq!(answers, responses);
    let (_, kept) = rig.finish().await;
    let exchanges = kept.exchanges();
    assert_eq!(exchanges.len(), calls.len());
    exchanges.iter().zip(&calls).for_each(|(exchange, call)| assert_recorded(exchange, call));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn conversations_pass_byte_for_byte_and_are_recorded_as_they_were(calls in vec(call(), 1..6)) {
        in_runtime(one_by_one(calls));
    }

    #[test]
    fn so_do_pipelined_ones(calls in vec(call(), 1..6)) {
        let calls = calls.into_iter().map(|call| Call { interim: false, ..call }).collect();
        in_runtime(pipelined(calls));
    }

    /// Whatever it is, and whatever it can be read as.
    #[test]
    fn bytes_that_are_no_http_pass_too(
        up in vec(prop_oneof!["[A-Z]{1,4} /[a-z]{0,3} HTTP/1.[01]", "[ -~]{0,20}", "\r\n", "[0-9a-f]{1,3}\r\n", "content-length: [0-9]{1,2}"], 0..20),
        down in vec(any::<u8>(), 0..2000),
    ) {
        in_runtime(async {
            let up = up.concat().into_bytes();
            let rig = Rig::start().await;
            let (mut client, mut server) = rig.connect().await;
            client.write_all(&up).await.unwrap();
            prop_assert_eq!(&read_up_to(&mut server, up.len()).await, &up);
            server.write_all(&down).await.unwrap();
            prop_assert_eq!(&read_up_to(&mut client, down.len()).await, &down);
            drop((client, server));
            let (_, kept) = rig.finish().await;
            let recorded: u64 = kept.exchanges().iter().map(|one| one.request.head.size as u64 + one.request.body.size).sum();
            prop_assert!(recorded <= up.len() as u64);
            Ok(())
        })?;
    }
}

#[test]
fn a_response_may_come_before_its_request_has_ended() {
    in_runtime(async {
        let rig = Rig::start().await;
        let (mut client, mut server) = rig.connect().await;
        let begun = b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nhi";
        client.write_all(begun).await.unwrap();
        assert_eq!(read_up_to(&mut server, begun.len()).await, begun);
        let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
        server.write_all(refusal).await.unwrap();
        assert_eq!(read_up_to(&mut client, refusal.len()).await, refusal);
        client.write_all(b"ho").await.unwrap();
        assert_eq!(read_up_to(&mut server, 2).await, b"ho");
        drop((client, server));
        let (counts, kept) = rig.finish().await;
        assert_eq!((counts.exchanges, counts.broken_off), (1, 0));
        assert_eq!(kept.exchanges()[0].request.body.kept.as_deref(), Some(&b"hiho"[..]));
    });
}

#[test]
fn a_response_without_length_ends_with_the_connection() {
    in_runtime(async {
        let rig = Rig::start().await;
        let (mut client, mut server) = rig.connect().await;
        let request = b"GET /a HTTP/1.0\r\n\r\n";
        client.write_all(request).await.unwrap();
        assert_eq!(read_up_to(&mut server, request.len()).await, request);
        server.write_all(b"HTTP/1.0 200 OK\r\n\r\nall of it").await.unwrap();
        drop(server);
        assert_eq!(read_to_end(&mut client).await.0, b"HTTP/1.0 200 OK\r\n\r\nall of it");
        drop(client);
        let (counts, kept) = rig.finish().await;
        assert_eq!((counts.exchanges, counts.broken_off), (1, 0));
        assert_eq!(kept.exchanges()[0].response.as_ref().unwrap().body.size, 9);
    });
}

#[test]
fn host_is_replaced_where_that_is_asked_for_and_the_exchange_says_so() {
    in_runtime(async {
        let rig = Rig::start_with(HostRule::ReplacedBy("mesh.example".to_owned())).await;
        let (mut client, mut server) = rig.connect().await;
        client.write_all(b"GET / HTTP/1.1\r\nHOST: localhost:1\r\nX-Host: b\r\n\r\n").await.unwrap();
        let wanted = b"GET / HTTP/1.1\r\nHOST: mesh.example\r\nX-Host: b\r\n\r\n";
        assert_eq!(read_up_to(&mut server, wanted.len()).await, wanted);
        server.write_all(b"HTTP/1.1 204 No\r\n\r\n").await.unwrap();
        read_up_to(&mut client, 19).await;
        drop((client, server));
        let (_, kept) = rig.finish().await;
        let exchange = &kept.exchanges()[0];
        assert_eq!(exchange.request.head.header("host"), Some("localhost:1"));
        assert_eq!(exchange.relay.as_ref().unwrap().host_replaced_by.as_deref(), Some("mesh.example"));
    });
}
