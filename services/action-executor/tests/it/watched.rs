//! A broker that tells at once what became of events, which a broker that is shared counts now and then; and that brings
//! them together, where a broker may bring them one by one.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use patchbay_broker::{Broker, Consumer, Delivery, Error, Message, Progress, PublishError, Receipt, Settle};
use patchbay_proto::Topic;

/// What became of the events of a house. It outlives the lives.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Payloads that were published and not acknowledged since.
    open: Vec<Bytes>,
    /// Deliveries that were given out and not settled.
    held: usize,
    /// Deliveries that are given out together.
    together: usize,
}

#[derive(Debug)]
pub(crate) struct Watched {
    real: Arc<dyn Broker>,
    tally: Arc<Tally>,
}

#[derive(Debug)]
struct WatchedConsumer {
    real: Box<dyn Consumer>,
    /// Came, and not given out.
    ready: Vec<Delivery>,
    loans: Arc<Loans>,
}

/// Deliveries of the real broker that were given out, by number.
#[derive(Debug)]
struct Loans {
    tally: Arc<Tally>,
    next: AtomicU64,
    real: Mutex<HashMap<u64, Delivery>>,
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap()
    }

    /// From now on events come so many at once.
    pub(crate) fn bring_together(&self, count: usize) {
        self.counts().together = count;
    }

    /// How many events the executor holds.
    pub(crate) fn held(&self) -> usize {
        self.counts().held
    }

    /// Whether nothing is held, and everything that was published was acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        let counts = self.counts();
        counts.held == 0 && counts.open.is_empty()
    }
}

impl Counts {
    fn close(&mut self, payload: &Bytes) {
        // What comes again after a crash may have been acknowledged before it.
        if let Some(index) = self.open.iter().position(|open| open == payload) {
            self.open.swap_remove(index);
        }
    }
}

impl Watched {
    pub(crate) fn over(real: Arc<dyn Broker>, tally: Arc<Tally>) -> Arc<dyn Broker> {
        Arc::new(Self { real, tally })
    }
}

#[async_trait]
impl Broker for Watched {
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), PublishError> {
        if topic != Topic::TriggerFired {
            return self.real.publish(topic, messages).await;
        }
        let payloads: Vec<Bytes> = messages.iter().map(|message| message.payload.clone()).collect();
        // Before it is published, because it may be acknowledged before this is told.
        self.tally.counts().open.extend(payloads.iter().cloned());
        let published = self.real.publish(topic, messages).await;
        if published.is_err() {
            let mut counts = self.tally.counts();
            payloads.iter().for_each(|payload| counts.close(payload));
        }
        published
    }

    async fn subscribe(&self, topic: Topic, prefetch: usize) -> Result<Box<dyn Consumer>, Error> {
        let real = self.real.subscribe(topic, prefetch).await?;
        if topic != Topic::TriggerFired {
            return Ok(real);
        }
        let loans = Loans { tally: Arc::clone(&self.tally), next: AtomicU64::default(), real: Mutex::default() };
        Ok(Box::new(WatchedConsumer { real, ready: Vec::new(), loans: Arc::new(loans) }))
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
impl Consumer for WatchedConsumer {
    async fn next_batch(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        while self.ready.is_empty() || self.ready.len() < self.loans.tally.counts().together {
            self.ready.extend(self.real.next_batch(limit).await?);
        }
        let count = limit.min(self.ready.len());
        Ok(self.ready.drain(..count).map(|delivery| self.loans.lend(delivery)).collect())
    }
}

impl Loans {
    fn lend(self: &Arc<Self>, real: Delivery) -> Delivery {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let lent = Delivery::new(
            real.message.clone(),
            real.redelivered,
            Receipt { number, position: 0 },
            Arc::clone(self) as Arc<dyn Settle>,
        );
        self.real.lock().unwrap().insert(number, real);
        self.tally.counts().held += 1;
        lent
    }

    fn take_back(&self, receipts: &[Receipt]) -> Vec<Delivery> {
        let mut real = self.real.lock().unwrap();
        receipts.iter().filter_map(|receipt| real.remove(&receipt.number)).collect()
    }
}

impl Settle for Loans {
    fn acknowledge(&self, receipts: &[Receipt]) {
        let real = self.take_back(receipts);
        let payloads: Vec<Bytes> = real.iter().map(|delivery| delivery.message.payload.clone()).collect();
        Delivery::acknowledge_all(real);
        let mut counts = self.tally.counts();
        counts.held -= payloads.len();
        payloads.iter().for_each(|payload| counts.close(payload));
    }

    fn release(&self, receipt: Receipt) {
        let real = self.take_back(&[receipt]);
        self.tally.counts().held -= real.len();
    }
}
