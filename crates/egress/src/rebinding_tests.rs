//! A name that changes its answer reaches nothing that was not checked.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use rustls::RootCertStore;

use crate::connector::Resolver;
use crate::{Egress, Kind, Options, Redirects, Request, Sent};

/// Stands for a public address: a rule opens it.
const OUTSIDE: &str = "127.0.0.2";
const INSIDE: &str = "127.0.0.1";

/// A client for which a name leads to these addresses, one after the other, and how often it asked.
fn egress(answers: &'static [&'static str]) -> (Egress, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let script = move |_: &str| -> Vec<IpAddr> {
        let turn = counter.fetch_add(1, Ordering::Relaxed);
        vec![answers[turn.min(answers.len() - 1)].parse().unwrap()]
    };
    let options = Options { allow_private: vec![OUTSIDE.parse().unwrap()], ..Options::default() };
    let resolver = Resolver::Scripted(Box::new(script));
    (Egress::with_roots(options, RootCertStore::empty(), resolver).unwrap(), asked)
}

/// Answers one request on the outside, then closes. The inside listens on the same port and is never called.
fn servers(answer: &'static str) -> (u16, TcpListener, std::thread::JoinHandle<()>) {
    let outside = TcpListener::bind((OUTSIDE, 0)).unwrap();
    let port = outside.local_addr().unwrap().port();
    let inside = TcpListener::bind((INSIDE, port)).unwrap();
    inside.set_nonblocking(true).unwrap();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = outside.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (port, inside, served)
}

fn get(port: u16) -> Request {
    Request {
        method: Method::GET,
        url: format!("http://rebinding.example:{port}/"),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: Duration::from_secs(20),
        redirects: Redirects { most: 3, may_become_get: true },
    }
}

#[tokio::test]
async fn connects_to_the_address_that_was_checked_and_checks_every_connection() {
    let (port, inside, served) = servers("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
    let (egress, asked) = egress(&[OUTSIDE, INSIDE]);

    assert_eq!(egress.send(get(port)).await.unwrap().body, "ok");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the name was resolved again between check and connect");
    let error = egress.send(get(port)).await.unwrap_err();

    assert_eq!((error.kind, error.sent), (Kind::Forbidden, Sent::No));
    assert!(inside.accept().is_err(), "somebody connected to the inside");
    served.join().unwrap();
}

#[tokio::test]
async fn checks_the_same_name_again_when_a_redirect_leads_to_it() {
    let (port, inside, served) =
        servers("HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n");
    let (egress, asked) = egress(&[OUTSIDE, INSIDE]);

    let error = egress.send(get(port)).await.unwrap_err();

    assert_eq!((error.kind, error.sent), (Kind::Forbidden, Sent::Maybe));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert!(inside.accept().is_err(), "somebody connected to the inside");
    served.join().unwrap();
}
