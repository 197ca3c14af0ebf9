//! What publishers hand to the task that publishes, and how it is answered.

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::types::ShortString;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::PublishError;

/// A message, ready to send.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) mandatory: bool,
    pub(super) properties: BasicProperties,
    pub(super) payload: Bytes,
}

/// One call of `publish`.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) messages: Vec<Outgoing>,
    pub(super) deadline: Instant,
    pub(super) answer: oneshot::Sender<Result<(), PublishError>>,
    /// Room for its messages and its bytes, until the broker has told of each.
    pub(super) room: Room,
}

#[derive(Debug)]
pub(super) struct Room {
    pub(super) _messages: OwnedSemaphorePermit,
    pub(super) _bytes: OwnedSemaphorePermit,
}

/// What the broker told of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Confirmed,
    /// The queue takes no more.
    Refused,
    /// Nothing that counts.
    Nothing(String),
}

/// A call whose messages are sent.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) deadline: Instant,
    answer: Option<oneshot::Sender<Result<(), PublishError>>>,
    open: usize,
    confirmed: usize,
    refused: usize,
    failure: Option<String>,
    _room: Room,
}

impl Pending {
    /// The call, and the messages to send.
    pub(super) fn begin(request: Request) -> (Self, Vec<Outgoing>) {
        let Request { messages, deadline, answer, room } = request;
        let (answer, open) = (Some(answer), messages.len());
        (Self { deadline, answer, open, confirmed: 0, refused: 0, failure: None, _room: room }, messages)
    }

    /// Returns whether it was the last message.
    pub(super) fn note(&mut self, told: Told) -> bool {
        self.open -= 1;
        match told {
            Told::Confirmed => self.confirmed += 1,
            Told::Refused => self.refused += 1,
            Told::Nothing(why) => self.failure = Some(why),
        }
        if self.open > 0 {
            return false;
        }
        let result = match (self.failure.take(), self.confirmed, self.refused) {
            (Some(why), ..) => Err(PublishError::Unavailable(why)),
            (None, _, 0) => Ok(()),
            (None, 0, _) => Err(PublishError::Full("the queue takes no more".into())),
            (None, confirmed, refused) => {
                Err(PublishError::Unavailable(format!("the queue refused {refused} messages and took {confirmed}")))
            }
        };
        self.end(result);
        true
    }

    /// Answers, unless that was done. A caller that is gone needs none.
    pub(super) fn end(&mut self, result: Result<(), PublishError>) {
        if let Some(answer) = self.answer.take() {
            let _ = answer.send(result);
        }
    }

    /// Whether its caller still waits for an answer.
    pub(super) const fn is_waiting(&self) -> bool {
        self.answer.is_some()
    }
}
