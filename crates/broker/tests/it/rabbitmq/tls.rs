//! `amqps://`: a server of its own with TLS, and what else may answer there.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use patchbay_broker::contract::{self, Subject, message, take, wait_until};
use patchbay_broker::rabbitmq::{Authority, Options, RabbitMq};
use patchbay_broker::{Broker, Delivery, Error};
use patchbay_testing::instances::RabbitServer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::support::{TOPIC, open, publish_until_confirmed};

const DEADLINE: Duration = Duration::from_secs(10);

/// An authority that signs what a test needs.
struct Signer(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
struct Signed {
    certificate: String,
    key: String,
}

impl Signer {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for the address of the servers of tests.
    fn sign(&self, change: impl FnOnce(&mut CertificateParams)) -> Signed {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Signed { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    fn authority(&self) -> Authority {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), self.0.pem()).unwrap();
        Authority::load(file.path()).unwrap()
    }
}

fn start(signed: &Signed) -> RabbitServer {
    RabbitServer::start_with_tls(&signed.certificate, &signed.key)
}

/// A broker by TLS.
struct Secured {
    options: Options,
    broker: Arc<RabbitMq>,
}

impl Secured {
    async fn new(options: &Options, prefix: &str) -> Self {
        let options = Options { prefix: prefix.into(), ..options.clone() };
        Self { broker: open(options.clone()).await.unwrap(), options }
    }
}

#[async_trait]
impl Subject for Secured {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker) as _
    }

    fn delivery_limit(&self) -> u32 {
        20
    }

    async fn crash(&mut self) {
        self.broker = open(self.options.clone()).await.unwrap();
    }

    async fn restart(&mut self) {
        self.broker.close().await;
        self.broker = open(self.options.clone()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_proved_works_as_any_other() {
    let signer = Signer::new();
    let server = start(&signer.sign(|_| ()));
    let options = Options { authority: Some(signer.authority()), ..Options::new(server.tls_url()) };
    let secured = async |prefix| Secured::new(&options, prefix).await;

    contract::delivers_messages_whole(secured("whole").await).await;
    contract::delivers_large_messages_whole(secured("large").await).await;
    contract::delivers_each_message_of_many_publishers_once(secured("many").await).await;
    contract::redelivers_what_is_released(secured("released").await).await;
    contract::never_delivers_again_what_was_acknowledged_before_a_restart(secured("restart").await).await;
    contract::is_healthy_until_it_is_closed(secured("healthy").await).await;

    let listed = server.control(&["list_connections", "ssl", "name"]);
    assert!(!listed.contains("false"), "{listed}");
}

/// What `open` says when it refuses. Never the password.
async fn refusal(options: &Options) -> String {
    let error = open(options.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    let (_, secret) = options.url.split_once("://patchbay:").unwrap();
    let (secret, _) = secret.split_once('@').unwrap();
    let said = error.to_string();
    assert!(!format!("{said} {error:?}").contains(secret) && said.lines().count() == 1, "{said}");
    said
}

fn expect_words(said: &str, words: &[&str]) {
    assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
}

/// One server for all, which takes seconds to start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn says_what_is_wrong_with_a_certificate_or_a_port() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let server = start(&signer.sign(|_| ()));
    let trusting = |authority, url| Options { authority, ..Options::new(url) };
    let (plain, secured) = (server.url(), server.tls_url());

    let of_system = refusal(&trusting(None, secured.clone())).await;
    expect_words(&of_system, &["no TLS with the broker at amqps://127.0.0.1:", "trust", "name", "`broker.authority`"]);
    let of_stranger = refusal(&trusting(Some(stranger.authority()), secured.clone())).await;
    expect_words(&of_stranger, &["was not signed by the authority in `broker.authority`"]);

    let ours = Some(signer.authority());
    let elsewhere = refusal(&trusting(ours.clone(), secured.replace("127.0.0.1", "localhost"))).await;
    expect_words(&elsewhere, &["is not for host localhost", "127.0.0.1"]);
    let not_secured = refusal(&trusting(ours.clone(), plain.replace("amqp://", "amqps://"))).await;
    expect_words(&not_secured, &["does not speak TLS", "amqp://"]);
    // Its answer may be lost with the connection.
    let not_plain = match open(Options::new(secured.replace("amqps://", "amqp://"))).await {
        Ok(broker) => broker.health().unwrap_err(),
        Err(error) => error.to_string(),
    };
    expect_words(&not_plain, &["at amqp://127.0.0.1:", "check the port: one that speaks TLS needs amqps://"]);

    let outdated = signer.sign(|params| params.not_after = date_time_ymd(2021, 2, 3));
    server.show(&outdated.certificate, &outdated.key);
    let expired = refusal(&trusting(ours.clone(), secured.clone())).await;
    expect_words(&expired, &["has expired at 2021-02-03T00:00:00", "renew"]);
    let early = signer.sign(|params| {
        params.not_before = date_time_ymd(2999, 1, 1);
        params.not_after = date_time_ymd(2999, 2, 1);
    });
    server.show(&early.certificate, &early.key);
    let not_yet = refusal(&trusting(ours, secured)).await;
    expect_words(&not_yet, &["is not valid before 2999-01-01T00:00:00", "clock"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goes_on_by_itself_when_an_expired_certificate_is_renewed() {
    let signer = Signer::new();
    let server = start(&signer.sign(|_| ()));
    let broker = open(Options { authority: Some(signer.authority()), ..Options::new(server.tls_url()) }).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 10).await.unwrap();

    let outdated = signer.sign(|params| params.not_after = date_time_ymd(2021, 2, 3));
    server.show(&outdated.certificate, &outdated.key);
    server.control(&["close_all_connections", "--vhost", "patchbay", "the certificate has expired"]);
    wait_until("it is noticed", || broker.health().is_err_and(|why| why.contains("has expired at 2021"))).await;
    let renewed = signer.sign(|_| ());
    server.show(&renewed.certificate, &renewed.key);

    publish_until_confirmed(&*broker, message(1)).await;
    let taken = take(&mut *consumer, 1).await;
    assert_eq!(taken[0].message, message(1));
    Delivery::acknowledge_all(taken);
    wait_until("healthy", || broker.health().is_ok()).await;
    broker.close().await;
}

/// Returns when the other side is gone.
async fn drain(mut stream: impl AsyncRead + Unpin) {
    let mut piece = [0; 1024];
    while !matches!(stream.read(&mut piece).await, Ok(0) | Err(_)) {}
}

/// Opens a broker at a server that takes connections and says nothing more, and closes it. Returns what it says of its health.
async fn health_at_a_silent(listener: &TcpListener, authority: Authority) -> String {
    let options = Options {
        authority: Some(authority),
        connect_timeout: Duration::from_millis(300),
        ..Options::new(format!("amqps://{}", listener.local_addr().unwrap()))
    };
    let broker = timeout(DEADLINE, open(options)).await.unwrap().unwrap();
    let health = broker.health().unwrap_err();
    timeout(DEADLINE, broker.close()).await.unwrap();
    health
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gives_up_a_server_that_is_silent_instead_of_a_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let first = async { drain(listener.accept().await.unwrap().0).await };

    let (health, gone) =
        tokio::join!(health_at_a_silent(&listener, Signer::new().authority()), timeout(DEADLINE, first));

    assert!(health.contains("no answer within 300ms"), "{health}");
    assert_eq!(gone, Ok(()), "the connection is still open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gives_up_a_server_that_is_silent_after_the_handshake() {
    let signer = Signer::new();
    let signed = signer.sign(|_| ());
    let chain = vec![CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(server)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let first = async { drain(acceptor.accept(listener.accept().await.unwrap().0).await.unwrap()).await };

    let (health, gone) = tokio::join!(health_at_a_silent(&listener, signer.authority()), timeout(DEADLINE, first));

    assert!(health.contains("no answer within 300ms"), "{health}");
    assert_eq!(gone, Ok(()), "the connection is still open");
}

#[tokio::test]
async fn an_authority_without_tls_is_refused() {
    let options = Options { authority: Some(Signer::new().authority()), ..Options::new("amqp://127.0.0.1:1") };

    let error = open(options).await.unwrap_err();

    assert!(matches!(&error, Error::Address { why } if why.contains("without TLS")), "{error:?}");
}
