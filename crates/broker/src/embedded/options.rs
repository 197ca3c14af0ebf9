//! How the embedded broker is set up.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use patchbay_proto::Topic;

use super::disk::{Disk, SystemDisk};

const MEBIBYTE: u64 = 1024 * 1024;

/// How the embedded broker is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the files are. Made when it is not there.
    pub directory: PathBuf,
    /// Size at which a new segment file begins (64 MiB); at most a quarter of the bound of its topic.
    pub segment_bytes: u64,
    /// Bytes on disk for each topic that must be consumed (8 GiB); beyond it publish answers `Full`.
    pub max_bytes: u64,
    /// Bytes on disk for each topic that nobody must read (64 MiB); beyond it the oldest messages go.
    pub unread_bytes: u64,
    /// Free bytes of the file system below which publish answers `Full` (64 MiB).
    pub reserve_bytes: u64,
    /// Bytes of messages held in memory for delivery, over all topics (16 MiB); the rest is read back from the files.
    pub memory_bytes: usize,
    /// The largest message as stored (16 MiB).
    pub max_message_bytes: usize,
    /// How often a message comes back to consumers (20) before it is moved to
    /// [`Topic::DeadLetter`](patchbay_proto::Topic::DeadLetter).
    ///
    /// A release and a drop of a delivery count, whatever their reason; a delivery that is only held does not. The counts are
    /// kept in memory: a crash and a close forget them, so what a process gives back when it shuts down does not count
    /// in its next life, and a message that ends the process each time comes back for ever.
    pub delivery_limit: u32,
    /// The disk; tests give one that fails.
    pub disk: Arc<dyn Disk>,
    /// The time, which is stored with each message to tell its age.
    pub now: fn() -> SystemTime,
}

impl Options {
    /// The defaults, in a directory.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            segment_bytes: 64 * MEBIBYTE,
            max_bytes: 8 * 1024 * MEBIBYTE,
            unread_bytes: 64 * MEBIBYTE,
            reserve_bytes: 64 * MEBIBYTE,
            memory_bytes: 16 * 1024 * 1024,
            max_message_bytes: 16 * 1024 * 1024,
            delivery_limit: 20,
            disk: Arc::new(SystemDisk),
            now: system_time,
        }
    }

    /// The most bytes that a topic may take on disk.
    pub(super) fn bound(&self, topic: Topic) -> u64 {
        if topic.must_be_consumed() { self.max_bytes } else { self.unread_bytes }
    }

    /// Several segments fit below the bound, so that acknowledged ones can go while the newest is being written.
    pub(super) fn segment_bytes_of(&self, topic: Topic) -> u64 {
        self.segment_bytes.min(self.bound(topic) / 4)
    }

    /// How often a message of a topic comes back. A dead letter has no place to be moved to.
    pub(super) fn delivery_limit_of(&self, topic: Topic) -> Option<u32> {
        (topic != Topic::DeadLetter).then_some(self.delivery_limit)
    }

    /// A topic's share of the memory for deliveries.
    pub(super) fn memory_share(&self) -> usize {
        self.memory_bytes / Topic::ALL.len()
    }

    /// Microseconds since 1970.
    pub(super) fn now_micros(&self) -> u64 {
        let since_epoch = (self.now)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
    }
}

#[expect(clippy::disallowed_methods, reason = "the default of an option that tests set")]
fn system_time() -> SystemTime {
    SystemTime::now()
}
