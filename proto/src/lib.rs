//! Contracts between services: messages, topics, and the way to a peer.

mod topic;

pub use topic::Topic;
