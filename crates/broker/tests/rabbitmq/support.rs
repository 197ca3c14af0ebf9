//! A broker with queues of its own on the server of the tests.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use patchbay_broker::contract::Subject;
use patchbay_broker::rabbitmq::{Options, RabbitMq};
use patchbay_broker::{Broker, Error};
use patchbay_proto::Topic;
use patchbay_runtime::telemetry::Metrics;
use patchbay_runtime::{Shutdown, Tasks};

use crate::proxy::Proxy;

pub(crate) const TOPIC: Topic = Topic::TriggerFired;

/// The address of the server of the tests.
///
/// # Panics
/// When there is none.
pub(crate) fn url() -> String {
    const NAME: &str = "PATCHBAY_TEST_AMQP_URL";
    #[expect(clippy::disallowed_methods, reason = "the one setting of these tests")]
    if let Ok(url) = std::env::var(NAME) {
        return url;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/services/environment");
    let lines = fs::read_to_string(file).unwrap_or_default();
    let line = lines.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(NAME)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("no server for the tests: run `make services-up`, or set {NAME}")).replace('\'', "")
}

/// A prefix that nobody else has.
pub(crate) fn prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    #[expect(clippy::disallowed_methods, reason = "only to be different from other runs")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("test-{now:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// `host:port` of an address, and the address with another one.
pub(crate) fn host_of(url: &str) -> &str {
    url.split_once('@').unwrap().1.split_once('/').unwrap().0
}

pub(crate) fn with_host(url: &str, host: &str) -> String {
    url.replace(host_of(url), host)
}

pub(crate) async fn open(options: Options) -> Result<Arc<RabbitMq>, Error> {
    RabbitMq::open(options, Tasks::new(Shutdown::default()), &Metrics::default()).await
}

/// A connection beside the adapter.
pub(crate) async fn connect(url: &str) -> Connection {
    #[expect(clippy::disallowed_methods, reason = "tests look from the outside")]
    Connection::connect(url, ConnectionProperties::default()).await.unwrap()
}

/// All queues of a prefix.
pub(crate) fn queues(prefix: &str) -> Vec<String> {
    let lanes = (0..8).map(|lane| format!("{prefix}.trigger.fired.{lane}"));
    lanes
        .chain(["trigger.fired.large", "trigger.fired.huge", "dead-letter"].map(|name| format!("{prefix}.{name}")))
        .collect()
}

async fn remove(url: String, prefix: String) {
    let connection = connect(&url).await;
    let channel = connection.create_channel().await.unwrap();
    for queue in queues(&prefix) {
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    }
    for exchange in ["dead-letter", "run.finished"] {
        let exchange = format!("{prefix}.{exchange}");
        channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await.unwrap();
    }
    connection.close(200, "OK".into()).await.unwrap();
}

/// A broker that reaches the server by a proxy. Its queues go with it.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) url: String,
    pub(crate) prefix: String,
    pub(crate) proxy: Proxy,
    pub(crate) broker: Arc<RabbitMq>,
    tune: fn(Options) -> Options,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|options| options).await
    }

    pub(crate) async fn with(tune: fn(Options) -> Options) -> Self {
        let (url, prefix) = (url(), prefix());
        let (proxy, broker) = enter(&url, &prefix, tune).await;
        Self { url, prefix, proxy, broker, tune }
    }

    /// How others reach the same queues.
    pub(crate) fn options(&self) -> Options {
        let options = Options::new(with_host(&self.url, &self.proxy.address().to_string()));
        (self.tune)(Options { prefix: self.prefix.clone(), ..options })
    }
}

async fn enter(url: &str, prefix: &str, tune: fn(Options) -> Options) -> (Proxy, Arc<RabbitMq>) {
    let proxy = Proxy::to(host_of(url)).await;
    let options = Options::new(with_host(url, &proxy.address().to_string()));
    let broker = open(tune(Options { prefix: prefix.to_owned(), ..options })).await.unwrap();
    (proxy, broker)
}

#[async_trait]
impl Subject for House {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker) as _
    }

    fn delivery_limit(&self) -> u32 {
        20
    }

    async fn crash(&mut self) {
        // The proxy of before goes with its connections, and takes no new ones.
        (self.proxy, self.broker) = enter(&self.url, &self.prefix, self.tune).await;
    }

    async fn restart(&mut self) {
        self.broker.close().await;
        (self.proxy, self.broker) = enter(&self.url, &self.prefix, self.tune).await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let (url, prefix) = (self.url.clone(), self.prefix.clone());
        let removing = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), remove(url, prefix)).await })
        });
        // What stays is in nobody's way.
        let _ = removing.join();
    }
}

/// Publishes until it is confirmed.
pub(crate) async fn publish_until_confirmed(broker: &dyn Broker, message: patchbay_broker::Message) {
    while broker.publish(TOPIC, vec![message.clone()]).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Receives and acknowledges until all of these keys have come.
///
/// # Panics
/// When they do not.
pub(crate) async fn expect_keys(broker: &dyn Broker, mut keys: std::collections::BTreeSet<bytes::Bytes>) {
    let mut consumer = broker.subscribe(TOPIC, 200).await.unwrap();
    let receiving = async {
        while !keys.is_empty() {
            let batch = consumer.next_batch(200).await.unwrap();
            for delivery in &batch {
                keys.remove(&delivery.message.key);
            }
            patchbay_broker::Delivery::acknowledge_all(batch);
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), receiving).await;
    assert!(in_time.is_ok(), "{} confirmed messages do not come, such as {:?}", keys.len(), keys.first());
}
