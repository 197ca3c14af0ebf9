//! Where events are durable before they are answered: the embedded log, or a queue of RabbitMQ.

mod rabbitmq;

use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use patchbay_broker::embedded::{self, Embedded};
use patchbay_broker::{Broker, Consumer, Delivery, Message};
use patchbay_proto::Topic;

use self::rabbitmq::RabbitMq;
use super::IN_FLIGHT;
use crate::options::Bare;

/// The publishing side.
#[derive(Clone)]
pub(super) enum Log {
    Embedded(Arc<dyn Broker>),
    RabbitMq(Arc<RabbitMq>),
}

/// One of the competing readers.
pub(super) enum Reader {
    Embedded(Box<dyn Consumer>),
    RabbitMq(Box<rabbitmq::Reader>),
}

/// Events on loan to a reader.
pub(super) enum Batch {
    Embedded(Vec<Delivery>),
    RabbitMq(rabbitmq::Batch),
}

impl Log {
    pub(super) async fn open(options: &Bare) -> Result<Self> {
        if let Some(url) = &options.broker {
            return Ok(Self::RabbitMq(Arc::new(RabbitMq::open(url, &options.queue).await?)));
        }
        let directory = options.data_dir.join("broker");
        Ok(Self::Embedded(Embedded::open(embedded::Options::new(directory)).await?))
    }

    /// Returns when the event is durable.
    pub(super) async fn publish(&self, payload: Bytes) -> Result<()> {
        match self {
            Self::Embedded(broker) => {
                let message = Message { payload, ..Message::default() };
                Ok(broker.publish(Topic::TriggerFired, vec![message]).await?)
            }
            Self::RabbitMq(queue) => queue.publish(&payload).await,
        }
    }

    pub(super) async fn subscribe(&self) -> Result<Reader> {
        match self {
            Self::Embedded(broker) => Ok(Reader::Embedded(broker.subscribe(Topic::TriggerFired, 2 * IN_FLIGHT).await?)),
            Self::RabbitMq(queue) => Ok(Reader::RabbitMq(Box::new(queue.subscribe().await?))),
        }
    }
}

impl Reader {
    /// Waits until there is at least one event, and takes what is there up to `limit`.
    pub(super) async fn next_batch(&mut self, limit: usize) -> Result<Batch> {
        match self {
            Self::Embedded(consumer) => Ok(Batch::Embedded(consumer.next_batch(limit).await?)),
            Self::RabbitMq(reader) => Ok(Batch::RabbitMq(reader.next_batch(limit).await?)),
        }
    }
}

impl Batch {
    pub(super) fn payloads(&mut self) -> Vec<Bytes> {
        match self {
            Self::Embedded(deliveries) => deliveries.iter().map(|delivery| delivery.message.payload.clone()).collect(),
            Self::RabbitMq(batch) => batch.take_payloads(),
        }
    }

    /// These are in the tables: the log may forget them.
    pub(super) async fn acknowledge(self) -> Result<()> {
        match self {
            Self::Embedded(deliveries) => {
                Delivery::acknowledge_all(deliveries);
                Ok(())
            }
            Self::RabbitMq(batch) => batch.acknowledge().await,
        }
    }
}
