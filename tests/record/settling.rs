//! Whoever waits until the proxy has settled finds on the tape what was seen to end.

use std::{net::SocketAddr, thread, time::Duration};

use mesh_witness::{
    client::{Origin, Target, Timeouts},
    emulator::Pki,
    proxy::{Front, Proxy, Settings},
    tape::{HostRule, Redactor},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::rig::{Kept, in_runtime, read_up_to, start, within};

const REQUEST: &[u8] = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(3600);

#[test]
fn what_was_seen_to_end_is_kept_however_slowly_it_is_kept() {
    in_runtime(async {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kept = Kept::default();
        let keeper = kept.clone();
        let proxy = start(server.local_addr().unwrap(), HostRule::AsSent, move |entry| {
            thread::sleep(Duration::from_millis(100));
            keeper.keep(entry);
            Ok(())
        });
        let proxy = proxy.await;
        let gauge = proxy.gauge();
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut server, _) = server.accept().await.unwrap();
        for count in 1..=3 {
            client.write_all(REQUEST).await.unwrap();
            assert_eq!(read_up_to(&mut server, REQUEST.len()).await, REQUEST);
            server.write_all(ANSWER).await.unwrap();
            assert_eq!(read_up_to(&mut client, ANSWER.len()).await, ANSWER);
            within(gauge.settled(LONG)).await;
            assert_eq!(kept.exchanges().len(), count);
        }
        // A request that is not answered is waited for, and no longer than was asked for.
        client.write_all(REQUEST).await.unwrap();
        assert_eq!(read_up_to(&mut server, REQUEST.len()).await, REQUEST);
        within(gauge.settled(Duration::from_millis(1))).await;
        assert_eq!(kept.exchanges().len(), 3);
        drop(server);
        assert_eq!(read_up_to(&mut client, 1).await, b"");
        within(gauge.settled(LONG)).await;
        assert_eq!(kept.exchanges().len(), 4, "one that was broken off is kept too");
        drop(client);
        proxy.stop(sleep(LONG)).await.1.unwrap();
    });
}

#[test]
fn a_connection_that_is_being_made_is_waited_for() {
    in_runtime(async {
        // It takes the connection, and says nothing in its TLS handshake.
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin::parse(&format!("https://{}", server.local_addr().unwrap())).unwrap();
        let authority = Pki::new().unwrap().authority();
        let settings = Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            front: Front::Plain,
            target: Target::new(origin, &[authority], None, Timeouts::default()).unwrap(),
            connect_to: None,
            host: HostRule::AsSent,
            redactor: Redactor::default(),
        };
        let proxy = Proxy::start(settings, |_| Ok(())).await.unwrap();
        let client = TcpStream::connect(proxy.address()).await.unwrap();
        let (silent, _) = within(server.accept()).await.unwrap();
        let settled = timeout(Duration::from_millis(50), proxy.gauge().settled(LONG)).await;
        assert!(settled.is_err(), "nobody knows yet what comes of it");
        drop((silent, client));
        within(proxy.gauge().settled(LONG)).await;
        proxy.stop(sleep(LONG)).await.1.unwrap();
    });
}

#[test]
fn a_call_to_an_endpoint_that_is_not_there_is_waited_for() {
    in_runtime(async {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        drop(server);
        let kept = Kept::default();
        let keeper = kept.clone();
        let proxy = start(address, HostRule::AsSent, move |entry| {
            keeper.keep(entry);
            Ok(())
        });
        let proxy = proxy.await;
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        client.write_all(REQUEST).await.unwrap();
        assert_eq!(read_up_to(&mut client, 1).await, b"");
        within(proxy.gauge().settled(LONG)).await;
        assert_eq!(kept.exchanges().len(), 1, "what was asked of an endpoint that is not there");
        assert_eq!(kept.connections().len(), 1);
        proxy.stop(sleep(LONG)).await.1.unwrap();
    });
}
