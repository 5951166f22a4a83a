//! Connections that end where they should not: nothing is invented, and the tape says who ended them.

use std::{io, net::SocketAddr, time::Duration};

use mesh_witness::tape::{FailureKind, HostRule, Party};
use proptest::prelude::*;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::rig::{Kept, Rig, in_runtime, read_to_end, read_up_to, start};

const REQUEST: &[u8] = b"POST /messageexchange/X26ABC1/outbox HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\n{\"messageID\":\"M1\"}  ";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_endpoint_that_breaks_off_is_seen_to_break_off(cut in 0..RESPONSE.len(), reset in any::<bool>()) {
        in_runtime(async {
            let rig = Rig::start().await;
            let (mut client, mut server) = rig.connect().await;
            client.write_all(REQUEST).await.unwrap();
            assert_eq!(read_up_to(&mut server, REQUEST.len()).await, REQUEST);
            server.write_all(&RESPONSE[..cut]).await.unwrap();
            // What came before a reset is passed on before it.
            prop_assert_eq!(read_up_to(&mut client, cut).await, &RESPONSE[..cut]);
            if reset {
                server.set_zero_linger().unwrap();
            }
            drop(server);
            let (rest, end) = read_to_end(&mut client).await;
            prop_assert_eq!(rest, b"");
            prop_assert_eq!(end.is_err(), reset, "a reset is a reset, and an end is an end");
            drop(client);
            let (counts, kept) = rig.finish().await;
            prop_assert_eq!((counts.exchanges, counts.broken_off), (1, 1));
            let exchange = kept.exchanges().remove(0);
            prop_assert_eq!(exchange.failure.unwrap().kind, FailureKind::Closed);
            prop_assert_eq!(exchange.relay.as_ref().unwrap().broken_off_by, Some(Party::Endpoint));
            prop_assert_eq!(exchange.response.is_some(), cut > 0);
            prop_assert_eq!(exchange.request.body.size, 5);
            Ok(())
        })?;
    }

    #[test]
    fn so_is_a_product(cut in 1..REQUEST.len(), reset in any::<bool>()) {
        in_runtime(async {
            let rig = Rig::start().await;
            let (mut client, mut server) = rig.connect().await;
            client.write_all(&REQUEST[..cut]).await.unwrap();
            prop_assert_eq!(read_up_to(&mut server, cut).await, &REQUEST[..cut]);
            if reset {
                client.set_zero_linger().unwrap();
            }
            drop(client);
            let (rest, end) = read_to_end(&mut server).await;
            prop_assert_eq!(rest, b"");
            prop_assert_eq!(end.is_err(), reset);
            drop(server);
            let (counts, kept) = rig.finish().await;
            prop_assert_eq!((counts.exchanges, counts.broken_off), (1, 1));
            let exchange = kept.exchanges().remove(0);
            prop_assert!(exchange.response.is_none());
            prop_assert_eq!(exchange.relay.as_ref().unwrap().broken_off_by, Some(Party::Product));
            prop_assert!(REQUEST.starts_with(exchange.request.head.method.as_bytes()));
            Ok(())
        })?;
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_not_answered_for() {
    in_runtime(async {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (answer, kept) = call_through(nobody).await;
        assert_eq!((answer.0, answer.1.is_err()), (Vec::new(), true));
        let exchange = kept.exchanges().remove(0);
        assert_eq!(exchange.request.head.header("host"), Some("a"));
        assert_eq!(exchange.failure.unwrap().kind, FailureKind::ConnectionRefused);
        assert_eq!((exchange.response.is_none(), exchange.peer), (true, None));
        let connection = kept.connections().remove(0);
        assert_eq!((connection.ended_by, connection.exchanges), (Party::Endpoint, 1));
        assert!(connection.failure.is_some() && connection.endpoint.is_none());
    });
}

async fn call_through(endpoint: SocketAddr) -> ((Vec<u8>, io::Result<()>), Kept) {
    let kept = Kept::default();
    let keeper = kept.clone();
    let proxy = start(endpoint, HostRule::AsSent, move |entry| {
        keeper.keep(entry);
        Ok(())
    })
    .await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    client.write_all(REQUEST).await.unwrap();
    let answer = read_to_end(&mut client).await;
    proxy.stop(sleep(Duration::from_secs(20))).await.1.unwrap();
    (answer, kept)
}

#[test]
fn a_tunnel_is_refused_and_recorded() {
    in_runtime(async {
        let rig = Rig::start().await;
        let (mut client, mut server) = rig.connect().await;
        client.write_all(b"CONNECT a:1 HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(read_to_end(&mut server).await.0, b"");
        assert!(read_to_end(&mut client).await.1.is_err());
        drop((client, server));
        let (_, kept) = rig.finish().await;
        let exchange = kept.exchanges().remove(0);
        assert_eq!(exchange.relay.as_ref().unwrap().broken_off_by, Some(Party::Proxy));
        assert!(exchange.failure.unwrap().detail.contains("tunnel"));
    });
}

#[test]
fn an_end_of_the_recording_waits_for_what_is_under_way() {
    in_runtime(async {
        let rig = Rig::start().await;
        let (mut idle, mut idle_server) = rig.connect().await;
        let (mut client, mut server) = rig.connect().await;
        client.write_all(REQUEST).await.unwrap();
        read_up_to(&mut server, REQUEST.len()).await;
        let finished = tokio::spawn(rig.finish());
        assert_eq!(read_to_end(&mut idle).await.0, b"");
        assert_eq!(read_to_end(&mut idle_server).await.0, b"");
        server.write_all(RESPONSE).await.unwrap();
        assert_eq!(read_up_to(&mut client, RESPONSE.len()).await, RESPONSE);
        let (counts, _) = finished.await.unwrap();
        assert_eq!((counts.exchanges, counts.broken_off, counts.connections), (1, 0, 2));
    });
}

#[test]
fn what_is_still_under_way_after_that_is_broken_off_and_says_so() {
    in_runtime(async {
        let rig = Rig::start().await;
        let (mut client, mut server) = rig.connect().await;
        client.write_all(REQUEST).await.unwrap();
        read_up_to(&mut server, REQUEST.len()).await;
        let (counts, result) = rig.proxy.stop(async {}).await;
        result.unwrap();
        assert!(read_to_end(&mut client).await.1.is_err());
        assert_eq!((counts.exchanges, counts.broken_off), (1, 1));
        let exchange = rig.kept.exchanges().remove(0);
        assert_eq!(exchange.relay.as_ref().unwrap().broken_off_by, Some(Party::Proxy));
    });
}

#[test]
fn a_tape_that_takes_no_more_stops_the_relay() {
    in_runtime(async {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let mut left = 2;
        let proxy = start(address, HostRule::AsSent, move |_| {
            left -= 1;
            if left < 0 { Err(io::Error::other("the disk is full")) } else { Ok(()) }
        })
        .await;
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut server, _) = server.accept().await.unwrap();
        let mut answered = 0;
        // The record follows the answer: a few more may pass before the relay learns of it.
        while client.write_all(REQUEST).await.is_ok() && answered < 1000 {
            if read_up_to(&mut server, REQUEST.len()).await != REQUEST {
                break;
            }
            if server.write_all(RESPONSE).await.is_err()
                || read_up_to(&mut client, RESPONSE.len()).await != RESPONSE
            {
                break;
            }
            answered += 1;
        }
        assert!((2..1000).contains(&answered), "{answered}");
        proxy.failed().await;
        let (counts, result) = proxy.stop(async {}).await;
        assert_eq!(counts.exchanges, 2);
        assert_eq!(result.unwrap_err().to_string(), "the disk is full");
    });
}
