//! What every broker does.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use patchbay_proto::Topic;

use crate::{Delivery, Error, PublishError};

/// What travels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The event id, or the order key of sources that have one.
    pub key: Bytes,
    /// Names and values, in order; a name may repeat.
    pub headers: Vec<(String, String)>,
    /// The body. Its bytes are shared, not copied, on the way through an embedded broker.
    pub payload: Bytes,
    /// Whose it is: where the broker can, a message waits behind those of its own tenant only. Tells the broker where to put
    /// it, and does not travel: 0 in what is delivered.
    pub tenant: i64,
    /// Words by which other teams choose what they receive of a public topic, such as `7.0199.succeeded`. Does not travel
    /// either: empty in what is delivered.
    pub route: String,
}

/// How far the consumers of a topic are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Messages that wait for a consumer.
    pub undelivered: u64,
    /// Messages that a consumer has and has not settled.
    pub unacknowledged: u64,
    /// How long ago the oldest undelivered message was accepted. Nothing when none waits, or the broker can't tell.
    pub oldest_undelivered_age: Option<Duration>,
    /// Bytes that the topic takes on a disk of ours; 0 where the broker is somebody else's.
    pub bytes_on_disk: u64,
}

/// A queue per topic that loses nothing it has confirmed.
///
/// The contract, which the suite in `contract` checks on every adapter:
///
/// - **Confirm.** When [`publish`](Broker::publish) answers `Ok`, every message of the call survives any crash and is
///   delivered, until acknowledged, at least once. An error confirms nothing: after [`PublishError::Full`],
///   [`PublishError::TooLarge`] and [`PublishError::Closed`] nothing of the call was accepted, after
///   [`PublishError::Unavailable`] some may still be delivered. Publish again: receivers drop duplicates by key.
/// - **Whole.** Key, headers (in order, also repeated and empty ones) and payload (also empty, any bytes) arrive as sent.
/// - **Topics are apart.** A message is delivered to the consumers of its topic only, and a full or stuck topic does not
///   hold up another.
/// - **One group a topic.** Consumers of a topic compete: each message goes to one of them.
/// - **Order.** None is promised. An embedded broker delivers in the order of acceptance, redeliveries first.
/// - **Acknowledged is done.** Once the broker has noted an acknowledgement, the message is never delivered again. Notes are
///   taken soon, not at once: a crash may bring back what was acknowledged just before it. A [`close`](Broker::close) loses none.
/// - **Redelivery.** What is not acknowledged comes back, with [`Delivery::redelivered`] set: at once after a release or a drop
///   of the delivery, after a reopen otherwise. The flag says "may have been delivered before".
/// - **Poison.** What comes back more often than the adapter's delivery limit is moved to [`Topic::DeadLetter`], with its key,
///   headers and payload as they were, and the headers of [`dead_letter`](crate::dead_letter): with a limit of 20, at the 21st
///   release or drop. It is on one of the two topics at every moment, after a crash maybe on both. What is a dead letter already
///   has no limit. Who has no room for a delivery holds it; giving back is for who fails or ends, so that normal life stays below
///   the limit.
/// - **Prefetch.** A consumer never holds more unsettled deliveries than its prefetch; it waits for a settlement instead, and
///   holds up no other consumer meanwhile.
/// - **Memory and disk are bounded.** Publishing without a consumer ends in [`PublishError::Full`], or, on topics that nobody
///   must read, in the loss of the oldest messages; never in the end of memory.
/// - **Close.** After it, `publish` answers [`PublishError::Closed`] and consumers [`Error::Closed`].
#[async_trait]
pub trait Broker: Send + Sync + Debug + 'static {
    /// Returns only when all messages are on disk, or confirmed: afterwards they survive any crash.
    ///
    /// A call that is dropped half-way may still publish. An empty list is accepted at once.
    ///
    /// # Errors
    /// See the contract. No message of the call may be taken for accepted.
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), PublishError>;

    /// Joins the consumers of a topic. `prefetch` (at least 1) bounds its unsettled deliveries.
    ///
    /// # Errors
    /// When the broker is closed or can't be reached.
    async fn subscribe(&self, topic: Topic, prefetch: usize) -> Result<Box<dyn Consumer>, Error>;

    /// How far the consumers of a topic are, as far as the broker knows now.
    fn progress(&self, topic: Topic) -> Progress;

    /// Whether messages can be published and delivered now. An error after a close.
    ///
    /// # Errors
    /// Why not, in words for an operator. Never a password.
    fn health(&self) -> Result<(), String>;

    /// Finishes what was begun, notes all acknowledgements and stops the threads. May be called again.
    async fn close(&self);
}

/// One competing reader of a topic. Dropping it ends its subscription; the deliveries that it gave out come back when their
/// holders drop them, at the latest when the broker opens again.
#[async_trait]
pub trait Consumer: Send + Debug {
    /// Waits until there is at least one delivery, and returns what is there up to `limit` (at least 1); never waits to fill it.
    ///
    /// Cancel-safe: a call that is dropped has taken nothing.
    ///
    /// # Errors
    /// [`Error::Closed`] at the end; others when the broker can't read or be reached. Then call again, after a pause.
    async fn next_batch(&mut self, limit: usize) -> Result<Vec<Delivery>, Error>;
}
