//! Exchanges that end with an answer, and requests that are refused unsent.

use std::io::Write;

use bytes::Bytes;
use http::Method;
use http::header::{HeaderName, HeaderValue};
use patchbay_egress::{Egress, Error, Kind, Options, Sent};
use tokio::sync::oneshot;

use crate::server::{OK, Server, accept, read_request};
use crate::{egress, failure, get, options};

#[tokio::test]
async fn sends_method_path_headers_and_body_and_takes_the_answer() {
    let server =
        Server::answering("HTTP/1.1 201 Created\r\nx-id: 7\r\nx-id: 8\r\ncontent-length: 5\r\n\r\nhello".as_bytes());
    let mut request = get(server.url("/leads?a=1#part"));
    request.method = Method::POST;
    request.body = Bytes::from_static(b"{}");
    request.headers.insert("x-token", HeaderValue::from_static("t"));

    let response = egress().send(request).await.unwrap();

    assert_eq!((response.status, &response.body[..]), (201, &b"hello"[..]));
    assert_eq!(response.headers.get_all("x-id").iter().collect::<Vec<_>>(), ["7", "8"]);
    let port = server.port;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        server.seen().await,
        format!(
            "POST /leads?a=1 HTTP/1.1\r\nx-token: t\r\nuser-agent: patchbay/{version}\r\naccept-encoding: gzip\r\nhost: 127.0.0.1:{port}\r\n\
             content-length: 2\r\n\r\n{{}}"
        )
    );
}

#[tokio::test]
async fn keeps_a_given_user_agent() {
    let server = Server::answering(OK);
    let mut request = get(server.url("/"));
    request.headers.insert("user-agent", HeaderValue::from_static("own/1"));

    egress().send(request).await.unwrap();

    let seen = server.seen().await;
    assert!(seen.contains("user-agent: own/1\r\n") && !seen.contains("patchbay"), "{seen}");
}

#[tokio::test]
async fn reuses_one_connection_for_exchanges_in_a_row() {
    let server = Server::run(|listener| {
        let mut stream = accept(&listener);
        let mut paths = Vec::new();
        for _ in 0..3 {
            let request = read_request(&mut stream);
            paths.push(request.split(' ').nth(1).unwrap().to_owned());
            stream.write_all(OK).unwrap();
        }
        paths
    });
    let egress = egress();

    for path in ["/1", "/2", "/3"] {
        assert_eq!(egress.send(get(server.url(path))).await.unwrap().body, "ok");
    }

    assert_eq!(server.seen().await, ["/1", "/2", "/3"]);
}

#[tokio::test]
async fn does_not_share_a_connection_between_two_names_of_one_address() {
    let server = Server::run(|listener| {
        let mut first = accept(&listener);
        read_request(&mut first);
        first.write_all(OK).unwrap();
        let mut second = accept(&listener);
        let request = read_request(&mut second);
        second.write_all(OK).unwrap();
        request
    });
    let rules = ["127.0.0.1", "localhost"].map(|rule| rule.parse().unwrap()).to_vec();
    let egress = Egress::new(Options { allow_private: rules, ..options() }).unwrap();

    egress.send(get(server.url("/1"))).await.unwrap();
    egress.send(get(format!("http://localhost:{}/2", server.port))).await.unwrap();

    assert!(server.seen().await.starts_with("GET /2 "));
}

#[tokio::test]
async fn sends_anew_when_the_pooled_connection_was_closed_meanwhile() {
    let (closed, first_is_closed) = oneshot::channel();
    let server = Server::run(move |listener| {
        let mut first = accept(&listener);
        read_request(&mut first);
        first.write_all(OK).unwrap();
        drop(first);
        closed.send(()).unwrap();
        let mut second = accept(&listener);
        let request = read_request(&mut second);
        second.write_all(OK).unwrap();
        request
    });
    let egress = egress();
    egress.send(get(server.url("/1"))).await.unwrap();
    first_is_closed.await.unwrap();

    let response = egress.send(get(server.url("/2"))).await.unwrap();

    assert_eq!(response.status, 200);
    assert!(server.seen().await.starts_with("GET /2 "));
}

#[tokio::test]
async fn takes_a_chunked_answer() {
    let server = Server::answering(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n2\r\nhi\r\n0\r\n\r\n".as_bytes(),
    );
    assert_eq!(egress().send(get(server.url("/"))).await.unwrap().body, "abcdefghi");
}

#[tokio::test]
async fn takes_a_redirect_as_the_answer() {
    let server = Server::answering(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n".as_bytes(),
    );

    let response = egress().send(get(server.url("/"))).await.unwrap();

    assert_eq!(
        (response.status, &response.headers["location"]),
        (302, &HeaderValue::from_static("http://169.254.169.254/"))
    );
}

#[tokio::test]
async fn refuses_headers_that_frame_the_message() {
    let framing = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
    ];
    for name in framing {
        let mut request = get("http://127.0.0.1/");
        request.headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        assert_eq!(
            failure(egress().send(request).await),
            (Kind::Forbidden, Sent::No, format!("header {name} is set by the client itself"))
        );
    }
}

#[tokio::test]
async fn refuses_line_breaks_in_urls_and_header_values() {
    assert_eq!(
        failure(egress().send(get("http://127.0.0.1/a HTTP/1.1\r\nX-Injected: 1\r\n\r\n")).await),
        (Kind::InvalidUrl, Sent::No, "the url has a control character".to_owned())
    );
    for value in ["a\r\nX-Injected: 1", "a\nb", "a\rb", "a\0b"] {
        assert!(HeaderValue::from_str(value).is_err());
    }
}

#[tokio::test]
async fn refuses_the_method_connect() {
    let mut request = get("http://127.0.0.1/");
    request.method = Method::CONNECT;
    assert_eq!(
        failure(egress().send(request).await),
        (Kind::Forbidden, Sent::No, "method CONNECT is not allowed".to_owned())
    );
}

#[test]
fn refuses_options_that_would_refuse_every_exchange() {
    let error = Egress::new(Options { max_response_bytes: 0, ..options() }).unwrap_err();
    assert!(matches!(error, Error::ZeroOption("max_response_bytes")));
}

#[tokio::test]
async fn an_answer_without_an_end_is_read_piece_by_piece() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let server = Server::answering(format!("{head}5\r\nhello\r\n6\r\n world\r\n"));
    let mut streamed = egress().stream(get(server.url("/"))).await.unwrap();
    assert_eq!(streamed.status, 200);
    let mut text = Vec::new();
    let end = loop {
        match streamed.next().await {
            Ok(Some(piece)) => text.extend_from_slice(&piece),
            end => break end,
        }
    };
    assert_eq!((text.as_slice(), end.unwrap_err().kind), (b"hello world".as_slice(), Kind::Reset));
    assert!(!server.seen().await.contains("accept-encoding"));
}

#[tokio::test]
async fn a_stream_goes_through_the_same_guard() {
    let refused = Egress::new(Options::default()).unwrap().stream(get("http://127.0.0.1:1/".to_owned())).await;
    assert_eq!(refused.unwrap_err().kind, Kind::Forbidden);
}
