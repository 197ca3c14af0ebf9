//! Redirects that a request allows.

use std::io::Write;

use bytes::Bytes;
use http::Method;
use http::header::HeaderValue;
use patchbay_egress::{Kind, Redirects, Request, Sent};

use crate::server::{OK, Server, accept, closed_port, read_request, wait_for_hang_up};
use crate::{SHORT, egress, failure, get};

/// Makes the request to a URL.
type Make<'a> = &'a dyn Fn(String) -> Request;

const ALL: Redirects = Redirects { most: 3, may_become_get: true };

fn elsewhere(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// Gives these answers on one connection, and what it was asked.
fn answering(answers: Vec<Vec<u8>>) -> Server<Vec<String>> {
    Server::run(move |listener| {
        let mut stream = accept(&listener);
        let mut seen = Vec::new();
        for answer in answers {
            seen.push(read_request(&mut stream));
            stream.write_all(&answer).unwrap();
        }
        seen
    })
}

fn asking(url: String) -> Request {
    Request { redirects: ALL, ..get(url) }
}

fn posting(url: String) -> Request {
    let mut request = Request { method: Method::POST, body: Bytes::from_static(b"{}"), ..asking(url) };
    request.headers.insert("content-type", HeaderValue::from_static("application/json"));
    request
}

#[tokio::test]
async fn follows_relative_and_absolute_locations_of_one_origin_with_all_headers() {
    for status in [301, 302, 303, 307, 308] {
        let server = answering(vec![elsewhere(status, "b?q=1#part"), elsewhere(status, "/c/../d"), OK.to_vec()]);
        let mut request = asking(server.url("/x/a"));
        request.headers.insert("authorization", HeaderValue::from_static("Bearer t"));

        assert_eq!(egress().send(request).await.unwrap().body, "ok");

        let seen = server.seen().await;
        let lines: Vec<&str> = seen.iter().map(|request| request.lines().next().unwrap()).collect();
        assert_eq!(lines, ["GET /x/a HTTP/1.1", "GET /x/b?q=1 HTTP/1.1", "GET /d HTTP/1.1"]);
        assert!(seen.iter().all(|request| request.contains("authorization: Bearer t\r\n")));
    }
}

#[tokio::test]
async fn drops_every_credential_where_the_origin_changes() {
    let other = Server::answering(OK);
    let first = Server::answering(elsewhere(302, &other.url("/other")));
    let mut request = asking(first.url("/"));
    for name in ["authorization", "cookie", "x-api-key", "proxy-authorization", "x-own"] {
        request.headers.insert(name, HeaderValue::from_static("hush"));
    }
    request.headers.insert("accept", HeaderValue::from_static("application/json"));
    let mut sensitive = HeaderValue::from_static("hush");
    sensitive.set_sensitive(true);
    request.headers.insert("accept-language", sensitive);

    egress().send(request).await.unwrap();

    let version = env!("CARGO_PKG_VERSION");
    let port = other.port;
    assert_eq!(
        other.seen().await,
        format!(
            "GET /other HTTP/1.1\r\naccept: application/json\r\nuser-agent: patchbay/{version}\r\n\
             accept-encoding: gzip\r\nhost: 127.0.0.1:{port}\r\n\r\n"
        )
    );
}

#[tokio::test]
async fn guards_every_hop() {
    for location in ["http://169.254.169.254/latest", "//[::ffff:10.0.0.1]/", "http://2130706434/", "http://metadata/"]
    {
        let server = Server::answering(elsewhere(302, location));
        let (kind, sent, message) = failure(egress().send(asking(server.url("/"))).await);
        assert_eq!((kind, sent), (Kind::Forbidden, Sent::Maybe), "{location}: {message}");
    }
}

#[tokio::test]
async fn what_may_not_be_followed_is_the_answer() {
    let other = "http://localhost:9/";
    let no_get = Redirects { may_become_get: false, ..ALL };
    let with = |redirects, make: fn(String) -> Request| move |url| Request { redirects, ..make(url) };
    let cases: [(u16, &str, Make<'_>); 13] = [
        (302, "/", &with(Redirects::default(), asking)),
        (302, "ftp://127.0.0.1/", &asking),
        (302, "http://user:secret@127.0.0.1/", &asking),
        (302, "http://", &asking),
        (302, "/a\tb", &asking),
        (300, "/", &asking),
        (304, "/", &asking),
        (303, "/", &with(no_get, posting)),
        (302, "/", &with(no_get, posting)),
        (301, "/", &with(no_get, posting)),
        (307, other, &posting),
        (308, other, &posting),
        (307, other, &|url| Request { method: Method::DELETE, ..asking(url) }),
    ];
    for (status, location, request) in cases {
        let server = Server::answering(elsewhere(status, location));
        let response = egress().send(request(server.url("/"))).await.unwrap();
        assert_eq!(
            (response.status, response.headers["location"].to_str().unwrap()),
            (status, location),
            "{status} to {location}"
        );
    }
    let server = Server::answering("HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(egress().send(asking(server.url("/"))).await.unwrap().status, 302);
}

#[tokio::test]
async fn becomes_get_without_its_body_where_that_is_allowed() {
    for status in [301, 302, 303] {
        let server = answering(vec![elsewhere(status, "/done"), OK.to_vec()]);

        egress().send(posting(server.url("/"))).await.unwrap();

        let seen = server.seen().await;
        assert!(seen[0].starts_with("POST / ") && seen[0].ends_with("\r\n\r\n{}"), "{seen:?}");
        assert!(seen[1].starts_with("GET /done "), "{seen:?}");
        assert!(!seen[1].contains("content-"), "{seen:?}");
    }
}

#[tokio::test]
async fn keeps_method_and_body_on_the_same_origin() {
    let put = |url| Request { method: Method::PUT, ..posting(url) };
    let cases: [(u16, &str, Make<'_>); 4] =
        [(307, "POST", &posting), (308, "POST", &posting), (301, "PUT", &put), (302, "PUT", &put)];
    for (status, method, request) in cases {
        let server = answering(vec![elsewhere(status, "/again"), OK.to_vec()]);

        egress().send(request(server.url("/"))).await.unwrap();

        let again = server.seen().await.pop().unwrap();
        assert!(again.starts_with(&format!("{method} /again ")) && again.ends_with("\r\n\r\n{}"), "{again}");
    }
}

#[tokio::test]
async fn a_loop_ends_with_the_redirect_after_the_last_allowed() {
    let server = answering(vec![elsewhere(302, "/"); 4]);

    let response = egress().send(asking(server.url("/"))).await.unwrap();

    assert_eq!(response.status, 302);
    assert_eq!(server.seen().await.len(), 4);
}

#[tokio::test]
async fn all_hops_share_one_timeout() {
    let server = Server::run(|listener| {
        let mut stream = accept(&listener);
        // Each hop alone is quick enough.
        for _ in 0..3 {
            read_request(&mut stream);
            std::thread::park_timeout(SHORT / 4);
            stream.write_all(&elsewhere(302, "/")).unwrap();
        }
        wait_for_hang_up(&mut stream);
    });
    let redirects = Redirects { most: 200, may_become_get: false };
    let request = Request { redirects, timeout: SHORT, ..get(server.url("/")) };

    assert_eq!(
        failure(egress().send(request).await),
        (Kind::Timeout, Sent::Maybe, "host 127.0.0.1 gave no complete answer within 1s".to_owned())
    );
    server.seen().await;
}

#[tokio::test]
async fn a_hop_that_can_not_be_reached_says_that_a_request_was_sent() {
    let closed = closed_port();
    let server = Server::answering(elsewhere(302, &format!("http://127.0.0.1:{closed}/")));
    let (kind, sent, _) = failure(egress().send(asking(server.url("/"))).await);
    assert_eq!((kind, sent), (Kind::Connect, Sent::Maybe));
}
