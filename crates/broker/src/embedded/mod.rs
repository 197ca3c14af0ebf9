//! The broker inside this process: a log of segment files a topic, which survives crashes.
//!
//! One thread writes for all topics. It takes what publishers have queued meanwhile, brings it to disk as one group (one write
//! and one sync a topic), and answers them all; idle, it waits for nothing. What is on disk goes to the topic's delivery queue
//! in memory, and is read back later, by a thread of its own, where it does not fit or was released. A third thread saves the acknowledgements
//! ten times a second, and removes segments that are done. A failed sync ends the process.

mod acknowledged;
mod broker;
mod consumer;
mod disk;
mod keeper;
mod letters;
mod lock;
mod log;
mod notebook;
mod options;
mod queue;
mod reader;
mod record;
mod recovery;
mod segment;
mod signal;
mod threads;
mod topic_state;
mod writer;

pub use broker::Embedded;
pub use disk::{Disk, SystemDisk};
pub use options::Options;
