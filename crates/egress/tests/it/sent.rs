//! A failure says whether the partner may have seen the request.

use std::io::Write;
use std::time::Duration;

use patchbay_egress::{Egress, Kind, Options, Sent};

use crate::server::{OK, Server, accept, closed_port, read_request, wait_for_hang_up};
use crate::{SHORT, egress, failure, get, options};

#[tokio::test]
async fn a_refused_connection_is_unsent() {
    assert_eq!(
        failure(egress().send(get(format!("http://127.0.0.1:{}/", closed_port()))).await),
        (Kind::Connect, Sent::No, "host 127.0.0.1 could not be connected to".to_owned())
    );
}

#[tokio::test]
async fn a_name_that_can_not_be_resolved_is_unsent() {
    assert_eq!(
        failure(egress().send(get("http://no-such-host.invalid/")).await),
        (Kind::Dns, Sent::No, "host no-such-host.invalid could not be resolved".to_owned())
    );
}

#[tokio::test]
async fn tls_with_a_peer_that_speaks_plain_http_is_unsent() {
    let server = Server::run(|listener| {
        let mut stream = accept(&listener);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        wait_for_hang_up(&mut stream);
    });
    assert_eq!(
        failure(egress().send(get(format!("https://127.0.0.1:{}/", server.port))).await),
        (
            Kind::Tls,
            Sent::No,
            "tls handshake with host 127.0.0.1 failed: it does not answer in tls; perhaps it speaks plain http"
                .to_owned()
        )
    );
}

#[tokio::test]
async fn a_silent_tls_peer_is_a_timeout_unsent() {
    let server = Server::run(|listener| wait_for_hang_up(&mut accept(&listener)));
    let egress = Egress::new(Options { connect_timeout: SHORT, ..options() }).unwrap();
    assert_eq!(
        failure(egress.send(get(format!("https://127.0.0.1:{}/", server.port))).await),
        (Kind::Timeout, Sent::No, "connecting to host 127.0.0.1 took longer than 1s".to_owned())
    );
}

#[tokio::test]
async fn the_timeout_of_the_exchange_while_connecting_is_unsent() {
    let server = Server::run(|listener| wait_for_hang_up(&mut accept(&listener)));
    let mut request = get(format!("https://127.0.0.1:{}/", server.port));
    request.timeout = SHORT;
    assert_eq!(
        failure(egress().send(request).await),
        (Kind::Timeout, Sent::No, "host 127.0.0.1 gave no complete answer within 1s".to_owned())
    );
}

#[tokio::test]
async fn no_time_at_all_is_unsent() {
    let mut request = get("http://127.0.0.1:1/");
    request.timeout = Duration::ZERO;
    let (_, sent, _) = failure(egress().send(request).await);
    assert_eq!(sent, Sent::No);
}

#[tokio::test]
async fn a_request_without_an_answer_may_be_sent() {
    let server = Server::run(|listener| {
        let mut stream = accept(&listener);
        read_request(&mut stream);
        wait_for_hang_up(&mut stream);
    });
    let mut request = get(server.url("/"));
    request.timeout = SHORT;
    assert_eq!(
        failure(egress().send(request).await),
        (Kind::Timeout, Sent::Maybe, "host 127.0.0.1 gave no complete answer within 1s".to_owned())
    );
    server.seen().await;
}

#[tokio::test]
async fn a_slow_drip_ends_with_the_timeout_of_the_exchange() {
    let server = Server::run(|listener| {
        let mut stream = accept(&listener);
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").unwrap();
        while stream.write_all(b".").is_ok() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    });
    let mut request = get(server.url("/"));
    request.timeout = SHORT;
    let (kind, sent, _) = failure(egress().send(request).await);
    assert_eq!((kind, sent), (Kind::Timeout, Sent::Maybe));
    server.seen().await;
}

#[tokio::test]
async fn headers_that_drip_end_with_the_timeout_of_the_exchange() {
    let server = Server::run(|listener| {
        let mut stream = accept(&listener);
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").unwrap();
        while stream.write_all(b".").is_ok() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    });
    let mut request = get(server.url("/"));
    request.timeout = SHORT;
    let (kind, sent, _) = failure(egress().send(request).await);
    assert_eq!((kind, sent), (Kind::Timeout, Sent::Maybe));
    server.seen().await;
}

#[tokio::test]
async fn a_connection_closed_after_the_request_may_be_sent() {
    let server = Server::answering("");
    assert_eq!(
        failure(egress().send(get(server.url("/"))).await),
        (Kind::Reset, Sent::Maybe, "the exchange with host 127.0.0.1 broke off".to_owned())
    );
}

#[tokio::test]
async fn a_connection_closed_within_the_answer_may_be_sent() {
    for partial in ["HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"] {
        let server = Server::answering(partial.as_bytes());
        let (kind, sent, _) = failure(egress().send(get(server.url("/"))).await);
        assert_eq!((kind, sent), (Kind::Reset, Sent::Maybe), "{partial}");
    }
}

#[tokio::test]
async fn a_pooled_connection_closed_within_the_next_answer_is_not_tried_again() {
    let server = Server::run(|listener| {
        let mut stream = accept(&listener);
        read_request(&mut stream);
        stream.write_all(OK).unwrap();
        read_request(&mut stream);
        drop(stream);
        listener.set_nonblocking(true).unwrap();
        listener
    });
    let egress = egress();
    egress.send(get(server.url("/1"))).await.unwrap();

    let (kind, sent, _) = failure(egress.send(get(server.url("/2"))).await);

    assert_eq!((kind, sent), (Kind::Reset, Sent::Maybe));
    assert!(server.seen().await.accept().is_err(), "the request was sent twice");
}

#[tokio::test]
async fn an_answer_that_is_not_http_may_be_sent() {
    for garbage in
        ["SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]
    {
        let server = Server::answering(garbage.as_bytes());
        let (kind, sent, _) = failure(egress().send(get(server.url("/"))).await);
        assert_eq!((kind, sent), (Kind::Protocol, Sent::Maybe), "{garbage}");
    }
}
