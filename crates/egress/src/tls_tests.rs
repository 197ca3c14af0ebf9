//! TLS with a server of its own certificate authority.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::connector::Resolver;
use crate::{Egress, Kind, Options, Redirects, Request, SendError, Sent};

/// A certificate that is its own authority, for the name `localhost` only.
struct Identity {
    certificate: CertificateDer<'static>,
    acceptor: TlsAcceptor,
}

fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Identity { certificate, acceptor: TlsAcceptor::from(Arc::new(config)) }
}

fn egress(roots: RootCertStore) -> Egress {
    let allow_private = vec!["127.0.0.1".parse().unwrap()];
    Egress::with_roots(Options { allow_private, ..Options::default() }, roots, Resolver::System).unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Takes one TLS connection and answers so many requests on it; gives up when the client does.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, answers: &[&str]) -> std::io::Result<()> {
    let mut stream = acceptor.accept(listener.accept().await?.0).await?;
    for answer in answers {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        stream.write_all(answer.as_bytes()).await?;
    }
    stream.shutdown().await
}

fn get(url: String) -> Request {
    Request {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: Duration::from_secs(20),
        redirects: Redirects::default(),
    }
}

async fn refused_by(egress: Egress, host: &str, acceptor: TlsAcceptor) -> SendError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let request = get(format!("https://{host}:{port}/"));
    let (sent, served) = tokio::join!(egress.send(request), serve(listener, acceptor, &[OK; 2]));
    assert!(served.is_err(), "the server took a request");
    sent.unwrap_err()
}

#[tokio::test]
async fn talks_http_1_to_a_trusted_server_on_one_connection() {
    let Identity { certificate, acceptor } = identity();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let egress = egress(roots);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());

    let exchanges = async {
        let first = egress.send(get(url.clone())).await.unwrap();
        let second = egress.send(get(url.clone())).await.unwrap();
        (first.body, second.body)
    };
    let (bodies, served) = tokio::join!(exchanges, serve(listener, acceptor, &[OK; 2]));

    served.unwrap();
    assert_eq!(bodies, (Bytes::from_static(b"ok"), Bytes::from_static(b"ok")));
}

#[tokio::test]
async fn refuses_a_certificate_of_an_unknown_authority() {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let error = refused_by(egress(roots), "localhost", identity().acceptor).await;
    assert_eq!((error.kind, error.sent), (Kind::Tls, Sent::No));
}

#[tokio::test]
async fn refuses_a_certificate_of_another_name() {
    let Identity { certificate, acceptor } = identity();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let error = refused_by(egress(roots), "127.0.0.1", acceptor).await;
    assert_eq!((error.kind, error.sent), (Kind::Tls, Sent::No));
}

#[tokio::test]
async fn never_goes_on_from_https_to_http() {
    let Identity { certificate, acceptor } = identity();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let egress = egress(roots);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    plain.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let down = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://localhost:{}/\r\ncontent-length: 0\r\n\r\n",
        plain.local_addr().unwrap().port()
    );
    let redirects = Redirects { most: 3, may_become_get: true };
    let request = Request { redirects, ..get(format!("https://localhost:{port}/")) };

    // The first redirect stays on https and is followed.
    let answers = ["HTTP/1.1 302 Found\r\nlocation: /down\r\ncontent-length: 0\r\n\r\n", &down];
    let (response, served) = tokio::join!(egress.send(request), serve(listener, acceptor, &answers));

    served.unwrap();
    assert_eq!(response.unwrap().status, 302);
    assert!(plain.accept().is_err(), "somebody called without tls");
}
