//! Answers that are packed by gzip.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use http::Method;
use http::header::HeaderValue;
use patchbay_egress::{Egress, Kind, Options, Sent};

use crate::server::{Server, accept, read_request};
use crate::{egress, failure, get, options};

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn answer(coding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\nx: 1\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn small() -> Egress {
    Egress::new(Options { max_response_bytes: 1000, ..options() }).unwrap()
}

#[tokio::test]
async fn asks_for_gzip_and_unpacks_the_answer() {
    let server = Server::answering(answer("gzip", &packed(b"{\"a\":1}")));

    let response = egress().send(get(server.url("/"))).await.unwrap();

    assert_eq!(response.body, "{\"a\":1}");
    assert_eq!(response.headers.keys().collect::<Vec<_>>(), ["x"]);
    assert!(server.seen().await.contains("\r\naccept-encoding: gzip\r\n"));
}

#[tokio::test]
async fn unpacks_an_answer_although_it_was_asked_for_none() {
    let server = Server::answering(answer("x-gzip", &packed(b"body")));
    let mut request = get(server.url("/"));
    request.headers.insert("accept-encoding", HeaderValue::from_static("identity"));

    assert_eq!(egress().send(request).await.unwrap().body, "body");

    assert!(server.seen().await.contains("\r\naccept-encoding: identity\r\n"));
}

#[tokio::test]
async fn unpacks_a_chunked_answer_of_many_members() {
    let bytes = [packed(b"first, "), packed(b"second")].concat();
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for byte in bytes {
        answer.extend([b"1\r\n".as_slice(), &[byte], b"\r\n"].concat());
    }
    answer.extend(b"0\r\n\r\n");
    assert_eq!(egress().send(get(Server::answering(answer).url("/"))).await.unwrap().body, "first, second");
}

#[tokio::test]
async fn a_bomb_is_too_large() {
    for plain in [1001, 64 * 1024 * 1024] {
        let server = Server::answering(answer("gzip", &packed(&vec![b'a'; plain])));
        assert_eq!(
            failure(small().send(get(server.url("/"))).await),
            (Kind::TooLarge, Sent::Maybe, "the answer of host 127.0.0.1 is larger than 1000 bytes".to_owned())
        );
    }
    let server = Server::answering(answer("gzip", &packed(&vec![b'a'; 1000])));
    assert_eq!(small().send(get(server.url("/"))).await.unwrap().body.len(), 1000);
}

#[tokio::test]
async fn a_packed_body_without_end_is_too_large() {
    let empty_members = packed(b"").repeat(10_000);
    let server = Server::answering(answer("gzip", &empty_members));
    let (kind, sent, _) = failure(small().send(get(server.url("/"))).await);
    assert_eq!((kind, sent), (Kind::TooLarge, Sent::Maybe));
}

#[tokio::test]
async fn a_truncated_or_damaged_body_is_no_answer() {
    let whole = packed(b"a body of some length");
    for damaged in [&whole[..whole.len() - 1], &whole[..5], b"{\"not\":\"packed\"}"] {
        let server = Server::answering(answer("gzip", damaged));
        let message = "the answer of host 127.0.0.1 is said to be gzip, but can't be unpacked".to_owned();
        assert_eq!(failure(egress().send(get(server.url("/"))).await), (Kind::Protocol, Sent::Maybe, message));
    }
}

#[tokio::test]
async fn an_unknown_coding_is_named() {
    for coding in ["br", "gzip, br", "zstd"] {
        let server = Server::answering(answer(coding, b"bytes"));
        let message = format!("the answer of host 127.0.0.1 has the unknown content encoding `{coding}`");
        assert_eq!(failure(egress().send(get(server.url("/"))).await), (Kind::Protocol, Sent::Maybe, message));
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_not_unpacked() {
    for (method, answer) in [
        (Method::HEAD, "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 99\r\n\r\n"),
        (Method::GET, "HTTP/1.1 204 No Content\r\ncontent-encoding: gzip\r\n\r\n"),
        (Method::GET, "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n"),
        (Method::GET, "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ] {
        let server = Server::answering(answer.as_bytes());
        let mut request = get(server.url("/"));
        request.method = method;
        assert_eq!(egress().send(request).await.unwrap().body, "", "{answer}");
    }
}

#[tokio::test]
async fn goes_on_with_the_connection_after_a_packed_answer() {
    let bytes = answer("gzip", &packed(b"body"));
    let server = Server::run(move |listener| {
        let mut stream = accept(&listener);
        for _ in 0..2 {
            read_request(&mut stream);
            stream.write_all(&bytes).unwrap();
        }
    });
    let egress = egress();
    for _ in 0..2 {
        assert_eq!(egress.send(get(server.url("/"))).await.unwrap().body, "body");
    }
    server.seen().await;
}
