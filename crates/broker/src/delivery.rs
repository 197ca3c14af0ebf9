//! A message on loan to a consumer.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use crate::Message;

/// By which an adapter knows a delivery of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The number of the message in its order.
    pub number: u64,
    /// Where the adapter finds it again.
    pub position: u64,
}

/// The adapter's side of a delivery. Never blocks for long.
pub trait Settle: Send + Sync {
    /// These are done.
    fn acknowledge(&self, receipts: &[Receipt]);
    /// This one must be delivered again.
    fn release(&self, receipt: Receipt);
}

/// A message that must be settled: acknowledged or released. Dropping it releases it.
pub struct Delivery {
    /// The message. A release brings it back as it was published, whatever was done to it here.
    pub message: Message,
    /// Whether it may have been delivered before.
    pub redelivered: bool,
    receipt: Receipt,
    settle: Option<Arc<dyn Settle>>,
}

impl Delivery {
    /// A delivery that settles itself with its adapter.
    #[must_use]
    pub fn new(message: Message, redelivered: bool, receipt: Receipt, settle: Arc<dyn Settle>) -> Self {
        Self { message, redelivered, receipt, settle: Some(settle) }
    }

    /// Done: never deliver it again. Cheap, and never waits.
    pub fn acknowledge(mut self) {
        if let Some(settle) = self.settle.take() {
            settle.acknowledge(&[self.receipt]);
        }
    }

    /// Acknowledges many at once, which is cheaper than one by one.
    pub fn acknowledge_all(deliveries: impl IntoIterator<Item = Self>) {
        let mut receipts = Vec::new();
        let mut owner: Option<Arc<dyn Settle>> = None;
        for mut delivery in deliveries {
            let Some(settle) = delivery.settle.take() else { continue };
            if let Some(previous) = owner.take_if(|owner| !Arc::ptr_eq(owner, &settle)) {
                previous.acknowledge(&receipts);
                receipts.clear();
            }
            receipts.push(delivery.receipt);
            owner.get_or_insert(settle);
        }
        if let Some(owner) = owner {
            owner.acknowledge(&receipts);
        }
    }

    /// Gives it back for redelivery. Cheap, and never waits.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(settle) = self.settle.take() {
            settle.release(self.receipt);
        }
    }
}

impl Debug for Delivery {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Delivery")
            .field("message", &self.message)
            .field("redelivered", &self.redelivered)
            .field("receipt", &self.receipt)
            .finish_non_exhaustive()
    }
}
