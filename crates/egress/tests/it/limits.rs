//! Bodies have limits in both directions.

use bytes::Bytes;
use patchbay_egress::{Egress, Kind, Options, Sent};

use crate::server::Server;
use crate::{failure, get, options};

fn small() -> Egress {
    Egress::new(Options { max_response_bytes: 10, max_request_bytes: 10, ..options() }).unwrap()
}

fn too_large() -> (Kind, Sent, String) {
    (Kind::TooLarge, Sent::Maybe, "the answer of host 127.0.0.1 is larger than 10 bytes".to_owned())
}

#[tokio::test]
async fn takes_an_answer_of_exactly_the_limit() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789".as_bytes());
    assert_eq!(small().send(get(server.url("/"))).await.unwrap().body, "0123456789");
}

#[tokio::test]
async fn refuses_an_answer_that_announces_too_much() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551610\r\n\r\n".as_bytes());
    assert_eq!(failure(small().send(get(server.url("/"))).await), too_large());
}

#[tokio::test]
async fn refuses_an_answer_that_grows_too_large() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n";
    let server = Server::answering(chunked.as_bytes());
    assert_eq!(failure(small().send(get(server.url("/"))).await), too_large());

    let until_close = "HTTP/1.0 200 OK\r\n\r\n01234567890";
    let server = Server::answering(until_close.as_bytes());
    assert_eq!(failure(small().send(get(server.url("/"))).await), too_large());
}

#[tokio::test]
async fn refuses_endless_headers() {
    let mut answer = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    answer.resize(2 * 1024 * 1024, b'a');
    let server = Server::answering(answer);
    let (kind, sent, _) = failure(small().send(get(server.url("/"))).await);
    assert_eq!((kind, sent), (Kind::Protocol, Sent::Maybe));
}

#[tokio::test]
async fn refuses_too_many_headers() {
    for (count, is_taken) in [(99, true), (101, false)] {
        let headers = "x: 1\r\n".repeat(count);
        let server = Server::answering(format!("HTTP/1.1 200 OK\r\n{headers}content-length: 2\r\n\r\nok").into_bytes());
        match small().send(get(server.url("/"))).await {
            Ok(response) => assert!(is_taken && response.body == "ok"),
            Err(error) => assert_eq!((is_taken, error.kind, error.sent), (false, Kind::Protocol, Sent::Maybe)),
        }
    }
}

#[tokio::test]
async fn refuses_a_request_body_above_the_limit_unsent() {
    let mut request = get("http://127.0.0.1/");
    request.body = Bytes::from_static(b"01234567890");
    assert_eq!(
        failure(small().send(request).await),
        (Kind::TooLarge, Sent::No, "the request body is larger than 10 bytes".to_owned())
    );
}
