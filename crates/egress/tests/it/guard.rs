//! What may not be reached is not even connected to.

use std::net::TcpListener;

use patchbay_egress::{Egress, Kind, Options, Sent};

use crate::server::{OK, Server};
use crate::{egress, failure, get, options};

fn guarded() -> Egress {
    Egress::new(Options { allow_private: Vec::new(), ..options() }).unwrap()
}

#[tokio::test]
async fn refuses_every_spelling_of_a_loopback_address_without_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]", "localhost"] {
        let (kind, sent, message) = failure(guarded().send(get(format!("http://{host}:{port}/"))).await);
        assert_eq!((kind, sent), (Kind::Forbidden, Sent::No), "{host}: {message}");
        assert!(message.ends_with("is loopback; allow it with egress.allow_private"), "{host}: {message}");
    }
    assert!(listener.accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn names_the_address_the_host_and_the_setting() {
    let cases = [
        ("http://10.1.2.3/", "address 10.1.2.3 of host 10.1.2.3 is private; allow it with egress.allow_private"),
        ("https://[fd00::1]/", "address fd00::1 of host fd00::1 is unique-local; allow it with egress.allow_private"),
        ("http://0/", "address 0.0.0.0 of host 0.0.0.0 is unspecified; allow it with egress.allow_private"),
        (
            "http://169.254.169.254/latest",
            "address 169.254.169.254 of host 169.254.169.254 serves cloud metadata and is never allowed",
        ),
        (
            "http://metadata.google.internal./",
            "host metadata.google.internal. serves cloud metadata and is never allowed",
        ),
    ];
    for (url, message) in cases {
        assert_eq!(failure(guarded().send(get(url)).await), (Kind::Forbidden, Sent::No, message.to_owned()));
    }
}

#[tokio::test]
async fn refuses_metadata_even_when_everything_is_allowed() {
    let allow_private = ["0.0.0.0/0", "::/0", "metadata.google.internal"].map(|rule| rule.parse().unwrap()).to_vec();
    let open = Egress::new(Options { allow_private, ..options() }).unwrap();
    for host in
        ["169.254.169.254", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "100.100.100.200", "metadata.google.internal"]
    {
        let (kind, sent, message) = failure(open.send(get(format!("http://{host}/"))).await);
        assert_eq!((kind, sent), (Kind::Forbidden, Sent::No), "{message}");
    }
}

#[tokio::test]
async fn reaches_a_private_server_by_a_rule_for_its_host_and_port() {
    let server = Server::answering(OK);
    let rule = format!("localhost:{}", server.port).parse().unwrap();
    let egress = Egress::new(Options { allow_private: vec![rule], ..options() }).unwrap();

    let response = egress.send(get(format!("http://LOCALHOST:{}/", server.port))).await.unwrap();

    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn refuses_another_port_than_the_allowed_one() {
    let rule = "127.0.0.1:1".parse().unwrap();
    let egress = Egress::new(Options { allow_private: vec![rule], ..options() }).unwrap();
    let (kind, sent, _) = failure(egress.send(get("http://127.0.0.1:2/")).await);
    assert_eq!((kind, sent), (Kind::Forbidden, Sent::No));
}

#[tokio::test]
async fn refuses_user_info_and_other_schemes() {
    for url in ["http://user:secret@127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1"] {
        let (kind, sent, message) = failure(egress().send(get(url)).await);
        assert_eq!((kind, sent), (Kind::InvalidUrl, Sent::No));
        assert!(!message.contains("secret"));
    }
}
