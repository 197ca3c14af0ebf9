//! The way of a message that came back too often, from its topic to the dead letters.

use std::sync::Arc;

use patchbay_proto::Topic;
use tokio::sync::{mpsc, oneshot};

use super::queue::Entry;
use super::topic_state::TopicState;
use super::writer::{Command, Request};
use crate::{Message, PublishError, dead_letter};

/// A message whose releases are used up.
#[derive(Debug)]
pub(super) struct Spent {
    pub(super) entry: Entry,
    pub(super) releases: u32,
    pub(super) limit: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Letters {
    /// Weak, so that the writer ends when no publisher is left.
    pub(super) commands: mpsc::WeakSender<Command>,
    /// The topic of the dead letters.
    pub(super) topic: Arc<TopicState>,
}

impl Letters {
    /// Returns when all are durable among the dead letters. Waits for the writer, so only for threads that it never waits for.
    pub(super) fn keep(&self, from: Topic, spent: &[Spent]) -> Result<(), PublishError> {
        let commands = self.commands.upgrade().ok_or(PublishError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let messages = spent.iter().map(|spent| letter(from, spent)).collect();
        let request = Request { topic: Arc::clone(&self.topic), messages, answer };
        commands.blocking_send(Command::Publish(request)).map_err(|_| PublishError::Closed)?;
        answered.blocking_recv().map_err(|_| PublishError::Closed)?
    }
}

fn letter(from: Topic, Spent { entry, releases, limit }: &Spent) -> Message {
    let mut message = entry.message.clone();
    let error = format!("its consumers gave it back {releases} times, and the limit is {limit}");
    message.headers.extend([
        (dead_letter::TOPIC.to_owned(), from.name().to_owned()),
        (dead_letter::REASON.to_owned(), dead_letter::REDELIVERY_LIMIT.to_owned()),
        (dead_letter::ERROR.to_owned(), error),
    ]);
    message
}
