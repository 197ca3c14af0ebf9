#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Server;

/// Sends on a connection that is to be kept, and reads until the answer's last byte.
async fn healthz(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET /_/healthz HTTP/1.1\r\nHost: sandbox\r\n\r\n").await.unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"}") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn keeps_connections_and_ends_them_at_shutdown() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..2 {
        assert!(healthz(&mut stream).await.starts_with("HTTP/1.1 200"));
    }

    server.stop().await;
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn shuts_down_although_a_call_is_delayed() {
    let server = Server::start().await;
    server.fault(&json!({ "match": "GET /hook", "delay_ms": 600_000 })).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /hook HTTP/1.1\r\nHost: sandbox\r\n\r\n").await.unwrap();
    server.received(1).await;

    server.stop().await;
}
