//! What a consumer has from the broker: between the task that has the channel and those who receive and settle.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patchbay_proto::Topic;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::turns::Turns;
use super::window::{Order, Window};
use crate::{Delivery, Error, Message, Receipt, Settle};

/// A message on the shelf.
#[derive(Debug)]
struct Ready {
    message: Message,
    redelivered: bool,
    tag: u64,
}

#[derive(Debug)]
struct Inner {
    ready: Turns<Ready>,
    window: Window,
    /// Which channel it is; what was delivered on an earlier one is the broker's again.
    channel: u64,
    /// Deliveries given out and not settled, of all channels.
    held: usize,
    /// When a delivery was given out or settled.
    moved_at: Instant,
    /// When a delivery came.
    came_at: Instant,
    left: bool,
    closed: bool,
    problem: Option<String>,
}

/// See above.
#[derive(Debug)]
pub(super) struct Shelf {
    topic: Topic,
    prefetch: usize,
    /// Deliveries of the topic that have come to this process.
    received: Arc<AtomicU64>,
    inner: Mutex<Inner>,
    /// There is something to receive, or the end.
    ready: Notify,
    /// There is something to tell the broker, or the consumer is gone.
    work: Notify,
}

impl Shelf {
    pub(super) fn new(topic: Topic, prefetch: usize, lanes: usize, received: Arc<AtomicU64>) -> Self {
        let now = Instant::now();
        let inner = Inner {
            ready: Turns::new(lanes),
            window: Window::default(),
            channel: 0,
            held: 0,
            moved_at: now,
            came_at: now,
            left: false,
            closed: false,
            problem: None,
        };
        let (ready, work) = (Notify::new(), Notify::new());
        Self { topic, prefetch: prefetch.max(1), received, inner: Mutex::new(inner), ready, work }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn topic(&self) -> Topic {
        self.topic
    }

    // The consumer's side.

    /// The next deliveries, in turns between lanes.
    pub(super) async fn next(self: &Arc<Self>, limit: usize) -> Result<Vec<Delivery>, Error> {
        loop {
            let batch = self.take(limit)?;
            if !batch.is_empty() {
                return Ok(batch);
            }
            self.ready.notified().await;
        }
    }

    fn take(self: &Arc<Self>, limit: usize) -> Result<Vec<Delivery>, Error> {
        let mut inner = self.inner();
        if inner.closed {
            return Err(Error::Closed);
        }
        let room = self.prefetch.saturating_sub(inner.held).min(limit.max(1)).min(inner.ready.count());
        let mut batch = Vec::with_capacity(room);
        while batch.len() < room {
            let Some(Ready { message, redelivered, tag }) = inner.ready.take() else { break };
            let receipt = Receipt { number: tag, position: inner.channel };
            batch.push(Delivery::new(message, redelivered, receipt, Arc::clone(self) as _));
        }
        if !batch.is_empty() {
            inner.held += batch.len();
            inner.moved_at = Instant::now();
        }
        Ok(batch)
    }

    /// The consumer is gone: what it did not receive goes back, and what its holders have when they settle it.
    pub(super) fn leave(&self) {
        let mut inner = self.inner();
        inner.left = true;
        while let Some(ready) = inner.ready.take() {
            inner.window.release(ready.tag);
        }
        drop(inner);
        self.work.notify_one();
    }

    fn settle(&self, receipts: &[Receipt], how: fn(&mut Window, u64)) {
        let mut inner = self.inner();
        let (was_full, had_orders) = (inner.held >= self.prefetch, inner.window.has_orders());
        let channel = inner.channel;
        for receipt in receipts {
            inner.held = inner.held.saturating_sub(1);
            if receipt.position == channel {
                how(&mut inner.window, receipt.number);
            }
        }
        inner.moved_at = Instant::now();
        let has_orders = inner.window.has_orders();
        drop(inner);
        if was_full {
            self.ready.notify_one();
        }
        if has_orders && !had_orders {
            self.work.notify_one();
        }
    }

    // The channel's side.

    /// Deliveries of a new channel follow.
    pub(super) fn begin(&self) {
        let mut inner = self.inner();
        inner.channel += 1;
        inner.came_at = Instant::now();
    }

    /// The channel is gone, and with it everything that was not settled.
    pub(super) fn end(&self) {
        let mut inner = self.inner();
        inner.channel += 1;
        inner.window = Window::default();
        inner.ready.clear();
    }

    pub(super) fn deliver(&self, deliveries: impl Iterator<Item = (usize, u64, bool, Message)>) {
        let mut inner = self.inner();
        let mut count = 0;
        for (lane, tag, redelivered, message) in deliveries {
            count += 1;
            inner.window.deliver(tag);
            if inner.left {
                inner.window.release(tag);
            } else {
                inner.ready.put(lane, Ready { message, redelivered, tag });
            }
        }
        inner.came_at = Instant::now();
        drop(inner);
        self.received.fetch_add(count, Ordering::Relaxed);
        self.ready.notify_one();
    }

    /// Waits until there may be something to tell the broker.
    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    pub(super) fn take_orders(&self) -> Vec<Order> {
        self.inner().window.take_orders()
    }

    pub(super) fn has_left(&self) -> bool {
        self.inner().left
    }

    /// Whether the broker waits for nothing from here.
    pub(super) fn is_settled(&self) -> bool {
        let inner = self.inner();
        inner.window.open() == 0 && !inner.window.has_orders()
    }

    /// Whether its holders have all that they may have, and have settled nothing for a while.
    pub(super) fn is_stuck(&self, after: Duration) -> bool {
        let inner = self.inner();
        self.is_full_with(&inner) && inner.moved_at.elapsed() >= after
    }

    /// Whether its holders have all that they may have.
    pub(super) fn is_full(&self) -> bool {
        self.is_full_with(&self.inner())
    }

    fn is_full_with(&self, inner: &Inner) -> bool {
        inner.held >= self.prefetch
    }

    /// Whether nothing came for a while although there is room for everything.
    pub(super) fn is_silent(&self, after: Duration) -> bool {
        let inner = self.inner();
        inner.window.open() == 0 && inner.came_at.elapsed() >= after
    }

    pub(super) fn was_looked_after(&self) {
        self.inner().came_at = Instant::now();
    }

    pub(super) fn say(&self, problem: Option<String>) {
        self.inner().problem = problem;
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.inner().problem.clone()
    }

    /// Deliveries that nobody has received, and those that somebody holds.
    pub(super) fn counts(&self) -> (u64, u64) {
        let inner = self.inner();
        (inner.ready.count() as u64, inner.held as u64)
    }

    pub(super) fn close(&self) {
        self.inner().closed = true;
        self.ready.notify_one();
    }
}

impl Settle for Shelf {
    fn acknowledge(&self, receipts: &[Receipt]) {
        self.settle(receipts, Window::acknowledge);
    }

    fn release(&self, receipt: Receipt) {
        self.settle(&[receipt], Window::release);
    }
}
