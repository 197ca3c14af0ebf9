//! A topic, shared between publishers' writer, the reader, the keeper and the consumers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_proto::Topic;
use tokio::sync::Notify;

use super::queue::Queue;
use super::signal::Signal;

#[derive(Debug)]
pub(super) struct TopicState {
    pub(super) topic: Topic,
    pub(super) directory: PathBuf,
    queue: Mutex<Queue>,
    /// Something changed for those who wait in `next_batch`.
    pub(super) changed: Notify,
    /// Wakes the thread that reads back.
    pub(super) reading: Signal,
    /// Wakes the thread that saves acknowledgements.
    pub(super) saving: Arc<Signal>,
}

impl TopicState {
    pub(super) fn new(topic: Topic, directory: PathBuf, queue: Queue, saving: Arc<Signal>) -> Self {
        let queue = Mutex::new(queue);
        Self { topic, directory, queue, changed: Notify::new(), reading: Signal::default(), saving }
    }

    /// The queue; hold it shortly, and do nothing slow meanwhile.
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        // No step of the queue leaves it half changed, so a panic elsewhere does not spoil it.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
