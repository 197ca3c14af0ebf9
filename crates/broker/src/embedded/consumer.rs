//! One reader of a topic.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::topic_state::TopicState;
use crate::{Consumer, Delivery, Error, Receipt, Settle};

/// What a consumer and its deliveries share.
#[derive(Debug)]
struct Holder {
    topic: Arc<TopicState>,
    prefetch: usize,
    /// Unsettled deliveries. Changes only under the topic's mutex.
    held: AtomicUsize,
}

impl Holder {
    /// Call under the topic's mutex. Whether the consumer may take again that could not before.
    fn give_back(&self, count: usize) -> bool {
        self.held.fetch_sub(count, Ordering::Relaxed) >= self.prefetch
    }
}

impl Settle for Holder {
    fn acknowledge(&self, receipts: &[Receipt]) {
        let mut queue = self.topic.queue();
        let unsaved = queue.acknowledge(receipts);
        let has_room = self.give_back(receipts.len());
        drop(queue);
        if unsaved {
            self.topic.saving.raise();
        }
        if has_room {
            self.topic.changed.notify_waiters();
        }
    }

    fn release(&self, receipt: Receipt) {
        let mut queue = self.topic.queue();
        queue.release(receipt);
        let has_room = self.give_back(1);
        drop(queue);
        self.topic.reading.raise();
        if has_room {
            self.topic.changed.notify_waiters();
        }
    }
}

#[derive(Debug)]
pub(super) struct EmbeddedConsumer {
    holder: Arc<Holder>,
}

impl EmbeddedConsumer {
    pub(super) fn join(topic: Arc<TopicState>, prefetch: usize) -> Result<Self, Error> {
        let mut queue = topic.queue();
        if queue.is_closed() {
            return Err(Error::Closed);
        }
        queue.join();
        drop(queue);
        topic.reading.raise();
        Ok(Self { holder: Arc::new(Holder { topic, prefetch: prefetch.max(1), held: AtomicUsize::new(0) }) })
    }

    fn try_take(&self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let holder = &self.holder;
        let mut queue = holder.topic.queue();
        if queue.is_closed() {
            return Err(Error::Closed);
        }
        let room = holder.prefetch.saturating_sub(holder.held.load(Ordering::Relaxed));
        let entries = queue.take(limit.max(1).min(room));
        holder.held.fetch_add(entries.len(), Ordering::Relaxed);
        let reading = queue.wants_reading();
        let failure = if entries.is_empty() { queue.take_failure() } else { None };
        drop(queue);
        if let Some(why) = failure {
            return Err(Error::Unavailable(why));
        }
        if reading {
            holder.topic.reading.raise();
        }
        let deliver = |entry: super::queue::Entry| {
            let receipt = Receipt { number: entry.sequence, position: entry.offset };
            let settle: Arc<dyn Settle> = Arc::clone(holder) as _;
            Delivery::new(entry.message, entry.redelivered, receipt, settle)
        };
        Ok(entries.into_iter().map(deliver).collect())
    }
}

#[async_trait]
impl Consumer for EmbeddedConsumer {
    async fn next_batch(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        loop {
            let mut changed = pin!(self.holder.topic.changed.notified());
            let taken = self.try_take(limit)?;
            if !taken.is_empty() {
                return Ok(taken);
            }
            // Listen first, then look again: a change between the two is not missed.
            changed.as_mut().enable();
            let taken = self.try_take(limit)?;
            if !taken.is_empty() {
                return Ok(taken);
            }
            changed.await;
        }
    }
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        self.holder.topic.queue().leave();
    }
}
