//! A quorum queue by the plain client: confirms pipelined on one shared channel, batches acknowledged at once.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};

/// Unacknowledged messages that a reader may hold.
const PREFETCH: u16 = 512;
/// Survives a restart of the broker (AMQP 0-9-1, basic properties).
const PERSISTENT: u8 = 2;

/// The queue, with the channel that all publish on.
pub(in crate::bare) struct RabbitMq {
    /// Publishing has a connection of its own: a broker that slows publishers down stops reading from theirs.
    _publishing: Connection,
    publisher: Channel,
    consuming: Connection,
    queue: String,
}

impl RabbitMq {
    pub(super) async fn open(url: &str, queue: &str) -> Result<Self> {
        let publishing = connect(url).await?;
        let publisher = publishing.create_channel().await.context("open a channel")?;
        publisher.confirm_select(ConfirmSelectOptions::default()).await.context("ask for confirms")?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        publisher.queue_declare(queue.into(), durable, arguments).await.context("declare the queue")?;
        Ok(Self { _publishing: publishing, publisher, consuming: connect(url).await?, queue: queue.to_owned() })
    }

    /// Returns when the broker has confirmed. Others publish meanwhile.
    pub(super) async fn publish(&self, payload: &[u8]) -> Result<()> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let published =
            self.publisher.basic_publish("".into(), self.queue.as_str().into(), options, payload, properties);
        let confirmation = published.await.context("publish")?.await.context("wait for a confirm")?;
        ensure!(confirmation.is_ack() && confirmation.take_message().is_none(), "the broker did not take a message");
        Ok(())
    }

    pub(super) async fn subscribe(&self) -> Result<Reader> {
        let channel = self.consuming.create_channel().await.context("open a channel")?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.context("set the prefetch")?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = channel.basic_consume(self.queue.as_str().into(), "".into(), options, arguments).await;
        Ok(Reader { channel, consumer: consumer.context("consume")? })
    }
}

async fn connect(url: &str) -> Result<Connection> {
    #[expect(clippy::disallowed_methods, reason = "the bare pipeline has nothing of ours in it")]
    Connection::connect(url, ConnectionProperties::default()).await.context("connect to RabbitMQ")
}

/// A consumer with a channel of its own.
pub(in crate::bare) struct Reader {
    channel: Channel,
    consumer: Consumer,
}

impl Reader {
    pub(super) async fn next_batch(&mut self, limit: usize) -> Result<Batch> {
        let first = self.consumer.next().await.context("the consumer ended")?.context("receive")?;
        let mut batch = Batch { channel: self.channel.clone(), last: first.delivery_tag, payloads: Vec::new() };
        batch.take(first);
        while batch.payloads.len() < limit {
            let Some(Some(delivery)) = self.consumer.next().now_or_never() else { break };
            batch.take(delivery.context("receive")?);
        }
        Ok(batch)
    }
}

/// Messages that came one after the other on a channel.
pub(in crate::bare) struct Batch {
    channel: Channel,
    last: u64,
    payloads: Vec<Bytes>,
}

impl Batch {
    fn take(&mut self, delivery: Delivery) {
        self.last = delivery.delivery_tag;
        self.payloads.push(delivery.data.into());
    }

    pub(super) fn take_payloads(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.payloads)
    }

    /// One word for all: those before them on the channel were acknowledged before.
    pub(super) async fn acknowledge(self) -> Result<()> {
        let options = BasicAckOptions { multiple: true };
        self.channel.basic_ack(self.last, options).await.context("acknowledge")
    }
}
