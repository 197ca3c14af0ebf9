//! A broker that loses every acknowledgement, as one does that crashes just before it notes them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use patchbay_broker::{Broker, Consumer, Delivery, Error, Message, Progress, PublishError, Receipt, Settle};
use patchbay_proto::Topic;

/// Deliveries of the real broker, kept from being settled as long as the broker lives.
type Kept = Arc<Mutex<Vec<Delivery>>>;

#[derive(Debug)]
pub(crate) struct Forgetful {
    real: Arc<dyn Broker>,
    kept: Kept,
}

#[derive(Debug)]
struct ForgetfulConsumer {
    real: Box<dyn Consumer>,
    kept: Kept,
}

struct Unheard;

impl Forgetful {
    pub(crate) fn over(real: Arc<dyn Broker>) -> Arc<dyn Broker> {
        Arc::new(Self { real, kept: Kept::default() })
    }
}

impl Settle for Unheard {
    fn acknowledge(&self, _: &[Receipt]) {}

    fn release(&self, _: Receipt) {}
}

#[async_trait]
impl Broker for Forgetful {
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), PublishError> {
        self.real.publish(topic, messages).await
    }

    async fn subscribe(&self, topic: Topic, prefetch: usize) -> Result<Box<dyn Consumer>, Error> {
        let real = self.real.subscribe(topic, prefetch).await?;
        Ok(Box::new(ForgetfulConsumer { real, kept: Arc::clone(&self.kept) }))
    }

    fn progress(&self, topic: Topic) -> Progress {
        self.real.progress(topic)
    }

    fn health(&self) -> Result<(), String> {
        self.real.health()
    }

    async fn close(&self) {
        self.real.close().await;
    }
}

#[async_trait]
impl Consumer for ForgetfulConsumer {
    async fn next_batch(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let batch = self.real.next_batch(limit).await?;
        let receipt = Receipt { number: 0, position: 0 };
        let given = batch
            .iter()
            .map(|real| Delivery::new(real.message.clone(), real.redelivered, receipt, Arc::new(Unheard)))
            .collect();
        self.kept.lock().unwrap().extend(batch);
        Ok(given)
    }
}
