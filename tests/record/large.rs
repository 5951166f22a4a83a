//! Large bodies pass without being held. (How little memory that takes, `benches/proxy` tells.)

use aws_lc_rs::digest;
use mesh_witness::tape::{KEPT_BYTES, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::rig::{Rig, in_runtime, read_up_to, within};

const SIZE: usize = 100_000_000;

/// Writes a body of SIZE bytes in chunks of an odd size; its digest.
async fn send_chunked(stream: &mut TcpStream) -> Sha256 {
    let mut hasher = digest::Context::new(&digest::SHA256);
    let mut sent = 0;
    let mut chunk = vec![0; 99_991];
    while sent < SIZE {
        let size = chunk.len().min(SIZE - sent);
        for (at, byte) in chunk.iter_mut().enumerate().step_by(97) {
            *byte = (at + sent) as u8;
        }
        hasher.update(&chunk[..size]);
        stream.write_all(format!("{size:x}\r\n").as_bytes()).await.unwrap();
        stream.write_all(&chunk[..size]).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
        sent += size;
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    Sha256::from_digest(hasher.finish())
}

/// The digest of everything up to the last chunk, framing and all.
async fn receive(stream: &mut TcpStream) -> Sha256 {
    let mut hasher = digest::Context::new(&digest::SHA256);
    let mut piece = vec![0; 1 << 17];
    let mut tail = Vec::new();
    while !tail.ends_with(b"\r\n0\r\n\r\n") {
        let count = within(stream.read(&mut piece)).await.unwrap();
        assert!(count > 0, "the body is whole");
        hasher.update(&piece[..count]);
        tail.extend_from_slice(&piece[count.saturating_sub(7)..count]);
        tail.drain(..tail.len().saturating_sub(7));
    }
    Sha256::from_digest(hasher.finish())
}

/// What [`receive`] should find.
fn framed() -> Sha256 {
    let mut hasher = digest::Context::new(&digest::SHA256);
    let mut sent = 0;
    let mut chunk = vec![0; 99_991];
    while sent < SIZE {
        let size = chunk.len().min(SIZE - sent);
        for (at, byte) in chunk.iter_mut().enumerate().step_by(97) {
            *byte = (at + sent) as u8;
        }
        hasher.update(format!("{size:x}\r\n").as_bytes());
        hasher.update(&chunk[..size]);
        hasher.update(b"\r\n");
        sent += size;
    }
    hasher.update(b"0\r\n\r\n");
    Sha256::from_digest(hasher.finish())
}

#[test]
fn a_hundred_megabytes_pass_either_way() {
    in_runtime(async {
        let rig = Rig::start().await;
        let (mut client, mut server) = rig.connect().await;
        let framed = framed();
        let head = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.write_all(head).await.unwrap();
        assert_eq!(read_up_to(&mut server, head.len()).await, head);
        let (up, came) = tokio::join!(send_chunked(&mut client), receive(&mut server));
        assert_eq!(came, framed);
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        server.write_all(head).await.unwrap();
        assert_eq!(read_up_to(&mut client, head.len()).await, head);
        let (down, came) = tokio::join!(send_chunked(&mut server), receive(&mut client));
        assert_eq!(came, framed);
        drop((client, server));
        let (_, kept) = rig.finish().await;
        let exchange = kept.exchanges().remove(0);
        let response = exchange.response.unwrap();
        for (body, digest) in [(&exchange.request.body, up), (&response.body, down)] {
            assert_eq!((body.size, body.sha256), (SIZE as u64, digest));
            assert!(body.kept.is_none() && SIZE > KEPT_BYTES);
        }
    });
}
