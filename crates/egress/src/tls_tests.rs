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

use crate::{Egress, Kind, Options, Request, SendError, Sent};

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
    Egress::with_roots(Options { allow_private, ..Options::default() }, roots).unwrap()
}

/// Takes one TLS connection and answers two requests on it; gives up when the client does.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor) -> std::io::Result<()> {
    let mut stream = acceptor.accept(listener.accept().await?.0).await?;
    for _ in 0..2 {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
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
    }
}

async fn refused_by(egress: Egress, host: &str, acceptor: TlsAcceptor) -> SendError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let request = get(format!("https://{host}:{port}/"));
    let (sent, served) = tokio::join!(egress.send(request), serve(listener, acceptor));
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
    let (bodies, served) = tokio::join!(exchanges, serve(listener, acceptor));

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
