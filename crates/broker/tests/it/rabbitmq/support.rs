//! A broker with queues of its own on the server of the tests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use patchbay_broker::contract::Subject;
use patchbay_broker::rabbitmq::{Options, RabbitMq};
use patchbay_broker::{Broker, Error};
use patchbay_runtime::telemetry::Metrics;
use patchbay_runtime::{Shutdown, Tasks};
use patchbay_testing::{amqp, proxy::Proxy};

pub(crate) use crate::support::TOPIC;

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
    /// The server itself.
    pub(crate) url: String,
    /// How the broker, or another one, reaches the queues.
    pub(crate) options: Options,
    pub(crate) proxy: Proxy,
    pub(crate) broker: Arc<RabbitMq>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|options| options).await
    }

    pub(crate) async fn with(tune: fn(Options) -> Options) -> Self {
        let (url, prefix) = amqp();
        let (proxy, through) = Proxy::before(&url);
        let options = tune(Options { prefix, ..Options::new(through) });
        let broker = open(options.clone()).await.unwrap();
        Self { url, options, proxy, broker }
    }

    /// The proxy of before goes with its connections, and takes no new ones.
    async fn enter_again(&mut self) {
        let (proxy, through) = Proxy::before(&self.url);
        self.options.url = through;
        let broker = open(self.options.clone()).await.unwrap();
        (self.proxy, self.broker) = (proxy, broker);
    }
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
        self.enter_again().await;
    }

    async fn restart(&mut self) {
        self.broker.close().await;
        self.enter_again().await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let (url, prefix) = (self.url.clone(), self.options.prefix.clone());
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
