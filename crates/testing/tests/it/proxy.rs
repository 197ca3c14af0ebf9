//! A network that can be cut.

use std::{io::ErrorKind, time::Duration};

use patchbay_testing::{proxy::Proxy, wait_for};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough for a byte on the loopback address.
const SILENCE: Duration = Duration::from_millis(200);

/// Both ends of a connection through a proxy.
struct Line {
    proxy: Proxy,
    listener: TcpListener,
    client: TcpStream,
    server: TcpStream,
}

async fn line() -> Line {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::to(listener.local_addr().unwrap().to_string());
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    Line { proxy, listener, client, server }
}

async fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(SILENCE, stream.read(&mut [0])).await.is_err()
}

/// What ends a stream on which nothing more comes.
async fn end(stream: &mut TcpStream) -> Option<ErrorKind> {
    timeout(PATIENCE, stream.read(&mut [0])).await.unwrap().err().map(|error| error.kind())
}

#[tokio::test]
async fn passes_bytes_and_their_end_both_ways() {
    let mut line = line().await;
    line.client.write_all(b"question").await.unwrap();
    assert_eq!(read(&mut line.server, 8).await, b"question");
    line.server.write_all(b"answer").await.unwrap();
    drop(line.server);
    assert_eq!(read(&mut line.client, 6).await, b"answer");
    assert_eq!(end(&mut line.client).await, None);
}

#[tokio::test]
async fn a_cut_connection_stays_open_and_mute_even_after_it_is_healed() {
    let mut line = line().await;
    line.proxy.cut();
    line.client.write_all(b"lost").await.unwrap();
    line.server.write_all(b"lost").await.unwrap();
    assert!(is_silent(&mut line.server).await && is_silent(&mut line.client).await);
    line.proxy.heal();
    line.client.write_all(b"after a hole").await.unwrap();
    assert!(is_silent(&mut line.server).await);
}

#[tokio::test]
async fn the_end_of_a_mute_connection_is_told_when_the_network_is_healed() {
    let mut line = line().await;
    line.proxy.cut();
    line.client.write_all(b"lost").await.unwrap();
    assert!(is_silent(&mut line.server).await);
    drop(line.client);
    assert!(is_silent(&mut line.server).await);
    line.proxy.heal();
    assert_eq!(end(&mut line.server).await, Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_connection_that_lost_nothing_goes_on_after_a_cut() {
    let mut line = line().await;
    line.proxy.cut();
    line.proxy.heal();
    line.client.write_all(b"still here").await.unwrap();
    assert_eq!(read(&mut line.server, 10).await, b"still here");
}

#[tokio::test]
async fn connections_of_a_cut_network_are_made_when_it_is_healed() {
    let line = line().await;
    line.proxy.cut();
    let mut late = TcpStream::connect(line.proxy.address()).await.unwrap();
    late.write_all(b"late").await.unwrap();
    assert!(timeout(SILENCE, line.listener.accept()).await.is_err());
    line.proxy.heal();
    let (mut server, _) = timeout(PATIENCE, line.listener.accept()).await.unwrap().unwrap();
    assert_eq!(read(&mut server, 4).await, b"late");
}

#[tokio::test]
async fn breaks_every_connection_with_a_reset_and_takes_new_ones() {
    let mut line = line().await;
    line.proxy.break_all();
    assert_eq!(end(&mut line.client).await, Some(ErrorKind::ConnectionReset));
    assert_eq!(end(&mut line.server).await, Some(ErrorKind::ConnectionReset));
    TcpStream::connect(line.proxy.address()).await.unwrap();
    timeout(PATIENCE, line.listener.accept()).await.unwrap().unwrap();
}

#[tokio::test]
async fn is_cut_in_the_middle_of_what_is_sent() {
    let mut line = line().await;
    line.proxy.pause_after(3);
    line.client.write_all(b"abcdef").await.unwrap();
    assert_eq!(read(&mut line.server, 3).await, b"abc");
    line.server.write_all(b"lost").await.unwrap();
    assert!(is_silent(&mut line.server).await && is_silent(&mut line.client).await);
}

#[tokio::test]
async fn closes_what_it_can_not_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let proxy = Proxy::to(address.to_string());
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(end(&mut client).await, None);
}

#[tokio::test]
async fn a_dropped_proxy_closes_everything() {
    let line = line().await;
    let (address, mut client) = (line.proxy.address(), line.client);
    drop(line.proxy);
    end(&mut client).await;
    wait_for("the port to be given back", PATIENCE, async || TcpStream::connect(address).await.err()).await;
}

#[test]
fn stands_in_the_place_of_a_host() {
    let (proxy, through) = Proxy::before("amqp://u:p@127.0.0.1:1/v");
    assert_eq!(through, format!("amqp://u:p@{}/v", proxy.address()));
    let (proxy, through) = Proxy::before("http://127.0.0.1:1");
    assert_eq!(through, format!("http://{}", proxy.address()));
}
